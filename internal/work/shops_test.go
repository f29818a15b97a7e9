package work_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// TestASilentShopDelaysNoOther: one shop is owed more calls than it has places
// and answers none; another shop is called all the same.
func TestASilentShopDelaysNoOther(t *testing.T) {
	s := servetest.Run(t)
	ctx := t.Context()
	called, over := make(chan struct{}, 100), make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called <- struct{}{}; <-over }))
	defer silent.Close()
	defer close(over)
	shop := newShopServer(t)
	other, err := s.App.CreateMerchant(ctx, "test", "imp_other", "다른상점", merchant.Sandbox, func(m *merchant.Merchant) { m.Webhook.URL = shop.URL })
	if err != nil {
		t.Fatal(err)
	}
	open := func(merchantID string, n int) {
		t.Helper()
		for range n {
			if _, err := s.App.OpenWithAccount(ctx, merchantID, escrow.Open{
				OrderID: "order", Goods: escrow.Physical, Amount: amount, Name: "도자기 컵", Device: "api",
			}, app.AccountOrder{Bank: "004"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.SetWebhook(silent.URL)
	open(s.Merchant, 40)
	for range 5 { // the silent shop has more than half of its places and gets no more
		<-called
	}
	open(other.ID, 3)
	deadline := time.After(20 * time.Second)
	for len(shop.calls()) < 3 {
		select {
		case <-deadline:
			t.Fatalf("the other shop got %d calls of 3 while one was silent", len(shop.calls()))
		case <-time.After(10 * time.Millisecond):
		}
	}
	if got := len(called) + 5; got > 8 {
		t.Errorf("the silent shop has %d calls at a time", got)
	}
}
