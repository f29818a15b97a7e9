package store

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"sync"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
)

// Spread makes a store claim work merchant by merchant, as it does where the rows
// of merchants lie on several servers.
func Spread(s *Store) {
	if e, ok := s.engine.(*postgres); ok {
		e.citus = true
	}
}

// MarkStatements are the ones that prove a commit.
var MarkStatements = []string{putMark, askMark}

// Recorder keeps the text of every statement of the stores that it watches. It
// speaks to an embedded engine as if that locked rows, with the clauses as remarks.
type Recorder struct {
	// Holder is under which number the stores take work.
	Holder int64

	mu   sync.Mutex
	seen map[string]bool
}

// Statements are the texts that were run.
func (r *Recorder) Statements() map[string]bool { return r.seen }

func (r *Recorder) note(query string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.seen[query] = true
}

// Watch puts the recorder between a store that has not been used and its engine.
func (r *Recorder) Watch(s *Store, spread bool) { s.engine = watched{s.engine, r, spread} }

type watched struct {
	engine
	r     *Recorder
	apart bool
}

func (w watched) lock() (wait, skip string) {
	return " /* FOR UPDATE */", " /* FOR UPDATE SKIP LOCKED */"
}
func (w watched) spread() bool   { return w.apart }
func (w watched) joinable() bool { return false }

func (w watched) holder() int64 { return w.r.Holder }

// living: of all who took work, only this process is there.
func (w watched) living(context.Context) ([]int64, bool, error) { return nil, true, nil }

func (w watched) snapshot(ctx context.Context, fn func(executor) error) error {
	return w.engine.snapshot(ctx, func(ex executor) error { return fn(watchedReader{ex, w.r}) })
}

func (w watched) begin(writer int) (writeTx, error) {
	tx, err := w.engine.begin(writer)
	return watchedTx{tx, w.r}, err
}

func (w watched) read(ctx context.Context, fn func(executor) error) error {
	return w.engine.read(ctx, func(ex executor) error { return fn(watchedReader{ex, w.r}) })
}

type watchedReader struct {
	executor
	r *Recorder
}

func (w watchedReader) query(query string, args ...any) (rowSet, error) {
	w.r.note(query)
	return w.executor.query(query, args...)
}

type watchedTx struct {
	writeTx
	r *Recorder
}

func (w watchedTx) exec(query string, args ...any) (int64, error) {
	w.r.note(query)
	return w.writeTx.exec(query, args...)
}

func (w watchedTx) query(query string, args ...any) (rowSet, error) {
	w.r.note(query)
	return w.writeTx.query(query, args...)
}

func (w watchedTx) later(none error, query string, args ...any) error {
	w.r.note(query)
	return w.writeTx.later(none, query, args...)
}

func (w watchedTx) add(query string, args ...any) error {
	w.r.note(query)
	return w.writeTx.add(query, args...)
}

func (w watchedTx) many(questions []question, scan func(int, rowSet) error) error {
	for _, q := range questions {
		w.r.note(q.query)
	}
	return w.writeTx.many(questions, scan)
}

// AskEverything calls every method of a transaction and of a reader with every
// choice of empty and given texts, each in a function of its own. What the methods
// answer does not matter; what they ask is noted by a recorder.
func AskEverything(s *Store, now time.Time) {
	ctx := context.Background()
	for call := range calls(reflect.TypeFor[*Tx](), now) {
		_ = s.Write(ctx, func(tx *Tx) error {
			call(reflect.ValueOf(tx))
			return errors.New("nothing of this stays")
		})
	}
	for call := range calls(reflect.TypeFor[*Reader](), now) {
		_ = s.Read(ctx, func(r *Reader) error {
			call(reflect.ValueOf(r))
			return nil
		})
	}
}

// CompleteAgain takes away what rows got after they were written, so that a store
// on an embedded engine that is watched gives it to them again.
func CompleteAgain(s *Store) error {
	e := s.engine.(watched).engine.(*sqlite) //nolint:forcetypeassert // of a test
	for _, forget := range []string{
		`DELETE FROM books_state`, `UPDATE event SET hash = NULL`, `UPDATE transfer SET hash = NULL`, `UPDATE payment SET sum = NULL`,
		`UPDATE settlement_line SET sum = NULL`, `UPDATE event_log SET last_hash = NULL, last_transfer_hash = NULL`,
	} {
		if _, err := e.conn.ExecContext(context.Background(), forget); err != nil {
			return err
		}
	}
	return s.complete(context.Background())
}

// Unflushed makes the connection that writes to an embedded database forget its flushes.
func Unflushed(s *Store) error {
	_, err := s.engine.(*sqlite).conn.ExecContext(context.Background(), `PRAGMA synchronous = NORMAL`) //nolint:forcetypeassert // of a test
	return err
}

// calls are the calls of all methods of a type.
func calls(of reflect.Type, now time.Time) iter.Seq[func(reflect.Value)] {
	return func(yield func(func(reflect.Value)) bool) {
		for i := range of.NumMethod() {
			m := of.Method(i)
			for choice := range 1 << min(4, m.Type.NumIn()-1) {
				args := make([]reflect.Value, m.Type.NumIn()-1)
				for n := range args {
					args[n] = argument(m.Type.In(n+1), now, choice>>n&1 == 1)
				}
				if !yield(func(on reflect.Value) {
					on.Method(i).Call(args[:len(args):len(args)])
				}) {
					return
				}
			}
		}
	}
}

// argument is a value of a type; given says whether a text, a flag or a list is there.
func argument(of reflect.Type, now time.Time, given bool) reflect.Value {
	v := reflect.New(of).Elem()
	switch {
	case of == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(now))
	case of == reflect.TypeFor[bizday.Date]():
		v.Set(reflect.ValueOf(bizday.DateOf(now)))
	case of.Kind() == reflect.Pointer:
		v.Set(reflect.New(of.Elem()))
		v.Elem().Set(argument(of.Elem(), now, given))
	case v.CanInt():
		v.SetInt(5)
	case of.Kind() == reflect.Func:
		v.Set(reflect.MakeFunc(of, func([]reflect.Value) (out []reflect.Value) {
			for i := range of.NumOut() {
				out = append(out, reflect.Zero(of.Out(i)))
			}
			return out
		}))
	case !given:
	case of.Kind() == reflect.String:
		v.SetString("mrc_1")
	case of.Kind() == reflect.Bool:
		v.SetBool(true)
	case of.Kind() == reflect.Slice:
		v.Set(reflect.Append(v, argument(of.Elem(), now, given)))
	}
	return v
}
