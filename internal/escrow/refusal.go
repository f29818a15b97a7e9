package escrow

import "fmt"

// Code is the stable name of a refusal.
type Code string

// The codes of refusals.
const (
	Invalid              Code = "invalid"                // a field has a value that no rule allows
	Forbidden            Code = "forbidden"              // this actor may not do it
	NotFound             Code = "not_found"              // there is no such payment
	Exists               Code = "exists"                 // it was opened before
	WrongState           Code = "wrong_state"            // not in this state
	AlreadyDecided       Code = "already_decided"        // the opposite decision stands
	AlreadyRegistered    Code = "already_registered"     // a delivery is registered
	NotRegistered        Code = "not_registered"         // no delivery is registered
	NotEscrow            Code = "not_escrow"             // an ordinary payment
	NotPaid              Code = "not_paid"               // no money has come
	AlreadyPaid          Code = "already_paid"           // money has come
	AlreadyCancelled     Code = "already_cancelled"      // everything was given back
	PartialBeforeConfirm Code = "partial_before_confirm" // a held amount does not divide
	ExceedsBalance       Code = "exceeds_balance"        // more than is left
	BalanceDiffers       Code = "balance_differs"        // the caller believes in another balance
	NeedsRefundAccount   Code = "needs_refund_account"   // nobody knows where to refund
	EscrowUnavailable    Code = "escrow_unavailable"     // an escrow was asked for and cannot be given
	TooMany              Code = "too_many"               // a bound of one payment is reached
	ByPolicy             Code = "by_policy"              // the shop's policy profile forbids it
)

// Cause tells refusals of one code and field apart, where the words for a shop differ.
type Cause string

// The causes of [EscrowUnavailable].
const (
	CauseDigital     Cause = "digital"     // delivery cannot be verified (Act art. 24(3))
	CauseInstalments Cause = "instalments" // a service supplied in instalments (Act art. 24(3))
	CauseContract    Cause = "contract"    // the shop has no escrow contract in force
	CauseCard        Cause = "card"        // the shop's policy has no escrow on cards
)

// The causes of [ByPolicy], each a setting of the shop's [Profile].
const (
	CauseAfterReject Cause = "after_reject"     // CancelAfterShip waits for the buyer's rejection
	CauseAfterHold   Cause = "after_hold"       // CancelAfterShip waits for a hold
	CauseRefund      Cause = "refund_after"     // RefundAfter
	CauseShopConfirm Cause = "shop_may_confirm" // ShopMayConfirm
	CauseModify      Cause = "allow_modify"     // AllowModify
	CauseSelf        Cause = "self_delivery"    // SelfDelivery
)

// Refusal is an answer that says no. It is safe to show: it names the field
// and the reason and nothing else. It is not logged as an error and not retried.
type Refusal struct {
	Code   Code
	Field  string   // the field at fault; empty when it is not a matter of one
	Reason string   // English, one sentence, says what to do where something can be done
	Cause  Cause    // which of the reasons of the code; empty where it has one only
	Stands *Decided // the earlier decision, with AlreadyDecided
}

// Error returns the reason, led by the field.
func (r *Refusal) Error() string {
	if r.Field != "" {
		return r.Field + ": " + r.Reason
	}
	return r.Reason
}

func refuse(code Code, field, format string, args ...any) error {
	return &Refusal{Code: code, Field: field, Reason: fmt.Sprintf(format, args...)}
}

// refuseFor refuses for one of several causes of a code.
func refuseFor(cause Cause, code Code, field, reason string) error {
	return &Refusal{Code: code, Cause: cause, Field: field, Reason: reason}
}
