package apiv2

import (
	"fmt"
	"strconv"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// eventsRead is how many steps are read from the log at once.
const eventsRead = 500

// listEvents answers the movements of money in the order of the log, from where a list
// was left.
func (h *api) listEvents(c *call) answer {
	q, refusal := h.cursorQuery(c)
	if refusal != nil {
		return *refusal
	}
	position, err := h.eventsFrom(c, &q)
	if err != nil {
		return h.failed(c.r, err)
	}
	if position < 0 {
		return no(wirev2.InvalidRequest, wirev2.MessageCursor)
	}
	out := wirev2.Items[wirev2.EventWithCursor]{Items: []wirev2.EventWithCursor{}}
	for len(out.Items) < q.Size {
		steps, err := h.app.EventsAfter(c.ctx(), c.shop.ID, position, eventsRead)
		if err != nil {
			return h.failed(c.r, err)
		}
		if out.Items, err = h.addEvents(c, &q, out.Items, steps); err != nil {
			return h.failed(c.r, err)
		}
		if len(steps) < eventsRead || steps[len(steps)-1].At.After(q.Window.Until.Add(app.CommitsApart)) {
			break
		}
		position = steps[len(steps)-1].Position
	}
	return ok(out)
}

// eventsFrom is the position after which the list goes on; below zero if the cursor is
// none.
func (h *api) eventsFrom(c *call, q *wirev2.CursorQuery) (int64, error) {
	if q.Cursor == "" {
		return h.app.EventsSince(c.ctx(), c.shop.ID, q.Window.From)
	}
	n, err := strconv.ParseInt(q.Cursor, 10, 64)
	if err != nil || n < 0 {
		return -1, nil
	}
	return n, nil
}

// addEvents adds the movements of money among steps of the log, as many as the query
// takes.
func (h *api) addEvents(c *call, q *wirev2.CursorQuery, items []wirev2.EventWithCursor, steps []app.LoggedEvent) ([]wirev2.EventWithCursor, error) {
	for i := range steps {
		step := &steps[i]
		if len(items) == q.Size {
			return items, nil
		}
		if step.At.Before(q.Window.From) || step.At.After(q.Window.Until) || !movesMoney(step.Type) {
			continue
		}
		p, err := h.app.Payment(c.ctx(), c.shop.ID, step.Payment)
		if err != nil {
			return nil, err
		}
		known, err := h.circumstances(c, []escrow.Payment{p})
		if err != nil {
			return nil, err
		}
		e, shown := wirev2.NewEvent(&p, fmt.Sprintf("%s-e%d", p.ID, step.Seq), step.Event, known[0])
		if shown {
			items = append(items, wirev2.EventWithCursor{PaymentEvent: e, Cursor: strconv.FormatInt(step.Position, 10)})
		}
	}
	return items, nil
}

func movesMoney(t escrow.EventType) bool {
	switch t {
	case escrow.EventPaid, escrow.EventPartlyRefunded, escrow.EventCancelled, escrow.EventDepositReversed:
		return true
	default:
		return false
	}
}
