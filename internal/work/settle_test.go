package work_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/work"
)

// TestNobodyIsHiddenByThoseWhoCannotBePaid: merchants are settled page by page.
// One that has lines due and no account stays due for ever; it keeps its place in
// the order, and still all that come after it are paid.
func TestNobodyIsHiddenByThoseWhoCannotBePaid(t *testing.T) {
	w := newWorld(t)
	shops := []string{w.Merchant}
	for range 4 {
		m, err := w.App.CreateMerchant(t.Context(), "test", "", "다른상점", merchant.Sandbox, func(m *merchant.Merchant) {
			m.Account = escrow.BankAccount{Bank: "004", Number: "12345678901234", Holder: "다른상점"}
		})
		if err != nil {
			t.Fatal(err)
		}
		shops = append(shops, m.ID)
	}
	slices.Sort(shops)
	for i, id := range shops {
		w.Merchant = id
		w.do(escrow.Buyer, w.delivered().ID, escrow.Confirm{Kind: escrow.ByBuyer})
		if i < 3 { // more than a page
			w.Change(func(m *merchant.Merchant) { m.Account = escrow.BankAccount{} })
		}
	}
	w.Clock.Advance(74 * time.Hour) // Thursday, an hour after the payouts
	c := w.Server.Loops.Config
	c.AtOnce = 1 // a page of one
	loops := work.New(c)
	t.Cleanup(loops.Close)
	for _, want := range []int{2, 0} {
		if paid, err := loops.Step(t.Context(), app.WorkSettlement, ""); err != nil || paid != want {
			t.Fatalf("%d merchants were paid, want %d: %v", paid, want, err)
		}
	}
	for i, id := range shops {
		payouts, err := w.App.Payouts(t.Context(), id, 0, 10)
		if err != nil || (len(payouts) == 1) != (i >= 3) {
			t.Errorf("merchant %d of %d has %d payouts: %v", i+1, len(shops), len(payouts), err)
		}
	}
	w.CheckBooks()
}
