package work_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/internal/webhook"
	"github.com/holdfast-pay/holdfast/internal/work"
)

// endpoint adds an endpoint to the merchant and returns its id and secret.
func (w *world) endpoint(url string, change ...func(*merchant.Endpoint)) (id, secret string) {
	w.T.Helper()
	e := merchant.Endpoint{URL: url, Format: merchant.V2}
	for _, c := range change {
		c(&e)
	}
	e, secret, err := w.App.CreateEndpoint(w.T.Context(), "test", w.Merchant, e, "")
	if err != nil {
		w.T.Fatal(err)
	}
	return e.ID, secret
}

// owedTo are the calls to an endpoint.
func (w *world) owedTo(endpoint string) []app.Webhook {
	w.T.Helper()
	hooks, err := w.App.Webhooks(w.T.Context(), w.Merchant, app.WebhookFilter{Endpoint: endpoint}, 0, 100)
	if err != nil || len(hooks) == 0 {
		w.T.Fatalf("%d calls to %s, %v", len(hooks), endpoint, err)
	}
	return hooks
}

func everything(e *merchant.Endpoint) { e.Events = []string{"Transaction.*", "Escrow.*"} }

func steps(calls []received) string {
	var said []string
	for _, c := range calls {
		var b struct{ Type string }
		if err := json.Unmarshal([]byte(c.body), &b); err != nil {
			return err.Error()
		}
		said = append(said, strings.TrimPrefix(strings.TrimPrefix(b.Type, "Transaction."), "Escrow."))
	}
	return strings.Join(said, " ")
}

// TestEscrowLifeIsTold: PortOne's names by default, the escrow's own to those who
// ask for them; each once.
func TestEscrowLifeIsTold(t *testing.T) {
	w, plain, all := newWorld(t), newShopServer(t), newShopServer(t)
	w.endpoint(plain.URL, func(e *merchant.Endpoint) { e.Ordered = true })
	w.endpoint(all.URL, everything, func(e *merchant.Endpoint) { e.Ordered = true })
	p := w.delivered()
	w.drain()
	w.do(escrow.Buyer, p.ID, escrow.Reject{Reason: "깨졌습니다"})
	w.do(escrow.Shop, p.ID, escrow.AcceptRejection{By: "박상점"})
	w.do(escrow.Shop, p.ID, escrow.ReceiveReturn{})
	w.drain()
	if got, want := steps(plain.calls()), "Ready VirtualAccountIssued Paid CancelPending Cancelled"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	got := " " + steps(all.calls()) + " "
	for _, step := range []string{"HoldStarted", "DeliveryRegistered", "Delivered", "DecisionDue", "Rejected", "RejectionAccepted", "ReturnReceived", "Cancelled", "RefundSent"} {
		if n := strings.Count(got, " "+step+" "); n < 1 {
			t.Errorf("%s is told %d times: %s", step, n, got)
		}
	}
	last := int64(0)
	for _, c := range all.calls() {
		var b struct{ Data struct{ Sequence int64 } }
		if err := json.Unmarshal([]byte(c.body), &b); err != nil {
			t.Fatal(err)
		}
		if n := b.Data.Sequence; n != 0 && n <= last {
			t.Errorf("step %d is told after %d", n, last)
		} else if n != 0 {
			last = n
		}
	}
}

// TestWorkingIsTold: the last day comes with how it was counted.
func TestWorkingIsTold(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t)
	w.endpoint(shop.URL, func(e *merchant.Endpoint) { e.Events = []string{"Escrow.DecisionDue"} })
	p := w.delivered()
	w.drain()
	calls := shop.calls()
	if len(calls) != 1 {
		t.Fatalf("%d calls", len(calls))
	}
	var b struct {
		Data struct {
			LastDay string
			Working struct {
				From         string
				BusinessDays int
				Skipped      []struct{ Date, Reason string }
			}
		}
	}
	if err := json.Unmarshal([]byte(calls[0].body), &b); err != nil {
		t.Fatal(err)
	}
	d := w.payment(p.ID).Deadline
	if b.Data.LastDay != d.LastDay.String() || b.Data.Working.From != d.From.String() || b.Data.Working.BusinessDays != d.Days {
		t.Errorf("told %+v of %+v", b.Data, d)
	}
}

// TestPortOneSchedule: six calls at growing pauses under one id, the body the same
// byte for byte, the signature fresh; then it has failed and is among those that
// never arrived.
func TestPortOneSchedule(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t, 500)
	id, _ := w.endpoint(shop.URL, func(e *merchant.Endpoint) { e.Events = []string{"Transaction.VirtualAccountIssued"} })
	p := w.issued()
	w.drain()
	for n, pause := range merchant.PortOnePauses() {
		if got := len(shop.calls()); got != n+1 {
			t.Fatalf("%d calls before pause %d", got, n+1)
		}
		due := w.owedTo(id)[0].DueAt
		if got := due.Sub(w.Now()); got < pause-time.Second || got > pause+pause/5 {
			t.Fatalf("pause %d is %s, want %s and at most a fifth more", n+1, got, pause)
		}
		w.until(due.Add(-time.Second))
		if got := len(shop.calls()); got != n+1 {
			t.Fatalf("called before its pause of %s was over", pause)
		}
		w.until(due)
	}
	w.pass(48 * time.Hour)
	calls := shop.calls()
	if len(calls) != 6 {
		t.Fatalf("%d calls in all", len(calls))
	}
	real := fmt.Sprint(w.Clock.Now().Unix()) // however far the test clock is ahead
	for _, c := range calls {
		if c.timestamp != real {
			t.Errorf("signed as of %s, and it is %s", c.timestamp, real)
		}
		if c.standardID != calls[0].standardID || c.body != calls[0].body || c.signature == "" {
			t.Errorf("repeated as %+v, first %+v", c, calls[0])
		}
	}
	hooks, err := w.App.Webhooks(t.Context(), w.Merchant, app.WebhookFilter{Endpoint: id, State: app.WebhookFailed}, 0, 10)
	if err != nil || len(hooks) != 1 || hooks[0].Payment != p.ID || hooks[0].ID != calls[0].standardID {
		t.Errorf("failed: %+v, %v", hooks, err)
	}
}

// TestRetryAfter and 410 are obeyed.
func TestWhatAnEndpointAsks(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t, 429, 200)
	shop.after = "600"
	w.endpoint(shop.URL, func(e *merchant.Endpoint) { e.Events = []string{"Transaction.VirtualAccountIssued"} })
	gone := newShopServer(t, 410)
	id, _ := w.endpoint(gone.URL)
	w.issued()
	w.pass(9 * time.Minute)
	if n := len(shop.calls()); n != 1 {
		t.Errorf("%d calls although it asked for ten minutes", n)
	}
	w.pass(2 * time.Minute)
	if n := len(shop.calls()); n != 2 {
		t.Errorf("%d calls after ten minutes", n)
	}
	m, err := w.App.MerchantNew(t.Context(), w.Merchant)
	if err != nil {
		t.Fatal(err)
	}
	if e, _ := m.Endpoint(id); e.Off == nil || e.Off.Why != merchant.OffGone {
		t.Errorf("an endpoint that is gone is %+v", e.Off)
	}
	before := len(gone.calls())
	w.issued()
	w.drain()
	if len(gone.calls()) != before {
		t.Error("an endpoint that is off is called")
	}
	hooks, err := w.App.Webhooks(t.Context(), w.Merchant, app.WebhookFilter{Endpoint: id, State: app.WebhookFailed}, 0, 10)
	if err != nil || len(hooks) < 3 {
		t.Errorf("%d calls are kept as failed, %v", len(hooks), err)
	}
}

// TestOffAfterDays: an endpoint that takes nothing for days is switched off, and
// one success in between begins the count anew.
func TestOffAfterDays(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t, 500)
	w.Change(func(m *merchant.Merchant) { m.Email = "owner@shop.example" })
	id, _ := w.endpoint(shop.URL)
	off := func() *merchant.Off {
		m, err := w.App.MerchantNew(t.Context(), w.Merchant)
		if err != nil {
			t.Fatal(err)
		}
		e, _ := m.Endpoint(id)
		return e.Off
	}
	w.issued()
	w.pass(4 * 24 * time.Hour)
	w.issued()
	w.drain()
	if off() != nil {
		t.Fatalf("off after four days: %+v", off())
	}
	shop.answer(200)
	w.issued()
	w.drain()
	shop.answer(500)
	w.issued()
	w.pass(4 * 24 * time.Hour)
	w.issued()
	w.drain()
	if off() != nil {
		t.Fatalf("off four days after a success: %+v", off())
	}
	w.pass(24 * time.Hour)
	w.issued()
	w.drain()
	if o := off(); o == nil || o.Why != merchant.OffFailing {
		t.Errorf("after five days: %+v", o)
	}
	letters, err := w.App.Mails(t.Context(), w.Merchant, "", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, m := range letters {
		if m.Kind == app.MailEndpointOff && m.Recipient == "owner@shop.example" && m.State == app.MailSent && strings.Contains(m.Text, shop.URL) {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the owner was told %d times", told)
	}
}

// TestOrderIsKept: with the option, the next step waits until the one before has
// been taken; without it, it does not.
func TestOrderIsKept(t *testing.T) {
	for _, ordered := range []bool{true, false} {
		w, shop := newWorld(t), newShopServer(t, 500, 200)
		w.endpoint(shop.URL, func(e *merchant.Endpoint) { e.Ordered = ordered })
		w.issued()
		w.drain()
		want := "Ready"
		if !ordered {
			want = "Ready VirtualAccountIssued"
		}
		if got := steps(shop.calls()); got != want && !(got == "VirtualAccountIssued Ready" && !ordered) {
			t.Errorf("ordered %v: told %q, want %q", ordered, got, want)
		}
		w.pass(2 * time.Minute)
		if got := steps(shop.calls()); ordered && got != "Ready Ready VirtualAccountIssued" {
			t.Errorf("told %q in the end", got)
		}
	}
}

// TestADeadEndpointDelaysNoOther: two endpoints of one merchant, of which one
// does not answer, and one of another merchant.
func TestADeadEndpointDelaysNoOther(t *testing.T) {
	s := servetest.Run(t)
	w := &world{Server: s}
	called, over := make(chan struct{}, 1000), make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called <- struct{}{}; <-over }))
	defer silent.Close()
	defer close(over)
	shop := newShopServer(t)
	w.endpoint(silent.URL)
	for range 20 {
		w.issued(func(o *escrow.Open) { o.OrderID = fmt.Sprintf("silent-%d", len(called)) })
	}
	for range 5 { // the silent one has more than half of its places and gets no more
		<-called
	}
	w.endpoint(shop.URL)
	began := time.Now()
	w.issued(func(o *escrow.Open) { o.OrderID = "other" })
	deadline := time.After(20 * time.Second)
	for len(shop.calls()) < 2 {
		select {
		case <-deadline:
			t.Fatalf("the other endpoint got %d calls of 2 while one was silent", len(shop.calls()))
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Logf("told %s after the step, beside an endpoint that does not answer", time.Since(began))
	if got := len(called) + 5; got > 8 {
		t.Errorf("the silent endpoint has %d calls at a time", got)
	}
}

// TestABlockedLaneDelaysNoOther: a lane in which every call that is due waits for an
// earlier one of its payment takes the turn of no other, however few are taken at a time.
func TestABlockedLaneDelaysNoOther(t *testing.T) {
	w, dead, shop := newWorld(t), newShopServer(t, 500), newShopServer(t)
	c := w.loops.Config
	c.AtOnce, c.Hooks = 1, webhook.New(w.Clock)
	w.loops = work.New(c)
	t.Cleanup(w.loops.Close)
	w.endpoint(dead.URL, func(e *merchant.Endpoint) { e.Ordered = true })
	w.issued()
	w.drain()
	w.endpoint(shop.URL)
	w.Clock.Advance(time.Second)
	w.issued()
	w.drain()
	if got := len(shop.calls()); got != 2 {
		t.Errorf("the other endpoint has %d calls of 2", got)
	}
}

// TestACorrectedURLCounts for repetitions and replays of what was owed before, and
// not for notices to URLs of a payment's own.
func TestACorrectedURLCounts(t *testing.T) {
	w, wrong, right, own := newWorld(t), newShopServer(t, 500), newShopServer(t), newShopServer(t, 500, 200)
	id, _ := w.endpoint(wrong.URL)
	w.issued()
	w.issued(func(o *escrow.Open) { o.V2, o.NoticeURLs = true, []string{own.URL} })
	w.drain()
	before := len(wrong.calls())
	_, err := w.App.ChangeEndpoint(t.Context(), "test", w.Merchant, id, func(e *merchant.Endpoint) error { e.URL = right.URL; return nil })
	if err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Minute)
	if got := len(right.calls()); got != before || len(wrong.calls()) != before {
		t.Errorf("the corrected URL has %d calls of %d, the wrong one %d", got, before, len(wrong.calls()))
	}
	if got := len(own.calls()); got != 3 { // one of two is repeated
		t.Errorf("the payment's own URL has %d calls", got)
	}
	if log := attempts(t, w.owedTo(id)[0]); len(log) != 2 || log[0].URL != wrong.URL || log[1].URL != right.URL {
		t.Errorf("the log says %+v", log)
	}
}

// TestNoticesOutliveTheirEndpoint: what goes to a payment's own URL is told also
// when the endpoint whose format it uses is switched off meanwhile.
func TestNoticesOutliveTheirEndpoint(t *testing.T) {
	w, own := newWorld(t), newShopServer(t, 500, 500, 200)
	id, _ := w.endpoint("http://127.0.0.1:1/")
	w.issued(func(o *escrow.Open) { o.V2, o.NoticeURLs = true, []string{own.URL} })
	w.drain()
	if _, err := w.App.SwitchEndpoint(t.Context(), "test", w.Merchant, id, false); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Minute)
	for _, hook := range w.owedTo(merchant.Noticed(id)) {
		if hook.State != app.WebhookDelivered {
			t.Errorf("%s is %s after %d attempts", hook.ID, hook.State, hook.Attempts)
		}
	}
	if got := len(own.calls()); got != 4 {
		t.Errorf("%d calls", got)
	}
}
