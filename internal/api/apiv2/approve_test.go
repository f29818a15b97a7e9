package apiv2_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

var (
	byCard    = escrow.Approve{ApprovalNo: "12345678", CardName: "신한카드", CardNumber: "941010******1234"}
	byAccount = app.Agreement{Account: app.AccountOrder{Bank: "088"}, ValidFor: 3 * time.Hour}
)

// agreed opens a payment of 39,000 won, 1,000 of them free of tax, and lets its buyer
// go to the end of the window of a shop with manual approval.
func (w *world) agreed(order string, method escrow.Method, g app.Agreement) (token string, p escrow.Payment) {
	w.t.Helper()
	p, err := w.App.Open(context.Background(), escrow.Shop, w.Merchant, escrow.Open{OrderID: order, Amount: 39000, TaxFree: 1000, Goods: escrow.Physical, Method: method, Name: "백자 찻잔", V2: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.choose(p, app.Checkout{Method: method}, g), p
}

// choose lets a buyer choose and agree.
func (w *world) choose(p escrow.Payment, c app.Checkout, g app.Agreement) (token string) {
	w.t.Helper()
	if _, err := w.App.Choose(context.Background(), w.Merchant, p.ID, c); err != nil {
		w.t.Fatal(err)
	}
	token, err := w.App.Agree(context.Background(), w.Merchant, p.ID, g)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func (w *world) confirm(order, token string, more object) reply {
	w.t.Helper()
	return w.post("/payments/"+order+"/confirm", with(object{"paymentToken": token}, more))
}

// TestConfirm: a card and a transfer are taken, an account is issued, once each.
func TestConfirm(t *testing.T) {
	w := newWorld(t)
	token, p := w.agreed("card", escrow.Card, app.Agreement{Approval: byCard})
	if now := w.payment("card"); now.State != escrow.Opened {
		t.Fatalf("before it is approved: %s", now.State)
	}
	w.Clock.Advance(time.Minute)
	right := object{"txId": p.ID, "currency": "KRW", "totalAmount": 39000, "taxFreeAmount": 1000, "isTest": true, "skipWebhook": false, "storeId": w.Code}
	w.confirm("card", token, right).good().has(object{"pgTxId": p.ID, "paidAt": "2026-03-09T00:01:00Z"})
	if now := w.payment("card"); now.State != escrow.Paid || now.ApprovalNo != byCard.ApprovalNo || now.CardName != byCard.CardName {
		t.Errorf("%s, approval %s by %s", now.State, now.ApprovalNo, now.CardName)
	}
	w.confirm("card", token, nil).no(409, "ALREADY_PAID")
	w.act("card", escrow.Shop, escrow.Cancel{})
	w.confirm("card", token, nil).no(502, "PG_PROVIDER").has(object{"pgCode": "already_cancelled"})

	token, p = w.agreed("transfer", escrow.BankTransfer, app.Agreement{Approval: escrow.Approve{ApprovalNo: "87654321", Payer: payer}})
	w.confirm("transfer", token, nil).good()
	if now := w.payment("transfer"); now.Payer != payer || now.ID != p.ID {
		t.Errorf("paid by %+v", now.Payer)
	}

	token, p = w.agreed("account", escrow.VirtualAccount, byAccount)
	w.Clock.Advance(5 * time.Minute)
	first := w.confirm("account", token, nil).good().has(object{"pgTxId": p.ID})
	now := w.payment("account")
	if now.State != escrow.AwaitingDeposit || now.Account.Bank != "088" || !now.Account.Due.Equal(w.Now().Add(3*time.Hour)) {
		t.Errorf("%s at %+v", now.State, now.Account)
	}
	w.Clock.Advance(time.Minute)
	if again := w.confirm("account", token, nil).good(); string(again.raw) != string(first.raw) {
		t.Errorf("again: %s, want %s", again.raw, first.raw)
	}
	w.pay("account")
	w.confirm("account", token, nil).no(409, "ALREADY_PAID")
	w.CheckBooks()
}

func TestConfirmRefuses(t *testing.T) {
	w := newWorld(t)
	token, p := w.agreed("order-1", escrow.Card, app.Agreement{Approval: byCard})
	w.post("/payments/order-1/confirm", object{}).no(400, "INVALID_REQUEST", "paymentToken")
	w.confirm("order-1", strings.Repeat("t", 4001), nil).no(400, "INVALID_REQUEST", "paymentToken")
	w.confirm("x", token, nil).no(404, "PAYMENT_NOT_FOUND")
	w.confirm("order-1", token, object{"storeId": "another"}).no(403, "FORBIDDEN")
	for name, value := range (object{"txId": "imp_000000000000", "currency": "USD", "totalAmount": 39001, "taxFreeAmount": 0, "isTest": false}) {
		w.confirm("order-1", token, object{name: value}).no(409, "INFORMATION_MISMATCH", name)
	}

	w.agreed("order-2", escrow.Card, app.Agreement{Approval: byCard})
	w.confirm("order-2", token, nil).no(400, "INVALID_PAYMENT_TOKEN") // of another order
	forged := []byte(token)
	forged[20] ^= 1
	for _, bad := range []string{"t", "%", string(forged), token[:len(token)-1]} {
		w.confirm("order-1", bad, nil).no(400, "INVALID_PAYMENT_TOKEN", "paymentToken")
	}
	w.do(request{method: http.MethodPost, path: "/payments/order-1/confirm", body: object{"paymentToken": token}, authorization: "PortOne " + w.other}).no(404, "PAYMENT_NOT_FOUND")
	w.stranger(token).no(400, "INVALID_PAYMENT_TOKEN")

	w.Clock.Advance(app.TokenLife - time.Second)
	w.confirm("order-1", token, object{"totalAmount": 1}).no(409, "INFORMATION_MISMATCH") // still good
	w.Clock.Advance(time.Second)
	w.confirm("order-1", token, nil).no(400, "INVALID_PAYMENT_TOKEN")
	if now := w.payment("order-1"); now.State != escrow.Opened || now.ID != p.ID {
		t.Errorf("what was refused left %s", now.State)
	}
	w.account("plain", true)
	w.confirm("plain", "t", nil).no(400, "INVALID_PAYMENT_TOKEN")
	w.pay("plain")
	w.confirm("plain", "t", nil).no(409, "ALREADY_PAID")
}

// stranger confirms an order of the other shop, which has the same number, by a token.
func (w *world) stranger(token string) reply {
	w.t.Helper()
	auth := "PortOne " + w.other
	w.do(request{method: http.MethodPost, path: "/payments/order-1/instant", authorization: auth, body: object{
		"orderName": "컵", "amount": object{"total": 39000}, "currency": "KRW",
		"method": object{"virtualAccount": object{"bank": "SHINHAN", "expiry": object{"validHours": 1}, "option": object{"type": "NORMAL"}}},
	}}).good()
	return w.do(request{method: http.MethodPost, path: "/payments/order-1/confirm", body: object{"paymentToken": token}, authorization: auth})
}

// TestConfirmAfterTheBuyerWentOn: what the buyer did last counts.
func TestConfirmAfterTheBuyerWentOn(t *testing.T) {
	w := newWorld(t)
	card, p := w.agreed("order-1", escrow.Card, app.Agreement{Approval: byCard})
	account := w.choose(p, app.Checkout{Method: escrow.VirtualAccount}, byAccount)
	w.confirm("order-1", card, nil).no(400, "INVALID_PAYMENT_TOKEN")
	protected := w.choose(p, app.Checkout{Method: escrow.VirtualAccount, Escrow: true, Terms: merchant.TermsVersion}, byAccount)
	w.confirm("order-1", account, nil).no(400, "INVALID_PAYMENT_TOKEN")
	w.confirm("order-1", protected, nil).good()
	if now := w.payment("order-1"); !now.Escrow || now.State != escrow.AwaitingDeposit {
		t.Errorf("%s, escrow %t", now.State, now.Escrow)
	}
	w.confirm("order-1", card, nil).no(502, "PG_PROVIDER").has(object{"pgCode": "wrong_state"})

	// In another window: another payment of the same order.
	first, one := w.agreed("order-2", escrow.Card, app.Agreement{Approval: byCard})
	second, two := w.agreed("order-2", escrow.Card, app.Agreement{Approval: escrow.Approve{ApprovalNo: "22222222"}})
	w.confirm("order-2", first, object{"txId": two.ID}).no(409, "INFORMATION_MISMATCH", "txId")
	w.confirm("order-2", first, object{"txId": one.ID}).good().has(object{"pgTxId": one.ID})
	w.confirm("order-2", second, nil).no(409, "ALREADY_PAID")

	// The buyer gave up.
	token, _ := w.agreed("order-3", escrow.Card, app.Agreement{Approval: byCard})
	w.act("order-3", escrow.Buyer, escrow.Fail{Reason: "취소"})
	w.confirm("order-3", token, nil).no(502, "PG_PROVIDER").has(object{"pgCode": "wrong_state"})
	w.CheckBooks()
}

// TestConfirmAtOnce: of many confirmations at once one carries the payment out.
func TestConfirmAtOnce(t *testing.T) {
	w := newWorld(t)
	w.Change(func(m *merchant.Merchant) { m.Profile.ManualApproval = true })
	for method, g := range map[escrow.Method]app.Agreement{escrow.Card: {Approval: byCard}, escrow.VirtualAccount: byAccount} {
		id := "at-once-" + string(method)
		token, p := w.agreed(id, method, g)
		got := make([]reply, 8)
		var all sync.WaitGroup
		for i := range got {
			all.Go(func() { got[i] = w.confirm(id, token, nil) })
		}
		all.Wait()
		good := 0
		for _, r := range got {
			if r.status == http.StatusOK {
				good++
				r.has(object{"pgTxId": p.ID})
				continue
			}
			r.no(409, "ALREADY_PAID")
		}
		if want := map[escrow.Method]int{escrow.Card: 1, escrow.VirtualAccount: len(got)}[method]; good != want {
			t.Errorf("%s: %d succeeded, want %d", method, good, want)
		}
		events, err := w.App.Events(t.Context(), w.Merchant, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		once := map[escrow.Method]escrow.EventType{escrow.Card: escrow.EventPaid, escrow.VirtualAccount: escrow.EventAccountIssued}[method]
		count := 0
		for _, e := range events {
			if e.Type == once {
				count++
			}
		}
		if count != 1 {
			t.Errorf("%s happened %d times", once, count)
		}
	}
	w.CheckBooks()
}

// TestConfirmWithAKey: a repetition with the key is told what the first was told.
func TestConfirmWithAKey(t *testing.T) {
	w := newWorld(t)
	token, _ := w.agreed("order-1", escrow.Card, app.Agreement{Approval: byCard})
	keyed := request{method: http.MethodPost, path: "/payments/order-1/confirm", body: object{"paymentToken": token}, header: http.Header{"Idempotency-Key": {`"` + ident.Digits(20) + `"`}}}
	first := w.do(keyed).good()
	again := w.do(keyed).good()
	if string(first.raw) != string(again.raw) || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%s, then %s", first.raw, again.raw)
	}

	// A shop that says no at its confirmUrl ends the payment, and is told so again.
	asks := 0
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		asks++
		rw.WriteHeader(http.StatusConflict)
	}))
	defer shop.Close()
	p, err := w.App.Open(t.Context(), escrow.Shop, w.Merchant, escrow.Open{OrderID: "stopped", Amount: 1000, Goods: escrow.Physical, Method: escrow.Card, Name: "컵", V2: true, ConfirmURL: shop.URL})
	if err != nil {
		t.Fatal(err)
	}
	keyed.path, keyed.body = "/payments/stopped/confirm", object{"paymentToken": w.choose(p, app.Checkout{Method: escrow.Card}, app.Agreement{Approval: byCard})}
	keyed.header = http.Header{"Idempotency-Key": {`"` + ident.Digits(20) + `"`}}
	for range 3 {
		w.do(keyed).no(502, "PG_PROVIDER", "confirmUrl").has(object{"pgCode": "wrong_state"})
	}
	if asks != 1 {
		t.Errorf("the shop was asked %d times", asks)
	}
}

// TestAnyNodeTakesAToken: what one node sealed another one opens.
func TestAnyNodeTakesAToken(t *testing.T) {
	w := newWorld(t)
	token, p := w.agreed("order-1", escrow.Card, app.Agreement{Approval: byCard})
	other := servetest.Run(t, servetest.Beside(w.Server))
	confirmed, err := other.App.ConfirmPayment(t.Context(), w.Merchant, "order-1", app.Confirmation{Token: token})
	if err != nil || confirmed.ID != p.ID || confirmed.State != escrow.Paid {
		t.Errorf("%s %s: %v", confirmed.ID, confirmed.State, err)
	}
}
