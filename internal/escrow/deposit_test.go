package escrow_test

import (
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
)

func suspending(t tester) *world {
	w := newWorld(t)
	w.env.Profile.Deposit = escrow.SuspendDeposit
	return w.awaiting()
}

// afterDue moves past the due time, the grace and the expiry of the account.
func (w *world) afterDue() *world {
	w.wake()
	w.wake()
	return w
}

// TestWrongDeposits: what does not match is refused at the bank, or taken into
// suspense with a task; the state stays.
func TestWrongDeposits(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*world) // what happens to the account first
		amount money.Won
		kind   string
		state  escrow.State
	}{
		{"under", func(*world) {}, amount - 1, "under", escrow.AwaitingDeposit},
		{"after the due time", func(w *world) { w.env.Now = w.p.Account.Due.Add(time.Hour) }, amount, "late", escrow.AwaitingDeposit},
		{"after the expiry", func(w *world) { w.afterDue().pass(time.Hour) }, amount, "late", escrow.Cancelled},
		{"to a closed account", func(w *world) { w.do(escrow.Shop, escrow.CloseAccount{Reason: "주문 취소"}) }, amount, "closed", escrow.Failed},
		{"a second time", func(w *world) { w.do(escrow.Bank, w.deposit("tx-0", amount)) }, amount, "closed", escrow.Held},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t).awaiting()
			c.before(w)
			held := w.p.HeldAmount()
			d := w.do(escrow.Bank, w.deposit("tx-1", c.amount))
			w.state(c.state)
			w.told(d, "DepositMismatched", "deposit_mismatched")
			if e := d.Events[0]; e.Kind != c.kind || e.Amount != c.amount || len(d.Transfers) != 0 {
				t.Fatalf("refused as %q, moved %q; want %q and nothing", e.Kind, moveWords(d), c.kind)
			}
			w.tasks()
			w.same(escrow.Bank, w.deposit("tx-1", c.amount))

			w = suspending(t)
			c.before(w)
			d = w.do(escrow.Bank, w.deposit("tx-1", c.amount))
			w.state(c.state)
			w.tasks(escrow.TaskSuspense)
			if got, want := d.Events[0].Kind, c.kind; got != want || w.p.Suspended != c.amount {
				t.Fatalf("suspended %d as %q, want %d as %q", w.p.Suspended, got, c.amount, want)
			}
			w.same(escrow.Bank, w.deposit("tx-1", c.amount))
			d = w.do(escrow.Operator, escrow.ReturnSuspense{})
			if o := d.Orders[0]; o.Account != payer || o.Amount != c.amount {
				t.Fatalf("returned by %+v", o)
			}
			w.tasks()
			w.balances(inBank(books{ledger.Held(imp): held, ledger.Refund(imp): c.amount}))
			w.refused(escrow.WrongState, escrow.Operator, escrow.ReturnSuspense{})
			w.do(escrow.Bank, escrow.RefundResult{Key: d.Orders[0].Key, Sent: true})
		})
	}
}

// inBank completes liabilities with the bank account that covers them.
func inBank(b books) books {
	var sum money.Won
	out := books{}
	for account, won := range b {
		if won != 0 {
			out[account] = won
			sum += won
		}
	}
	if sum != 0 {
		out[ledger.BankEscrow] = sum
	}
	return out
}

// expired waits until the account is no more.
func (w *world) expired() *world {
	w.t.Helper()
	w.afterDue().pass(time.Hour)
	w.state(escrow.Cancelled)
	return w
}

// TestAcceptedLate: the shop may take money that came after the due time; what
// the order does not need stays in suspense, with its own payer.
func TestAcceptedLate(t *testing.T) {
	w := suspending(t).expired()
	w.refused(escrow.NotPaid, escrow.Shop, escrow.AcceptLate{})
	w.do(escrow.Bank, w.deposit("tx-1", amount))
	d := w.do(escrow.Shop, escrow.AcceptLate{})
	w.told(d, "Paid", "paid")
	w.state(escrow.Held)
	w.tasks()
	w.balances(inHeld)
	if w.p.CancelReason != "" || !w.p.CancelledAt.IsZero() || !w.p.PaidAt.Equal(w.env.Now) || d.Events[0].Ref != "tx-1" {
		t.Fatalf("cancelled at %v for %q, paid at %v by %q", w.p.CancelledAt, w.p.CancelReason, w.p.PaidAt, d.Events[0].Ref)
	}
	w.refused(escrow.AlreadyPaid, escrow.Shop, escrow.AcceptLate{})
	w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1"})
	w.state(escrow.Cancelled)
	w.balances(books{})
}

func TestAcceptedLateInParts(t *testing.T) {
	w := suspending(t).expired()
	stranger := w.deposit("tx-1", amount/2)
	stranger.Payer = another
	w.do(escrow.Bank, stranger)
	w.do(escrow.Bank, w.deposit("tx-2", amount/2+1_000))
	w.do(escrow.Shop, escrow.AcceptLate{})
	w.state(escrow.Held)
	w.tasks(escrow.TaskSuspense)
	w.balances(inBank(books{ledger.Held(imp): amount, ledger.Suspense: 1_000}))
	if d := w.do(escrow.Operator, escrow.ReturnSuspense{}); d.Orders[0].Account != payer {
		t.Fatalf("the rest of the second deposit goes to %+v", d.Orders[0].Account)
	}
}

// TestAcceptedLateTakesTheOneThatFits, and leaves the other to its own payer.
func TestAcceptedLateTakesTheOneThatFits(t *testing.T) {
	w := suspending(t).expired()
	stranger := w.deposit("tx-1", 3_000)
	stranger.Payer = another
	w.do(escrow.Bank, stranger)
	w.do(escrow.Bank, w.deposit("tx-2", amount))
	w.do(escrow.Shop, escrow.AcceptLate{})
	w.balances(inBank(books{ledger.Held(imp): amount, ledger.Suspense: 3_000}))
	if d := w.do(escrow.Operator, escrow.ReturnSuspense{}); d.Orders[0].Account != another {
		t.Fatalf("the stranger's money goes to %+v", d.Orders[0].Account)
	}
}

// TestNotAcceptedLate: a closed account, one that somebody reversed, and one
// whose money went back, stay closed.
func TestNotAcceptedLate(t *testing.T) {
	w := suspending(t)
	w.do(escrow.Shop, escrow.CloseAccount{Reason: "주문 취소"})
	w.do(escrow.Bank, w.deposit("tx-1", amount))
	w.refused(escrow.WrongState, escrow.Shop, escrow.AcceptLate{})

	w = suspending(t).expired()
	w.do(escrow.Bank, w.deposit("tx-1", amount))
	w.do(escrow.Shop, escrow.ReturnSuspense{})
	w.refused(escrow.NotPaid, escrow.Shop, escrow.AcceptLate{})

	newWorld(t).opened().refused(escrow.WrongState, escrow.Shop, escrow.AcceptLate{})
	newWorld(t).cancelled().refused(escrow.WrongState, escrow.Shop, escrow.AcceptLate{})
}

func TestOverPayment(t *testing.T) {
	w := newWorld(t).awaiting()
	d := w.do(escrow.Bank, w.deposit("tx-1", amount+1))
	w.state(escrow.AwaitingDeposit)
	if d.Events[0].Kind != "over" || len(d.Transfers) != 0 {
		t.Fatalf("%+v", d.Events)
	}

	w = suspending(t)
	w.do(escrow.Bank, w.deposit("tx-1", amount+2_000))
	w.state(escrow.Held)
	w.tasks(escrow.TaskSuspense)
	w.balances(inBank(books{ledger.Held(imp): amount, ledger.Suspense: 2_000}))
	w.do(escrow.Operator, escrow.ReturnSuspense{})
	w.balances(inBank(books{ledger.Held(imp): amount, ledger.Refund(imp): 2_000}))

	// The bank takes all of it back, also what was returned.
	w.do(escrow.Bank, escrow.RefundResult{Key: imp + "-r1-1", Sent: true})
	w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1"})
	w.state(escrow.AwaitingDeposit)
	w.balances(books{ledger.BankEscrow: -2_000, ledger.Due(shop): 2_330, ledger.Fee: 300, ledger.VAT: 30})
}

// TestPartPayments: nothing is held until the sum is exact, and each part can
// be taken back alone.
func TestPartPayments(t *testing.T) {
	paid := func(t *testing.T) *world {
		w := suspending(t)
		w.do(escrow.Bank, w.deposit("tx-1", 4_000))
		w.state(escrow.AwaitingDeposit)
		w.do(escrow.Bank, w.deposit("tx-2", 6_000))
		w.state(escrow.Held)
		w.tasks()
		w.balances(inHeld)
		return w
	}
	w := paid(t)
	w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1"})
	w.state(escrow.AwaitingDeposit)
	w.tasks(escrow.TaskReversed, escrow.TaskSuspense)
	w.balances(inBank(books{ledger.Suspense: 6_000}))
	w.do(escrow.Bank, w.deposit("tx-3", 4_000))
	w.state(escrow.Held)
	w.balances(inHeld)

	w = paid(t)
	w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1"})
	w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-2"})
	w.same(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-2"})
	w.tasks(escrow.TaskReversed)
	w.balances(books{})
}

// TestPartsGoBackAfterTheDueTime: by themselves where one payer sent them, by a
// person where there are several.
func TestPartsGoBackAfterTheDueTime(t *testing.T) {
	w := suspending(t)
	w.do(escrow.Bank, w.deposit("tx-1", 3_000))
	w.do(escrow.Bank, w.deposit("tx-2", 2_000))
	w.afterDue()
	w.state(escrow.Cancelled)
	w.tasks()
	w.balances(inBank(books{ledger.Refund(imp): 5_000}))
	if o := w.orders[0]; o.Account != payer || o.Amount != 5_000 {
		t.Fatalf("returned by %+v", o)
	}

	w = suspending(t)
	w.do(escrow.Bank, w.deposit("tx-1", 3_000))
	stranger := w.deposit("tx-2", 2_000)
	stranger.Payer = another
	w.do(escrow.Bank, stranger)
	w.afterDue()
	w.state(escrow.Cancelled)
	w.tasks(escrow.TaskSuspense)
	w.refused(escrow.NeedsRefundAccount, escrow.Operator, escrow.ReturnSuspense{})
	w.do(escrow.Operator, escrow.ReturnSuspense{Account: another})
	w.tasks()
}

// TestPaidInTimeReportedLate: the bank's message comes after the expiry, but the
// money came before: the payment lives.
func TestPaidInTimeReportedLate(t *testing.T) {
	w := newWorld(t).awaiting()
	inTime := w.p.Account.Due.Add(-time.Minute)
	w.afterDue().pass(time.Hour)
	w.state(escrow.Cancelled)
	late := w.deposit("tx-1", amount)
	late.At = inTime
	w.do(escrow.Bank, late)
	w.state(escrow.Held)
	if w.p.CancelReason != "" || !w.p.CancelledAt.IsZero() {
		t.Fatalf("still cancelled at %v: %s", w.p.CancelledAt, w.p.CancelReason)
	}
	w.balances(inHeld)
}

// TestOneTransactionTwoStories: a notice that contradicts an earlier one is kept
// and shown to a person; it books nothing, and the true deposit is still there.
func TestOneTransactionTwoStories(t *testing.T) {
	w := newWorld(t).held()
	forged := w.deposit("tx-1", 2*amount)
	d := w.do(escrow.Bank, forged)
	w.told(d, "DepositMismatched", "")
	if e := d.Events[0]; e.Kind != "conflict" || e.Amount != 2*amount || e.Ref != "tx-1" || len(d.Transfers) != 0 {
		t.Fatalf("told %+v and moved %q", e, moveWords(d))
	}
	w.tasks(escrow.TaskDepositForged)
	w.same(escrow.Bank, forged)
	w.same(escrow.Bank, w.deposit("tx-1", amount))
	third := w.deposit("tx-1", 1)
	w.do(escrow.Bank, third)
	w.same(escrow.Bank, third)
	if got := w.p.Deposits; len(got) != 3 || got[0].Outcome != escrow.DepositHeld || got[1].Outcome != escrow.DepositQuarantined || got[2].Amount != 1 {
		t.Fatalf("deposits %+v", got)
	}
	w.balances(inHeld)
	w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1"})
	w.balances(books{})
	if w.p.Deposits[1].Reversed {
		t.Fatal("the bank took back a deposit that it never confirmed")
	}
	w.refused(escrow.NotFound, escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-7"})
}

// TestAContradictionIsCheckedToo: an implausible notice is refused, whatever came before.
func TestAContradictionIsCheckedToo(t *testing.T) {
	w := newWorld(t).held()
	w.refused(escrow.Invalid, escrow.Bank, w.deposit("tx-1", -1))
}

func TestImplausibleDeposits(t *testing.T) {
	w := newWorld(t).awaiting()
	for name, spoil := range map[string]func(*escrow.NotifyDeposit){
		"bank_tx": func(d *escrow.NotifyDeposit) { d.BankTx = "" },
		"amount":  func(d *escrow.NotifyDeposit) { d.Amount = 0 },
		"at":      func(d *escrow.NotifyDeposit) { d.At = time.Time{} },
	} {
		d := w.deposit("tx-1", amount)
		spoil(&d)
		if r := w.refused(escrow.Invalid, escrow.Bank, d); r.Field != name {
			t.Errorf("the refusal names %q, want %q", r.Field, name)
		}
	}
	for _, at := range []time.Time{w.env.Now.Add(6 * time.Minute), w.p.Account.IssuedAt.Add(-6 * time.Minute)} {
		d := w.deposit("tx-1", amount)
		d.At = at
		w.refused(escrow.Invalid, escrow.Bank, d)
	}
}

// TestReversedDepositsThatWereNotHeld: refused money never came, suspended money
// goes, and money that was returned already is the shop's debt.
func TestReversedDepositsThatWereNotHeld(t *testing.T) {
	reverse := escrow.ReverseDeposit{BankTx: "tx-1"}
	w := newWorld(t).awaiting()
	w.do(escrow.Bank, w.deposit("tx-1", 1_000))
	w.same(escrow.Bank, reverse)

	w = suspending(t)
	w.do(escrow.Bank, w.deposit("tx-1", 1_000))
	w.do(escrow.Bank, reverse)
	w.tasks()
	w.balances(books{})

	w = suspending(t)
	w.do(escrow.Bank, w.deposit("tx-1", 1_000))
	w.do(escrow.Operator, escrow.ReturnSuspense{})
	w.do(escrow.Bank, escrow.RefundResult{Key: imp + "-r1-1", Sent: true})
	w.do(escrow.Bank, reverse)
	w.tasks(escrow.TaskReversed)
	w.balances(books{ledger.BankEscrow: -1_000, ledger.Due(shop): 1_330, ledger.Fee: 300, ledger.VAT: 30})

	// The return had failed: its money is what the bank took.
	w = suspending(t)
	w.do(escrow.Bank, w.deposit("tx-1", 1_000))
	w.do(escrow.Operator, escrow.ReturnSuspense{})
	w.do(escrow.Bank, escrow.RefundResult{Key: imp + "-r1-1", Reason: "계좌 해지"})
	w.do(escrow.Bank, reverse)
	w.balances(books{})
}

// TestReversedSaleLeavesStrangersMoney: what lies in suspense from another
// deposit does not pay for the one that the bank took back.
func TestReversedSaleLeavesStrangersMoney(t *testing.T) {
	w := newWorld(t)
	w.env.Profile.Deposit = escrow.SuspendDeposit
	w.confirmed()
	w.do(escrow.Bank, w.deposit("tx-2", 5_000))
	w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1"})
	if w.p.Suspended != 5_000 {
		t.Fatalf("%d in suspense, want the stranger's 5000", w.p.Suspended)
	}
	w.balances(books{
		ledger.BankEscrow: 5_000, ledger.Due(shop): amount, ledger.Suspense: 5_000,
		ledger.Shop(shop): netWon, ledger.Fee: feeWon, ledger.VAT: vatWon,
	})
}

func TestReversedAfterTheDueTimeCancels(t *testing.T) {
	w := newWorld(t).held()
	w.env.Now = w.p.Account.Due
	w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1"})
	w.state(escrow.Cancelled)
	w.refused(escrow.NotPaid, escrow.Shop, escrow.Cancel{})
}

// TestReversalSaysTheStatusThatItLeft: the event carries it, so that a webhook that is
// repeated says the same, whatever has happened since.
func TestReversalSaysTheStatusThatItLeft(t *testing.T) {
	for want, w := range map[escrow.Status]*world{
		escrow.StatusReady:     newWorld(t).held(),
		escrow.StatusCancelled: newWorld(t).shipped(inTrack),
		escrow.StatusPaid:      newWorld(t).confirmed(),
	} {
		d := w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1"})
		if e := d.Events[0]; e.Type != escrow.EventDepositReversed || e.Kind != string(want) {
			t.Errorf("%s of kind %q, want %q", e.Type, e.Kind, want)
		}
	}
}

// TestReversalForgetsTheCancelRequest: a payment that is paid anew is not
// cancelled by a request of its first life.
func TestReversalForgetsTheCancelRequest(t *testing.T) {
	w := newWorld(t)
	w.env.Profile.AutoAgreeDays = 3
	w.held()
	w.do(escrow.Buyer, escrow.AskCancel{Reason: "변심"})
	w.do(escrow.Bank, escrow.ReverseDeposit{BankTx: "tx-1"})
	w.state(escrow.AwaitingDeposit)
	w.do(escrow.Bank, w.deposit("tx-2", amount))
	w.state(escrow.Held)
	if !w.p.WakeAt.IsZero() {
		t.Fatalf("the payment wants to wake at %s", w.p.WakeAt)
	}
}

func TestAmendedAccount(t *testing.T) {
	w := newWorld(t).awaiting()
	w.wake() // reminded of the first due time
	due := w.p.Account.Due.Add(48 * time.Hour)
	w.do(escrow.Shop, escrow.AmendAccount{Amount: 12_000, Due: due})
	w.same(escrow.Shop, escrow.AmendAccount{Amount: 12_000, Due: due})
	w.same(escrow.Shop, escrow.AmendAccount{})
	w.refused(escrow.Invalid, escrow.Shop, escrow.AmendAccount{Due: w.env.Now})
	w.refused(escrow.Invalid, escrow.Shop, escrow.AmendAccount{Amount: -1})
	if d := w.wake(); eventWords(d) != "Reminded" || !w.env.Now.Equal(due.Add(-3*time.Hour)) {
		t.Fatalf("%s at %s, want a reminder of the new due time", eventWords(d), w.env.Now)
	}
	w.do(escrow.Bank, w.deposit("tx-1", 12_000))
	w.state(escrow.Held)

	w = suspending(t)
	w.do(escrow.Bank, w.deposit("tx-1", 4_000))
	w.refused(escrow.WrongState, escrow.Shop, escrow.AmendAccount{Amount: 12_000})
}
