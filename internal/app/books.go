package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// Books is the closing of the ledger: the balances, and what does not agree.
type Books struct {
	Balances []ledger.Balance
	Held     money.Won // by the states of payments
	Faults   []BookFault
	Problems []string
}

// Books adds up the whole ledger and compares it with the states of payments.
// Problems is empty when the books balance.
func (a *App) Books(ctx context.Context) (Books, error) {
	return read(ctx, a, BooksOf)
}

// BooksOf is Books of a database that is read from outside the door.
func BooksOf(r *store.Reader) (b Books, err error) {
	if b.Balances, err = r.AccountTotals(); err != nil {
		return b, err
	}
	if b.Held, err = r.HeldTotal(); err != nil {
		return b, err
	}
	if b.Faults, err = r.HeldFaults(); err != nil {
		return b, err
	}
	b.check()
	return b, nil
}

func (b *Books) check() {
	var debits, credits money.Won
	for _, x := range b.Balances {
		debits += x.Debits
		credits += x.Credits
		if x.Account == "held:" && x.Net() != b.Held {
			b.Problems = append(b.Problems, fmt.Sprintf("held accounts carry %d won, payments say %d", x.Net(), b.Held))
		}
	}
	if debits != credits {
		b.Problems = append(b.Problems, fmt.Sprintf("debits of %d won against credits of %d", debits, credits))
	}
	for _, f := range b.Faults {
		b.Problems = append(b.Problems, fmt.Sprintf("payment %s of %s is %s: its held account carries %d won, not %d", f.Payment, f.Merchant, f.State, f.Has, f.Should))
	}
}

// HeldOn is the money held for buyers at the end of a Korean day.
func (a *App) HeldOn(ctx context.Context, day bizday.Date) (money.Won, error) {
	return read(ctx, a, func(r *store.Reader) (money.Won, error) { return r.HeldOn(day) })
}

// payoutHour is the hour of the Korean day from which payouts are ordered.
const payoutHour = 10

// Settled is what a settlement run did for one merchant.
type Settled struct {
	Payout settle.Payout
	// Why is empty when a payout was ordered, and says otherwise why not.
	Why string
}

// settleTries bounds how often a run begins again because lines came while it
// was adding up.
const settleTries = 5

// Settle runs the settlement of one merchant: its due lines are netted into one
// payout, which is ordered at the bank. A merchant is settled at most once per
// business date; running again changes nothing.
func (a *App) Settle(ctx context.Context, merchantID string) (Settled, error) {
	m, err := a.Merchant(ctx, merchantID)
	if err != nil {
		return Settled{}, err
	}
	// What is known without asking spares the transaction that decides.
	if why, err := notNow(a.Calendar(), &m, m.Now(a.clock.Now())); why != "" || err != nil {
		return Settled{Why: why}, err
	}
	var done Settled
	for range settleTries {
		err = a.store.Write(ctx, func(tx *store.Tx) (err error) {
			done, err = a.settleNow(tx, merchantID)
			return err
		}, store.OnSettings(merchantID, "settle"))
		if !errors.Is(err, store.ErrStale) {
			break
		}
	}
	if err == nil && done.Why == "" {
		a.poke(WorkBank)
	}
	return done, err
}

// SettleAll runs the settlement of merchants, all waiting together, so that they
// share commits, and returns for how many a payout was ordered. One that fails
// stops no other.
func (a *App) SettleAll(ctx context.Context, merchants []string) (paid int, err error) {
	return together(merchants, func(id string) (bool, error) {
		done, err := a.Settle(ctx, id)
		return err == nil && done.Why == "", err
	})
}

// together does something for every item at once and returns for how many it
// was of use. Callers bound the number of items.
func together[T any](items []T, fn func(T) (bool, error)) (useful int, err error) {
	type outcome struct {
		useful bool
		err    error
	}
	done := make(chan outcome, len(items))
	for _, item := range items {
		go func() {
			useful, err := fn(item)
			done <- outcome{useful, err}
		}()
	}
	errs := make([]error, 0, len(items))
	for range items {
		o := <-done
		errs = append(errs, o.err)
		if o.useful {
			useful++
		}
	}
	return useful, errors.Join(errs...)
}

// settleNow settles a merchant if its clock and the calendar allow it.
func (a *App) settleNow(tx *store.Tx, merchantID string) (Settled, error) {
	m, err := a.settings(tx, merchantID)
	if err != nil {
		return Settled{}, err
	}
	calendar, err := a.calendarIn(tx)
	if err != nil {
		return Settled{}, err
	}
	now := m.Now(a.clock.Now())
	if why, err := notNow(calendar, &m, now); why != "" || err != nil {
		return Settled{Why: why}, err
	}
	return a.settle(tx, &m, bizday.DateOf(now), now)
}

// notNow says why a merchant is not settled now; empty if it can be.
func notNow(calendar bizday.Calendar, m *merchant.Merchant, now time.Time) (string, error) {
	day := bizday.DateOf(now)
	open, reason, err := calendar.IsBusiness(day)
	switch {
	case err != nil:
		return "", err
	case !open:
		return "banks are closed: " + reason, nil
	case now.Before(day.Start().Add(payoutHour * time.Hour)):
		return fmt.Sprintf("payouts begin at %d:00", payoutHour), nil
	case m.Account.Number == "":
		return "the merchant has no bank account for payouts", nil
	}
	return "", nil
}

func (a *App) settle(tx *store.Tx, m *merchant.Merchant, day bizday.Date, now time.Time) (Settled, error) {
	if stopped, err := tx.PayoutsStopped(); stopped || err != nil {
		return Settled{Why: payoutsStopped}, err
	}
	if has, err := tx.HasPayoutOn(m.ID, day); has || err != nil {
		return Settled{Why: "the merchant was settled today"}, err
	}
	sums, err := tx.DueSums(m.ID, day)
	if err != nil {
		return Settled{}, err
	}
	id := "pay_" + day.String() + "_" + m.ID
	p, err := settle.Net(m.ID, id, day, sums, now)
	if errors.Is(err, settle.ErrCarriedOver) {
		return Settled{Why: err.Error()}, nil
	}
	p.Bank, p.Number, p.Holder = m.Account.Bank, m.Account.Number, m.Account.Holder
	if n, err := tx.TakeLines(m.ID, p.ID, day); err != nil || n != sums.Lines {
		return Settled{}, errors.Join(err, fmt.Errorf("app: %d lines were added up and %d taken: %w", sums.Lines, n, store.ErrStale))
	}
	if err := tx.InsertPayout(p); err != nil {
		return Settled{}, err
	}
	moves := ledger.Move(
		ledger.Transfer{Debit: ledger.Shop(m.ID), Credit: ledger.Due(m.ID), Amount: p.FromDue},
		ledger.Transfer{Debit: ledger.Shop(m.ID), Credit: ledger.Payout(p.ID), Amount: p.Amount},
	)
	if err := tx.InsertTransfers(m.ID, p.ID, 0, 1, moves, now); err != nil {
		return Settled{}, err
	}
	return Settled{Payout: p}, tx.InsertBankOrder(store.BankOrder{
		Merchant: m.ID, Key: p.Key(), Kind: store.OrderPayout, Ref: p.ID, Amount: p.Amount, Account: m.Account, DueAt: now, CreatedAt: now,
	})
}

// PayoutResult books the bank's definite answer to a payout, with the event that
// tells of it. Money that was not paid, or that came back, is the shop's again; it
// waits, held, until somebody has seen to the account (ResumePayouts).
func (a *App) PayoutResult(ctx context.Context, merchantID, payoutID string, paid bool, reason string) error {
	var lanes []Lane
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		lanes = nil
		m, err := a.settings(tx, merchantID)
		if err != nil {
			return err
		}
		now := m.Now(a.clock.Now())
		p, err := tx.Payout(merchantID, payoutID)
		if err != nil {
			return notFound(err, "payout")
		}
		moves, state := payoutMoves(p, paid)
		if state == "" {
			return nil // said before, or no longer of interest
		}
		p.State, p.Reason, p.DoneAt = state, reason, now
		if err := tx.UpdatePayout(p); err != nil {
			return err
		}
		if !paid {
			if err := tx.ReturnLine(p, now); err != nil {
				return err
			}
		}
		if lanes, err = tellPayout(tx, &m, &p); err != nil {
			return err
		}
		return tx.InsertTransfers(merchantID, p.ID, stageOf(state), store.VersionTold, moves, now)
	}, store.OnSettings(merchantID, payoutID))
	if err == nil && len(lanes) > 0 {
		a.callNow(lanes...)
	}
	return err
}

// tellPayout writes the event of the stage that a payout has come to, and owes the
// calls of it, whose lanes it returns.
func tellPayout(tx *store.Tx, m *merchant.Merchant, p *settle.Payout) ([]Lane, error) {
	last, err := tx.LastSeq(p.Merchant, p.ID)
	if err != nil {
		return nil, err
	}
	e := escrow.Event{Seq: last + 1, At: p.DoneAt, Actor: escrow.Bank, Amount: p.Amount, Reason: p.Reason}
	switch p.State {
	case settle.PayoutPaid:
		e.Type, e.Reason = escrow.EventPayoutSent, ""
	case settle.PayoutFailed:
		e.Type = escrow.EventPayoutFailed
	case settle.PayoutReturned:
		e.Type = escrow.EventPayoutReturned
	case settle.PayoutOrdered: // told when the bank has answered
		return nil, nil
	}
	var calls []store.WebhookOwed
	for _, name := range merchant.ToldOfPayout(e.Type) {
		calls = append(calls, callsOfPayout(m, e.Seq, name)...)
	}
	return lanesOf(p.Merchant, store.Owed{Webhooks: calls}), tx.InsertPayoutEvent(p, e, calls)
}

// stageOf orders the ledger rows of a payout's stages.
func stageOf(s settle.PayoutState) int64 {
	switch s {
	case settle.PayoutPaid:
		return 1
	case settle.PayoutFailed:
		return 2
	case settle.PayoutReturned:
		return 3
	case settle.PayoutOrdered:
	}
	return 0
}

func payoutMoves(p settle.Payout, paid bool) ([]ledger.Transfer, settle.PayoutState) {
	transit, shop := ledger.Payout(p.ID), ledger.Shop(p.Merchant)
	switch {
	case paid && p.State == settle.PayoutOrdered:
		return []ledger.Transfer{{Debit: transit, Credit: ledger.BankEscrow, Amount: p.Amount}}, settle.PayoutPaid
	case !paid && p.State == settle.PayoutOrdered:
		return []ledger.Transfer{{Debit: transit, Credit: shop, Amount: p.Amount}}, settle.PayoutFailed
	case !paid && p.State == settle.PayoutPaid:
		return []ledger.Transfer{{Debit: ledger.BankEscrow, Credit: shop, Amount: p.Amount}}, settle.PayoutReturned
	}
	return nil, ""
}

// ResumePayouts frees the money of failed and returned payouts for the next run.
func (a *App) ResumePayouts(ctx context.Context, actor, merchantID string) error {
	_, err := a.write(ctx, "payout.resume "+merchantID, func(tx *store.Tx) error {
		if err := tx.FreeReturned(merchantID); err != nil {
			return err
		}
		return a.audit(tx, merchantID, actor, "payout.resume", merchantID, "")
	})
	return err
}

// SetOverride closes or opens a day, with a reason and an audit row, and counts
// pending deadlines anew: later only, and the buyers are told. It returns how
// many deadlines moved.
func (a *App) SetOverride(ctx context.Context, actor string, o bizday.Override) (moved int, err error) {
	if n := len([]rune(o.Reason)); n == 0 || n > 200 {
		return 0, invalid("reason", "a reason of 1 to 200 characters is required")
	}
	_, err = a.write(ctx, "calendar.override "+o.Date.String(), func(tx *store.Tx) error {
		if err := tx.PutOverride(o, a.clock.Now()); err != nil {
			return err
		}
		return a.audit(tx, "", actor, "calendar.override", o.Date.String(), fmt.Sprintf("closed=%t %s", o.Closed, o.Reason))
	})
	if err != nil {
		return 0, err
	}
	return a.calendarChanged(ctx, rand.Text())
}

// DropOverride takes a day's override back.
func (a *App) DropOverride(ctx context.Context, actor string, day bizday.Date) (moved int, err error) {
	_, err = a.write(ctx, "calendar.restore "+day.String(), func(tx *store.Tx) error {
		if err := tx.DeleteOverride(day); err != nil {
			return notFound(err, "override")
		}
		return a.audit(tx, "", actor, "calendar.restore", day.String(), "")
	})
	if err != nil {
		return 0, err
	}
	return a.calendarChanged(ctx, rand.Text())
}

// CashReceipt is a cash receipt (현금영수증) issued for a payment, or for money
// that was paid elsewhere.
type CashReceipt struct {
	Ref         string // payment, or order id of an external one
	ID          string // receipt id
	ApprovalNo  string
	Type        string // person or company
	Name        string // of the goods
	Amount      money.Won
	VAT         money.Won
	Identifier  string // masked
	AppliedAt   time.Time
	CancelledAt time.Time
}

// Kinds of cash receipts.
const (
	ReceiptOfPayment = "payment"
	ReceiptExternal  = "external"
)

// PutReceipt issues a cash receipt. One that stands is AlreadyRegistered. A payment has one while it is
// paid (else NotPaid) by a cash-like method (else WrongState), for its amount less what was given back:
// an amount of zero means that, and another one is BalanceDiffers.
func (a *App) PutReceipt(ctx context.Context, merchantID, kind string, c CashReceipt) (CashReceipt, error) {
	issued, _, err := act(ctx, a, "receipt.issue "+c.Ref, func(tx *store.Tx) (CashReceipt, error) {
		c := c
		m, err := a.settings(tx, merchantID)
		if err != nil {
			return c, err
		}
		c.AppliedAt, c.CancelledAt = m.Now(a.clock.Now()), time.Time{}
		c.ID, c.ApprovalNo = ident.New("rcp", c.AppliedAt), ident.Digits(9)
		if kind == ReceiptOfPayment {
			p, err := tx.Payment(merchantID, c.Ref)
			if err != nil {
				return c, notFound(err, "payment")
			}
			if p.Status() != escrow.StatusPaid {
				return c, &escrow.Refusal{Code: escrow.NotPaid, Reason: "a cash receipt can be issued once the payment is paid"}
			}
			if !p.Method.CashLike() {
				return c, &escrow.Refusal{Code: escrow.WrongState, Field: "imp_uid", Reason: "a cash receipt is issued for cash-like payments only"}
			}
			if c.Amount != 0 && c.Amount != p.Cancellable() {
				return c, &escrow.Refusal{Code: escrow.BalanceDiffers, Field: "amount", Reason: "a cash receipt is issued for the amount of the payment less what was given back"}
			}
			c.Amount, c.Name = p.Cancellable(), p.Name
		}
		old, err := receiptOf(tx, merchantID, kind, c.Ref)
		if err == nil && old.CancelledAt.IsZero() {
			return c, &escrow.Refusal{Code: escrow.AlreadyRegistered, Reason: "a cash receipt has been issued already"}
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return c, err
		}
		return c, putReceipt(tx, merchantID, kind, c)
	}, receiptHint(merchantID, kind, c.Ref))
	return issued, err
}

// receiptHint says what the writing of a cash receipt is about.
func receiptHint(merchantID, kind, ref string) store.Hint {
	if kind == ReceiptOfPayment {
		return store.OnPayment(merchantID, ref)
	}
	return store.OnSettings(merchantID, ref)
}

// Receipt returns a cash receipt, or NotFound.
func (a *App) Receipt(ctx context.Context, merchantID, kind, ref string) (CashReceipt, error) {
	c, err := read(ctx, a, func(r *store.Reader) (CashReceipt, error) { return receiptOf(r, merchantID, kind, ref) })
	return c, notFound(err, "cash receipt")
}

// CancelReceipt revokes a cash receipt. One that is revoked stays so.
func (a *App) CancelReceipt(ctx context.Context, merchantID, kind, ref string) (c CashReceipt, err error) {
	c, _, err = act(ctx, a, "receipt.cancel "+ref, func(tx *store.Tx) (c CashReceipt, err error) {
		m, err := a.settings(tx, merchantID)
		if err != nil {
			return c, err
		}
		if c, err = receiptOf(tx, merchantID, kind, ref); err != nil {
			return c, notFound(err, "cash receipt")
		}
		if c.CancelledAt.IsZero() {
			c.CancelledAt = m.Now(a.clock.Now())
		}
		return c, putReceipt(tx, merchantID, kind, c)
	}, receiptHint(merchantID, kind, ref))
	return c, err
}
