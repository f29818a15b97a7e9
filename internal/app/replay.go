package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/store"
)

const (
	// replayPage is how many calls or events one transaction takes up again.
	replayPage = 50
	// replayPages bounds the transactions of one request.
	replayPages = 200
)

// Replayed is what a request to tell again has done.
type Replayed struct {
	Calls int // that are due again
	// Next is the position at which a further request goes on; 0 when there is no more.
	Next int64
	More bool // of failed calls
}

// TestEndpoint owes an endpoint a call that is about nothing, and returns its id.
func (a *App) TestEndpoint(ctx context.Context, merchantID, id string) (string, error) {
	m, err := a.MerchantNew(ctx, merchantID)
	if err != nil {
		return "", err
	}
	e, ok := m.Endpoint(id)
	switch {
	case !ok:
		return "", noEndpoint()
	case e.Off != nil || e.URL == "":
		return "", &escrow.Refusal{Code: escrow.WrongState, Reason: "the endpoint is switched off; switch it on first"}
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
		a.ready(Lane{Merchant: merchantID, Endpoint: id})
		a.poke(WorkWebhook)
	}
	return call, err
}

// ReplayFailed makes due again all calls to an endpoint that came to nothing, the
// oldest first, each with a schedule of its own; with an empty id those of all
// endpoints.
func (a *App) ReplayFailed(ctx context.Context, merchantID, id string) (done Replayed, err error) {
	m, err := a.MerchantNew(ctx, merchantID)
	if err != nil {
		return done, err
	}
	if _, ok := m.Endpoint(id); id != "" && !ok {
		return done, noEndpoint()
	}
	now := a.MerchantNow(&m)
	for page := range replayPages {
		n, lanes := 0, map[Lane]struct{}{}
		_, err := a.write(ctx, fmt.Sprintf("replay %s %d", id, page), func(tx *store.Tx) error {
			failed, err := tx.FailedWebhooks(merchantID, id, replayPage)
			for i := range failed {
				w := &failed[i]
				name, _ := merchant.Lane(w.Endpoint)
				e, _ := m.Endpoint(name)
				w.State, w.DueAt, w.Max, w.DoneAt = WebhookPending, now, w.Attempts+int64(e.Tries()), time.Time{}
				if err := tx.WebhookDone(w); err != nil {
					return err
				}
				lanes[Lane{Merchant: merchantID, Endpoint: w.Endpoint}] = struct{}{}
			}
			n = len(failed)
			return err
		}, store.OnRow(merchantID, id))
		if err != nil {
			return done, err
		}
		for l := range lanes {
			a.ready(l)
		}
		a.poke(WorkWebhook)
		if done.Calls += n; n < replayPage {
			return done, nil
		}
	}
	done.More = true
	return done, nil
}

// ReplayRange tells an endpoint again of the events in a range of positions, both
// included, as far as it wants to hear of them; to 0 means to the end. A call that
// was made before is made again under its id; one that is open is left as it is.
func (a *App) ReplayRange(ctx context.Context, merchantID, id string, from, to int64) (done Replayed, err error) {
	m, err := a.MerchantNew(ctx, merchantID)
	if err != nil {
		return done, err
	}
	e, ok := m.Endpoint(id)
	switch {
	case !ok:
		return done, noEndpoint()
	case e.Off != nil || e.URL == "":
		return done, &escrow.Refusal{Code: escrow.WrongState, Reason: "the endpoint is switched off; switch it on first"}
	}
	at := from - 1
	for page := range replayPages {
		events, err := a.EventsAfter(ctx, merchantID, at, replayPage)
		if err != nil {
			return done, err
		}
		for i, ev := range events {
			if to > 0 && ev.Position > to {
				events = events[:i]
				break
			}
		}
		if len(events) == 0 {
			done.Next = 0
			return done, nil
		}
		n, err := a.tellAgain(ctx, &m, &e, events, page)
		if err != nil {
			return done, err
		}
		at = events[len(events)-1].Position
		done.Calls, done.Next = done.Calls+n, at+1
	}
	return done, nil
}

// tellAgain owes an endpoint the calls about events.
func (a *App) tellAgain(ctx context.Context, m *merchant.Merchant, e *merchant.Endpoint, events []LoggedEvent, page int) (n int, err error) {
	payments, err := a.paymentsOf(ctx, m.ID, events)
	if err != nil {
		return 0, err
	}
	now := a.MerchantNow(m)
	_, err = a.write(ctx, fmt.Sprintf("tell again %s %d", e.ID, page), func(tx *store.Tx) error {
		n = 0
		for _, ev := range events {
			p, ok := payments[ev.Payment]
			if !ok {
				continue
			}
			for _, name := range merchant.Told(&p, ev.Event) {
				if !e.Wants(name) {
					continue
				}
				again, err := owedAgain(tx, m.ID, p.ID, callAt(e, ev.Seq, name, e.ID, e.URL, ""), now)
				if err != nil {
					return err
				}
				if again {
					n++
				}
			}
		}
		return nil
	}, store.OnRow(m.ID, e.ID))
	if err == nil {
		a.ready(Lane{Merchant: m.ID, Endpoint: e.ID})
		a.poke(WorkWebhook)
	}
	return n, err
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
	w.State, w.DueAt, w.Max, w.DoneAt = WebhookPending, now, w.Attempts+int64(owed.Max), time.Time{}
	return true, tx.WebhookDone(&w)
}

// paymentsOf reads the payments that events are about.
func (a *App) paymentsOf(ctx context.Context, merchantID string, events []LoggedEvent) (map[string]escrow.Payment, error) {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.Payment)
	}
	slices.Sort(ids)
	rows, err := a.PaymentsByID(ctx, merchantID, slices.Compact(ids))
	out := make(map[string]escrow.Payment, len(rows))
	for _, p := range rows {
		out[p.ID] = p
	}
	return out, err
}

// PositionAt is the position of a merchant's first event at or after an instant of
// its clock; one past the last when there is none.
func (a *App) PositionAt(ctx context.Context, merchantID string, at time.Time) (int64, error) {
	last, err := a.LastPosition(ctx, merchantID)
	if err != nil {
		return 0, err
	}
	n := sort.Search(int(last), func(i int) bool {
		var e []LoggedEvent
		if err == nil {
			e, err = a.EventsAfter(ctx, merchantID, int64(i), 1)
		}
		return err != nil || len(e) == 0 || !e[0].At.Before(at)
	})
	return int64(n) + 1, err
}

// Feed is a page of a merchant's log with the payments that it is about.
type Feed struct {
	Events   []LoggedEvent
	Payments map[string]escrow.Payment
}

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
		case <-time.After(feedGlance):
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
