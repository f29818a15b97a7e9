package serve

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
)

// dialects passes a request to the PortOne dialect that it speaks. Both live at the
// root, because their clients drop a path from the base address, and both have
// /payments and /banks. First of all the host decides, then the credentials, then a
// path that only one of them has. Who says nothing of either is answered by V1.
type dialects struct {
	v1, v2           http.Handler
	v1Hosts, v2Hosts []string // in small letters, without a port
}

// ServeHTTP passes the request on.
func (d dialects) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.speaksV2(r) {
		d.v2.ServeHTTP(w, r)
		return
	}
	d.v1.ServeHTTP(w, r)
}

func (d dialects) speaksV2(r *http.Request) bool {
	host := hostOf(r)
	switch {
	case slices.Contains(d.v2Hosts, host):
		return true
	case slices.Contains(d.v1Hosts, host):
		return false
	}
	if decided, v2 := byCredentials(r); decided {
		return v2
	}
	return byPath(r)
}

func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	return strings.ToLower(host)
}

// byCredentials looks at the form of the credentials. Both dialects have Bearer
// tokens, which differ by their beginning.
func byCredentials(r *http.Request) (decided, v2 bool) {
	header := strings.TrimSpace(r.Header.Get("Authorization"))
	scheme, value, _ := strings.Cut(header, " ")
	value = strings.TrimSpace(value)
	switch {
	case strings.EqualFold(scheme, app.SecretScheme), strings.EqualFold(scheme, "Bearer") && app.IsAccessToken(value):
		return true, true
	case app.IsV1Token(header), strings.EqualFold(scheme, "Bearer") && app.IsV1Token(value),
		r.Header.Get("X-ImpTokenHeader") != "", r.URL.Query().Has("_token"):
		return true, false
	}
	return false, false
}

// Paths by their segments; "*" is any one.
var (
	onlyV2 = []string{
		"login/api-secret", "token/refresh", "payments-by-cursor", "payment-events-by-cursor", "cash-receipts", "platform/*/*/*/*",
		"payments/*/transactions", "payments/*/pre-register", "payments/*/instant", "payments/*/confirm", "payments/*/cancel",
		"payments/*/cancellations/*/stop", "payments/*/virtual-account/close", "payments/*/escrow/logistics", "payments/*/escrow/complete",
		"payments/*/resend-webhook", "payments/*/register-store-receipt", "payments/*/cash-receipt", "payments/*/cash-receipt/cancel",
		"banks", // the other dialect's asks for a token
	}
	// notV2 are V1's among them, in which a word stands where V2 has an id.
	notV2 = []string{"payments/find/*", "payments/findAll/*", "payments/status/*", "payments/prepare/*"}
)

// byPath reports whether the path belongs to V2 alone.
func byPath(r *http.Request) bool {
	segments := strings.Split(strings.Trim(transport.TidyPath(r), "/"), "/")
	fits := func(pattern string) bool {
		words := strings.Split(pattern, "/")
		return len(words) == len(segments) && sameSegments(words, segments)
	}
	return slices.ContainsFunc(onlyV2, fits) && !slices.ContainsFunc(notV2, fits)
}

func sameSegments(pattern, segments []string) bool {
	for i, w := range pattern {
		if w != "*" && w != segments[i] {
			return false
		}
	}
	return true
}
