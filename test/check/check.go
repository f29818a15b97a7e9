// Package check asks after a test for what must always be true of a server that
// keeps money: one outcome for each payment, books that agree with the states of
// payments and with the bank, and a log without gaps.
package check

import (
	"context"
	"fmt"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
)

// Bank lists what it was ordered to do.
type Bank interface {
	Orders(ctx context.Context, merchant string) ([]bank.Execution, error)
}

// History is a payment as it stands, with everything that was written about it.
type History struct {
	escrow.Payment
	Events    []app.LoggedEvent
	Lines     []app.SettlementLine
	Transfers []ledger.Transfer
}

// Of reads all that was written about a payment.
func Of(t testing.TB, a *app.App, merchant, id string) History {
	t.Helper()
	ctx := context.Background()
	h := History{}
	var err error
	if h.Payment, err = a.Payment(ctx, merchant, id); err != nil {
		t.Fatal(err)
	}
	if h.Events, err = a.Events(ctx, merchant, id); err != nil {
		t.Fatal(err)
	}
	if h.Lines, err = a.Lines(ctx, merchant, id, "", 0, 1_000); err != nil {
		t.Fatal(err)
	}
	if h.Transfers, err = a.Transfers(ctx, merchant, id); err != nil {
		t.Fatal(err)
	}
	return h
}

// Count counts the events of a type.
func (h *History) Count(kind escrow.EventType) (n int) {
	for _, e := range h.Events {
		if e.Type == kind {
			n++
		}
	}
	return n
}

// Line adds up the payment's statement lines of one kind.
func (h *History) Line(kind escrow.LineKind) (n int, gross money.Won) {
	for _, l := range h.Lines {
		if l.Kind == kind {
			n++
			gross += l.Gross
		}
	}
	return n, gross
}

// On is the balance of an account in the payment's own books.
func (h *History) On(account ledger.Account) money.Won {
	for _, b := range ledger.Trial(h.Transfers) {
		if b.Account == account {
			return b.Net()
		}
	}
	return 0
}

// One asks what must be true of every payment, whatever happened to it.
func (h *History) One(t testing.TB) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("payment %s, which is %s: %s", h.ID, h.State, fmt.Sprintf(format, args...))
	}
	for i, e := range h.Events {
		if e.Seq != int64(i)+1 {
			fail("event %d has the number %d", i+1, e.Seq)
		}
	}
	if int64(len(h.Events)) != h.Seq {
		fail("%d events, the payment counts %d", len(h.Events), h.Seq)
	}
	confirms, rejects, cancels := h.Count(escrow.EventConfirmed), h.Count(escrow.EventRejected), h.Count(escrow.EventCancelled)
	if confirms > 1 || rejects > 1 || cancels > 1 || confirms+rejects > 1 {
		fail("confirmed %d times, rejected %d, cancelled %d", confirms, rejects, cancels)
	}
	if sales, _ := h.Line(escrow.LineSale); sales != confirms {
		fail("%d sale lines for %d confirmations", sales, confirms)
	}
	if got, want := h.On(ledger.Held(h.ID)), h.HeldAmount(); got != want {
		fail("%d won on its held account, want %d", got, want)
	}
	var refunds, unsent money.Won
	for _, r := range h.Refunds {
		if !r.Suspense {
			refunds += r.Amount
		}
		if r.State != escrow.RefundSent {
			unsent += r.Amount
		}
	}
	if refunds != h.Refunded || refunds > h.Amount {
		fail("%d won in refunds, %d refunded, of %d", refunds, h.Refunded, h.Amount)
	}
	if got := h.On(ledger.Refund(h.ID)); got != unsent {
		fail("%d won on its refund account, %d won are not sent", got, unsent)
	}
	if got := h.On(ledger.Suspense); got != h.Suspended {
		fail("%d won of it in suspense, the payment says %d", got, h.Suspended)
	}
}

// Log asks that a merchant's log has every position once.
func Log(t testing.TB, a *app.App, merchant string) {
	t.Helper()
	const page = 1_000
	for last := int64(0); ; {
		events, err := a.EventsAfter(context.Background(), merchant, last, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Position != last+1 {
				t.Fatalf("event %s of %s has the position %d after %d", e.Type, e.Payment, e.Position, last)
			}
			last = e.Position
		}
		if len(events) < page {
			return
		}
	}
}

// TheBank asks that the bank carried out every order once and for the amount
// that the payments say, and that it has what the books say.
func TheBank(t testing.TB, b Bank, merchant string, histories []History) {
	t.Helper()
	done, err := b.Orders(context.Background(), merchant)
	if err != nil {
		t.Fatal(err)
	}
	executed := map[string]bank.Execution{}
	for _, x := range done {
		if _, twice := executed[x.Order.Key]; twice {
			t.Errorf("the bank has the order %s twice", x.Order.Key)
		}
		executed[x.Order.Key] = x
	}
	for _, h := range histories {
		in := money.Won(0)
		for _, d := range h.Deposits {
			if d.Outcome != escrow.DepositRefused && d.Outcome != escrow.DepositQuarantined && !d.Reversed {
				in += d.Amount
			}
		}
		for _, r := range h.Refunds {
			x, known := executed[r.Key()]
			if sent := r.State == escrow.RefundSent; sent != (known && x.Result.State == bank.Sent) || (known && x.Order.Amount != r.Amount) {
				t.Errorf("refund %s of %d won is %s; the bank has %+v", r.Key(), r.Amount, r.State, x)
			}
			if r.State == escrow.RefundSent {
				in -= r.Amount
			}
		}
		if got := h.On(ledger.BankEscrow); got != in {
			t.Errorf("payment %s: the books have %d won at the bank, its movements come to %d", h.ID, got, in)
		}
	}
}

// Books asks that the ledger balances, and that every row of the books agrees with
// the others and with its hash.
func Books(t testing.TB, a *app.App) {
	t.Helper()
	b, err := a.Books(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range b.Problems {
		t.Error(p)
	}
	found, err := a.VerifyBooks(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Error(v)
	}
}
