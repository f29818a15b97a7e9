package app

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// Rows as the store keeps them, under the names by which edges read them.
type (
	Filter         = store.Filter
	Order          = store.Order
	Spot           = store.Spot
	LoggedEvent    = store.LoggedEvent
	Mail           = store.Mail
	Webhook        = store.Webhook
	BankOrder      = store.BankOrder
	SettlementLine = store.SettlementLine
	PaidLine       = store.PaidLine
	BookFault      = store.BookFault
)

// Payment returns a payment of a merchant; another merchant's is NotFound.
func (a *App) Payment(ctx context.Context, merchantID, id string) (escrow.Payment, error) {
	p, err := read(ctx, a, func(r *store.Reader) (escrow.Payment, error) { return r.Payment(merchantID, id) })
	return p, notFound(err, "payment")
}

// PaymentsByID returns the payments that exist among ids, in the order asked.
func (a *App) PaymentsByID(ctx context.Context, merchantID string, ids []string) ([]escrow.Payment, error) {
	return read(ctx, a, func(r *store.Reader) (out []escrow.Payment, err error) {
		for _, id := range ids {
			p, err := r.Payment(merchantID, id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
		return out, nil
	})
}

// Payments returns a page of a merchant's payments and how many there are in all.
func (a *App) Payments(ctx context.Context, merchantID string, f Filter, o Order, offset, limit int) ([]escrow.Payment, int64, error) {
	type page struct {
		rows  []escrow.Payment
		total int64
	}
	p, err := read(ctx, a, func(r *store.Reader) (p page, err error) {
		if p.total, err = r.CountPayments(merchantID, f); err != nil {
			return p, err
		}
		p.rows, err = r.Payments(merchantID, f, o, offset, limit)
		return p, err
	})
	return p.rows, p.total, err
}

// OrderPayment returns the payment that stands for an order: the paid one, else the
// newest attempt to pay it; or NotFound.
func (a *App) OrderPayment(ctx context.Context, merchantID, orderID string) (escrow.Payment, error) {
	p, err := read(ctx, a, func(r *store.Reader) (escrow.Payment, error) { return r.OrderPayment(merchantID, orderID) })
	return p, notFound(err, "payment")
}

// PaymentsAfter returns up to limit payments in the order of the filter's AfterOrder,
// from its After on.
func (a *App) PaymentsAfter(ctx context.Context, merchantID string, f Filter, limit int) ([]escrow.Payment, error) {
	return read(ctx, a, func(r *store.Reader) ([]escrow.Payment, error) {
		return r.Payments(merchantID, f, f.AfterOrder, 0, limit)
	})
}

// siftPage is how many payments Sift looks at at once.
const siftPage = 500

// Sift hands the payments that a filter chooses to keep, in the order o, which goes by
// an instant that comes for every payment: opened or standing. keep says which of them
// stay. It is for what no column tells; complete is false when more than limit payments
// were chosen and the rest was not looked at.
func (a *App) Sift(ctx context.Context, merchantID string, f Filter, o Order, limit int, keep func([]escrow.Payment) error) (complete bool, err error) {
	f.AfterOrder = o
	for seen := 0; seen < limit; {
		rows, err := a.PaymentsAfter(ctx, merchantID, f, siftPage)
		if err != nil {
			return false, err
		}
		if err := keep(rows); err != nil || len(rows) < siftPage {
			return true, err
		}
		seen += len(rows)
		last := &rows[len(rows)-1]
		f.After = &Spot{At: last.OpenedAt, ID: last.ID}
		if o.By == "standing" {
			f.After.At = last.StandingAt()
		}
	}
	return false, nil
}

// EventsSince finds where a merchant's log has come to an instant, and returns the
// position before it. Events are logged in the order of commits, which differs from that
// of their instants by little; the position is early enough for all of them.
func (a *App) EventsSince(ctx context.Context, merchantID string, since time.Time) (int64, error) {
	return read(ctx, a, func(r *store.Reader) (int64, error) {
		last, err := r.LastPosition(merchantID)
		if err != nil {
			return 0, err
		}
		since = since.Add(-CommitsApart)
		low, high := int64(0), last // the event after low may be the first
		for low < high {
			middle := low + (high-low)/2
			e, err := r.EventsAfter(merchantID, middle, 1)
			if err != nil {
				return 0, err
			}
			if len(e) == 0 || !e[0].At.Before(since) {
				high = middle
			} else {
				low = middle + 1
			}
		}
		return low, nil
	})
}

// CommitsApart is how far the order of commits may differ from that of the instants
// at which events were decided.
const CommitsApart = time.Minute

// CountStates counts a merchant's payments by state.
func (a *App) CountStates(ctx context.Context, merchantID string) (map[escrow.State]int64, error) {
	return read(ctx, a, func(r *store.Reader) (map[escrow.State]int64, error) { return r.CountStates(merchantID) })
}

// Events returns a payment's events in order.
func (a *App) Events(ctx context.Context, merchantID, payment string) ([]LoggedEvent, error) {
	return read(ctx, a, func(r *store.Reader) ([]LoggedEvent, error) { return r.Events(merchantID, payment) })
}

// Event returns one event of a payment.
func (a *App) Event(ctx context.Context, merchantID, payment string, seq int64) (LoggedEvent, error) {
	return read(ctx, a, func(r *store.Reader) (LoggedEvent, error) { return r.Event(merchantID, payment, seq) })
}

// EventsAfter returns a merchant's events after a position, in the order of commits.
func (a *App) EventsAfter(ctx context.Context, merchantID string, position int64, limit int) ([]LoggedEvent, error) {
	return read(ctx, a, func(r *store.Reader) ([]LoggedEvent, error) { return r.EventsAfter(merchantID, position, limit) })
}

// LastPosition is the position of the merchant's newest event.
func (a *App) LastPosition(ctx context.Context, merchantID string) (int64, error) {
	return read(ctx, a, func(r *store.Reader) (int64, error) { return r.LastPosition(merchantID) })
}

// Mails returns mails of a merchant, newest first; an empty payment means all.
func (a *App) Mails(ctx context.Context, merchantID, payment string, offset, limit int) ([]Mail, error) {
	return read(ctx, a, func(r *store.Reader) ([]Mail, error) { return r.Mails(merchantID, payment, offset, limit) })
}

// Mail returns one mail.
func (a *App) Mail(ctx context.Context, merchantID, id string) (Mail, error) {
	m, err := read(ctx, a, func(r *store.Reader) (Mail, error) { return r.Mail(merchantID, id) })
	return m, notFound(err, "mail")
}

// Webhooks returns calls to a merchant, newest first.
func (a *App) Webhooks(ctx context.Context, merchantID string, f WebhookFilter, offset, limit int) ([]Webhook, error) {
	return read(ctx, a, func(r *store.Reader) ([]Webhook, error) { return r.Webhooks(merchantID, f, offset, limit) })
}

// Webhook returns one call with its log.
func (a *App) Webhook(ctx context.Context, merchantID, id string) (Webhook, error) {
	w, err := read(ctx, a, func(r *store.Reader) (Webhook, error) { return r.Webhook(merchantID, id) })
	return w, notFound(err, "webhook")
}

// BankOrders returns the orders of a payment or payout; an empty ref means all.
func (a *App) BankOrders(ctx context.Context, merchantID, ref string, limit int) ([]BankOrder, error) {
	return read(ctx, a, func(r *store.Reader) ([]BankOrder, error) { return r.BankOrders(merchantID, ref, limit) })
}

// Lines returns statement lines: of a payment, of a payout, or, with both
// empty, the ones that no payout has taken.
func (a *App) Lines(ctx context.Context, merchantID, payment, payout string, offset, limit int) ([]SettlementLine, error) {
	return read(ctx, a, func(r *store.Reader) ([]SettlementLine, error) {
		return r.Lines(merchantID, payment, payout, offset, limit)
	})
}

// Payouts returns a merchant's payouts, newest first.
func (a *App) Payouts(ctx context.Context, merchantID string, offset, limit int) ([]settle.Payout, error) {
	return read(ctx, a, func(r *store.Reader) ([]settle.Payout, error) { return r.Payouts(merchantID, offset, limit) })
}

// Payout returns one payout.
func (a *App) Payout(ctx context.Context, merchantID, id string) (settle.Payout, error) {
	p, err := read(ctx, a, func(r *store.Reader) (settle.Payout, error) { return r.Payout(merchantID, id) })
	return p, notFound(err, "payout")
}

// LineReturned is a line of money that a payout brought back; its payment is the payout.
const LineReturned = store.LineReturned

// PayoutLines returns up to limit lines that a payout has taken, in the order of
// their ids after one. A payout that does not exist is NotFound.
func (a *App) PayoutLines(ctx context.Context, merchantID, payout, after string, limit int) ([]PaidLine, error) {
	return read(ctx, a, func(r *store.Reader) ([]PaidLine, error) {
		if _, err := r.Payout(merchantID, payout); err != nil {
			return nil, notFound(err, "payout")
		}
		return r.PayoutLines(merchantID, payout, after, limit)
	})
}

// Transfers returns the ledger rows of a payment or payout.
func (a *App) Transfers(ctx context.Context, merchantID, ref string) ([]ledger.Transfer, error) {
	return read(ctx, a, func(r *store.Reader) ([]ledger.Transfer, error) { return r.Transfers(merchantID, ref) })
}

// Projected is the deadline that a payment has, or would have if its notice
// reached the buyer now; nil while the clock waits for something else.
func (a *App) Projected(ctx context.Context, p escrow.Payment) (*escrow.Deadline, error) {
	if p.Deadline != nil {
		return p.Deadline, nil
	}
	m, err := a.Merchant(ctx, p.Merchant)
	if err != nil {
		return nil, err
	}
	return escrow.Projected(p, a.circumstances(&m, a.Calendar(), &p, escrow.System))
}
