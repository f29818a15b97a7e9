package wirev2

import "github.com/holdfast-pay/holdfast/internal/escrow"

// EscrowStatus is a step of an escrow.
type EscrowStatus string

// The steps of an escrow.
const (
	EscrowBeforeRegistered EscrowStatus = "BEFORE_REGISTERED"
	EscrowRegistered       EscrowStatus = "REGISTERED"
	EscrowDelivered        EscrowStatus = "DELIVERED"
	EscrowConfirmed        EscrowStatus = "CONFIRMED"
	EscrowRejected         EscrowStatus = "REJECTED"
	EscrowRejectConfirmed  EscrowStatus = "REJECT_CONFIRMED"
	EscrowCancelled        EscrowStatus = "CANCELLED"
)

// escrowStates are the states of a payment at a step.
var escrowStates = map[EscrowStatus]escrow.State{
	EscrowRegistered: escrow.Shipped, EscrowDelivered: escrow.Delivered, EscrowConfirmed: escrow.Confirmed, EscrowRejected: escrow.Rejected,
	EscrowRejectConfirmed: escrow.RejectionAccepted, EscrowCancelled: escrow.Cancelled,
}

var escrowSteps = func() map[escrow.State]EscrowStatus {
	m := map[escrow.State]EscrowStatus{}
	for step, state := range escrowStates {
		m[state] = step
	}
	return m
}()

// Escrow is how far an escrow has come. At every step after the first, company and
// invoice number are there; they are empty if nothing was shipped, as in a cancel
// before the delivery.
type Escrow struct {
	Status                   EscrowStatus `json:"status"`
	Company                  *string      `json:"company,omitempty"`
	InvoiceNumber            *string      `json:"invoiceNumber,omitempty"`
	SentAt                   string       `json:"sentAt,omitempty"`
	AppliedAt                string       `json:"appliedAt,omitempty"`
	IsAutomaticallyConfirmed *bool        `json:"isAutomaticallyConfirmed,omitempty"`
}

// EscrowOf is the escrow of a payment, or nil of an ordinary one.
func EscrowOf(p *escrow.Payment) *Escrow {
	if !p.Escrow {
		return nil
	}
	step, begun := escrowSteps[p.State]
	if !begun {
		return &Escrow{Status: EscrowBeforeRegistered}
	}
	e := &Escrow{Status: step, Company: new(string), InvoiceNumber: new(string)}
	if d := p.Delivery; d != nil {
		*e.Company, *e.InvoiceNumber = CompanyOf(d.Parcels[0].Carrier), d.Parcels[0].Number
		e.SentAt, e.AppliedAt = moment(d.SentAt), moment(d.RegisteredAt)
	}
	if step == EscrowConfirmed {
		auto := p.Decided != nil && p.Decided.Kind == escrow.ByTime
		e.IsAutomaticallyConfirmed = &auto
	}
	return e
}

// Delivery answers a registration: RegisterDelivery with AppliedAt, ChangeDelivery
// with ModifiedAt.
type Delivery struct {
	InvoiceNumber string `json:"invoiceNumber"`
	SentAt        string `json:"sentAt"`
	AppliedAt     string `json:"appliedAt,omitempty"`
	ModifiedAt    string `json:"modifiedAt,omitempty"`
}

// NewDelivery shows a registered delivery, of several parcels the first.
func NewDelivery(d *escrow.Delivery) Delivery {
	return Delivery{InvoiceNumber: d.Parcels[0].Number, SentAt: moment(d.SentAt), AppliedAt: moment(d.RegisteredAt)}
}

// ChangedDelivery shows a corrected delivery of a payment.
func ChangedDelivery(p *escrow.Payment) Delivery {
	d := p.Delivery
	return Delivery{InvoiceNumber: d.Parcels[0].Number, SentAt: moment(d.SentAt), ModifiedAt: moment(p.UpdatedAt)}
}

// Completed answers a purchase confirmation.
type Completed struct {
	CompletedAt string `json:"completedAt"`
}

// NewCompleted says when the purchase of a payment was confirmed.
func NewCompleted(p *escrow.Payment) Completed {
	return Completed{CompletedAt: moment(p.ConfirmedAt)}
}

// Closed answers the closing of a virtual account.
type Closed struct {
	ClosedAt string `json:"closedAt"`
}

// NewClosed says when the account of a payment was closed.
func NewClosed(p *escrow.Payment) Closed { return Closed{ClosedAt: moment(p.FailedAt)} }

// Instant answers a payment by API. PaidAt is when its account was issued.
type Instant struct {
	Payment InstantPayment `json:"payment"`
}

// InstantPayment is what an [Instant] carries.
type InstantPayment struct {
	PgTxID string `json:"pgTxId"`
	PaidAt string `json:"paidAt"`
}

// NewInstant shows a payment whose account was issued.
func NewInstant(p *escrow.Payment) Instant {
	return Instant{Payment: InstantPayment{PgTxID: p.ID, PaidAt: moment(p.Account.IssuedAt)}}
}

// Approved answers a manual approval. PaidAt is when the payment was paid, or when its
// account was issued.
type Approved = InstantPayment

// NewApproved shows a payment that its shop approved.
func NewApproved(p *escrow.Payment) Approved {
	at := p.PaidAt
	if p.Account != nil {
		at = p.Account.IssuedAt
	}
	return Approved{PgTxID: p.ID, PaidAt: moment(at)}
}
