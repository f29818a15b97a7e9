package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is open of each kind of owed work, word for word as in the partial index
// that holds little else: mail_due, webhook_lane, bank_order_due.
const (
	pending    = `state = 'pending'`
	unanswered = `state IN ('pending', 'asked')`
	// whenever is true of every row. With it the planner looks for a merchant's open
	// work in that index, and not among all that the merchant ever had.
	whenever = `due_at > 0`
)

// owedWork is a kind of owed work: its table, the key beside the merchant, the
// condition of what is open, and the columns of an answer.
type owedWork struct{ table, key, open, columns string }

// The kinds of owed work.
var (
	mailWork    = owedWork{"mail", "id", pending, mailColumns}
	webhookWork = owedWork{"webhook", "id", pending, webhookColumns}
	orderWork   = owedWork{"bank_order", "key", unanswered, orderColumns}
)

// claim is one claim of owed work: who asks, and for what.
type claim[T any] struct {
	owedWork
	t          *Tx
	scan       func(rowSet) (T, error)
	now, lease time.Time // the lease ends then
}

func newClaim[T any](t *Tx, w owedWork, scan func(rowSet) (T, error), now time.Time, lease time.Duration) claim[T] {
	return claim[T]{w, t, scan, now, now.Add(lease)}
}

// of takes up to limit of what is due, of one merchant or of all.
func (c claim[T]) of(merchant string, limit int) ([]T, error) {
	switch {
	case !storable([]any{merchant}):
		return nil, nil
	case merchant != "":
		return c.take(ofMerchant(merchant, limit))
	case c.t.spread:
		return c.byMerchant(limit)
	}
	return c.take(share{n: limit})
}

// notIn chooses merchants that a parameter made by listed does not name.
func notIn(parameter string) string { return parameter + ` NOT LIKE '%,' || merchant || ',%'` }

func listed(merchants []string) string { return "," + strings.Join(merchants, ",") + "," }

// share is how much is taken of some of the work: of a merchant, or of one of its
// endpoints. among is the condition that says so, with args from $4.
type share struct {
	n     int
	among string
	args  []any
	// besides is a further condition of what is taken.
	besides string
}

func ofMerchant(id string, n int) share {
	return share{n: n, among: ` AND merchant = $4`, args: []any{id}}
}

// take is the one shape of taking owed work: lease what is due by moving its due
// time, and answer with the rows. What another claim is taking is passed over.
func (c claim[T]) take(shares ...share) (out []T, err error) {
	ask := make([]question, len(shares))
	for i, s := range shares {
		ask[i] = question{c.text(s), append([]any{c.now.UnixMicro(), s.n, c.lease.UnixMicro()}, s.args...)}
	}
	err = c.t.group.tx.many(ask, func(i int, rows rowSet) error {
		v, err := c.scan(rows)
		out = append(out, v)
		shares[i].n--
		return err
	})
	return out, c.t.classify(err)
}

// text is the statement of take. What changes the rows names the merchant again
// only where it decides on which server that is: elsewhere it would tempt a
// planner without statistics away from the keys that were found.
func (c claim[T]) text(s share) string {
	again := ` AND ` + c.open
	if c.t.spread {
		again = s.among
	}
	return `WITH due AS MATERIALIZED (
			SELECT merchant, ` + c.key + ` FROM ` + c.table + ` WHERE ` + c.open + ` AND due_at <= $1` + s.among + s.besides + ` ORDER BY due_at LIMIT $2` + c.t.skip + `
		)
		UPDATE ` + c.table + ` SET due_at = $3, attempts = attempts + 1, leased = ` + strconv.FormatInt(c.t.holder, 10) + `
		WHERE (merchant, ` + c.key + `) IN (SELECT merchant, ` + c.key + ` FROM due)` + again + ` RETURNING ` + c.columns
}

// claimRounds bounds how often a claim looks again when others hold what it found.
const claimRounds = 4

// byMerchant claims where the rows of merchants lie on several servers and what
// locks and changes must name the merchant: whose work is due is found first,
// without a lock, and then taken merchant by merchant in one journey. Merchants
// that had less than was found, because others are taking it, are passed over.
func (c claim[T]) byMerchant(limit int) (out []T, err error) {
	var skip []string
	for range claimRounds {
		merchants, shares, err := c.whose(skip, limit-len(out))
		if err != nil {
			return nil, err
		}
		taken, err := c.take(shares...)
		if err != nil {
			return nil, err
		}
		out = append(out, taken...)
		before := len(skip)
		for i, s := range shares {
			if s.n > 0 {
				skip = append(skip, merchants[i])
			}
		}
		if len(skip) == before {
			break
		}
	}
	return out, nil
}

// whose finds the merchants of the work that is due the longest, with each one's share.
func (c claim[T]) whose(skip []string, limit int) (merchants []string, shares []share, err error) {
	shares, err = all(&c.t.queries, func(rows rowSet) (share, error) {
		var merchant string
		var n int
		err := rows.Scan(&merchant, &n)
		merchants = append(merchants, merchant)
		return ofMerchant(merchant, n), err
	}, `SELECT merchant, count(*) FROM (
			SELECT merchant FROM `+c.table+` WHERE `+c.open+` AND due_at <= $1 AND `+notIn("$3")+` ORDER BY due_at LIMIT $2
		) AS due GROUP BY merchant ORDER BY merchant`, c.now.UnixMicro(), limit, listed(skip))
	return merchants, shares, err
}

// FreeLeases makes due again what processes had taken that have ended without
// an outcome. Who has taken something is asked before who lives, so that a
// process that has just begun is not taken for one that has ended.
func (s *Store) FreeLeases(ctx context.Context) error {
	var holders []int64
	err := s.Read(ctx, func(r *Reader) (err error) {
		holders, err = all(&r.queries, scalar[int64], `SELECT leased FROM mail WHERE `+pending+` AND leased <> 0
			UNION SELECT leased FROM webhook WHERE `+pending+` AND leased <> 0
			UNION SELECT leased FROM bank_order WHERE `+unanswered+` AND leased <> 0`)
		return err
	})
	if err != nil {
		return err
	}
	living, known, err := s.engine.living(ctx)
	if !known || err != nil {
		return err
	}
	for _, holder := range holders {
		if holder == s.engine.holder() || slices.Contains(living, holder) {
			continue
		}
		for _, w := range []owedWork{mailWork, webhookWork, orderWork} {
			if err := s.Write(ctx, func(tx *Tx) error { return w.free(tx, holder) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// free makes due again what a process holds that has ended. A later call frees
// what is beyond the bound of an answer.
func (w owedWork) free(t *Tx, holder int64) error {
	held, err := all(&t.queries, scanRef, `SELECT merchant, `+w.key+` FROM `+w.table+` WHERE `+w.open+` AND leased = $1 ORDER BY merchant, `+w.key+` LIMIT $2`, holder, maxRows)
	for _, r := range held {
		if err := t.put(`UPDATE `+w.table+` SET leased = 0, due_at = created_at WHERE merchant = $1 AND `+w.key+` = $2 AND `+w.open+` AND leased = $3`,
			r.Merchant, r.ID, holder); err != nil {
			return err
		}
	}
	return err
}
