package sandbox

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"

	"github.com/holdfast-pay/holdfast/internal/api/once"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// Loops does the work that falls due.
type Loops interface {
	// Drain does everything that is due for a merchant now, and what follows.
	Drain(ctx context.Context, merchantID string) error
	// Advance moves a merchant's test clock to an instant and returns when
	// everything that falls due on the way is done.
	Advance(ctx context.Context, merchantID string, to time.Time) error
}

// server answers everything under /sandbox.
type server struct {
	app     *app.App
	loops   Loops
	bank    bank.Simulator
	carrier carrier.Simulator
	log     *slog.Logger
	guesses *httprate.RateLimiter
	moving  sync.Map // merchant id -> struct{}; whose clock is being moved
}

// Bounds on wrong credentials from one address.
const (
	guessesMax   = 30
	guessesPause = time.Minute
)

// New builds the sandbox of a server. It answers /sandbox and everything below
// it, by the whole path of the request: the path must not be stripped.
func New(a *app.App, loops Loops, b bank.Simulator, c carrier.Simulator, log *slog.Logger) http.Handler {
	site.Ready()
	s := &server{app: a, loops: loops, bank: b, carrier: c, log: log, guesses: httprate.NewRateLimiter(guessesMax, guessesPause)}
	// Browsers add remembered credentials to whatever another site makes them
	// send, so nothing that changes anything may come from another site.
	return http.NewCrossOriginProtection().Handler(byWholePath(s.routes()))
}

// nothingHere is the answer at an address that does not exist, be it only for
// whoever asks.
func nothingHere() answer {
	a := fault(http.StatusNotFound, wirev1.MessageNotFound)
	a.english = "there is no such address; /docs/sandbox lists those of the sandbox"
	return a
}

func (s *server) routes() http.Handler {
	r := chi.NewRouter()
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		nothingHere().in(ui.Language(r)).write(w)
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, _ *http.Request) {
		fault(http.StatusMethodNotAllowed, wirev1.MessageMethodNotAllowed).write(w)
	})
	r.Get("/sandbox/openapi.json", serveOpenAPI)
	r.Handle("/sandbox/assets/*", assets)
	r.Group(func(r chi.Router) {
		r.Use(s.authenticated(challengePage))
		r.Get("/sandbox", s.showPage)
		r.Post("/sandbox", s.actOnPage)
		r.Get("/sandbox/mails/{id}/body", s.serveMailBody)
	})
	r.Group(func(r chi.Router) {
		acts := once.Guard{App: s.app, Log: s.log, Refuse: refuseKey}
		r.Use(s.authenticated(challengeAPI), acts.Middleware(func(r *http.Request) string { return merchantOf(r.Context()).ID }))
		for _, o := range s.operations() {
			r.Method(o.method, o.path, s.serve(o.do))
		}
	})
	return r
}

// operation answers one call of the API.
type operation func(ctx context.Context, c *call) (any, error)

type route struct {
	method, path string
	do           operation
}

// operations is the whole API.
func (s *server) operations() []route {
	return []route{
		{http.MethodPost, "/sandbox/payments", s.pay},
		{http.MethodGet, "/sandbox/payments/{imp_uid}", s.showLife},
		{http.MethodPost, "/sandbox/payments/{imp_uid}/decision", s.decide},
		{http.MethodGet, "/sandbox/clock", s.showClock},
		{http.MethodPost, "/sandbox/clock", s.advance},
		{http.MethodPost, "/sandbox/clock/advance", s.advance},
		{http.MethodPost, "/sandbox/bank/deposits", s.deposit},
		{http.MethodPost, "/sandbox/bank/reversals", s.reverse},
		{http.MethodGet, "/sandbox/bank/behaviours", s.listBehaviours},
		{http.MethodPost, "/sandbox/bank/behaviours", s.misbehave},
		{http.MethodDelete, "/sandbox/bank/behaviours", s.clearBehaviours},
		{http.MethodPost, "/sandbox/bank/releases", s.release},
		{http.MethodPost, "/sandbox/bank/returns", s.returnOrder},
		{http.MethodGet, "/sandbox/bank/orders", s.listOrders},
		{http.MethodGet, "/sandbox/carrier/parcels", s.listParcels},
		{http.MethodPost, "/sandbox/carrier/parcels", s.directParcel},
		{http.MethodGet, "/sandbox/mails", s.listMails},
		{http.MethodGet, "/sandbox/mails/{id}", s.showMail},
		{http.MethodPost, "/sandbox/mails/{id}/bounce", s.bounce},
		{http.MethodGet, "/sandbox/scenarios", s.listScenarios},
		{http.MethodPost, "/sandbox/scenarios", s.runScenario},
	}
}

// byWholePath routes by the path as it was sent, without a slash at its end,
// whatever a router around this one has made of it.
func byWholePath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rctx := chi.NewRouteContext()
		rctx.RoutePath = strings.TrimRight(r.URL.EscapedPath(), "/")
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, rctx)))
	})
}
