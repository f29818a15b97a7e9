package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"

	"github.com/holdfast-pay/holdfast/internal/store"
)

// plainSQLite writes the rows of a template with prepared statements over one
// connection to a database of its own, with the settings of the store.
type plainSQLite struct {
	t        *template
	db       *sql.DB
	conn     *sql.Conn
	stmts    map[string]*sql.Stmt
	position int64
	mu       sync.Mutex // of the connection
}

// openPlainSQLite makes a database with the real schema in a folder.
func openPlainSQLite(ctx context.Context, dir string, t *template) (*plainSQLite, error) {
	file := filepath.Join(dir, "holdfast.db")
	s, err := store.OpenSQLite(ctx, file) // makes the schema
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	p := &plainSQLite{t: t, stmts: map[string]*sql.Stmt{}}
	if p.db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(1000)&_pragma=cache_size(-16000)"); err != nil {
		return nil, err
	}
	p.db.SetMaxOpenConns(1)
	p.conn, err = p.db.Conn(ctx)
	return p, err
}

func (p *plainSQLite) close() error {
	var errs []error
	for _, st := range p.stmts {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, p.conn.Close(), p.db.Close())...)
}

func (p *plainSQLite) groups() int { return 1 }

func (p *plainSQLite) exec(query string, args ...any) error {
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

// apply writes the rows of a step.
func (p *plainSQLite) apply(it item) error {
	own := namesOf(it.n)
	for i := range p.t.steps[it.step] {
		c := &p.t.steps[it.step][i]
		if err := p.exec(c.query, c.values(&own, func() int64 { p.position++; return p.position })...); err != nil {
			return fmt.Errorf("%s: %w", c.table, err)
		}
	}
	return nil
}

func (p *plainSQLite) one(_ context.Context, it item) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, do := range []func() error{p.only("BEGIN IMMEDIATE"), func() error { return p.apply(it) }, p.only("COMMIT")} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// group puts each step behind a savepoint.
func (p *plainSQLite) group(_ context.Context, _ int, items []item) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, it := range items {
		for _, do := range []func() error{p.only("SAVEPOINT one"), func() error { return p.apply(it) }, p.only("RELEASE one")} {
			if err := do(); err != nil {
				return err
			}
		}
	}
	return p.exec("COMMIT")
}

func (p *plainSQLite) only(query string) func() error { return func() error { return p.exec(query) } }
