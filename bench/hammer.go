package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// purchase is one escrow as its shop knows it.
type purchase struct {
	n      int64  // of this run
	id     string // imp_uid
	bank   string
	number string // of the virtual account
}

// world is one way of living an escrow's life. Each method returns when its step
// is durable.
type world interface {
	account(ctx context.Context, p *purchase) error // issues the account and fills p in
	deposit(ctx context.Context, p *purchase) error
	deliver(ctx context.Context, p *purchase) error
	confirm(ctx context.Context, p *purchase) error
}

// stepNames are the steps of a life in their order.
var stepNames = []string{"account", "deposit", "delivery", "confirm"}

func step(ctx context.Context, w world, i int, p *purchase) error {
	return [...]func(context.Context, *purchase) error{w.account, w.deposit, w.deliver, w.confirm}[i](ctx, p)
}

// tally is what one measurement found.
type tally struct {
	lives []time.Duration    // of lives that ended in the counted time
	steps [4][]time.Duration // of steps that did
	all   int64              // lives in all, with those of the warm-up
	span  time.Duration
}

func (t *tally) rate() float64 { return float64(len(t.lives)) / t.span.Seconds() }

// add joins the measurements of two rounds.
func (t *tally) add(o *tally) {
	t.lives = append(t.lives, o.lives...)
	for i := range t.steps {
		t.steps[i] = append(t.steps[i], o.steps[i]...)
	}
	t.all += o.all
	t.span += o.span
}

// purchases numbers the purchases of this process.
var purchases atomic.Int64

// windows is how many windows are tried, each twice as long as the one before,
// until a life ends in one: a busy machine is slow, not broken.
const windows = 5

// hammer lets clients live one life after the other, each waiting for its own
// answers only, and counts what ends between warm and warm+span.
func hammer(ctx context.Context, clients int, warm, span time.Duration, enter func() (world, error)) (*tally, error) {
	worlds := make([]world, clients)
	for i := range worlds {
		w, err := enter()
		if err != nil {
			return nil, err
		}
		worlds[i] = w
		if c, is := w.(*client); is {
			defer func() { _ = c.close() }()
		}
	}
	for range windows {
		total, err := window(ctx, worlds, warm, span)
		if err != nil || len(total.lives) > 0 {
			return total, err
		}
		span *= 2
	}
	return nil, fmt.Errorf("no life ended within %s", span/2)
}

// window lets every world live until warm+span has passed.
func window(ctx context.Context, worlds []world, warm, span time.Duration) (*tally, error) {
	from := time.Now().Add(warm)
	until := from.Add(span)
	found := make([]tally, len(worlds))
	faults := make([]error, len(worlds))
	var wg sync.WaitGroup
	for i, w := range worlds {
		wg.Go(func() { faults[i] = live(ctx, w, from, until, &found[i]) })
	}
	wg.Wait()
	total := &tally{span: span}
	for i := range found {
		if faults[i] != nil {
			return nil, faults[i]
		}
		found[i].span = 0
		total.add(&found[i])
	}
	return total, nil
}

// live is one client.
func live(ctx context.Context, w world, from, until time.Time, t *tally) error {
	for time.Now().Before(until) {
		p := &purchase{n: purchases.Add(1)}
		began := time.Now()
		last := began
		for i := range stepNames {
			if err := step(ctx, w, i, p); err != nil {
				return fmt.Errorf("%s of purchase %d: %w", stepNames[i], p.n, err)
			}
			now := time.Now()
			if now.After(from) && now.Before(until) {
				t.steps[i] = append(t.steps[i], now.Sub(last))
			}
			last = now
		}
		t.all++
		if last.After(from) && last.Before(until) {
			t.lives = append(t.lives, last.Sub(began))
		}
	}
	return nil
}

// quantile returns the q-th quantile, 0 for nothing. It sorts in place.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[min(int(q*float64(len(d))), len(d)-1)]
}

func median(d []time.Duration) time.Duration { return quantile(d, 0.5) }
