package app

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/store"
)

const (
	// recountPage is how many payments are read at once while recounting.
	recountPage = 500
	// recountLease is the name under which one node at a time recounts, and
	// recountLife how long it is left to one that gives no sign of life.
	recountLease = "recount"
	recountLife  = 2 * time.Minute
	// RecountEvery is how often a node looks whether a recount was left undone.
	RecountEvery = time.Minute
)

// Recount counts pending deadlines anew if the calendar was changed by someone
// who ended before all of them were, and returns how many moved. It does nothing
// while another node is at it.
func (a *App) Recount(ctx context.Context) (moved int, err error) {
	left, err := read(ctx, a, (*store.Reader).RecountLeft)
	if err != nil || !left {
		return 0, err
	}
	holder := rand.Text()
	switch err := a.recounting(ctx, holder); {
	case errors.Is(err, store.ErrLeased):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return a.calendarChanged(ctx, holder)
}

// recounting takes or prolongs the lease on recounting.
func (a *App) recounting(ctx context.Context, holder string) error {
	return a.store.Write(ctx, func(tx *store.Tx) error {
		now := a.clock.Now()
		return tx.TakeLease("", recountLease, holder, now, now.Add(recountLife))
	}, store.OnRow("", recountLease))
}

// calendarChanged counts pending deadlines anew. Doing so again moves nothing more,
// so that it is no act of a request, and that the lease keeps nobody who waits for
// the outcome from it. Only when all are counted is it recorded: what ends before
// that is done again by Recount.
func (a *App) calendarChanged(ctx context.Context, holder string) (moved int, err error) {
	ctx = Apart(ctx)
	if err := a.loadCalendar(ctx); err != nil {
		return 0, err
	}
	revision := a.calendar.Load().revision
	// Decisions by the old calendar that are still on their way are before this
	// one, and what follows sees them.
	if err := a.store.Write(ctx, func(*store.Tx) error { return nil }); err != nil {
		return 0, err
	}
	for after := (store.Ref{}); ; {
		if err := a.recounting(ctx, holder); err != nil && !errors.Is(err, store.ErrLeased) {
			return moved, err
		}
		refs, err := read(ctx, a, func(r *store.Reader) ([]store.Ref, error) { return r.PendingDeadlines(after, recountPage) })
		if err != nil {
			return moved, err
		}
		if len(refs) == 0 {
			break
		}
		for _, ref := range refs {
			res, err := a.Do(ctx, escrow.System, ref.Merchant, ref.ID, escrow.Recount{})
			if err != nil {
				return moved, err
			}
			if !res.Unchanged {
				moved++
			}
		}
		after = refs[len(refs)-1]
	}
	return moved, a.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.Recounted(revision); err != nil {
			return err
		}
		return tx.DropLease("", recountLease, holder)
	}, store.OnRow("", recountLease))
}
