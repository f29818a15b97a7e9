package journey_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// TestMain asks that a server that was closed leaves nothing running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(servetest.OnBoth(m)) }

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

// day is a day of the merchant's clock.
const day = 24 * time.Hour
