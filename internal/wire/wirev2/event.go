package wirev2

import "github.com/holdfast-pay/holdfast/internal/escrow"

// Event is a movement of a payment's money. What it says of the payment is as that
// stands now.
type Event struct {
	Type          Status `json:"type"`
	ID            string `json:"id"`
	PaymentID     string `json:"paymentId"`
	TransactionID string `json:"transactionId"`
	Facts
	CreatedAt    string        `json:"createdAt"`
	TotalAmount  Amount        `json:"totalAmount"`
	EventAmount  int64         `json:"eventAmount"` // negative when money goes back
	Cancellation *Cancellation `json:"cancellation,omitempty"`
	Disputes     *[]struct{}   `json:"disputes,omitempty"` // of PAID; there are never any
	Origin       Origin        `json:"origin"`
}

// EventWithCursor is an event and where a list goes on after it.
type EventWithCursor struct {
	PaymentEvent Event  `json:"paymentEvent"`
	Cursor       string `json:"cursor"`
}

// PaymentWithCursor is a payment and where a list goes on after it.
type PaymentWithCursor struct {
	Payment Payment `json:"payment"`
	Cursor  string  `json:"cursor"`
}

// NewEvent shows a step of a payment, or false if the step moves no money of the
// purchase.
func NewEvent(p *escrow.Payment, id string, e escrow.Event, c Circumstances) (Event, bool) {
	out := Event{
		ID: id, PaymentID: p.OrderID, TransactionID: p.ID, Facts: factsOf(p, c), CreatedAt: moment(e.At), TotalAmount: amountOf(p),
		EventAmount: -int64(e.Amount), Origin: originOf(p),
	}
	switch {
	case e.Type == escrow.EventPaid:
		out.Type, out.EventAmount, out.Disputes = StatusPaid, int64(p.Amount), &[]struct{}{}
		return out, true
	case e.Type == escrow.EventPartlyRefunded:
		out.Type = StatusPartCancelled
	case e.Type == escrow.EventCancelled, e.Type == escrow.EventDepositReversed && p.ReversalID() != "":
		out.Type = StatusCancelled
	default:
		return Event{}, false
	}
	at := moment(e.At)
	for _, x := range CancellationsOf(p) {
		if x.RequestedAt == at {
			out.Cancellation, out.EventAmount = &x, -x.TotalAmount
		}
	}
	return out, true
}
