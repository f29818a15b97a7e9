package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sqlitePlace is a file that this process alone has, on one connection.
type sqlitePlace struct {
	ctx  context.Context
	db   *sql.DB
	conn *sql.Conn
	lock *os.File
	mark *outMark
}

// openPlace opens a file with settings of its own. lock may be nil.
func openPlace(ctx context.Context, lock *os.File, file string, params ...string) (*sqlitePlace, error) {
	p := &sqlitePlace{ctx: ctx, lock: lock}
	var err error
	if p.db, err = sql.Open("sqlite", dsn(file, params...)); err == nil {
		p.db.SetMaxOpenConns(1)
		p.conn, err = p.db.Conn(ctx)
	}
	if err != nil {
		return nil, errors.Join(inWords(err, file), p.close())
	}
	return p, nil
}

func (p *sqlitePlace) exec(query string, args ...any) (int64, error) {
	return onSQLite{p.ctx, p.conn}.exec(query, args...)
}

func (p *sqlitePlace) query(query string, args ...any) (rowSet, error) {
	return onSQLite{p.ctx, p.conn}.query(query, args...)
}

// onSQLite runs statements on a connection or on any connection of a pool.
type onSQLite struct {
	ctx context.Context
	on  interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
}

func (o onSQLite) exec(query string, args ...any) (int64, error) {
	res, err := o.on.ExecContext(o.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (o onSQLite) query(query string, args ...any) (rowSet, error) {
	return o.on.QueryContext(o.ctx, query, args...)
}

func (p *sqlitePlace) run(statements ...string) error {
	for _, s := range statements {
		if _, err := p.exec(s); err != nil {
			return err
		}
	}
	return nil
}

func (p *sqlitePlace) tables() ([]table, error) { return catalogue(p, sqliteCatalogue) }
func (p *sqlitePlace) classify(err error) error { return (&sqlite{}).classify(err) }
func (p *sqlitePlace) found() *outMark          { return p.mark }

func (p *sqlitePlace) close() error {
	var errs []error
	if p.conn != nil {
		errs = append(errs, p.conn.Close())
	}
	if p.db != nil {
		errs = append(errs, p.db.Close())
	}
	if p.lock != nil {
		errs = append(errs, p.lock.Close())
	}
	p.conn, p.db, p.lock = nil, nil, nil
	return errors.Join(errs...)
}

// integrity asks SQLite to go through the whole file.
func (p *sqlitePlace) integrity() error {
	q := &queries{ex: p, classify: func(err error) error { return err }}
	said, err := all(q, scalar[string], "PRAGMA integrity_check(5)")
	if err == nil && (len(said) != 1 || said[0] != "ok") {
		err = fmt.Errorf("the file is damaged: %s", strings.Join(said, "; "))
	}
	if err != nil {
		return err
	}
	orphans, err := one(q, scalar[int64], "SELECT count(*) FROM pragma_foreign_key_check")
	if err == nil && orphans > 0 {
		err = fmt.Errorf("%d rows belong to rows that are not there", orphans)
	}
	return err
}

// leaveSQLite opens a file as what is moved away.
func leaveSQLite(ctx context.Context, a Address) (_ source, err error) {
	if _, err := os.Stat(a.file); err != nil {
		return nil, fmt.Errorf("there is no database %s: %w", a.file, err)
	}
	lock, err := lockOut(a.file)
	if err != nil {
		return nil, err
	}
	if err := whole(a.file); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	p, err := openPlace(ctx, lock, a.file, "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	if err = p.run("BEGIN IMMEDIATE"); err == nil {
		p.mark, err = readMark(p, sqliteHasTable)
	}
	if err == nil {
		err = sameVersion(p, sqliteHasTable, a)
	}
	if err != nil {
		return nil, errors.Join(inWords(p.classify(err), a.file), p.close())
	}
	return p, nil
}

func (p *sqlitePlace) retire(m outMark) error {
	if err := m.put(p); err != nil {
		return err
	}
	return p.run("COMMIT")
}

func (p *sqlitePlace) revive() error { return p.run(dropMark, "COMMIT") }

// sqliteTarget is a file of another name until it is complete.
type sqliteTarget struct {
	*sqlitePlace
	file string
}

// enterSQLite makes the file. What an earlier run has left of it is removed.
func enterSQLite(ctx context.Context, a Address) (target, error) {
	if err := os.MkdirAll(filepath.Dir(a.file), 0o750); err != nil {
		return nil, fmt.Errorf("make the folder of the database: %w", err)
	}
	lock, err := lockOut(a.file)
	if err != nil {
		return nil, err
	}
	if err := vacant(a.file); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := removeUnfinished(a.file); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	// Until it has its name, the file is worth nothing: it is made without a journal.
	if err := private(unfinished(a.file)); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	p, err := openPlace(ctx, lock, unfinished(a.file), "_pragma=journal_mode(OFF)", "_pragma=synchronous(OFF)", "_pragma=cache_size(-64000)")
	if err != nil {
		return nil, err
	}
	t := &sqliteTarget{p, a.file}
	if err = p.migrate(); err == nil {
		err = p.run("BEGIN IMMEDIATE", emptySeeded())
	}
	if err != nil {
		return nil, errors.Join(err, t.abandon(), t.close())
	}
	return t, nil
}

// vacant refuses a place where there is a database.
func vacant(file string) error {
	for _, f := range []string{file, file + "-wal"} {
		if _, err := os.Lstat(f); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s %w", f, errors.Join(errInUse, err))
		}
	}
	return nil
}

func removeUnfinished(file string) error {
	for _, end := range []string{"-journal", "-wal", "-shm", ""} { // the name that is asked for goes last
		if err := os.Remove(unfinished(file) + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// maxBound bounds the values of one INSERT; fillRows its rows.
const (
	maxBound = 2000
	fillRows = 100
)

func (t *sqliteTarget) fill(tab table, rows *tableRows) error {
	per := min(fillRows, maxBound/len(tab.columns))
	many, err := t.conn.PrepareContext(t.ctx, tab.insertion(per))
	if err != nil {
		return err
	}
	defer func() { _ = many.Close() }() // its errors have been told
	args := make([]any, 0, per*len(tab.columns))
	for rows.Next() {
		args = append(args, rows.row...)
		if len(args) < cap(args) {
			continue
		}
		if _, err := many.ExecContext(t.ctx, args...); err != nil {
			return err
		}
		args = args[:0]
	}
	if left := len(args) / len(tab.columns); left > 0 {
		if _, err := t.exec(tab.insertion(left), args...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// insertion inserts a number of rows.
func (t table) insertion(rows int) string {
	one := "(" + strings.Repeat("?, ", len(t.columns)-1) + "?)"
	return "INSERT INTO " + quoted([]string{t.name}) + " (" + quoted(t.columnNames()) + ") VALUES " + strings.Repeat(one+", ", rows-1) + one
}

func (t *sqliteTarget) seal() error {
	if err := t.run("COMMIT"); err != nil {
		return err
	}
	if err := t.integrity(); err != nil {
		return err
	}
	lock := t.lock
	t.lock = nil
	err := t.sqlitePlace.close()
	t.lock = lock
	return errors.Join(err, syncFile(unfinished(t.file)))
}

func (t *sqliteTarget) finish() error { return rename(unfinished(t.file), t.file) }

func (t *sqliteTarget) abandon() error { return removeUnfinished(t.file) }

// rename gives a file its name, durably.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncFile(filepath.Dir(to))
}

// syncFile waits until a file, or the names in a folder, are on the disk.
func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
