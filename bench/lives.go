package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// contender is one way of living lives, with its database.
type contender struct {
	name string
	// run lets a number of clients live.
	run func(ctx context.Context, clients int, warm, span time.Duration) (*tally, error)
	// settle waits until everything that is owed for the lives so far is done; nil
	// for those that owe nothing.
	settle func(context.Context) error
	pid    int // of the process that works, 0 for this one
	found  map[int]*outcome
}

// outcome is what all rounds of one contender with one count of clients found.
type outcome struct {
	tally
	rates     []float64     // lives per second, by round
	whole     time.Duration // warm-up, counted time, and what owed work took after them
	server    time.Duration // processor time of the server in the whole
	generator time.Duration // processor time of this process
}

// lives measures whole lives on each engine.
func lives(ctx context.Context, b *bench) error { return b.onEngines(ctx, b.compare) }

// compare measures whole lives in every world of an engine, taking turns.
func (b *bench) compare(ctx context.Context, f *field) (err error) {
	t, err := record(ctx, filepath.Join(b.dir, "recorded", f.engine))
	if err != nil {
		return fmt.Errorf("record a life: %w", err)
	}
	inserted, changed := t.rows()
	b.say("A life is four steps, each durable before it is answered; it leaves %d new rows and changes %d, letters included.", inserted, changed)
	defer func() { err = errors.Join(err, f.close()) }()
	if err := f.fill(ctx, t); err != nil {
		return err
	}
	return b.inTurns(ctx, f)
}

// settleLimit bounds the wait for owed work.
const settleLimit = time.Minute

// owedIn waits until a database has no letter left to write.
func owedIn(dir string) func(context.Context) error {
	return func(ctx context.Context) error {
		db, err := openLooking(dir)
		if err != nil {
			return err
		}
		defer func() { _ = db.Close() }()
		for began := time.Now(); ; pause(2 * time.Millisecond) {
			var owed bool
			if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM mail WHERE state = 'pending')`).Scan(&owed); err != nil || !owed {
				return err
			}
			if time.Since(began) > settleLimit {
				return fmt.Errorf("letters are still owed after %s", settleLimit)
			}
		}
	}
}

// measure runs one round of one contender.
func (b *bench) measure(ctx context.Context, c *contender, clients int) error {
	used, err := processors(c)
	if err != nil {
		return err
	}
	began := time.Now()
	t, err := c.run(ctx, clients, b.warm, b.span)
	if err != nil {
		return err
	}
	if c.settle != nil {
		if err := c.settle(ctx); err != nil {
			return err
		}
	}
	whole := time.Since(began)
	after, err := processors(c)
	if err != nil {
		return err
	}
	if c.found[clients] == nil {
		c.found[clients] = &outcome{}
	}
	o := c.found[clients]
	o.rates = append(o.rates, t.rate())
	o.add(t)
	o.whole += whole
	o.server += after[0] - used[0]
	o.generator += after[1] - used[1]
	return nil
}

// processors is the processor time of the contender's process and of this one.
func processors(c *contender) (out [2]time.Duration, err error) {
	if c.pid != 0 {
		if out[0], err = cpu(c.pid); err != nil {
			return out, err
		}
	}
	out[1], err = cpu(os.Getpid())
	return out, err
}

// report prints ratios first, then what they are made of.
func (b *bench) report(f *field) {
	contenders := f.all
	ratios := newTable(contenders[0].name+" on "+f.engine+", divided by", headings(b.clients)...)
	rates := newTable("", "clients", "lives/s", "p50 of a life", "p99 of a life", "with letters", "server CPU/life", "generator CPU/life")
	times := newTable("p50 / p99 of a step", append([]string{"clients"}, stepNames...)...)
	for _, c := range contenders {
		if c != contenders[0] {
			ratios.row(c.name, c.ratios(contenders[0], b.clients)...)
		}
		for _, n := range b.clients {
			rates.row(c.name, c.found[n].rateCells(c, n)...)
			if c.settle != nil {
				times.row(c.name, c.found[n].stepCells(n)...)
			}
		}
	}
	b.say("%s\n%s\n%s", ratios, rates, times)
	b.say("Medians of %d rounds of %s, in turns. Every commit is synchronous.", b.rounds, b.span)
	b.say("with letters: lives per second when the time counts in which the letters still owed at the end are written.")
}

// ratios are the medians of another's rates over the contender's own, round by
// round, because a round and its neighbour met the same disk.
func (c *contender) ratios(over *contender, counts []int) (out []string) {
	for _, n := range counts {
		var each []float64
		for i, rate := range c.found[n].rates {
			each = append(each, over.found[n].rates[i]/rate)
		}
		out = append(out, fmt.Sprintf("%.2f", middle(each)))
	}
	return out
}

func (o *outcome) rateCells(c *contender, clients int) []string {
	row := []string{strconv.Itoa(clients), fmt.Sprintf("%.0f", middle(o.rates)), ms(median(o.lives)), ms(quantile(o.lives, 0.99)), "", "", ""}
	if c.settle != nil {
		row[4] = fmt.Sprintf("%.0f", float64(o.all)/o.whole.Seconds())
	}
	if c.pid != 0 {
		row[5], row[6] = us(o.server, o.all), us(o.generator, o.all)
	} else {
		row[5] = us(o.generator, o.all)
	}
	return row
}

func (o *outcome) stepCells(clients int) []string {
	row := []string{strconv.Itoa(clients)}
	for i := range stepNames {
		row = append(row, ms(median(o.steps[i]))+" / "+ms(quantile(o.steps[i], 0.99)))
	}
	return row
}

// middle is the median.
func middle(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

func headings(clients []int) (out []string) {
	for _, n := range clients {
		out = append(out, fmt.Sprintf("%d clients", n))
	}
	return out
}
