package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// urlFile stands in a data folder whose database is not a file beside it.
const urlFile = "database.url"

// databaseOf is the PostgreSQL database of a data folder, or empty for SQLite.
func databaseOf(dir string) config.Secret {
	raw, err := os.ReadFile(filepath.Join(dir, urlFile)) // not there: SQLite
	if err != nil {
		return ""
	}
	return config.Secret(raw)
}

// onPostgres makes a data folder whose database is a new one on a server.
func (b *bench) onPostgres(s *pgtest.Server, name string) (dir string, err error) {
	dir = filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	url, err := s.Create(name)
	if err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, urlFile), []byte(url), 0o600)
}

// openLooking opens the database of a folder for looking at it.
func openLooking(dir string) (*sql.DB, error) {
	if url := databaseOf(dir); url != "" {
		return sql.Open("pgx", string(url))
	}
	return openReader(dir)
}

// postgresContenders are the same worlds on PostgreSQL; none where it is not installed.
func (b *bench) postgresContenders(ctx context.Context, t *template, add func(name, dir string) error, closers *[]func() error) (plain []*contender, err error) {
	if _, err := pgtest.Binaries(); err != nil {
		b.say("Not measured: %v.", err)
		return nil, nil
	}
	s, err := pgtest.Start()
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	*closers = append(*closers, func() error { s.Stop(); return nil })
	var errs []error
	for _, name := range []string{"http", "door"} {
		dir, err := b.onPostgres(s, "postgres_"+name)
		if err == nil {
			err = add(name, dir)
		}
		errs = append(errs, err)
	}
	for _, pipelined := range []bool{false, true} {
		name := map[bool]string{false: "plain SQL, PostgreSQL", true: "plain SQL, PostgreSQL, pipelined"}[pipelined]
		p, err := openPlainPostgres(ctx, s, fmt.Sprintf("plain_%t", pipelined), t, pipelined)
		if err == nil {
			*closers = append(*closers, func() error { p.pool.Close(); return nil })
			plain = append(plain, &contender{name: name, enter: p.enter})
		}
		errs = append(errs, err)
	}
	return plain, errors.Join(errs...)
}
