package store

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/merchant"
)

// What several nodes on one database need to be right without a leader: what
// they agree on, what one of them does at a time, and the means by which a
// decision is made by settings that are true inside its transaction.

// calendar is the name of the calendar in what nodes agree on, and of the lock
// under which it changes.
const calendar = "calendar"

// Alone reports whether this process is the only one that writes to the
// database: what it remembers of it is then true.
func (s *Store) Alone() bool { return s.engine.joinable() }

// standing are the versions of the settings that the group's functions decide
// by, as they are in the transaction.
type standing struct {
	merchants map[string]int64
	calendar  *int64 // nil when it has not been read
}

// settingsChanged lets the version of a merchant's settings be read anew, and
// once more if the function that changed them comes to nothing.
func (t *Tx) settingsChanged(id string) {
	forget := func() { delete(t.group.standing.merchants, id) }
	forget()
	t.group.undone = append(t.group.undone, forget)
}

const (
	merchantVersion  = `SELECT version FROM merchant WHERE id = $1`
	agreedValue      = `SELECT value FROM agreement WHERE name = $1`
	calendarRevision = `SELECT revision FROM agreement WHERE name = 'calendar'`
	recountLeft      = `SELECT count(*) FROM agreement c, agreement r WHERE c.name = 'calendar' AND r.name = 'recounted' AND r.revision < c.revision`
)

// MerchantVersion is the version of a merchant's settings that is true in this
// transaction, or ErrNotFound. The merchants of the function's hints cost no journey.
func (t *Tx) MerchantVersion(id string) (int64, error) {
	if v, known := t.group.standing.merchants[id]; known {
		return v, nil
	}
	v, err := one(&t.queries, scalar[int64], merchantVersion, id)
	if err == nil {
		t.group.standing.merchants[id] = v
	}
	return v, err
}

// MerchantUnlocked is the merchant as it stands in the transaction. Unlike that
// of Merchant its row is not locked: others may change it meanwhile.
func (t *Tx) MerchantUnlocked(id string) (merchant.Merchant, error) {
	q := t.queries
	q.lock = ""
	return q.Merchant(id)
}

// CalendarRevision is the number of the calendar's last change. The calendar
// stays as it is until the end of the transaction.
func (t *Tx) CalendarRevision() (int64, error) {
	if known := t.group.standing.calendar; known != nil {
		return *known, nil
	}
	if err := t.classify(t.group.tx.share(calendar)); err != nil {
		return 0, err
	}
	v, err := one(&t.queries, scalar[int64], calendarRevision)
	if err == nil {
		t.group.standing.calendar = &v
	}
	return v, err
}

// CalendarRevision is the number of the calendar's last change that is committed.
func (r *Reader) CalendarRevision() (int64, error) {
	return one(&r.queries, scalar[int64], calendarRevision)
}

// RecountLeft reports whether there are changes of the calendar by which not all
// pending deadlines have been counted anew.
func (r *Reader) RecountLeft() (bool, error) {
	n, err := one(&r.queries, scalar[int64], recountLeft)
	return n > 0, err
}

// Recounted says that all pending deadlines have been counted by a calendar of
// this number. One that is older than what was said before changes nothing.
func (t *Tx) Recounted(revision int64) error {
	return t.put(`UPDATE agreement SET revision = $1 WHERE name = 'recounted' AND revision < $1`, revision)
}

// changeCalendar begins a change of the calendar: it waits for every transaction
// that decides by the old one, and those that come later decide by the new one.
func (t *Tx) changeCalendar() error {
	if err := t.hold(calendar); err != nil {
		return err
	}
	forget := func() { t.group.standing.calendar = nil }
	forget()
	t.group.undone = append(t.group.undone, forget)
	return t.put(`UPDATE agreement SET revision = revision + 1 WHERE name = 'calendar'`)
}

// Agree returns the value under a name that all nodes agree on; the first who
// asks sets it to his own.
func (t *Tx) Agree(name, value string) (string, error) {
	if err := t.put(`INSERT INTO agreement (name, revision, value) VALUES ($1, 0, $2) ON CONFLICT (name) DO NOTHING`, name, value); err != nil {
		return "", err
	}
	return one(&t.queries, scalar[string], agreedValue, name)
}

// Reagree replaces the value under a name.
func (t *Tx) Reagree(name, value string) error {
	return t.later(ErrNotFound, `UPDATE agreement SET revision = revision + 1, value = $1 WHERE name = $2`, value, name)
}

// TakeLease makes holder the only one who does what the name says for a
// merchant, or prolongs what he has; ErrLeased if another one has it. until is by
// the machine's clock, as now is: the clocks of nodes may differ by less than
// what leases are taken for. One that ends later than such a difference explains
// was taken by a clock that was wrong, and holds nobody back.
func (t *Tx) TakeLease(merchant, name, holder string, now, until time.Time) error {
	return t.later(ErrLeased, `INSERT INTO lease (merchant, name, holder, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (merchant, name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
		WHERE lease.holder = excluded.holder OR lease.expires_at <= $5 OR lease.expires_at > $6`,
		merchant, name, holder, until.UnixMicro(), now.UnixMicro(), believable(now, until).UnixMicro())
}

// believable is the latest end that a lease can have which was taken for as long
// as from now to until, by a clock that differs by less.
func believable(now, until time.Time) time.Time { return until.Add(until.Sub(now)) }

// DropLease gives a lease back; that of another one stays.
func (t *Tx) DropLease(merchant, name, holder string) error {
	return t.put(`DELETE FROM lease WHERE merchant = $1 AND name = $2 AND holder = $3`, merchant, name, holder)
}
