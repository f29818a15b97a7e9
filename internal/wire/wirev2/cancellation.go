package wirev2

import "github.com/holdfast-pay/holdfast/internal/escrow"

// Statuses of a cancellation.
const (
	CancellationRequested = "REQUESTED"
	CancellationSucceeded = "SUCCEEDED"
	CancellationFailed    = "FAILED"
)

// Cancellation is money that goes back to the buyer.
type Cancellation struct {
	Status        string `json:"status"`
	ID            string `json:"id"`
	PgID          string `json:"pgCancellationId,omitempty"`
	TotalAmount   int64  `json:"totalAmount"`
	TaxFreeAmount int64  `json:"taxFreeAmount"`
	VATAmount     int64  `json:"vatAmount"`
	Reason        string `json:"reason"`
	CancelledAt   string `json:"cancelledAt,omitempty"`
	RequestedAt   string `json:"requestedAt"`
	Trigger       string `json:"trigger,omitempty"`
}

// Cancelled answers a cancel.
type Cancelled struct {
	Cancellation Cancellation `json:"cancellation"`
}

// NewCancellation shows a refund of a purchase. It succeeds when the bank has sent the
// money, and fails when the bank has said that it cannot; somebody then names another
// account, and it is requested again.
func NewCancellation(r *escrow.Refund) Cancellation {
	c := Cancellation{
		Status: CancellationRequested, ID: r.ID, PgID: r.ID, TotalAmount: int64(r.Amount), TaxFreeAmount: int64(r.TaxFree), VATAmount: int64(r.VAT),
		Reason: r.Reason, RequestedAt: moment(r.At), Trigger: triggerOf(r.By),
	}
	switch r.State {
	case escrow.RefundSent:
		c.Status, c.CancelledAt = CancellationSucceeded, moment(r.SentAt)
	case escrow.RefundFailed:
		c.Status = CancellationFailed
	case escrow.RefundAccountNeeded, escrow.RefundOrdered:
	}
	return c
}

// triggerOf says by whom a cancel was asked for. The shop's console and its server
// are one to the domain, and so it stays unsaid which of them it was.
func triggerOf(by escrow.Actor) string {
	if by == escrow.Operator {
		return "PORTONE_ADMIN"
	}
	return ""
}

// CancellationsOf lists what went back to the buyer, in the order in which it was
// decided. Deposits without an owner are no part of a purchase.
func CancellationsOf(p *escrow.Payment) []Cancellation {
	out := []Cancellation{}
	for i := range p.Refunds {
		if !p.Refunds[i].Suspense {
			out = append(out, NewCancellation(&p.Refunds[i]))
		}
	}
	if id := p.ReversalID(); id != "" {
		at := moment(p.CancelledAt)
		out = append(out, Cancellation{
			Status: CancellationSucceeded, ID: id, PgID: p.ID, TotalAmount: int64(p.Amount), TaxFreeAmount: int64(p.TaxFree), VATAmount: int64(p.VAT),
			Reason: p.CancelReason, CancelledAt: at, RequestedAt: at, Trigger: "CHARGEBACK",
		})
	}
	return out
}
