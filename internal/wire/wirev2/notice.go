package wirev2

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// Notice is the body of a webhook of version 2024-04-25. Names that begin with
// "Transaction." are PortOne's; "Escrow." and "Holdfast." are ours, for endpoints
// that asked for them.
type Notice struct {
	Type      string    `json:"type"`
	Timestamp Timestamp `json:"timestamp"` // when it happened, by the merchant's clock
	Data      any       `json:"data"`
}

// Timestamp is an instant in UTC with milliseconds, as PortOne's webhooks have it.
type Timestamp time.Time

// MarshalJSON writes the instant.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Time(t).UTC().Format("2006-01-02T15:04:05.000Z"))
}

// noticed names the payment that a notice is about.
type noticed struct {
	StoreID       string `json:"storeId"`
	PaymentID     string `json:"paymentId"`
	TransactionID string `json:"transactionId"`
}

// transactionData is the data of PortOne's own notices.
type transactionData struct {
	noticed
	// CancellationID names the cancel, of the three names that tell of one.
	CancellationID string `json:"cancellationId,omitempty"`
}

// escrowData is the data of the escrow's own notices; what does not belong to a
// name is absent.
type escrowData struct {
	noticed
	// Sequence numbers the steps of the payment from 1 without gaps; Position those
	// of all payments and payouts of the shop, and is where a reader of the feed goes on.
	Sequence int64  `json:"sequence"`
	Position int64  `json:"position"`
	Actor    string `json:"actor"`
	Amount   int64  `json:"amount,omitempty"`
	Reason   string `json:"reason,omitempty"`

	Company       string `json:"company,omitempty"` // Holdfast's code of the carrier
	InvoiceNumber string `json:"invoiceNumber,omitempty"`

	DeliveredAt *Timestamp `json:"deliveredAt,omitempty"`

	// LastDay is the last day in Korea on which the buyer may decide, DecideBefore the
	// instant at which the time is over.
	LastDay      string     `json:"lastDay,omitempty"`
	DecideBefore *Timestamp `json:"decideBefore,omitempty"`
	Rule         string     `json:"rule,omitempty"`
	Working      *working   `json:"working,omitempty"`

	// ConfirmedBy is buyer, auto, forced or shop.
	ConfirmedBy              string `json:"confirmedBy,omitempty"`
	IsAutomaticallyConfirmed *bool  `json:"isAutomaticallyConfirmed,omitempty"`
	AcceptedBy               string `json:"acceptedBy,omitempty"`

	RefundID          string     `json:"refundId,omitempty"`
	BankTransactionID string     `json:"bankTransactionId,omitempty"`
	Outcome           string     `json:"outcome,omitempty"` // of a deposit that is not what was asked for
	Task              string     `json:"task,omitempty"`
	About             string     `json:"about,omitempty"` // what a reminder is about: deposit or decision
	DueAt             *Timestamp `json:"dueAt,omitempty"`
}

// working is how a last day was counted.
type working struct {
	From         string    `json:"from"` // the day that is not counted
	BusinessDays int       `json:"businessDays"`
	Skipped      []skipped `json:"skipped"`
}

type skipped struct {
	Date   string `json:"date"`
	Reason string `json:"reason"`
}

// JSON returns the body.
func (n Notice) JSON() ([]byte, error) { return json.Marshal(n) }

// Form is empty: this version has no forms.
func (Notice) Form() string { return "" }

// NoticeOf is what is told of an event under a name, or false for a name of
// another version. It follows from what is stored and never changes.
func NoticeOf(storeID, name string, p *escrow.Payment, e escrow.Event, position int64) (Notice, bool) {
	who := about(storeID, p)
	n := Notice{Type: name, Timestamp: Timestamp(e.At)}
	switch {
	case strings.HasPrefix(name, "Transaction."):
		data := transactionData{noticed: who}
		if strings.HasSuffix(name, "Cancelled") || strings.HasSuffix(name, "CancelPending") {
			data.CancellationID = cancellation(p, e)
		}
		n.Data = data
	case strings.HasPrefix(name, "Escrow."):
		n.Data = escrowDataOf(who, e, position)
	default:
		return Notice{}, false
	}
	return n, true
}

func about(storeID string, p *escrow.Payment) noticed {
	return noticed{StoreID: storeID, PaymentID: p.OrderID, TransactionID: p.ID}
}

// cancellation is the id of the cancel that an event tells of. One that gave no
// money back, because none was there, is named after the payment.
func cancellation(p *escrow.Payment, e escrow.Event) string {
	i := slices.IndexFunc(p.Refunds, func(r escrow.Refund) bool {
		if e.Type == escrow.EventRefundSent { // the event names the attempt: the refund's id and a number
			return strings.HasPrefix(e.Ref, r.ID+"-")
		}
		return !r.Suspense && r.At.Equal(e.At)
	})
	if i < 0 {
		return p.ID + "-c"
	}
	return p.Refunds[i].ID
}

func escrowDataOf(who noticed, e escrow.Event, position int64) escrowData {
	d := escrowData{noticed: who, Sequence: e.Seq, Position: position, Actor: string(e.Actor), Amount: int64(e.Amount), Reason: e.Reason}
	switch e.Type {
	case escrow.EventDeliveryRegistered, escrow.EventDeliveryChanged, escrow.EventInTransit, escrow.EventParcelOverdue:
		d.Company, d.InvoiceNumber = e.Kind, e.Ref
	case escrow.EventDelivered:
		d.DeliveredAt = instant(e.Due)
	case escrow.EventDecisionDue:
		d.LastDay, d.DecideBefore, d.Rule, d.Working = date(e.LastDay), instant(e.Due), e.Kind, workingOf(e.Working)
	case escrow.EventConfirmed:
		auto := escrow.ConfirmKind(e.Kind) == escrow.ByTime
		d.ConfirmedBy, d.IsAutomaticallyConfirmed = e.Kind, &auto
	case escrow.EventRejectionAccepted:
		d.AcceptedBy, d.Reason = e.Reason, ""
	case escrow.EventRefundOrdered, escrow.EventRefundAccountAsked, escrow.EventRefundSent, escrow.EventRefundFailed:
		d.RefundID = e.Ref
	case escrow.EventPaid, escrow.EventDepositMismatched, escrow.EventDepositReversed:
		d.BankTransactionID = e.Ref
		if e.Type == escrow.EventDepositMismatched {
			d.Outcome = e.Kind
		}
	case escrow.EventReminded:
		d.About, d.LastDay, d.DueAt = e.Kind, date(e.LastDay), instant(e.Due)
	case escrow.EventTaskResolved:
		d.Task = e.Kind
	case escrow.EventAccountAmended:
		d.DueAt = instant(e.Due)
	default: // what the others have is said already
	}
	return d
}

func workingOf(w escrow.Working) *working {
	if w.From.IsZero() {
		return nil
	}
	out := working{From: w.From.String(), BusinessDays: w.Days, Skipped: []skipped{}}
	for line := range strings.Lines(w.Skipped) {
		day, why, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		out.Skipped = append(out.Skipped, skipped{day, why})
	}
	return &out
}

func instant(at time.Time) *Timestamp {
	if at.IsZero() {
		return nil
	}
	t := Timestamp(at)
	return &t
}

func date(d bizday.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// payoutData is the data of a notice that is about a payout, and so about no payment.
type payoutData struct {
	StoreID  string `json:"storeId"`
	PayoutID string `json:"payoutId"`
	// Sequence numbers the steps of the payout from 1; Position is as of payments.
	Sequence int64  `json:"sequence"`
	Position int64  `json:"position"`
	Actor    string `json:"actor"`
	Amount   int64  `json:"amount"` // in won, as the bank was asked to send it
	Date     string `json:"date"`   // of the settlement run, in Korea
	Lines    int64  `json:"lines"`
	// Bank is the national code; of the account number the end alone can be read.
	Bank          string `json:"bank"`
	AccountNumber string `json:"accountNumber"`
	Reason        string `json:"reason,omitempty"` // the bank's, of one that failed or came back
}

// PayoutNotice is what is told under a name of an event of a payout.
func PayoutNotice(storeID, name, payout string, e escrow.Event, f settle.Facts, position int64) Notice {
	return Notice{Type: name, Timestamp: Timestamp(e.At), Data: payoutData{
		StoreID: storeID, PayoutID: payout, Sequence: e.Seq, Position: position, Actor: string(e.Actor), Amount: int64(e.Amount), Date: date(f.Date),
		Lines: f.Lines, Bank: f.Bank, AccountNumber: f.Account, Reason: e.Reason,
	}}
}

// TestNotice is what a test call says, which is about no payment.
func TestNotice(storeID string, at time.Time) Notice {
	return Notice{Type: "Holdfast.Test", Timestamp: Timestamp(at), Data: map[string]string{"storeId": storeID}}
}

// OldNotice is the body of a webhook of version 2024-01-01.
type OldNotice struct {
	PaymentID string `json:"payment_id"`
	TxID      string `json:"tx_id"`
	Status    string `json:"status"`
}

// JSON returns the body for shops that take JSON.
func (n OldNotice) JSON() ([]byte, error) { return json.Marshal(n) }

// Form returns the body for shops that take forms.
func (n OldNotice) Form() string {
	return url.Values{"payment_id": {n.PaymentID}, "tx_id": {n.TxID}, "status": {n.Status}}.Encode()
}

// OldNoticeOf is what version 2024-01-01 tells under a name: PortOne's alone.
func OldNoticeOf(name string, p *escrow.Payment) (OldNotice, bool) {
	status, ok := strings.CutPrefix(name, "Transaction.")
	return OldNotice{PaymentID: p.OrderID, TxID: p.ID, Status: status}, ok
}

// OldTestNotice is what a test call says: a payment that does not exist.
func OldTestNotice() OldNotice {
	return OldNotice{PaymentID: "holdfast-test", TxID: "holdfast-test", Status: "Ready"}
}
