package store

import (
	"strings"

	"github.com/holdfast-pay/holdfast/internal/recon"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// payoutRow is a payout in the words of recon.
type payoutRow struct{ recon.Payout }

func scanPayoutRow(rows rowSet) (out payoutRow, err error) {
	p, err := scanPayout(rows)
	out.Payout = recon.Payout{
		Merchant: p.Merchant, ID: p.ID, State: string(p.State), Gross: int64(p.Gross), Fee: int64(p.Fee), VAT: int64(p.VAT),
		Deducted: int64(p.Deducted), FromDue: int64(p.FromDue), Amount: int64(p.Amount), Lines: p.Lines,
		Order: recon.Due{Recorded: p.State == settle.PayoutOrdered, Order: recon.Order{
			Key: p.Key(), Of: p.ID, Kind: OrderPayout, Amount: int64(p.Amount), Bank: p.Bank, Number: p.Number, Holder: p.Holder,
		}},
	}
	return out, err
}

// refBooks reads everything that belongs to the ids between two.
func (q *queries) refBooks(merchant, low, high string) (map[string]*refBooks, error) {
	refs := map[string]*refBooks{}
	of := func(id string) *refBooks {
		if refs[id] == nil {
			refs[id] = &refBooks{}
		}
		return refs[id]
	}
	for _, read := range []func() error{
		func() error {
			return each(q, scanSummedPayment, func(p summedPayment) { of(p.id).payment = &p },
				`SELECT `+paymentColumns+`, words, sum FROM payment WHERE merchant = $1 AND id >= $2 AND id <= $3`, merchant, low, high)
		},
		func() error {
			return each(q, scanPayoutRow, func(p payoutRow) { of(p.ID).payout = &p },
				`SELECT `+payoutColumns+` FROM payout WHERE merchant = $1 AND id >= $2 AND id <= $3`, merchant, low, high)
		},
		func() error { return q.sumsBetween(merchant, low, high, of) },
		func() error { return q.numbersBetween(merchant, low, high, of) },
		func() error {
			return each(q, scanSummedLine, func(l summedLine) {
				b := of(l.Payment)
				b.lines = append(b.lines, l.forAudit())
			}, `SELECT `+lineColumns+`, sum FROM settlement_line WHERE merchant = $1 AND payment >= $2 AND payment <= $3`, merchant, low, high)
		},
		func() error { return q.takenBetween(merchant, low, high, of) },
		func() error {
			return each(q, scanOrder, func(o BankOrder) {
				b := of(o.Ref)
				b.orders = append(b.orders, recon.Order{
					Key: o.Key, Of: o.Key[:max(0, strings.LastIndexByte(o.Key, '-'))], Kind: o.Kind, Amount: int64(o.Amount),
					Bank: o.Account.Bank, Number: o.Account.Number, Holder: o.Account.Holder,
				})
			}, `SELECT `+orderColumns+` FROM bank_order WHERE merchant = $1 AND ref >= $2 AND ref <= $3`, merchant, low, high)
		},
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return refs, nil
}

// each runs a query and takes every row.
func each[T any](q *queries, scan func(rowSet) (T, error), take func(T), query string, args ...any) error {
	rows, err := all(q, scan, query, args...)
	for _, r := range rows {
		take(r)
	}
	return err
}

// sumsBetween adds up the transfers by what they belong to and their accounts.
func (q *queries) sumsBetween(merchant, low, high string, of func(string) *refBooks) error {
	return each(q, func(rows rowSet) (s recon.Sum, err error) {
		err = rows.Scan(&s.Ref, (*string)(&s.Debit), (*string)(&s.Credit), &s.Amount, &s.Unplaced, &s.Told)
		return s, err
	}, func(s recon.Sum) { of(s.Ref).moved = append(of(s.Ref).moved, s) },
		`SELECT ref, debit, credit, CAST(sum(amount) AS BIGINT), count(*) - count(position), CAST(sum(CASE WHEN n >= $4 THEN 1 ELSE 0 END) AS BIGINT)
		FROM transfer WHERE merchant = $1 AND ref >= $2 AND ref <= $3 GROUP BY ref, debit, credit`,
		merchant, low, high, VersionTold*versionStep)
}

func (q *queries) numbersBetween(merchant, low, high string, of func(string) *refBooks) error {
	type row struct {
		id string
		recon.Numbers
	}
	return each(q, func(rows rowSet) (r row, err error) {
		err = rows.Scan(&r.id, &r.Count, &r.Least, &r.Most)
		return r, err
	}, func(r row) { of(r.id).numbers = r.Numbers },
		`SELECT payment, count(*), min(seq), max(seq) FROM event WHERE merchant = $1 AND payment >= $2 AND payment <= $3 GROUP BY payment`, merchant, low, high)
}

// takenBetween adds up the lines that payouts have taken.
func (q *queries) takenBetween(merchant, low, high string, of func(string) *refBooks) error {
	type row struct {
		payout string
		recon.PayoutLines
	}
	return each(q, func(rows rowSet) (r row, err error) {
		err = rows.Scan(&r.payout, &r.Gross, &r.Fee, &r.VAT, &r.Deducted, &r.FromDue, &r.Net, &r.Lines)
		return r, err
	}, func(r row) { of(r.payout).taken = r.PayoutLines },
		`SELECT payout, `+lineSums+` FROM settlement_line WHERE merchant = $1 AND payout IS NOT NULL AND payout >= $2 AND payout <= $3 GROUP BY payout`, merchant, low, high)
}

// forAudit is the line in the words of recon.
func (l *summedLine) forAudit() recon.LineSum {
	out := recon.LineSum{Line: l.Line, Held: l.held == 1, Has: l.has}
	if l.payout != nil {
		out.Payout = *l.payout
	}
	return out
}
