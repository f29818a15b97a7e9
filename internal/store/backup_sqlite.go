package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	moderncsqlite "modernc.org/sqlite"
)

// backupSQLite copies the pages of a file that a server may be writing to. The
// copy is made in one read transaction, so that it is of one moment and writers
// go on meanwhile; the log of the database grows until it ends.
func backupSQLite(ctx context.Context, from Address, file string, m *Manifest, o CarryOptions) error {
	m.Engine = engineSQLite
	if err := copyPages(ctx, from, file, o); err != nil {
		return err
	}
	// With a rollback journal a backup is one file, and stays as it is when it is read.
	p, err := openPlace(ctx, nil, file, "_pragma=journal_mode(DELETE)", "_pragma=query_only(ON)")
	if err != nil {
		return err
	}
	err = p.integrity()
	if err == nil {
		err = m.describe(p, sqliteHasTable, o)
	}
	return errors.Join(inWords(err, from.file), p.close())
}

func copyPages(ctx context.Context, from Address, file string, o CarryOptions) (err error) {
	if _, err := os.Stat(from.file); err != nil {
		return fmt.Errorf("there is no database %s: %w", from.file, err)
	}
	if err := whole(from.file); err != nil {
		return err
	}
	p, err := openPlace(ctx, nil, from.file, "mode=ro", "_pragma=busy_timeout(5000)", "_pragma=query_only(ON)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(inWords(p.classify(err), from.file), p.close()) }()
	if err := p.run("BEGIN"); err != nil {
		return err
	}
	if mark, err := readMark(p, sqliteHasTable); err != nil || mark != nil { // the first reading begins the snapshot
		return errors.Join(err, mark.refusal(from.String()))
	}
	return p.conn.Raw(func(c any) error { return pages(ctx, c, file, o.Say) })
}

// copyAtOnce is how many pages are copied between two looks at the context (16 MiB).
const copyAtOnce = 4096

// pages runs SQLite's own backup from a connection into a file.
func pages(ctx context.Context, from any, file string, say func(Progress)) error {
	c, can := from.(interface {
		NewBackup(uri string) (*moderncsqlite.Backup, error)
	})
	if !can {
		return errors.New("the driver of SQLite makes no backups")
	}
	b, err := c.NewBackup(dsn(file, "_pragma=journal_mode(OFF)", "_pragma=synchronous(OFF)"))
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		if err = ctx.Err(); err != nil {
			break
		}
		more, err = b.Step(copyAtOnce)
		if say != nil {
			total := int64(b.PageCount())
			say(Progress{Step: "copy", Unit: "pages", Done: total - int64(b.Remaining()), Total: total})
		}
	}
	return errors.Join(err, b.Finish())
}

// restoreSQLite copies the file beside its place, verifies it and gives it its name.
func restoreSQLite(ctx context.Context, file string, to Address, out *Restored, o CarryOptions) (err error) {
	if err := os.MkdirAll(filepath.Dir(to.file), 0o750); err != nil {
		return fmt.Errorf("make the folder of the database: %w", err)
	}
	lock, err := lockOut(to.file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := errors.Join(vacant(to.file), removeUnfinished(to.file)); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeUnfinished(to.file))
		}
	}()
	if err := copyFile(file, unfinished(to.file)); err != nil {
		return err
	}
	size, sum, err := sumFile(unfinished(to.file))
	if err == nil {
		err = out.Manifest.intact(file, size, sum)
	}
	if err != nil {
		return err
	}
	if err := verifySQLite(ctx, unfinished(to.file), out, o); err != nil {
		return inWords(err, file)
	}
	if err := syncFile(unfinished(to.file)); err != nil {
		return err
	}
	return rename(unfinished(to.file), to.file)
}

func verifySQLite(ctx context.Context, file string, out *Restored, o CarryOptions) error {
	p, err := openPlace(ctx, nil, file, "_pragma=journal_mode(DELETE)", "_pragma=foreign_keys(ON)")
	if err != nil {
		return err
	}
	if err = p.integrity(); err == nil {
		err = out.verify(p, sqliteHasTable, p.migrate, o)
	}
	return errors.Join(err, p.close())
}

// migrate brings the file to the newest schema.
func (p *sqlitePlace) migrate() (err error) {
	if err := p.conn.Close(); err != nil { // it is the only one
		return err
	}
	if err := migrate(p.ctx, goose.DialectSQLite3, p.db, sqliteMigrations, "migrations/sqlite"); err != nil {
		return err
	}
	p.conn, err = p.db.Conn(p.ctx)
	return err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, in.Close(), out.Close())
}
