package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// The lanes of calls to shops, and how endpoints fail, as the store keeps them.
type (
	Lane          = store.Lane
	DueLane       = store.DueLane
	Take          = store.Take
	Health        = store.Health
	WebhookFilter = store.WebhookFilter
)

// maxReady bounds the lanes that are remembered for the loop; those beyond it are
// found when it looks by itself.
const maxReady = 10_000

// wake lets the loops begin what a change owes, once it is durable, and raises the
// alarm about what it has found.
func (a *App) wake(res *Result) {
	a.alarm(res.found)
	a.ready(res.lanes...)
	a.poke(res.owes...)
}

// ready remembers lanes in which calls are due.
func (a *App) ready(lanes ...Lane) {
	if len(lanes) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range lanes {
		if len(a.lanes) < maxReady {
			a.lanes[l] = struct{}{}
		}
	}
}

// ReadyLanes returns, once, the lanes in which this node has made calls due.
func (a *App) ReadyLanes() (lanes []Lane) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for l := range a.lanes {
		lanes = append(lanes, l)
	}
	clear(a.lanes)
	return lanes
}

// DueLanes returns the lanes in which calls are due, that of the oldest first.
// For one merchant its own clock counts, for all (empty) the machine's.
func (a *App) DueLanes(ctx context.Context, merchantID string) ([]DueLane, error) {
	now, err := a.NowOf(ctx, merchantID)
	if err != nil {
		return nil, err
	}
	return read(ctx, a, func(r *store.Reader) ([]DueLane, error) { return r.DueLanes(merchantID, now) })
}

// Failing returns the endpoints that fail. An empty merchant means all.
func (a *App) Failing(ctx context.Context, merchantID string) ([]Health, error) {
	return read(ctx, a, func(r *store.Reader) ([]Health, error) { return r.Failing(merchantID) })
}

// ClaimWebhooks leases calls that are due from lanes. With a merchant, of whom all
// lanes are, its own clock counts, else the machine's.
func (a *App) ClaimWebhooks(ctx context.Context, merchantID string, takes []Take, lease time.Duration) ([]Webhook, error) {
	if fault.Planted(fault.WebhookForgotten) {
		lease = 10 * 365 * 24 * time.Hour
	}
	return claim(ctx, a, merchantID, func(tx *store.Tx, now time.Time) ([]Webhook, error) {
		return tx.ClaimWebhooks(takes, now, lease)
	})
}

// attemptsKept is how many attempts the log of a call keeps, the latest ones.
const attemptsKept = 20

// Told is what a call means for the health of its endpoint.
type Told struct {
	// Measured says that the call is a measure of the endpoint's health.
	Measured bool
	// Took says that the shop took it, Gone that it wants to hear nothing any more.
	Took, Gone bool
}

const (
	// trip is with how many failures in a row an endpoint is left alone for a while.
	trip = 5
	// firstRest and longestRest bound that while, which doubles with every failure.
	firstRest   = 5 * time.Second
	longestRest = 5 * time.Minute
)

// restOf is how long an endpoint is left alone after so many failures in a row.
func restOf(failures int) time.Duration {
	if failures < trip {
		return 0
	}
	return min(longestRest, firstRest<<min(failures-trip, 10))
}

// WebhookDone records what became of a call, and the attempt, an object with
// its instant as "at". An attempt that another one has overtaken, because the
// call was resent meanwhile, is added to the log and decides nothing. What the
// call says of its endpoint is kept with it; one that wants no more calls, or has
// taken none for days, is switched off. It returns until when the endpoint is to be
// left alone, by the machine's clock; zero if it need not be.
func (a *App) WebhookDone(ctx context.Context, w Webhook, attempt json.RawMessage, told Told) (rest time.Time, err error) {
	m, err := a.Merchant(ctx, w.Merchant)
	if err != nil {
		return rest, err
	}
	var h Health
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if h, err = a.health(tx, &w, &m, told); err != nil {
			return err
		}
		kept, err := tx.Webhook(w.Merchant, w.ID)
		if err != nil {
			return err
		}
		done := w
		if done.Log, err = withAttempt(kept.Log, attempt); err != nil {
			return err
		}
		if fault.Planted(fault.NoFence) {
			done.Attempts = kept.Attempts
		}
		if kept.Attempts != done.Attempts || kept.Max != done.Max {
			return tx.WebhookLog(done.Merchant, done.ID, done.Log)
		}
		return tx.WebhookDone(&done)
	}, store.OnRow(w.Merchant, w.Endpoint)) // whose health is the row that calls share
	if err != nil || !told.Measured || told.Took {
		return rest, err
	}
	if err := a.offIfFailing(ctx, &m, w.Endpoint, h, told.Gone); err != nil {
		a.log.Warn("an endpoint could not be switched off; its next failure does it", "merchant", m.ID, "endpoint", w.Endpoint, "error", err)
	}
	return h.RestUntil, nil
}

// health keeps what a call says of its endpoint. RestUntil of the answer is zero
// for one that has not failed often enough to rest.
func (a *App) health(tx *store.Tx, w *Webhook, m *merchant.Merchant, told Told) (h Health, err error) {
	lane := Lane{Merchant: w.Merchant, Endpoint: w.Endpoint}
	switch {
	case !told.Measured:
		return h, nil
	case told.Took:
		return h, tx.EndpointWell(lane)
	}
	if h, err = tx.EndpointFailed(lane, a.MerchantNow(m)); err != nil {
		return h, err
	}
	h.RestUntil = time.Time{}
	if rest := restOf(h.Failures); rest > 0 {
		h.RestUntil = a.clock.Now().Add(rest)
		err = tx.RestEndpoint(lane, h.RestUntil)
	}
	return h, err
}

// errIsOff says that an endpoint was switched off before.
var errIsOff = errors.New("app: the endpoint is off")

// offIfFailing switches an endpoint off that wants no more calls, or that has
// taken none for as many days as it may, and owes its owner a letter about that in
// the same transaction. Of several calls that say so, one does it.
func (a *App) offIfFailing(ctx context.Context, m *merchant.Merchant, id string, h Health, gone bool) error {
	e, ok := m.Endpoint(id)
	now := a.MerchantNow(m)
	why := merchant.OffGone
	if !gone {
		why = merchant.OffFailing
	}
	if !ok || e.Off != nil || !gone && now.Sub(h.Since) < time.Duration(e.Days())*24*time.Hour {
		return nil
	}
	_, err := a.updateMerchant(ctx, "webhook", m.ID, "endpoint.off", func(tx *store.Tx, m *merchant.Merchant) error {
		if err := changeEndpoint(m, id, func(e *merchant.Endpoint) error {
			if e.Off != nil {
				return errIsOff
			}
			e.Off = &merchant.Off{Why: why, Since: now}
			return nil
		}); err != nil || m.Email == "" {
			return err
		}
		letter := fmt.Sprintf("%s%s%d", id, offMark, m.Version) // no two changes of settings are of one version
		return tx.InsertMail(Mail{Merchant: m.ID, ID: letter, Kind: MailEndpointOff, Recipient: m.Email, CreatedAt: now})
	}, false)
	if errors.Is(err, errIsOff) {
		return nil
	}
	if err == nil {
		a.log.Warn("an endpoint is switched off", "merchant", m.ID, "endpoint", id, "why", why)
	}
	return err
}

// MailEndpointOff is the letter to the owner of a shop whose endpoint was switched
// off; no payment causes it.
const MailEndpointOff escrow.Mail = "endpoint_off"

// offMark parts the endpoint from the version of the settings in the id of such a
// letter.
const offMark = "-off-"

// EndpointOff returns the endpoint that a letter of kind MailEndpointOff is about,
// as it is now; a deleted one is NotFound.
func (a *App) EndpointOff(ctx context.Context, letter *Mail) (merchant.Merchant, merchant.Endpoint, error) {
	m, err := a.Merchant(ctx, letter.Merchant)
	if err != nil {
		return m, merchant.Endpoint{}, err
	}
	id, _, _ := strings.Cut(letter.ID, offMark)
	e, ok := m.Endpoint(id)
	if !ok {
		return m, e, noEndpoint()
	}
	return m, e, nil
}

// withAttempt adds an attempt to a log in the order of time. A log that cannot
// be read is begun anew.
func withAttempt(log string, attempt json.RawMessage) (string, error) {
	var all []json.RawMessage
	if json.Unmarshal([]byte(log), &all) != nil {
		all = nil
	}
	all = append(all, attempt)
	slices.SortStableFunc(all, func(x, y json.RawMessage) int { return attemptAt(x).Compare(attemptAt(y)) })
	raw, err := json.Marshal(all[max(0, len(all)-attemptsKept):])
	return string(raw), err
}

func attemptAt(attempt json.RawMessage) time.Time {
	var a struct {
		At time.Time `json:"at"`
	}
	_ = json.Unmarshal(attempt, &a) // what has no instant is the oldest
	return a.At
}

// ResendWebhook makes a call due again, once more than it has been tried. A call to
// an endpoint that is switched off or deleted is refused, because it would not be
// made; one to a notice URL, or to the URL of the setting of V1, is not.
func (a *App) ResendWebhook(ctx context.Context, merchantID, id string) error {
	call, err := a.Webhook(ctx, merchantID, id)
	if err != nil {
		return err
	}
	if endpoint, notice := merchant.Lane(call.Endpoint); !notice && endpoint != merchant.MainV1 {
		if _, _, err := a.onEndpoint(ctx, merchantID, endpoint); err != nil {
			return err
		}
	}
	now, err := a.NowOf(ctx, merchantID)
	if err != nil {
		return err
	}
	_, err = a.write(ctx, "webhook.resend "+id, func(tx *store.Tx) error {
		w, err := tx.Webhook(merchantID, id)
		if err != nil {
			return notFound(err, "webhook")
		}
		return dueAgain(tx, &w, 1, now)
	})
	if err == nil {
		a.callNow(Lane{Merchant: merchantID, Endpoint: call.Endpoint})
	}
	return err
}
