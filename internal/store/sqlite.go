package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/pressly/goose/v3"
	moderncsqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/holdfast-pay/holdfast/internal/fault"
)

//go:embed migrations/sqlite/*.sql
var sqliteMigrations embed.FS

const (
	// readers is the number of read-only connections.
	readers = 4
	// checkpointPages is after how many pages of the log a commit brings them into
	// the database. That commit waits for the disk: with four times as many it
	// waited twice as long, and nothing was won.
	checkpointPages = 1000
	// leastSQLite is the first version without the WAL-reset corruption bug.
	leastSQLite = "3.51.3"
)

// sqlite is the embedded engine: one writing connection and a few readers.
type sqlite struct {
	writer *sql.DB
	reader *sql.DB
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt
	// careful says that the next transaction is one of functions that may fail.
	careful bool

	readMu    sync.RWMutex
	readStmts map[string]*sql.Stmt

	lockFile *os.File
}

// OpenSQLite opens, and if needed makes and migrates, the database in file. A
// second process on the same file is refused.
func OpenSQLite(ctx context.Context, file string, options ...Option) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return nil, fmt.Errorf("make the folder of the database: %w", err)
	}
	lockFile, err := lockOut(file)
	if err != nil {
		return nil, err
	}
	e := &sqlite{stmts: map[string]*sql.Stmt{}, readStmts: map[string]*sql.Stmt{}, lockFile: lockFile}
	if err = whole(file); err == nil {
		err = private(file)
	}
	if err == nil {
		err = e.open(ctx, file)
	}
	if err != nil {
		return nil, errors.Join(inWords(err, file), e.close())
	}
	return started(ctx, e, options...)
}

// inWords says which file is damaged and what to do. The driver's own words
// name neither.
func inWords(err error, file string) error {
	var se *moderncsqlite.Error
	if !errors.As(err, &se) {
		return err
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("the database %s is damaged or is no database: keep a copy of it and of %[1]s-wal, put the last good backup in its place, and start again (%w)", file, err)
	}
	return err
}

// lockOut takes an exclusive lock on the database in a file, so that two servers
// never share one, also when they know it by different names.
func lockOut(file string) (*os.File, error) {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	f, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the database %s is in use by another process: stop it first or use another file", file)
	}
	return f, nil
}

// private makes a new file that nobody else can read; SQLite gives the files
// beside it the same rights. One that is there stays as it is, and is not opened.
func private(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	return f.Close()
}

func (e *sqlite) open(ctx context.Context, file string) error {
	var err error
	if e.writer, err = sql.Open("sqlite", dsn(file, "_txlock=immediate", "_pragma=journal_mode(WAL)", fmt.Sprintf("_pragma=synchronous(%d)", synchronous()),
		"_pragma=busy_timeout(5000)", "_pragma=foreign_keys(ON)", fmt.Sprintf("_pragma=wal_autocheckpoint(%d)", checkpointPages), "_pragma=cache_size(-16000)",
		"_pragma=temp_store(MEMORY)")); err != nil {
		return err
	}
	e.writer.SetMaxOpenConns(1)
	if err := e.check(ctx); err != nil {
		return err
	}
	if m, err := readMark(onSQLite{ctx, e.writer}, sqliteHasTable); err != nil || m != nil {
		return errors.Join(err, m.refusal(file))
	}
	if err := migrate(ctx, goose.DialectSQLite3, e.writer, sqliteMigrations, "migrations/sqlite"); err != nil {
		return err
	}
	if e.reader, err = sql.Open("sqlite", dsn(file, "mode=ro", "_pragma=busy_timeout(5000)", "_pragma=query_only(ON)", "_pragma=cache_size(-4000)")); err != nil {
		return err
	}
	if err := e.freeLeases(ctx); err != nil {
		return err
	}
	e.reader.SetMaxOpenConns(readers)
	e.reader.SetMaxIdleConns(readers)
	e.conn, err = e.writer.Conn(ctx)
	return err
}

// freeLeases makes due again what the process before this one had taken and not
// brought to an end. The lock on the file says that it is gone.
func (e *sqlite) freeLeases(ctx context.Context) error {
	for _, w := range []owedWork{mailWork, webhookWork, orderWork} {
		if _, err := e.writer.ExecContext(ctx, "UPDATE "+w.table+" SET leased = 0, due_at = created_at WHERE "+w.open+" AND leased <> 0"); err != nil {
			return fmt.Errorf("free what a process before this one had taken: %w", err)
		}
	}
	return nil
}

// alone is the number of the one process on a file.
const alone = 1

func (e *sqlite) holder() int64 { return alone }

func (e *sqlite) living(context.Context) ([]int64, bool, error) { return nil, false, nil }

func dsn(file string, params ...string) string {
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + strings.Join(params, "&")
}

// SQLite's words for when the log is flushed: at each commit, or later.
const (
	syncNormal = 1
	syncFull   = 2
)

func synchronous() int {
	if fault.Planted(fault.LazySync) {
		return syncNormal
	}
	return syncFull
}

// check refuses a library with known corruption and settings that are not durable.
func (e *sqlite) check(ctx context.Context) error {
	var version, journal string
	var flushes int
	row := func(q string, dest any) error { return e.writer.QueryRowContext(ctx, q).Scan(dest) }
	for _, q := range []struct {
		query string
		dest  any
	}{{"SELECT sqlite_version()", &version}, {"PRAGMA journal_mode", &journal}, {"PRAGMA synchronous", &flushes}} {
		if err := row(q.query, q.dest); err != nil {
			return fmt.Errorf("open the database: %w", err)
		}
	}
	if olderVersion(version, leastSQLite) {
		return fmt.Errorf("SQLite %s can corrupt a WAL database; at least %s is needed", version, leastSQLite)
	}
	if !durable(journal, flushes) {
		return errors.New(notDurable(journal, flushes))
	}
	return nil
}

func durable(journal string, flushes int) bool { return journal == "wal" && flushes == synchronous() }

func notDurable(journal string, flushes int) string {
	return fmt.Sprintf("the database runs with journal_mode=%s synchronous=%d; wal and FULL (2) are needed", journal, flushes)
}

// unsafe asks the connection that writes, and where its file lies. The question is
// not cancelled: that would end a statement of the writer.
func (e *sqlite) unsafe(ctx context.Context) (out []string, err error) {
	var file, journal string
	var flushes int
	row := e.conn.QueryRowContext(context.WithoutCancel(ctx), `SELECT (SELECT file FROM pragma_database_list WHERE name = 'main'), (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous)`)
	if err := row.Scan(&file, &journal, &flushes); err != nil {
		return nil, fmt.Errorf("ask the database for its settings: %w", err)
	}
	if !durable(journal, flushes) {
		out = append(out, notDurable(journal, flushes))
	}
	kind, err := RemoteFilesystem(file)
	if kind != "" {
		out = append(out, "the data folder lies on "+kind)
	}
	return out, err
}

func olderVersion(have, want string) bool {
	var h, w [3]int
	_, _ = fmt.Sscanf(have, "%d.%d.%d", &h[0], &h[1], &h[2])
	_, _ = fmt.Sscanf(want, "%d.%d.%d", &w[0], &w[1], &w[2])
	for i := range h {
		if h[i] != w[i] {
			return h[i] < w[i]
		}
	}
	return false
}

// sqliteTx is the writing connection inside a transaction.
//
// A savepoint per function costs a copy of every page that the function changes
// first, so that a group runs without them: a function that fails before it has
// changed a row leaves nothing behind, and one that fails later ends the
// transaction. The group is then run again, carefully: each function behind a
// savepoint from its first change on, so that those that fail take nobody with them.
type sqliteTx struct {
	e       *sqlite
	careful bool
	inside  bool // a function is running
	guarded bool // and has its savepoint
	wrote   bool // it has changed rows
	broken  bool // the database failed in a way after which nothing is certain
	// rows are insertions into one table that have not been made yet. They are made
	// before anything else is asked or changed. Functions run carefully have none.
	rows []statement
}

func (e *sqlite) writers() int   { return 1 }
func (e *sqlite) joinable() bool { return true }

func (e *sqlite) begin(int) (writeTx, error) {
	t := &sqliteTx{e: e, careful: e.careful}
	e.careful = false
	return t, t.only("BEGIN IMMEDIATE")
}

// stmt prepares a statement once; the number of different statements is that
// of the source code, and for insertions that of the powers of two up to maxJoined
// besides.
func (e *sqlite) stmt(query string) (*sql.Stmt, error) {
	if st := e.stmts[query]; st != nil {
		return st, nil
	}
	st, err := e.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	e.stmts[query] = st
	return st, nil
}

func (t *sqliteTx) exec(query string, args ...any) (int64, error) {
	if err := t.ready(); err != nil {
		return 0, err
	}
	n, err := t.run(query, args...)
	t.wrote = t.wrote || n > 0
	return n, err
}

// ready makes what waits and sees to it that what follows can be undone.
func (t *sqliteTx) ready() error {
	if err := t.flush(); err != nil {
		return err
	}
	if !t.careful || !t.inside || t.guarded {
		return nil
	}
	t.guarded = true
	return t.only("SAVEPOINT one")
}

// run runs a statement. One that is refused leaves the transaction as it was;
// after a failure of the disk or of memory it may be gone.
func (t *sqliteTx) run(query string, args ...any) (int64, error) {
	st, err := t.e.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := st.Exec(args...)
	if err != nil {
		t.broken = t.broken || errors.Is(t.e.classify(err), ErrUnavailable)
		return 0, err
	}
	return res.RowsAffected()
}

func (t *sqliteTx) later(none error, query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		return none
	}
	return err
}

func (t *sqliteTx) add(query string, args ...any) error {
	if t.careful {
		return t.later(nil, query, args...)
	}
	if len(t.rows) > 0 && t.rows[0].query != query {
		if err := t.flush(); err != nil {
			return err
		}
	}
	t.rows = append(t.rows, statement{query: query, args: args, rows: 1})
	return nil
}

// flush inserts the rows that wait. When one of them is refused between functions,
// nobody can say whose it is: the group is run again carefully.
func (t *sqliteTx) flush() error {
	if len(t.rows) == 0 {
		return nil
	}
	rows := joined(t.rows)
	t.rows = nil
	for _, st := range rows {
		_, err := t.run(st.query, st.args...)
		if err != nil && !t.inside {
			return t.again(err)
		}
		if err != nil {
			return err
		}
		t.wrote = true
	}
	return nil
}

// again has the group run once more, carefully.
func (t *sqliteTx) again(cause error) error {
	t.e.careful = true
	return &lost{cause: cause, again: true, culprit: noCulprit}
}

func (t *sqliteTx) query(query string, args ...any) (rowSet, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	if !onlyReads(query) {
		if err := t.ready(); err != nil {
			return nil, err
		}
		t.wrote = true
	}
	st, err := t.e.stmt(query)
	if err != nil {
		return nil, err
	}
	return st.Query(args...)
}

func (t *sqliteTx) many(questions []question, scan func(int, rowSet) error) error {
	for i, q := range questions {
		rows, err := t.query(q.query, q.args...)
		if err != nil {
			return err
		}
		for err == nil && rows.Next() {
			err = scan(i, rows)
		}
		if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (t *sqliteTx) only(query string) error { _, err := t.run(query); return err }

// hold: there is one writer.
func (t *sqliteTx) hold(string) error  { return nil }
func (t *sqliteTx) share(string) error { return nil }
func (t *sqliteTx) blame(int)          {}
func (t *sqliteTx) enter(int)          { t.inside, t.guarded, t.wrote = true, false, false }

func (t *sqliteTx) leave() error {
	if err := t.flush(); err != nil {
		return err
	}
	if t.guarded {
		if err := t.only("RELEASE one"); err != nil {
			return err
		}
	}
	t.inside, t.guarded = false, false
	return nil
}

func (t *sqliteTx) undo() error {
	t.inside, t.rows = false, nil
	switch {
	case t.broken:
		return &lost{culprit: noCulprit}
	case t.guarded:
		t.guarded = false
		if err := errors.Join(t.only("ROLLBACK TO one"), t.only("RELEASE one")); err != nil {
			return &lost{cause: err, culprit: noCulprit}
		}
	case t.wrote:
		return t.again(nil)
	}
	return nil
}

func (t *sqliteTx) commit() error {
	if err := t.flush(); err != nil {
		return err
	}
	return t.only("COMMIT")
}

func (t *sqliteTx) rollback() error { return t.only("ROLLBACK") }

// sqliteRead runs statements on one of the read-only connections.
type sqliteRead struct {
	ctx context.Context
	e   *sqlite
}

func (e *sqlite) read(ctx context.Context, fn func(executor) error) error {
	return fn(sqliteRead{ctx, e})
}

// sqliteSnapshot runs statements inside a transaction that only reads.
type sqliteSnapshot struct {
	ctx context.Context
	e   *sqlite
	tx  *sql.Tx
	// fresh are statements that are not prepared. That takes a connection, for which
	// nobody waits who has one.
	fresh map[string]bool
}

func (e *sqlite) snapshot(ctx context.Context, fn func(executor) error) error {
	tx, err := e.reader.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	r := sqliteSnapshot{ctx, e, tx, map[string]bool{}}
	err = fn(r)
	if end := tx.Rollback(); !errors.Is(end, sql.ErrTxDone) { // else the context has ended it
		err = errors.Join(err, end)
	}
	for query := range r.fresh {
		if _, next := e.readStmt(query); next != nil && err == nil {
			err = next
		}
	}
	return err
}

func (r sqliteSnapshot) exec(string, ...any) (int64, error) { return sqliteRead{}.exec("") }

func (r sqliteSnapshot) query(query string, args ...any) (rowSet, error) {
	if st := r.e.preparedRead(query); st != nil {
		return r.tx.StmtContext(r.ctx, st).QueryContext(r.ctx, args...)
	}
	r.fresh[query] = true
	return r.tx.QueryContext(r.ctx, query, args...)
}

func (r sqliteRead) exec(string, ...any) (int64, error) {
	return 0, errors.New("store: a reader does not write")
}

func (r sqliteRead) query(query string, args ...any) (rowSet, error) {
	st, err := r.e.readStmt(query)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return r.e.reader.QueryContext(r.ctx, query, args...)
	}
	return st.QueryContext(r.ctx, args...)
}

// maxReadStmts bounds the prepared statements of readers. Lists of payments have
// thousands of texts, one per combination of filters and orders.
const maxReadStmts = 500

// preparedRead is a statement that has been prepared, or nil.
func (e *sqlite) preparedRead(query string) *sql.Stmt {
	e.readMu.RLock()
	defer e.readMu.RUnlock()
	return e.readStmts[query]
}

// readStmt prepares a statement once; nil once there are too many of them.
func (e *sqlite) readStmt(query string) (*sql.Stmt, error) {
	if st := e.preparedRead(query); st != nil {
		return st, nil
	}
	e.readMu.Lock()
	defer e.readMu.Unlock()
	if st := e.readStmts[query]; st != nil {
		return st, nil
	}
	if len(e.readStmts) >= maxReadStmts {
		return nil, nil
	}
	st, err := e.reader.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	e.readStmts[query] = st
	return st, nil
}

func (e *sqlite) lock() (wait, skip string) { return "", "" }
func (e *sqlite) spread() bool              { return false }

func (e *sqlite) classify(err error) error {
	var se *moderncsqlite.Error
	if err == nil || !errors.As(err, &se) {
		return err
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT:
		if se.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
			return fmt.Errorf("%w (%w)", ErrExists, err)
		}
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL:
		// Nothing follows from what a failing disk says: whoever asked tries again.
		return fmt.Errorf("%w (%w)", ErrUnavailable, err)
	}
	return err
}

func (e *sqlite) close() error {
	var errs []error
	for _, st := range e.stmts {
		errs = append(errs, st.Close())
	}
	for _, st := range e.readStmts {
		errs = append(errs, st.Close())
	}
	if e.reader != nil {
		errs = append(errs, e.reader.Close())
	}
	if e.conn != nil {
		errs = append(errs, e.conn.Close())
	}
	if e.writer != nil {
		errs = append(errs, e.writer.Close())
	}
	if e.lockFile != nil {
		errs = append(errs, e.lockFile.Close())
	}
	return errors.Join(errs...)
}
