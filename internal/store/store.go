// Package store keeps everything Holdfast knows, and is the only place with SQL.
//
// # Writing
//
// Write runs a function in a transaction and returns once its effects are
// durable. A node gathers the functions that are waiting, runs them one after
// the other in one transaction, and acknowledges each after the commit (group
// commit): one client alone waits for nobody, many clients share one flush. A
// function that fails is rolled back to its own savepoint and takes none of its
// neighbours with it. A commit that fails fails all of them, and then nothing
// happened.
//
// A function once begun runs to its end, whatever becomes of its caller's
// context, because a money transaction must not be cut by a client hanging up.
//
// # Reading
//
// Read runs on read-only connections of its own and sees what is committed.
//
// # Engines
//
// The queries are plain SQL with $n placeholders over the executor interface;
// an engine is a schema, an opener and the classification of its errors.
package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	// ErrClosed: the store is shutting down.
	ErrClosed = errors.New("store: closed")
	// ErrText: a text is not UTF-8 or has a NUL, which not every engine keeps.
	// Edges refuse such texts by name; this is the last door.
	ErrText = errors.New("store: a text is not UTF-8 or has a NUL")
	// ErrUnavailable: the disk is full, the file is locked by another process,
	// or the database does not answer. Nothing was written.
	ErrUnavailable = errors.New("store: unavailable")
)

const (
	// maxBatch bounds how many functions share one commit.
	maxBatch = 256
	// maxWaiting bounds how many functions may wait; more are refused at once.
	maxWaiting = 4096
)

// Store is one open database.
type Store struct {
	engine  engine
	jobs    chan *job
	quit    chan struct{}
	done    chan struct{}
	closing sync.Once
	// positions belongs to the writer: the last position of each merchant's log.
	positions map[string]int64
	stats     Stats
	statsMu   sync.Mutex
}

// Stats counts what the writer has done.
type Stats struct {
	Commits   int64
	Functions int64
	Failed    int64
	// CommitTime is the sum of the time spent in commits.
	CommitTime time.Duration
}

// engine is what differs between databases.
type engine interface {
	// begin starts a write transaction.
	begin(ctx context.Context) (writeTx, error)
	// read runs fn on a read-only connection.
	read(ctx context.Context, fn func(executor) error) error
	// classify turns a driver's error into one of the errors above where it is one.
	classify(err error) error
	// lock is the row-lock clause of this engine, empty where the whole database is locked.
	lock() string
	close() error
}

// writeTx is an open write transaction.
type writeTx interface {
	executor
	savepoint() error
	release() error
	rollbackTo() error
	commit() error
	rollback() error
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

type job struct {
	ctx  context.Context
	fn   func(*Tx) error
	done chan error
}

// start begins the writer of an opened engine.
func start(e engine) *Store {
	s := &Store{engine: e, jobs: make(chan *job, maxWaiting), quit: make(chan struct{}), done: make(chan struct{}), positions: map[string]int64{}}
	go s.writer()
	return s
}

// Write runs fn in a transaction. It returns after the commit, or with fn's own
// error, in which case nothing of fn remains. A caller whose context ends while
// fn is still waiting gets the context's error and fn never runs.
func (s *Store) Write(ctx context.Context, fn func(*Tx) error) error {
	j := &job{ctx: ctx, fn: fn, done: make(chan error, 1)}
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

// Stats returns the writer's counters.
func (s *Store) Stats() Stats {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	return s.stats
}

// Close ends the writer after what is waiting has been written, and closes the database.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() {
		close(s.quit)
		<-s.done
		err = s.engine.close()
	})
	return err
}

// writer is the one goroutine that writes.
func (s *Store) writer() {
	defer close(s.done)
	for {
		select {
		case j := <-s.jobs:
			s.batch(j)
		case <-s.quit:
			s.drain()
			return
		}
	}
}

func (s *Store) drain() {
	for {
		select {
		case j := <-s.jobs:
			s.batch(j)
		default:
			return
		}
	}
}

// batch runs the first job and those waiting behind it in one transaction.
func (s *Store) batch(first *job) {
	tx, err := s.engine.begin(context.Background())
	if err != nil {
		first.done <- s.engine.classify(err)
		return
	}
	var ran []*job
	failed := int64(0)
	for j := first; j != nil; j = s.waiting(len(ran)) {
		if err := j.ctx.Err(); err != nil {
			j.done <- err
			continue
		}
		err := s.run(tx, j)
		if err != nil && !isRollbackFailure(err) {
			failed++
			j.done <- err
			continue
		}
		ran = append(ran, j)
		if err != nil {
			s.abandon(tx, ran, err)
			return
		}
	}
	s.finish(tx, ran, failed)
}

func (s *Store) finish(tx writeTx, ran []*job, failed int64) {
	if len(ran) == 0 {
		_ = tx.rollback() // nothing was written
		return
	}
	began := time.Now() //nolint:forbidigo // a duration for metrics, not a business instant
	err := tx.commit()
	took := time.Since(began) //nolint:forbidigo // as above
	if err != nil {
		s.abandon(tx, ran, err)
		return
	}
	s.statsMu.Lock()
	s.stats.Commits++
	s.stats.Functions += int64(len(ran))
	s.stats.Failed += failed
	s.stats.CommitTime += took
	s.statsMu.Unlock()
	for _, j := range ran {
		j.done <- nil
	}
}

// abandon gives the whole batch up: the transaction is not to be trusted.
func (s *Store) abandon(tx writeTx, ran []*job, cause error) {
	_ = tx.rollback() // the cause is what is reported
	clear(s.positions)
	err := s.engine.classify(cause)
	for _, j := range ran {
		j.done <- err
	}
}

func (s *Store) waiting(have int) *job {
	if have >= maxBatch {
		return nil
	}
	select {
	case j := <-s.jobs:
		return j
	default:
		return nil
	}
}

// rollbackFailure says that a savepoint could not be undone, so that the whole
// transaction has to go.
type rollbackFailure struct{ error }

func isRollbackFailure(err error) bool {
	var rf rollbackFailure
	return errors.As(err, &rf)
}

// run runs one job behind a savepoint that is made at its first write.
func (s *Store) run(tx writeTx, j *job) (err error) {
	t := &Tx{queries: queries{classify: s.engine.classify, lock: s.engine.lock()}, positions: s.positions}
	lazy := &lazySavepoint{tx: tx}
	t.ex = lazy
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: a write panicked: %v", p)
		}
		if err != nil {
			clear(s.positions)
		}
		if !lazy.made {
			return
		}
		if err == nil {
			if err = tx.release(); err == nil {
				return
			}
		}
		if back := tx.rollbackTo(); back != nil {
			err = rollbackFailure{errors.Join(err, back)}
		}
	}()
	if err := j.fn(t); err != nil {
		return s.engine.classify(err)
	}
	return nil
}

// lazySavepoint makes the savepoint when the first statement writes, so that a
// refusal, which only reads, costs none. A query that writes says RETURNING.
type lazySavepoint struct {
	tx   writeTx
	made bool
}

func (l *lazySavepoint) exec(query string, args ...any) (int64, error) {
	if err := l.make(); err != nil {
		return 0, err
	}
	return l.tx.exec(query, args...)
}

func (l *lazySavepoint) query(query string, args ...any) (rowSet, error) {
	if strings.Contains(query, " RETURNING ") {
		if err := l.make(); err != nil {
			return nil, err
		}
	}
	return l.tx.query(query, args...)
}

func (l *lazySavepoint) make() error {
	if l.made {
		return nil
	}
	err := l.tx.savepoint()
	l.made = err == nil
	return err
}

// Tx writes and reads inside a transaction.
type Tx struct {
	queries
	positions map[string]int64 // last position of each merchant's event log
}

// Reader reads what is committed.
type Reader struct{ queries }

// queries are the statements that both a transaction and a reader can run.
type queries struct {
	ex       executor
	classify func(error) error
	lock     string
}
