package escrow

import (
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/settle"
)

// Terms are the money terms of the merchant's contract.
type Terms = settle.Terms

// CancelPolicy says when a shop may cancel after shipping. Gateways disagree
// on this, so it is data of the shop and not code.
type CancelPolicy string

// The cancel policies.
const (
	AfterReject CancelPolicy = "after_reject" // only once the buyer has rejected
	AfterHold   CancelPolicy = "after_hold"   // once a hold is placed
	Direct      CancelPolicy = "direct"       // at any time before the decision
)

// DepositPolicy says what happens to a deposit that does not match.
type DepositPolicy string

// The deposit policies.
const (
	RefuseDeposit  DepositPolicy = "refuse"   // the bank is told to refuse it
	SuspendDeposit DepositPolicy = "suspense" // it is taken into suspense
)

// IdentityPolicy says what the decision page asks for besides the link.
type IdentityPolicy string

// The identity policies.
const (
	TokenOnly    IdentityPolicy = "token"
	TokenAndTail IdentityPolicy = "token_phone4" // the last four digits of the buyer's phone
)

// Profile is the policy of one shop.
type Profile struct {
	CancelAfterShip CancelPolicy
	TrackedDays     int  // business days after delivery until time confirms; at least 3 by law
	UntrackedDays   int  // business days after the registration of an untrackable parcel
	StrictNotice    bool // time confirms only after a delivered notice
	AllowModify     bool // a registration may be corrected
	SelfDelivery    bool // the shop may deliver by itself
	ShopMayConfirm  bool
	AutoAgreeDays   int  // silence of the shop on a buyer's cancel request agrees after so many business days; 0 never
	RefundAfter     bool // refunds after confirmation
	Deposit         DepositPolicy
	Reminders       []int // business days before the last day
	DepositGrace    time.Duration
	Identity        IdentityPolicy
	// CardEscrow lets a shop ask for an escrow on a card payment, which the law
	// does not demand (Act art. 24(3)2) and some gateways offer.
	CardEscrow bool
	// ManualApproval leaves the last word on a payment that was begun by PortOne V2's
	// browser SDK to the shop: the window carries nothing out (contract section 4).
	ManualApproval bool
	// Contracted says that the merchant's escrow contract is in force.
	Contracted bool
}

// DefaultProfile is the profile of a shop that has chosen nothing.
func DefaultProfile() Profile {
	return Profile{
		CancelAfterShip: AfterReject, TrackedDays: 3, UntrackedDays: 6, StrictNotice: true, AllowModify: true, SelfDelivery: true,
		RefundAfter: true, Deposit: RefuseDeposit, Reminders: []int{3, 1}, DepositGrace: 10 * time.Minute, Identity: TokenOnly,
		CardEscrow: true, Contracted: true,
	}
}

const (
	leastDays = 3  // Decree art. 28-3
	mostDays  = 60 // bound of every day count in a profile
)

// Check refuses a profile that the law or reason does not allow.
func (p Profile) Check() error {
	switch p.CancelAfterShip {
	case AfterReject, AfterHold, Direct:
	default:
		return refuse(Invalid, "cancelAfterShip", "%q is not one of after_reject, after_hold, direct", p.CancelAfterShip)
	}
	switch p.Deposit {
	case RefuseDeposit, SuspendDeposit:
	default:
		return refuse(Invalid, "depositPolicy", "%q is not one of refuse, suspense", p.Deposit)
	}
	switch p.Identity {
	case TokenOnly, TokenAndTail:
	default:
		return refuse(Invalid, "decisionIdentity", "%q is not one of token, token_phone4", p.Identity)
	}
	for field, days := range map[string]int{"autoConfirmTrackedDays": p.TrackedDays, "autoConfirmUntrackedDays": p.UntrackedDays} {
		if days < leastDays || days > mostDays {
			return refuse(Invalid, field, "%d business days: the decree asks for at least %d, and at most %d are accepted", days, leastDays, mostDays)
		}
	}
	if p.AutoAgreeDays < 0 || p.AutoAgreeDays > mostDays {
		return refuse(Invalid, "buyerCancelAutoAgreeDays", "must be between 0 (never) and %d", mostDays)
	}
	if p.DepositGrace < 0 || p.DepositGrace > 24*time.Hour {
		return refuse(Invalid, "depositGraceMinutes", "must be between 0 and 1440")
	}
	return p.checkReminders()
}

func (p Profile) checkReminders() error {
	if len(p.Reminders) > 5 {
		return refuse(Invalid, "remindersDays", "at most 5 reminders")
	}
	for i, days := range p.Reminders {
		if days < 0 || days > mostDays {
			return refuse(Invalid, fmt.Sprintf("remindersDays[%d]", i), "must be between 0 and %d", mostDays)
		}
	}
	return nil
}
