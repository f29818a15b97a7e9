package escrow

import (
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// Command is an act that somebody asks of a payment. The set is closed.
//
//sumtype:decl
type Command interface {
	command()
	// Verb is the command's word in logs, audit rows and the golden matrix.
	Verb() string
}

type (
	// Open begins a payment; it is the only command on a payment that does not exist.
	Open struct {
		Merchant, ID, OrderID string
		Method                Method
		Goods                 Goods
		Escrow                bool
		Amount, TaxFree, VAT  money.Won
		Name                  string
		Buyer                 Party
		English               bool
		Device, UserAgent     string
		CustomData            string
		NoticeURLs            []string
		RedirectURL           string
		ConfirmURL            string
		Provider              string
		Products              []Product
		V2                    bool // through PortOne V2
	}
	// Choose records the buyer's choice in the window before paying: the method
	// and whether to use escrow, with the terms that were shown.
	Choose struct {
		Method Method
		Escrow bool
		Terms  string
		// ByAPI says that no window was shown, so that no choice was offered.
		ByAPI bool
	}
	// IssueAccount gives the payment its virtual account.
	IssueAccount struct{ Account Account }
	// AmendAccount changes the amount or the due time of an unpaid account.
	// Zero values leave what they name.
	AmendAccount struct {
		Amount money.Won
		Due    time.Time
	}
	// CloseAccount revokes an unpaid account.
	CloseAccount struct{ Reason string }
	// Approve says that a bank transfer or card payment has been taken.
	Approve struct {
		ApprovalNo           string
		Payer                BankAccount
		CardName, CardNumber string
	}
	// Fail says that the payment did not come about.
	Fail struct{ Reason string }
	// NotifyDeposit is the bank's notice of a deposit.
	NotifyDeposit struct {
		BankTx string
		Amount money.Won
		At     time.Time
		Payer  BankAccount
	}
	// ReverseDeposit is the bank taking a deposit back.
	ReverseDeposit struct{ BankTx, Reason string }
	// AcceptLate takes money that came late, or in parts after the due time, out of
	// suspense and lets the expired payment live.
	AcceptLate struct{}
	// ReturnSuspense sends suspended money back to where it came from.
	ReturnSuspense struct{ Account BankAccount }

	// RegisterDelivery tells what was shipped and how.
	RegisterDelivery struct {
		Parcels   []Parcel // Carrier and Number
		Trackable bool
		Sender    Party
		Recipient Party
		Products  []Product
		SentAt    time.Time
		SendEmail bool
	}
	// AmendDelivery corrects a registration.
	AmendDelivery struct {
		Parcels   []Parcel
		Trackable bool
		Sender    Party
		Recipient Party
		Products  []Product
		SentAt    time.Time
	}
	// ReportTracking is what the carrier says of one parcel: seen on its way,
	// or delivered when DeliveredAt is set. Silence is reported too, so that
	// the next question can be planned.
	ReportTracking struct {
		Number      string
		Seen        bool
		DeliveredAt time.Time
		// NextAt is when the carrier expects to know more; zero leaves it to the rule.
		NextAt time.Time
	}
	// MarkDelivered is the operator saying by hand that everything arrived.
	MarkDelivered struct {
		At     time.Time
		Reason string
	}
	// NoticeResult is the fate of the mail that tells the buyer what silence means.
	NoticeResult struct {
		Delivered bool
		Reason    string
	}
	// RenewLink makes a new decision link and kills the old one.
	RenewLink struct{}

	// Confirm is the purchase confirmation.
	Confirm struct {
		Kind    ConfirmKind // ByBuyer, Forced or ByShop
		Reason  string      // of a forced one
		Address string
	}
	// Reject is the purchase rejection.
	Reject struct {
		Reason  string
		Account BankAccount // where to refund, if the buyer says so already
		Address string
	}
	// WithdrawRejection is the buyer changing their mind before the shop answers.
	WithdrawRejection struct{}
	// AcceptRejection is the shop accepting; Waive leaves the goods with the buyer.
	AcceptRejection struct {
		By    string
		Waive bool
	}
	// Contest is the shop objecting to a rejection.
	Contest struct{ Evidence string }
	// DecideDispute is the operator's ruling; Refund is what goes to the buyer,
	// the rest to the shop. It is the only place where a held amount divides.
	DecideDispute struct {
		Refund money.Won
		Reason string
	}
	// ReceiveReturn says that the goods are back with the shop.
	ReceiveReturn struct{}

	// AskCancel is the buyer asking the shop to cancel before shipping.
	AskCancel struct {
		Reason  string
		Account BankAccount
	}
	// Cancel gives money back. Amount zero means everything that is left.
	Cancel struct {
		Amount, TaxFree, VAT money.Won
		// Expected is the balance the caller believes in; nil does not check.
		Expected *money.Won
		Reason   string
		Account  BankAccount
		// Notify asks for the shop's webhook (V1 enable_webhook; always for the console).
		Notify bool
	}
	// GiveRefundAccount says where to refund.
	GiveRefundAccount struct {
		Refund  string // id; empty means all of the purchase that wait
		Account BankAccount
	}
	// RefundResult is the bank's definite answer to a refund order.
	RefundResult struct {
		Key    string
		Sent   bool
		Reason string
	}
	// AskWithdrawal is the buyer withdrawing from a purchase that time confirmed,
	// before the shop is paid (Act art. 17); the payout waits for an answer.
	AskWithdrawal struct{ Reason string }
	// PlaceHold stops the clock and every decision of time.
	PlaceHold struct{ Reason string }
	// ReleaseHold lets the clock run again.
	ReleaseHold struct{}
	// ResolveTask closes a task that no other command closes, once a person has
	// looked: a reversed deposit, a contradicting notice, an overdue parcel.
	ResolveTask struct {
		Task Task
		Note string // what was found
	}
	// Announce says that a letter is about to name a last day to the buyer: from now
	// on the buyer's time does not end before it.
	Announce struct{ LastDay bizday.Date }
	// Recount computes a pending deadline anew after the calendar changed.
	Recount struct{}
	// Tick does what is due by now.
	Tick struct{}
)

func (Open) command()              {}
func (Choose) command()            {}
func (IssueAccount) command()      {}
func (AmendAccount) command()      {}
func (CloseAccount) command()      {}
func (Approve) command()           {}
func (Fail) command()              {}
func (NotifyDeposit) command()     {}
func (ReverseDeposit) command()    {}
func (AcceptLate) command()        {}
func (ReturnSuspense) command()    {}
func (RegisterDelivery) command()  {}
func (AmendDelivery) command()     {}
func (ReportTracking) command()    {}
func (MarkDelivered) command()     {}
func (NoticeResult) command()      {}
func (RenewLink) command()         {}
func (Confirm) command()           {}
func (Reject) command()            {}
func (WithdrawRejection) command() {}
func (AcceptRejection) command()   {}
func (Contest) command()           {}
func (DecideDispute) command()     {}
func (ReceiveReturn) command()     {}
func (AskCancel) command()         {}
func (Cancel) command()            {}
func (GiveRefundAccount) command() {}
func (RefundResult) command()      {}
func (AskWithdrawal) command()     {}
func (PlaceHold) command()         {}
func (ReleaseHold) command()       {}
func (ResolveTask) command()       {}
func (Announce) command()          {}
func (Recount) command()           {}
func (Tick) command()              {}

// Verb returns the command's word.
func (Open) Verb() string              { return "open" }
func (Choose) Verb() string            { return "choose" }
func (IssueAccount) Verb() string      { return "issue_account" }
func (AmendAccount) Verb() string      { return "amend_account" }
func (CloseAccount) Verb() string      { return "close_account" }
func (Approve) Verb() string           { return "approve" }
func (Fail) Verb() string              { return "fail" }
func (NotifyDeposit) Verb() string     { return "notify_deposit" }
func (ReverseDeposit) Verb() string    { return "reverse_deposit" }
func (AcceptLate) Verb() string        { return "accept_late" }
func (ReturnSuspense) Verb() string    { return "return_suspense" }
func (RegisterDelivery) Verb() string  { return "register_delivery" }
func (AmendDelivery) Verb() string     { return "amend_delivery" }
func (ReportTracking) Verb() string    { return "report_tracking" }
func (MarkDelivered) Verb() string     { return "mark_delivered" }
func (NoticeResult) Verb() string      { return "notice_result" }
func (RenewLink) Verb() string         { return "renew_link" }
func (Confirm) Verb() string           { return "confirm" }
func (Reject) Verb() string            { return "reject" }
func (WithdrawRejection) Verb() string { return "withdraw_rejection" }
func (AcceptRejection) Verb() string   { return "accept_rejection" }
func (Contest) Verb() string           { return "contest" }
func (DecideDispute) Verb() string     { return "decide_dispute" }
func (ReceiveReturn) Verb() string     { return "receive_return" }
func (AskCancel) Verb() string         { return "ask_cancel" }
func (Cancel) Verb() string            { return "cancel" }
func (GiveRefundAccount) Verb() string { return "give_refund_account" }
func (RefundResult) Verb() string      { return "refund_result" }
func (AskWithdrawal) Verb() string     { return "ask_withdrawal" }
func (PlaceHold) Verb() string         { return "place_hold" }
func (ReleaseHold) Verb() string       { return "release_hold" }
func (ResolveTask) Verb() string       { return "resolve_task" }
func (Announce) Verb() string          { return "announce" }
func (Recount) Verb() string           { return "recount" }
func (Tick) Verb() string              { return "tick" }

// EventType names a step of a payment's life.
type EventType string

// The event types.
const (
	EventOpened             EventType = "Opened"
	EventAccountIssued      EventType = "AccountIssued"
	EventAccountAmended     EventType = "AccountAmended"
	EventAccountClosed      EventType = "AccountClosed"
	EventAccountExpired     EventType = "AccountExpired"
	EventFailed             EventType = "Failed"
	EventPaid               EventType = "Paid"
	EventDepositMismatched  EventType = "DepositMismatched"
	EventDepositReversed    EventType = "DepositReversed"
	EventSuspenseReturned   EventType = "SuspenseReturned"
	EventDeliveryRegistered EventType = "DeliveryRegistered"
	EventDeliveryChanged    EventType = "DeliveryChanged"
	EventInTransit          EventType = "InTransit"
	EventDelivered          EventType = "Delivered"
	EventParcelOverdue      EventType = "ParcelOverdue"
	EventNoticeDelivered    EventType = "NoticeDelivered"
	EventNoticeFailed       EventType = "NoticeFailed"
	EventDecisionDue        EventType = "DecisionDue"
	EventReminded           EventType = "Reminded"
	EventLinkRenewed        EventType = "LinkRenewed"
	EventConfirmed          EventType = "Confirmed"
	EventRejected           EventType = "Rejected"
	EventRejectionWithdrawn EventType = "RejectionWithdrawn"
	EventRejectionAccepted  EventType = "RejectionAccepted"
	EventDisputed           EventType = "Disputed"
	EventDisputeDecided     EventType = "DisputeDecided"
	EventReturnReceived     EventType = "ReturnReceived"
	EventCancelAsked        EventType = "CancelAsked"
	EventCancelled          EventType = "Cancelled"
	EventPartlyRefunded     EventType = "PartlyRefunded"
	EventRefundOrdered      EventType = "RefundOrdered"
	EventRefundAccountAsked EventType = "RefundAccountAsked"
	EventRefundSent         EventType = "RefundSent"
	EventRefundFailed       EventType = "RefundFailed"
	EventWithdrawalAsked    EventType = "WithdrawalAsked"
	EventHoldPlaced         EventType = "HoldPlaced"
	EventHoldReleased       EventType = "HoldReleased"
	EventTaskResolved       EventType = "TaskResolved"
)

// The steps of a payout, which nets the lines of many payments: their events are
// about the payout and stand in the same log.
const (
	EventPayoutSent     EventType = "PayoutSent"
	EventPayoutFailed   EventType = "PayoutFailed"
	EventPayoutReturned EventType = "PayoutReturned"
)

// Event is one step, told to everyone who follows the payment. Fields that do
// not belong to the type are zero.
type Event struct {
	Seq     int64 // per payment, from 1, without gaps
	Type    EventType
	At      time.Time
	Actor   Actor
	Amount  money.Won
	Reason  string
	Kind    string // of a confirmation, a deposit outcome, a deadline rule, a task; the status that a reversed deposit or the refund of a cancel left
	Ref     string // bank transaction, refund, tracking number
	LastDay bizday.Date
	Due     time.Time
	Notify  bool // of a cancel and of its refund: whether the shop asked for its webhook
	// Working is how a deadline was counted.
	Working Working
}

// Working is how a deadline was counted: so many business days after a day that
// is not counted, and the days in between that were none.
type Working struct {
	From    bizday.Date
	Days    int
	Skipped string // one day a line: the date, a blank, and why it is none
}

// Mail names a message to the buyer.
type Mail string

// The mails to the buyer.
const (
	MailAccountIssued     Mail = "account_issued"
	MailDepositDueSoon    Mail = "deposit_due_soon"
	MailAccountExpired    Mail = "account_expired"
	MailPaid              Mail = "paid"
	MailShipped           Mail = "shipped" // carries the statutory notice (Decree art. 28-3)
	MailDeliveryChanged   Mail = "delivery_changed"
	MailDelivered         Mail = "delivered" // carries the statutory notice and the last day
	MailReminder          Mail = "reminder"
	MailNewLastDay        Mail = "new_last_day"
	MailConfirmed         Mail = "confirmed"
	MailAutoConfirmed     Mail = "auto_confirmed"
	MailRejected          Mail = "rejected"
	MailRejectionAccepted Mail = "rejection_accepted"
	MailDisputed          Mail = "disputed"
	MailDepositMismatched Mail = "deposit_mismatched"
	MailCancelled         Mail = "cancelled"
	MailRefundAccount     Mail = "refund_account_needed"
	MailRefundSent        Mail = "refund_sent"
	MailRefundFailed      Mail = "refund_failed"
	MailHold              Mail = "hold"
	MailHoldReleased      Mail = "hold_released"
	MailLink              Mail = "link" // the decision link again; carries the statutory notice
)

// Tells reports whether the mail tells the buyer what silence means, so that
// its delivery feeds the notice guard.
func (m Mail) Tells() bool {
	switch m {
	case MailShipped, MailDelivered, MailReminder, MailNewLastDay, MailLink, MailDeliveryChanged:
		return true
	case MailAccountIssued, MailDepositDueSoon, MailAccountExpired, MailPaid, MailConfirmed, MailAutoConfirmed,
		MailRejected, MailRejectionAccepted, MailDisputed, MailDepositMismatched, MailCancelled, MailRefundAccount,
		MailRefundSent, MailRefundFailed, MailHold, MailHoldReleased:
		return false
	}
	return false
}

// Mails lists every mail.
func Mails() []Mail {
	return []Mail{MailAccountIssued, MailDepositDueSoon, MailAccountExpired, MailPaid, MailShipped, MailDeliveryChanged, MailDelivered,
		MailReminder, MailNewLastDay, MailConfirmed, MailAutoConfirmed, MailRejected, MailRejectionAccepted, MailDisputed,
		MailDepositMismatched, MailCancelled, MailRefundAccount, MailRefundSent, MailRefundFailed, MailHold, MailHoldReleased, MailLink}
}

// BankOrder asks the bank to send money to a buyer. Key is idempotent at the
// bank: an order with a known key is never executed twice.
type BankOrder struct {
	Key     string
	Refund  string
	Amount  money.Won
	Account BankAccount
	Card    bool // the card issuer returns the money; no account is needed
}

// LineKind says what a settlement line stands for.
type LineKind string

// The kinds of settlement lines.
const (
	LineSale     LineKind = "sale"     // confirmed or ordinary money that belongs to the shop
	LineRefund   LineKind = "refund"   // given back from the shop's money
	LineReversal LineKind = "reversal" // the bank took the deposit back after confirmation
	LineCharge   LineKind = "charge"   // fee of a refund transfer
)

// Line is one row of a merchant's statement. Net is signed: what the line adds
// to the next payout. FromDue is the part of a negative net that the books
// carry as a receivable (due:<merchant>) and not as a smaller payable.
type Line struct {
	ID      string // payment id, "-l", number of the causing event
	Kind    LineKind
	Gross   money.Won
	Fee     money.Won
	VAT     money.Won
	Net     money.Won
	FromDue money.Won
	At      time.Time
	PaidAt  time.Time   // of the payment; the contract cycle counts from here
	DueDate bizday.Date // not before this day
}

// Decision is the whole consequence of a command: the payment as it will be,
// the money that moves, and everything that falls due. Its parts are stored in
// one transaction or not at all; nobody may act on a Decision that has not been
// stored, because until then it has not happened.
type Decision struct {
	// Unchanged says that the command had been done before, or had nothing to
	// do; Next is the payment as it is and every other part is empty.
	Unchanged bool
	Next      Payment
	Transfers []ledger.Transfer
	Events    []Event
	Mails     []Mail
	Orders    []BankOrder
	Lines     []Line
	// PayoutHold stops (true) or frees (false) the payment's unpaid lines.
	PayoutHold *bool
}

// Env is what a decision may know besides the payment and the command.
type Env struct {
	Actor    Actor
	Now      time.Time // the merchant's clock
	Calendar bizday.Calendar
	Profile  Profile
	Terms    Terms
	// SaleLeft is what the shop's payable still holds of this payment's sale:
	// its net while no payout has taken it, else nothing.
	SaleLeft money.Won
	// OrderPaid says that another payment of the same order has been paid, so
	// that this one must take no money.
	OrderPaid bool
}
