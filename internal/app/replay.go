package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/store"
)

const (
	// replayPage is how many calls or events one transaction takes up again.
	replayPage = 200
	// replayPages bounds the transactions of one request.
	replayPages = 50
)

// Replayed is what a request to tell again has done.
type Replayed struct {
	Calls int // that are due again
	// Next is the position at which a further request goes on; 0 when there is no more.
	Next int64
	More bool // of failed calls
}

// callNow lets the loop make calls of lanes that are due.
func (a *App) callNow(lanes ...Lane) {
	a.ready(lanes...)
	a.poke(WorkWebhook)
}

// dueAgain makes a call due at an instant of the merchant's clock, for so many tries
// more than it has had.
func dueAgain(tx *store.Tx, w *Webhook, tries int, now time.Time) error {
	w.State, w.DueAt, w.Max, w.DoneAt = WebhookPending, now, w.Attempts+int64(tries), time.Time{}
	return tx.WebhookDone(w)
}

// onEndpoint finds an endpoint that is on, with its merchant as it is now. One that
// is switched off, or has no URL, is refused: nothing that is told to it arrives.
func (a *App) onEndpoint(ctx context.Context, merchantID, id string) (merchant.Merchant, merchant.Endpoint, error) {
	m, err := a.MerchantNew(ctx, merchantID)
	if err != nil {
		return m, merchant.Endpoint{}, err
	}
	e, ok := m.Endpoint(id)
	switch {
	case !ok:
		return m, e, noEndpoint()
	case e.Off != nil || e.URL == "":
		return m, e, &escrow.Refusal{Code: escrow.WrongState, Field: "endpoint", Reason: "the endpoint is switched off; switch it on first"}
	}
	return m, e, nil
}

// TestEndpoint owes an endpoint a call that is about nothing, and returns its id.
func (a *App) TestEndpoint(ctx context.Context, merchantID, id string) (string, error) {
	m, e, err := a.onEndpoint(ctx, merchantID, id)
	if err != nil {
		return "", err
	}
	now := a.MerchantNow(&m)
	call, err := Note(ctx, a, "test call", ident.New("tst", now))
	if err != nil {
		return "", err
	}
	_, err = a.write(ctx, "endpoint.test "+id, func(tx *store.Tx) error {
		return tx.InsertWebhook(merchantID, "", store.WebhookOwed{Kind: merchant.TellTest, Endpoint: id, ID: call, URL: e.URL, Max: 1}, now)
	}, store.OnRow(merchantID, call))
	if err == nil {
		a.callNow(Lane{Merchant: merchantID, Endpoint: id})
	}
	return call, err
}

// replayed is what is told of a page that was taken up again.
type replayed struct {
	Calls int `json:"calls"`
	// Failed is the last call of a page of failed ones, nil of an empty page.
	Failed *store.CallSpot `json:"failed,omitempty"`
	// Position is the last event's of a page of events, 0 of an empty page.
	Position int64 `json:"position,omitempty"`
	More     bool  `json:"more,omitempty"` // there may be a further page
}

// ReplayFailed makes due again the calls to an endpoint that came to nothing, the
// oldest first, each with a schedule of its own. It looks at every call once: one
// that fails again meanwhile waits for the next request.
func (a *App) ReplayFailed(ctx context.Context, merchantID, id string) (done Replayed, err error) {
	m, e, err := a.onEndpoint(ctx, merchantID, id)
	if err != nil {
		return done, err
	}
	var last *store.CallSpot
	for n := range replayPages {
		page, _, err := act(ctx, a, fmt.Sprintf("replay %s %d", id, n), func(tx *store.Tx) (replayed, error) {
			return failedAgain(tx, &e, merchantID, last, a.MerchantNow(&m))
		}, store.OnRow(merchantID, id))
		if err != nil {
			return done, err
		}
		a.callNow(Lane{Merchant: merchantID, Endpoint: id})
		done.Calls, done.More, last = done.Calls+page.Calls, page.More, page.Failed
		if !page.More {
			break
		}
	}
	return done, nil
}

// failedAgain makes a page of failed calls due again.
func failedAgain(tx *store.Tx, e *merchant.Endpoint, merchantID string, after *store.CallSpot, now time.Time) (page replayed, err error) {
	failed, err := tx.FailedWebhooks(merchantID, e.ID, after, replayPage)
	for i := range failed {
		w := &failed[i]
		page.Failed = w.Spot()
		if err := dueAgain(tx, w, e.Tries(), now); err != nil {
			return page, err
		}
	}
	page.Calls, page.More = len(failed), len(failed) == replayPage
	return page, err
}

// Stretch is a part of a merchant's log: by positions, both included, and by
// instants of its clock, the last one excluded. What is zero or nil is no bound.
type Stretch struct {
	From, To     int64
	Since, Until *time.Time
}

// before is the position before the stretch.
func (a *App) before(ctx context.Context, merchantID string, s *Stretch) (at int64, err error) {
	if s.Since != nil {
		at, err = a.EventsSince(ctx, merchantID, *s.Since)
	}
	return max(at, s.From-1), err
}

// over reports whether the stretch ends before an event.
func (s *Stretch) over(e *LoggedEvent) bool {
	return s.To > 0 && e.Position > s.To || s.Until != nil && e.At.After(s.Until.Add(CommitsApart))
}

// has reports whether an event that is not over belongs to the stretch.
func (s *Stretch) has(e *LoggedEvent) bool {
	return (s.Since == nil || !e.At.Before(*s.Since)) && (s.Until == nil || e.At.Before(*s.Until))
}

// ReplayRange tells an endpoint again of the events in a stretch of the log, as far
// as it wants to hear of them. A call that was made before is made again under its
// id; one that is open is left as it is.
func (a *App) ReplayRange(ctx context.Context, merchantID, id string, s Stretch) (done Replayed, err error) {
	m, e, err := a.onEndpoint(ctx, merchantID, id)
	if err != nil {
		return done, err
	}
	at, err := a.before(ctx, merchantID, &s)
	if err != nil {
		return done, err
	}
	for n := range replayPages {
		page, err := a.tellAgain(ctx, &m, &e, &s, at, n)
		if err != nil {
			return done, err
		}
		done.Calls += page.Calls
		if !page.More {
			return Replayed{Calls: done.Calls}, nil
		}
		at = page.Position
		done.Next = at + 1
	}
	return done, nil
}

// tellAgain owes an endpoint the calls about a page of a stretch, after a position.
func (a *App) tellAgain(ctx context.Context, m *merchant.Merchant, e *merchant.Endpoint, s *Stretch, at int64, n int) (page replayed, err error) {
	events, err := a.EventsAfter(ctx, m.ID, at, replayPage)
	if err != nil {
		return page, err
	}
	full := len(events) == replayPage
	if end := slices.IndexFunc(events, func(ev LoggedEvent) bool { return s.over(&ev) }); end >= 0 {
		events, full = events[:end], false
	}
	payments, err := a.paymentsOf(ctx, m.ID, events)
	if err != nil {
		return page, err
	}
	now := a.MerchantNow(m)
	page, _, err = act(ctx, a, fmt.Sprintf("tell again %s %d", e.ID, n), func(tx *store.Tx) (replayed, error) {
		page := replayed{More: full}
		for i := range events {
			page.Position = events[i].Position
			if s.has(&events[i]) {
				calls, err := eventAgain(tx, m.ID, e, toldAs(payments, &events[i]), &events[i], now)
				if err != nil {
					return page, err
				}
				page.Calls += calls
			}
		}
		return page, nil
	}, store.OnRow(m.ID, e.ID))
	if err == nil {
		a.callNow(Lane{Merchant: m.ID, Endpoint: e.ID})
	}
	return page, err
}

// eventAgain owes an endpoint what it wants to hear of an event, among the names
// under which it is told, and returns how many calls are due.
func eventAgain(tx *store.Tx, merchantID string, e *merchant.Endpoint, names []string, ev *LoggedEvent, now time.Time) (calls int, err error) {
	for _, name := range names {
		if !e.Wants(name) {
			continue
		}
		again, err := owedAgain(tx, merchantID, ev.Payment, callAt(e, ev.Seq, name, e.ID, e.URL, ""), now)
		if err != nil {
			return calls, err
		}
		if again {
			calls++
		}
	}
	return calls, nil
}

// toldAs are the names under which an event of a payment or payout is told.
func toldAs(payments map[string]escrow.Payment, e *LoggedEvent) []string {
	if e.Payout != nil {
		return merchant.ToldOfPayout(e.Type)
	}
	p, known := payments[e.Payment]
	if !known {
		return nil
	}
	return merchant.Told(&p, e.Event)
}

// owedAgain makes a call due that is not open, and reports whether it did.
func owedAgain(tx *store.Tx, merchantID, payment string, owed store.WebhookOwed, now time.Time) (bool, error) {
	w, err := tx.Webhook(merchantID, payment+owed.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return true, tx.InsertWebhook(merchantID, payment, owed, now)
	case err != nil || w.State == WebhookPending:
		return false, err
	}
	return true, dueAgain(tx, &w, owed.Max, now)
}

// paymentsOf reads the payments that events are about.
func (a *App) paymentsOf(ctx context.Context, merchantID string, events []LoggedEvent) (map[string]escrow.Payment, error) {
	var ids []string
	for _, e := range events {
		if e.Payout == nil {
			ids = append(ids, e.Payment)
		}
	}
	slices.Sort(ids)
	rows, err := a.PaymentsByID(ctx, merchantID, slices.Compact(ids))
	out := make(map[string]escrow.Payment, len(rows))
	for _, p := range rows {
		out[p.ID] = p
	}
	return out, err
}

// Feed is a page of a merchant's log with the payments that it is about.
type Feed struct {
	Events   []LoggedEvent
	Payments map[string]escrow.Payment
}

// Names are the names under which an event of the page is told.
func (f *Feed) Names(e *LoggedEvent) []string { return toldAs(f.Payments, e) }

const (
	// feedGlance is the pause between two looks for events of other nodes.
	feedGlance = time.Second
	// maxWaiting bounds the readers of a node that wait for an event, and
	// maxWaitingShop those of one shop among them, so that no shop can take the
	// places of all others. One more is answered at once.
	maxWaiting     = 2_000
	maxWaitingShop = 100
)

// readers counts those who wait for an event.
type readers struct {
	mu   sync.Mutex
	all  int
	shop map[string]int
}

// enter reports whether a reader of a shop may wait; who may has to leave.
func (r *readers) enter(merchantID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all >= maxWaiting || r.shop[merchantID] >= maxWaitingShop {
		return false
	}
	if r.shop == nil {
		r.shop = map[string]int{}
	}
	r.all++
	r.shop[merchantID]++
	return true
}

func (r *readers) leave(merchantID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all--
	if r.shop[merchantID]--; r.shop[merchantID] == 0 {
		delete(r.shop, merchantID)
	}
}

// glance tells when a reader who waits looks for the events of other nodes: never
// where there are none.
func (a *App) glance() <-chan time.Time {
	if a.store.Alone() {
		return nil
	}
	return time.After(feedGlance)
}

// FeedAfter returns up to limit events of a merchant after a position. When there
// are none it waits for one, at most so long and at most until the context or ends
// is over; meanwhile it holds nothing of the database.
func (a *App) FeedAfter(ctx context.Context, merchantID string, position int64, limit int, wait time.Duration, ends <-chan struct{}) (f Feed, err error) {
	over := time.After(wait)
	switch {
	case wait == 0:
	case a.waiting.enter(merchantID):
		defer a.waiting.leave(merchantID)
	default:
		wait = 0
	}
	for {
		rung := a.store.Bell(merchantID)
		if f.Events, err = a.EventsAfter(ctx, merchantID, position, limit); err != nil {
			return f, err
		}
		if len(f.Events) > 0 || wait == 0 {
			break
		}
		select {
		case <-rung:
			continue
		case <-a.glance():
			continue
		case <-over:
		case <-ends:
		case <-ctx.Done():
		}
		wait = 0
	}
	f.Payments, err = a.paymentsOf(ctx, merchantID, f.Events)
	return f, err
}
