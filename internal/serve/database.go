package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// sqliteFile is the database of a server that names none.
func sqliteFile(c config.Config) string { return filepath.Join(c.Data, "holdfast.db") }

func openStore(ctx context.Context, c config.Config, log *slog.Logger) (*store.Store, error) {
	if c.Database == "" {
		if err := localFile(c, log); err != nil {
			return nil, err
		}
		return store.OpenSQLite(ctx, sqliteFile(c))
	}
	return store.OpenPostgres(ctx, string(c.Database), store.PostgresOptions{
		Live: c.Mode != config.Sandbox, Answer: c.DatabasePatience,
		// The outcome of a commit is asked for after the wait for its answer; both
		// together leave room below the minute that clients wait.
		Patience: c.DatabasePatience * 2 / 3,
		Warn:     func(setting string) { log.Warn("the database is not safe for live money", "setting", setting) },
	})
}

// localFile refuses, with live money, a file on another machine's filesystem,
// where neither locks nor flushes are to be relied on; the sandbox says so in its log.
func localFile(c config.Config, log *slog.Logger) error {
	kind, err := store.RemoteFilesystem(sqliteFile(c))
	switch {
	case err != nil:
		return fmt.Errorf("ask for the filesystem of the database: %w", err)
	case kind == "":
		return nil
	case c.Mode != config.Sandbox:
		return fmt.Errorf("the data folder %s lies on %s, which is not safe for live money: use a disk of this machine, or PostgreSQL", c.Data, kind)
	}
	log.Warn("the database is not safe for live money", "setting", "the data folder lies on "+kind)
	return nil
}

// Migration is one step of the schema.
type Migration = store.Migration

// Plan lists the steps of the schema and which of them the database has had. It
// changes nothing.
func Plan(ctx context.Context, c config.Config) ([]Migration, error) {
	if c.Database == "" {
		return store.PlanSQLite(ctx, sqliteFile(c))
	}
	return store.PlanPostgres(ctx, string(c.Database))
}

// Migrate brings the database to the newest schema and returns the steps it took.
func Migrate(ctx context.Context, c config.Config) (taken []Migration, err error) {
	steps, err := Plan(ctx, c)
	if err != nil {
		return nil, err
	}
	s, err := openStore(ctx, c, slog.Default())
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	after, err := Plan(ctx, c)
	for i, m := range after {
		if m.Applied && !steps[i].Applied {
			taken = append(taken, m)
		}
	}
	return taken, err
}

// What spreading a database over several servers asks and answers.
type (
	DistributeOptions = store.DistributeOptions
	Distribution      = store.Distribution
	Placement         = store.Placement
)

// Distribute puts the tables of a migrated database where they belong when it is
// spread over several servers.
func Distribute(ctx context.Context, c config.Config, o DistributeOptions) (Distribution, error) {
	if c.Database == "" {
		return Distribution{}, errors.New("the database is a file, which cannot be spread over servers: move it to PostgreSQL first")
	}
	return store.Distribute(ctx, string(c.Database), o)
}

// Scratch gives a demonstration a place of its own in a PostgreSQL database.
// Close removes it.
type Scratch struct {
	Database config.Secret
	drop     func(context.Context) error
}

// NewScratch makes the place; name is that of its schema.
func NewScratch(ctx context.Context, database config.Secret, name string) (*Scratch, error) {
	inside, drop, err := store.Scratch(ctx, string(database), name)
	if err != nil {
		return nil, errors.Join(errors.New("make a place for the demonstration in the database"), err)
	}
	return &Scratch{Database: config.Secret(inside), drop: drop}, nil
}

// Close removes the place with everything in it.
func (s *Scratch) Close(ctx context.Context) error { return s.drop(ctx) }
