package work_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/webhook"
	"github.com/holdfast-pay/holdfast/internal/work"
)

// TestACallThatCannotBeSaid ends at once, with an attempt that tells why, and
// holds up neither the other calls nor the clock.
func TestACallThatCannotBeSaid(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t)
	w.SetWebhook(shop.URL)
	w.Change(func(m *merchant.Merchant) { m.Webhook.Retries = 5 })
	lost, silent, well := w.issued(), w.issued(), w.issued()
	// An event that is not there, and one of which V1 says nothing.
	w.Damage("UPDATE webhook SET seq = 999 WHERE payment = $1", lost.ID)
	w.Damage("UPDATE webhook SET seq = 1 WHERE payment = $1", silent.ID)
	w.drain()
	for _, p := range []string{lost.ID, silent.ID} {
		hook := w.hooks(p)[0]
		if hook.State != app.WebhookFailed || hook.DoneAt.IsZero() || hook.Attempts != 1 {
			t.Fatalf("%s at %s after %d attempts", hook.State, hook.DoneAt, hook.Attempts)
		}
		if log := attempts(t, hook); len(log) != 1 || !strings.Contains(log[0].Error, "cannot be told") || log[0].At.IsZero() || log[0].URL != shop.URL {
			t.Errorf("the log says %+v", log)
		}
	}
	w.pass(24 * time.Hour)
	if n := len(shop.calls()); n != 1 || w.hooks(well.ID)[0].State != app.WebhookDelivered {
		t.Errorf("%d calls, want the one of the sound event", n)
	}
}

// TestALetterAboutNothing is failed at the first try: its payment will not be
// there later either.
func TestALetterAboutNothing(t *testing.T) {
	w := newWorld(t)
	p := w.held()
	w.drain()
	w.do(escrow.Shop, p.ID, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: escrow.SelfDelivery}}, SentAt: w.Now()})
	w.Damage("UPDATE mail SET payment = 'imp_000000000000' WHERE state = 'pending' AND payment = $1", p.ID)
	w.drain()
	mails, err := w.App.Mails(t.Context(), w.Merchant, "imp_000000000000", 0, 10)
	if err != nil || len(mails) == 0 || !mails[0].Kind.Tells() {
		t.Fatalf("%+v, %v", mails, err)
	}
	for _, m := range mails {
		if m.State != app.MailFailed || m.Attempts != 1 || m.DoneAt.IsZero() || !strings.Contains(m.Error, "no such payment") {
			t.Errorf("%s after %d tries: %q", m.State, m.Attempts, m.Error)
		}
	}
}

// TestASilentShopDoesNotHoldTheClock: a call inside Drain is given up after
// CallLimit, and the log says that there was no answer.
func TestASilentShopDoesNotHoldTheClock(t *testing.T) {
	w := newWorld(t)
	over := make(chan struct{})
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer shop.Close()
	defer close(over)
	c := w.Server.Loops.Config
	if c.CallLimit != 5*time.Second {
		t.Errorf("the server waits %s for a call", c.CallLimit)
	}
	c.CallLimit, c.Hooks = 50*time.Millisecond, webhook.New(w.Clock)
	w.loops = work.New(c)
	t.Cleanup(w.loops.Close)
	w.SetWebhook(shop.URL)
	p := w.issued()
	w.drain()
	hook := w.hooks(p.ID)[0]
	if log := attempts(t, hook); hook.State != app.WebhookFailed || len(log) != 1 || log[0].Error != "no answer in time" || log[0].TookMillis > 4_000 {
		t.Errorf("%s: %+v", hook.State, log)
	}
}
