package escrow

import (
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
)

const (
	// maxReason bounds every free text that a person gives as a reason, in characters.
	maxReason = 1000
	// maxRefunds bounds the refunds of one payment. The one that gives back all
	// that is left is always possible.
	maxRefunds = 100
)

func (a *act) confirm(c Confirm) error {
	if again, err := a.standing(VerdictConfirm); again || err != nil {
		return err
	}
	if err := checkLength("reason", c.Reason); err != nil {
		return err
	}
	if c.Kind == Forced {
		if err := checkText("reason", c.Reason, "a forced confirmation needs a reason"); err != nil {
			return err
		}
		if err := a.decidable(Shipped, Delivered, Rejected); err != nil {
			return err
		}
	} else if err := a.decidable(Shipped, Delivered); err != nil {
		return err
	}
	return a.settleConfirmed(Decided{Verdict: VerdictConfirm, Kind: c.Kind, Reason: c.Reason, At: a.env.Now, Address: c.Address})
}

// standing answers from the decision that stands: the same verdict again is a
// success that changes nothing, the opposite is refused by name and time.
func (a *act) standing(v Verdict) (again bool, err error) {
	d := a.p.Decided
	if d == nil {
		return false, nil
	}
	if d.Verdict == v {
		a.unchanged = true
		return true, nil
	}
	if v == VerdictConfirm && a.p.State == Rejected && a.env.Actor == Operator {
		return false, nil
	}
	return false, &Refusal{
		Code: AlreadyDecided, Stands: copied(d),
		Reason: "the purchase was " + past(d.Verdict) + " at " + d.At.Format(time.RFC3339),
	}
}

func past(v Verdict) string {
	if v == VerdictReject {
		return "rejected"
	}
	return "confirmed"
}

// decidable refuses a decision outside its states, in words that help.
func (a *act) decidable(states ...State) error {
	switch {
	case a.p.State == Opened || a.p.State == AwaitingDeposit || a.p.State == Failed:
		return refuse(NotPaid, "", "the payment is %s; there is nothing to decide", a.p.State)
	case !a.p.Escrow:
		return refuse(NotEscrow, "", "this is an ordinary payment; there is nothing to decide")
	case a.p.State == Held:
		return refuse(NotRegistered, "", "the shop has not registered a delivery yet")
	}
	return a.in(states...)
}

// settleConfirmed releases held money to the shop. Every confirmation comes here: that of
// a person, above, and that of time when silence is over (confirmByTime). Beside it only
// decideDispute gives held money to a shop.
func (a *act) settleConfirmed(d Decided) error {
	a.confirmed(d)
	return a.sell(ledger.Held(a.p.ID), a.p.Amount)
}

func (a *act) confirmed(d Decided) {
	a.p.State, a.p.Decided, a.p.ConfirmedAt = Confirmed, &d, a.env.Now
	a.p.Deadline, a.p.Hold, a.p.Dispute = nil, nil, nil
	a.done(TaskRejected, TaskDispute, TaskParcelOverdue, TaskNoticeFailed, TaskCancelAsked)
	a.emit(Event{Type: EventConfirmed, Kind: string(d.Kind), Amount: a.p.Amount, Reason: d.Reason})
	if d.Kind == ByTime {
		a.mail(MailAutoConfirmed)
		return
	}
	a.mail(MailConfirmed)
}

func (a *act) reject(c Reject) error {
	if again, err := a.standing(VerdictReject); again || err != nil {
		return err
	}
	reason := strings.TrimSpace(c.Reason)
	if err := checkText("reason", reason, "a rejection needs a reason"); err != nil {
		return err
	}
	if err := checkAccount("refund_account", c.Account); err != nil {
		return err
	}
	if err := a.decidable(Shipped, Delivered); err != nil {
		return err
	}
	a.p.State = Rejected
	a.p.Decided = &Decided{Verdict: VerdictReject, Reason: reason, At: a.env.Now, Address: c.Address}
	if c.Account.Number != "" {
		a.p.Payer = c.Account
	}
	a.done(TaskParcelOverdue, TaskNoticeFailed)
	a.task(TaskRejected)
	a.emit(Event{Type: EventRejected, Reason: reason})
	a.mail(MailRejected)
	a.recount = true
	return nil
}

// withdrawRejection lets the clock run again, three business days from the new
// notice (row 15). A parcel that never came is still on its way.
func (a *act) withdrawRejection() error {
	if a.p.State == Delivered || a.p.State == Shipped {
		a.unchanged = true
		return nil
	}
	if err := a.in(Rejected); err != nil {
		return err
	}
	a.p.State = Shipped
	if !a.p.Delivery.DeliveredAt.IsZero() {
		a.p.State = Delivered
	}
	a.p.Decided, a.p.Dispute = nil, nil
	a.p.Notice, a.p.NoticeAt, a.p.NoticeBy = NoticeNone, time.Time{}, ""
	a.p.Restart, a.p.RestartDays = today(a.env), leastDays
	a.done(TaskRejected, TaskDispute)
	a.emit(Event{Type: EventRejectionWithdrawn})
	a.tell(MailNewLastDay)
	a.recount = true
	a.track()
	return nil
}

func (a *act) acceptRejection(c AcceptRejection) error {
	switch {
	case a.p.State == RejectionAccepted && a.p.Return == ReturnAgreed && c.Waive:
		return a.refundReturned(ReturnWaived) // the goods need not come back after all
	case a.p.State == RejectionAccepted:
		a.unchanged = true
		return nil
	}
	if err := a.in(Rejected); err != nil {
		return err
	}
	if err := checkText("by", c.By, "the name of the person who accepts the rejection is required"); err != nil {
		return err
	}
	a.p.State, a.p.Return, a.p.Dispute = RejectionAccepted, ReturnAgreed, nil
	a.done(TaskRejected, TaskDispute)
	a.emit(Event{Type: EventRejectionAccepted, Reason: c.By})
	a.mail(MailRejectionAccepted)
	if c.Waive {
		return a.refundReturned(ReturnWaived)
	}
	return nil
}

func (a *act) contest(c Contest) error {
	if a.p.Dispute != nil {
		a.unchanged = true
		return nil
	}
	if err := a.in(Rejected); err != nil {
		return err
	}
	if err := checkText("evidence", c.Evidence, "say why the rejection is contested"); err != nil {
		return err
	}
	a.p.Dispute = &Dispute{Evidence: c.Evidence, At: a.env.Now}
	a.done(TaskRejected)
	a.task(TaskDispute)
	a.emit(Event{Type: EventDisputed, Reason: c.Evidence})
	a.mail(MailDisputed)
	return nil
}

// decideDispute rules: the refund to the buyer, the rest to the shop (row 25).
func (a *act) decideDispute(c DecideDispute) error {
	if a.p.Dispute == nil || a.p.State != Rejected {
		return refuse(WrongState, "", "there is no dispute to decide")
	}
	if c.Refund < 0 || c.Refund > a.p.Amount {
		return refuse(Invalid, "refund", "must be between 0 and the amount of the payment, %s won", a.p.Amount.Digits())
	}
	if err := checkText("reason", c.Reason, "a ruling needs a reason"); err != nil {
		return err
	}
	a.emit(Event{Type: EventDisputeDecided, Amount: c.Refund, Reason: c.Reason})
	if c.Refund == a.p.Amount {
		a.giveBack(c.Reason, BankAccount{}, true)
		return nil
	}
	a.confirmed(Decided{Verdict: VerdictConfirm, Kind: Forced, Reason: c.Reason, At: a.env.Now})
	if c.Refund > 0 {
		a.p.Refunded = c.Refund
		a.move(ledger.Transfer{Debit: ledger.Held(a.p.ID), Credit: ledger.Refund(a.p.ID), Amount: c.Refund})
		a.emit(Event{Type: EventPartlyRefunded, Amount: c.Refund, Reason: c.Reason, Notify: true})
		a.orderRefund(Refund{Amount: c.Refund, Reason: c.Reason, Notify: true})
	}
	return a.sell(ledger.Held(a.p.ID), a.p.Amount-c.Refund)
}

func (a *act) receiveReturn() error {
	if a.p.Return == ReturnReceived || a.p.Return == ReturnWaived {
		a.unchanged = true
		return nil
	}
	if err := a.in(RejectionAccepted); err != nil {
		return err
	}
	a.emit(Event{Type: EventReturnReceived})
	return a.refundReturned(ReturnReceived)
}

// refundReturned makes the held money the buyer's again (rows 16 and 18).
func (a *act) refundReturned(stage ReturnStage) error {
	reason := a.p.Decided.Reason
	a.p.Return, a.p.Hold = stage, nil
	a.p.Refunded = a.p.Amount
	a.p.CancelledAt, a.p.CancelReason = a.env.Now, reason
	a.emit(Event{Type: EventCancelled, Amount: a.p.Amount, Reason: reason, Notify: true})
	a.mail(MailCancelled)
	a.move(ledger.Transfer{Debit: ledger.Held(a.p.ID), Credit: ledger.Refund(a.p.ID), Amount: a.p.Amount})
	a.orderRefund(Refund{Amount: a.p.Amount, TaxFree: a.p.TaxFree, VAT: a.p.VAT, Reason: reason, Notify: true})
	return nil
}

func (a *act) askWithdrawal(c AskWithdrawal) error {
	if a.p.HasTask(TaskWithdrawal) {
		a.unchanged = true
		return nil
	}
	if err := a.in(Confirmed); err != nil {
		return err
	}
	if a.p.Decided.Kind != ByTime {
		return refuse(WrongState, "", "the purchase was confirmed by hand; ask the shop for a refund")
	}
	if a.p.Cancellable() == 0 {
		return refuse(AlreadyCancelled, "", "everything was given back already")
	}
	if err := checkText("reason", c.Reason, "a withdrawal needs a reason"); err != nil {
		return err
	}
	a.p.Hold = &Hold{By: Buyer, Reason: c.Reason, At: a.env.Now}
	a.task(TaskWithdrawal)
	a.emit(Event{Type: EventWithdrawalAsked, Reason: c.Reason})
	a.d.PayoutHold = new(true)
	return nil
}

func (a *act) placeHold(c PlaceHold) error {
	if a.p.Hold != nil {
		a.unchanged = true
		return nil
	}
	if err := a.in(Held, Shipped, Delivered, Rejected); err != nil {
		return err
	}
	if err := checkText("reason", c.Reason, "a hold needs a reason"); err != nil {
		return err
	}
	if a.p.Deadline != nil {
		left, err := a.env.Calendar.Between(today(a.env), a.p.Deadline.LastDay)
		if err != nil {
			return err
		}
		a.p.RestartDays = max(left, 1)
	}
	a.p.Hold = &Hold{By: a.env.Actor, Reason: c.Reason, At: a.env.Now}
	a.emit(Event{Type: EventHoldPlaced, Reason: c.Reason})
	a.mail(MailHold)
	a.recount = true
	return nil
}

// releaseHold lets the clock run again with at least one business day left (row 21).
func (a *act) releaseHold() error {
	if a.p.Hold == nil {
		a.unchanged = true
		return nil
	}
	if a.p.Hold.By == Operator && a.env.Actor != Operator {
		return refuse(Forbidden, "", "the hold was placed by the operator, who alone may release it")
	}
	a.p.Hold = nil
	a.emit(Event{Type: EventHoldReleased})
	if a.p.State == Confirmed {
		a.done(TaskWithdrawal)
		a.mail(MailHoldReleased)
		a.d.PayoutHold = new(bool)
		return nil
	}
	a.p.Restart, a.p.RestartDays = today(a.env), max(a.p.RestartDays, 1)
	a.mail(MailHoldReleased)
	a.recount = true
	return nil
}

// resolveTask closes a task that ends with a person having looked. Every other
// task ends with the act that it asks for. An overdue parcel is asked about anew
// if it is still not there after as long again.
func (a *act) resolveTask(c ResolveTask) error {
	switch c.Task {
	case TaskReversed, TaskDepositForged, TaskParcelOverdue:
	case TaskSuspense, TaskNoticeFailed, TaskRefundAccount, TaskRefundFailed, TaskRejected, TaskCancelAsked, TaskDispute, TaskWithdrawal:
		return refuse(Invalid, "task", "the task %s ends with the act that it asks for", c.Task)
	default:
		return refuse(Invalid, "task", "%q is not a task that can be resolved; those are reversed, deposit_conflict, parcel_overdue", c.Task)
	}
	if err := checkText("note", c.Note, "say what was found"); err != nil {
		return err
	}
	if !a.p.HasTask(c.Task) {
		a.unchanged = true
		return nil
	}
	a.done(c.Task)
	if c.Task == TaskParcelOverdue {
		a.p.Delivery.SoughtAt = a.env.Now
	}
	a.emit(Event{Type: EventTaskResolved, Kind: string(c.Task), Reason: c.Note})
	return nil
}

func (a *act) askCancel(c AskCancel) error {
	if !a.p.CancelAskedAt.IsZero() {
		a.unchanged = true
		return nil
	}
	if err := a.in(Held); err != nil {
		return err
	}
	if err := checkText("reason", c.Reason, "say why the purchase is to be cancelled"); err != nil {
		return err
	}
	if err := checkAccount("refund_account", c.Account); err != nil {
		return err
	}
	a.p.CancelAskedAt, a.p.CancelAskedFor = a.env.Now, strings.TrimSpace(c.Reason)
	if c.Account.Number != "" {
		a.p.Payer = c.Account
	}
	a.task(TaskCancelAsked)
	a.emit(Event{Type: EventCancelAsked, Reason: c.Reason})
	return nil
}

// cancel gives money back to the buyer: held money whole (rows 19 and 20), the
// shop's money whole or in part (row 24).
func (a *act) cancel(c Cancel) error {
	left := a.p.Cancellable()
	switch {
	case a.p.Refunded > 0 && left == 0, a.p.State == Cancelled && a.p.Refunded > 0:
		return refuse(AlreadyCancelled, "", "everything was given back already")
	case left == 0:
		return refuse(NotPaid, "", "the payment is %s; there is nothing to give back", a.p.State)
	case c.Amount < 0 || c.TaxFree < 0 || c.VAT < 0:
		return refuse(Invalid, "amount", "must not be negative")
	case c.Expected != nil && *c.Expected != left:
		return refuse(BalanceDiffers, "checksum", "%s won are cancellable, not %s", left.Digits(), c.Expected.Digits())
	case c.Amount > left:
		return refuse(ExceedsBalance, "amount", "%s won are cancellable, %s were asked for", left.Digits(), c.Amount.Digits())
	}
	amount := c.Amount
	if amount == 0 {
		amount = left
	}
	if err := checkCancel(c, amount); err != nil {
		return err
	}
	if a.p.HeldAmount() > 0 {
		return a.cancelHeld(c, amount)
	}
	return a.refundFromShop(c, amount)
}

func checkCancel(c Cancel, amount money.Won) error {
	if err := checkLength("reason", c.Reason); err != nil {
		return err
	}
	if err := checkAccount("refund_account", c.Account); err != nil {
		return err
	}
	return checkParts(amount, c.TaxFree, c.VAT)
}

func (a *act) cancelHeld(c Cancel, amount money.Won) error {
	if amount != a.p.Amount {
		return refuse(PartialBeforeConfirm, "amount", "an escrow cannot be cancelled in part before the purchase is confirmed")
	}
	if err := a.mayCancel(); err != nil {
		return err
	}
	if err := a.wantsAccount(c.Account); err != nil {
		return err
	}
	a.giveBack(c.Reason, c.Account, c.Notify)
	return nil
}

// mayCancel applies the shop's policy after shipping (row 20).
func (a *act) mayCancel() error {
	if a.p.State != Shipped && a.p.State != Delivered || a.env.Actor == Operator {
		return nil
	}
	switch a.env.Profile.CancelAfterShip {
	case Direct:
		return nil
	case AfterHold:
		if a.p.Hold != nil {
			return nil
		}
		return refuseFor(CauseAfterHold, ByPolicy, "", "the goods are shipped: place a hold first, then cancel (policy.cancelAfterShip)")
	case AfterReject:
	}
	return refuseFor(CauseAfterReject, ByPolicy, "", "the goods are shipped: cancel once the buyer has rejected or the purchase is confirmed (policy.cancelAfterShip)")
}

// wantsAccount refuses a virtual account's refund that has nowhere to go.
func (a *act) wantsAccount(acc BankAccount) error {
	if a.p.Method == VirtualAccount && acc.Number == "" && a.p.Payer.Number == "" {
		return refuse(NeedsRefundAccount, "refund_account", "a virtual account needs the bank, number and holder of the account to refund to")
	}
	return nil
}

// giveBack ends an escrow whose whole held amount returns to the buyer.
func (a *act) giveBack(reason string, account BankAccount, notify bool) {
	a.p.State, a.p.CancelledAt, a.p.CancelReason = Cancelled, a.env.Now, reason
	a.p.Refunded = a.p.Amount
	a.p.Deadline, a.p.Hold, a.p.Dispute, a.p.Return = nil, nil, nil, ""
	a.done(TaskRejected, TaskDispute, TaskCancelAsked, TaskParcelOverdue, TaskNoticeFailed)
	a.emit(Event{Type: EventCancelled, Amount: a.p.Amount, Reason: reason, Notify: notify})
	a.mail(MailCancelled)
	a.move(ledger.Transfer{Debit: ledger.Held(a.p.ID), Credit: ledger.Refund(a.p.ID), Amount: a.p.Amount})
	a.orderRefund(Refund{Amount: a.p.Amount, TaxFree: a.p.TaxFree, VAT: a.p.VAT, Reason: reason, Account: account, Notify: notify})
}

// refundFromShop takes the money from what the shop is still owed for this
// payment, and beyond that makes the shop owe it (row 24). The original fee is
// not given back.
func (a *act) refundFromShop(c Cancel, amount money.Won) error {
	if a.p.Escrow && !a.env.Profile.RefundAfter {
		return refuseFor(CauseRefund, ByPolicy, "", "this shop gives no refunds through Holdfast after the confirmation (policy.postConfirmRefund)")
	}
	if len(a.p.Refunds) >= maxRefunds && amount < a.p.Cancellable() {
		return refuse(TooMany, "amount", "a payment takes at most %d refunds; give back the %s won that are left at once", maxRefunds, a.p.Cancellable().Digits())
	}
	if err := a.wantsAccount(c.Account); err != nil {
		return err
	}
	refunded, err := money.Add(a.p.Refunded, amount)
	if err != nil {
		return err
	}
	a.p.Refunded = refunded
	fromShop := min(max(a.env.SaleLeft, 0), amount)
	fromDue := amount - fromShop
	a.move(
		ledger.Transfer{Debit: ledger.Shop(a.p.Merchant), Credit: ledger.Refund(a.p.ID), Amount: fromShop},
		ledger.Transfer{Debit: ledger.Due(a.p.Merchant), Credit: ledger.Refund(a.p.ID), Amount: fromDue},
	)
	a.refundStep(c, amount)
	return a.line(Line{Kind: LineRefund, Gross: -amount, Net: -amount, FromDue: fromDue})
}

// refundStep tells of a refund from the shop's money, and ends the payment when
// nothing is left of it.
func (a *act) refundStep(c Cancel, amount money.Won) {
	step := EventPartlyRefunded
	if a.p.Refunded == a.p.Amount {
		step = EventCancelled
		a.p.CancelledAt, a.p.CancelReason = a.env.Now, c.Reason
		if a.p.State == Paid {
			a.p.State = Cancelled
		}
		if a.p.HasTask(TaskWithdrawal) {
			a.p.Hold = nil
			a.done(TaskWithdrawal)
			a.d.PayoutHold = new(bool)
		}
	}
	a.emit(Event{Type: step, Amount: amount, Reason: c.Reason, Notify: c.Notify})
	a.mail(MailCancelled)
	a.orderRefund(Refund{Amount: amount, TaxFree: c.TaxFree, VAT: c.VAT, Reason: c.Reason, Account: c.Account, FromShop: true, Notify: c.Notify})
}
