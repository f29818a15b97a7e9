package shopapi

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/api/once"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
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
	// Body is what an endpoint is told of an event under a name.
	Body func(m *merchant.Merchant, e *merchant.Endpoint, name string, p *escrow.Payment, logged *app.LoggedEvent) ([]byte, error)
	// Ending is closed when readers of the feed must not wait any longer.
	Ending <-chan struct{}
	Log    *slog.Logger
}

type api struct{ Config }

// actor is the shop's server in the audit log.
const actor = "shop API"

// New returns the API.
func New(c Config) http.Handler {
	s := &api{c}
	mux := http.NewServeMux()
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
	} {
		method, tail, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+Root+tail, s.handle(h))
	}
	unknown := s.handle(func(*call) (any, error) {
		return nil, refuse(http.StatusNotFound, "not_found", "", "there is no such call")
	})
	mux.HandleFunc("/", unknown)
	tidy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path.Clean(r.URL.Path) != r.URL.Path { // the mux would redirect, which makes a GET of a POST
			unknown(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
	acts := once.Guard{App: c.App, Log: c.Log, Refuse: func(w http.ResponseWriter, _ *http.Request, why once.Reason) {
		refuse(why.Status(), why.Code(), "", why.English()).write(w)
	}}
	return s.authorize(acts.Middleware(func(r *http.Request) string { return shopOf(r).ID })(tidy))
}

// call is a request with its shop.
type call struct {
	*http.Request
	shop merchant.Merchant
}

type handler func(*call) (any, error)

type shopKey struct{}

func shopOf(r *http.Request) merchant.Merchant {
	m, _ := r.Context().Value(shopKey{}).(merchant.Merchant)
	return m
}

func (s *api) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, body.BytesMax)
		m, err := s.App.ShopByAuthorization(r.Context(), r.Header.Get("Authorization"))
		if err != nil {
			if errors.Is(err, app.ErrUnauthorized) {
				w.Header().Set("WWW-Authenticate", `PortOne realm="holdfast"`)
				err = refuse(http.StatusUnauthorized, "unauthorized", "", "the shop's API secret is required: Authorization: PortOne SECRET")
			}
			s.refusalOf(r, err).write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), shopKey{}, m)))
	})
}

func (s *api) handle(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out, err := h(&call{r, shopOf(r)})
		if err != nil {
			s.refusalOf(r, err).write(w)
			return
		}
		write(w, http.StatusOK, out)
	}
}

func write(w http.ResponseWriter, status int, value any) {
	raw, err := json.Marshal(value)
	if err != nil {
		http.Error(w, `{"error":{"code":"fault","field":"","message":"something went wrong"}}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client is gone if this fails
}

// refusal is an answer that says no.
type refusal struct {
	status               int
	code, field, message string
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

func (r *refusal) write(w http.ResponseWriter) {
	write(w, r.status, map[string]any{"error": map[string]string{"code": r.code, "field": r.field, "message": r.message}})
}

func refuse(status int, code, field, message string) *refusal {
	return &refusal{status, code, field, message}
}

// refusalOf gives every error its place in this API. What is no refusal is a
// fault: it is logged, and the caller learns only that there was one.
func (s *api) refusalOf(r *http.Request, err error) *refusal {
	var own *refusal
	var problems body.Problems
	var syntax *body.SyntaxError
	var large *http.MaxBytesError
	var no *escrow.Refusal
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &problems):
		return refuse(http.StatusBadRequest, string(escrow.Invalid), problems[0].Field, problems[0].Reason.English)
	case errors.As(err, &large):
		return refuse(http.StatusRequestEntityTooLarge, body.ReasonTooLarge.Code, "", body.ReasonTooLarge.English)
	case errors.As(err, &syntax):
		return refuse(http.StatusBadRequest, syntax.Reason.Code, "", syntax.Error())
	case errors.As(err, &no):
		return refuse(statusOf(no.Code), string(no.Code), no.Field, no.Reason)
	case app.IsUnavailable(err):
		return refuse(http.StatusServiceUnavailable, "unavailable", "", "the database does not answer now; nothing was changed; try again")
	}
	s.Log.ErrorContext(r.Context(), "a call of a shop failed", "method", r.Method, "path", r.URL.Path, "error", err)
	return refuse(http.StatusInternalServerError, "fault", "", "something went wrong; the server's log says what")
}

func statusOf(code escrow.Code) int {
	switch code {
	case escrow.Invalid:
		return http.StatusBadRequest
	case escrow.NotFound:
		return http.StatusNotFound
	default:
		return http.StatusConflict
	}
}

// fields reads the body, a JSON object; none counts as an empty one.
func (c *call) fields() (*body.Fields, error) {
	raw, err := io.ReadAll(c.Body)
	if err != nil {
		return nil, err
	}
	v, err := body.Parse(raw)
	if errors.Is(err, body.ErrEmpty) {
		return body.Named().Fields(), nil
	}
	if err != nil {
		return nil, err
	}
	return v.Fields(), nil
}

// query reads the query.
func (c *call) query() (*body.Fields, error) {
	v, err := body.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	return v.Fields(), nil
}
