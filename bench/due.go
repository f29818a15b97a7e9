package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// race is due work done by Holdfast's door and by set-based SQL, in turns, each
// on a database of its own with the same rows.
type race struct {
	name          string
	rows          int    // in all
	profile       string // beginning of the names of the CPU profiles of Holdfast's turns; empty for none
	holdfast, sql laps
	commits       store.Stats // of Holdfast
}

// laps are the turns of one side.
type laps struct {
	took []time.Duration
	busy time.Duration // processor time of this process in all turns
}

// lap takes the time of a turn.
func (l *laps) lap(turn func() error) error {
	used, err := cpu(os.Getpid())
	if err != nil {
		return err
	}
	began := time.Now()
	if err := turn(); err != nil {
		return err
	}
	l.took = append(l.took, time.Since(began))
	now, err := cpu(os.Getpid())
	l.busy += now - used
	return err
}

// profiled is a turn of Holdfast with a CPU profile of its own if one is wanted.
func (r *race) profiled(turn func() error) func() error {
	if r.profile == "" {
		return turn
	}
	return func() error {
		f, err := os.Create(fmt.Sprintf("%s.%d", r.profile, len(r.holdfast.took)))
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return errors.Join(err, f.Close())
		}
		err = turn()
		pprof.StopCPUProfile()
		return errors.Join(err, f.Close())
	}
}

// newRace begins a race about a number of rows.
func (b *bench) newRace(f *field, name string, rows int) *race {
	r := &race{name: name, rows: rows}
	if b.profile != "" {
		r.profile = fmt.Sprintf("%s.%s.%s", b.profile, strings.ReplaceAll(name, " ", "_"), f.engine)
	}
	return r
}

// due measures work that falls due in masses: escrows that time confirms, and
// confirmed money that is paid out.
func due(ctx context.Context, b *bench) error {
	now := time.Now().UTC().Truncate(time.Second)
	t, err := recordOpen(ctx, filepath.Join(b.dir, "due"), now)
	if err != nil {
		return fmt.Errorf("record an escrow whose time is over: %w", err)
	}
	return b.onEngines(ctx, func(ctx context.Context, f *field) error {
		for _, run := range []func(context.Context, *field, *template, time.Time) (*race, error){b.autoConfirm, b.settlement} {
			r, err := run(ctx, f, t, now)
			if err != nil {
				return err
			}
			r.report(b, f.engine)
		}
		return nil
	})
}

func (r *race) report(b *bench, engine string) {
	var ratios []float64
	var ours, theirs time.Duration
	for i, mine := range r.holdfast.took {
		ratios = append(ratios, r.sql.took[i].Seconds()/mine.Seconds())
		ours, theirs = ours+mine, theirs+r.sql.took[i]
	}
	rate := func(d time.Duration) string { return fmt.Sprintf("%.0f", float64(r.rows)/d.Seconds()) }
	t := newTable(fmt.Sprintf("%s, %s, %d in %d turns", r.name, engine, r.rows, len(ratios)), "per second", "seconds", "processor")
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }
	t.row("Holdfast", rate(ours), seconds(ours), seconds(r.holdfast.busy))
	t.row("set-based SQL, the same rows", rate(theirs), seconds(theirs), seconds(r.sql.busy))
	t.row("Holdfast / set-based SQL, median of turns (aim >= 0.3)", fmt.Sprintf("%.2f", middle(ratios)))
	t.row(fmt.Sprintf("Holdfast in its %d commits", r.commits.Commits), "", seconds(r.commits.CommitTime))
	b.say("%s", t)
}

// sqlChunk is how many rows set-based SQL takes in one transaction: enough for
// its full speed.
const sqlChunk = 10_000

// autoConfirm lets time confirm escrows.
func (b *bench) autoConfirm(ctx context.Context, f *field, t *template, now time.Time) (*race, error) {
	turn := b.autos / b.turns
	var dirs [2]string
	for i, name := range []string{"auto_holdfast", "auto_sql"} {
		dir, err := f.house(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := load(ctx, dir, t, 0, turn, b.turns, now); err != nil {
			return nil, err
		}
		dirs[i] = dir
	}
	ours, err := openDoor(ctx, dirs[0], dueAt(now, 0))
	if err != nil {
		return nil, err
	}
	defer func() { _ = ours.close() }()
	theirs, err := openDurable(ctx, dirs[1])
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	merchant, err := onlyMerchant(ctx, theirs)
	if err != nil {
		return nil, err
	}
	statements := append(t.copies(1, merchant, turn*b.turns, nil), fmt.Sprintf(
		`UPDATE event_log SET last_position = last_position + (CAST($2 AS BIGINT) - CAST($1 AS BIGINT) + 1) * %d, last_transfer = last_transfer + (CAST($2 AS BIGINT) - CAST($1 AS BIGINT) + 1) * %d`,
		t.count(1, "event"), t.count(1, "transfer")))
	r := b.newRace(f, "auto-confirmation", turn*b.turns)
	for n := range b.turns {
		ours.clock.Advance(dueAt(now, n).Sub(ours.clock.Now()))
		if err := r.holdfast.lap(r.profiled(func() error {
			swept, err := ours.sweep(ctx)
			if err != nil || swept != turn {
				return errors.Join(err, fmt.Errorf("%d payments were confirmed, not %d", swept, turn))
			}
			return nil
		})); err != nil {
			return nil, err
		}
		if err := r.sql.lap(func() error {
			from := int64(firstOpen + n*turn)
			for last := from + int64(turn); from < last; from += sqlChunk {
				if err := inOne(ctx, theirs, statements, from, min(from+sqlChunk, last)-1); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	r.commits = ours.store.Stats()
	return r, sameCounts(ctx, dirs, "payment WHERE state = 'confirmed'", "event", "transfer", "settlement_line", "mail", "books_violation")
}

// sameCounts fails when two databases differ in their number of rows.
func sameCounts(ctx context.Context, dirs [2]string, tables ...string) error {
	for _, table := range tables {
		var counts [2]int
		for i, dir := range dirs {
			db, err := openLooking(dir)
			if err != nil {
				return err
			}
			err = db.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&counts[i])
			if err := errors.Join(err, db.Close()); err != nil {
				return err
			}
		}
		if counts[0] != counts[1] {
			return fmt.Errorf("%s: Holdfast has %d rows and set-based SQL %d", table, counts[0], counts[1])
		}
	}
	return nil
}

// settlement pays out confirmed lines, a hundred or so per merchant.
func (b *bench) settlement(ctx context.Context, f *field, t *template, now time.Time) (*race, error) {
	var dirs [2]string
	day, err := bizday.Korea().Roll(bizday.DateOf(now), bizday.After)
	if err != nil {
		return nil, err
	}
	for i, name := range []string{"settle_holdfast", "settle_sql"} {
		dir, err := f.house(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := loadLines(ctx, dir, t, b.lines, b.payouts, day); err != nil {
			return nil, err
		}
		dirs[i] = dir
	}
	ours, err := openDoor(ctx, dirs[0], day.Start().Add(payHour))
	if err != nil {
		return nil, err
	}
	defer func() { _ = ours.close() }()
	theirs, err := openDurable(ctx, dirs[1])
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	r := b.newRace(f, "settlement lines into payouts", b.lines)
	statements := settleStatements(day, ours.clock.Now())
	after, turn := "", b.payouts/b.turns
	for n := range b.turns {
		if err := r.holdfast.lap(r.profiled(func() (err error) {
			after, err = ours.pay(ctx, after, turn)
			return err
		})); err != nil {
			return nil, err
		}
		if err := r.sql.lap(func() error {
			chunk := max(1, sqlChunk*b.payouts/b.lines)
			for from, last := n*turn, (n+1)*turn; from < last; from += chunk {
				if err := inOne(ctx, theirs, statements, fmt.Sprintf(merchantForm, from), fmt.Sprintf(merchantForm, min(from+chunk, last)-1)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	r.commits = ours.store.Stats()
	return r, sameCounts(ctx, dirs, "settlement_line WHERE payout IS NOT NULL", "payout", "transfer", "bank_order")
}

// payHour is an hour of the day at which payouts are made.
const payHour = 11 * time.Hour

// merchantForm is the id of a merchant of the settlement, by number.
const merchantForm = "mrc_bench_%08d"

// loadLines makes merchants with an account and their confirmed lines.
func loadLines(ctx context.Context, dir string, t *template, lines, merchants int, day bizday.Date) error {
	db, err := openBulk(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	shop, err := onlyMerchant(ctx, db)
	if err != nil {
		return err
	}
	id := "'mrc_bench_' || " + padded("i", 8)
	if err := inOne(ctx, db, []string{series + `INSERT INTO merchant (id, mode, name, ahead, version, created_at, doc)
		SELECT ` + id + `, mode, name, ahead, version, created_at + i + 1, doc FROM n, merchant WHERE id = ` + quoted(shop)}, 0, merchants-1); err != nil {
		return err
	}
	only := &template{merchant: t.merchant}
	for _, c := range t.steps[1] {
		if c.table == "settlement_line" {
			only.steps[0] = append(only.steps[0], c)
		}
	}
	statements := only.copies(0, shop, 0, map[string]string{
		"settlement_line.merchant": "'mrc_bench_' || " + padded(fmt.Sprintf("((i - %d) / %d)", firstOpen, lines/merchants), 8), "settlement_line.due_date": quoted(day.String()),
	})
	for from := 0; from < lines; from += sqlChunk {
		if err := inOne(ctx, db, statements, firstOpen+from, firstOpen+min(from+sqlChunk, lines)-1); err != nil {
			return err
		}
	}
	return settleDown(ctx, db, dir)
}

// settleStatements pay out the due lines of the merchants from $1 to $2: sums,
// payouts, ledger, orders at the bank, as Holdfast writes them.
func settleStatements(day bizday.Date, now time.Time) []string {
	which := fmt.Sprintf(`merchant BETWEEN $1 AND $2 AND payout IS NULL AND held = 0 AND due_date <= '%s'`, day)
	payout := fmt.Sprintf(`'pay_%s_' || merchant`, day)
	made := fmt.Sprintf(`FROM payout WHERE merchant BETWEEN $1 AND $2 AND date = '%s'`, day)
	at := now.UnixMicro()
	return []string{
		fmt.Sprintf(`INSERT INTO payout (merchant, id, date, gross, fee, vat, deducted, from_due, amount, lines, state, attempt, reason, bank, number, holder, order_at)
			SELECT merchant, %s, '%s', sum(gross), sum(fee), sum(vat), 0, sum(from_due), sum(net), count(*), 'ordered', 1, '', '004', '12345678901234', '한빛상점', %d
			FROM settlement_line WHERE %s GROUP BY merchant`, payout, day, at, which),
		fmt.Sprintf(`UPDATE settlement_line SET payout = %s WHERE %s`, payout, which),
		fmt.Sprintf(`INSERT INTO transfer (merchant, ref, seq, n, debit, credit, amount, at, position, hash)
			SELECT merchant, id, 0, 100, 'shop:' || merchant, 'payout:' || id, amount, %d, 1, %s %s`, at, anyHash, made),
		fmt.Sprintf(`INSERT INTO event_log (merchant, last_position, last_transfer, last_transfer_hash) SELECT merchant, 0, 1, %s %s`, anyHash, made),
		fmt.Sprintf(`INSERT INTO bank_order (merchant, key, kind, ref, amount, bank, number, holder, card, state, due_at, attempts, detail, created_at)
			SELECT merchant, id || '-1', 'payout', id, amount, bank, number, holder, 0, 'pending', %d, 0, '', %d %s`, at, at, made),
	}
}
