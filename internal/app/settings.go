package app

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// A node remembers merchants, tokens and the calendar. Several nodes share one
// database, so that another one may change them at any time.
//
//   - A decision goes by what is true in its own transaction: it compares the
//     versions there with those of what is remembered, and reads anew what differs.
//   - Everything else (who a caller is, what a page shows) may be old by Lag.
//
// A process that has the database for itself knows of every change.

// Lag is how old what a node remembers may be outside of a decision: so long
// another node's change of settings, a revoked key or a new holiday may go unseen.
const Lag = time.Second

// known is a merchant as it was at an instant of the machine's clock.
type known struct {
	merchant.Merchant
	at time.Time
}

// recent reports whether what was read at an instant can still be told.
func (a *App) recent(at time.Time) bool {
	return a.store.Alone() || fresh(a.clock.Now().Sub(at))
}

// fresh reports whether what has an age can still be told. An age below zero is
// that of a machine whose clock was set back, and says nothing.
func fresh(age time.Duration) bool { return age >= 0 && age < Lag }

// remembered is a merchant as this node knows it, however long since.
func (a *App) remembered(id string) (known, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	k, ok := a.merchants[id]
	return k, ok
}

// Merchant returns a merchant's settings, which may be old by Lag.
func (a *App) Merchant(ctx context.Context, id string) (merchant.Merchant, error) {
	if k, ok := a.remembered(id); ok && a.recent(k.at) {
		return k.Merchant, nil
	}
	return a.MerchantNew(ctx, id)
}

// acquaint sees to it that a merchant that exists is remembered, so that a
// decision need not read it inside its transaction.
func (a *App) acquaint(ctx context.Context, id string) error {
	if _, ok := a.remembered(id); ok {
		return nil
	}
	_, err := a.MerchantNew(ctx, id)
	return err
}

// MerchantNew returns a merchant's settings as they are now, whichever node
// changed them.
func (a *App) MerchantNew(ctx context.Context, id string) (merchant.Merchant, error) {
	if k, ok := a.remembered(id); ok && a.store.Alone() {
		return k.Merchant, nil
	}
	at := a.clock.Now()
	m, err := read(ctx, a, func(r *store.Reader) (merchant.Merchant, error) { return r.Merchant(id) })
	if err != nil {
		return m, notFound(err, "merchant")
	}
	a.keep(m, at)
	return m, nil
}

// maxMerchants bounds the memory of merchants.
const maxMerchants = 10_000

// keep remembers settings that are committed and were read at an instant, unless
// newer ones came in between.
func (a *App) keep(m merchant.Merchant, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if have, ok := a.merchants[m.ID]; ok && have.Version > m.Version {
		return
	}
	if len(a.merchants) >= maxMerchants {
		clear(a.merchants)
	}
	a.merchants[m.ID] = known{m, at}
}

// forget lets a merchant be read anew outside of a decision.
func (a *App) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.merchants, id)
}

// settings are a merchant's settings as they are true in a transaction.
func (a *App) settings(tx *store.Tx, id string) (merchant.Merchant, error) {
	k, ok := a.remembered(id)
	if ok && a.store.Alone() {
		return k.Merchant, nil
	}
	version, err := tx.MerchantVersion(id)
	if err != nil {
		return merchant.Merchant{}, notFound(err, "merchant")
	}
	if ok && k.Version == version {
		return k.Merchant, nil
	}
	// What is read here may be a change that is not committed yet.
	a.forget(id)
	m, err := tx.MerchantUnlocked(id)
	return m, notFound(err, "merchant")
}

// errOutrun says that settings have changed since a decision was prepared by
// them outside of its transaction; it is prepared again.
var errOutrun = errors.New("app: the settings have changed since they were read")

// settingsAs are the settings in a transaction if they are the ones by which
// something was prepared outside of it, else errOutrun.
func (a *App) settingsAs(tx *store.Tx, m *merchant.Merchant) error {
	now, err := a.settings(tx, m.ID)
	if err == nil && now.Version != m.Version {
		return errOutrun
	}
	return err
}

// maxPrepared bounds how often something is prepared again because settings changed.
const maxPrepared = 5

// prepared runs fn until the settings did not change under its hands.
func prepared[T any](fn func() (T, error)) (out T, err error) {
	for range maxPrepared {
		if out, err = fn(); !errors.Is(err, errOutrun) {
			break
		}
	}
	return out, err
}

// dated is the calendar with the number of its last change.
type dated struct {
	bizday.Calendar
	revision int64
}

// Calendar is the calendar of business days with the overrides, which may be
// old by Lag while the loops run.
func (a *App) Calendar() bizday.Calendar { return a.calendar.Load().Calendar }

// Refresh reads the calendar anew if another node has changed it.
func (a *App) Refresh(ctx context.Context) error {
	if a.store.Alone() {
		return nil
	}
	revision, err := read(ctx, a, (*store.Reader).CalendarRevision)
	if err != nil || a.calendar.Load().revision == revision {
		return err
	}
	return a.loadCalendar(ctx)
}

// loadCalendar reads the calendar. The number is read first: a change in between
// makes the calendar newer than its number, and it is read again.
func (a *App) loadCalendar(ctx context.Context) error {
	cal, err := read(ctx, a, func(r *store.Reader) (*dated, error) {
		revision, err := r.CalendarRevision()
		if err != nil {
			return nil, err
		}
		overrides, err := r.Overrides()
		return &dated{bizday.Korea().With(overrides...), revision}, err
	})
	if err != nil {
		return err
	}
	a.calendar.Store(cal)
	return nil
}

// calendarIn is the calendar as it is true in a transaction, until its end.
func (a *App) calendarIn(tx *store.Tx) (bizday.Calendar, error) {
	cal := a.calendar.Load()
	if a.store.Alone() {
		return cal.Calendar, nil
	}
	revision, err := tx.CalendarRevision()
	if err != nil || revision == cal.revision {
		return cal.Calendar, err
	}
	overrides, err := tx.Overrides()
	return bizday.Korea().With(overrides...), err
}

// calendarAs is errOutrun if the calendar in a transaction is not the one by
// which something was decided outside of it.
func (a *App) calendarAs(tx *store.Tx, cal *dated) error {
	if a.store.Alone() {
		if a.calendar.Load() != cal {
			return errOutrun
		}
		return nil
	}
	revision, err := tx.CalendarRevision()
	if err == nil && revision != cal.revision {
		return errOutrun
	}
	return err
}
