package apiv2

import (
	"fmt"
	"slices"
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
		moves, looked := movesAmong(&q, steps, q.Size-len(out.Items))
		more, err := h.showMoves(c, moves)
		if err != nil {
			return h.failed(c.r, err)
		}
		out.Items = append(out.Items, more...)
		if looked < eventsRead && looked == len(steps) || steps[looked-1].At.After(q.Window.Until.Add(app.CommitsApart)) {
			break
		}
		position = steps[looked-1].Position
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

// movesAmong are the first movements of money among steps of the log that the query
// takes, at most left of them, and how many steps were looked at.
func movesAmong(q *wirev2.CursorQuery, steps []app.LoggedEvent, left int) (moves []*app.LoggedEvent, looked int) {
	for i := range steps {
		if len(moves) == left {
			return moves, i
		}
		step := &steps[i]
		if !step.At.Before(q.Window.From) && !step.At.After(q.Window.Until) && movesMoney(step.Type) {
			moves = append(moves, step)
		}
	}
	return moves, len(steps)
}

// showMoves gives movements of money the shape of the wire. Their payments are read
// together.
func (h *api) showMoves(c *call, moves []*app.LoggedEvent) ([]wirev2.EventWithCursor, error) {
	var ids []string
	for _, m := range moves {
		ids = append(ids, m.Payment)
	}
	slices.Sort(ids)
	payments, err := h.app.PaymentsByID(c.ctx(), c.shop.ID, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	known, err := h.circumstances(c, payments)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for i := range payments {
		at[payments[i].ID] = i
	}
	var out []wirev2.EventWithCursor
	for _, m := range moves {
		i, found := at[m.Payment]
		if !found {
			return nil, fmt.Errorf("apiv2: an event of payment %s, which does not exist", m.Payment)
		}
		e, shown := wirev2.NewEvent(&payments[i], fmt.Sprintf("%s-e%d", m.Payment, m.Seq), m.Event, known[i])
		if shown {
			out = append(out, wirev2.EventWithCursor{PaymentEvent: e, Cursor: strconv.FormatInt(m.Position, 10)})
		}
	}
	return out, nil
}

func movesMoney(t escrow.EventType) bool {
	switch t {
	case escrow.EventPaid, escrow.EventPartlyRefunded, escrow.EventCancelled, escrow.EventDepositReversed:
		return true
	default:
		return false
	}
}
