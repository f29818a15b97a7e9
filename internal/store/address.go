package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Address says where a database is: a file of SQLite or a PostgreSQL database.
type Address struct {
	file string // absolute; empty for PostgreSQL
	dsn  string
}

// sqliteScheme begins the address of a file.
const sqliteScheme = "sqlite:"

// errNoAddress does not repeat the text, which may have a password in it.
var errNoAddress = errors.New("the address is no database: write sqlite:FILE or postgres://user@host/name")

// ParseAddress reads sqlite:FILE, or a PostgreSQL connection string or URL.
func ParseAddress(text string) (Address, error) {
	if file, is := strings.CutPrefix(text, sqliteScheme); is {
		return FileAddress(file)
	}
	if !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") && !strings.Contains(text, "=") {
		return Address{}, errNoAddress
	}
	return ServerAddress(text)
}

// FileAddress is the address of a file of SQLite.
func FileAddress(file string) (Address, error) {
	if file == "" {
		return Address{}, fmt.Errorf("%s needs the name of a file behind it", sqliteScheme)
	}
	if dir, err := os.Stat(file); err == nil && dir.IsDir() {
		return Address{}, fmt.Errorf("%s is a folder; the database is a file in it (holdfast.db)", file)
	}
	full, err := filepath.Abs(file)
	return Address{file: full}, err
}

// ServerAddress is the address of a PostgreSQL database by its connection string.
func ServerAddress(dsn string) (Address, error) {
	_, err := postgresConfig(dsn)
	return Address{dsn: dsn}, err
}

// Embedded reports whether it is a file of SQLite.
func (a Address) Embedded() bool { return a.file != "" }

// File is the file of SQLite.
func (a Address) File() string { return a.file }

// String names the database for people, without a password.
func (a Address) String() string {
	if a.Embedded() {
		return sqliteScheme + a.file
	}
	c, err := postgresConfig(a.dsn)
	if err != nil {
		return "postgres:"
	}
	return serverName(c.ConnConfig)
}

// serverName names a PostgreSQL database without a password.
func serverName(c *pgx.ConnConfig) string {
	name := fmt.Sprintf("postgres://%s@%s:%d/%s", c.User, c.Host, c.Port, c.Database)
	if path := c.RuntimeParams["search_path"]; path != "" {
		name += "?search_path=" + path
	}
	return name
}
