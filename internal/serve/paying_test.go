package serve_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// TestSecondAccountOfAPaidOrderTakesNoMoney: two accounts wait for one order.
func TestSecondAccountOfAPaidOrderTakesNoMoney(t *testing.T) {
	ctx := context.Background()
	s := servetest.Run(t)
	var accounts []escrow.Payment
	for range 2 {
		p, err := s.App.OpenWithAccount(ctx, s.Merchant, order("order-2"), appAccount)
		if err != nil {
			t.Fatal(err)
		}
		accounts = append(accounts, p)
	}
	for i, want := range []escrow.DepositOutcome{escrow.DepositHeld, escrow.DepositRefused} {
		res, err := s.App.Deposit(ctx, accounts[i].Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-" + accounts[i].ID, Amount: 30_000, At: s.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Payment.Deposits[0].Outcome; got != want {
			t.Errorf("deposit %d is %s, want %s", i, got, want)
		}
	}
	s.CheckBooks()
}

// TestConfirmURLMayStopAPayment: the shop is asked before an approval, and what
// it says ends or lets through the payment (contract section 1.8).
func TestConfirmURLMayStopAPayment(t *testing.T) {
	s := servetest.Run(t)
	var status atomic.Int32
	var asked atomic.Value
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q map[string]any
		_ = json.NewDecoder(r.Body).Decode(&q)
		asked.Store(q)
		w.WriteHeader(int(status.Load()))
		_, _ = w.Write([]byte(`{"reason":"재고가 없습니다"}`))
	}))
	defer shop.Close()
	pay := func(id string) servetest.Answer {
		return s.V1(http.MethodPost, "/sandbox/payments", map[string]any{
			"merchant_uid": id, "pay_method": "card", "amount": 5000, "name": "컵", "confirm_url": shop.URL,
		})
	}
	status.Store(http.StatusOK)
	if a := pay("confirm-1"); a.Code != 0 {
		t.Fatalf("a shop that agrees: %s", a.Raw)
	}
	q, _ := asked.Load().(map[string]any)
	if q["merchant_uid"] != "confirm-1" || q["amount"] != float64(5000) {
		t.Errorf("the shop was asked %v", q)
	}
	status.Store(http.StatusConflict)
	if a := pay("confirm-2"); a.Code == 0 {
		t.Fatalf("a shop that refuses: %s", a.Raw)
	}
	var p struct {
		Status     string `json:"status"`
		FailReason string `json:"fail_reason"`
	}
	s.MustV1(http.MethodGet, "/payments/find/confirm-2", nil).Into(t, &p)
	if p.Status != "failed" || p.FailReason != "재고가 없습니다" {
		t.Errorf("the payment is %+v", p)
	}
}
