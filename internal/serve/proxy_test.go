package serve_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// TestWhoIsBehindAProxy: sixty windows a minute are one caller's limit; whoever
// is counted as that caller gets no more.
func TestWhoIsBehindAProxy(t *testing.T) {
	s := servetest.Run(t, servetest.Config(func(c *config.Config) { c.TrustedProxies = []string{"10.0.0.0/8", "fd00::/8"} }))
	ask := func(peer string, forwarded ...string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/pay/v1/open", strings.NewReader("{"))
		r.RemoteAddr = peer
		for _, f := range forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w.Code
	}
	for range 60 {
		ask("10.0.0.7:4711", "203.0.113.9")
	}
	for _, c := range []struct {
		peer      string
		forwarded []string
		same      bool
	}{
		{"10.0.0.7:4711", []string{"203.0.113.9"}, true},
		{"[::ffff:10.0.0.8]:4711", []string{"203.0.113.9:1234"}, true},
		{"[fd00::1]:4711", []string{"198.51.100.1, 203.0.113.9, 10.1.1.1"}, true}, // what the caller wrote itself stands left
		{"10.0.0.7:4711", []string{"198.51.100.1", "203.0.113.9"}, true},
		{"203.0.113.9:99", nil, true},
		{"203.0.113.9:99", []string{"198.51.100.2"}, true}, // nobody believes the caller
		{"10.0.0.7:4711", []string{"198.51.100.3"}, false},
		{"10.0.0.7:4711", []string{"203.0.113.9, [2001:db8::1]:443"}, false},
		{"10.0.0.7:4711", []string{"203.0.113.9, nonsense"}, false},
		{"10.0.0.7:4711", nil, false},
		{"10.0.0.7:4711", []string{"203.0.113.9, 10.0.0.9, 10.0.0.10, 192.0.2.1"}, false},
	} {
		if got := ask(c.peer, c.forwarded...); (got == http.StatusTooManyRequests) != c.same {
			t.Errorf("%s for %q: %d; counted as the caller before: want %v", c.peer, c.forwarded, got, c.same)
		}
	}
}

// TestRightKeysAreNotLockedOut: wrong keys from an address do not stop who
// has the right ones, and signing in rightly is no try too many.
func TestRightKeysAreNotLockedOut(t *testing.T) {
	s := servetest.Run(t)
	ask := func(method, path, body string, auth ...string) int {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if len(auth) > 0 {
			r.SetBasicAuth(auth[0], auth[1])
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w.Code
	}
	for range 40 {
		ask(http.MethodGet, "/sandbox/clock", "", s.Key, "guess")
	}
	if wrong, right := ask(http.MethodGet, "/sandbox/clock", "", s.Key, "guess"), ask(http.MethodGet, "/sandbox/clock", "", s.Key, s.Secret); wrong != http.StatusTooManyRequests || right != http.StatusOK {
		t.Errorf("after forty wrong keys a wrong one is %d, the right one %d", wrong, right)
	}
	person := url.Values{"email": {s.Seeded.Email}, "password": {s.Seeded.Password}}.Encode()
	for n := range 12 {
		if got := ask(http.MethodPost, "/console/sign-in", person); got != http.StatusSeeOther {
			t.Fatalf("sign-in %d: %d", n+1, got)
		}
	}
}
