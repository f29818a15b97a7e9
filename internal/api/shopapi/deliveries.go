package shopapi

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/holdfast-pay/holdfast/internal/api/own"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// deliveryView is one call to the shop, owed or made.
type deliveryView struct {
	ID            string     `json:"id"` // the webhook-id that the receiver sees
	Endpoint      string     `json:"endpoint"`
	Type          string     `json:"type"`
	TransactionID string     `json:"transactionId"` // empty for a test and for a payout
	PayoutID      string     `json:"payoutId"`      // empty for a test and for a payment
	Sequence      int64      `json:"sequence"`
	URL           string     `json:"url"`
	State         string     `json:"state"`
	Attempts      int64      `json:"attempts"`
	MaxAttempts   int64      `json:"maxAttempts"`
	NextAt        *time.Time `json:"nextAt,omitempty"`
	CreatedAt     time.Time  `json:"createdAt"`
	DoneAt        *time.Time `json:"doneAt,omitempty"`
	// Log is the latest attempts with request and answer, the oldest first.
	Log json.RawMessage `json:"log,omitempty"`
}

func deliveryOf(w app.Webhook) deliveryView {
	v := deliveryView{
		ID: w.ID, Endpoint: w.Endpoint, Type: w.Kind, TransactionID: w.Payment, Sequence: w.Seq, URL: w.URL, State: w.State,
		Attempts: w.Attempts, MaxAttempts: w.Max, CreatedAt: w.CreatedAt.UTC(),
	}
	if merchant.IsOfPayout(w.Kind) {
		v.TransactionID, v.PayoutID = "", w.Payment
	}
	if w.State == app.WebhookPending {
		at := w.DueAt.UTC()
		v.NextAt = &at
	}
	if !w.DoneAt.IsZero() {
		at := w.DoneAt.UTC()
		v.DoneAt = &at
	}
	return v
}

// idMax bounds an id that a list is narrowed by, in characters.
const idMax = 200

// notEndpoint refuses what no call can bear as its endpoint. A deleted endpoint's id
// is none of that: its calls stay in the log.
var notEndpoint = body.Reason{Code: "not_endpoint", English: "must be the id of an endpoint", Korean: "받는 주소의 ID여야 합니다"}

func endpointName(sent string) (string, bool) { return sent, app.IsEndpointName(sent) }

func (s *api) listDeliveries(c *call) (any, error) {
	var wanted app.WebhookFilter
	return own.List(c.Request, func(q *body.Fields) {
		wanted = app.WebhookFilter{
			State:   q.OneOf("state", app.WebhookPending, app.WebhookDelivered, app.WebhookFailed),
			Payment: cmp.Or(q.Text("transactionId", idMax), q.Text("payoutId", idMax)),
			Kind:    q.Text("type", idMax), Endpoint: q.Spelt("endpoint", idMax, notEndpoint, endpointName),
		}
	}, func(offset, limit int) ([]app.Webhook, error) {
		return s.App.Webhooks(c.Context(), c.shop.ID, wanted, offset, limit)
	}, deliveryOf)
}

func (s *api) showDelivery(c *call) (any, error) {
	w, err := s.App.Webhook(c.Context(), c.shop.ID, c.id())
	if err != nil {
		return nil, err
	}
	v := deliveryOf(w)
	v.Log = json.RawMessage(w.Log)
	return v, nil
}

func (s *api) replayDelivery(c *call) (any, error) {
	if err := s.App.ResendWebhook(c.Context(), c.shop.ID, c.id()); err != nil {
		return nil, err
	}
	return s.showDelivery(c)
}

// replay tells an endpoint again: of all that failed, or of a range of positions
// or instants.
func (s *api) replay(c *call) (any, error) {
	f, err := own.ReadBody(c.Request)
	if err != nil {
		return nil, err
	}
	failed, _ := f.Bool("failed")
	var part app.Stretch
	part.From, _ = f.Int("fromPosition", 1, 1<<53)
	part.To, _ = f.Int("toPosition", 1, 1<<53)
	if since, given := f.Instant("from"); given {
		part.Since = &since
	}
	if until, given := f.Instant("to"); given {
		part.Until = &until
	}
	if err := f.ErrStrict(); err != nil {
		return nil, err
	}
	ctx, shop, id := c.Context(), c.shop.ID, c.id()
	var done app.Replayed
	switch ranged := part.From > 0 || part.Since != nil; {
	case failed == ranged:
		return nil, own.Refuse(400, "invalid", "failed", "say either failed: true, or from where: fromPosition or from")
	case failed:
		done, err = s.App.ReplayFailed(ctx, shop, id)
	default:
		done, err = s.App.ReplayRange(ctx, shop, id, part)
	}
	return replayedView{Deliveries: done.Calls, More: done.More || done.Next > 0, Next: done.Next}, err
}

// replayedView says how far a replay came.
type replayedView struct {
	Deliveries int   `json:"deliveries"`
	More       bool  `json:"more"`
	Next       int64 `json:"next,omitempty"` // the position from which a range goes on
}
