package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/api/own"
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

// root is the path under which the API lives.
const root = "/admin/v1"

type api struct {
	own.Edge
	token [sha256.Size]byte
	open  bool // whether there is a token at all
}

// New returns the API. It routes by whole paths that begin with /admin/v1.
func New(a *app.App, token string, log *slog.Logger) http.Handler {
	s := &api{
		Edge:  own.Edge{Name: "admin", App: a, Log: log, Field: fieldOf},
		token: sha256.Sum256([]byte(token)), open: token != "",
	}
	return own.Alone(s.router())
}

func (s *api) router() chi.Router {
	r := s.Router(s.authorize, func(*http.Request) string { return "" })
	s.routes(r)
	return r
}

func (s *api) routes(r chi.Router) {
	get := func(path string, h own.Handler) { r.Get(root+path, s.Handle(h)) }
	post := func(path string, h own.Handler) { r.Post(root+path, s.Handle(h)) }
	drop := func(path string, h own.Handler) { r.Delete(root+path, s.Handle(h)) }
	get("/merchants", s.listMerchants)
	post("/merchants", s.createMerchant)
	get("/merchants/{merchant}", s.showMerchant)
	r.Patch(root+"/merchants/{merchant}", s.Handle(s.changeMerchant))
	get("/merchants/{merchant}/contracts", s.listContracts)
	post("/merchants/{merchant}/contracts/{method}", s.applyContract)
	get("/merchants/{merchant}/keys", listCredentials(s, s.App.Keys, viewKey))
	post("/merchants/{merchant}/keys", s.createCredential(s.takeKey))
	drop("/merchants/{merchant}/keys/{key}", s.revokeCredential("key", s.App.RevokeKey))
	get("/merchants/{merchant}/secrets", listCredentials(s, s.App.Secrets, viewSecret))
	post("/merchants/{merchant}/secrets", s.createCredential(s.takeAPISecret))
	drop("/merchants/{merchant}/secrets/{secret}", s.revokeCredential("secret", s.App.RevokeSecret))
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
	drop("/calendar/overrides/{date}", s.dropOverride)
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
			own.Refuse(http.StatusUnauthorized, "unauthorized", "", s.closed()).Write(w)
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

// fieldOf spells a field of the rules as this API does.
func fieldOf(field string) string {
	switch field {
	case "terms":
		return "cycle" // fees are checked where they are read
	case "refund_account":
		return "account"
	}
	if _, ok := policyFields[field]; ok {
		return "policy." + field
	}
	return field
}

// by is the operator acting on a payment.
func by(version int64, detail string) app.Act {
	return app.Act{Who: operator, As: escrow.Operator, Version: version, Detail: detail}
}
