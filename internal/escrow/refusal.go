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

// Refusal is an answer that says no. It is safe to show: it names the field
// and the reason and nothing else. It is not logged as an error and not retried.
type Refusal struct {
	Code   Code
	Field  string   // the field at fault; empty when it is not a matter of one
	Reason string   // English, one sentence, says what to do where something can be done
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
