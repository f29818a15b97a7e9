package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Migration is one step of the schema.
type Migration struct {
	Version int64  `json:"version"`
	Name    string `json:"name"`
	Applied bool   `json:"applied"`
}

// PlanSQLite lists the steps of the schema and which of them a file has had. It
// changes nothing; a file that does not exist has had none.
func PlanSQLite(ctx context.Context, file string) (_ []Migration, err error) {
	steps, err := migrations(sqliteMigrations, "migrations/sqlite")
	if _, gone := os.Stat(file); err != nil || errors.Is(gone, os.ErrNotExist) {
		return steps, err
	}
	db, err := sql.Open("sqlite", dsn(file, "mode=ro", "_pragma=busy_timeout(5000)"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var known int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'`).Scan(&known); err != nil || known == 0 {
		return steps, err
	}
	rows, err := db.QueryContext(ctx, appliedVersions)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	return steps, mark(steps, rows)
}

// PlanPostgres is the same for a PostgreSQL database.
func PlanPostgres(ctx context.Context, dsn string) (_ []Migration, err error) {
	steps, err := migrations(postgresMigrations, "migrations/postgres")
	if err != nil {
		return nil, err
	}
	conn, err := connectOnce(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	var known bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&known); err != nil || !known {
		return steps, err
	}
	rows, err := conn.Query(ctx, appliedVersions)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return steps, mark(steps, pgRows{Rows: rows})
}

const appliedVersions = `SELECT version_id FROM goose_db_version WHERE is_applied`

// mark says of each step whether its version is among the rows.
func mark(steps []Migration, rows rowSet) error {
	for rows.Next() {
		v, err := scalar[int64](rows)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(steps, func(m Migration) bool { return m.Version == v }); i >= 0 {
			steps[i].Applied = true
		}
	}
	return rows.Err()
}

// versions compares the schema of a database with the one of this program:
// missing are the steps it has not had, last is the newest that it has had.
// hasTable is the engine's question for a table.
func versions(ex executor, hasTable string) (missing []Migration, last int64, err error) {
	q := &queries{ex: ex, classify: func(err error) error { return err }}
	steps := steps()
	known, err := one(q, scalar[int64], hasTable, "goose_db_version")
	if err != nil || known == 0 {
		return steps, 0, err
	}
	had, err := all(q, scalar[int64], appliedVersions)
	for _, m := range steps {
		if !slices.Contains(had, m.Version) {
			missing = append(missing, m)
		}
	}
	return missing, slices.Max(append(had, 0)), err
}

// steps are those of the schema, which have the same numbers on both engines.
func steps() []Migration {
	out, err := migrations(sqliteMigrations, "migrations/sqlite")
	if err != nil {
		panic(err) // they are in the program
	}
	return out
}

func newestStep() int64 { all := steps(); return all[len(all)-1].Version }

// migrations lists the steps in a folder by number.
func migrations(files fs.FS, dir string) (out []Migration, err error) {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		number, name, _ := strings.Cut(strings.TrimSuffix(e.Name(), path.Ext(e.Name())), "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the migration %s has no number", e.Name())
		}
		out = append(out, Migration{Version: v, Name: name})
	}
	return out, nil
}

// Scratch makes a place of its own (a schema) in a PostgreSQL database and
// returns the connection string that leads there. drop removes it with
// everything in it.
func Scratch(ctx context.Context, dsn, name string) (inside string, drop func(context.Context) error, err error) {
	run := func(ctx context.Context, statement string) error {
		conn, err := connectOnce(ctx, dsn)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, statement)
		return errors.Join(err, conn.Close(ctx))
	}
	quoted := pgx.Identifier{name}.Sanitize()
	inside, err = within(dsn, name)
	if err == nil {
		err = run(ctx, "CREATE SCHEMA "+quoted)
	}
	return inside, func(ctx context.Context) error { return run(ctx, "DROP SCHEMA "+quoted+" CASCADE") }, err
}

// within is a connection string with the schema in which names are looked for.
func within(dsn, schema string) (string, error) {
	if !strings.Contains(dsn, "://") {
		return dsn + " search_path=" + schema, nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errUnreadable
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func connectOnce(ctx context.Context, dsn string) (*pgx.Conn, error) {
	c, err := postgresConfig(dsn)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, c.ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("%w: connect to the database: %w", ErrUnavailable, err)
	}
	return conn, nil
}
