package escrow

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// State is where a payment stands. The escrow states follow PortOne V2's
// EscrowStatus; Opened, Failed and Paid belong to every payment.
type State string

// The states of a payment.
const (
	// Opened: the payment window is open, or was left; nothing is promised yet.
	Opened State = "opened"
	// Failed: the payment did not come about, or its account was closed unpaid.
	Failed State = "failed"
	// AwaitingDeposit: a virtual account is issued and no money has come.
	AwaitingDeposit State = "awaiting_deposit"
	// Paid: an ordinary payment, not an escrow, has been taken.
	Paid State = "paid"
	// Held: the buyer's money is held and nothing has been shipped.
	Held State = "held"
	// Shipped: a delivery is registered.
	Shipped State = "shipped"
	// Delivered: every parcel has arrived.
	Delivered State = "delivered"
	// Confirmed: the purchase is confirmed and the money belongs to the shop.
	Confirmed State = "confirmed"
	// Rejected: the buyer has rejected the purchase; the money is still held.
	Rejected State = "rejected"
	// RejectionAccepted: the shop has accepted the rejection.
	RejectionAccepted State = "rejection_accepted"
	// Cancelled: the purchase is undone and the money is the buyer's again.
	Cancelled State = "cancelled"
)

// States lists every state, in the order of a payment's life.
func States() []State {
	return []State{Opened, Failed, AwaitingDeposit, Paid, Held, Shipped, Delivered, Confirmed, Rejected, RejectionAccepted, Cancelled}
}

// Holds reports whether money of the buyer is held in this state.
func (s State) Holds() bool {
	switch s {
	case Held, Shipped, Delivered, Rejected, RejectionAccepted:
		return true
	case Opened, Failed, AwaitingDeposit, Paid, Confirmed, Cancelled:
		return false
	}
	return false
}

// Method is how the buyer pays.
type Method string

// The payment methods. Transfer alone means a ledger movement, so the
// real-time bank transfer is a BankTransfer.
const (
	VirtualAccount Method = "virtual_account"
	BankTransfer   Method = "bank_transfer"
	Card           Method = "card"
)

// CashLike reports whether the law's escrow duty covers the method
// (Act on Consumer Protection in Electronic Commerce, art. 24(2) and (3)2).
func (m Method) CashLike() bool { return m == VirtualAccount || m == BankTransfer }

// Goods says what is sold, as far as the escrow duty asks.
type Goods string

// The kinds of goods.
const (
	// Physical goods are delivered and the delivery can be verified.
	Physical Goods = "physical"
	// Digital goods are exempt: no third party can verify the delivery (art. 24(3)3).
	Digital Goods = "digital"
	// Instalments are services supplied over a period; exempt (art. 24(3)4).
	Instalments Goods = "instalments"
)

// Grounds says why a payment is or is not an escrow. It is stored with every
// payment, so that the choice can be shown later.
type Grounds string

// The grounds.
const (
	AskedByShop     Grounds = "asked_by_shop"     // an escrow: the shop asked for it
	ChosenByBuyer   Grounds = "chosen_by_buyer"   // an escrow: the buyer chose it in the window
	DeclinedByBuyer Grounds = "declined_by_buyer" // ordinary: offered and not chosen
	NotOffered      Grounds = "not_offered"       // ordinary: issued by API without a window
	ExemptCard      Grounds = "exempt_card"       // ordinary: card payment
	ExemptDigital   Grounds = "exempt_digital"    // ordinary: delivery cannot be verified
	ExemptService   Grounds = "exempt_instalment" // ordinary: service in instalments
)

// Party is a person with an address: a buyer, a sender or a recipient.
type Party struct {
	Name         string
	Email        string
	Phone        string
	Address      string
	Postcode     string
	Relationship string
}

// BankAccount is an account at a bank: the three-digit national code, the
// number and the holder's name.
type BankAccount struct {
	Bank   string
	Number string
	Holder string
}

// Account is the virtual account issued for one payment.
type Account struct {
	BankAccount
	IssuedAt time.Time
	Due      time.Time
}

// Deposit is one movement that the bank reported on a virtual account.
type Deposit struct {
	BankTx   string // the bank's transaction id; unique per bank, and here but for quarantined notices
	Amount   money.Won
	At       time.Time
	Outcome  DepositOutcome
	Reversed bool
	Payer    BankAccount
}

// DepositOutcome says what became of a deposit.
type DepositOutcome string

// The outcomes of a deposit.
const (
	DepositHeld      DepositOutcome = "held"      // the order amount is held, or paid
	DepositRefused   DepositOutcome = "refused"   // the bank was told to refuse; no money came
	DepositSuspended DepositOutcome = "suspended" // the money lies in suspense
	DepositReturned  DepositOutcome = "returned"  // suspended money went back to the payer
	// DepositQuarantined: a second notice of a known bank transaction tells of
	// another amount. Nothing is booked by it; a person asks the bank.
	DepositQuarantined DepositOutcome = "quarantined"
)

// Product is one line of what was bought.
type Product struct {
	ID       string
	Name     string
	Code     string
	Amount   money.Won
	Quantity int64
	Tag      string
}

// Parcel is one consignment of a delivery.
type Parcel struct {
	Carrier string // Holdfast's carrier code, see rail/carrier
	Number  string // tracking number
	// Seen is when the first tracking event was seen; zero when none was.
	Seen time.Time
	// DeliveredAt is when the carrier handed it over; zero before.
	DeliveredAt time.Time
}

// Delivery is what the shop registered about its shipping.
type Delivery struct {
	Parcels      []Parcel
	Trackable    bool // whether the carrier offers tracking at all
	Sender       Party
	Recipient    Party
	Products     []Product
	SentAt       time.Time // as the shop states it
	RegisteredAt time.Time // when Holdfast learnt of it
	ChangedAt    time.Time // the last change of number or carrier; the D+6 clock starts here
	DeliveredAt  time.Time // when the last parcel arrived; zero before
	KnownAt      time.Time // when Holdfast learnt that it had arrived
	SoughtAt     time.Time // when a person last looked for an overdue parcel
	SendEmail    bool
}

// Seen reports whether any parcel has ever shown a tracking event.
func (d *Delivery) Seen() bool {
	for _, p := range d.Parcels {
		if !p.Seen.IsZero() {
			return true
		}
	}
	return false
}

// Actor is who gives a command.
type Actor string

// The actors.
const (
	Buyer    Actor = "buyer"
	Shop     Actor = "shop"
	Bank     Actor = "bank"
	Carrier  Actor = "carrier"
	Operator Actor = "operator"
	System   Actor = "system"
)

// ConfirmKind says by whose act a purchase was confirmed.
type ConfirmKind string

// The kinds of confirmation.
const (
	ByBuyer ConfirmKind = "buyer"
	ByTime  ConfirmKind = "auto"
	Forced  ConfirmKind = "forced"
	ByShop  ConfirmKind = "shop"
)

// Verdict is the outcome of a purchase decision.
type Verdict string

// The verdicts.
const (
	VerdictConfirm Verdict = "confirm"
	VerdictReject  Verdict = "reject"
)

// Decided is the one decision of a payment.
type Decided struct {
	Verdict Verdict
	Kind    ConfirmKind // of a confirmation
	Reason  string      // of a rejection or a forced confirmation
	At      time.Time
	Address string // network address of the buyer, as evidence
}

// Deadline is the end of the buyer's time, with its working.
type Deadline struct {
	At       time.Time   // 00:00 KST after LastDay; the money may move from here on
	LastDay  bizday.Date // the last day on which the buyer may decide
	From     bizday.Date // the day that is not counted
	Days     int         // business days
	Rule     DeadlineRule
	Calendar string // version of the calendar that was used
}

// DeadlineRule names why a deadline counts as it does.
type DeadlineRule string

// The rules.
const (
	// AfterDelivery: D+3 from the day of receipt (Decree art. 28-3).
	AfterDelivery DeadlineRule = "after_delivery"
	// AfterRegistration: D+6 from the registration of a parcel that cannot be tracked.
	AfterRegistration DeadlineRule = "after_registration"
	// AfterNotice: the receipt was earlier, but the buyer was told later (Decree art. 28-3).
	AfterNotice DeadlineRule = "after_notice"
	// AfterRelease: a hold or a withdrawn rejection had stopped the clock.
	AfterRelease DeadlineRule = "after_release"
)

// Hold is a stop that an operator or a shop has put on a payment.
type Hold struct {
	By     Actor
	Reason string
	At     time.Time
}

// Dispute is the shop's objection to a rejection.
type Dispute struct {
	Evidence string
	At       time.Time
}

// ReturnStage is how far returned goods have come.
type ReturnStage string

// The stages of a return.
const (
	ReturnAgreed   ReturnStage = "agreed"
	ReturnReceived ReturnStage = "received"
	ReturnWaived   ReturnStage = "waived"
)

// RefundState is how far a refund has come.
type RefundState string

// The states of a refund.
const (
	RefundAccountNeeded RefundState = "account_needed"
	RefundOrdered       RefundState = "ordered"
	RefundSent          RefundState = "sent"
	RefundFailed        RefundState = "failed"
)

// Refund is money on its way back to the buyer.
type Refund struct {
	ID        string // payment id, "-r", running number
	Attempt   int    // rises with every order at the bank after a definite failure
	Amount    money.Won
	TaxFree   money.Won
	VAT       money.Won
	State     RefundState
	Account   BankAccount // empty for a card, whose issuer returns the money
	Reason    string
	By        Actor
	At        time.Time // when it was decided
	SentAt    time.Time
	FailedFor string
	FromShop  bool // taken from the shop's money after confirmation
	Suspense  bool // a deposit without an owner going back; it is no cancel of the purchase
	Notify    bool // whether the shop asked to be told of the cancel
}

// Key is the idempotency key of the refund's present attempt at the bank.
func (r *Refund) Key() string { return orderKey(r.ID, r.Attempt) }

// NoticeState is what is known of the buyer having been told what silence means.
type NoticeState string

// The states of the confirm notice.
const (
	NoticeNone      NoticeState = ""
	NoticePending   NoticeState = "pending"
	NoticeDelivered NoticeState = "delivered"
	NoticeFailed    NoticeState = "failed"
)

// Consent records what the buyer agreed to in the payment window.
type Consent struct {
	Terms string // version of the escrow terms shown
	At    time.Time
}

// Task is something that a person has to look at.
type Task string

// The tasks.
const (
	TaskSuspense      Task = "suspense"       // money without an owner
	TaskReversed      Task = "reversed"       // the bank took a deposit back
	TaskParcelOverdue Task = "parcel_overdue" // trackable, not delivered after ten business days
	TaskNoticeFailed  Task = "notice_failed"  // the buyer could not be told
	TaskRefundAccount Task = "refund_account" // nobody knows where to refund
	TaskRefundFailed  Task = "refund_failed"
	TaskRejected      Task = "rejected"         // the shop must answer
	TaskCancelAsked   Task = "cancel_asked"     // the buyer asks the shop to cancel
	TaskDispute       Task = "dispute"          // the operator must decide
	TaskDepositForged Task = "deposit_conflict" // one bank transaction id, two stories
	TaskWithdrawal    Task = "withdrawal"       // the buyer withdraws after time confirmed (Act art. 17)
)

// Payment is one attempt to pay one order: the unit that is locked, decided
// and stored. Amounts are won; instants are UTC; a zero instant has not come.
type Payment struct {
	Merchant string
	ID       string // V1 imp_uid; V2 transactionId
	OrderID  string // V1 merchant_uid; V2 paymentId
	Version  int64  // rises by one with every stored change
	Seq      int64  // number of the last event

	State   State
	Escrow  bool
	Grounds Grounds
	Method  Method
	Goods   Goods

	Amount   money.Won
	TaxFree  money.Won
	VAT      money.Won
	Refunded money.Won // whole or partial, decided (not necessarily sent)

	Name        string
	Buyer       Party
	English     bool // mails and pages in English
	Device      string
	UserAgent   string
	CustomData  string
	NoticeURLs  []string
	RedirectURL string
	ConfirmURL  string
	Provider    string // channel by which it was paid
	Products    []Product
	AskedEscrow bool // the shop's own request, before the window
	V2          bool // opened through PortOne V2; its notice URLs are called in that format

	OpenedAt    time.Time
	PaidAt      time.Time
	FailedAt    time.Time
	CancelledAt time.Time
	ConfirmedAt time.Time
	UpdatedAt   time.Time

	FailReason   string
	CancelReason string

	Account    *Account
	Payer      BankAccount // where a transfer or deposit came from
	CardName   string
	CardNumber string // masked; the full number is never seen
	ApprovalNo string
	Consent    *Consent
	Deposits   []Deposit
	Suspended  money.Won

	Delivery  *Delivery
	Notice    NoticeState
	NoticeAt  time.Time // when the first notice reached the buyer
	NoticeBy  Actor     // whose word it is: System's of a mail, Operator's of any other way
	Deadline  *Deadline
	Announced time.Time // the latest deadline that the buyer was told
	Reminded  []int     // reminders already sent, in business days before the last day
	Decided   *Decided
	Hold      *Hold
	// Restart and RestartDays keep the least time that is left, in business days
	// after a day, once a hold or a withdrawn rejection has stopped the clock.
	Restart     bizday.Date
	RestartDays int
	Dispute     *Dispute
	Return      ReturnStage
	Refunds     []Refund
	Tasks       []Task

	CancelAskedAt  time.Time
	CancelAskedFor string

	// WakeAt is the next instant at which Tick has something to do; zero if never.
	WakeAt time.Time
	// TrackAt is when the carrier should be asked next; zero if and only if it
	// should not ([Payment.Tracked]).
	TrackAt time.Time
	// LinkVersion counts the buyer's decision links; only the newest is valid.
	LinkVersion int
}

// Tracked reports whether a carrier should still be asked about a parcel.
func (p *Payment) Tracked() bool {
	d := p.Delivery
	return d != nil && d.Trackable && (p.State == Shipped || (p.State == Rejected && d.DeliveredAt.IsZero()))
}

// HeldAmount is what held:<payment> carries: the whole amount, or nothing.
func (p *Payment) HeldAmount() money.Won {
	if p.Escrow && p.State.Holds() && (p.Return != ReturnReceived && p.Return != ReturnWaived) {
		return p.Amount
	}
	return 0
}

// Status is where a payment stands in the four words that shops know.
type Status string

// The statuses.
const (
	StatusReady     Status = "ready"     // begun, no money yet
	StatusPaid      Status = "paid"      // money has come and at least part of it stays
	StatusFailed    Status = "failed"    // it did not come about
	StatusCancelled Status = "cancelled" // everything was given back, or nobody paid in time
)

// Status derives the status from the state. A payment of which a part was
// given back is still paid.
func (p *Payment) Status() Status {
	switch p.State {
	case Opened, AwaitingDeposit:
		return StatusReady
	case Failed:
		return StatusFailed
	case Cancelled:
		return StatusCancelled
	case Paid, Held, Shipped, Delivered, Confirmed, Rejected, RejectionAccepted:
	}
	if p.Refunded == p.Amount {
		return StatusCancelled
	}
	return StatusPaid
}

// Standing is where a payment stands, finer than its [Status] and coarser than its
// [State]: what a shop may want to know of the money.
type Standing string

// The standings.
const (
	StandingReady         Standing = "ready"          // begun, nothing promised
	StandingAccountIssued Standing = "account_issued" // waits for a deposit
	StandingPaid          Standing = "paid"           // money has come and all of it stays
	StandingPartCancelled Standing = "part_cancelled" // money has come and part of it stays
	StandingCancelled     Standing = "cancelled"      // as StatusCancelled
	StandingFailed        Standing = "failed"         // as StatusFailed
)

// Standing derives the standing from the state and what was given back.
func (p *Payment) Standing() Standing {
	switch status := p.Status(); {
	case status == StatusFailed:
		return StandingFailed
	case status == StatusCancelled:
		return StandingCancelled
	case p.State == AwaitingDeposit:
		return StandingAccountIssued
	case status == StatusReady:
		return StandingReady
	case p.Refunded > 0:
		return StandingPartCancelled
	}
	return StandingPaid
}

// StandingAt is when the standing became what it is, or, after a further partial
// cancel, when that was decided.
func (p *Payment) StandingAt() time.Time {
	at := p.OpenedAt
	later := func(t time.Time) {
		if t.After(at) {
			at = t
		}
	}
	if p.Account != nil {
		later(p.Account.IssuedAt)
	}
	later(p.PaidAt)
	later(p.FailedAt)
	later(p.CancelledAt)
	for i := range p.Refunds {
		if !p.Refunds[i].Suspense {
			later(p.Refunds[i].At)
		}
	}
	return at
}

// ReversalID names the cancel of a payment whose deposit the bank took back after
// shipping: a whole cancel without a refund of ours. It is empty for every other
// payment.
func (p *Payment) ReversalID() string {
	if p.State == Cancelled && !p.PaidAt.IsZero() && p.Refunded == 0 {
		return p.ID + "-b"
	}
	return ""
}

// LacksRefundAccount reports whether a shop's cancel must say where to refund and does
// not: it must for every virtual account, unless its buyer said so when rejecting. Where
// there is nothing to refund it lacks nothing, nor for a part of a held amount, which
// does not divide wherever the refund would go.
func (p *Payment) LacksRefundAccount(c Cancel) bool {
	divides := p.HeldAmount() > 0 && c.Amount != 0 && c.Amount != p.Amount
	if p.Method != VirtualAccount || p.Status() != StatusPaid || divides || c.Account.Number != "" {
		return false
	}
	rejected := p.State == Rejected || p.State == RejectionAccepted
	return !rejected || p.Payer.Number == ""
}

// Cancellable is what may still be given back to the buyer.
func (p *Payment) Cancellable() money.Won {
	switch p.State {
	case Held, Paid, Shipped, Delivered, Confirmed, Rejected, RejectionAccepted:
		return p.Amount - p.Refunded
	case Opened, Failed, AwaitingDeposit, Cancelled:
		return 0
	}
	return 0
}

// HasTask reports whether the task is open.
func (p *Payment) HasTask(t Task) bool {
	for _, have := range p.Tasks {
		if have == t {
			return true
		}
	}
	return false
}
