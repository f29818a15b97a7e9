package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/recon"
)

// Tail is what was written to a merchant's books since they were last verified.
type Tail struct {
	From, To recon.Head
	// Found is what does not agree in the new rows, and in the payments and payouts
	// that they belong to.
	Found []recon.Violation
	// More says that there are further new rows.
	More bool
	days map[string]int64
	// event and transfer are the hashes of the last rows as they were read; zero for none.
	event, transfer recon.Hash
}

// Unverified returns merchants whose books have grown since they were verified.
func (q *queries) Unverified(limit int) ([]string, error) {
	return all(q, scalar[string], `SELECT l.merchant FROM event_log l LEFT JOIN books_head h ON h.merchant = l.merchant
		WHERE COALESCE(h.position, 0) <> l.last_position OR COALESCE(h.transfer, 0) <> l.last_transfer ORDER BY l.merchant LIMIT $1`, limit)
}

// Tail verifies up to 1,000 new events and as many new transfers of a merchant.
func (s *Store) Tail(ctx context.Context, merchant string) (t Tail, err error) {
	err = s.Snapshot(ctx, func(r *Reader) error {
		t = Tail{days: map[string]int64{}}
		if t.From, err = r.booksHead(merchant); err != nil {
			return err
		}
		t.To = t.From
		end, err := r.logEnd(merchant)
		if err != nil {
			return err
		}
		refs := map[string]bool{}
		if err := errors.Join(r.tailEvents(&t, end, refs), r.tailTransfers(&t, end, refs)); err != nil {
			return err
		}
		for _, ref := range slices.Sorted(maps.Keys(refs)) {
			found, err := r.compare(merchant, ref, ref)
			if err != nil {
				return err
			}
			t.Found = append(t.Found, found...)
		}
		return nil
	})
	return t, err
}

func (q *queries) tailEvents(t *Tail, end logEnd, refs map[string]bool) error {
	rows, err := all(q, scanChainedEvent, chainedEvents, t.From.Merchant, t.From.Position, auditPage)
	c := recon.Chain{Merchant: t.From.Merchant, Of: "event", Position: t.From.Position, Hash: t.From.Hash}
	for i := range rows {
		e := &rows[i]
		t.Found = append(t.Found, c.Next(e.Position, e.Payment, e.has, e.Link)...)
		refs[e.Payment], t.event = true, e.has
	}
	t.To.Position, t.To.Hash = c.Position, c.Hash
	if t.More = t.More || len(rows) == auditPage; len(rows) < auditPage {
		t.Found = append(t.Found, c.End(end.position, end.hash)...)
	}
	return err
}

func (q *queries) tailTransfers(t *Tail, end logEnd, refs map[string]bool) error {
	rows, err := all(q, scanChainedTransfer, chainedTransfers, t.From.Merchant, t.From.Transfer, auditPage)
	c := recon.Chain{Merchant: t.From.Merchant, Of: "transfer", Position: t.From.Transfer, Hash: t.From.TransferHash}
	for i := range rows {
		x := &rows[i]
		t.Found = append(t.Found, c.Next(x.Position, x.Ref, x.has, x.Link)...)
		refs[x.Ref], t.transfer = true, x.has
		if day, change := heldBy(&x.Transfer); change != 0 {
			t.days[day] += change
		}
	}
	t.To.Transfer, t.To.TransferHash = c.Position, c.Hash
	if t.More = t.More || len(rows) == auditPage; len(rows) < auditPage {
		t.Found = append(t.Found, c.End(end.transfer, end.transferHash)...)
	}
	return err
}

// Verified keeps the end up to which a tail was verified, and adds its days. If
// somebody else has done it meanwhile, or the rows that were read are not those
// that stand there (they were gone after a failover), it is ErrStale and nothing
// is kept.
func (t *Tx) Verified(tail *Tail, at time.Time) error {
	from, to := &tail.From, &tail.To
	if from.Position == 0 && from.Transfer == 0 {
		if err := t.put(`INSERT INTO books_head (merchant, position, transfer, at) VALUES ($1, 0, 0, $2) ON CONFLICT (merchant) DO NOTHING`, to.Merchant, at.UnixMicro()); err != nil {
			return err
		}
	}
	n, err := t.now(`UPDATE books_head SET position = $1, hash = $2, transfer = $3, transfer_hash = $4, at = $5 WHERE merchant = $6 AND position = $7 AND transfer = $8`,
		to.Position, hashColumn(to.Hash), to.Transfer, hashColumn(to.TransferHash), at.UnixMicro(), to.Merchant, from.Position, from.Transfer)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrStale
	}
	for _, last := range []struct {
		query    string
		position int64
		read     recon.Hash
	}{
		{`SELECT hash FROM event WHERE merchant = $1 AND position = $2`, to.Position, tail.event},
		{`SELECT hash FROM transfer WHERE merchant = $1 AND position = $2`, to.Transfer, tail.transfer},
	} {
		if last.read == (recon.Hash{}) { // none were read
			continue
		}
		stands, err := one(&t.queries, scalar[[]byte], last.query, to.Merchant, last.position)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if recon.ReadHash(stands) != last.read {
			return ErrStale
		}
	}
	for _, day := range slices.Sorted(maps.Keys(tail.days)) {
		if err := t.put(`INSERT INTO held_day (merchant, day, change) VALUES ($1, $2, $3)
			ON CONFLICT (merchant, day) DO UPDATE SET change = held_day.change + excluded.change`, to.Merchant, day, tail.days[day]); err != nil {
			return err
		}
	}
	return nil
}

// OpenViolation is a violation that nobody has released.
type OpenViolation struct {
	recon.Violation
	FoundAt, SeenAt time.Time
}

// OpenViolations are the violations that stop payouts, the oldest first.
func (q *queries) OpenViolations(limit int) ([]OpenViolation, error) {
	return all(q, func(rows rowSet) (v OpenViolation, err error) {
		var found, seen int64
		err = rows.Scan(&v.Merchant, (*string)(&v.Kind), &v.Of, &v.Ref, &v.Position, &v.Want, &v.Got, &found, &seen)
		v.FoundAt, v.SeenAt = micros(found).time(), micros(seen).time()
		return v, err
	}, `SELECT merchant, kind, subject, ref, position, want, got, found_at, seen_at FROM books_violation WHERE released_at IS NULL ORDER BY found_at LIMIT $1`, limit)
}

// PayoutsStopped reports whether a violation of the books stops payouts.
func (q *queries) PayoutsStopped() (bool, error) {
	n, err := one(q, scalar[int64], `SELECT CASE WHEN EXISTS (SELECT 1 FROM books_violation WHERE released_at IS NULL) THEN 1 ELSE 0 END`)
	return n > 0, err
}

// ReleasedViolations is how many violations were found and released, whether the
// same still stands there or not.
func (q *queries) ReleasedViolations() (int64, error) {
	return one(q, scalar[int64], `SELECT count(*) FROM books_violation WHERE released_at IS NOT NULL`)
}

// RecordViolation keeps a violation and reports whether it stops payouts from now
// on. One that was released stays released for as long as the same stands there.
func (t *Tx) RecordViolation(v recon.Violation, at time.Time) (fresh bool, err error) {
	n, err := t.now(`INSERT INTO books_violation (merchant, id, kind, subject, ref, position, want, got, found_at, seen_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT (merchant, id) DO NOTHING`,
		v.Merchant, v.ID(), string(v.Kind), v.Of, v.Ref, v.Position, v.Want, v.Got, at.UnixMicro())
	if err != nil || n > 0 {
		return n > 0, err
	}
	n, err = t.now(`UPDATE books_violation SET want = $1, got = $2, found_at = $3, seen_at = $3, released_at = NULL
		WHERE merchant = $4 AND id = $5 AND released_at IS NOT NULL AND (want <> $1 OR got <> $2)`, v.Want, v.Got, at.UnixMicro(), v.Merchant, v.ID())
	if err != nil || n > 0 {
		return n > 0, err
	}
	return false, t.put(`UPDATE books_violation SET want = $1, got = $2, seen_at = $3 WHERE merchant = $4 AND id = $5`, v.Want, v.Got, at.UnixMicro(), v.Merchant, v.ID())
}

// ReleaseViolations lets payouts go on and returns how many violations stopped them.
func (t *Tx) ReleaseViolations(by, reason string, at time.Time) (int64, error) {
	return t.now(`UPDATE books_violation SET released_at = $1, released_by = $2, reason = $3 WHERE released_at IS NULL`, at.UnixMicro(), by, reason)
}

// Lap is how far the walk through all books has come.
type Lap struct {
	Place Place     `json:"place"`
	Began time.Time `json:"began"`
	// Done is when a walk last came to its end; zero if never.
	Done time.Time `json:"done,omitzero"`
	// version is that of the row while it is leased.
	version int64
}

const noteLap = "lap"

// Lap is how far the walk has come.
func (q *queries) Lap() (Lap, error) {
	l, err := one(q, scanLap, `SELECT version, doc FROM books_state WHERE name = $1`, noteLap)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return l, err
}

func scanLap(rows rowSet) (l Lap, err error) {
	var doc string
	if err = rows.Scan(&l.version, &doc); err != nil || doc == "" {
		return l, err
	}
	version := l.version
	if err = json.Unmarshal([]byte(doc), &l); err != nil {
		return Lap{}, fmt.Errorf("store: the note of the audit cannot be read: %w", err)
	}
	l.version = version
	return l, nil
}

// LeaseLap takes the walk until an instant, or says that another node has it. A
// lease by a clock that was wrong counts as that of TakeLease does.
func (t *Tx) LeaseLap(now, until time.Time) (l Lap, taken bool, err error) {
	if err := t.put(`INSERT INTO books_state (name, version, leased_until, doc) VALUES ($1, 0, 0, '') ON CONFLICT (name) DO NOTHING`, noteLap); err != nil {
		return l, false, err
	}
	l, err = one(&t.queries, scanLap, `UPDATE books_state SET version = version + 1, leased_until = $1 WHERE name = $2 AND (leased_until <= $3 OR leased_until > $4) RETURNING version, doc`,
		until.UnixMicro(), noteLap, now.UnixMicro(), believable(now, until).UnixMicro())
	if errors.Is(err, ErrNotFound) {
		return l, false, nil
	}
	return l, err == nil, err
}

// SaveLap keeps how far the walk has come, and the lease until an instant. If
// another node has taken it, it is ErrStale.
func (t *Tx) SaveLap(l *Lap, until time.Time) error {
	doc, err := document(l)
	if err != nil {
		return err
	}
	return t.later(ErrStale, `UPDATE books_state SET leased_until = $1, doc = $2 WHERE name = $3 AND version = $4`, until.UnixMicro(), doc, noteLap, l.version)
}
