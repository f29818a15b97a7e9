package journey_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// TestMain asks that a server that was closed leaves nothing running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const amount = money.Won(10_000)

var buyer = escrow.BankAccount{Bank: "004", Number: "11012345678901", Holder: "김하늘"}

func order(id string) escrow.Open {
	return escrow.Open{
		OrderID: id, Method: escrow.VirtualAccount, Goods: escrow.Physical, Escrow: true, Amount: amount, Name: "도자기 컵",
		Buyer: escrow.Party{Name: "김하늘", Email: "buyer@holdfast.example", Phone: "010-1234-5678"}, Device: "api",
	}
}

// issued opens a payment with an account to pay into.
func issued(t testing.TB, s *servetest.Server, id string) escrow.Payment {
	t.Helper()
	p, err := s.App.OpenWithAccount(t.Context(), s.Merchant, order(id), app.AccountOrder{Bank: "004"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// deposit is the bank's notice of money on a payment's account.
func deposit(s *servetest.Server, tx string, won money.Won) escrow.NotifyDeposit {
	return escrow.NotifyDeposit{BankTx: tx, Amount: won, At: s.Now(), Payer: buyer}
}

// firstTx is the transaction that pays a payment in these tests.
func firstTx(p escrow.Payment) string { return "tx-" + p.ID }

// delivered brings a payment to where the buyer's time runs.
func delivered(t testing.TB, s *servetest.Server, id string) escrow.Payment {
	t.Helper()
	p := issued(t, s, id)
	must(t, s, escrow.Bank, p.ID, deposit(s, firstTx(p), amount))
	number := "6" + p.ID[len(p.ID)-11:]
	must(t, s, escrow.Shop, p.ID, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: "CJ", Number: number}}, Trackable: true, SentAt: s.Now()})
	must(t, s, escrow.System, p.ID, escrow.NoticeResult{Delivered: true})
	return must(t, s, escrow.Carrier, p.ID, escrow.ReportTracking{Number: number, Seen: true, DeliveredAt: s.Now()}).Payment
}

func confirmed(t testing.TB, s *servetest.Server, id string) escrow.Payment {
	t.Helper()
	return must(t, s, escrow.Buyer, delivered(t, s, id).ID, escrow.Confirm{Kind: escrow.ByBuyer}).Payment
}

// must gives a command that has to succeed.
func must(t testing.TB, s *servetest.Server, actor escrow.Actor, id string, cmd escrow.Command) app.Result {
	t.Helper()
	res, err := s.App.Do(t.Context(), actor, s.Merchant, id, cmd)
	if err != nil {
		t.Fatalf("%s by %s: %v", cmd.Verb(), actor, err)
	}
	return res
}

// history is a payment as it stands, with everything that was written about it.
type history struct {
	escrow.Payment
	events    []app.LoggedEvent
	lines     []app.SettlementLine
	transfers []ledger.Transfer
}

func historyOf(t testing.TB, s *servetest.Server, id string) history {
	t.Helper()
	ctx := context.Background()
	h := history{}
	var err error
	if h.Payment, err = s.App.Payment(ctx, s.Merchant, id); err != nil {
		t.Fatal(err)
	}
	if h.events, err = s.App.Events(ctx, s.Merchant, id); err != nil {
		t.Fatal(err)
	}
	if h.lines, err = s.App.Lines(ctx, s.Merchant, id, "", 0, 1_000); err != nil {
		t.Fatal(err)
	}
	if h.transfers, err = s.App.Transfers(ctx, s.Merchant, id); err != nil {
		t.Fatal(err)
	}
	return h
}

// count counts the events of a type.
func (h *history) count(kind escrow.EventType) (n int) {
	for _, e := range h.events {
		if e.Type == kind {
			n++
		}
	}
	return n
}

// line adds up the payment's statement lines of one kind.
func (h *history) line(kind escrow.LineKind) (n int, gross money.Won) {
	for _, l := range h.lines {
		if l.Kind == kind {
			n++
			gross += l.Gross
		}
	}
	return n, gross
}

// on is the balance of an account in the payment's own books.
func (h *history) on(account ledger.Account) money.Won {
	for _, b := range ledger.Trial(h.transfers) {
		if b.Account == account {
			return b.Net()
		}
	}
	return 0
}

// checkOne asks what must be true of every payment, whatever happened to it.
func (h *history) checkOne(t testing.TB) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("payment %s, which is %s: %s", h.ID, h.State, fmt.Sprintf(format, args...))
	}
	for i, e := range h.events {
		if e.Seq != int64(i)+1 {
			fail("event %d has the number %d", i+1, e.Seq)
		}
	}
	if int64(len(h.events)) != h.Seq {
		fail("%d events, the payment counts %d", len(h.events), h.Seq)
	}
	confirms, rejects, cancels := h.count(escrow.EventConfirmed), h.count(escrow.EventRejected), h.count(escrow.EventCancelled)
	if confirms > 1 || rejects > 1 || cancels > 1 || confirms+rejects > 1 {
		fail("confirmed %d times, rejected %d, cancelled %d", confirms, rejects, cancels)
	}
	if sales, _ := h.line(escrow.LineSale); sales != confirms {
		fail("%d sale lines for %d confirmations", sales, confirms)
	}
	if got, want := h.on(ledger.Held(h.ID)), h.HeldAmount(); got != want {
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
	if got := h.on(ledger.Refund(h.ID)); got != unsent {
		fail("%d won on its refund account, %d won are not sent", got, unsent)
	}
	if got := h.on(ledger.Suspense); got != h.Suspended {
		fail("%d won of it in suspense, the payment says %d", got, h.Suspended)
	}
}

// checkLog asks that a merchant's log has every position once.
func checkLog(t testing.TB, s *servetest.Server) {
	t.Helper()
	const page = 1_000
	for last := int64(0); ; {
		events, err := s.App.EventsAfter(context.Background(), s.Merchant, last, page)
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

// checkBank asks that the bank carried out every order once and for the amount
// that the payments say, and that it has what the books say.
func checkBank(t testing.TB, s *servetest.Server, histories []history) {
	t.Helper()
	done, err := s.Bank.Orders(context.Background(), s.Merchant)
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
		if got := h.on(ledger.BankEscrow); got != in {
			t.Errorf("payment %s: the books have %d won at the bank, its movements come to %d", h.ID, got, in)
		}
	}
}

// day is a day of the merchant's clock.
const day = 24 * time.Hour
