package main

import (
	"context"
	"database/sql"
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

// onEngines runs a measurement on every engine that was asked for.
func (b *bench) onEngines(ctx context.Context, run func(context.Context, *field) error) error {
	if b.engine != "postgres" {
		if err := run(ctx, &field{b: b, engine: "SQLite"}); err != nil {
			return fmt.Errorf("SQLite: %w", err)
		}
	}
	if b.engine == "sqlite" {
		return nil
	}
	s, err := b.postgresServer()
	if s == nil || err != nil {
		return err
	}
	defer s.Stop()
	if err := run(ctx, &field{b: b, engine: "PostgreSQL", pg: s}); err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	return nil
}

// postgresServer starts a server of the measurement's own; nil, said once, where
// PostgreSQL is not installed.
func (b *bench) postgresServer() (*pgtest.Server, error) {
	if _, err := pgtest.Binaries(); err != nil {
		b.say("Not measured: %v.", err)
		return nil, nil //nolint:nilnil // there is none, which is no fault
	}
	return pgtest.Start("shared_buffers=256MB", "max_wal_size=4GB", "max_connections=500")
}
