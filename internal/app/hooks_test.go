package app_test

import (
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// due takes a call that is due to an endpoint, as the node s.
func due(t *testing.T, s *servetest.Server, id string) app.Webhook {
	t.Helper()
	lane := app.Lane{Merchant: s.Merchant, Endpoint: id}
	calls, err := s.App.ClaimWebhooks(t.Context(), s.Merchant, []app.Take{{Lane: lane, N: 1}}, time.Hour)
	if err != nil || len(calls) != 1 {
		t.Fatalf("%d calls taken, %v", len(calls), err)
	}
	return calls[0]
}

// failed records that a call failed, and that its endpoint may want no more.
func failed(t *testing.T, s *servetest.Server, w app.Webhook, gone bool) time.Time {
	t.Helper()
	w.State, w.DoneAt = app.WebhookFailed, s.Now()
	rest, err := s.App.WebhookDone(t.Context(), w, []byte(`{}`), app.Told{Measured: true, Gone: gone})
	if err != nil {
		t.Fatal(err)
	}
	return rest
}

// TestAnEndpointIsSwitchedOffOnce: two nodes are told at once that it is gone. One
// switches it off and writes to the owner; for the other one that is no failure,
// nor is it one that the endpoint was deleted meanwhile.
func TestAnEndpointIsSwitchedOffOnce(t *testing.T) {
	a, b := twoNodes(t)
	a.Server.Loops.Close()
	b.Server.Loops.Close()
	a.Change(func(m *merchant.Merchant) { m.Email = "owner@holdfast.example" })
	e, _, err := a.App.CreateEndpoint(t.Context(), "test", a.Merchant, merchant.Endpoint{URL: "http://127.0.0.1:1/", Format: merchant.V2}, "")
	if err != nil {
		t.Fatal(err)
	}
	opened(t, a, 3)
	calls := []app.Webhook{due(t, a, e.ID), due(t, a, e.ID), due(t, a, e.ID)}
	b.Clock.Advance(app.Lag)
	if m, err := b.App.Merchant(t.Context(), b.Merchant); err != nil || !m.Kept(e.ID) {
		t.Fatalf("the second node does not know the endpoint: %v", err)
	}
	failed(t, a, calls[0], true)
	failed(t, b, calls[1], true)
	log, err := a.App.Audit(t.Context(), a.Merchant, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	offs, letters := 0, 0
	for _, row := range log {
		if row.Action == "endpoint.off" {
			offs++
		}
	}
	mails, err := a.App.Mails(t.Context(), a.Merchant, "", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mails {
		if m.Kind == app.MailEndpointOff {
			letters++
		}
	}
	if offs != 1 || letters != 1 {
		t.Errorf("it is switched off %d times, and the owner has %d letters", offs, letters)
	}
	if err := a.App.DeleteEndpoint(t.Context(), "test", a.Merchant, e.ID); err != nil {
		t.Fatal(err)
	}
	failed(t, b, calls[2], true)
}

// TestAFailingEndpointRests: after five failures in a row whoever made the call
// learns at once until when it is to be left alone.
func TestAFailingEndpointRests(t *testing.T) {
	s, id := still(t, merchant.V2)
	opened(t, s, 6)
	for n, want := range []time.Duration{0, 0, 0, 0, 5 * time.Second, 10 * time.Second} {
		until := time.Time{}
		if want > 0 {
			until = s.Clock.Now().Add(want)
		}
		if got := failed(t, s, due(t, s, id), false); !got.Equal(until) {
			t.Errorf("after %d failures it rests until %s, want %s", n+1, got, until)
		}
	}
}

// TestDueAfter: what has fallen due since everything was looked at is found, though
// it has passed by now; what was due before waits for something else than time.
func TestDueAfter(t *testing.T) {
	s, _ := still(t, merchant.V1JSON)
	issued(t, s, "order-1")
	s.Drain()
	seen := s.Now()
	next, err := s.App.NextDue(t.Context(), s.Merchant)
	if err != nil || !next.After(seen) {
		t.Fatalf("next is %s after %s, %v", next, seen, err)
	}
	s.Clock.Advance(next.Sub(seen) + time.Hour)
	if got, err := s.App.DueAfter(t.Context(), s.Merchant, seen); err != nil || !got.Equal(next) {
		t.Errorf("after the last look %s is due, want %s, %v", got, next, err)
	}
	if got, err := s.App.NextDue(t.Context(), s.Merchant); err != nil || got.Equal(next) {
		t.Errorf("what is past is due next: %s, %v", got, err)
	}
}
