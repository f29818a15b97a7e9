package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/recon"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// What an audit of the books finds and where it stands.
type (
	Violation     = recon.Violation
	OpenViolation = store.OpenViolation
	Lap           = store.Lap
)

// payoutsStopped is why nothing is paid out while a violation is open.
const payoutsStopped = "payouts are stopped: the books do not agree (holdfast books status)"

// VerifyBooks walks through all books once: both chains of hashes of every
// merchant, and every payment and payout against its transfers, events, lines and
// orders. It returns what does not agree, at most 1,000 places.
func (a *App) VerifyBooks(ctx context.Context) ([]Violation, error) { return a.store.VerifyBooks(ctx) }

// PayoutsStopped reports whether a violation of the books stops payouts.
func (a *App) PayoutsStopped(ctx context.Context) (bool, error) {
	return read(ctx, a, func(r *store.Reader) (bool, error) { return r.PayoutsStopped() })
}

// PayoutHeld reports whether the order of a payout may not leave. It compares the
// order with the payout and what belongs to it once more; what does not agree is
// recorded and stops payouts from now on, as every violation that is open does.
func (a *App) PayoutHeld(ctx context.Context, o *BankOrder) (bool, error) {
	found, err := a.store.CompareRef(ctx, o.Merchant, o.Ref)
	if err != nil {
		return false, err
	}
	if len(found) > 0 {
		var fresh []Violation
		if err := a.store.Write(ctx, func(tx *store.Tx) (err error) {
			fresh, err = a.record(tx, found)
			return err
		}); err != nil {
			return false, err
		}
		a.alarm(fresh)
	}
	return a.PayoutsStopped(ctx)
}

// Released is how many violations were released: found, and payouts go on. Whether
// the same still stands there only a walk through the books tells.
func (a *App) Released(ctx context.Context) (int64, error) {
	return read(ctx, a, func(r *store.Reader) (int64, error) { return r.ReleasedViolations() })
}

// violationsShown bounds a list of violations.
const violationsShown = 100

// Audited is how the audit of the books stands.
type Audited struct {
	Open []OpenViolation // up to 100
	Lap  Lap
	// Behind says that rows wait that were not verified yet.
	Behind bool
}

// Audited returns how the audit of the books stands.
func (a *App) Audited(ctx context.Context) (Audited, error) {
	return read(ctx, a, func(r *store.Reader) (s Audited, err error) {
		if s.Open, err = r.OpenViolations(violationsShown); err != nil {
			return s, err
		}
		if s.Lap, err = r.Lap(); err != nil {
			return s, err
		}
		behind, err := r.Unverified(1)
		s.Behind = len(behind) > 0
		return s, err
	})
}

// ReleasePayouts lets payouts go on although the books did not agree, and returns
// how many violations stopped them. What was released stops nothing any more for
// as long as the same stands there.
func (a *App) ReleasePayouts(ctx context.Context, actor, reason string) (released int64, err error) {
	if n := len([]rune(reason)); n == 0 || n > 200 {
		return 0, invalid("reason", "a reason of 1 to 200 characters is required")
	}
	released, _, err = act(ctx, a, "books.release", func(tx *store.Tx) (int64, error) {
		released, err := tx.ReleaseViolations(actor, reason, a.clock.Now())
		if err != nil || released == 0 {
			return 0, err
		}
		return released, a.audit(tx, "", actor, "books.release", "books", fmt.Sprintf("%d violations: %s", released, reason))
	})
	if err == nil && released > 0 {
		a.poke(WorkSettlement, WorkBank)
	}
	return released, err
}

const (
	// watchTails is how many merchants' new rows are verified in one step.
	watchTails = 20
	// watchLook is the longest pause between two looks for new rows.
	watchLook = 10 * time.Second
	// lapLeast is how long a walk through everything takes at least: a small
	// database is not read over and over.
	lapLeast = 10 * time.Minute
	// lapSave is how often the place of the walk is kept.
	lapSave = 30 * time.Second
)

// BooksWatch audits the books step by step. It belongs to one goroutine; on
// several nodes only one walks, and all look after new rows.
type BooksWatch struct {
	a      *App
	lease  time.Duration
	looked time.Time
	walk   *store.BooksAudit // nil while another node walks, or nobody
	lap    Lap
	saved  time.Time
}

// WatchBooks begins to audit. A node that dies leaves its walk to the others after
// the lease.
func (a *App) WatchBooks(lease time.Duration) *BooksWatch {
	return &BooksWatch{a: a, lease: max(lease, 2*lapSave)}
}

// Step verifies what is new, or else reads the next page of the walk through
// everything. It returns the violations that stop payouts from now on, about which
// it has raised the alarm, and whether there is more to read at once.
func (w *BooksWatch) Step(ctx context.Context) (fresh []Violation, more bool, err error) {
	now := w.a.clock.Now()
	if since := now.Sub(w.looked); since >= watchLook || since < 0 || w.walk == nil {
		fresh, more, err = w.tails(ctx)
		if !more {
			w.looked = now
		}
		if more || err != nil {
			return fresh, more, err
		}
	}
	found, more, err := w.walkOn(ctx, now)
	return append(fresh, found...), more, err
}

// tails verifies the new rows of some merchants.
func (w *BooksWatch) tails(ctx context.Context) (fresh []Violation, more bool, err error) {
	merchants, err := read(ctx, w.a, func(r *store.Reader) ([]string, error) { return r.Unverified(watchTails) })
	for _, m := range merchants {
		tail, err := w.a.store.Tail(ctx, m)
		if err != nil {
			return fresh, false, err
		}
		found, err := w.keep(ctx, tail.Found, func(tx *store.Tx) error { return tx.Verified(&tail, w.a.clock.Now()) })
		fresh = append(fresh, found...)
		if err != nil && !errors.Is(err, store.ErrStale) { // another node was faster
			return fresh, false, err
		}
		more = more || tail.More
	}
	return fresh, more || len(merchants) == watchTails, err
}

// keep records violations, in one transaction with something else, raises the alarm
// about those that are new, and returns them.
func (w *BooksWatch) keep(ctx context.Context, found []Violation, also func(*store.Tx) error) (fresh []Violation, err error) {
	err = w.a.store.Write(ctx, func(tx *store.Tx) (err error) {
		if fresh, err = w.a.record(tx, found); err != nil {
			return err
		}
		return also(tx)
	})
	if err != nil {
		return nil, err
	}
	w.a.alarm(fresh)
	return fresh, nil
}

// alarm says in the log that violations stop payouts from now on. It is called once
// they are recorded: a transaction may run more than once, or come to nothing.
func (a *App) alarm(fresh []Violation) {
	for _, v := range fresh {
		a.log.Error("ALARM: the books do not agree; payouts are stopped", v.Attributes()...)
	}
}

// record keeps violations, each new one with a row in the audit log, and returns
// those that are new.
func (a *App) record(tx *store.Tx, found []Violation) (fresh []Violation, err error) {
	for _, v := range found {
		isNew, err := tx.RecordViolation(v, a.clock.Now())
		if err != nil {
			return nil, err
		}
		if !isNew {
			continue
		}
		fresh = append(fresh, v)
		if err := a.audit(tx, v.Merchant, "auditor", "books.violation", v.Of, v.String()); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

// keepDamage records that the row of a payment is not the one that was written,
// before a decision writes it anew: payouts stop, and the decision is kept. It
// returns what is new, about which the alarm is raised after the commit.
func (a *App) keepDamage(tx *store.Tx, p *escrow.Payment) (fresh []Violation, err error) {
	found, err := tx.Damage(p.Merchant, p.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, store.ErrStale
	}
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return a.record(tx, found)
}

// walkOn reads the next page of the walk, which it takes first if nobody has it.
func (w *BooksWatch) walkOn(ctx context.Context, now time.Time) (fresh []Violation, more bool, err error) {
	if w.walk == nil {
		if taken, err := w.take(ctx, now); !taken || err != nil {
			return nil, false, err
		}
	}
	found, done, err := w.walk.Step(ctx)
	if err != nil {
		return nil, false, err
	}
	w.lap.Place = w.walk.Place()
	if done {
		w.lap.Place, w.lap.Done = store.Place{}, now
	}
	if len(found) == 0 && !done && now.Sub(w.saved) < lapSave {
		return nil, true, nil
	}
	until := now.Add(w.lease)
	if done {
		until = now // whoever comes first begins the next walk
	}
	fresh, err = w.keep(ctx, found, func(tx *store.Tx) error { return tx.SaveLap(&w.lap, until) })
	w.saved = now
	if done || err != nil {
		w.walk = nil
	}
	if errors.Is(err, store.ErrStale) { // another node walks, and finds the same
		return nil, false, nil
	}
	return fresh, !done, err
}

// Leave hands the walk on: the next auditor goes on where this one stands.
func (w *BooksWatch) Leave(ctx context.Context) error {
	if w.walk == nil {
		return nil
	}
	w.walk = nil
	err := w.a.store.Write(ctx, func(tx *store.Tx) error { return tx.SaveLap(&w.lap, w.a.clock.Now()) })
	if errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrClosed) {
		return nil
	}
	return err
}

// take leases the walk if its turn has come.
func (w *BooksWatch) take(ctx context.Context, now time.Time) (taken bool, err error) {
	last, err := read(ctx, w.a, func(r *store.Reader) (Lap, error) { return r.Lap() })
	over := !last.Done.IsZero() && !last.Done.Before(last.Began)
	if since := now.Sub(last.Began); err != nil || (over && since >= 0 && since < lapLeast) {
		return false, err
	}
	err = w.a.store.Write(ctx, func(tx *store.Tx) (err error) {
		w.lap, taken, err = tx.LeaseLap(now, now.Add(w.lease))
		return err
	})
	if !taken || err != nil {
		return false, err
	}
	if (w.lap.Place == store.Place{}) {
		w.lap.Began = now
	}
	w.walk, w.saved = w.a.store.AuditBooks(w.lap.Place), now
	return true, nil
}
