package app_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(servetest.OnBoth(m)) }

const amount = money.Won(10_000)

var buyer = escrow.BankAccount{Bank: "004", Number: "11012345678901", Holder: "김하늘"}

func order(id string) escrow.Open {
	return escrow.Open{
		OrderID: id, Goods: escrow.Physical, Escrow: true, Amount: amount, Name: "도자기 컵", Device: "api",
		Buyer: escrow.Party{Name: "김하늘", Email: "buyer@holdfast.example"},
	}
}

func issued(t *testing.T, s *servetest.Server, id string) escrow.Payment {
	t.Helper()
	p, err := s.App.OpenWithAccount(t.Context(), s.Merchant, order(id), app.AccountOrder{Bank: "004"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pay(t *testing.T, s *servetest.Server, p escrow.Payment, tx string) escrow.Payment {
	t.Helper()
	res, err := s.App.Deposit(t.Context(), p.Account.BankAccount, escrow.NotifyDeposit{BankTx: tx, Amount: amount, At: s.Now(), Payer: buyer})
	if err != nil {
		t.Fatal(err)
	}
	return res.Payment
}

// refused asks that an answer is a rule's no.
func refused(t *testing.T, err error, code escrow.Code) {
	t.Helper()
	var no *escrow.Refusal
	if !errors.As(err, &no) || no.Code != code {
		t.Errorf("answer %v, want the refusal %s", err, code)
	}
}

// TestLateMoneyOfAPaidOrder: an order that was paid in another way meanwhile
// cannot take the late money too.
func TestLateMoneyOfAPaidOrder(t *testing.T) {
	s := servetest.Run(t)
	s.Change(func(m *merchant.Merchant) { m.Profile.Deposit = escrow.SuspendDeposit })
	late := issued(t, s, "order-1")
	s.Advance(s.Now().Add(4 * 24 * time.Hour))
	if p := pay(t, s, late, "tx-late"); p.State != escrow.Cancelled || p.Suspended != amount {
		t.Fatalf("late money on a payment that is %s: %d in suspense", p.State, p.Suspended)
	}
	second := pay(t, s, issued(t, s, "order-1"), "tx-second")
	_, err := s.App.Do(t.Context(), escrow.Shop, s.Merchant, late.ID, escrow.AcceptLate{})
	refused(t, err, escrow.AlreadyPaid)
	if _, err := s.App.Do(t.Context(), escrow.Shop, s.Merchant, second.ID, escrow.Cancel{Reason: "중복"}); err != nil {
		t.Fatal(err)
	}
	res, err := s.App.Do(t.Context(), escrow.Shop, s.Merchant, late.ID, escrow.AcceptLate{})
	if err != nil || res.Payment.State != escrow.Held {
		t.Fatalf("%v: %s", err, res.Payment.State)
	}
	s.CheckBooks()
}

// TestForeignPayments do not exist, whatever is asked of them.
func TestForeignPayments(t *testing.T) {
	s := servetest.Run(t)
	p := pay(t, s, issued(t, s, "order-1"), "tx-1")
	other, err := s.App.CreateMerchant(t.Context(), "test", "", "다른 상점", merchant.Sandbox, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range []escrow.Command{escrow.Cancel{}, escrow.RegisterDelivery{}, escrow.PlaceHold{Reason: "x"}, escrow.CloseAccount{}, escrow.AcceptLate{}} {
		_, err := s.App.Do(t.Context(), escrow.Shop, other.ID, p.ID, cmd)
		refused(t, err, escrow.NotFound)
	}
	_, err = s.App.Payment(t.Context(), other.ID, p.ID)
	refused(t, err, escrow.NotFound)
	_, err = s.App.Do(t.Context(), escrow.Shop, "mrc_nobody", p.ID, escrow.Cancel{})
	refused(t, err, escrow.NotFound)
	if got, err := s.App.Payment(t.Context(), s.Merchant, p.ID); err != nil || got.Version != p.Version {
		t.Errorf("the payment is at version %d, want %d (%v)", got.Version, p.Version, err)
	}
}

// TestActsOfPersons leave an audit row each, once, and not on what has changed
// since the person looked.
func TestActsOfPersons(t *testing.T) {
	s := servetest.Run(t)
	p := pay(t, s, issued(t, s, "order-1"), "tx-1")
	act := app.Act{Who: "kim@shop.example", As: escrow.Shop, Version: p.Version, Detail: "전화 요청"}
	if _, err := s.App.DoFor(t.Context(), act, s.Merchant, p.ID, escrow.PlaceHold{Reason: "확인"}); err != nil {
		t.Fatal(err)
	}
	_, err := s.App.DoFor(t.Context(), act, s.Merchant, p.ID, escrow.Cancel{Reason: "품절"})
	refused(t, err, app.Changed)
	act.Version = 0
	if res, err := s.App.DoFor(t.Context(), act, s.Merchant, p.ID, escrow.PlaceHold{Reason: "또"}); err != nil || !res.Unchanged {
		t.Errorf("a second hold: %v", err)
	}
	rows, err := s.App.Audit(t.Context(), s.Merchant, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var acts []string
	for _, r := range rows {
		if strings.HasPrefix(r.Action, "payment.") {
			acts = append(acts, fmt.Sprint(r.Actor, " ", r.Action, " ", r.Subject, " ", r.Detail))
		}
	}
	if want := "kim@shop.example payment.place_hold " + p.ID + " 전화 요청"; len(acts) != 1 || acts[0] != want {
		t.Errorf("the audit log says %q, want %q once", acts, want)
	}
}

// TestDecisionLinks: only the newest opens the payment; an older one can ask for
// the newest by mail, and any other text is nothing.
func TestDecisionLinks(t *testing.T) {
	s := servetest.Run(t)
	p := pay(t, s, issued(t, s, "order-1"), "tx-1")
	token := func(p escrow.Payment) string { return strings.TrimPrefix(s.App.DecisionURL(p), s.URL+"/d/") }
	if s.App.DecisionURL(p) != "" {
		t.Error("there is a link before there is anything to decide")
	}
	do := func(cmd escrow.Command) escrow.Payment {
		res, err := s.App.Do(t.Context(), escrow.Shop, s.Merchant, p.ID, cmd)
		if err != nil {
			t.Fatal(err)
		}
		return res.Payment
	}
	first := do(escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: escrow.SelfDelivery}}, SentAt: s.Now()})
	second := do(escrow.RenewLink{})
	if got, err := s.App.ByDecisionToken(t.Context(), token(second)); err != nil || got.ID != p.ID {
		t.Errorf("the newest link: %v", err)
	}
	for _, bad := range []string{token(first), "", token(second)[1:], token(second) + "x", "' OR 1=1 --"} {
		_, err := s.App.ByDecisionToken(t.Context(), bad)
		refused(t, err, escrow.NotFound)
	}
	if err := s.App.RenewByToken(t.Context(), token(first)); err != nil {
		t.Errorf("asking for the newest with an older link: %v", err)
	}
	refused(t, s.App.RenewByToken(t.Context(), "nothing"), escrow.NotFound)
}

// TestOneOrderOnePayment: of many who open and pay one order at once, one is paid.
func TestOneOrderOnePayment(t *testing.T) {
	s := servetest.Run(t)
	const hands = 16
	windows := make([]escrow.Payment, hands)
	for i := range windows {
		req := order("order-1")
		req.Escrow, req.Method = false, escrow.Card
		p, err := s.App.Open(t.Context(), escrow.Shop, s.Merchant, req)
		if err == nil {
			_, err = s.App.Choose(t.Context(), s.Merchant, p.ID, app.Checkout{Method: escrow.Card})
		}
		if err != nil {
			t.Fatal(err)
		}
		windows[i] = p
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	paid := 0
	for i, p := range windows {
		wg.Go(func() {
			_, err := s.App.Approve(context.Background(), s.Merchant, p.ID, escrow.Approve{ApprovalNo: fmt.Sprint("ap-", i)})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				paid++
				return
			}
			refused(t, err, escrow.AlreadyPaid)
		})
	}
	wg.Wait()
	if paid != 1 {
		t.Errorf("the order was paid %d times", paid)
	}
}

// TestWordsOfOutsiders: an answer of the bank is never lost for the sake of its words.
func TestWordsOfOutsiders(t *testing.T) {
	s := servetest.Run(t)
	s.Server.Loops.Close()
	p := pay(t, s, issued(t, s, "order-1"), "tx-1")
	if _, err := s.App.Do(t.Context(), escrow.Shop, s.Merchant, p.ID, escrow.Cancel{Reason: "품절"}); err != nil {
		t.Fatal(err)
	}
	orders, err := s.App.ClaimBankOrders(t.Context(), s.Merchant, time.Minute, 10)
	if err != nil || len(orders) != 1 {
		t.Fatalf("%d orders, %v", len(orders), err)
	}
	if err := s.App.OrderAnswered(t.Context(), orders[0], false, "계좌\x00 해지\xff"+strings.Repeat("가", 5_000)); err != nil {
		t.Fatal(err)
	}
	p, err = s.App.Payment(t.Context(), s.Merchant, p.ID)
	if err != nil || p.Refunds[0].State != escrow.RefundFailed || !strings.HasPrefix(p.Refunds[0].FailedFor, "계좌 해지가") || len(p.Refunds[0].FailedFor) > 1_000 {
		t.Errorf("%v: %s for %.40q (%d bytes)", err, p.Refunds[0].State, p.Refunds[0].FailedFor, len(p.Refunds[0].FailedFor))
	}
}

// TestSettingsAreNeverOlder: whoever reads settings after a change sees it, also
// where the cache is filled at the same time.
func TestSettingsAreNeverOlder(t *testing.T) {
	s := servetest.Run(t)
	fresh, err := s.App.CreateMerchant(t.Context(), "test", "", "상점", merchant.Sandbox, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if _, err := s.App.ByCode(context.Background(), fresh.Code); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 20 {
		name := fmt.Sprint("상점 ", i)
		if _, err := s.App.UpdateMerchant(t.Context(), "test", fresh.ID, "test", func(m *merchant.Merchant) error {
			m.Name = name
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.App.Merchant(t.Context(), fresh.ID); err != nil || got.Name != name {
			t.Fatalf("after the change to %q the name is %q (%v)", name, got.Name, err)
		}
	}
	wg.Wait()
}
