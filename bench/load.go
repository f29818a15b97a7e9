package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// firstOpen is the number of the first open escrow; those that are due come
// after the open ones.
const firstOpen = 1_000_000_000

// dueAt is when the payments of a sweep fall due: before now, because the
// recorded deadline is over, and so that the loops of a server that starts later
// find nothing left.
func dueAt(now time.Time, sweep int) time.Time {
	return now.Add(-24 * time.Hour).Add(time.Duration(sweep) * time.Minute)
}

// load copies a recorded escrow into a database, over and over, inside SQL: the
// payment, its events, its money and its links. The letters that were sent, which
// are most of what an escrow leaves on the disk, and the simulated bank's memory
// are left out. open of them are not due for long; further due ones are for each
// sweep.
func load(ctx context.Context, dir string, t *template, open, due, sweeps int, now time.Time) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.Join(dir, "holdfast.db")}).EscapedPath()+
		"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-400000)&_pragma=locking_mode(EXCLUSIVE)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	var merchant string
	if err := db.QueryRowContext(ctx, `SELECT id FROM merchant`).Scan(&merchant); err != nil {
		return err
	}
	statements, err := t.copies(merchant, wakeAt(open, due, now))
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	// Block by block, so that the rows of one payment are written near each other.
	last := int64(firstOpen + open + due*sweeps)
	for from := int64(firstOpen); from < last; from += loadBlock {
		for _, query := range statements {
			if _, err := tx.ExecContext(ctx, query, from, min(from+loadBlock, last)-1); err != nil {
				return fmt.Errorf("%.60s: %w", query, err)
			}
		}
	}
	// The rows get their hashes when the store opens the database.
	for _, query := range []string{
		`INSERT OR REPLACE INTO event_log (merchant, last_position, last_transfer) SELECT merchant, max(position),
			COALESCE((SELECT max(position) FROM transfer WHERE transfer.merchant = event.merchant), 0) FROM event GROUP BY merchant`,
		`DELETE FROM books_state`,
	} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// loadBlock is how many escrows are written before the next table's turn.
const loadBlock = 1_000

// wakeAt is when escrow i is due, as SQL.
func wakeAt(open, due int, now time.Time) string {
	return fmt.Sprintf("CASE WHEN i < %d THEN %d + i ELSE %d + (i - %d) / %d * %d END", firstOpen+open, now.AddDate(0, 0, 2).UnixMicro(),
		dueAt(now, 0).UnixMicro(), firstOpen+open, due, time.Minute.Microseconds())
}

// copies are statements that write the template's rows for the numbers from $1
// to $2 under another merchant.
func (t *template) copies(merchant, wake string) (out []string, err error) {
	var kept []change
	each := map[string]int{} // rows of a payment, by table
	for _, c := range t.steps[0] {
		switch {
		case !c.isInsert:
			return nil, fmt.Errorf("an open escrow changes the table %s", c.table)
		case c.table == "mail" || c.table == "sandbox_record":
			continue
		}
		each[c.table]++
		kept = append(kept, c)
	}
	seen := map[string]int{}
	for _, c := range kept {
		seen[c.table]++
		values := make([]string, len(c.cells))
		for j := range c.cells {
			values[j] = expression(&c.cells[j], fmt.Sprintf("(i - %d) * %d + %d", firstOpen, each[c.table], seen[c.table]))
			switch {
			case c.columns[j] == "hash" || c.columns[j] == "sum":
				values[j] = "NULL"
			case c.columns[j] == "merchant":
				values[j] = quoted(merchant)
			case c.table == "payment" && c.columns[j] == "wake_at":
				values[j] = wake
			}
		}
		out = append(out, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM n WHERE i < $2) INSERT INTO %s (%s) SELECT %s FROM n`,
			c.table, strings.Join(c.columns, ", "), strings.Join(values, ", ")))
	}
	return out, nil
}

// expression is the cell as SQL over the number i.
func expression(c *cell, position string) string {
	if c.position {
		return position
	}
	if c.names == nil {
		switch v := c.fixed.(type) {
		case nil:
			return "NULL"
		case string:
			return quoted(v)
		default:
			return fmt.Sprint(v)
		}
	}
	formats := [len(names{})]string{"'imp_%012d'", "'9%013d'", "'order-%010d'", "'6%011d'", "'%064d'"}
	out := quoted(c.parts[0])
	for k, name := range c.names {
		out += " || printf(" + formats[name] + ", i) || " + quoted(c.parts[k+1])
	}
	return out
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// door is the door alone, without loops, on a clock that is moved by hand.
type door struct {
	app   *app.App
	store *store.Store
	clock *clock.Manual
}

func openDoor(ctx context.Context, dir string, at time.Time) (*door, error) {
	s, err := store.OpenSQLite(ctx, filepath.Join(dir, "holdfast.db"))
	if err != nil {
		return nil, err
	}
	d := &door{store: s, clock: clock.NewManual(at)}
	d.app, err = app.New(ctx, app.Config{
		Store: s, Clock: d.clock, Bank: noBank{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Secret: make([]byte, 32), BaseURL: "http://127.0.0.1:8080",
	})
	return d, err
}

func (d *door) close() error { return d.store.Close() }

// sweepPage is how many due payments are taken at once, as the loops do.
const sweepPage = 100

// sweep lets time act on everything that is due, and counts it.
func (d *door) sweep(ctx context.Context) (swept int, err error) {
	for {
		refs, err := d.app.DuePayments(ctx, "", sweepPage)
		if err != nil || len(refs) == 0 {
			return swept, err
		}
		changed, err := d.app.TickAll(ctx, refs)
		if swept += changed; err != nil || changed == 0 {
			return swept, err
		}
	}
}

// noBank answers nothing: a sweep asks no bank.
type noBank struct{}

var errNoBank = errors.New("bench: there is no bank behind this door")

func (noBank) IssueAccount(context.Context, app.AccountRequest) (escrow.BankAccount, error) {
	return escrow.BankAccount{}, errNoBank
}
func (noBank) CloseAccount(context.Context, string, escrow.BankAccount) error { return errNoBank }
func (noBank) HolderName(context.Context, string, string) (string, error)     { return "", errNoBank }
