package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-pay/holdfast/internal/store"
)

// plainPostgres writes the rows of a template to PostgreSQL.
type plainPostgres struct {
	steps    [4][]change
	pool     *pgxpool.Pool
	position atomic.Int64
	// oneByOne sends the statements of a step one after the other; else all of a
	// step, or of a group of steps, travel together.
	oneByOne bool
}

// openPlainPostgres puts the real schema into an empty database.
func openPlainPostgres(ctx context.Context, url string, t *template) (*plainPostgres, error) {
	made, err := store.OpenPostgres(ctx, url, store.PostgresOptions{}) // makes the schema
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	p := &plainPostgres{}
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

func (p *plainPostgres) close() error {
	p.pool.Close()
	return nil
}

// groups is as many as the store has writers.
func (p *plainPostgres) groups() int { return 2 }

func (p *plainPostgres) one(ctx context.Context, it item) error {
	return p.group(ctx, 0, []item{it})
}

func (p *plainPostgres) group(ctx context.Context, _ int, items []item) error {
	var b pgx.Batch
	b.Queue("BEGIN")
	for _, it := range items {
		own := namesOf(it.n)
		for i := range p.steps[it.step] {
			c := &p.steps[it.step][i]
			b.Queue(c.query, c.values(&own, func() int64 { return p.position.Add(1) })...)
		}
	}
	b.Queue("COMMIT")
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if !p.oneByOne {
		return conn.SendBatch(ctx, &b).Close()
	}
	for _, q := range b.QueuedQueries {
		if _, err := conn.Exec(ctx, q.SQL, q.Arguments...); err != nil {
			return err
		}
	}
	return nil
}
