package app_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// still is a server whose loops do nothing, with an endpoint of the shop.
func still(t *testing.T, format merchant.Format) (*servetest.Server, string) {
	t.Helper()
	s := servetest.Run(t)
	s.Server.Loops.Close()
	e, _, err := s.App.CreateEndpoint(t.Context(), "test", s.Merchant, merchant.Endpoint{URL: "http://127.0.0.1:1/", Format: format}, "")
	if err != nil {
		t.Fatal(err)
	}
	return s, e.ID
}

func switched(t *testing.T, s *servetest.Server, id string, on bool) {
	t.Helper()
	if _, err := s.App.SwitchEndpoint(t.Context(), "test", s.Merchant, id, on); err != nil {
		t.Fatal(err)
	}
}

// opened opens n payments, each of which is told to an endpoint of V2 once.
func opened(t *testing.T, s *servetest.Server, n int) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if _, err := s.App.Open(t.Context(), escrow.Shop, s.Merchant, byAccount(fmt.Sprintf("replay-%d", i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestAReplayIsRepeated: a request to tell again whose process died is answered,
// when it is repeated, with what it has done, however many transactions that took;
// and nothing is made due a second time.
func TestAReplayIsRepeated(t *testing.T) {
	const calls = 230 // two pages
	s, id := still(t, merchant.V2)
	switched(t, s, id, false)
	opened(t, s, calls)
	switched(t, s, id, true)
	for name, replay := range map[string]func(context.Context) (app.Replayed, error){
		"failed": func(ctx context.Context) (app.Replayed, error) { return s.App.ReplayFailed(ctx, s.Merchant, id) },
		"a range": func(ctx context.Context) (app.Replayed, error) {
			return s.App.ReplayRange(ctx, s.Merchant, id, app.Stretch{From: 1})
		},
	} {
		given := taken(t, s, id)
		for round := range 3 {
			o, err := s.App.BeginOnce(t.Context(), onceKey(s, name))
			if err != nil {
				t.Fatal(err)
			}
			if o.Untold() != (round > 0) {
				t.Fatalf("%s, round %d: untold %t", name, round, o.Untold())
			}
			got, err := replay(app.WithOnce(t.Context(), o))
			if err != nil || got != (app.Replayed{Calls: calls}) || o.Untold() {
				t.Fatalf("%s, round %d: %+v, %v, untold %t", name, round, got, err, o.Untold())
			}
			s.App.Die(o)
		}
		if got := taken(t, s, id); got != calls {
			t.Errorf("%s: %d calls are due, want %d (%d before)", name, got, calls, given)
		}
	}
}

// taken takes all calls that are due to an endpoint, gives them up, and returns how many.
func taken(t *testing.T, s *servetest.Server, id string) (n int) {
	t.Helper()
	lane := app.Lane{Merchant: s.Merchant, Endpoint: id}
	for {
		calls, err := s.App.ClaimWebhooks(t.Context(), s.Merchant, []app.Take{{Lane: lane, N: 100}}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if len(calls) == 0 {
			return n
		}
		n += len(calls)
		var all sync.WaitGroup
		for _, w := range calls {
			all.Go(func() {
				w.State, w.DoneAt = app.WebhookFailed, s.Now()
				if _, err := s.App.WebhookDone(t.Context(), w, []byte(`{}`), app.Told{}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

// TestNothingIsReplayedToWhatIsOff: what would only fail again is refused.
func TestNothingIsReplayedToWhatIsOff(t *testing.T) {
	s, id := still(t, merchant.V2)
	switched(t, s, id, false)
	opened(t, s, 1)
	_, err := s.App.ReplayFailed(t.Context(), s.Merchant, id)
	refused(t, err, escrow.WrongState)
	_, err = s.App.ReplayRange(t.Context(), s.Merchant, id, app.Stretch{From: 1})
	refused(t, err, escrow.WrongState)
	_, err = s.App.ReplayFailed(t.Context(), s.Merchant, "whe_none")
	refused(t, err, escrow.NotFound)
	calls, err := s.App.Webhooks(t.Context(), s.Merchant, app.WebhookFilter{Endpoint: id}, 0, 10)
	if err != nil || len(calls) != 1 {
		t.Fatalf("%d calls, %v", len(calls), err)
	}
	taken(t, s, id)
	resend := func() error { return s.App.ResendWebhook(t.Context(), s.Merchant, calls[0].ID) }
	refused(t, resend(), escrow.WrongState)
	switched(t, s, id, true)
	if err := resend(); err != nil || taken(t, s, id) != 1 {
		t.Errorf("on again, the call is not due again: %v", err)
	}
	if err := s.App.DeleteEndpoint(t.Context(), "test", s.Merchant, id); err != nil {
		t.Fatal(err)
	}
	refused(t, resend(), escrow.NotFound)
}

// TestNoticesAndTheSettingAreResent: a call to a notice URL is made again while the
// endpoint whose format it uses is off, and one of V1's setting after its URL was taken away.
func TestNoticesAndTheSettingAreResent(t *testing.T) {
	s, id := still(t, merchant.V2)
	s.SetWebhook("http://127.0.0.1:1/")
	order := byAccount("noticed")
	order.NoticeURLs = []string{"http://127.0.0.1:1/notice"}
	order.V2 = true
	if _, err := s.App.Open(t.Context(), escrow.Shop, s.Merchant, order); err != nil {
		t.Fatal(err)
	}
	issued(t, s, "plain")
	switched(t, s, id, false)
	s.SetWebhook("")
	for _, name := range []string{merchant.Noticed(id), merchant.MainV1} {
		calls, err := s.App.Webhooks(t.Context(), s.Merchant, app.WebhookFilter{Endpoint: name}, 0, 10)
		if err != nil || len(calls) == 0 {
			t.Fatalf("%s: %d calls, %v", name, len(calls), err)
		}
		taken(t, s, name)
		if err := s.App.ResendWebhook(t.Context(), s.Merchant, calls[0].ID); err != nil || taken(t, s, name) != 1 {
			t.Errorf("%s: not due again: %v", name, err)
		}
	}
}

// TestReplayByInstants: from an instant until before another one, whatever the order
// of positions is.
func TestReplayByInstants(t *testing.T) {
	s, id := still(t, merchant.V2)
	var at []time.Time
	for i := range 4 {
		at = append(at, s.Now())
		if _, err := s.App.Open(t.Context(), escrow.Shop, s.Merchant, byAccount(fmt.Sprintf("at-%d", i))); err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(10 * time.Second)
	}
	taken(t, s, id)
	first := time.Time{}
	for _, c := range []struct {
		part app.Stretch
		want int
	}{
		{app.Stretch{Since: &at[1]}, 3},
		{app.Stretch{Since: &at[1], Until: &at[3]}, 2},
		{app.Stretch{Since: &at[2], Until: &at[2]}, 0},
		{app.Stretch{From: 1, Until: &at[1]}, 1},
		{app.Stretch{From: 2, To: 3}, 2},
		{app.Stretch{Since: &first}, 4},
		{app.Stretch{Since: &first, Until: &first}, 0}, // the year 1 is an instant as any other
	} {
		got, err := s.App.ReplayRange(t.Context(), s.Merchant, id, c.part)
		if err != nil || got != (app.Replayed{Calls: c.want}) {
			t.Errorf("%+v: %+v, %v, want %d", c.part, got, err, c.want)
		}
		taken(t, s, id)
	}
}
