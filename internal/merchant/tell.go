package merchant

import (
	"slices"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// The names of what a shop is told of, as it chooses them for an endpoint and
// finds them in its log. An event of a payment can be told under several.
const (
	// TellStatus and TellEscrow are PortOne V1's two notices: the payment has a
	// status, and a step of the escrow (Inicis.Escrow.Changed).
	TellStatus = "status"
	TellEscrow = "escrow"
	// TellTest is a test call, which the shop asked for.
	TellTest = "Holdfast.Test"

	portOnes = "Transaction."
	ours     = "Escrow."
)

// PortOne V2's names (contract section 5).
const (
	TellReady          = portOnes + "Ready"
	TellIssued         = portOnes + "VirtualAccountIssued"
	TellPaid           = portOnes + "Paid"
	TellFailed         = portOnes + "Failed"
	TellCancelPending  = portOnes + "CancelPending"
	TellCancelled      = portOnes + "Cancelled"
	TellPartCancelled  = portOnes + "PartialCancelled"
	tellHoldStarted    = ours + "HoldStarted"
	tellAccountClosed  = ours + "AccountClosed"
	tellAccountExpired = ours + "AccountExpired"
)

// escrowTold are the events that are told under their own names, of payments
// that are escrows.
var escrowTold = []escrow.EventType{
	escrow.EventAccountAmended, escrow.EventDepositMismatched, escrow.EventDepositReversed, escrow.EventSuspenseReturned,
	escrow.EventDeliveryRegistered, escrow.EventDeliveryChanged, escrow.EventInTransit, escrow.EventDelivered, escrow.EventParcelOverdue,
	escrow.EventNoticeDelivered, escrow.EventNoticeFailed, escrow.EventDecisionDue, escrow.EventReminded,
	escrow.EventConfirmed, escrow.EventRejected, escrow.EventRejectionWithdrawn, escrow.EventRejectionAccepted,
	escrow.EventDisputed, escrow.EventDisputeDecided, escrow.EventReturnReceived, escrow.EventCancelAsked, escrow.EventCancelled,
	escrow.EventPartlyRefunded, escrow.EventRefundOrdered, escrow.EventRefundAccountAsked, escrow.EventRefundSent, escrow.EventRefundFailed,
	escrow.EventWithdrawalAsked, escrow.EventHoldPlaced, escrow.EventHoldReleased, escrow.EventTaskResolved,
}

// payoutTold are the events of payouts that are told, under their own names alone.
var payoutTold = []escrow.EventType{escrow.EventPayoutSent, escrow.EventPayoutFailed, escrow.EventPayoutReturned}

// TellNames are all names that an endpoint may choose.
func TellNames() []string {
	names := []string{
		TellStatus, TellEscrow, TellReady, TellIssued, TellPaid, TellFailed, TellCancelPending, TellCancelled, TellPartCancelled,
		tellHoldStarted, tellAccountClosed, tellAccountExpired,
	}
	for _, t := range slices.Concat(escrowTold, payoutTold) {
		names = append(names, ours+string(t))
	}
	return names
}

func isV1(name string) bool { return name == TellStatus || name == TellEscrow }

// Told lists the names under which an event is told, of both generations of
// PortOne and of the escrow's own. It follows from the event and from what never
// changes of the payment.
func Told(p *escrow.Payment, e escrow.Event) (names []string) {
	if tellsStatus(e) {
		names = append(names, TellStatus)
	}
	if p.Escrow && tellsInicis(e.Type) {
		names = append(names, TellEscrow)
	}
	if name := transaction(p, e); name != "" {
		names = append(names, name)
	}
	if name := escrowName(e.Type); p.Escrow && name != "" {
		names = append(names, name)
	}
	return names
}

// ToldOfPayout lists the names under which an event of a payout is told.
func ToldOfPayout(t escrow.EventType) []string {
	if !slices.Contains(payoutTold, t) {
		return nil
	}
	return []string{ours + string(t)}
}

// IsOfPayout reports whether what is told under a name is about a payout, and not
// about a payment.
func IsOfPayout(name string) bool {
	t, escrows := strings.CutPrefix(name, ours)
	return escrows && slices.Contains(payoutTold, escrow.EventType(t))
}

// tellsStatus says which events PortOne V1 tells of: account issued, paid, and
// cancels that ask for it; never failures.
func tellsStatus(e escrow.Event) bool {
	switch e.Type {
	case escrow.EventAccountIssued, escrow.EventPaid, escrow.EventDepositReversed:
		return true
	case escrow.EventCancelled, escrow.EventPartlyRefunded, escrow.EventAccountExpired:
		return e.Notify
	default:
		return false
	}
}

// tellsInicis reports whether an event changes the escrow status that
// Inicis.Escrow.Changed carries.
func tellsInicis(t escrow.EventType) bool {
	switch t {
	case escrow.EventDeliveryRegistered, escrow.EventConfirmed, escrow.EventRejected, escrow.EventRejectionAccepted, escrow.EventCancelled:
		return true
	default:
		return false
	}
}

// transaction is PortOne V2's name of an event, or empty. A cancel whose money
// goes back to a bank account is pending until the bank has sent it; then it is
// told as done. A card's is done when it is decided.
func transaction(p *escrow.Payment, e escrow.Event) string {
	switch e.Type {
	case escrow.EventOpened:
		return TellReady
	case escrow.EventAccountIssued:
		return TellIssued
	case escrow.EventPaid:
		return TellPaid
	case escrow.EventFailed, escrow.EventAccountClosed:
		return TellFailed
	case escrow.EventAccountExpired:
		if e.Notify {
			return TellCancelled
		}
	case escrow.EventDepositReversed:
		return map[escrow.Status]string{
			escrow.StatusReady: TellIssued, escrow.StatusPaid: TellPaid, escrow.StatusFailed: TellFailed, escrow.StatusCancelled: TellCancelled,
		}[escrow.Status(e.Kind)]
	case escrow.EventCancelled, escrow.EventPartlyRefunded, escrow.EventRefundSent:
		return cancelName(p, e)
	default:
	}
	return ""
}

func cancelName(p *escrow.Payment, e escrow.Event) string {
	slow := p.Method != escrow.Card
	switch {
	case !e.Notify, e.Type == escrow.EventRefundSent && !slow:
		return ""
	case e.Type == escrow.EventRefundSent && e.Kind == string(escrow.StatusPaid), e.Type == escrow.EventPartlyRefunded && !slow:
		return TellPartCancelled
	case e.Type != escrow.EventRefundSent && slow && refundOf(p, e):
		return TellCancelPending
	}
	return TellCancelled
}

// refundOf reports whether a cancel gives money back; one after which the bank
// took the deposit back itself does not.
func refundOf(p *escrow.Payment, e escrow.Event) bool {
	return slices.ContainsFunc(p.Refunds, func(r escrow.Refund) bool { return !r.Suspense && r.At.Equal(e.At) })
}

// escrowName is the escrow's own name of an event, or empty for what concerns
// nobody outside.
func escrowName(t escrow.EventType) string {
	switch t {
	case escrow.EventPaid:
		return tellHoldStarted
	case escrow.EventAccountClosed:
		return tellAccountClosed
	case escrow.EventAccountExpired:
		return tellAccountExpired
	default:
		if slices.Contains(escrowTold, t) {
			return ours + string(t)
		}
	}
	return ""
}
