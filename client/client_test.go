package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/client"
)

// answer is what a stub of the server says once.
type answer struct {
	status     int
	body       string
	retryAfter string
	cut        bool // the connection breaks in the middle
}

// stub answers in turn, the last answer again and again, and keeps what it was asked.
type stub struct {
	sync.Mutex
	*httptest.Server
	answers []answer
	asked   []*http.Request
	bodies  []string
}

func newStub(t *testing.T, answers ...answer) *stub {
	t.Helper()
	s := &stub{answers: answers}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	raw, _ := io.ReadAll(r.Body)
	s.asked, s.bodies = append(s.asked, r), append(s.bodies, string(raw))
	a := s.answers[min(len(s.asked), len(s.answers))-1]
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	if a.cut {
		w.Header().Set("Content-Length", "1000")
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func (s *stub) client(t *testing.T, options ...client.Option) *client.Client {
	t.Helper()
	options = append([]client.Option{client.Pause(time.Microsecond)}, options...)
	return must(client.New(s.URL, client.Secret("secret"), options...))(t)
}

var done = answer{status: 200, body: `{"completedAt":"2026-03-09T01:00:00Z"}`}

// TestRepeats says which answers are followed by another attempt, and that each
// attempt is the same request under the same key.
func TestRepeats(t *testing.T) {
	outstanding := answer{status: 409, body: `{"type":"IDEMPOTENCY_OUTSTANDING_REQUEST"}`}
	cases := []struct {
		name    string
		answers []answer
		asked   int
		want    error // nil for success
	}{
		{"at once", []answer{done}, 1, nil},
		{"cut off", []answer{{status: 200, body: `{`, cut: true}, done}, 2, nil},
		{"outstanding", []answer{outstanding, outstanding, done}, 3, nil},
		{"outstanding, own API", []answer{{status: 409, body: `{"error":{"code":"idempotency_outstanding"}}`, retryAfter: "0"}, done}, 2, nil},
		{"lost, own API", []answer{{status: 409, body: `{"error":{"code":"idempotency_answer_lost"}}`}, done}, 1, client.ErrorType("idempotency_answer_lost")},
		{"unavailable", []answer{{status: 503, body: `{"type":"SERVICE_UNAVAILABLE"}`}, done}, 2, nil},
		{"a proxy's page", []answer{{status: 502, body: "<html>bad gateway</html>"}, done}, 2, nil},
		{"too often", []answer{{status: 429, retryAfter: "0"}, done}, 2, nil},
		{"never there", []answer{{status: 500, body: `{"type":"INTERNAL_SERVER_ERROR"}`}}, 4, client.ErrorType("INTERNAL_SERVER_ERROR")},
		{"a rule", []answer{{status: 502, body: `{"type":"PG_PROVIDER","pgCode":"by_policy"}`}, done}, 1, client.PGProvider},
		{"another conflict", []answer{{status: 409, body: `{"type":"PAYMENT_NOT_PAID"}`}, done}, 1, client.PaymentNotPaid},
		{"credentials", []answer{{status: 401, body: `{"type":"UNAUTHORIZED"}`}, done}, 1, client.Unauthorized},
		{"a long rest", []answer{{status: 503, body: `{"type":"SERVICE_UNAVAILABLE"}`, retryAfter: "3600"}, done}, 1, client.ErrorType("SERVICE_UNAVAILABLE")},
		{"a redirect", []answer{{status: 307}, done}, 1, client.ErrorType("")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStub(t, c.answers...)
			_, err := s.client(t).CompleteEscrow(t.Context(), "p")
			if (err == nil) != (c.want == nil) || (c.want != nil && !errors.Is(err, c.want)) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if len(s.asked) != c.asked {
				t.Errorf("asked %d times, want %d", len(s.asked), c.asked)
			}
			key := s.asked[0].Header.Get("Idempotency-Key")
			if len(key) < 18 || key[0] != '"' || key[len(key)-1] != '"' {
				t.Errorf("key %s", key)
			}
			for i, r := range s.asked {
				if r.Header.Get("Idempotency-Key") != key || s.bodies[i] != s.bodies[0] || r.URL.String() != s.asked[0].URL.String() {
					t.Errorf("attempt %d is another request", i+1)
				}
			}
			var no *client.Error
			if errors.As(err, &no) && `"`+no.IdempotencyKey+`"` != key {
				t.Errorf("the error says the key %s", no.IdempotencyKey)
			}
		})
	}
}

// TestNoAnswer holds that a caller learns the key of a call whose outcome is unknown.
func TestNoAnswer(t *testing.T) {
	s := newStub(t, done)
	c := s.client(t, client.Attempts(3))
	s.Close()
	_, err := c.CompleteEscrow(t.Context(), "p")
	var none *client.NoAnswer
	if !errors.As(err, &none) || none.Attempts != 3 || none.IdempotencyKey == "" || none.Unwrap() == nil {
		t.Errorf("%+v", err)
	}
}

func TestContextEndsACall(t *testing.T) {
	s := newStub(t, answer{status: 503, retryAfter: "30"})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	begun := time.Now()
	if _, err := s.client(t).Payment(ctx, "p"); err == nil || time.Since(begun) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
}

func TestRefreshIsSentOnce(t *testing.T) {
	s := newStub(t, answer{status: 503})
	if _, err := s.client(t).RefreshToken(t.Context(), "t"); err == nil || len(s.asked) != 1 {
		t.Errorf("%v after %d attempts", err, len(s.asked))
	}
	if s.asked[0].Header.Get("Authorization") != "" || s.asked[0].Header.Get("Idempotency-Key") != "" {
		t.Error("a call without credentials carries them")
	}
}

func TestOptions(t *testing.T) {
	s := newStub(t, answer{status: 200, body: `{}`})
	c := must(client.New(s.URL+"/a/b/", client.AccessToken("token"), client.StoreID("store"), client.UserAgent("shop/1.0"), client.HTTPClient(s.Server.Client())))(t)
	_, _ = c.Payment(t.Context(), "주문 1/?가")
	_, _ = c.Payment(t.Context(), "..")
	_ = c.PreRegister(t.Context(), "p", client.PreRegistration{})
	r := s.asked[0]
	if got := r.URL.EscapedPath(); got != "/a/b/payments/%EC%A3%BC%EB%AC%B8%201%2F%3F%EA%B0%80" || r.URL.Query().Get("storeId") != "store" {
		t.Errorf("asked %s", r.URL)
	}
	if got := s.asked[1].URL.EscapedPath(); got != "/a/b/payments/%2E%2E" {
		t.Errorf("asked %s", got)
	}
	if r.Header.Get("Authorization") != "Bearer token" || !strings.HasPrefix(r.UserAgent(), "shop/1.0 ") || r.Header.Get("Idempotency-Key") != "" {
		t.Errorf("headers %v", r.Header)
	}
	if s.bodies[2] != `{"storeId":"store"}` {
		t.Errorf("body %s", s.bodies[2])
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	for _, base := range []string{"", "pay.example", "ftp://pay.example", "http://", "http://u:p@pay.example", "http://pay.example?x=1", "http://pay.example#x", "%"} {
		if _, err := client.New(base, client.Secret("s")); err == nil {
			t.Errorf("%q is an address", base)
		}
	}
	if _, err := client.New("http://pay.example", nil); err == nil {
		t.Error("no credential is one")
	}
	s := newStub(t, done)
	c := s.client(t)
	if _, err := c.Payment(t.Context(), ""); err == nil {
		t.Error("the payment without a name is asked for")
	}
	for _, key := range []string{"", "short", strings.Repeat("k", 257), "주문 주문 주문 주문 주문"} {
		if _, err := c.CompleteEscrow(client.WithIdempotencyKey(t.Context(), key), "p"); err == nil {
			t.Errorf("%q is a key", key)
		}
	}
	if len(s.asked) != 0 {
		t.Errorf("%d requests were sent", len(s.asked))
	}
	if _, err := c.CompleteEscrow(client.WithIdempotencyKey(t.Context(), `a "key" with \ in it`), "p"); err != nil || s.asked[0].Header.Get("Idempotency-Key") != `"a \"key\" with \\ in it"` {
		t.Errorf("%v: %s", err, s.asked[0].Header)
	}
}

// TestUnknownVariants reads what a newer server may say.
func TestUnknownVariants(t *testing.T) {
	const body = `{"status":"ON_HOLD","id":"p","transactionId":"t","amount":{"total":5},"method":{"type":"PaymentMethodSeashells","count":3},"escrow":{"status":"IN_SPACE","orbit":1},"new":true}`
	s := newStub(t, answer{status: 200, body: body})
	p := must(s.client(t).Payment(t.Context(), "p"))(t)
	state, ok := p.State.(client.UnknownState)
	if !ok || state.Status != "ON_HOLD" || string(state.Raw) != body || p.Amount.Total != 5 {
		t.Errorf("state %+v", p.State)
	}
	if m, ok := p.Method.(client.UnknownMethod); !ok || m.Type != "PaymentMethodSeashells" || !strings.Contains(string(m.Raw), `"count":3`) {
		t.Errorf("method %+v", p.Method)
	}
	if e, ok := p.Escrow.(client.UnknownEscrow); !ok || e.Status != "IN_SPACE" || !strings.Contains(string(e.Raw), `"orbit":1`) {
		t.Errorf("escrow %+v", p.Escrow)
	}
	if raw := must(p.MarshalJSON())(t); string(raw) != body {
		t.Errorf("written %s", raw)
	}
	if _, err := (client.Payment{}).MarshalJSON(); err == nil {
		t.Error("a payment that no server sent is written")
	}
}

func TestErrors(t *testing.T) {
	for body, want := range map[string]client.Error{
		`{"type":"PG_PROVIDER","message":"m","pgCode":"by_policy","pgMessage":"n"}`: {Type: client.PGProvider, Message: "m", PgCode: "by_policy", PgMessage: "n"},
		`{"error":{"code":"invalid","field":"url","message":"is required"}}`:        {Type: client.ShopInvalid, Field: "url", Message: "is required"},
		`{"code":-1,"message":"안 됩니다","response":null}`:                             {Message: "안 됩니다"},
		`<html>` + strings.Repeat("x", 1000):                                        {Message: `<html>` + strings.Repeat("x", 194)},
	} {
		s := newStub(t, answer{status: 400, body: body})
		_, err := s.client(t).Payment(t.Context(), "p")
		var no *client.Error
		if !errors.As(err, &no) {
			t.Fatal(err)
		}
		want.Status, want.Operation = 400, "GET /payments/p"
		if *no != want {
			t.Errorf("%+v, want %+v", *no, want)
		}
		if !strings.Contains(err.Error(), "GET /payments/p: 400") || !strings.Contains(err.Error(), want.Message) {
			t.Errorf("it says %q", err)
		}
	}
}

// TestFeedStops ends the feed where going on would never end.
func TestFeedStops(t *testing.T) {
	s := newStub(t, answer{status: 200, body: `{"events":[],"next":7}`}, answer{status: 200, body: `{"events":[],"next":3}`})
	for _, err := range s.client(t).Feed(t.Context(), 5) {
		if err == nil {
			t.Fatal("the feed goes on")
		}
	}
	if len(s.asked) != 2 || s.asked[1].URL.Query().Get("after") != "7" {
		t.Errorf("asked %d times", len(s.asked))
	}
}
