package escrow

import (
	"fmt"
	"slices"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/ledger"
)

// orderRefund adds a refund and asks the bank for it, or asks for an account
// first. The money lies on refund:<payment> already.
func (a *act) orderRefund(r Refund) {
	r.ID = fmt.Sprintf("%s-r%d", a.p.ID, len(a.p.Refunds)+1)
	r.By, r.At, r.Attempt = a.env.Actor, a.env.Now, 1
	if r.Account.Number == "" && a.p.Method != Card {
		r.Account = a.p.Payer
	}
	if r.Account.Number == "" && a.p.Method != Card {
		r.State = RefundAccountNeeded
		a.p.Refunds = append(a.p.Refunds, r)
		a.task(TaskRefundAccount)
		a.emit(Event{Type: EventRefundAccountAsked, Amount: r.Amount, Ref: r.ID})
		a.mail(MailRefundAccount)
		return
	}
	r.State = RefundOrdered
	a.p.Refunds = append(a.p.Refunds, r)
	a.send(r)
}

// send orders the refund: at the card's issuer, unless an account was given
// because the issuer could not return it.
func (a *act) send(r Refund) {
	byIssuer := a.p.Method == Card && r.Account.Number == ""
	a.d.Orders = append(a.d.Orders, BankOrder{Key: r.Key(), Refund: r.ID, Amount: r.Amount, Account: r.Account, Card: byIssuer})
	a.emit(Event{Type: EventRefundOrdered, Amount: r.Amount, Ref: r.Key()})
}

// giveRefundAccount fills in a missing account, or a better one after a
// definite failure, and orders the refund under a new key. An account that is
// given for no refund in particular serves all that wait, but not a deposit
// without an owner: its payer may be somebody else.
func (a *act) giveRefundAccount(c GiveRefundAccount) error {
	if c.Account.Number == "" {
		return refuse(Invalid, "refund_account", "bank, number and holder are required")
	}
	if err := checkAccount("refund_account", c.Account); err != nil {
		return err
	}
	waiting := a.waiting(func(r Refund) bool { return c.Refund == r.ID || (c.Refund == "" && !r.Suspense) })
	if len(waiting) == 0 {
		return a.keepAccount(c)
	}
	if c.Refund == "" {
		a.p.Payer = c.Account // a later refund will use it too
	}
	for _, r := range waiting {
		if r.State == RefundFailed {
			r.Attempt++
		}
		r.Account, r.State, r.FailedFor = c.Account, RefundOrdered, ""
		a.send(*r)
	}
	a.settleRefundTasks()
	return nil
}

// waiting lists the refunds that wait for an account and that fit.
func (a *act) waiting(fits func(Refund) bool) []*Refund {
	var out []*Refund
	for i := range a.p.Refunds {
		if r := &a.p.Refunds[i]; r.waits() && fits(*r) {
			out = append(out, r)
		}
	}
	return out
}

// keepAccount remembers where a later refund of the payment may go.
func (a *act) keepAccount(c GiveRefundAccount) error {
	if c.Refund != "" || a.p.Cancellable() == 0 {
		return refuse(WrongState, "", "no refund waits for an account")
	}
	a.unchanged = a.p.Payer == c.Account
	a.p.Payer = c.Account
	return nil
}

// waits reports whether the refund's money lies here until somebody says where it goes.
func (r *Refund) waits() bool { return r.State == RefundAccountNeeded || r.State == RefundFailed }

// settleRefundTasks closes the refund tasks that no refund needs any more.
func (a *act) settleRefundTasks() {
	has := func(s RefundState) bool {
		return slices.ContainsFunc(a.p.Refunds, func(r Refund) bool { return r.State == s })
	}
	if !has(RefundAccountNeeded) {
		a.done(TaskRefundAccount)
	}
	if !has(RefundFailed) {
		a.done(TaskRefundFailed)
	}
}

// refundResult books the bank's definite answer (row 22). An answer to an
// attempt that has been replaced changes nothing.
func (a *act) refundResult(c RefundResult) error {
	i := slices.IndexFunc(a.p.Refunds, func(r Refund) bool { return r.Key() == c.Key })
	if i < 0 {
		a.unchanged = true
		return nil
	}
	r := &a.p.Refunds[i]
	switch {
	case c.Sent && r.State == RefundOrdered:
		return a.refundSent(r)
	case !c.Sent && r.State == RefundOrdered:
		a.refundFailed(r, c)
	case !c.Sent && r.State == RefundSent: // it came back
		a.move(ledger.Transfer{Debit: ledger.BankEscrow, Credit: ledger.Refund(a.p.ID), Amount: r.Amount})
		a.refundFailed(r, c)
	default:
		a.unchanged = true
	}
	return nil
}

// refundReached books that a refund's money is with the buyer.
func (a *act) refundReached(r *Refund) {
	r.State, r.SentAt, r.FailedFor = RefundSent, a.env.Now, ""
	a.settleRefundTasks()
	sent := Event{Type: EventRefundSent, Amount: r.Amount, Ref: r.Key(), Notify: r.Notify}
	if !r.Suspense {
		sent.Kind = string(a.p.Status())
	}
	a.emit(sent)
	a.mail(MailRefundSent)
	a.move(ledger.Transfer{Debit: ledger.Refund(a.p.ID), Credit: ledger.BankEscrow, Amount: r.Amount})
}

// refundSent books a refund that the bank has sent, and charges the shop for it.
func (a *act) refundSent(r *Refund) error {
	a.refundReached(r)
	if a.p.Method == Card && r.Account.Number == "" {
		return nil // the issuer returned it, which costs no transfer
	}
	charge, err := a.env.Terms.Refund.Of(r.Amount)
	if err != nil {
		return err
	}
	owed := charge.Fee + charge.VAT
	if owed == 0 {
		return nil
	}
	a.move(
		ledger.Transfer{Debit: ledger.Due(a.p.Merchant), Credit: ledger.Fee, Amount: charge.Fee},
		ledger.Transfer{Debit: ledger.Due(a.p.Merchant), Credit: ledger.VAT, Amount: charge.VAT},
	)
	return a.line(Line{Kind: LineCharge, Fee: charge.Fee, VAT: charge.VAT, Net: -owed, FromDue: owed})
}

func (a *act) refundFailed(r *Refund, c RefundResult) {
	r.State, r.FailedFor = RefundFailed, c.Reason
	a.task(TaskRefundFailed)
	a.emit(Event{Type: EventRefundFailed, Amount: r.Amount, Ref: c.Key, Reason: c.Reason})
	a.mail(MailRefundFailed)
}

// line makes a statement line; the event that causes it must have been emitted,
// because the line takes its number. Sales wait for the contract's cycle; what the
// shop owes is netted at once.
func (a *act) line(l Line) error {
	l.ID = fmt.Sprintf("%s-l%d", a.p.ID, a.p.Seq+int64(len(a.d.Events)))
	l.At, l.PaidAt = a.env.Now, a.p.PaidAt
	l.DueDate = today(a.env)
	if l.Kind == LineSale {
		due, err := a.env.Terms.Cycle.DueDate(bizday.DateOf(a.p.PaidAt), today(a.env), a.env.Calendar)
		if err != nil {
			return err
		}
		l.DueDate = due
	}
	a.d.Lines = append(a.d.Lines, l)
	return nil
}

func today(env Env) bizday.Date { return bizday.DateOf(env.Now) }
