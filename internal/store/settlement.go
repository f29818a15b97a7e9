package store

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/recon"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// SettlementLine is a statement line with the payment it belongs to.
type SettlementLine struct {
	escrow.Line
	Merchant, Payment string
	Held              bool
	Payout            string
}

const lineColumns = `merchant, id, payment, kind, gross, fee, vat, net, from_due, at, paid_at, due_date, held, payout`

func scanLine(rows rowSet) (l SettlementLine, err error) {
	var at, paid, held int64
	var due string
	var payout *string
	if err = rows.Scan(&l.Merchant, &l.ID, &l.Payment, (*string)(&l.Kind), (*int64)(&l.Gross), (*int64)(&l.Fee), (*int64)(&l.VAT), (*int64)(&l.Net),
		(*int64)(&l.FromDue), &at, &paid, &due, &held, &payout); err != nil {
		return l, err
	}
	l.At, l.PaidAt, l.Held = micros(at).time(), micros(paid).time(), held == 1
	if payout != nil {
		l.Payout = *payout
	}
	l.DueDate, err = parseDate(due)
	return l, err
}

// DueSettlements returns, in the order of their ids, merchants after one that have
// unpaid lines due on or before a day. It asks once per merchant for one of its
// lines, however many there are: without LIMIT 1, SQLite turns EXISTS into a join,
// for which it reads all lines of all merchants for every page.
func (q *queries) DueSettlements(day bizday.Date, after string, limit int) ([]string, error) {
	return all(q, scalar[string], `SELECT m.id FROM merchant m WHERE m.id > $2 AND EXISTS (
			SELECT 1 FROM settlement_line l WHERE l.merchant = m.id AND l.payout IS NULL AND l.held = 0 AND l.due_date <= $1 LIMIT 1
		) ORDER BY m.id LIMIT $3`, day.String(), after, limit)
}

// lineSums are the sums of settlement lines in the order of settle.Sums.
const lineSums = `CAST(COALESCE(sum(CASE WHEN kind = 'sale' THEN gross ELSE 0 END), 0) AS BIGINT),
			CAST(COALESCE(sum(CASE WHEN kind = 'sale' THEN fee ELSE 0 END), 0) AS BIGINT), CAST(COALESCE(sum(CASE WHEN kind = 'sale' THEN vat ELSE 0 END), 0) AS BIGINT),
			CAST(COALESCE(-sum(CASE WHEN kind = 'sale' THEN 0 ELSE net END), 0) AS BIGINT),
			CAST(COALESCE(sum(from_due), 0) AS BIGINT), CAST(COALESCE(sum(net), 0) AS BIGINT), count(*)`

// DueSums adds up a merchant's unpaid lines that are due on or before a day.
func (q *queries) DueSums(merchant string, day bizday.Date) (settle.Sums, error) {
	return one(q, func(rows rowSet) (s settle.Sums, err error) {
		err = rows.Scan((*int64)(&s.Gross), (*int64)(&s.Fee), (*int64)(&s.VAT), (*int64)(&s.Deducted), (*int64)(&s.FromDue), (*int64)(&s.Net), &s.Lines)
		return s, err
	}, `SELECT `+lineSums+`
		FROM settlement_line WHERE merchant = $1 AND payout IS NULL AND held = 0 AND due_date <= $2`, merchant, day.String())
}

// TakeLines gives a merchant's due lines to a payout and returns how many.
func (t *Tx) TakeLines(merchant, payout string, day bizday.Date) (int64, error) {
	return t.now(`UPDATE settlement_line SET payout = $1 WHERE merchant = $2 AND payout IS NULL AND held = 0 AND due_date <= $3`, payout, merchant, day.String())
}

// SaleLeft is what the shop's payable still holds of a payment's sale: the net
// of its unpaid lines that is not a receivable already.
func (q *queries) SaleLeft(merchant, payment string) (money.Won, error) {
	return one(q, scalar[money.Won], `SELECT CAST(COALESCE(sum(net + from_due), 0) AS BIGINT) FROM settlement_line WHERE merchant = $1 AND payment = $2 AND payout IS NULL`, merchant, payment)
}

// Lines returns statement lines of a merchant: those of a payment, of a payout,
// or, with both empty, the ones no payout has taken yet.
func (q *queries) Lines(merchant, payment, payout string, offset, limit int) ([]SettlementLine, error) {
	const from = `SELECT ` + lineColumns + ` FROM settlement_line WHERE merchant = $1 AND `
	const page = ` ORDER BY due_date, id LIMIT $2 OFFSET $3`
	switch {
	case payment != "":
		return all(q, scanLine, from+`payment = $4`+page, merchant, limit, offset, payment)
	case payout != "":
		return all(q, scanLine, from+`payout = $4`+page, merchant, limit, offset, payout)
	}
	return all(q, scanLine, from+`payout IS NULL`+page, merchant, limit, offset)
}

// PaidLine is a line that a payout has taken, with the order that its payment is of;
// empty where the line is of no payment.
type PaidLine struct {
	SettlementLine
	OrderID string
}

// PayoutLines returns up to limit lines that a payout has taken, in the order of
// their ids after one: a page costs the same wherever it is.
func (q *queries) PayoutLines(merchant, payout, after string, limit int) ([]PaidLine, error) {
	return all(q, func(rows rowSet) (l PaidLine, err error) {
		l.SettlementLine, err = scanLine(besides{rows, &l.OrderID})
		return l, err
	}, `SELECT `+lineColumns+`, COALESCE((SELECT order_id FROM payment WHERE payment.merchant = $1 AND payment.id = settlement_line.payment), '')
		FROM settlement_line WHERE merchant = $1 AND payout = $2 AND id > $3 ORDER BY id LIMIT $4`, merchant, payout, after, limit)
}

// besides scans rows that have one more column.
type besides struct {
	rowSet
	last any
}

// Scan reads the columns and the one more.
func (b besides) Scan(dest ...any) error { return b.rowSet.Scan(append(dest, b.last)...) }

const payoutColumns = `merchant, id, date, gross, fee, vat, deducted, from_due, amount, lines, state, attempt, reason, bank, number, holder, order_at, done_at`

func scanPayout(rows rowSet) (p settle.Payout, err error) {
	var date string
	var order int64
	var done *int64
	if err = rows.Scan(&p.Merchant, &p.ID, &date, (*int64)(&p.Gross), (*int64)(&p.Fee), (*int64)(&p.VAT), (*int64)(&p.Deducted), (*int64)(&p.FromDue),
		(*int64)(&p.Amount), &p.Lines, (*string)(&p.State), &p.Attempt, &p.Reason, &p.Bank, &p.Number, &p.Holder, &order, &done); err != nil {
		return p, err
	}
	p.OrderAt, p.DoneAt = micros(order).time(), instant(done)
	p.Date, err = parseDate(date)
	return p, err
}

// InsertPayout records a payout. A second one of the same merchant and date is ErrExists.
func (t *Tx) InsertPayout(p settle.Payout) error {
	return t.put(`INSERT INTO payout (`+payoutColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		p.Merchant, p.ID, p.Date.String(), int64(p.Gross), int64(p.Fee), int64(p.VAT), int64(p.Deducted), int64(p.FromDue), int64(p.Amount), p.Lines,
		string(p.State), p.Attempt, p.Reason, p.Bank, p.Number, p.Holder, p.OrderAt.UnixMicro(), nullable(p.DoneAt))
}

// UpdatePayout records how far a payout has come.
func (t *Tx) UpdatePayout(p settle.Payout) error {
	return t.later(ErrNotFound, `UPDATE payout SET state = $1, attempt = $2, reason = $3, bank = $4, number = $5, holder = $6, done_at = $7 WHERE merchant = $8 AND id = $9`,
		string(p.State), p.Attempt, p.Reason, p.Bank, p.Number, p.Holder, nullable(p.DoneAt), p.Merchant, p.ID)
}

// Payout returns one payout.
func (q *queries) Payout(merchant, id string) (settle.Payout, error) {
	return one(q, scanPayout, `SELECT `+payoutColumns+` FROM payout WHERE merchant = $1 AND id = $2`+q.lock, merchant, id)
}

// Payouts returns a merchant's payouts, newest first.
func (q *queries) Payouts(merchant string, offset, limit int) ([]settle.Payout, error) {
	return all(q, scanPayout, `SELECT `+payoutColumns+` FROM payout WHERE merchant = $1 ORDER BY date DESC LIMIT $2 OFFSET $3`, merchant, limit, offset)
}

// HasPayoutOn reports whether the merchant's run of a date has been made.
func (q *queries) HasPayoutOn(merchant string, day bizday.Date) (bool, error) {
	n, err := one(q, scalar[int64], `SELECT count(*) FROM payout WHERE merchant = $1 AND date = $2`, merchant, day.String())
	return n > 0, err
}

// HasPayoutOn is the same in a transaction: until its end nobody else settles the merchant.
func (t *Tx) HasPayoutOn(merchant string, day bizday.Date) (bool, error) {
	if err := t.hold("settle", merchant); err != nil {
		return false, err
	}
	return t.queries.HasPayoutOn(merchant, day)
}

// Overrides returns the calendar's overrides.
func (q *queries) Overrides() ([]bizday.Override, error) {
	return all(q, func(rows rowSet) (o bizday.Override, err error) {
		var date string
		var closed int64
		if err = rows.Scan(&date, &closed, &o.Reason); err != nil {
			return o, err
		}
		o.Closed = closed == 1
		o.Date, err = parseDate(date)
		return o, err
	}, `SELECT date, closed, reason FROM calendar_override ORDER BY date`)
}

// PutOverride adds or replaces the override of a day.
func (t *Tx) PutOverride(o bizday.Override, at time.Time) error {
	if err := t.changeCalendar(); err != nil {
		return err
	}
	return t.put(`INSERT INTO calendar_override (date, closed, reason, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (date) DO UPDATE SET closed = excluded.closed, reason = excluded.reason, at = excluded.at`, o.Date.String(), bit(o.Closed), o.Reason, at.UnixMicro())
}

// DeleteOverride takes the override of a day back.
func (t *Tx) DeleteOverride(day bizday.Date) error {
	if err := t.changeCalendar(); err != nil {
		return err
	}
	return t.change(`DELETE FROM calendar_override WHERE date = $1`, day.String())
}

// PendingDeadlines returns payments that wait for their deadline, after a
// payment id, in order: the ones to recount when the calendar changes.
func (q *queries) PendingDeadlines(after Ref, limit int) ([]Ref, error) {
	return all(q, scanRef, `SELECT merchant, id FROM payment WHERE (merchant, id) > ($1, $2) AND state IN ('shipped', 'delivered') AND wake_at IS NOT NULL
		ORDER BY merchant, id LIMIT $3`, after.Merchant, after.ID, limit)
}

// ReturnLine gives a payout's amount back to the merchant as a line that waits,
// held, until somebody has seen to the account.
func (t *Tx) ReturnLine(p settle.Payout, at time.Time) error {
	return t.insertLine(&SettlementLine{
		Merchant: p.Merchant, Payment: p.ID, Held: true,
		Line: escrow.Line{ID: p.ID + "-back", Kind: LineReturned, Net: p.Amount, At: at, PaidAt: at, DueDate: bizday.DateOf(at)},
	})
}

// LineReturned is a line of money that a payout brought back; its payment is the payout.
const LineReturned escrow.LineKind = "returned"

// insertLine records a line that no payout has taken yet.
func (t *Tx) insertLine(l *SettlementLine) error {
	row := recon.Line{
		Merchant: l.Merchant, ID: l.ID, Payment: l.Payment, Kind: string(l.Kind), Gross: int64(l.Gross), Fee: int64(l.Fee), VAT: int64(l.VAT),
		Net: int64(l.Net), FromDue: int64(l.FromDue), At: l.At.UnixMicro(), PaidAt: int64(toMicros(l.PaidAt)), DueDate: l.DueDate.String(),
	}
	sum := row.Sum()
	return t.put(`INSERT INTO settlement_line (merchant, id, payment, kind, gross, fee, vat, net, from_due, at, paid_at, due_date, held, sum)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		row.Merchant, row.ID, row.Payment, row.Kind, row.Gross, row.Fee, row.VAT, row.Net, row.FromDue, row.At, row.PaidAt, row.DueDate, bit(l.Held), sum[:])
}

// FreeReturned lets returned money be paid out again.
func (t *Tx) FreeReturned(merchant string) error {
	return t.put(`UPDATE settlement_line SET held = 0 WHERE merchant = $1 AND kind = 'returned' AND payout IS NULL`, merchant)
}
