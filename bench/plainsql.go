package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"

	"github.com/holdfast-pay/holdfast/internal/store"
)

// plain writes the rows of a template with prepared statements over one
// connection to a database of its own, with the settings of the store. It reads
// nothing, checks nothing and composes nothing: it is the limit.
type plain struct {
	t        *template
	db       *sql.DB
	conn     *sql.Conn
	stmts    map[string]*sql.Stmt
	position int64

	mu   sync.Mutex
	jobs chan job // nil: a transaction per step
	done chan struct{}
}

type job struct {
	fn     func() error
	answer chan error
}

// groupMax bounds how many steps share a commit, as in the store.
const groupMax = 256

// openPlain makes a database with the real schema in a folder.
func openPlain(ctx context.Context, dir string, t *template, grouped bool) (*plain, error) {
	file := filepath.Join(dir, "holdfast.db")
	s, err := store.OpenSQLite(ctx, file) // makes the schema
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	p := &plain{t: t, stmts: map[string]*sql.Stmt{}, done: make(chan struct{})}
	if p.db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(1000)&_pragma=cache_size(-16000)"); err != nil {
		return nil, err
	}
	p.db.SetMaxOpenConns(1)
	if p.conn, err = p.db.Conn(ctx); err != nil {
		return nil, err
	}
	if grouped {
		p.jobs = make(chan job, groupMax)
		go p.gather()
	}
	return p, nil
}

func (p *plain) close() error {
	if p.jobs != nil {
		close(p.jobs)
		<-p.done
	}
	for _, st := range p.stmts {
		_ = st.Close()
	}
	_ = p.conn.Close()
	return p.db.Close()
}

func (p *plain) exec(query string, args ...any) error {
	st := p.stmts[query]
	if st == nil {
		var err error
		if st, err = p.conn.PrepareContext(context.Background(), query); err != nil {
			return err
		}
		p.stmts[query] = st
	}
	_, err := st.Exec(args...)
	return err
}

// apply writes the rows of one step of one life.
func (p *plain) apply(stepNo int, n int64) error {
	own := namesOf(n)
	for i := range p.t.steps[stepNo] {
		c := &p.t.steps[stepNo][i]
		args := make([]any, len(c.cells))
		for j := range c.cells {
			args[j] = c.cells[j].value(&own, &p.position)
		}
		if err := p.exec(c.query, args...); err != nil {
			return fmt.Errorf("%s: %w", c.table, err)
		}
	}
	return nil
}

// write makes one step durable.
func (p *plain) write(stepNo int, n int64) error {
	fn := func() error { return p.apply(stepNo, n) }
	if p.jobs != nil {
		j := job{fn, make(chan error, 1)}
		p.jobs <- j
		return <-j.answer
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, do := range []func() error{p.only("BEGIN IMMEDIATE"), fn, p.only("COMMIT")} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func (p *plain) only(query string) func() error { return func() error { return p.exec(query) } }

// gather commits what is waiting together, each step behind a savepoint.
func (p *plain) gather() {
	defer close(p.done)
	for first := range p.jobs {
		group := []job{first}
		err := p.exec("BEGIN IMMEDIATE")
		for i := 0; err == nil && i < len(group); i++ {
			for _, do := range []func() error{p.only("SAVEPOINT one"), group[i].fn, p.only("RELEASE one")} {
				if err = do(); err != nil {
					break
				}
			}
			if len(group) < groupMax {
				select {
				case next, open := <-p.jobs:
					if open {
						group = append(group, next)
					}
				default:
				}
			}
		}
		if err == nil {
			err = p.exec("COMMIT")
		}
		for _, j := range group {
			j.answer <- err
		}
	}
}

// replayed is a client of plain.
type replayed struct{ p *plain }

func (p *plain) enter() (world, error) { return replayed{p}, nil }

func (r replayed) account(_ context.Context, p *purchase) error { return r.p.write(0, p.n) }
func (r replayed) deposit(_ context.Context, p *purchase) error { return r.p.write(1, p.n) }
func (r replayed) deliver(_ context.Context, p *purchase) error { return r.p.write(2, p.n) }
func (r replayed) confirm(_ context.Context, p *purchase) error { return r.p.write(3, p.n) }
