package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// plainPostgres writes the rows of a template to PostgreSQL, one transaction per
// step and client. It reads nothing, checks nothing and composes nothing.
type plainPostgres struct {
	steps     [4][]change
	pool      *pgxpool.Pool
	position  atomic.Int64
	pipelined bool // all statements of a step travel together
}

func openPlainPostgres(ctx context.Context, s *pgtest.Server, name string, t *template, pipelined bool) (*plainPostgres, error) {
	url, err := s.Create(name)
	if err != nil {
		return nil, err
	}
	made, err := store.OpenPostgres(ctx, url, store.PostgresOptions{}) // makes the schema
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	p := &plainPostgres{pipelined: pipelined}
	for i, step := range t.steps {
		for _, c := range step {
			c.query = numbered(c.query)
			p.steps[i] = append(p.steps[i], c)
		}
	}
	p.pool, err = pgxpool.New(ctx, url+fmt.Sprintf("&pool_max_conns=%d", maxPlainConns))
	return p, err
}

// maxPlainConns is as many connections as clients at most measured with.
const maxPlainConns = 64

// numbered names the parameters of a statement as PostgreSQL does.
func numbered(query string) string {
	var b strings.Builder
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			fmt.Fprintf(&b, "$%d", i)
		}
		b.WriteString(part)
	}
	return b.String()
}

func (p *plainPostgres) enter() (world, error) { return plainPostgresClient{p}, nil }

// plainPostgresClient is one of its clients.
type plainPostgresClient struct{ *plainPostgres }

func (p *plainPostgres) write(ctx context.Context, step int, n int64) error {
	own := namesOf(n)
	var b pgx.Batch
	b.Queue("BEGIN")
	for i := range p.steps[step] {
		c := &p.steps[step][i]
		args := make([]any, len(c.cells))
		for j := range c.cells {
			if args[j] = c.cells[j].value(&own, new(int64)); c.cells[j].position {
				args[j] = p.position.Add(1)
			}
		}
		b.Queue(c.query, args...)
	}
	b.Queue("COMMIT")
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if p.pipelined {
		return conn.SendBatch(ctx, &b).Close()
	}
	for _, q := range b.QueuedQueries {
		if _, err := conn.Exec(ctx, q.SQL, q.Arguments...); err != nil {
			return err
		}
	}
	return nil
}

func (p plainPostgresClient) account(ctx context.Context, of *purchase) error {
	return p.write(ctx, 0, of.n)
}
func (p plainPostgresClient) deposit(ctx context.Context, of *purchase) error {
	return p.write(ctx, 1, of.n)
}
func (p plainPostgresClient) deliver(ctx context.Context, of *purchase) error {
	return p.write(ctx, 2, of.n)
}
func (p plainPostgresClient) confirm(ctx context.Context, of *purchase) error {
	return p.write(ctx, 3, of.n)
}
