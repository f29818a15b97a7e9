package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/api/once"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the OpenAPI 3.1 document of this API as JSON. The caller must
// not change it.
func OpenAPI() []byte { return openAPI }

// operator is the actor of every call in the audit log.
const operator = "operator"

type api struct {
	app   *app.App
	token [sha256.Size]byte
	open  bool // whether there is a token at all
	log   *slog.Logger
}

// New returns the API. It routes by whole paths that begin with /admin/v1.
func New(a *app.App, token string, log *slog.Logger) http.Handler {
	s := &api{app: a, token: sha256.Sum256([]byte(token)), open: token != "", log: log}
	return alone(s.router())
}

func (s *api) router() chi.Router {
	r := chi.NewRouter()
	acts := once.Guard{App: s.app, Log: s.log, Refuse: refuseKey}
	r.Use(s.authorize, acts.Middleware(func(*http.Request) string { return "" }))
	r.NotFound(s.handle(func(*http.Request) (reply, error) { return reply{}, errNoSuchCall }))
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Allow", allowed(r, req.URL.Path))
		errNotThisMethod.write(w)
	})
	r.Route("/admin/v1", s.routes)
	return r
}

// allowed lists the methods that an address takes.
func allowed(routes chi.Routes, path string) string {
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		if routes.Match(chi.NewRouteContext(), m, path) {
			methods = append(methods, m)
		}
	}
	return strings.Join(methods, ", ")
}

// alone lets the routes see the whole path under whatever router they are mounted.
func alone(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, (*chi.Context)(nil))))
	})
}

func (s *api) routes(r chi.Router) {
	get := func(path string, h handler) { r.Get(path, s.handle(h)) }
	post := func(path string, h handler) { r.Post(path, s.handle(h)) }
	get("/merchants", s.listMerchants)
	post("/merchants", s.createMerchant)
	get("/merchants/{merchant}", s.showMerchant)
	r.Patch("/merchants/{merchant}", s.handle(s.changeMerchant))
	get("/merchants/{merchant}/contracts", s.listContracts)
	post("/merchants/{merchant}/contracts/{method}", s.applyContract)
	get("/merchants/{merchant}/keys", s.listKeys)
	post("/merchants/{merchant}/keys", s.createKey)
	r.Delete("/merchants/{merchant}/keys/{key}", s.handle(s.revokeKey))
	get("/merchants/{merchant}/secrets", s.listSecrets)
	post("/merchants/{merchant}/secrets", s.createSecret)
	r.Delete("/merchants/{merchant}/secrets/{secret}", s.handle(s.revokeSecret))
	post("/merchants/{merchant}/staff", s.createStaff)
	get("/merchants/{merchant}/audit", s.listMerchantAudit)
	get("/audit", s.listAudit)

	get("/merchants/{merchant}/payments", s.listPayments)
	get("/merchants/{merchant}/payments/{payment}", s.showPayment)
	for name, read := range acts {
		post("/merchants/{merchant}/payments/{payment}/"+name, s.act(read))
	}
	post("/mails/{mail}/bounce", s.bounceMail)

	get("/merchants/{merchant}/lines", s.listLines)
	get("/merchants/{merchant}/payouts", s.listPayouts)
	get("/merchants/{merchant}/payouts/{payout}", s.showPayout)
	post("/merchants/{merchant}/payouts/resume", s.resumePayouts)
	get("/books", s.showBooks)
	get("/books/held", s.showHeld)
	get("/books/held/days", s.showHeldDays)
	get("/books/audit", s.showAudited)
	post("/books/release", s.releasePayouts)

	get("/calendar/overrides", s.listOverrides)
	post("/calendar/overrides", s.putOverride)
	r.Delete("/calendar/overrides/{date}", s.handle(s.dropOverride))
}

// authorize lets only the operator's token through. Both sides are hashed first,
// so that the comparison takes the same time for every token of every length.
func (s *api) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		hash := sha256.Sum256([]byte(strings.TrimSpace(given)))
		same := subtle.ConstantTimeCompare(hash[:], s.token[:]) == 1
		if !s.open || !same || !strings.EqualFold(scheme, "Bearer") || len(r.Header.Values("Authorization")) > 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="holdfast admin"`)
			refuse(http.StatusUnauthorized, "unauthorized", "", s.closed()).write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// closed says why a caller is not let in.
func (s *api) closed() string {
	if !s.open {
		return "the admin API is closed: the server has no admin_token in its settings (HOLDFAST_ADMIN_TOKEN)"
	}
	return "the operator's token is required, that of admin_token in the server's settings: Authorization: Bearer TOKEN"
}

// refuseKey refuses a request for the sake of its Idempotency-Key.
func refuseKey(w http.ResponseWriter, _ *http.Request, why once.Reason) {
	refuse(why.Status(), why.Code(), "", why.English()).write(w)
}

// by is the operator acting on a payment.
func by(version int64, detail string) app.Act {
	return app.Act{Who: operator, As: escrow.Operator, Version: version, Detail: detail}
}
