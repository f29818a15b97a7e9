package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAdvanceMovesTheClockAndListsWhatHappened(t *testing.T) {
	w := newWorld(t) // Monday 2026-03-09, 09:00 in Seoul
	id := w.shipped()
	must[any](w, "POST", "/sandbox/carrier/parcels", body{"imp_uid": id, "script": "deliver_now"})
	w.Drain()
	if d := w.life(id).Deadline; d == nil || d.LastDay != "2026-03-12" || d.Rule != "after_delivery" || d.Projected {
		t.Fatalf("deadline %+v", d)
	}
	got := w.advance(body{"business_days": 3})
	if got.Now != "2026-03-13T00:00:00+09:00" || got.From != "2026-03-09T09:00:00+09:00" || got.Truncated {
		t.Errorf("%+v", got)
	}
	if !has(got.Happened, "event", "Confirmed") || !has(got.Happened, "mail", "auto_confirmed") || !has(got.Happened, "event", "Reminded") {
		t.Errorf("happened %+v", got.Happened)
	}
	if p := w.life(id); p.State != "confirmed" || *p.Decision.Kind != "auto" {
		t.Errorf("%+v", p)
	}
	got = w.advance(body{"by": "7d"})
	if !has(got.Happened, "payout", "paid") || got.Count != len(got.Happened) {
		t.Errorf("happened %+v", got.Happened)
	}
	if got = w.advance(body{"to": "2026-04-01T00:00:00Z"}); got.Now != "2026-04-01T09:00:00+09:00" {
		t.Errorf("now %s", got.Now)
	}
	if got = w.advance(body{"to": 1775088000}); got.Now != "2026-04-02T09:00:00+09:00" {
		t.Errorf("now %s", got.Now)
	}
	if got = w.advance(body{"by": "1d2h30m"}); got.Now != "2026-04-03T11:30:00+09:00" {
		t.Errorf("now %s", got.Now)
	}
	clock := must[struct {
		Now          string
		AheadSeconds int64 `json:"ahead_seconds"`
	}](w, "GET", "/sandbox/clock", nil)
	if clock.Now != "2026-04-03T11:30:00+09:00" || clock.AheadSeconds != int64(25*24*time.Hour/time.Second+2*3600+1800) {
		t.Errorf("%+v", clock)
	}
	w.CheckBooks()
}

func TestAdvanceRefuses(t *testing.T) {
	w := newWorld(t)
	w.advance(body{"by": "1h"})
	now := w.Now()
	for _, c := range []struct {
		sent  any
		parts []string
	}{
		{body{}, []string{"to", "business_days"}},
		{body{"to": "2026-03-10T00:00:00Z", "by": "1h"}, []string{"to"}},
		{body{"to": "2026-03-01T00:00:00Z"}, []string{"to", "앞으로만"}},
		{body{"to": 1}, []string{"to", "앞으로만"}},
		{body{"to": "tomorrow"}, []string{"to"}},
		{body{"to": 1775088000000}, []string{"to", "초 단위"}},
		{body{"to": "2060-01-01T00:00:00Z"}, []string{"to"}},
		{body{"by": "-1d"}, []string{"by"}},
		{body{"by": "1w"}, []string{"by"}},
		{body{"by": ""}, []string{"by"}},
		{body{"by": "0s"}, []string{"by: 0보다 긴 기간"}},
		{body{"by": "0d0h"}, []string{"by: 0보다 긴 기간"}},
		{body{"by": "500d"}, []string{"400"}},
		{body{"by": "999999h"}, []string{"400"}},
		{body{"business_days": 0}, []string{"business_days"}},
		{body{"business_days": 1000}, []string{"business_days"}},
	} {
		w.refuse(http.StatusBadRequest, "POST", "/sandbox/clock/advance", c.sent, c.parts...)
		w.refuse(http.StatusBadRequest, "POST", "/sandbox/clock", c.sent, c.parts...)
	}
	if !w.Now().Equal(now) {
		t.Errorf("a refused call moved the clock to %s", w.Now())
	}
}

// TestOneAdvanceAtATime holds an advance in the shop's slow webhook, which time
// itself causes, and tries a second one, and a scenario, meanwhile.
func TestOneAdvanceAtATime(t *testing.T) {
	w := newWorld(t)
	called, answer := make(chan struct{}, 1), make(chan struct{})
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		called <- struct{}{}
		<-answer
	}))
	defer shop.Close()
	w.pay("vbank")
	w.Drain()
	w.SetWebhook(shop.URL) // hears of the account's expiry alone
	done := make(chan int)
	go func() { done <- w.ask("POST", "/sandbox/clock/advance", body{"by": "4d"}).Status }()
	<-called
	w.refuse(http.StatusConflict, "POST", "/sandbox/clock/advance", body{"by": "1h"}, "시계")
	w.refuse(http.StatusConflict, "POST", "/sandbox/scenarios", body{"name": "expired"}, "시계")
	close(answer)
	if status := <-done; status != http.StatusOK {
		t.Errorf("the first advance ended with %d", status)
	}
	w.SetWebhook("")
	w.advance(body{"by": "1h"})
}

// patient is a connection whose deadlines are seen.
type patient struct {
	*httptest.ResponseRecorder
	read, write time.Time
}

// SetReadDeadline remembers the deadline.
func (p *patient) SetReadDeadline(t time.Time) error { p.read = t; return nil }

// SetWriteDeadline remembers the deadline.
func (p *patient) SetWriteDeadline(t time.Time) error { p.write = t; return nil }

// TestAnAdvanceMayTakeItsTime: the server's usual limits on a request do not cut
// off a clock that is being moved.
func TestAnAdvanceMayTakeItsTime(t *testing.T) {
	w := newWorld(t)
	for path, sent := range map[string]string{
		"/sandbox/clock/advance": `{"by":"1h"}`, "/sandbox/scenarios": `{"name":"nosuch"}`, "/sandbox": "act=advance&by=1h",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(sent))
		r.SetBasicAuth(w.Key, w.Secret)
		if path == "/sandbox" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		p := &patient{ResponseRecorder: httptest.NewRecorder()}
		began := time.Now()
		w.Handler().ServeHTTP(p, r)
		if least := began.Add(10 * time.Minute); p.read.Before(least) || p.write.Before(least) {
			t.Errorf("%s (%d) may be read until %s and answered until %s", path, p.Code, p.read, p.write)
		}
	}
}

// TestAheadIsRounded: a clock that runs ahead by a fraction less than an hour is
// an hour ahead.
func TestAheadIsRounded(t *testing.T) {
	w := newWorld(t)
	to := w.Now().Add(time.Hour)
	w.Clock.Advance(300 * time.Millisecond)
	must[any](w, "POST", "/sandbox/clock/advance", body{"to": to.Format(time.RFC3339)})
	if got := must[struct {
		AheadSeconds int64 `json:"ahead_seconds"`
	}](w, "GET", "/sandbox/clock", nil); got.AheadSeconds != 3600 {
		t.Errorf("%d seconds ahead", got.AheadSeconds)
	}
}
