package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// crowd is a database with many open escrows.
type crowd struct {
	open     int
	dir      string
	merchant string
	door     *door
	sweeps   []time.Duration
	acts     []time.Duration
	tails    []time.Duration // the 99th percentile of each turn
	next     int64           // of the open escrows, the next one that is confirmed
}

// many compares a database with few open escrows to one with many, through the
// door and without loops.
func many(ctx context.Context, b *bench) error {
	now := time.Now().UTC().Truncate(time.Second)
	t, err := recordOpen(ctx, filepath.Join(b.dir, "open"), now)
	if err != nil {
		return fmt.Errorf("record an open escrow: %w", err)
	}
	return b.onEngines(ctx, func(ctx context.Context, f *field) error {
		crowds := []*crowd{{open: b.few}, {open: b.many}}
		for _, c := range crowds {
			if err := c.gather(ctx, f, t, now); err != nil {
				return fmt.Errorf("%d open escrows: %w", c.open, err)
			}
			defer func() { _ = c.door.close() }()
		}
		if err := b.sweepInTurns(ctx, crowds, now); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		if err := b.confirmInTurns(ctx, crowds); err != nil {
			return fmt.Errorf("confirm: %w", err)
		}
		b.reportMany(f, crowds)
		return nil
	})
}

// gather makes the database and opens the door.
func (c *crowd) gather(ctx context.Context, f *field, t *template, now time.Time) (err error) {
	b := f.b
	if c.dir, err = f.house(ctx, fmt.Sprintf("open_%d", c.open)); err != nil {
		return err
	}
	began := time.Now()
	if err := load(ctx, c.dir, t, c.open, b.due, b.sweeps, now); err != nil {
		return err
	}
	b.say("%d open escrows loaded by SQL in %.0f s (without the letters that were sent).", c.open, time.Since(began).Seconds())
	db, err := openLooking(c.dir)
	if err != nil {
		return err
	}
	c.merchant, err = onlyMerchant(ctx, db)
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	c.door, err = openDoor(ctx, c.dir, dueAt(now, 0))
	return err
}

// recordOpen keeps the rows of an escrow that was delivered so long ago that its
// time is over, although nothing has acted on that yet, and, as a second step,
// what the end of its time writes.
func recordOpen(ctx context.Context, dir string, now time.Time) (*template, error) {
	past := clock.NewManual(now.AddDate(0, 0, -21))
	h, err := openHouse(ctx, dir, past)
	if err != nil {
		return nil, err
	}
	defer func() { _ = h.Close() }()
	db, err := openReader(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	before, err := lookAt(ctx, db)
	if err != nil {
		return nil, err
	}
	p := &purchase{n: purchases.Add(1)}
	for i := range 3 { // all but the confirmation
		if err := step(ctx, h, i, p); err != nil {
			return nil, err
		}
	}
	if err := h.Loops.Drain(ctx, h.merchant); err != nil {
		return nil, err
	}
	past.Advance(time.Hour)
	if _, err := h.App.Do(ctx, escrow.Carrier, h.merchant, p.id, escrow.ReportTracking{
		Number: trackingNumber(p.n), Seen: true, DeliveredAt: past.Now(),
	}); err != nil {
		return nil, err
	}
	if err := h.Loops.Drain(ctx, h.merchant); err != nil {
		return nil, err
	}
	after, err := lookAt(ctx, db)
	if err != nil {
		return nil, err
	}
	past.Advance(now.Sub(past.Now())) // and its time comes, which alone is the second step
	if _, err := h.App.Do(ctx, escrow.System, h.merchant, p.id, escrow.Tick{}); err != nil {
		return nil, err
	}
	confirmed, err := lookAt(ctx, db)
	if err != nil {
		return nil, err
	}
	own := names{p.id, p.number, orderID(p.n), trackingNumber(p.n), after.link()}
	t := &template{merchant: h.merchant}
	t.steps[0], t.steps[1] = differences(before, after, own), differences(after, confirmed, own)
	return t, nil
}

// sweepInTurns lets the due payments of each database be found and confirmed by
// time, one sweep after the other.
func (b *bench) sweepInTurns(ctx context.Context, crowds []*crowd, now time.Time) error {
	for n := range b.sweeps {
		for _, c := range crowds {
			c.door.clock.Advance(dueAt(now, n).Sub(c.door.clock.Now()))
			began := time.Now()
			swept, err := c.door.sweep(ctx)
			if err != nil {
				return err
			}
			if swept != b.due {
				return fmt.Errorf("%d open: sweep %d confirmed %d payments, not %d", c.open, n, swept, b.due)
			}
			c.sweeps = append(c.sweeps, time.Since(began))
		}
	}
	return nil
}

// turn is how many confirmations one database gets before it is the other's turn.
const turn = 250

// actors is how many clients confirm at once.
const actors = 8

func (b *bench) confirmInTurns(ctx context.Context, crowds []*crowd) (err error) {
	for n := 0; n < b.acts; n += turn {
		for _, c := range crowds {
			if err := c.confirmSome(ctx, min(turn, b.acts-n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// confirmSome confirms open escrows all over the database.
func (c *crowd) confirmSome(ctx context.Context, count int) error {
	chosen := make(chan int64, count)
	for range count {
		c.next++
		chosen <- scattered(c.next, c.open)
	}
	close(chosen)
	found := make([][]time.Duration, actors)
	faults := make([]error, actors)
	var wg sync.WaitGroup
	for i := range actors {
		wg.Go(func() { found[i], faults[i] = c.confirmAll(ctx, chosen) })
	}
	wg.Wait()
	took := slices.Concat(found...)
	c.acts = append(c.acts, took...)
	c.tails = append(c.tails, quantile(took, 0.99))
	return errors.Join(faults...)
}

func (c *crowd) confirmAll(ctx context.Context, chosen <-chan int64) (took []time.Duration, err error) {
	for n := range chosen {
		began := time.Now()
		if _, err := c.door.app.Do(ctx, escrow.Buyer, c.merchant, namesOf(n)[0], escrow.Confirm{Kind: escrow.ByBuyer}); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// stride is a prime, so that the numbers of scattered do not repeat.
const stride = 7_919

// scattered spreads the first, second, ... of size numbers over the whole.
func scattered(i int64, size int) int64 { return firstOpen + i*stride%int64(size) }

func (b *bench) reportMany(f *field, crowds []*crowd) {
	few, more := crowds[0], crowds[1]
	t := newTable(fmt.Sprintf("%s, the door, %d clients", f.engine, actors), fmt.Sprintf("%d open", few.open), fmt.Sprintf("%d open", more.open), "ratio", "aim")
	row := func(name string, f func(*crowd) time.Duration, aim string) {
		t.row(name, ms(f(few)), ms(f(more)), fmt.Sprintf("%.2f", f(more).Seconds()/f(few).Seconds()), aim)
	}
	row("confirm, p50", func(c *crowd) time.Duration { return median(c.acts) }, "")
	row("confirm, p99 (median of turns)", func(c *crowd) time.Duration { return median(c.tails) }, "<= 1.2")
	row(fmt.Sprintf("sweep of %d due, median of %d", b.due, b.sweeps), func(c *crowd) time.Duration { return median(c.sweeps) }, "<= 1.2")
	b.say("%s", t)
}
