package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/work"
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
// sweep. The payments get sums of their own from the store, as at the first start
// after an upgrade: a decision records every row whose sum does not fit.
func load(ctx context.Context, dir string, t *template, open, due, sweeps int, now time.Time) error {
	if err := copyEscrows(ctx, dir, t, open, due, sweeps, now); err != nil {
		return err
	}
	s, err := openStore(ctx, dir)
	if err != nil {
		return err
	}
	return s.Close()
}

// copyEscrows is load without sums.
func copyEscrows(ctx context.Context, dir string, t *template, open, due, sweeps int, now time.Time) error {
	db, err := openBulk(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	merchant, err := onlyMerchant(ctx, db)
	if err != nil {
		return err
	}
	statements := t.copies(0, merchant, 0, map[string]string{"payment.wake_at": wakeAt(open, due, now), "payment.sum": "NULL"}, "mail", "sandbox_record")
	// Block by block, so that the rows of one payment are written near each other.
	last := int64(firstOpen + open + due*sweeps)
	for from := int64(firstOpen); from < last; from += loadBlock {
		if err := inOne(ctx, db, statements, from, min(from+loadBlock, last)-1); err != nil {
			return err
		}
	}
	if err := inOne(ctx, db, []string{`DELETE FROM books_state WHERE name = 'complete'`}); err != nil {
		return err
	}
	return settleDown(ctx, db, dir)
}

// onlyMerchant is the demonstration shop.
func onlyMerchant(ctx context.Context, db *sql.DB) (id string, err error) {
	return id, db.QueryRowContext(ctx, `SELECT id FROM merchant ORDER BY created_at LIMIT 1`).Scan(&id)
}

// openBulk opens a database for writing much at once, durable only at the end.
func openBulk(ctx context.Context, dir string) (*sql.DB, error) {
	if url := databaseOf(dir); url != "" {
		return openOnly(ctx, "pgx", string(url)+"&synchronous_commit=off")
	}
	return openOnly(ctx, "sqlite", sqliteURL(dir, "journal_mode(OFF)", "synchronous(OFF)", "cache_size(-400000)", "locking_mode(EXCLUSIVE)"))
}

// openDurable opens a database for writing as the store does.
func openDurable(ctx context.Context, dir string) (*sql.DB, error) {
	if url := databaseOf(dir); url != "" {
		return openOnly(ctx, "pgx", string(url))
	}
	return openOnly(ctx, "sqlite", sqliteURL(dir, "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(1000)", "cache_size(-16000)"))
}

func sqliteURL(dir string, pragmas ...string) string {
	return "file:" + (&url.URL{Path: filepath.Join(dir, "holdfast.db")}).EscapedPath() + "?_pragma=" + strings.Join(pragmas, "&_pragma=")
}

// openOnly opens a database with one connection.
func openOnly(ctx context.Context, driver, source string) (*sql.DB, error) {
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, db.PingContext(ctx)
}

// inOne runs statements in one transaction.
func inOne(ctx context.Context, db *sql.DB, statements []string, args ...any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing is left after a commit
	for _, query := range statements {
		query = strings.ReplaceAll(query, anyHash, hashOn(db))
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return fmt.Errorf("%.200s: %w", query, err)
		}
	}
	return tx.Commit()
}

// hashOn is a hash as each engine writes bytes.
func hashOn(db *sql.DB) string {
	if _, is := db.Driver().(*stdlib.Driver); is {
		return `'\x` + strings.Repeat("5a", 32) + `'::bytea`
	}
	return `X'` + strings.Repeat("5a", 32) + `'`
}

// settleDown sets the ends of the logs and brings a filled database to the state
// in which an old one is.
func settleDown(ctx context.Context, db *sql.DB, dir string) error {
	if err := inOne(ctx, db, []string{`DELETE FROM event_log`, `INSERT INTO event_log (merchant, last_position, last_hash, last_transfer, last_transfer_hash)
		SELECT merchant, max(position), ` + anyHash + `, (SELECT max(position) FROM transfer WHERE transfer.merchant = event.merchant), ` + anyHash + ` FROM event GROUP BY merchant`}); err != nil {
		return err
	}
	var rest []string
	if databaseOf(dir) != "" {
		rest = append(rest, `VACUUM (ANALYZE)`, `CHECKPOINT`)
	}
	for _, query := range rest {
		if _, err := db.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// loadBlock is how many escrows are written before the next table's turn.
const loadBlock = 1_000

// wakeAt is when escrow i is due, as SQL.
func wakeAt(open, due int, now time.Time) string {
	return fmt.Sprintf("CASE WHEN i < %d THEN %d + i ELSE %d + (i - %d) / %d * %d END", firstOpen+open, now.AddDate(0, 0, 2).UnixMicro(),
		dueAt(now, 0).UnixMicro(), firstOpen+open, max(due, 1), time.Minute.Microseconds())
}

// series is the numbers from $1 to $2 on either engine.
const series = `WITH RECURSIVE n(i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $2) `

// anyHash stands for a hash of the books in a statement; inOne puts in a text of
// its length, because no SQL can compute it. Nobody verifies these books.
const anyHash = "a hash"

// copies are statements that write the rows of a step for the numbers from $1 to
// $2 under another merchant. Positions in the logs count on from after so many
// escrows of the first step. instead gives columns other values, by table and
// column; rows of tables in skip are left out.
func (t *template) copies(step int, merchant string, after int, instead map[string]string, skip ...string) (out []string) {
	seen := map[string]int{}
	for _, c := range t.steps[step] {
		if slices.Contains(skip, c.table) {
			continue
		}
		seen[c.table]++
		values := make([]string, len(c.cells))
		for j := range c.cells {
			position := fmt.Sprintf("(i - %d) * %d + %d", firstOpen, t.count(step, c.table), after*t.count(0, c.table)+seen[c.table])
			values[j] = strings.ReplaceAll(expression(&c.cells[j], position), t.merchant, merchant)
			if j < len(c.columns) {
				values[j] = cmp.Or(instead[c.table+"."+c.columns[j]], values[j])
			}
		}
		out = append(out, c.inSeries(values))
	}
	return out
}

// count is how many rows of a table a step inserts.
func (t *template) count(step int, table string) (n int) {
	for _, c := range t.steps[step] {
		if c.table == table && c.isInsert {
			n++
		}
	}
	return n
}

// inSeries is the change for every number of a series.
func (c *change) inSeries(values []string) string {
	if c.isInsert {
		return series + fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s FROM n`, c.table, strings.Join(c.columns, ", "), strings.Join(values, ", "))
	}
	var sets, wheres []string
	for i, column := range c.columns {
		sets = append(sets, column+" = "+values[i])
	}
	for i, key := range c.keys {
		wheres = append(wheres, c.table+"."+key+" = "+values[len(c.columns)+i])
	}
	return series + fmt.Sprintf(`UPDATE %s SET %s FROM n WHERE %s`, c.table, strings.Join(sets, ", "), strings.Join(wheres, " AND "))
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
		case []byte:
			return anyHash
		case string:
			return quoted(v)
		default:
			return fmt.Sprint(v)
		}
	}
	forms := [len(names{})]string{"'imp_' || " + padded("i", 12), "'9' || " + padded("i", 13), "'order-' || " + padded("i", 10), "'6' || " + padded("i", 11), padded("i", 64)}
	out := quoted(c.parts[0])
	for k, name := range c.names {
		out += " || " + forms[name] + " || " + quoted(c.parts[k+1])
	}
	return out
}

// padded is a number as text with zeros before it, on either engine.
func padded(number string, width int) string {
	return fmt.Sprintf("substr('%s' || CAST(%s AS TEXT), length(CAST(%s AS TEXT)) + 1)", strings.Repeat("0", width), number, number)
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// door is the door alone, without loops, on a clock that is moved by hand.
type door struct {
	app   *app.App
	store *store.Store
	clock *clock.Manual
}

func openDoor(ctx context.Context, dir string, at time.Time) (*door, error) {
	s, err := openStore(ctx, dir)
	if err != nil {
		return nil, err
	}
	d := &door{store: s, clock: clock.NewManual(at)}
	d.app, err = app.New(ctx, app.Config{
		Store: s, Clock: d.clock, Bank: noBank{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Secret: make([]byte, 32), ReplaceSecret: true, BaseURL: "http://127.0.0.1:8080",
	})
	return d, err
}

func openStore(ctx context.Context, dir string) (*store.Store, error) {
	if url := databaseOf(dir); url != "" {
		return store.OpenPostgres(ctx, string(url), store.PostgresOptions{})
	}
	return store.OpenSQLite(ctx, filepath.Join(dir, "holdfast.db"))
}

func (d *door) close() error { return d.store.Close() }

// settlePage is how many merchants are taken at once, as the loops do.
const settlePage = 100

// sweep lets time act on everything that is due, and counts it.
func (d *door) sweep(ctx context.Context) (swept int, err error) {
	for {
		_, changed, err := d.app.TickDue(ctx, "", work.SweepPage)
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

// pay settles merchants after one in the order of ids, up to a number of them,
// and returns the last.
func (d *door) pay(ctx context.Context, after string, merchants int) (string, error) {
	for paid := 0; paid < merchants; {
		ids, err := d.app.DueSettlements(ctx, after, min(settlePage, merchants-paid))
		if err != nil || len(ids) == 0 {
			return after, errors.Join(err, fmt.Errorf("%d merchants of %d had something to be paid out", paid, merchants))
		}
		done, err := d.app.SettleAll(ctx, ids)
		if err != nil || done != len(ids) {
			return after, errors.Join(err, fmt.Errorf("%d merchants of %d were settled", done, len(ids)))
		}
		after = ids[len(ids)-1]
		paid += len(ids)
	}
	return after, nil
}
