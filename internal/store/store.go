// Package store keeps everything Holdfast knows, and is the only place with SQL.
//
// # Writing
//
// Write runs a function in a transaction and returns once its effects are
// durable. A node gathers the functions that are waiting, runs them one after
// the other in one transaction, and acknowledges each after the commit (group
// commit): one client alone waits for nobody, many clients share one flush. A
// function that fails takes none of its neighbours with it. A commit that fails
// fails all of them, and then nothing happened; a commit of which nobody can say
// whether it happened is ErrUnknown.
//
// A function once begun runs to its end, whatever becomes of its caller's
// context, because a money transaction must not be cut by a client hanging up.
//
// A function may run more than once before Write returns, each time on a fresh
// transaction in which nothing of the earlier run remains: it must set, not add
// to, what it shares with its caller. A write may report its failure from Write
// instead of from the call that made it, so a function ends with the first error
// it meets and draws no conclusion from a write that gave none.
//
// # Reading
//
// Read runs on read-only connections of its own and sees what is committed.
//
// # Engines
//
// The queries are plain SQL with $n placeholders over the executor interface;
// an engine is a schema, an opener and the classification of its errors. Both
// engines give the same answers; what differs is in sqlite.go and postgres*.go.
package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Errors that callers tell apart.
var (
	// ErrNotFound: no such row.
	ErrNotFound = errors.New("store: not found")
	// ErrExists: a unique key is taken.
	ErrExists = errors.New("store: exists")
	// ErrStale: the row changed since it was read.
	ErrStale = errors.New("store: changed since it was read")
	// ErrOvertaken: the work was taken by another since, or is at its end. What is
	// brought now comes too late.
	ErrOvertaken = errors.New("store: the work was taken by another since")
	// ErrLeased: another one has the lease.
	ErrLeased = errors.New("store: another one has the lease")
	// ErrClosed: the store is shutting down.
	ErrClosed = errors.New("store: closed")
	// ErrText: a text is not UTF-8 or has a NUL, which not every engine keeps.
	// Edges refuse such texts by name; this is the last door.
	ErrText = errors.New("store: a text is not UTF-8 or has a NUL")
	// ErrNewer: the schema was made by a newer program.
	ErrNewer = errors.New("the database belongs to a newer Holdfast")
	// ErrUnavailable: the disk is full, the file is locked by another process,
	// or the database does not answer. Nothing was written.
	ErrUnavailable = errors.New("store: unavailable")
	// ErrUnknown: the connection was lost during the commit, or the commit is not
	// known to be on the standby, and the database could not be asked since. The
	// write may have been done; it must be looked up before it is repeated.
	ErrUnknown = errors.New("store: it is not known whether the write was done")
)

const (
	// maxBatch bounds how many functions share one commit.
	maxBatch = 256
	// maxWaiting bounds how many functions may wait; more are refused at once.
	maxWaiting = 4096
	// maxTries bounds how often a group whose transaction was rolled back by the
	// database (deadlock, lost connection) is run again.
	maxTries = 5
)

// Store is one open database.
type Store struct {
	engine  engine
	jobs    chan *job
	quit    chan struct{}
	done    chan struct{}
	closing sync.Once
	stats   Stats
	bells   bells
	statsMu sync.Mutex
}

// Stats counts what the writers have done.
type Stats struct {
	// Writers is how many groups of functions may run at once.
	Writers int
	// Waiting is how many functions wait for their turn at this moment.
	Waiting   int
	Commits   int64
	Functions int64
	Failed    int64
	// Again counts groups that were run again: after the database rolled them back,
	// or on SQLite because one of their functions failed after it had changed rows.
	Again int64
	// CommitTime is the sum of the time spent in commits.
	CommitTime time.Duration
}

// engine is what differs between databases.
type engine interface {
	// writers is how many groups of functions run at once.
	writers() int
	// joinable says that functions may join a group whose transaction has begun.
	joinable() bool
	// begin starts the transaction of a group on one of the writers' connections.
	begin(writer int) (writeTx, error)
	// read runs fn on a read-only connection.
	read(ctx context.Context, fn func(executor) error) error
	// snapshot runs fn on a read-only connection that shows one state throughout.
	snapshot(ctx context.Context, fn func(executor) error) error
	// classify turns a driver's error into one of the errors above where it is one.
	classify(err error) error
	// lock is the clause that locks the rows of a query until the end of the
	// transaction; skip is the same for rows that nobody else has locked. Both are
	// empty where the whole database is locked.
	lock() (wait, skip string)
	// spread says that the rows of merchants lie on several servers.
	spread() bool
	// unsafe asks which settings can lose what was acknowledged, as they are now.
	unsafe(ctx context.Context) ([]string, error)
	// holder is the number under which this process takes work. living are the
	// numbers of all processes that live; known is false where one process alone
	// can have the database.
	holder() int64
	living(ctx context.Context) (holders []int64, known bool, err error)
	// pulse is how the engine is asked for a Pulse.
	pulse() pulse
	close() error
}

// writeTx is the open transaction of a group.
type writeTx interface {
	executor
	// later runs a statement whose outcome the function does not wait for. A
	// statement that touches no row fails with none, unless that is nil.
	later(none error, query string, args ...any) error
	// add inserts a row that nothing else in the group reads or changes except by
	// statements that come later. Rows of one statement may be inserted together.
	add(query string, args ...any) error
	// many asks several questions in one journey and scans every row of every answer.
	many(questions []question, scan func(question int, rows rowSet) error) error
	// hold takes the lock of a name until the end of the transaction; share takes
	// it together with others who share it.
	hold(name string) error
	share(name string) error
	// enter begins a function of the group; its statements are its own until leave
	// or undo. leave ends a function that succeeded, undo one that failed: nothing
	// of it remains. A *lost error means that the transaction cannot go on; one
	// without a cause is the function's own.
	enter(function int)
	leave() error
	undo() error
	// blame says to which function the statements that follow between functions belong.
	blame(function int)
	// commit makes all durable. Its error is a *lost.
	commit() error
	rollback() error
}

// lost says why a transaction came to nothing, and what helps.
type lost struct {
	cause error
	// again: the same functions may succeed in a new transaction, apart only with
	// fewer locks at once.
	again, apart bool
	// culprit is the function whose statement failed; the others can go on
	// without it. noCulprit means that none is known.
	culprit int
}

const noCulprit = -1

func (l *lost) Error() string { return l.cause.Error() }
func (l *lost) Unwrap() error { return l.cause }

// question is a query with its arguments.
type question struct {
	query string
	args  []any
}

// executor runs statements. Both database/sql and pgx can stand behind it.
type executor interface {
	exec(query string, args ...any) (affected int64, err error)
	query(query string, args ...any) (rowSet, error)
}

// rowSet iterates over an answer.
type rowSet interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// start begins the writers of an opened engine.
func start(e engine, options ...Option) *Store {
	s := &Store{engine: e, jobs: make(chan *job, maxWaiting), quit: make(chan struct{}), done: make(chan struct{}), stats: Stats{Writers: e.writers()}}
	for _, o := range options {
		o(s)
	}
	var writers sync.WaitGroup
	for i := range e.writers() {
		writers.Go(func() { s.writer(i) })
	}
	go func() {
		writers.Wait()
		close(s.done)
	}()
	return s
}

// started is start for an opened database that may have older rows to complete.
func started(ctx context.Context, e engine, options ...Option) (*Store, error) {
	s := start(e, options...)
	if err := s.complete(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Hint is a row that a function will read or change.
type Hint struct {
	ref              Ref
	payment, decides bool
}

// OnPayment says that a function asks for a payment, which may not exist yet,
// and decides about it by its merchant's settings and the calendar.
func OnPayment(merchant, id string) Hint { return Hint{Ref{merchant, id}, true, true} }

// OnSettings says that a function decides something else by a merchant's
// settings and the calendar. name is as that of OnRow.
func OnSettings(merchant, name string) Hint { return Hint{Ref{merchant, name}, false, true} }

// OnRow says that a function changes another row of a merchant, by any name that
// is the same whenever the row is meant.
func OnRow(merchant, name string) Hint { return Hint{Ref{merchant, name}, false, false} }

// Write runs fn in a transaction. It returns after the commit, or with fn's own
// error, in which case nothing of fn remains. A caller whose context ends while
// fn is still waiting gets the context's error and fn never runs.
//
// hints say what fn is about. They change no answer; a database with several
// writers needs them to lock what it must in one order.
func (s *Store) Write(ctx context.Context, fn func(*Tx) error, hints ...Hint) error {
	j := &job{ctx: ctx, fn: fn, hints: hints, done: make(chan error, 1)}
	select {
	case <-s.quit:
		return ErrClosed
	default:
	}
	select {
	case s.jobs <- j:
	default:
		return fmt.Errorf("%w: %d writes are waiting", ErrUnavailable, maxWaiting)
	}
	select {
	case err := <-j.done:
		return err
	case <-s.done:
		select {
		case err := <-j.done:
			return err
		default:
			return ErrClosed
		}
	}
}

// Read runs fn on a read-only connection.
func (s *Store) Read(ctx context.Context, fn func(*Reader) error) error {
	err := s.engine.read(ctx, func(ex executor) error { return fn(&Reader{queries{ex: ex, classify: s.engine.classify}}) })
	return s.engine.classify(err)
}

// Snapshot is Read on one state of the database, whatever is committed meanwhile.
// It should be short: an old state is kept for as long as it lasts.
func (s *Store) Snapshot(ctx context.Context, fn func(*Reader) error) error {
	err := s.engine.snapshot(ctx, func(ex executor) error { return fn(&Reader{queries{ex: ex, classify: s.engine.classify}}) })
	return s.engine.classify(err)
}

// Unsafe asks the database for settings that are not safe for live money, and says
// what each can cost.
func (s *Store) Unsafe(ctx context.Context) ([]string, error) {
	reasons, err := s.engine.unsafe(ctx)
	return reasons, s.engine.classify(err)
}

// Stats returns the writers' counters.
func (s *Store) Stats() Stats {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	now := s.stats
	now.Waiting = len(s.jobs)
	return now
}

func (s *Store) count(fn func(*Stats)) {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	fn(&s.stats)
}

// Close ends the writers after what is waiting has been written, and closes the database.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() {
		close(s.quit)
		<-s.done
		err = s.engine.close()
	})
	return err
}

// Reader reads what is committed.
type Reader struct{ queries }

// queries are the statements that both a transaction and a reader can run.
type queries struct {
	ex         executor
	classify   func(error) error
	lock, skip string
	spread     bool
	holder     int64
}
