package shopapi

import (
	"encoding/json"
	"time"

	"github.com/holdfast-pay/holdfast/internal/api/own"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

const (
	// waitMax is the longest that a reader may wait for an event, in seconds.
	waitMax = 60
	// feedMax bounds the positions of one answer, feedDefault is their usual number.
	feedMax, feedDefault = 500, 100
)

// feedPage is an answer of the feed.
type feedPage struct {
	Events []feedItem `json:"events"`
	Next   int64      `json:"next"` // where to go on
}

// feedItem is one thing that is told: the body is that of a webhook, byte for byte.
type feedItem struct {
	Position int64  `json:"position"`
	ID       string `json:"id"` // begins the webhook-id of every call about the same
	Type     string `json:"type"`
	// Body is what a webhook of the format says, a JSON object.
	Body json.RawMessage `json:"body"`
}

// listEvents is the feed of all that happens, in the order of commits and without
// gaps. A reader asks again after "next". With from=now it answers no events and where
// the feed ends.
func (s *api) listEvents(c *call) (any, error) {
	q, err := own.Query(c.Request)
	if err != nil {
		return nil, err
	}
	after, placed := q.Int("after", 0, 1<<53)
	now := q.OneOf("from", "now") != ""
	if now && placed {
		q.Refuse("from", body.Reason{Code: "two_places", English: "cannot stand beside after", Korean: "after와 함께 사용할 수 없습니다"})
	}
	limit, given := q.Int("limit", 1, feedMax)
	if !given {
		limit = feedDefault
	}
	wait, _ := q.Int("wait", 0, waitMax)
	format := merchant.Format(q.OneOf("format", string(merchant.V2), string(merchant.V2Old), string(merchant.V1JSON)))
	if format == "" {
		format = merchant.V2
	}
	if err := q.ErrStrict(); err != nil {
		return nil, err
	}
	if now {
		last, err := s.App.LastPosition(c.Context(), c.shop.ID)
		return feedPage{Events: []feedItem{}, Next: last}, err
	}
	feed, err := s.App.FeedAfter(c.Context(), c.shop.ID, after, int(limit), time.Duration(wait)*time.Second, s.Ending)
	if err != nil {
		return nil, err
	}
	e := merchant.Endpoint{Format: format, Events: []string{"*"}}
	out := feedPage{Events: []feedItem{}, Next: after}
	for i := range feed.Events {
		logged := &feed.Events[i]
		out.Next = logged.Position
		p := feed.Payments[logged.Payment] // unused of a payout
		for _, name := range feed.Names(logged) {
			if !e.Wants(name) {
				continue
			}
			raw, err := s.Body(&c.shop, &e, name, &p, logged)
			if err != nil {
				return nil, err
			}
			out.Events = append(out.Events, feedItem{logged.Position, app.MessageID(logged.Payment, logged.Seq, name), name, raw})
		}
	}
	return out, nil
}
