package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/admin"
	"github.com/holdfast-pay/holdfast/internal/api/apiv1"
	"github.com/holdfast-pay/holdfast/internal/api/apiv2"
	"github.com/holdfast-pay/holdfast/internal/api/shopapi"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/sandbox"
	"github.com/holdfast-pay/holdfast/internal/web/console"
	"github.com/holdfast-pay/holdfast/internal/web/decide"
	"github.com/holdfast-pay/holdfast/internal/web/docs"
	"github.com/holdfast-pay/holdfast/internal/web/pay"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
	"github.com/holdfast-pay/holdfast/internal/web/verify"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
	"github.com/holdfast-pay/holdfast/internal/work"
	"github.com/holdfast-pay/holdfast/sdk"
)

// mount is an edge and the path under which it lives. A path that ends in a
// slash takes everything below it, and itself without the slash.
type mount struct {
	path string
	edge http.Handler
}

// router finds the edge of a path. It decides by prefix alone and rewrites
// nothing: PortOne's clients send doubled and trailing slashes that a redirect
// would break, and payment ids may carry escaped slashes. What no edge claims
// is PortOne's, which lives at the root. The bare address, which PortOne does
// not use, leads a person to the documents.
type router struct {
	mounts []mount
	root   http.Handler
}

// ServeHTTP passes the request to the longest prefix that fits.
func (rt router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" && r.Method == http.MethodGet {
		http.Redirect(w, r, "/docs", http.StatusFound)
		return
	}
	best := mount{edge: rt.root}
	for _, m := range rt.mounts {
		fits := r.URL.Path == m.path || r.URL.Path+"/" == m.path ||
			(strings.HasSuffix(m.path, "/") && strings.HasPrefix(r.URL.Path, m.path))
		if fits && len(m.path) > len(best.path) {
			best = m
		}
	}
	best.edge.ServeHTTP(w, r)
}

func (s *Server) routes(proxies []netip.Prefix) http.Handler {
	numbers := newMetrics(s.App, func() float64 { return float64(s.backups.last.Load()) })
	portone := dialects{
		v1: apiv1.New(s.App, s.log), v2: apiv2.New(s.App, s.log),
		v1Hosts: s.config.Hosts(s.config.V1Hosts), v2Hosts: s.config.Hosts(s.config.V2Hosts),
	}
	rt := router{
		root: portone,
		mounts: []mount{
			{"/healthz", http.HandlerFunc(healthy)},
			{"/readyz", http.HandlerFunc(s.ready)},
			{"/metrics", numbers.handler()},
			{"/v1/iamport.js", sdk.New()},
			{"/js/", sdk.New()},
			{"/v2/browser-sdk.js", sdk.New()},
			{"/v2/browser-sdk.esm.js", sdk.New()},
			{"/assets/", ui.Static()},
			{"/docs/", documents()},
			{"/pay/", pay.New(pay.Config{App: s.App, Log: s.log, Secret: s.secret})},
			{"/console/", console.New(s.App, console.Config{Secure: strings.HasPrefix(s.config.BaseURL, "https://")}, s.log)},
			{"/admin/v1/", admin.New(s.App, string(s.config.AdminToken), s.log)},
			{shopapi.Root, shopapi.New(shopapi.Config{App: s.App, Body: work.Body, Ending: s.Loops.Ending(), Log: s.log})},
			{"/sandbox/", sandbox.New(s.App, s.Loops, s.Bank, s.Carrier, s.log)},
			{decide.Prefix, decide.New(s.App, s.operator(), s.log)},
			{verify.Prefix, verify.New(s.App, s.operator(), s.log)},
		},
	}
	return guard(s.unreplaced(behind(proxies, rt), portone.speaksV2), s.log, numbers, portone.speaksV2)
}

// unreplaced refuses everything but what balancers and monitors ask once another
// node has put its secret in the place of this one's: sessions, tokens and links
// would be made and judged by one that counts no more.
func (s *Server) unreplaced(next http.Handler, speaksV2 func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.App.Replaced() && !slices.Contains([]string{"/healthz", "/readyz", "/metrics"}, r.URL.Path) {
			answer(w, http.StatusServiceUnavailable, inDialect(speaksV2(r), http.StatusServiceUnavailable, wirev1.MessageFailure))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// documents are the API documents, browsable.
func documents() http.Handler {
	return docs.New(
		docs.Document{Name: "v1", Short: "PortOne V1", Title: "PortOne V1 API", About: "What shops call: payments, virtual accounts, cancels, escrow deliveries, cash receipts.", JSON: wirev1.OpenAPI()},
		docs.Document{Name: "v2", Short: "PortOne V2", Title: "PortOne V2 API", About: "The same payments in the second dialect, for shops' servers that speak it.", JSON: wirev2.OpenAPI()},
		docs.Document{Name: "shop", Short: "Shop", Title: "Shop API", About: "What a shop's server calls to be told of things: endpoints, the log of webhooks, replays, the feed of all events, and its payouts.", JSON: shopapi.OpenAPI()},
		docs.Document{Name: "sandbox", Short: "Sandbox", Title: "Sandbox API", About: "What a shop's developers call to play the buyer, the bank, the carrier, the mail server and time.", JSON: sandbox.OpenAPI()},
		docs.Document{Name: "admin", Short: "Admin", Title: "Admin API", About: "What the operator calls: merchants, keys, calendar, books, payouts.", JSON: admin.OpenAPI()},
	)
}

// healthy says that the process answers.
func healthy(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready says that the database answers too, that this node is fit to serve and
// not about to end, and whether the books agree. A violation stops payouts and nothing else:
// the server goes on taking requests.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.retiring.Load() {
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "the server is being stopped"})
		return
	}
	err := s.App.Ready(r.Context())
	if app.IsUnfit(err) { // the log says so when it begins
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": unfit(err)})
		return
	}
	if err != nil {
		s.log.Error("not ready", "error", err)
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "the database does not answer"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready", "books": s.books(r.Context())})
}

// unfit is why a node is not fit to serve, in words that anybody may read.
func unfit(err error) string {
	for _, known := range []error{app.ErrClock, app.ErrOtherSecret} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "the database is out of service: it was moved away"
}

// books is how the books stand, in words.
func (s *Server) books(ctx context.Context) string {
	stopped, err := s.App.PayoutsStopped(ctx)
	switch {
	case err != nil:
		return "unknown"
	case stopped:
		return "violation: payouts are stopped (holdfast books status)"
	}
	released, err := s.App.Released(ctx)
	switch {
	case err != nil:
		return "unknown"
	case released > 0:
		return fmt.Sprintf("released: %d (holdfast books verify tells what still stands)", released)
	}
	return "no violation"
}

func answer(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "server error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client is gone if this fails
}
