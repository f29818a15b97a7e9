package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// EventType is the name of what happened.
type EventType string

// PortOne V2's names.
const (
	EventReady                EventType = "Transaction.Ready"
	EventVirtualAccountIssued EventType = "Transaction.VirtualAccountIssued"
	EventPaid                 EventType = "Transaction.Paid"
	EventCancelPending        EventType = "Transaction.CancelPending"
	EventCancelled            EventType = "Transaction.Cancelled"
	EventPartialCancelled     EventType = "Transaction.PartialCancelled"
	EventFailed               EventType = "Transaction.Failed"
)

// EventConfirm asks a shop at its confirmUrl whether a payment may go through. It has
// nothing to do with the confirmation of a purchase.
const EventConfirm EventType = "Transaction.Confirm"

// EventTest is a call that the shop asked for.
const EventTest EventType = "Holdfast.Test"

// The escrow's own names, for endpoints that ask for them.
const (
	EventEscrowHoldStarted        EventType = "Escrow.HoldStarted"
	EventEscrowDeliveryRegistered EventType = "Escrow.DeliveryRegistered"
	EventEscrowDeliveryChanged    EventType = "Escrow.DeliveryChanged"
	EventEscrowInTransit          EventType = "Escrow.InTransit"
	EventEscrowDelivered          EventType = "Escrow.Delivered"
	EventEscrowParcelOverdue      EventType = "Escrow.ParcelOverdue"
	EventEscrowNoticeDelivered    EventType = "Escrow.NoticeDelivered"
	EventEscrowNoticeFailed       EventType = "Escrow.NoticeFailed"
	EventEscrowDecisionDue        EventType = "Escrow.DecisionDue"
	EventEscrowReminded           EventType = "Escrow.Reminded"
	EventEscrowConfirmed          EventType = "Escrow.Confirmed"
	EventEscrowRejected           EventType = "Escrow.Rejected"
	EventEscrowRejectionWithdrawn EventType = "Escrow.RejectionWithdrawn"
	EventEscrowRejectionAccepted  EventType = "Escrow.RejectionAccepted"
	EventEscrowDisputed           EventType = "Escrow.Disputed"
	EventEscrowDisputeDecided     EventType = "Escrow.DisputeDecided"
	EventEscrowReturnReceived     EventType = "Escrow.ReturnReceived"
	EventEscrowCancelAsked        EventType = "Escrow.CancelAsked"
	EventEscrowCancelled          EventType = "Escrow.Cancelled"
	EventEscrowPartlyRefunded     EventType = "Escrow.PartlyRefunded"
	EventEscrowRefundOrdered      EventType = "Escrow.RefundOrdered"
	EventEscrowRefundAccountAsked EventType = "Escrow.RefundAccountAsked"
	EventEscrowRefundSent         EventType = "Escrow.RefundSent"
	EventEscrowRefundFailed       EventType = "Escrow.RefundFailed"
	EventEscrowWithdrawalAsked    EventType = "Escrow.WithdrawalAsked"
	EventEscrowHoldPlaced         EventType = "Escrow.HoldPlaced"
	EventEscrowHoldReleased       EventType = "Escrow.HoldReleased"
	EventEscrowTaskResolved       EventType = "Escrow.TaskResolved"
	EventEscrowDepositMismatched  EventType = "Escrow.DepositMismatched"
	EventEscrowDepositReversed    EventType = "Escrow.DepositReversed"
	EventEscrowSuspenseReturned   EventType = "Escrow.SuspenseReturned"
	EventEscrowAccountAmended     EventType = "Escrow.AccountAmended"
	EventEscrowAccountClosed      EventType = "Escrow.AccountClosed"
	EventEscrowAccountExpired     EventType = "Escrow.AccountExpired"
)

// The steps of payouts, for endpoints that ask for them. Their data is a [PayoutEvent].
const (
	EventEscrowPayoutSent     EventType = "Escrow.PayoutSent"
	EventEscrowPayoutFailed   EventType = "Escrow.PayoutFailed"
	EventEscrowPayoutReturned EventType = "Escrow.PayoutReturned"
)

// Event is one thing that a shop is told, in PortOne V2's present format.
type Event struct {
	// ID is that of the call: the same at each repetition. An event may come twice.
	ID   string
	Type EventType
	// Timestamp is when it happened, by the merchant's clock.
	Timestamp time.Time
	// Data is a [TransactionEvent], [ConfirmQuestion], [EscrowEvent], [PayoutEvent],
	// [TestEvent] or [UnknownEvent].
	Data EventData
	// Raw is the body.
	Raw json.RawMessage
}

// EventData is what an event says. A switch over it needs a default, because a newer
// server may tell more.
type EventData interface{ isEventData() }

// About is the payment that an event is about.
type About struct {
	StoreID       string `json:"storeId"` // the shop's public code
	PaymentID     string `json:"paymentId"`
	TransactionID string `json:"transactionId"`
}

// TransactionEvent is PortOne's own: the status of a payment may have changed. Ask for
// the payment.
type TransactionEvent struct {
	About
	// CancellationID names the cancel, of the three names that tell of one.
	CancellationID string `json:"cancellationId"`
}

// ConfirmQuestion is the data of [EventConfirm].
type ConfirmQuestion struct {
	About
	TotalAmount int64 `json:"totalAmount"`
}

// EscrowEvent is a step of an escrow. What does not belong to its name is zero.
type EscrowEvent struct {
	About
	// Sequence numbers the steps of the payment from 1 without gaps, Position those of
	// all payments and payouts of the shop; the feed goes on after it.
	Sequence int64  `json:"sequence"`
	Position int64  `json:"position"`
	Actor    string `json:"actor"`  // who did it: buyer, shop, system, ...
	Amount   int64  `json:"amount"` // in won
	Reason   string `json:"reason"`

	Company       string    `json:"company"`
	InvoiceNumber string    `json:"invoiceNumber"`
	DeliveredAt   time.Time `json:"deliveredAt"`

	// LastDay is the last day in Korea (2006-01-02) on which the buyer may decide,
	// DecideBefore the instant at which the time is over.
	LastDay      string    `json:"lastDay"`
	DecideBefore time.Time `json:"decideBefore"`
	Rule         string    `json:"rule"`
	// Working is how the last day was counted; nil where there is none.
	Working *Working `json:"working"`

	// ConfirmedBy is buyer, auto, forced or shop.
	ConfirmedBy              string `json:"confirmedBy"`
	IsAutomaticallyConfirmed bool   `json:"isAutomaticallyConfirmed"`
	AcceptedBy               string `json:"acceptedBy"`

	RefundID          string    `json:"refundId"`
	BankTransactionID string    `json:"bankTransactionId"`
	Outcome           string    `json:"outcome"` // of a deposit that is not what was asked for
	Task              string    `json:"task"`
	RemindedOf        string    `json:"about"` // what a reminder is about: deposit or decision
	DueAt             time.Time `json:"dueAt"`
}

// PayoutEvent is a step of a payout, which pays the lines of many payments in one
// transfer: it was sent to the shop's account, the bank refused it, or it came back.
// [Client.PayoutLines] has the payments.
type PayoutEvent struct {
	StoreID  string `json:"storeId"` // the shop's public code
	PayoutID string `json:"payoutId"`
	// Sequence numbers the steps of the payout from 1; Position is as in [EscrowEvent].
	Sequence int64  `json:"sequence"`
	Position int64  `json:"position"`
	Actor    string `json:"actor"`
	Amount   int64  `json:"amount"` // in won
	Date     string `json:"date"`   // of the settlement run, in Korea (2006-01-02)
	Lines    int64  `json:"lines"`
	// Bank is the national code; of the account number the end alone can be read.
	Bank          string `json:"bank"`
	AccountNumber string `json:"accountNumber"`
	Reason        string `json:"reason"` // the bank's, of one that failed or came back
}

// Working is how a last day was counted.
type Working struct {
	From         string `json:"from"` // the day that is not counted
	BusinessDays int    `json:"businessDays"`
	Skipped      []struct {
		Date   string `json:"date"`
		Reason string `json:"reason"`
	} `json:"skipped"`
}

// TestEvent is the data of [EventTest], which is about no payment.
type TestEvent struct {
	StoreID string `json:"storeId"`
}

// UnknownEvent is the data of a name that this version does not know.
type UnknownEvent struct{ Raw json.RawMessage }

func (TransactionEvent) isEventData() {}
func (ConfirmQuestion) isEventData()  {}
func (EscrowEvent) isEventData()      {}
func (PayoutEvent) isEventData()      {}
func (TestEvent) isEventData()        {}
func (UnknownEvent) isEventData()     {}

// ParseEvent reads an event that is known to be genuine: [Verifier.Verify] reads one
// that may not be. Its ID is empty.
func ParseEvent(body []byte) (Event, error) {
	var said struct {
		Type      EventType
		Timestamp time.Time
		Data      json.RawMessage
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return Event{}, fmt.Errorf("client: the body is no event: %w", err)
	}
	e := Event{Type: said.Type, Timestamp: said.Timestamp, Raw: bytes.Clone(body)}
	var err error
	if e.Data, err = dataOf(said.Type, said.Data); err != nil {
		return Event{}, fmt.Errorf("client: the data of %q: %w", said.Type, err)
	}
	return e, nil
}

func dataOf(t EventType, raw json.RawMessage) (EventData, error) {
	switch {
	case absent(raw):
		return UnknownEvent{}, nil
	case t == EventConfirm:
		return as[ConfirmQuestion](raw)
	case t == EventTest:
		return as[TestEvent](raw)
	case strings.HasPrefix(string(t), "Transaction."):
		return as[TransactionEvent](raw)
	case strings.HasPrefix(string(t), "Escrow.Payout"):
		return as[PayoutEvent](raw)
	case strings.HasPrefix(string(t), "Escrow."):
		return as[EscrowEvent](raw)
	}
	return UnknownEvent{Raw: raw}, nil
}
