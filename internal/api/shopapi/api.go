package shopapi

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/api/own"
	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the OpenAPI 3.1 document of this API as JSON. The caller must
// not change it.
func OpenAPI() []byte { return openAPI }

// Root is the path under which the API lives.
const Root = "/holdfast/v1/"

// Config is what the API needs.
type Config struct {
	App *app.App
	// Body is what an endpoint is told.
	Body Telling
	// Ending is closed when readers of the feed must not wait any longer.
	Ending <-chan struct{}
	Log    *slog.Logger
}

// Telling is what an endpoint is told of an event under a name.
type Telling func(m *merchant.Merchant, e *merchant.Endpoint, name string, p *escrow.Payment, logged *app.LoggedEvent) ([]byte, error)

type api struct {
	own.Edge
	Body   Telling
	Ending <-chan struct{}
}

// actor is the shop's server in the audit log.
const actor = "shop API"

// New returns the API.
func New(c Config) http.Handler {
	s := &api{own.Edge{Name: "shop", App: c.App, Log: c.Log}, c.Body, c.Ending}
	return own.Alone(s.router())
}

func (s *api) router() chi.Router {
	r := s.Router(s.authorize, func(r *http.Request) string { return shopOf(r).ID })
	for pattern, h := range map[string]handler{
		"GET endpoints":                       s.listEndpoints,
		"POST endpoints":                      s.createEndpoint,
		"GET endpoints/{id}":                  s.showEndpoint,
		"PATCH endpoints/{id}":                s.changeEndpoint,
		"DELETE endpoints/{id}":               s.deleteEndpoint,
		"POST endpoints/{id}/on":              s.switchEndpoint(true),
		"POST endpoints/{id}/off":             s.switchEndpoint(false),
		"POST endpoints/{id}/rotate-secret":   s.rotateSecret,
		"POST endpoints/{id}/drop-old-secret": s.dropOldSecret,
		"POST endpoints/{id}/test":            s.testEndpoint,
		"POST endpoints/{id}/replay":          s.replay,
		"GET deliveries":                      s.listDeliveries,
		"GET deliveries/{id}":                 s.showDelivery,
		"POST deliveries/{id}/replay":         s.replayDelivery,
		"GET events":                          s.listEvents,
		"GET payouts":                         s.listPayouts,
		"GET payouts/{id}":                    s.showPayout,
		"GET payouts/{id}/lines":              s.listPayoutLines,
	} {
		method, tail, _ := strings.Cut(pattern, " ")
		r.Method(method, Root+tail, s.handle(h))
	}
	return r
}

// call is a request with its shop.
type call struct {
	*http.Request
	shop merchant.Merchant
}

// id is the id in the path; one that is no text is empty, and names nothing.
func (c *call) id() string {
	id, _ := transport.PathValue(c.Request, "id")
	return id
}

type handler func(*call) (any, error)

type shopKey struct{}

func shopOf(r *http.Request) merchant.Merchant {
	m, _ := r.Context().Value(shopKey{}).(merchant.Merchant)
	return m
}

// authorize lets calls of a shop through, and no other ones.
func (s *api) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, err := s.App.ShopByAuthorization(r.Context(), r.Header.Values("Authorization"))
		if err == nil {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), shopKey{}, m)))
			return
		}
		if errors.Is(err, app.ErrUnauthorized) {
			w.Header().Set("WWW-Authenticate", `PortOne realm="holdfast"`)
			err = own.Refuse(http.StatusUnauthorized, "unauthorized", "", "the shop's API secret is required, in one header: Authorization: PortOne SECRET")
		}
		s.Refuse(w, r, err)
	})
}

func (s *api) handle(h handler) http.HandlerFunc {
	return s.Handle(func(r *http.Request) (own.Reply, error) {
		return own.Answer(h(&call{r, shopOf(r)}))
	})
}
