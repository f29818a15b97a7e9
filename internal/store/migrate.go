package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// migrate brings a database to the newest schema of a folder of migrations.
func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB, files fs.FS, dir string, options ...goose.ProviderOption) error {
	folder, err := fs.Sub(files, dir)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, folder, options...)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	has, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("ask for the schema's version: %w", err)
	}
	if known := lastStep(provider.ListSources()); has > known {
		return fmt.Errorf("%w: it has version %d, and this program knows versions up to %d; start the newer program", ErrNewer, has, known)
	}
	return nil
}

// lastStep is the highest version among the steps of a schema.
func lastStep(steps []*goose.Source) (version int64) {
	for _, s := range steps {
		version = max(version, s.Version)
	}
	return version
}
