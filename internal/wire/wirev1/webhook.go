package wirev1

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// Notice is the body of a webhook: which payment changed. A shop is meant to
// read the payment again and to trust nothing else.
type Notice struct {
	ImpUID      string `json:"imp_uid"`
	MerchantUID string `json:"merchant_uid"`
	Status      Status `json:"status"`
	// CancellationID names the cancel that caused the notice.
	CancellationID string `json:"cancellation_id,omitempty"`
}

// EscrowEvent is the event name of an [EscrowNotice].
const EscrowEvent = "Inicis.Escrow.Changed"

// EscrowStatus is a step of an escrow in an [EscrowNotice]. On the wire it is a
// text of digits.
type EscrowStatus string

// The steps of an escrow.
const (
	EscrowDeliveryRegistered EscrowStatus = "2"
	EscrowConfirmed          EscrowStatus = "3"
	EscrowAutoConfirmed      EscrowStatus = "31"
	EscrowForceConfirmed     EscrowStatus = "32"
	EscrowRejected           EscrowStatus = "4"
	EscrowCancelled          EscrowStatus = "8"
	EscrowRejectionAccepted  EscrowStatus = "10"
)

// EscrowNotice is the body of the webhook for a step of an escrow. A shop that
// does not know it sees a second notice that the payment is paid, so it is sent
// only to shops that asked for it.
type EscrowNotice struct {
	Event       string      `json:"event"`
	ImpUID      string      `json:"imp_uid"`
	MerchantUID string      `json:"merchant_uid"`
	Status      Status      `json:"status"`
	Extra       EscrowExtra `json:"extra"`
}

// EscrowExtra is what an [EscrowNotice] adds.
type EscrowExtra struct {
	EscrowStatus EscrowStatus `json:"escrow_status"`
	ChangedAt    int64        `json:"changed_at"`
	// DeniedReason is the buyer's reason, of a rejection only.
	DeniedReason string `json:"denied_reason,omitempty"`
}

// NewEscrowNotice tells of a step that happened at an instant.
func NewEscrowNotice(impUID, merchantUID string, status Status, step EscrowStatus, at time.Time, denied string) EscrowNotice {
	return EscrowNotice{
		Event: EscrowEvent, ImpUID: impUID, MerchantUID: merchantUID, Status: status,
		Extra: EscrowExtra{EscrowStatus: step, ChangedAt: at.Unix(), DeniedReason: denied},
	}
}

// JSON returns the body for shops that take JSON.
func (n Notice) JSON() ([]byte, error) { return json.Marshal(n) }

// Form returns the body for shops that take forms.
func (n Notice) Form() string {
	form := url.Values{"imp_uid": {n.ImpUID}, "merchant_uid": {n.MerchantUID}, "status": {string(n.Status)}}
	if n.CancellationID != "" {
		form.Set("cancellation_id", n.CancellationID)
	}
	return form.Encode()
}

// JSON returns the body for shops that take JSON.
func (n EscrowNotice) JSON() ([]byte, error) { return json.Marshal(n) }

// Form returns the body for shops that take forms. The members of extra have
// bracketed names, as in the forms that clients send.
func (n EscrowNotice) Form() string {
	form := url.Values{
		"event": {n.Event}, "imp_uid": {n.ImpUID}, "merchant_uid": {n.MerchantUID}, "status": {string(n.Status)},
		"extra[escrow_status]": {string(n.Extra.EscrowStatus)},
		"extra[changed_at]":    {strconv.FormatInt(n.Extra.ChangedAt, 10)},
	}
	if n.Extra.DeniedReason != "" {
		form.Set("extra[denied_reason]", n.Extra.DeniedReason)
	}
	return form.Encode()
}

// NoticeOf returns the notice that a step of a payment causes, or false if the
// step causes none. Failures and closed accounts are never told; a cancel is
// told if whoever cancelled asked for it.
func NoticeOf(p *escrow.Payment, e escrow.Event) (Notice, bool) {
	n := Notice{ImpUID: p.ID, MerchantUID: p.OrderID}
	switch e.Type {
	case escrow.EventAccountIssued:
		n.Status = escrow.StatusReady
		return n, true
	case escrow.EventDepositReversed:
		n.Status = escrow.Status(cmp.Or(e.Kind, string(p.Status()))) // older events carry none
		return n, true
	case escrow.EventPaid:
		n.Status = escrow.StatusPaid
		return n, true
	case escrow.EventAccountExpired:
		n.Status = escrow.StatusCancelled
		return n, e.Notify
	case escrow.EventCancelled, escrow.EventPartlyRefunded:
		n.Status = escrow.StatusCancelled
		if e.Type == escrow.EventPartlyRefunded {
			n.Status = escrow.StatusPaid
		}
		n.CancellationID = cancellationAt(p, e.At)
		return n, e.Notify
	default:
		return Notice{}, false
	}
}

// TestNotice is what a test call says: a payment that does not exist.
func TestNotice() Notice {
	return Notice{ImpUID: "imp_000000000000", MerchantUID: "holdfast-test", Status: escrow.StatusReady}
}

// cancellationAt finds the cancel that was decided at an instant.
func cancellationAt(p *escrow.Payment, at time.Time) string {
	for _, r := range p.Refunds {
		if r.At.Equal(at) && !r.Suspense {
			return r.ID
		}
	}
	return p.ReversalID()
}

// EscrowNoticeOf returns the notice that a step of an escrow causes, or false if
// the step causes none.
func EscrowNoticeOf(p *escrow.Payment, e escrow.Event) (EscrowNotice, bool) {
	step := escrowStep(e)
	if step == "" || !p.Escrow {
		return EscrowNotice{}, false
	}
	status, denied := escrow.StatusPaid, ""
	switch step {
	case EscrowCancelled:
		status = escrow.StatusCancelled
	case EscrowRejected:
		denied = e.Reason
	default:
	}
	return NewEscrowNotice(p.ID, p.OrderID, status, step, e.At, denied), true
}

func escrowStep(e escrow.Event) EscrowStatus {
	switch e.Type {
	case escrow.EventDeliveryRegistered:
		return EscrowDeliveryRegistered
	case escrow.EventConfirmed:
		switch escrow.ConfirmKind(e.Kind) {
		case escrow.ByTime:
			return EscrowAutoConfirmed
		case escrow.Forced:
			return EscrowForceConfirmed
		case escrow.ByBuyer, escrow.ByShop:
		}
		return EscrowConfirmed
	case escrow.EventRejected:
		return EscrowRejected
	case escrow.EventRejectionAccepted:
		return EscrowRejectionAccepted
	case escrow.EventCancelled:
		return EscrowCancelled
	default:
		return ""
	}
}

// Question is what a shop's confirm URL is asked before a payment comes about.
type Question struct {
	ImpUID      string `json:"imp_uid"`
	MerchantUID string `json:"merchant_uid"`
	Amount      int64  `json:"amount"`
}

// ConfirmQuestion asks about a payment.
func ConfirmQuestion(p *escrow.Payment) Question {
	return Question{ImpUID: p.ID, MerchantUID: p.OrderID, Amount: int64(p.Amount)}
}

// JSON returns the body of the question.
func (q Question) JSON() ([]byte, error) { return json.Marshal(q) }
