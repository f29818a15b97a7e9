package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"
)

// readOnly is an engine that writes nothing: not to migrate, and not to lock.
type readOnly struct{ engine }

func (readOnly) writers() int               { return 0 }
func (readOnly) begin(int) (writeTx, error) { return nil, ErrClosed }

// OpenReader opens a database for reading alone: that of a running server, a file
// that nobody serves, or a restored copy. It must have the schema of this version.
// Writes are ErrClosed.
func OpenReader(ctx context.Context, a Address) (*Store, error) {
	var e engine
	var err error
	if a.Embedded() {
		e, err = readSQLite(a.file)
	} else {
		e, err = readPostgres(ctx, a.dsn)
	}
	if err != nil {
		return nil, err
	}
	s := start(readOnly{e})
	if err := s.Read(ctx, func(r *Reader) error { _, err := r.PayoutsStopped(); return err }); err != nil {
		if !errors.Is(err, ErrUnavailable) {
			err = fmt.Errorf("the database has not the schema of this version (holdfast migrate): %w", err)
		}
		return nil, errors.Join(inWords(err, a.file), s.Close())
	}
	return s, nil
}

// readSQLite opens a file. One without a log beside it is in nobody's hands, and
// is read as it stands, also where the folder cannot be written.
func readSQLite(file string) (*sqlite, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	params := []string{"mode=ro", "_pragma=busy_timeout(5000)", "_pragma=query_only(ON)"}
	if _, err := os.Stat(file + "-wal"); errors.Is(err, os.ErrNotExist) {
		params = append(params, "immutable=1")
	}
	db, err := sql.Open("sqlite", dsn(file, params...))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers)
	return &sqlite{reader: db, readStmts: map[string]*sql.Stmt{}}, nil
}

func readPostgres(ctx context.Context, dsn string) (*postgres, error) {
	pool, err := postgresConfig(dsn)
	if err != nil {
		return nil, err
	}
	e := &postgres{options: PostgresOptions{Answer: answerLimit}, config: pool.ConnConfig.Copy()}
	for i := range e.sessions {
		e.sessions[i] = &pgWriter{e: e}
	}
	e.pool, err = pgxpool.NewWithConfig(ctx, pool)
	return e, err
}
