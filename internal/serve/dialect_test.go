package serve

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// TestRefusalsBeforeAnyEdge: V2's clients learn by the kind whether to try again.
func TestRefusalsBeforeAnyEdge(t *testing.T) {
	for status, want := range map[int]wirev2.ErrorType{
		http.StatusServiceUnavailable: wirev2.Unavailable, http.StatusInternalServerError: wirev2.Failure,
		http.StatusNotFound: wirev2.NotFound, http.StatusMethodNotAllowed: wirev2.MethodNotAllowed, http.StatusUnsupportedMediaType: wirev2.InvalidRequest,
	} {
		if got, is := inDialect(true, status, "m").(wirev2.Error); !is || got.Type != want {
			t.Errorf("%d is said as %+v, want %s", status, got, want)
		}
	}
}

// TestDialects: host, then credentials, then path.
func TestDialects(t *testing.T) {
	said := ""
	edge := func(name string) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { said = name })
	}
	d := dialects{v1: edge("v1"), v2: edge("v2"), v1Hosts: []string{"v1.pay.example"}, v2Hosts: []string{"v2.pay.example"}}
	const secret, v1Token, v2Token = "PortOne hfv2_secret", "hfv1~key~mac", "hfv2a~mrc_1~sec_1~1~mac"
	for _, c := range []struct{ host, method, path, authorization, want string }{
		{"", "GET", "/payments", secret, "v2"},
		{"", "GET", "/payments", "Portone hfv2_secret", "v2"},
		{"", "GET", "/payments", "PORTONE unknown", "v2"},
		{"", "GET", "/payments", "Bearer " + v2Token, "v2"},
		{"", "GET", "/payments", "bearer " + v2Token, "v2"},
		{"", "GET", "/payments", "Bearer " + v1Token, "v1"},
		{"", "GET", "/payments", v1Token, "v1"},
		{"", "GET", "/payments", "", "v1"},
		{"", "GET", "/payments", "Bearer unknown", "v1"},
		{"", "GET", "/payments/imp_1", secret, "v2"},
		{"", "POST", "/payments/cancel", secret, "v2"},
		{"", "POST", "/payments/cancel", v1Token, "v1"},
		{"", "POST", "/payments/cancel", "", "v1"},
		{"", "POST", "/payments/order-1/cancel", "", "v2"},
		{"", "POST", "/payments/order%2F1/cancel", "", "v2"},
		{"", "GET", "/payments/find/cancel", "", "v1"},
		{"", "GET", "/payments/status/paid", "", "v1"},
		{"", "GET", "/payments/status/transactions", "", "v1"},
		{"", "GET", "/banks", "", "v2"},
		{"", "GET", "/banks/", "", "v2"},
		{"", "GET", "/banks", v1Token, "v1"},
		{"", "GET", "/banks", secret, "v2"},
		{"", "GET", "/banks/088", "", "v1"},
		{"", "POST", "/users/getToken", "", "v1"},
		{"", "POST", "/login/api-secret", "", "v2"},
		{"", "POST", "/login/api-secret", secret, "v2"},
		{"", "POST", "//token/refresh", "", "v2"},
		{"", "GET", "/payment-events-by-cursor", "", "v2"},
		{"", "GET", "/platform/bank-accounts/SHINHAN/1/holder", "", "v2"},
		{"", "GET", "/nothing", "", "v1"},
		{"", "GET", "/nothing", secret, "v2"},
		{"v2.pay.example", "GET", "/payments", "", "v2"},
		{"V2.pay.example:8443", "POST", "/users/getToken", v1Token, "v2"},
		{"v1.pay.example", "GET", "/payments", secret, "v1"},
		{"other.example", "GET", "/payments", secret, "v2"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil)
		if r.Host = "pay.example"; c.host != "" {
			r.Host = c.host
		}
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		said = ""
		if d.ServeHTTP(httptest.NewRecorder(), r); said != c.want {
			t.Errorf("%s %s %s %q: %s, want %s", c.host, c.method, c.path, c.authorization, said, c.want)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/banks", nil)
	r.Header.Set("X-ImpTokenHeader", "unknown")
	if d.ServeHTTP(httptest.NewRecorder(), r); said != "v1" {
		t.Errorf("an old header: %s, want v1", said)
	}
}
