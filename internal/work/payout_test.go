package work_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/client"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/recon"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// ordered is a payout of one payment that the bank was not asked for yet.
func (w *world) ordered() settle.Payout {
	w.T.Helper()
	w.do(escrow.Buyer, w.delivered().ID, escrow.Confirm{Kind: escrow.ByBuyer})
	w.Clock.Advance((10*24 + 3) * time.Hour)
	done, err := w.App.Settle(w.T.Context(), w.Merchant)
	if err != nil || done.Why != "" {
		w.T.Fatalf("%+v, %v", done, err)
	}
	return done.Payout
}

// answered books what the bank says of a payout.
func (w *world) answered(p settle.Payout, paid bool, reason string) {
	w.T.Helper()
	if err := w.App.PayoutResult(w.T.Context(), w.Merchant, p.ID, paid, reason); err != nil {
		w.T.Fatal(err)
	}
}

// eventsOf are the events of a payment or payout, in words.
func (w *world) eventsOf(id string) string {
	w.T.Helper()
	events, err := w.App.Events(w.T.Context(), w.Merchant, id)
	if err != nil {
		w.T.Fatal(err)
	}
	var said []string
	for _, e := range events {
		said = append(said, fmt.Sprintf("%d %s", e.Seq, e.Type))
	}
	return strings.Join(said, ", ")
}

// TestPayoutsAreTold: each stage once, however often the bank says it, in order, to
// the endpoints that ask for it; never by PortOne's names or in its older formats.
func TestPayoutsAreTold(t *testing.T) {
	w, plain, chosen, setting := newWorld(t), newShopServer(t), newShopServer(t), newShopServer(t)
	w.SetWebhook(setting.URL)
	w.Change(func(m *merchant.Merchant) { m.Webhook.EscrowEvents = true })
	w.endpoint(plain.URL)
	w.endpoint(plain.URL, func(e *merchant.Endpoint) { e.Format, e.Events = merchant.V2Old, []string{"Transaction.*"} })
	id, secret := w.endpoint(chosen.URL, func(e *merchant.Endpoint) {
		e.Ordered, e.Events = true, []string{"Escrow.PayoutSent", "Escrow.PayoutFailed", "Escrow.PayoutReturned"}
	})
	p := w.ordered()
	w.drain() // the bank pays
	w.answered(p, true, "")
	w.answered(p, false, "해지된 계좌")
	w.answered(p, false, "해지된 계좌")
	w.answered(p, true, "")
	w.drain()
	if got := w.eventsOf(p.ID); got != "1 PayoutSent, 2 PayoutReturned" {
		t.Errorf("the events are %s", got)
	}
	w.verified()
	for _, c := range append(plain.calls(), setting.calls()...) {
		if strings.Contains(strings.ToLower(c.body), "payout") {
			t.Errorf("told to an endpoint that has not asked for it: %s", c.body)
		}
	}
	calls := chosen.calls()
	if got := steps(calls); got != "PayoutSent PayoutReturned" {
		t.Fatalf("told %q", got)
	}
	verifier, err := client.NewVerifier(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier = verifier.At(w.Clock.Now)
	for i, c := range calls {
		if _, err := verifier.Verify(headersOf(c), []byte(c.body)); err != nil {
			t.Errorf("call %d is not signed: %v", i+1, err)
		}
	}
	var sent, back notice
	if json.Unmarshal([]byte(calls[0].body), &sent) != nil || json.Unmarshal([]byte(calls[1].body), &back) != nil {
		t.Fatal("no JSON")
	}
	want := said{
		StoreID: w.Code, PayoutID: p.ID, Sequence: 1, Position: sent.Data.Position, Actor: "bank", Amount: int64(p.Amount), Date: p.Date.String(), Lines: 1,
		Bank: p.Bank, AccountNumber: strings.Repeat("*", len(p.Number)-4) + p.Number[len(p.Number)-4:],
	}
	if sent.Data != want || sent.Data.Position == 0 || sent.Timestamp.IsZero() {
		t.Errorf("sent: %+v, want %+v", sent, want)
	}
	want.Sequence, want.Position, want.Reason = 2, sent.Data.Position+1, "해지된 계좌"
	if back.Data != want {
		t.Errorf("returned: %+v, want %+v", back, want)
	}
	replayedPayouts(t, w, chosen, id, p)
}

type (
	said struct {
		StoreID, PayoutID                        string
		Sequence, Position                       int64
		Actor, Date, Bank, AccountNumber, Reason string
		Amount, Lines                            int64
	}
	notice struct {
		Timestamp time.Time
		Data      said
	}
)

func replayedPayouts(t *testing.T, w *world, shop *shopServer, endpoint string, p settle.Payout) {
	t.Helper()
	before := shop.calls()
	done, err := w.App.ReplayRange(t.Context(), w.Merchant, endpoint, app.Stretch{From: 1})
	if err != nil || done.Calls != 2 {
		t.Fatalf("replayed %+v, %v", done, err)
	}
	w.drain()
	again := shop.calls()[len(before):]
	if len(again) != 2 || again[0].standardID != before[0].standardID || again[1].standardID != before[1].standardID || again[0].body != before[0].body || again[1].body != before[1].body {
		t.Errorf("replayed %+v, first %+v", again, before)
	}
	if want := app.MessageID(p.ID, 1, "Escrow.PayoutSent"); !strings.HasPrefix(before[0].standardID, want) {
		t.Errorf("the id is %s, want %s and more", before[0].standardID, want)
	}
}

// TestAFailedPayoutIsTold with the bank's reason.
func TestAFailedPayoutIsTold(t *testing.T) {
	w, shop := newWorld(t), newShopServer(t)
	w.endpoint(shop.URL, func(e *merchant.Endpoint) { e.Events = []string{"Escrow.PayoutFailed"} })
	p := w.ordered()
	w.answered(p, false, "없는 계좌")
	w.drain()
	if got := w.eventsOf(p.ID); got != "1 PayoutFailed" {
		t.Errorf("the events are %s", got)
	}
	if calls := shop.calls(); len(calls) != 1 || !strings.Contains(calls[0].body, `"reason":"없는 계좌"`) {
		t.Errorf("told %+v", calls)
	}
	w.verified()
}

// TestAPayoutIsNotBookedWithoutItsEvent: what cannot be told is not booked either.
func TestAPayoutIsNotBookedWithoutItsEvent(t *testing.T) {
	w := newWorld(t)
	p := w.ordered()
	w.Damage(`INSERT INTO event (merchant, payment, seq, position, type, actor, at, doc)
		SELECT merchant, 'in the way', 1, last_position + 1, '', '', 0, '{}' FROM event_log`)
	if err := w.App.PayoutResult(t.Context(), w.Merchant, p.ID, true, ""); err == nil {
		t.Fatal("booked without its event")
	}
	if got, err := w.App.Payout(t.Context(), w.Merchant, p.ID); err != nil || got.State != settle.PayoutOrdered {
		t.Errorf("the payout is %s, %v", got.State, err)
	}
	w.Damage(`DELETE FROM event WHERE payment = 'in the way'`)
	w.answered(p, true, "")
	if got := w.eventsOf(p.ID); got != "1 PayoutSent" {
		t.Errorf("the events are %s", got)
	}
	w.verified()
}

// TestDamageOfAPayoutsEventsIsNamed beside the break of the chain.
func TestDamageOfAPayoutsEventsIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		want      recon.Kind
	}{
		"gone":       {`DELETE FROM event WHERE type = 'PayoutSent'`, recon.WrongNumbers},
		"renumbered": {`UPDATE event SET seq = 2 WHERE type = 'PayoutSent'`, recon.WrongNumbers},
		"put in":     {`INSERT INTO event (merchant, payment, seq, position, type, actor, at, doc) SELECT merchant, payment, 2, position + 1000, type, actor, at, doc FROM event WHERE type = 'PayoutSent'`, recon.WrongNumbers},
		"changed":    {`UPDATE event SET doc = '{"amount":1}' WHERE type = 'PayoutSent'`, recon.BrokenChain},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.ordered()
			w.answered(p, true, "")
			w.verified()
			w.Damage(c.statement)
			for _, v := range w.violations() {
				if v.Ref == p.ID && v.Kind == c.want {
					return
				}
			}
			t.Errorf("found %v, want %s of %s", w.violations(), c.want, p.ID)
		})
	}
}

// headersOf are the signed headers of a call.
func headersOf(c received) http.Header {
	return http.Header{"Webhook-Id": {c.standardID}, "Webhook-Timestamp": {c.timestamp}, "Webhook-Signature": {c.signature}}
}
