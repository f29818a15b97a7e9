package app_test

import (
	"context"
	"errors"
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
	ctx, bank := t.Context(), &accounts{}
	a := openApp(t, app.Config{Bank: bank})
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

// rivals is a bank at which something happens while the first account is issued.
type rivals struct {
	accounts
	meanwhile func()
}

func (b *rivals) IssueAccount(ctx context.Context, r app.AccountRequest) (escrow.BankAccount, error) {
	if between := b.meanwhile; between != nil {
		b.meanwhile = nil
		between()
	}
	account, err := b.accounts.IssueAccount(ctx, r)
	account.Number = r.Bank + account.Number
	b.open[len(b.open)-1] = account.Number
	return account, err
}

// TestTwoSubmitsIssueOneAccount: of two submits with different banks the first one
// counts, and the account of the other is closed at its bank.
func TestTwoSubmitsIssueOneAccount(t *testing.T) {
	ctx, bank := t.Context(), &rivals{}
	a := openApp(t, app.Config{Bank: bank})
	m, err := a.CreateMerchant(ctx, "test", "imp_test", "한빛상점", merchant.Sandbox, func(*merchant.Merchant) {})
	if err != nil {
		t.Fatal(err)
	}
	req := order("order-1")
	req.Escrow = false
	p, err := a.Open(ctx, escrow.Shop, m.ID, req)
	if err != nil {
		t.Fatal(err)
	}
	choose := func(code string) escrow.Payment {
		p, err := a.ChooseAccount(ctx, m.ID, p.ID, app.Checkout{Method: escrow.VirtualAccount, Account: app.AccountOrder{Bank: code}})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	var first escrow.Payment
	bank.meanwhile = func() { first = choose("088") }
	second := choose("004")
	if first.Account == nil || second.Account == nil || *second.Account != *first.Account || !slices.Equal(bank.open, []string{first.Account.Number}) {
		t.Errorf("told %+v and %+v; open at the bank are %v", first.Account, second.Account, bank.open)
	}
}

// TestASimulatedBankPaysNoLiveShop: no account and no approval, by the API or by
// the window, and nothing is left open at the bank. Names on accounts may be asked.
func TestASimulatedBankPaysNoLiveShop(t *testing.T) {
	ctx := t.Context()
	for _, c := range []struct {
		mode      merchant.Mode
		simulated bool
		refused   bool
	}{{merchant.Live, true, true}, {merchant.Live, false, false}, {merchant.Sandbox, true, false}} {
		bank := &accounts{}
		a := openApp(t, app.Config{Bank: bank, SimulatedBank: c.simulated})
		m, err := a.CreateMerchant(ctx, "test", "imp_test", "한빛상점", c.mode, func(m *merchant.Merchant) { m.Origins = []string{"https://shop.example"} })
		if err != nil {
			t.Fatal(err)
		}
		open := func(orderID string, method escrow.Method) string {
			req := order(orderID)
			req.Method, req.Escrow = method, false
			p, err := a.Open(ctx, escrow.Shop, m.ID, req)
			if err != nil {
				t.Fatal(err)
			}
			return p.ID
		}
		_, byAPI := a.OpenWithAccount(ctx, m.ID, order("order-1"), app.AccountOrder{Bank: "004"})
		_, byWindow := a.ChooseAccount(ctx, m.ID, open("order-2", escrow.VirtualAccount), app.Checkout{Method: escrow.VirtualAccount, Account: app.AccountOrder{Bank: "004"}})
		card := open("order-3", escrow.Card)
		if _, err := a.Choose(ctx, m.ID, card, app.Checkout{Method: escrow.Card}); err != nil {
			t.Fatal(err)
		}
		_, approved := a.Approve(ctx, m.ID, card, escrow.Approve{ApprovalNo: "ap-1"})
		for what, err := range map[string]error{"POST /vbanks": byAPI, "an account in the window": byWindow, "an approval": approved} {
			if c.refused {
				refused(t, err, app.NoLiveBank)
			} else if err != nil {
				t.Errorf("%s for a %s shop: %v", what, c.mode, err)
			}
		}
		if got := len(bank.open); c.refused == (got != 0) {
			t.Errorf("%d accounts are open at the bank", got)
		}
		_, err = a.HolderName(ctx, "004", "11012345678901")
		refused(t, err, escrow.NotFound)
	}
}

// openApp is a door over an empty database.
func openApp(t *testing.T, c app.Config) *app.App {
	t.Helper()
	st, err := store.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "holdfast.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	c.Store, c.Clock, c.Log, c.Secret = st, clock.NewManual(servetest.Start), slog.New(slog.DiscardHandler), make([]byte, 32)
	a, err := app.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestALiveShopNamesNoInside: an address that would never be called is refused
// when it is given.
func TestALiveShopNamesNoInside(t *testing.T) {
	ctx := t.Context()
	a := openApp(t, app.Config{Bank: &accounts{}})
	live, err := a.CreateMerchant(ctx, "test", "imp_test", "한빛상점", merchant.Live, func(m *merchant.Merchant) { m.Origins = []string{"https://shop.example"} })
	if err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*escrow.Open){
		"notice_url":  func(o *escrow.Open) { o.NoticeURLs = []string{"https://shop.example/", "http://10.0.0.1/"} },
		"confirm_url": func(o *escrow.Open) { o.ConfirmURL = "http://[::1]/" },
	} {
		req := order("order-1")
		change(&req)
		_, err := a.Open(ctx, escrow.Shop, live.ID, req)
		var no *escrow.Refusal
		if !errors.As(err, &no) || no.Code != escrow.Invalid || no.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, err = a.UpdateMerchant(ctx, "test", live.ID, "test", func(m *merchant.Merchant) error {
		m.Webhook.URL = "http://192.168.0.10/hook"
		return nil
	})
	refused(t, err, escrow.Invalid)
}
