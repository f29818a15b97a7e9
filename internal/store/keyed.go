package store

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Requests that carry an idempotency key. A row says under its run who carries
// the request out, and what it has done so far; every transaction in which it acts
// proves in that row that the run is still its own. So of two executions of one
// request at most one acts, however late the other wakes up.

// ErrFenced: the request is carried out by another one since, or was forgotten.
// Nothing of the transaction remains.
var ErrFenced = errors.New("store: the request is carried out by another one since")

// KeyedRequest is a request with an idempotency key.
type KeyedRequest struct {
	// Merchant is whose credentials came with it; empty for the operator's.
	Merchant string
	// Key is the hash of the key that the caller chose.
	Key string
	// Print is the hash of what was asked for.
	Print string
	// Run names the execution; each has a name of its own.
	Run string
	// Holder is the process of the execution, 0 when there is none.
	Holder int64
	// LeasedUntil is when another one may go on with it, by the machine's clock.
	LeasedUntil time.Time
	// Acts is in how many transactions it has acted, and Doc what came of them.
	Acts int
	Doc  []byte
	// Status and Answer are what was answered; 0 while there is no answer.
	Status int
	Answer []byte
	// CreatedAt is when the key came first, by the machine's clock.
	CreatedAt time.Time
}

const keyedColumns = `merchant, key, print, run, holder, leased_until, acts, doc, status, answer, created_at`

func scanKeyed(rows rowSet) (k KeyedRequest, err error) {
	var until, created int64
	err = rows.Scan(&k.Merchant, &k.Key, &k.Print, &k.Run, &k.Holder, &until, &k.Acts, &k.Doc, &k.Status, &k.Answer, &created)
	k.LeasedUntil, k.CreatedAt = micros(until).time(), micros(created).time()
	return k, err
}

// KeyedRequest returns the request of a key, or ErrNotFound. In a transaction it
// is locked until the end.
func (q *queries) KeyedRequest(merchant, key string) (KeyedRequest, error) {
	return one(q, scanKeyed, `SELECT `+keyedColumns+` FROM keyed_request WHERE merchant = $1 AND key = $2`+q.lock, merchant, key)
}

// BeginKeyed records a request whose key is new; one that another transaction has
// brought meanwhile is ErrLeased.
func (t *Tx) BeginKeyed(k KeyedRequest) error {
	return t.later(ErrLeased, `INSERT INTO keyed_request (`+keyedColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (merchant, key) DO NOTHING`,
		k.Merchant, k.Key, k.Print, k.Run, k.Holder, k.LeasedUntil.UnixMicro(), k.Acts, some(k.Doc), k.Status, some(k.Answer), k.CreatedAt.UnixMicro())
}

// TakeKeyed puts a request in the place of the one that had the run was; ErrLeased
// if another one did so before.
func (t *Tx) TakeKeyed(k KeyedRequest, was string) error {
	return t.later(ErrLeased, `UPDATE keyed_request SET print = $1, run = $2, holder = $3, leased_until = $4, acts = $5, doc = $6, status = $7, answer = $8, created_at = $9
		WHERE merchant = $10 AND key = $11 AND run = $12`,
		k.Print, k.Run, k.Holder, k.LeasedUntil.UnixMicro(), k.Acts, some(k.Doc), k.Status, some(k.Answer), k.CreatedAt.UnixMicro(), k.Merchant, k.Key, was)
}

// KeyedActed records, in the transaction of the act itself, that the request has
// acted once more: k.Acts and k.Doc are as they are with it. A run that is not the
// row's any more is ErrFenced.
func (t *Tx) KeyedActed(k KeyedRequest) error {
	return t.later(ErrFenced, `UPDATE keyed_request SET acts = $1, doc = $2 WHERE merchant = $3 AND key = $4 AND run = $5 AND acts = $6 AND status = 0`,
		k.Acts, some(k.Doc), k.Merchant, k.Key, k.Run, k.Acts-1)
}

// KeyedAnswered records the answer, which ends the execution. A run that is not
// the row's any more is ErrFenced.
func (t *Tx) KeyedAnswered(k KeyedRequest) error {
	return t.later(ErrFenced, `UPDATE keyed_request SET status = $1, answer = $2, doc = $3, holder = 0, leased_until = 0 WHERE merchant = $4 AND key = $5 AND run = $6 AND status = 0`,
		k.Status, some(k.Answer), []byte{}, k.Merchant, k.Key, k.Run)
}

// FreeKeyed ends an execution without an answer. A request that has not acted is
// forgotten; one that has is left to whoever repeats it.
func (t *Tx) FreeKeyed(merchant, key, run string) error {
	if err := t.put(`DELETE FROM keyed_request WHERE merchant = $1 AND key = $2 AND run = $3 AND acts = 0 AND status = 0`, merchant, key, run); err != nil {
		return err
	}
	return t.put(`UPDATE keyed_request SET holder = 0, leased_until = 0 WHERE merchant = $1 AND key = $2 AND run = $3`, merchant, key, run)
}

// KeepKeyed prolongs the lease of an execution; one that has ended stays so.
func (t *Tx) KeepKeyed(merchant, key, run string, until time.Time) error {
	return t.put(`UPDATE keyed_request SET leased_until = $1 WHERE merchant = $2 AND key = $3 AND run = $4 AND holder <> 0`, until.UnixMicro(), merchant, key, run)
}

// OldKeyed finds up to limit requests whose key came first at or before an
// instant; nobody may be carrying them out.
func (q *queries) OldKeyed(created, now time.Time, limit int) ([]Ref, error) {
	return all(q, scanRef, `SELECT merchant, key FROM keyed_request WHERE created_at <= $1 AND leased_until <= $2 ORDER BY created_at LIMIT $3`,
		created.UnixMicro(), now.UnixMicro(), limit)
}

// ForgetKeyed forgets one of them, if it still is one.
func (t *Tx) ForgetKeyed(merchant, key string, created, now time.Time) error {
	return t.put(`DELETE FROM keyed_request WHERE merchant = $1 AND key = $2 AND created_at <= $3 AND leased_until <= $4`,
		merchant, key, created.UnixMicro(), now.UnixMicro())
}

// Holder is the number under which this process takes work.
func (s *Store) Holder() int64 { return s.engine.holder() }

// Ended reports whether a process that has taken something is known to have ended.
// It is asked after who has taken it was read.
func (s *Store) Ended(ctx context.Context, holder int64) (bool, error) {
	living, known, err := s.engine.living(ctx)
	return known && err == nil && !slices.Contains(living, holder), err
}

// some is bytes that are not null.
func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
