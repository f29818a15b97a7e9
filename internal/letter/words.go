package letter

import "github.com/holdfast-pay/holdfast/internal/escrow"

// words is the catalogue of one language. Every field must be filled in every
// language. A text may name values in braces, see [composer.values]; a text one
// of whose values is not known is left out of the letter as a whole, so that no
// sentence ever has a hole.
type words struct {
	Lang string // of the HTML document

	// Subjects and Titles have one entry per kind of mail.
	Subjects, Titles map[escrow.Mail]string
	// Dated are subjects that name the last day, for letters that have one.
	Dated map[escrow.Mail]string
	// Methods names the payment methods.
	Methods map[escrow.Method]string
	// Rules says how a deadline counts.
	Rules map[escrow.DeadlineRule]string

	Brand    string // at the head, beside the operator's name
	Greeting string
	Guest    string // the greeting of a buyer without a name
	Sandbox  string // no real money

	// Sentences of the letters, in the order of a payment's life.
	PayIn, PayExactly, HeldOnceIn           string
	DueSoon                                 string
	Expired, DoNotPay                       string
	PaidEscrow, PaidHeld, PaidShipsSoon     string
	PaidOrdinary                            string
	DepositRefused, DepositRest, DepositOwn string
	DepositSuspended, DepositReturns        string
	Shipped, DecideOnceIn                   string
	DeliveryChanged                         string
	Delivered                               string
	Reminder                                string
	NewLastDay                              string
	NewLink, NewLinkLook                    string
	ConfirmedByBuyer, ConfirmedByShop       string
	ConfirmedForced, ConfirmedWhy           string
	ConfirmedObject, PaidToShop             string
	AutoConfirmed, WithdrawWithin           string
	Rejected, RejectedReason, RejectedHeld  string
	RejectedWithdraw                        string
	Accepted, AcceptedReturn, AcceptedCosts string
	AcceptedRefund, AcceptedWaived          string
	Disputed, DisputedReason, DisputedHeld  string
	DisputedNext                            string
	CancelledWhole, CancelledPart           string
	CancelledReason                         string
	CancelledByBank, CancelledTaken         string
	RefundByCard, RefundToAccount           string
	RefundAsksAccount                       string
	AccountNeeded, AccountByLink            string
	AccountByShop                           string
	RefundSent, RefundSentCard              string
	RefundSentSlow                          string
	RefundFailed, RefundFailedWhy           string
	Held, HeldReason, HeldClock             string
	Released, ReleasedLastDay               string
	WithdrawalOver, WithdrawalObject        string

	// The notice of Decree art. 28-3.
	LastDayHead    string // over the date
	TermHead       string // over a term that has no date yet
	Term           string // the term, where the date would stand
	NoticeAsk      string // with a date
	NoticeSilence  string // what silence means
	NoticeLaw      string
	NoticeLater    string // a date follows once the parcel is there
	NoticeUntraced string // what counts when the parcel never shows in tracking
	NoticeStopped  string // a hold stops the clock
	NoticeBizDays  string

	// Buttons and what stands under them.
	Received, Problem, ChoiceHint, ChoicePlain string
	SeeDecision, SeeWithdraw, SeeAccount       string

	// Tables.
	Order, OrderNo, Goods, Amount, Method, PaidAt, ConfirmedAt string
	Account, Bank, Number, Holder, Due                         string
	Delivery, Carrier, Tracking, SentAt, ArrivedAt             string
	SelfDelivery, OtherCarrier                                 string
	Refund, RefundAmount, RefundTo, RefundBy                   string
	RefundCard, RefundAt                                       string
	Deposit, DepositAmount, DepositAt                          string
	Return, Name, Address, Phone                               string
	Trade, Seller, BusinessNo                                  string
	Agent, Registration, Contact                               string

	// Foot.
	SendOnly, SentNote string
}
