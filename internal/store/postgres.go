package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io"
	"math"
	mathrand "math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/postgres/*.sql
var postgresMigrations embed.FS

const (
	// postgresWriters is how many groups run at once: while one waits for its
	// commit, the other works. More only quarrel about the same cores.
	postgresWriters = 2
	// postgresReaders is the number of reading connections, unless the connection
	// string says pool_max_conns.
	postgresReaders = 8
	// leastPostgres is the first version that is tested (server_version_num).
	leastPostgres = 150000
	// hostLimit bounds the connection to one host, unless the connection string
	// says connect_timeout; connectLimit bounds the search through all hosts.
	hostLimit    = 2 * time.Second
	connectLimit = 10 * time.Second
	// markLife is how long the mark of a connection that writes no more is kept.
	markLife = "30 days"
	// readTries bounds how often a query is asked whose connection was gone.
	readTries = 3
)

// sessionSettings bound what a connection can do to others: a statement that
// does not end, a lock that does not come, and a node that sleeps in the middle
// of a transaction. None of them cuts a commit that waits for a standby.
const sessionSettings = `SET statement_timeout = '30s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s'`

// PostgresOptions say what is asked of the database.
type PostgresOptions struct {
	// Live refuses a server whose settings can lose what it has acknowledged.
	Live bool
	// Warn is told of such settings when they are not refused; may be nil.
	Warn func(setting string)
	// Answer bounds how long the server may leave a question without an answer;
	// 30 s when zero. After that its connection counts as lost, although it stands.
	Answer time.Duration
	// Patience bounds how long a lost answer to a commit is asked for; 20 s when zero.
	Patience time.Duration
}

// answerLimit is the Answer of options that do not say.
const answerLimit = 30 * time.Second

// postgres is a database server, or several of which one takes writes.
type postgres struct {
	options  PostgresOptions
	config   *pgx.ConnConfig // of the writers
	sessions [postgresWriters]*pgWriter
	pool     *pgxpool.Pool
	citus    bool  // the database has the extension that spreads tables over servers
	number   int32 // of this process among the holders of leases
}

// OpenPostgres opens, and if needed migrates, a PostgreSQL database of version 15
// or newer. dsn is a connection string or URL, which may name several hosts: the
// one that takes writes is used (target_session_attrs=read-write).
func OpenPostgres(ctx context.Context, dsn string, o PostgresOptions) (*Store, error) {
	pool, err := postgresConfig(dsn)
	if err != nil {
		return nil, err
	}
	o.Answer, o.Patience = cmp.Or(o.Answer, answerLimit), cmp.Or(o.Patience, outcomeLimit)
	e := &postgres{options: o, config: pool.ConnConfig.Copy(), number: 1 + mathrand.Int32N(math.MaxInt32)}
	for i := range e.sessions {
		e.sessions[i] = &pgWriter{e: e, name: rand.Text()}
	}
	if err := e.open(ctx, pool); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return started(ctx, e)
}

// errUnreadable takes the place of the driver's error, which repeats the string.
var errUnreadable = errors.New("the connection string of the database cannot be read; it looks like postgres://user:password@host1,host2/name")

// postgresConfig reads a connection string and adds what it does not say.
func postgresConfig(dsn string) (*pgxpool.Config, error) {
	c, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errUnreadable
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		c.MaxConns = postgresReaders
	}
	conn := c.ConnConfig
	if conn.ValidateConnect == nil {
		conn.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = hostLimit
	}
	if _, said := conn.RuntimeParams["application_name"]; !said {
		conn.RuntimeParams["application_name"] = "holdfast"
	}
	conn.DialFunc = dialer(conn.ConnectTimeout).DialContext
	c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sessionSettings+`; SET default_transaction_read_only = on`, pgx.QueryExecModeSimpleProtocol)
		return err
	}
	return c, nil
}

func (e *postgres) open(ctx context.Context, pool *pgxpool.Config) error {
	ctx, cancel := context.WithTimeout(ctx, migrateLimit)
	defer cancel()
	conn, err := e.connect(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // it has done its work
	unsafe, err := e.check(ctx, conn)
	if err != nil {
		return err
	}
	for _, u := range unsafe {
		if e.options.Warn != nil {
			e.options.Warn(u)
		}
	}
	m, err := readMark(&pgPlace{ctx: ctx, e: e, conn: conn}, pgHasTable)
	if err != nil || m != nil {
		return errors.Join(e.classify(err), m.refusal(serverName(e.config)))
	}
	if err := e.migrate(ctx); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `DELETE FROM commit_mark WHERE at < now() - $1::interval`, markLife); err != nil {
		return fmt.Errorf("forget old connections: %w", e.classify(err))
	}
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')`).Scan(&e.citus); err != nil {
		return fmt.Errorf("ask the database for its extensions: %w", err)
	}
	e.pool, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), pool)
	return err
}

// migrateLimit bounds the opening of a database, with the wait for another
// node that migrates it.
const migrateLimit = 5 * time.Minute

func (e *postgres) migrate(ctx context.Context) error {
	db := stdlib.OpenDB(*e.config)
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, uint64(migrateLimit/time.Second)))
	if err == nil {
		err = migrate(ctx, goose.DialectPostgres, db, postgresMigrations, "migrations/postgres", goose.WithSessionLocker(locker))
	}
	return errors.Join(err, db.Close())
}

// unsafe asks on a new connection, as the writers' next ones would be made.
func (e *postgres) unsafe(ctx context.Context) ([]string, error) {
	conn, err := e.connect(ctx, nil)
	var no notSafe
	if errors.As(err, &no) {
		return no, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }() // the answer is here
	return e.check(ctx, conn)
}

// check refuses a server that is too old or speaks another encoding, and, live,
// one that can lose what it has acknowledged. It returns what is unsafe.
func (e *postgres) check(ctx context.Context, conn *pgx.Conn) (unsafe []string, err error) {
	var version int
	var encoding, fsync, commit, pages, checksums, standbys string
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_setting('fsync'),
		current_setting('synchronous_commit'), current_setting('full_page_writes'), current_setting('data_checksums'), current_setting('synchronous_standby_names')`).
		Scan(&version, &encoding, &fsync, &commit, &pages, &checksums, &standbys)
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask the database for its settings: %w", err)
	case version < leastPostgres:
		return nil, fmt.Errorf("PostgreSQL %d is too old; version %d or newer is needed", version/10000, leastPostgres/10000)
	case encoding != "UTF8":
		return nil, fmt.Errorf("the database has the encoding %s; UTF8 is needed", encoding)
	}
	unsafe = unsafeSettings(fsync, commit, pages, checksums, standbys)
	if e.options.Live && len(unsafe) > 0 {
		return unsafe, notSafe(unsafe)
	}
	return unsafe, nil
}

// notSafe are the reasons for which a server is refused with live money.
type notSafe []string

// Error lists them.
func (n notSafe) Error() string {
	return "the database is not safe for live money: " + strings.Join(n, "; ")
}

func unsafeSettings(fsync, commit, pages, checksums, standbys string) (out []string) {
	say := func(bad bool, why string) {
		if bad {
			out = append(out, why)
		}
	}
	say(fsync != "on", "fsync is off: a crash of the machine can destroy the database")
	say(commit == "off", "synchronous_commit is off: a crash loses acknowledged payments")
	say(standbys != "" && (commit == "local" || commit == "remote_write"),
		"synchronous_commit is "+commit+": a failover loses acknowledged payments; set on or remote_apply")
	say(pages != "on", "full_page_writes is off: a power cut can tear pages")
	say(checksums != "on", "data checksums are off: a damaged page is not noticed (initdb -k, pg_checksums --enable)")
	return out
}

// holding is the class of the locks by which living processes are known: each
// connection that writes shares the lock of its process's number, and the server
// lets it go when the connection ends, however that happens.
const holding = 1_212_959_812

func (e *postgres) alive() string {
	return fmt.Sprintf(`; SELECT pg_advisory_lock_shared(%d, %d)`, holding, e.number)
}

func (e *postgres) holder() int64 { return int64(e.number) }

func (e *postgres) living(ctx context.Context) (holders []int64, _ bool, err error) {
	err = e.read(ctx, func(ex executor) (err error) {
		holders, err = all(&queries{ex: ex, classify: e.classify}, scalar[int64], `SELECT DISTINCT objid::bigint FROM pg_locks
			WHERE locktype = 'advisory' AND classid = $1 AND objsubid = 2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, int64(holding))
		return err
	})
	return holders, true, err
}

func (e *postgres) writers() int                 { return len(e.sessions) }
func (e *postgres) joinable() bool               { return false }
func (e *postgres) lock() (wait, skip string)    { return " FOR UPDATE", " FOR UPDATE SKIP LOCKED" }
func (e *postgres) spread() bool                 { return e.citus }
func (e *postgres) begin(n int) (writeTx, error) { return e.sessions[n].begin() }

// pgRead runs statements on connections that only read.
type pgRead struct {
	ctx context.Context
	e   *postgres
}

func (e *postgres) read(ctx context.Context, fn func(executor) error) error {
	return fn(pgRead{ctx, e})
}

func (r pgRead) exec(string, ...any) (int64, error) {
	return 0, errors.New("store: a reader does not write")
}

// query asks again when its connection turns out to be gone.
func (r pgRead) query(query string, args ...any) (rowSet, error) {
	ctx, cancel := context.WithTimeout(r.ctx, r.e.options.Answer)
	for try := 1; ; try++ {
		rows, err := r.e.pool.Query(ctx, query, args...)
		if err == nil {
			return pgRows{rows, func(err error) error {
				defer cancel()
				return r.waited(ctx, err)
			}}, nil
		}
		rows.Close()
		if try >= readTries || ctx.Err() != nil || !connectionLost(err) {
			defer cancel()
			return nil, r.waited(ctx, err)
		}
	}
}

// waited tells a server that did not answer in time from a caller that has gone.
func (r pgRead) waited(ctx context.Context, err error) error {
	var refused *pgconn.ConnectError
	switch {
	case err == nil || r.ctx.Err() != nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("%w: the database did not answer within %s (%w)", ErrUnavailable, r.e.options.Answer, err)
	case errors.As(err, &refused): // also by its own limit, the connect_timeout of the connection string
		return fmt.Errorf("%w (%w)", ErrUnavailable, err)
	}
	return err
}

// pgSnapshot is a reading connection inside a transaction. Each of its questions
// is answered in time, or its connection counts as lost and is not used again.
type pgSnapshot struct {
	pgRead
	tx pgx.Tx
}

// rollbackLimit bounds the end of a transaction that has only read.
const rollbackLimit = 2 * time.Second

func (e *postgres) snapshot(ctx context.Context, fn func(executor) error) error {
	r := pgSnapshot{pgRead: pgRead{ctx, e}}
	begin, cancel := context.WithTimeout(ctx, e.options.Answer)
	defer cancel()
	var err error
	if r.tx, err = e.pool.BeginTx(begin, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}); err != nil {
		return r.waited(begin, err)
	}
	err = fn(r)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackLimit)
	defer cancel()
	return errors.Join(err, r.waited(end, r.tx.Rollback(end)))
}

func (r pgSnapshot) query(query string, args ...any) (rowSet, error) {
	ctx, cancel := context.WithTimeout(r.ctx, r.e.options.Answer)
	rows, err := r.tx.Query(ctx, query, args...)
	if err != nil {
		defer cancel()
		rows.Close()
		return nil, r.waited(ctx, err)
	}
	return pgRows{rows, func(err error) error {
		defer cancel()
		return r.waited(ctx, err)
	}}, nil
}

// pgRows gives pgx's rows the shape of the store's; done ends what they came with.
type pgRows struct {
	pgx.Rows
	done func(error) error
}

func (r pgRows) Close() error {
	r.Rows.Close()
	if r.done != nil {
		return r.done(r.Err())
	}
	return nil
}

// SQLSTATE codes and classes that are told apart.
const (
	codeUnique        = "23505"
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeLockTimeout   = "55P03"
	codeReadOnly      = "25006"
	codeBadText       = "22021"
	classConnection   = "08"
	classResources    = "53" // disk full, out of memory, too many connections
	classIntervention = "57" // shutting down, starting, cancelled
	classSystem       = "58" // a file could not be read or written
)

func (e *postgres) classify(err error) error {
	if err == nil || isOurs(err) {
		return err
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		if connectionLost(err) {
			return fmt.Errorf("%w (%w)", ErrUnavailable, err)
		}
		return err
	}
	switch pg.Code {
	case codeUnique:
		return fmt.Errorf("%w (%w)", ErrExists, err)
	case codeBadText:
		return fmt.Errorf("%w (%w)", ErrText, err)
	case codeSerialization, codeDeadlock, codeLockTimeout, codeReadOnly:
		return fmt.Errorf("%w (%w)", ErrUnavailable, err)
	}
	switch pg.Code[:min(2, len(pg.Code))] {
	case classConnection, classResources, classIntervention, classSystem:
		return fmt.Errorf("%w (%w)", ErrUnavailable, err)
	}
	return err
}

// isOurs reports whether an error has been classified.
func isOurs(err error) bool {
	for _, known := range []error{ErrNotFound, ErrExists, ErrStale, ErrOvertaken, ErrLeased, ErrFenced, ErrClosed, ErrUnavailable, ErrUnknown, ErrText} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// connectionLost reports whether an error means that the server did not answer,
// and not that it said no.
func connectionLost(err error) bool {
	var refused *pgconn.ConnectError
	var network net.Error
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false // the caller's own
	}
	return errors.As(err, &refused) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}

func (e *postgres) close() error {
	for _, w := range e.sessions {
		w.drop()
	}
	if e.pool != nil {
		e.pool.Close()
	}
	return nil
}
