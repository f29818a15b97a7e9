package serve_test

import (
	"context"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// order is an ordinary escrow order of the demonstration shop.
func order(id string) escrow.Open {
	return escrow.Open{
		OrderID: id, Method: escrow.VirtualAccount, Goods: escrow.Physical, Escrow: true, Amount: 30_000, Name: "도자기 컵",
		Buyer: escrow.Party{Name: "김하늘", Email: "buyer@holdfast.example", Phone: "010-1234-5678"}, Device: "api",
	}
}

// TestSilenceConfirmsAfterThreeBusinessDays plays a whole life on the moved
// clock: account, deposit, delivery, silence over Seollal, payout.
func TestSilenceConfirmsAfterThreeBusinessDays(t *testing.T) {
	ctx := context.Background()
	s := servetest.Run(t, servetest.At(time.Date(2026, 2, 11, 1, 0, 0, 0, time.UTC)))
	p, err := s.App.OpenWithAccount(ctx, s.Merchant, order("order-1"), appAccount)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.App.Deposit(ctx, p.Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-1", Amount: 30_000, At: s.Now()})
	if err != nil || res.Payment.State != escrow.Held {
		t.Fatalf("deposit: %v, state %s", err, res.Payment.State)
	}
	if _, err := s.App.Do(ctx, escrow.Shop, s.Merchant, p.ID, escrow.RegisterDelivery{
		Parcels: []escrow.Parcel{{Carrier: "CJ", Number: "123456789012"}}, Trackable: true, SentAt: s.Now(), SendEmail: true,
	}); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Date(2026, 2, 13, 9, 0, 0, 0, time.UTC)) // Friday 18:00 in Seoul
	p, _ = s.App.Payment(ctx, s.Merchant, p.ID)
	if p.State != escrow.Delivered {
		t.Fatalf("state %s, want delivered", p.State)
	}
	if got := bizday.DateOf(p.Delivery.DeliveredAt).String(); got != "2026-02-12" {
		t.Fatalf("delivered on %s, want 2026-02-12", got)
	}
	// Thursday 12 February: 13, then Seollal 16 to 18, then 19 and 20.
	if got := p.Deadline.LastDay.String(); got != "2026-02-20" {
		t.Fatalf("last day %s, want 2026-02-20", got)
	}
	s.Advance(p.Deadline.At.Add(-time.Second))
	if p, _ = s.App.Payment(ctx, s.Merchant, p.ID); p.State != escrow.Delivered {
		t.Fatalf("a second early: %s", p.State)
	}
	s.Advance(p.Deadline.At)
	if p, _ = s.App.Payment(ctx, s.Merchant, p.ID); p.State != escrow.Confirmed || p.Decided.Kind != escrow.ByTime {
		t.Fatalf("state %s, decided %+v", p.State, p.Decided)
	}
	s.Advance(s.Now().AddDate(0, 0, 7))
	payouts, err := s.App.Payouts(ctx, s.Merchant, 0, 10)
	if err != nil || len(payouts) != 1 {
		t.Fatalf("%d payouts, %v", len(payouts), err)
	}
	// 300 won and 30 won of VAT for a virtual account.
	if payouts[0].State != settle.PayoutPaid || payouts[0].Amount != 29_670 {
		t.Fatalf("payout %+v", payouts[0])
	}
	s.CheckBooks()
}
