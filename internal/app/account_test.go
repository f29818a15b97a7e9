package app_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// accounts is a bank that remembers which accounts are open.
type accounts struct{ open []string }

func (b *accounts) IssueAccount(_ context.Context, r app.AccountRequest) (escrow.BankAccount, error) {
	b.open = append(b.open, r.Payment)
	return escrow.BankAccount{Bank: r.Bank, Number: r.Payment, Holder: r.Holder}, nil
}

func (b *accounts) CloseAccount(_ context.Context, _ string, a escrow.BankAccount) error {
	b.open = slices.DeleteFunc(b.open, func(number string) bool { return number == a.Number })
	return nil
}

func (b *accounts) HolderName(context.Context, string, string) (string, error) {
	return "", app.ErrNoHolder
}

// TestAnAccountOfARefusedPaymentIsClosed: the bank issues before the order is
// looked at; what is refused then leaves no account that takes money.
func TestAnAccountOfARefusedPaymentIsClosed(t *testing.T) {
	ctx, bank, now := t.Context(), &accounts{}, clock.NewManual(servetest.Start)
	st, err := store.OpenSQLite(ctx, filepath.Join(t.TempDir(), "holdfast.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	a, err := app.New(ctx, app.Config{Store: st, Clock: now, Bank: bank, Log: slog.New(slog.DiscardHandler), Secret: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.CreateMerchant(ctx, "test", "imp_test", "한빛상점", merchant.Sandbox, func(*merchant.Merchant) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Prepare(ctx, app.Prepared{Merchant: m.ID, OrderID: "order-1", Amount: int64(amount) + 1}); err != nil {
		t.Fatal(err)
	}
	_, err = a.OpenWithAccount(ctx, m.ID, order("order-1"), app.AccountOrder{Bank: "004"})
	refused(t, err, app.PreparedDiffers)
	p, err := a.OpenWithAccount(ctx, m.ID, order("order-2"), app.AccountOrder{Bank: "004"})
	if err != nil || !slices.Equal(bank.open, []string{p.ID}) {
		t.Errorf("%v; open accounts %v, want that of %s alone", err, bank.open, p.ID)
	}
}
