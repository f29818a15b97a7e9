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

func (a *act) send(r Refund) {
	a.d.Orders = append(a.d.Orders, BankOrder{Key: r.Key(), Refund: r.ID, Amount: r.Amount, Account: r.Account, Card: a.p.Method == Card})
	a.emit(Event{Type: EventRefundOrdered, Amount: r.Amount, Ref: r.Key()})
}

// giveRefundAccount fills in a missing account, or a better one after a
// definite failure, and orders the refund under a new key.
func (a *act) giveRefundAccount(c GiveRefundAccount) error {
	if c.Account.Bank == "" || c.Account.Number == "" || c.Account.Holder == "" {
		return refuse(Invalid, "refund_account", "bank, number and holder are required")
	}
	i := slices.IndexFunc(a.p.Refunds, func(r Refund) bool {
		waits := r.State == RefundAccountNeeded || r.State == RefundFailed
		return waits && (c.Refund == "" || c.Refund == r.ID)
	})
	if i < 0 {
		if a.p.State.Holds() || a.p.State == Confirmed {
			a.p.Payer = c.Account // a later refund will use it
			return nil
		}
		return refuse(WrongState, "", "no refund waits for an account")
	}
	r := &a.p.Refunds[i]
	if r.State == RefundFailed {
		r.Attempt++
	}
	r.Account, r.State, r.FailedFor = c.Account, RefundOrdered, ""
	a.settleRefundTasks()
	a.send(*r)
	return nil
}

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
		return a.refundSent(r, c.Key)
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

func (a *act) refundSent(r *Refund, key string) error {
	r.State, r.SentAt = RefundSent, a.env.Now
	a.settleRefundTasks()
	a.emit(Event{Type: EventRefundSent, Amount: r.Amount, Ref: key})
	a.mail(MailRefundSent)
	a.move(ledger.Transfer{Debit: ledger.Refund(a.p.ID), Credit: ledger.BankEscrow, Amount: r.Amount})
	if a.p.Method == Card || a.env.Terms.Refund.Flat == 0 {
		return nil
	}
	charge, err := a.env.Terms.Refund.Of(r.Amount)
	if err != nil {
		return err
	}
	owed := charge.Fee + charge.VAT
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

// line makes a statement line. Sales wait for the contract's cycle; what the
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
