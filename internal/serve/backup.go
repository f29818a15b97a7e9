package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// databaseOf is the address of the database of a server.
func databaseOf(c config.Config) (store.Address, error) {
	if c.Database == "" {
		return store.FileAddress(sqliteFile(c))
	}
	return store.ServerAddress(string(c.Database))
}

// DatabaseName is the address of a server's database as people may read it,
// without a password.
func DatabaseName(c config.Config) string {
	a, err := databaseOf(c)
	if err != nil {
		return err.Error()
	}
	return a.String()
}

// BackedUp is the outcome of a backup.
type BackedUp struct {
	File, Manifest string
	From           string
	Bytes          int64
	SHA256         string
	Rows           int64
	Tables         []TableSum
	Books          BooksReport
	// Keys are files of the server that are in no backup.
	Keys []string
}

// Backup writes a verified backup of a server's database to a new file, with its
// manifest beside it. The server may be running. say may be nil.
func Backup(ctx context.Context, c config.Config, file string, say func(Progress)) (*BackedUp, error) {
	from, err := databaseOf(c)
	if err != nil {
		return nil, BadAddress{err}
	}
	m, err := store.Backup(ctx, from, file, carryOptions(say))
	if err != nil {
		return nil, err
	}
	out := &BackedUp{File: file, Manifest: store.ManifestOf(file), From: m.From, Bytes: m.Bytes, SHA256: m.SHA256, Tables: m.Tables, Rows: rowsIn(m.Tables), Keys: secretOf(c)}
	out.Books, err = readBooks(m.Books, m.Violations)
	return out, err
}

func rowsIn(tables []TableSum) (n int64) {
	for _, t := range tables {
		n += t.Rows
	}
	return n
}

// secretOf is the file of the server's secret, where there is one.
func secretOf(c config.Config) []string {
	if c.SecretKey != "" {
		return nil
	}
	if _, err := os.Stat(secretPath(c)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return []string{secretPath(c)}
}

func secretPath(c config.Config) string {
	return cmp.Or(c.SecretFile, filepath.Join(c.Data, secretFile))
}

// Restored is the outcome of a restore.
type Restored struct {
	To     string
	Rows   int64
	Tables []TableSum
	Books  BooksReport
	// Compared: the rows and books are those of a manifest. Without one only the
	// file itself was checked.
	Compared bool
	Steps    []Migration // of the schema that were missing and have been taken
	// NeedsKey: the data folder has no server's secret.
	NeedsKey string
}

// Restore puts a backup into the empty place of a server's database. say may be nil.
func Restore(ctx context.Context, c config.Config, file string, say func(Progress)) (*Restored, error) {
	to, err := databaseOf(c)
	if err != nil {
		return nil, BadAddress{err}
	}
	r, err := store.Restore(ctx, file, to, carryOptions(say))
	if err != nil {
		return nil, err
	}
	out := &Restored{To: r.To, Rows: rowsIn(r.Tables), Tables: r.Tables, Compared: r.Manifest != nil, Steps: r.Steps}
	if c.SecretKey == "" && len(secretOf(c)) == 0 {
		out.NeedsKey = secretPath(c)
	}
	out.Books, err = readBooks(r.Books, r.Violations)
	return out, err
}

// sameBooks compares balances. What else a report says may differ between
// versions of the program.
func sameBooks(kept, now json.RawMessage) error {
	a, err := readBooks(kept, nil)
	if err != nil {
		return err
	}
	b, err := readBooks(now, nil)
	if err == nil && (a.Held != b.Held || !slices.Equal(a.Accounts, b.Accounts)) {
		err = fmt.Errorf("%v with %d won held, and not %v with %d", b.Accounts, b.Held, a.Accounts, a.Held)
	}
	return err
}
