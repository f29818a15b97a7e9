package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// field is every way of living lives on one engine. The first is Holdfast over
// HTTP, which the others are compared with.
type field struct {
	b       *bench
	engine  string
	pg      *pgtest.Server // nil: SQLite
	all     []*contender
	server  *server // Holdfast over HTTP
	closers []func() error
}

func (f *field) close() error {
	var errs []error
	for _, c := range slices.Backward(f.closers) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// fill opens every world.
func (f *field) fill(ctx context.Context, t *template) error {
	for _, open := range []func(context.Context, *template) error{f.overHTTP, f.byDoor, f.bare, f.plain, f.pgbench} {
		if err := open(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// add enters a world to the comparison. of is the process that works, if not this one.
func (f *field) add(name string, enter func() (world, error), settle func(context.Context) error, of *server) {
	c := &contender{name: name, settle: settle, found: map[int]*outcome{}}
	c.run = func(ctx context.Context, clients int, warm, span time.Duration) (*tally, error) {
		return hammer(ctx, clients, warm, span, enter)
	}
	if of != nil {
		c.pid = of.cmd.Process.Pid
	}
	f.all = append(f.all, c)
}

// folder makes an empty data folder on the engine.
func (f *field) folder(name string) (string, error) {
	if f.pg == nil {
		return filepath.Join(f.b.dir, "sqlite_"+name), nil
	}
	return f.b.onPostgres(f.pg, "postgres_"+name)
}

// house makes a data folder with the demonstration shop.
func (f *field) house(ctx context.Context, name string) (string, error) {
	dir, err := f.folder(name)
	if err != nil {
		return "", err
	}
	h, err := openHouse(ctx, dir, clock.Real{})
	if err != nil {
		return "", err
	}
	return dir, h.Close()
}

func (f *field) overHTTP(ctx context.Context, _ *template) error {
	dir, err := f.house(ctx, "http")
	if err != nil {
		return err
	}
	srv, err := f.b.start(ctx, dir)
	if err != nil {
		return err
	}
	f.closers = append(f.closers, srv.complaints, srv.stop)
	f.server = srv
	f.add("Holdfast over HTTP", srv.enter, owedIn(dir), srv)
	return nil
}

func (f *field) byDoor(ctx context.Context, _ *template) error {
	dir, err := f.folder("door")
	if err != nil {
		return err
	}
	h, err := openHouse(ctx, dir, clock.Real{})
	if err != nil {
		return err
	}
	f.closers = append(f.closers, h.Close)
	f.add("Holdfast's door, no HTTP", h.enter, owedIn(dir), nil)
	return nil
}

func (f *field) bare(ctx context.Context, _ *template) error {
	dir, err := f.folder("bare")
	if err != nil {
		return err
	}
	srv, err := f.b.startSelf(ctx, dir, "-bare", dir)
	if err != nil {
		return err
	}
	f.closers = append(f.closers, srv.complaints, srv.stop)
	f.add("bare prototype over HTTP, grouped commits", srv.enter, nil, srv)
	return nil
}

func (f *field) plain(ctx context.Context, t *template) error {
	forms := []string{"plain SQL, a commit per step", "plain SQL, grouped commits"}
	if f.pg != nil {
		forms = []string{"plain SQL, a commit per step, statement by statement", "plain SQL, a commit per step, pipelined", "plain SQL, grouped commits"}
	}
	for i, name := range forms {
		dir, err := f.folder(fmt.Sprintf("plain%d", i))
		if err != nil {
			return err
		}
		w, err := openRows(ctx, dir, t)
		if err != nil {
			return err
		}
		if p, is := w.(*plainPostgres); is {
			p.oneByOne = i == 0
		}
		if i < len(forms)-1 {
			f.closers = append(f.closers, w.close)
			f.add(name, replayed(w.one).enter, nil, nil)
			continue
		}
		g := group(ctx, w)
		f.closers = append(f.closers, g.close)
		f.add(name, replayed(g.write).enter, nil, nil)
	}
	return nil
}

// openRows opens the database of a folder for writing recorded rows.
func openRows(ctx context.Context, dir string, t *template) (rowsWriter, error) {
	if url := databaseOf(dir); url != "" {
		return openPlainPostgres(ctx, string(url), t)
	}
	return openPlainSQLite(ctx, dir, t)
}
