package client

import (
	"bytes"
	"encoding/json"
	"time"
)

// State is what the status of a payment adds to it: one of [Ready], [Pending],
// [AccountIssued], [Paid], [PartCancelled], [Cancelled], [Failed] and [UnknownState].
// A switch over it needs a default, because a newer server may know more.
type State interface{ isState() }

// Ready is a payment whose buyer has not paid yet.
type Ready struct{}

// Pending is a payment whose outcome is not known yet.
type Pending struct{}

// AccountIssued is a payment that waits for a deposit.
type AccountIssued struct{}

// Paid is a payment whose money is here. Of an escrow it is held.
type Paid struct {
	PaidAt time.Time `json:"paidAt"`
}

// PartCancelled is a payment of which a part went back.
type PartCancelled struct {
	PaidAt        time.Time      `json:"paidAt"`
	CancelledAt   time.Time      `json:"cancelledAt"`
	Cancellations []Cancellation `json:"cancellations"`
}

// Cancelled is a payment that went back as a whole.
type Cancelled struct {
	PaidAt        time.Time      `json:"paidAt"`
	CancelledAt   time.Time      `json:"cancelledAt"`
	Cancellations []Cancellation `json:"cancellations"`
}

// Failed is a payment that did not come about.
type Failed struct {
	FailedAt time.Time `json:"failedAt"`
	Failure  struct {
		Reason string `json:"reason"`
	} `json:"failure"`
}

// UnknownState is a status that this version does not know. Raw is the whole payment.
type UnknownState struct {
	Status PaymentStatus
	Raw    json.RawMessage
}

func (Ready) isState()         {}
func (Pending) isState()       {}
func (AccountIssued) isState() {}
func (Paid) isState()          {}
func (PartCancelled) isState() {}
func (Cancelled) isState()     {}
func (Failed) isState()        {}
func (UnknownState) isState()  {}

// Method is how a payment is made: one of [VirtualAccount], [Transfer], [Card] and
// [UnknownMethod].
type Method interface{ isMethod() }

// VirtualAccount is an account to which the buyer pays.
type VirtualAccount struct {
	Bank          string    `json:"bank"`
	AccountNumber string    `json:"accountNumber"`
	AccountType   string    `json:"accountType"`
	RemitteeName  string    `json:"remitteeName"`
	RemitterName  string    `json:"remitterName"`
	IssuedAt      time.Time `json:"issuedAt"`
	ExpiredAt     time.Time `json:"expiredAt"` // until when it can be paid to
	// RefundStatus is PENDING, PARTIAL_REFUND_FAILED, FAILED or COMPLETED; empty if
	// nothing goes back.
	RefundStatus string `json:"refundStatus"`
}

// Transfer is a transfer from the buyer's account.
type Transfer struct {
	Bank          string `json:"bank"`
	AccountNumber string `json:"accountNumber"`
}

// Card is a payment by card. The number is masked.
type Card struct {
	Card struct {
		Name   string `json:"name"`
		Number string `json:"number"`
	} `json:"card"`
	ApprovalNumber string `json:"approvalNumber"`
}

// UnknownMethod is a method that this version does not know. Raw is its object.
type UnknownMethod struct {
	Type string
	Raw  json.RawMessage
}

func (VirtualAccount) isMethod() {}
func (Transfer) isMethod()       {}
func (Card) isMethod()           {}
func (UnknownMethod) isMethod()  {}

// Escrow is how far an escrow has come: one of [EscrowBeforeRegistered],
// [EscrowRegistered], [EscrowDelivered], [EscrowConfirmed], [EscrowRejected],
// [EscrowRejectConfirmed], [EscrowCancelled] and [UnknownEscrow].
type Escrow interface{ isEscrow() }

// Shipment is the delivery of an escrow. Company and InvoiceNumber are empty if
// nothing was shipped.
type Shipment struct {
	Company       string    `json:"company"`
	InvoiceNumber string    `json:"invoiceNumber"`
	SentAt        time.Time `json:"sentAt"`
	AppliedAt     time.Time `json:"appliedAt"` // when it was registered
}

// EscrowBeforeRegistered is an escrow without a registered delivery.
type EscrowBeforeRegistered struct{}

// EscrowRegistered is an escrow whose goods are on their way.
type EscrowRegistered struct{ Shipment }

// EscrowDelivered is an escrow whose goods have arrived. The buyer may decide.
type EscrowDelivered struct{ Shipment }

// EscrowConfirmed is an escrow whose purchase is confirmed.
type EscrowConfirmed struct {
	Shipment
	// IsAutomaticallyConfirmed says that the buyer was silent until the time was over.
	IsAutomaticallyConfirmed bool `json:"isAutomaticallyConfirmed"`
}

// EscrowRejected is an escrow whose goods the buyer rejects.
type EscrowRejected struct{ Shipment }

// EscrowRejectConfirmed is an escrow whose rejection is accepted.
type EscrowRejectConfirmed struct{ Shipment }

// EscrowCancelled is an escrow that was cancelled.
type EscrowCancelled struct{ Shipment }

// UnknownEscrow is a step that this version does not know. Raw is its object.
type UnknownEscrow struct {
	Status EscrowStatus
	Raw    json.RawMessage
}

func (EscrowBeforeRegistered) isEscrow() {}
func (EscrowRegistered) isEscrow()       {}
func (EscrowDelivered) isEscrow()        {}
func (EscrowConfirmed) isEscrow()        {}
func (EscrowRejected) isEscrow()         {}
func (EscrowRejectConfirmed) isEscrow()  {}
func (EscrowCancelled) isEscrow()        {}
func (UnknownEscrow) isEscrow()          {}

// EscrowStatus is the word for a step of an escrow.
type EscrowStatus string

// The steps, as a [Filter] takes them. It does not take BEFORE_REGISTERED.
const (
	StepBeforeRegistered EscrowStatus = "BEFORE_REGISTERED"
	StepRegistered       EscrowStatus = "REGISTERED"
	StepDelivered        EscrowStatus = "DELIVERED"
	StepConfirmed        EscrowStatus = "CONFIRMED"
	StepRejected         EscrowStatus = "REJECTED"
	StepRejectConfirmed  EscrowStatus = "REJECT_CONFIRMED"
	StepCancelled        EscrowStatus = "CANCELLED"
)

// readVariants reads the members whose shape depends on another one.
func (f *Facts) readVariants(raw []byte) error {
	var parts struct {
		Method json.RawMessage `json:"method"`
		Escrow json.RawMessage `json:"escrow"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return err
	}
	var err error
	if f.Status != "" {
		if f.State, err = stateOf(f.Status, raw); err != nil {
			return err
		}
	}
	if f.Method, err = methodOf(parts.Method); err != nil {
		return err
	}
	f.Escrow, err = escrowOf(parts.Escrow)
	return err
}

// as reads a variant.
func as[T any](raw []byte) (T, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func stateOf(status PaymentStatus, raw []byte) (State, error) {
	switch status {
	case StatusReady:
		return Ready{}, nil
	case StatusPending:
		return Pending{}, nil
	case StatusAccountIssued:
		return AccountIssued{}, nil
	case StatusPaid:
		return as[Paid](raw)
	case StatusPartCancelled:
		return as[PartCancelled](raw)
	case StatusCancelled:
		return as[Cancelled](raw)
	case StatusFailed:
		return as[Failed](raw)
	default:
		return UnknownState{Status: status, Raw: bytes.Clone(raw)}, nil
	}
}

func methodOf(raw json.RawMessage) (Method, error) {
	if absent(raw) {
		return nil, nil
	}
	kind, err := as[struct{ Type string }](raw)
	if err != nil {
		return nil, err
	}
	switch kind.Type {
	case "PaymentMethodVirtualAccount":
		return as[VirtualAccount](raw)
	case "PaymentMethodTransfer":
		return as[Transfer](raw)
	case "PaymentMethodCard":
		return as[Card](raw)
	default:
		return UnknownMethod{Type: kind.Type, Raw: raw}, nil
	}
}

func escrowOf(raw json.RawMessage) (Escrow, error) {
	if absent(raw) {
		return nil, nil
	}
	step, err := as[struct{ Status EscrowStatus }](raw)
	if err != nil {
		return nil, err
	}
	switch step.Status {
	case StepBeforeRegistered:
		return EscrowBeforeRegistered{}, nil
	case StepRegistered:
		return as[EscrowRegistered](raw)
	case StepDelivered:
		return as[EscrowDelivered](raw)
	case StepConfirmed:
		return as[EscrowConfirmed](raw)
	case StepRejected:
		return as[EscrowRejected](raw)
	case StepRejectConfirmed:
		return as[EscrowRejectConfirmed](raw)
	case StepCancelled:
		return as[EscrowCancelled](raw)
	default:
		return UnknownEscrow{Status: step.Status, Raw: raw}, nil
	}
}
