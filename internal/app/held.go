package app

import (
	"context"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// HeldQuery asks for the money held at the ends of days.
type HeldQuery struct {
	Merchant    string // empty for all
	First, Last bizday.Date
}

// HeldDay is the money held for a merchant's buyers at the end of a Korean day of
// the merchant's clock.
type HeldDay struct {
	Merchant  string
	Day       bizday.Date
	Held      money.Won
	Safeguard money.Won // what must be kept outside
}

// MonthEnd reports whether the day is the last of its month.
func (h HeldDay) MonthEnd() bool {
	_, _, next := h.Day.AddDays(1).YMD()
	return next == 1
}

// maxHeldDays bounds a report.
const maxHeldDays = 366

// HeldDays is the held money at the end of every day from the first to the last
// one on which anything was held or changed, by merchant.
func (a *App) HeldDays(ctx context.Context, q HeldQuery) (out []HeldDay, err error) {
	if q.Last.Before(q.First) || q.Last.After(q.First.AddDays(maxHeldDays)) {
		return nil, invalid("to", "must not be before from, and at most 366 days after it")
	}
	var changes []store.HeldDay
	err = a.store.Snapshot(ctx, func(r *store.Reader) (err error) {
		changes, err = r.HeldChanges(q.Merchant, q.Last)
		return err
	})
	for len(changes) > 0 && err == nil {
		n := 1
		for n < len(changes) && changes[n].Merchant == changes[0].Merchant {
			n++
		}
		out = append(out, heldOf(changes[:n], q)...)
		changes = changes[n:]
	}
	return out, err
}

// heldOf are the days of one merchant, whose changes come in order.
func heldOf(changes []store.HeldDay, q HeldQuery) (out []HeldDay) {
	merchant := changes[0].Merchant
	var held money.Won
	for day := q.First; !day.After(q.Last); day = day.AddDays(1) {
		moved := false
		for len(changes) > 0 && !changes[0].Day.After(day) {
			held += money.Won(changes[0].Change)
			moved, changes = moved || changes[0].Day == day, changes[1:]
		}
		if held != 0 || moved {
			out = append(out, HeldDay{merchant, day, held, settle.Safeguard(held, day)})
		}
	}
	return out
}
