package main

import (
	"context"
	"sync"
)

// item is one step of one life.
type item struct {
	step int
	n    int64
}

// rowsWriter writes the recorded rows of steps to one kind of database, with
// nothing read, checked, decided or composed: it is the limit.
type rowsWriter interface {
	// one makes one step durable in a transaction of its own.
	one(ctx context.Context, it item) error
	// group makes several durable in one transaction, on one of the connections
	// that are kept for that.
	group(ctx context.Context, connection int, items []item) error
	// groups is how many groups run at once.
	groups() int
	close() error
}

// groupMax bounds how many steps share a commit, as in the store.
const groupMax = 256

// grouped shares commits among steps that wait.
type grouped struct {
	w    rowsWriter
	jobs chan job
	done sync.WaitGroup
}

type job struct {
	item
	answer chan error
}

func group(ctx context.Context, w rowsWriter) *grouped {
	g := &grouped{w: w, jobs: make(chan job, groupMax)}
	for i := range w.groups() {
		g.done.Go(func() { g.run(ctx, i) })
	}
	return g
}

func (g *grouped) close() error {
	close(g.jobs)
	g.done.Wait()
	return g.w.close()
}

func (g *grouped) write(_ context.Context, it item) error {
	j := job{it, make(chan error, 1)}
	g.jobs <- j
	return <-j.answer
}

func (g *grouped) run(ctx context.Context, connection int) {
	for first := range g.jobs {
		jobs := []job{first}
		for waiting := true; waiting && len(jobs) < groupMax; {
			select {
			case next, open := <-g.jobs:
				if waiting = open; open {
					jobs = append(jobs, next)
				}
			default:
				waiting = false
			}
		}
		items := make([]item, len(jobs))
		for i, j := range jobs {
			items[i] = j.item
		}
		err := g.w.group(ctx, connection, items)
		for _, j := range jobs {
			j.answer <- err
		}
	}
}

// replayed is a client of either: it lives by writing recorded rows.
type replayed func(context.Context, item) error

func (r replayed) enter() (world, error) { return r, nil }

func (r replayed) account(ctx context.Context, p *purchase) error { return r(ctx, item{0, p.n}) }
func (r replayed) deposit(ctx context.Context, p *purchase) error { return r(ctx, item{1, p.n}) }
func (r replayed) deliver(ctx context.Context, p *purchase) error { return r(ctx, item{2, p.n}) }
func (r replayed) confirm(ctx context.Context, p *purchase) error { return r(ctx, item{3, p.n}) }
