package shopapi

import (
	"encoding/json"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// deliveryView is one call to the shop, owed or made.
type deliveryView struct {
	ID            string     `json:"id"` // the webhook-id that the receiver sees
	Endpoint      string     `json:"endpoint"`
	Type          string     `json:"type"`
	TransactionID string     `json:"transactionId"` // empty for a test
	Sequence      int64      `json:"sequence"`
	URL           string     `json:"url"`
	State         string     `json:"state"`
	Attempts      int64      `json:"attempts"`
	MaxAttempts   int64      `json:"maxAttempts"`
	NextAt        *time.Time `json:"nextAt"`
	CreatedAt     time.Time  `json:"createdAt"`
	DoneAt        *time.Time `json:"doneAt"`
	// Log is the latest attempts with request and answer, the oldest first.
	Log json.RawMessage `json:"log,omitempty"`
}

func deliveryOf(w *app.Webhook) deliveryView {
	v := deliveryView{
		ID: w.ID, Endpoint: w.Endpoint, Type: w.Kind, TransactionID: w.Payment, Sequence: w.Seq, URL: w.URL, State: w.State,
		Attempts: w.Attempts, MaxAttempts: w.Max, CreatedAt: w.CreatedAt.UTC(),
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

// Bounds of lists.
const (
	limitDefault = 20
	limitMax     = 100
	offsetMax    = 1_000_000
	idMax        = 200
)

func (s *api) listDeliveries(c *call) (any, error) {
	q, err := c.query()
	if err != nil {
		return nil, err
	}
	offset, _ := q.Int("offset", 0, offsetMax)
	limit, given := q.Int("limit", 1, limitMax)
	if !given {
		limit = limitDefault
	}
	f := app.WebhookFilter{
		State: q.OneOf("state", app.WebhookPending, app.WebhookDelivered, app.WebhookFailed), Payment: q.Text("transactionId", idMax),
		Kind: q.Text("type", idMax), Endpoint: q.Text("endpoint", idMax),
	}
	if err := q.ErrStrict(); err != nil {
		return nil, err
	}
	rows, err := s.App.Webhooks(c.Context(), c.shop.ID, f, int(offset), int(limit)+1)
	if err != nil {
		return nil, err
	}
	items := []deliveryView{}
	for i := range rows[:min(len(rows), int(limit))] {
		items = append(items, deliveryOf(&rows[i]))
	}
	return map[string]any{"items": items, "offset": offset, "limit": limit, "more": len(rows) > int(limit)}, nil
}

func (s *api) showDelivery(c *call) (any, error) {
	w, err := s.App.Webhook(c.Context(), c.shop.ID, c.PathValue("id"))
	if err != nil {
		return nil, err
	}
	v := deliveryOf(&w)
	v.Log = json.RawMessage(w.Log)
	return v, nil
}

func (s *api) replayDelivery(c *call) (any, error) {
	if err := s.App.ResendWebhook(c.Context(), c.shop.ID, c.PathValue("id")); err != nil {
		return nil, err
	}
	return s.showDelivery(c)
}

// replay tells an endpoint again: of all that failed, or of a range of positions
// or instants.
func (s *api) replay(c *call) (any, error) {
	f, err := c.fields()
	if err != nil {
		return nil, err
	}
	failed, _ := f.Bool("failed")
	from, ranged := f.Int("fromPosition", 1, 1<<53)
	to, _ := f.Int("toPosition", 1, 1<<53)
	since, until := instant(f, "from"), instant(f, "to")
	if err := f.ErrStrict(); err != nil {
		return nil, err
	}
	ctx, shop, id := c.Context(), c.shop.ID, c.PathValue("id")
	if !since.IsZero() {
		ranged = true
		if from, err = s.App.PositionAt(ctx, shop, since); err != nil {
			return nil, err
		}
	}
	if !until.IsZero() {
		if to, err = s.App.PositionAt(ctx, shop, until); err != nil {
			return nil, err
		}
		if to--; to == 0 {
			return map[string]any{"deliveries": 0, "next": nil}, nil
		}
	}
	var done app.Replayed
	switch {
	case failed == ranged:
		return nil, refuse(400, "invalid", "failed", "say either failed: true, or from where: fromPosition or from")
	case failed:
		done, err = s.App.ReplayFailed(ctx, shop, id)
	default:
		done, err = s.App.ReplayRange(ctx, shop, id, from, to)
	}
	out := map[string]any{"deliveries": done.Calls, "more": done.More || done.Next > 0, "next": nil}
	if done.Next > 0 {
		out["next"] = done.Next
	}
	return out, err
}

// instant takes an RFC 3339 instant, or zero when it is absent.
func instant(f *body.Fields, name string) time.Time {
	text := f.Text(name, idMax)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		f.Refuse(name, body.Reason{Code: "not_instant", English: "must be an instant such as 2026-02-13T18:00:00+09:00", Korean: "2026-02-13T18:00:00+09:00과 같은 시각이어야 합니다"})
	}
	return t
}
