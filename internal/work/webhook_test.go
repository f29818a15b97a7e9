package work_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/webhook"
)

// hooks are the calls of a payment, in the order of their events.
func (w *world) hooks(id string) []app.Webhook {
	w.T.Helper()
	got, err := w.App.Webhooks(w.T.Context(), w.Merchant, app.WebhookFilter{Payment: id}, 0, 100)
	if err != nil {
		w.T.Fatal(err)
	}
	for i := range len(got) / 2 {
		got[i], got[len(got)-1-i] = got[len(got)-1-i], got[i]
	}
	return got
}

func attempts(t *testing.T, w app.Webhook) []webhook.Attempt {
	t.Helper()
	var log []webhook.Attempt
	if err := json.Unmarshal([]byte(w.Log), &log); err != nil {
		t.Fatal(err)
	}
	return log
}

// TestOneCallByDefault: PortOne V1 calls once, whatever the answer is, and the
// log says what was asked and answered.
func TestOneCallByDefault(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t, 500)
	w.SetWebhook(shop.URL)
	p := w.issued()
	w.pass(time.Hour)
	if n := len(shop.calls()); n != 1 {
		t.Fatalf("%d calls, want 1", n)
	}
	hook := w.hooks(p.ID)[0]
	log := attempts(t, hook)
	if hook.State != app.WebhookFailed || hook.DoneAt.IsZero() || len(log) != 1 {
		t.Fatalf("%s at %s with %d attempts", hook.State, hook.DoneAt, len(log))
	}
	a, want := log[0], `{"imp_uid":"`+p.ID+`","merchant_uid":"`+p.OrderID+`","status":"ready"}`
	if a.Status != 500 || a.Request != want || a.Response != "answer of the shop" || a.URL != shop.URL || shop.calls()[0].body != want {
		t.Errorf("the log says %+v", a)
	}
	if got := shop.calls()[0]; got.contentType != "application/json" || got.id != hook.ID {
		t.Errorf("the shop got %+v", got)
	}
}

// TestRepetitions: up to five on request, a minute apart, with one id and body.
func TestRepetitions(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t, 503)
	w.SetWebhook(shop.URL)
	w.Change(func(m *merchant.Merchant) { m.Webhook.Retries = 5 })
	p := w.issued()
	w.drain()
	for n := 1; n <= 6; n++ {
		if got := len(shop.calls()); got != n {
			t.Fatalf("%d calls after %d minutes, want %d", got, n-1, n)
		}
		w.pass(time.Minute - time.Second)
		if got := len(shop.calls()); got != n {
			t.Fatalf("called a second too early")
		}
		w.pass(time.Second)
	}
	w.pass(2 * time.Hour)
	if got := len(shop.calls()); got != 6 {
		t.Errorf("%d calls in all, want the first and five more", got)
	}
	for _, c := range shop.calls() {
		if c != shop.calls()[0] {
			t.Errorf("repeated as %+v, first %+v", c, shop.calls()[0])
		}
	}
	if hook := w.hooks(p.ID)[0]; hook.State != app.WebhookFailed || len(attempts(t, hook)) != 6 {
		t.Errorf("%s with %d attempts in the log", hook.State, len(attempts(t, hook)))
	}
}

// TestWhatEndsRepetitions: any answer of the shop's own, be it no.
func TestWhatEndsRepetitions(t *testing.T) {
	for _, c := range []struct {
		answers []int
		calls   int
		state   string
	}{
		{[]int{200}, 1, app.WebhookDelivered}, {[]int{204}, 1, app.WebhookDelivered}, {[]int{404}, 1, app.WebhookFailed}, {[]int{302}, 1, app.WebhookFailed},
		{[]int{500, 500, 200}, 3, app.WebhookDelivered}, {[]int{502, 400}, 2, app.WebhookFailed},
	} {
		w, shop := newWorld(t), newShopServer(t, c.answers...)
		w.SetWebhook(shop.URL)
		w.Change(func(m *merchant.Merchant) { m.Webhook.Retries = 5 })
		p := w.issued()
		w.pass(time.Hour)
		if got := len(shop.calls()); got != c.calls || w.hooks(p.ID)[0].State != c.state {
			t.Errorf("answers %v: %d calls, %s; want %d, %s", c.answers, got, w.hooks(p.ID)[0].State, c.calls, c.state)
		}
	}
}

// TestFormBodies: the same words as a form, for shops that take forms.
func TestFormBodies(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t)
	w.SetWebhook(shop.URL)
	w.Change(func(m *merchant.Merchant) { m.Webhook.Form, m.Webhook.EscrowEvents = true, true })
	p := w.delivered()
	w.do(escrow.Buyer, p.ID, escrow.Reject{Reason: "깨졌습니다 & 100%"})
	w.drain()
	var said []url.Values
	for _, c := range shop.calls() {
		form, err := url.ParseQuery(c.body)
		if err != nil || c.contentType != "application/x-www-form-urlencoded" {
			t.Fatalf("%q as %s: %v", c.body, c.contentType, err)
		}
		said = append(said, form)
	}
	for _, want := range []url.Values{
		{"imp_uid": {p.ID}, "merchant_uid": {p.OrderID}, "status": {"paid"}},
		{
			"event": {"Inicis.Escrow.Changed"}, "imp_uid": {p.ID}, "merchant_uid": {p.OrderID}, "status": {"paid"}, "extra[escrow_status]": {"4"},
			"extra[denied_reason]": {"깨졌습니다 & 100%"},
		},
	} {
		found := false
		for _, got := range said {
			same := true
			for name := range want {
				same = same && got.Get(name) == want.Get(name)
			}
			found = found || same
		}
		if !found {
			t.Errorf("no call said %v; they said %v", want, said)
		}
	}
}

// TestNoticeURLs of a payment take the place of the shop's setting.
func TestNoticeURLs(t *testing.T) {
	w, setting, one, two := newWorld(t), newShopServer(t), newShopServer(t), newShopServer(t)
	w.SetWebhook(setting.URL)
	p := w.issued(func(o *escrow.Open) { o.NoticeURLs = []string{one.URL, two.URL} })
	w.drain()
	if len(setting.calls()) != 0 || len(one.calls()) != 1 || len(two.calls()) != 1 {
		t.Errorf("calls: setting %d, first %d, second %d", len(setting.calls()), len(one.calls()), len(two.calls()))
	}
	if hooks := w.hooks(p.ID); len(hooks) != 2 || hooks[0].ID == hooks[1].ID {
		t.Errorf("webhooks %+v", hooks)
	}
	w.issued()
	w.drain()
	if len(setting.calls()) != 1 {
		t.Error("the setting was not called for a payment without addresses of its own")
	}
}

// TestWhatIsTold: the steps of V1, in order; failures never, a cancel only if
// whoever cancelled asked for it.
func TestWhatIsTold(t *testing.T) {
	said := func(t *testing.T, change func(*merchant.Merchant), live func(*world)) string {
		t.Helper()
		w, shop := newWorld(t), newShopServer(t)
		w.SetWebhook(shop.URL)
		w.Change(change)
		live(w)
		var words []string
		for _, c := range shop.calls() {
			var n struct {
				Event, Status string
				Extra         struct {
					Step string `json:"escrow_status"`
				}
			}
			if err := json.Unmarshal([]byte(c.body), &n); err != nil {
				t.Fatal(err)
			}
			if n.Event != "" {
				n.Status = n.Status + ":" + n.Extra.Step
			}
			words = append(words, n.Status)
		}
		return strings.Join(words, " ")
	}
	plain := func(*merchant.Merchant) {}
	opted := func(m *merchant.Merchant) { m.Webhook.EscrowEvents = true }
	each := func(w *world, acts ...func()) {
		w.drain()
		for _, a := range acts {
			a()
			w.drain()
		}
	}
	pay := func(w *world, p escrow.Payment) func() {
		return func() {
			w.do(escrow.Bank, p.ID, escrow.NotifyDeposit{BankTx: "tx", Amount: amount, At: w.Now(), Payer: buyer})
		}
	}
	whole := func(w *world) {
		p := w.issued()
		each(w, pay(w, p), func() {
			w.do(escrow.Shop, p.ID, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: "CJ", Number: number(p)}}, Trackable: true, SentAt: w.Now()})
		}, func() {
			w.do(escrow.Carrier, p.ID, escrow.ReportTracking{Number: number(p), DeliveredAt: w.Now()})
		}, func() {
			w.do(escrow.Buyer, p.ID, escrow.Confirm{Kind: escrow.ByBuyer})
		}, func() {
			w.do(escrow.Shop, p.ID, escrow.Cancel{Amount: 1_000, Reason: "흠집", Notify: true})
		})
	}
	refused := func(w *world) {
		p := w.delivered()
		each(w, func() { w.do(escrow.Buyer, p.ID, escrow.Reject{Reason: "파손"}) }, func() {
			w.do(escrow.Shop, p.ID, escrow.AcceptRejection{By: "박상점"})
		}, func() { w.do(escrow.Shop, p.ID, escrow.ReceiveReturn{}) })
	}
	for _, c := range []struct {
		name   string
		change func(*merchant.Merchant)
		live   func(*world)
		want   string
	}{
		{"a life", plain, whole, "ready paid paid"},
		{"a life, with the escrow's steps", opted, whole, "ready paid paid:2 paid:3 paid"},
		{"a closed account", opted, func(w *world) {
			p := w.issued()
			each(w, func() { w.do(escrow.Shop, p.ID, escrow.CloseAccount{Reason: "품절"}) })
		}, "ready"},
		{"a failure", opted, func(w *world) {
			p, err := w.App.Open(w.T.Context(), escrow.Buyer, w.Merchant, escrow.Open{OrderID: "o", Goods: escrow.Physical, Method: escrow.Card, Amount: amount})
			if err != nil {
				w.T.Fatal(err)
			}
			each(w, func() { w.do(escrow.Buyer, p.ID, escrow.Fail{Reason: "한도 초과"}) })
		}, ""},
		{"a silent cancel", plain, func(w *world) {
			p := w.issued()
			each(w, pay(w, p), func() { w.do(escrow.Shop, p.ID, escrow.Cancel{Reason: "품절"}) })
		}, "ready paid"},
		{"a cancel with a webhook", plain, func(w *world) {
			p := w.issued()
			each(w, pay(w, p), func() { w.do(escrow.Shop, p.ID, escrow.Cancel{Reason: "품절", Notify: true}) })
		}, "ready paid cancelled"},
		{"an expired account", plain, func(w *world) { w.issued(); w.pass(4 * 24 * time.Hour) }, "ready cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := said(t, c.change, c.live); got != c.want {
				t.Errorf("told %q, want %q", got, c.want)
			}
		})
	}
	got := said(t, opted, refused)
	for _, step := range []string{"paid:2", "paid:4", "paid:10", "cancelled:8"} {
		if strings.Count(got, step) != 1 {
			t.Errorf("a rejection is told as %q, want %s once", got, step)
		}
	}
}

// TestLiveMerchantsReachNoInside, and a sandbox's do.
func TestLiveMerchantsReachNoInside(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t)
	m, err := w.App.CreateMerchant(t.Context(), "test", "", "실거래 상점", merchant.Live, func(m *merchant.Merchant) {
		m.Webhook.URL = strings.Replace(shop.URL, "127.0.0.1", "localhost", 1) // a name, as its address would be refused at once
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.App.Open(t.Context(), escrow.Shop, m.ID, escrow.Open{OrderID: "o", Goods: escrow.Physical, Method: escrow.Card, Amount: amount})
	if err == nil {
		_, err = w.App.Choose(t.Context(), m.ID, p.ID, app.Checkout{Method: escrow.Card})
	}
	if err == nil {
		_, err = w.App.Do(t.Context(), escrow.Bank, m.ID, p.ID, escrow.Approve{ApprovalNo: "ap-1"})
	}
	if err == nil {
		err = w.loops.Drain(t.Context(), m.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	hooks, err := w.App.Webhooks(t.Context(), m.ID, app.WebhookFilter{Payment: p.ID}, 0, 10)
	if err != nil || len(hooks) != 1 {
		t.Fatalf("%d webhooks, %v", len(hooks), err)
	}
	if log := attempts(t, hooks[0]); len(shop.calls()) != 0 || len(log) != 1 || !strings.Contains(log[0].Error, "private or special") {
		t.Errorf("%d calls came; the log says %+v", len(shop.calls()), log)
	}
}

// TestResentByHand: once more than it has been tried, under the same id.
func TestResentByHand(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t, 500, 200)
	w.SetWebhook(shop.URL)
	p := w.issued()
	w.drain()
	if err := w.App.ResendWebhook(t.Context(), w.Merchant, w.hooks(p.ID)[0].ID); err != nil {
		t.Fatal(err)
	}
	w.drain()
	if calls := shop.calls(); len(calls) != 2 || calls[0] != calls[1] || w.hooks(p.ID)[0].State != app.WebhookDelivered {
		t.Errorf("calls %+v, %s", calls, w.hooks(p.ID)[0].State)
	}
}

// TestTheLogKeepsTheLastAttempts of a call that is resent without end.
func TestTheLogKeepsTheLastAttempts(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t, 500)
	w.SetWebhook(shop.URL)
	id := w.issued().ID
	w.drain()
	for range 24 {
		w.Clock.Advance(time.Minute)
		if err := w.App.ResendWebhook(t.Context(), w.Merchant, w.hooks(id)[0].ID); err != nil {
			t.Fatal(err)
		}
		w.drain()
	}
	log := attempts(t, w.hooks(id)[0])
	if n := len(shop.calls()); n != 25 || len(log) != 20 {
		t.Fatalf("%d calls, %d in the log", n, len(log))
	}
	if first, last := log[0].At, log[19].At; !last.Equal(w.Clock.Now()) || last.Sub(first) != 19*time.Minute {
		t.Errorf("the log goes from %s to %s", first, last)
	}
}

// TestResentWhileItIsCalled: the call that was under way is in the log, whenever
// it ends, and does not undo the second.
func TestResentWhileItIsCalled(t *testing.T) {
	for name, firstEndsLast := range map[string]bool{"the first ends last": true, "the first ends first": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.SetWebhook("http://127.0.0.1:9/") // nobody calls it: the test says what happened
			id := w.issued().ID
			claim := func() app.Webhook {
				got, err := w.App.ClaimWebhooks(t.Context(), w.Merchant, []app.Take{{Lane: app.Lane{Merchant: w.Merchant, Endpoint: merchant.MainV1}, N: 10}}, time.Hour)
				if err != nil || len(got) != 1 {
					t.Fatalf("%d calls taken, %v", len(got), err)
				}
				return got[0]
			}
			end := func(hook app.Webhook, state string, at time.Time) {
				raw, err := json.Marshal(webhook.Attempt{At: at, Error: state})
				hook.State, hook.DoneAt = state, at
				if err == nil {
					_, err = w.App.WebhookDone(t.Context(), hook, raw, app.Told{})
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			first, began := claim(), w.Now()
			if err := w.App.ResendWebhook(t.Context(), w.Merchant, first.ID); err != nil {
				t.Fatal(err)
			}
			if !firstEndsLast {
				end(first, app.WebhookFailed, began)
				if hook := w.hooks(id)[0]; hook.State != app.WebhookPending || len(attempts(t, hook)) != 1 {
					t.Fatalf("resent, and it is %s with %s", hook.State, hook.Log)
				}
			}
			second := claim()
			end(second, app.WebhookDelivered, began.Add(time.Second))
			if firstEndsLast {
				end(first, app.WebhookFailed, began)
			}
			hook := w.hooks(id)[0]
			log := attempts(t, hook)
			if hook.State != app.WebhookDelivered || hook.Attempts != 2 || len(log) != 2 || log[0].Error != app.WebhookFailed || log[1].Error != app.WebhookDelivered {
				t.Errorf("%s after %d attempts: %s", hook.State, hook.Attempts, hook.Log)
			}
		})
	}
}
