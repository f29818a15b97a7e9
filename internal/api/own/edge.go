package own

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/api/once"
	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// Edge is one of the APIs.
type Edge struct {
	Name string // for the log
	App  *app.App
	Log  *slog.Logger
	// Field spells a field of the rules as the API does; nil leaves it as it is.
	Field func(string) string
}

// Handler answers one call.
type Handler func(*http.Request) (Reply, error)

// Router routes by whole escaped paths, under whatever router it is mounted.
// authorize lets a call through or answers it, and merchant is for whom it speaks
// then, empty for the operator; a call with an Idempotency-Key acts once. Values
// of the path are read by [transport.PathValue].
func (e *Edge) Router(authorize func(http.Handler) http.Handler, merchant func(*http.Request) string) *chi.Mux {
	r := chi.NewRouter()
	acts := once.Guard{App: e.App, Log: e.Log, Refuse: refuseKey}
	r.Use(escaped, authorize, acts.Middleware(merchant))
	r.NotFound(e.Handle(func(*http.Request) (Reply, error) {
		return Reply{}, Refuse(http.StatusNotFound, string(escrow.NotFound), "", "there is no such call")
	}))
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Allow", transport.Allow(r, req, http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete))
		Refuse(http.StatusMethodNotAllowed, "method_not_allowed", "", "this address does not take this method").Write(w)
	})
	return r
}

func escaped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chi.RouteContext(r.Context()).RoutePath = r.URL.EscapedPath()
		next.ServeHTTP(w, r)
	})
}

// Alone lets the routes see the whole path under whatever router they are mounted.
func Alone(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, (*chi.Context)(nil))))
	})
}

// Handle turns what a handler answers into HTTP.
func (e *Edge) Handle(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, body.BytesMax)
		answer, err := h(r)
		if err != nil {
			e.Refuse(w, r, err)
			return
		}
		answer.write(w)
	}
}

// Refuse answers with an error.
func (e *Edge) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	no := e.refusalOf(err)
	if no.Status >= http.StatusInternalServerError {
		e.Log.ErrorContext(r.Context(), e.Name+": a call failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	no.Write(w)
}

// refusalOf gives every error its place.
func (e *Edge) refusalOf(err error) *Refusal {
	var own *Refusal
	var problems body.Problems
	var rule *escrow.Refusal
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &problems):
		first := problems[0]
		r := Refuse(http.StatusBadRequest, string(escrow.Invalid), first.Field, first.Reason.English)
		r.Problems = problems
		return r
	case errors.As(err, &rule):
		return Refuse(statusOf(rule.Code), string(rule.Code), e.field(rule.Field), rule.Reason)
	case app.IsUnavailable(err):
		return Refuse(http.StatusServiceUnavailable, once.Unavailable.Code(), "", once.Unavailable.English())
	}
	if no := unreadable(err); no != nil {
		return no
	}
	return Refuse(http.StatusInternalServerError, "fault", "", "something went wrong; the server's log says what")
}

func (e *Edge) field(name string) string {
	if e.Field == nil {
		return name
	}
	return e.Field(name)
}

// unreadable says why a body or query could not be read; nil for any other error.
func unreadable(err error) *Refusal {
	var syntax *body.SyntaxError
	var large *http.MaxBytesError
	tooLarge := body.ReasonTooLarge
	switch {
	case errors.As(err, &large):
		return Refuse(http.StatusRequestEntityTooLarge, tooLarge.Code, "", tooLarge.English)
	case errors.As(err, &syntax) && syntax.Reason.Code == tooLarge.Code:
		return Refuse(http.StatusRequestEntityTooLarge, tooLarge.Code, "", syntax.Error())
	case errors.As(err, &syntax):
		return Refuse(http.StatusBadRequest, syntax.Reason.Code, "", syntax.Error())
	case errors.Is(err, transport.ErrCompressed):
		return Refuse(http.StatusUnsupportedMediaType, "compressed", "", "the body must not be compressed")
	}
	return nil
}

// statusOf is the HTTP status of a rule's refusal: what was asked is wrong in
// itself, does not exist, is not allowed, or does not fit what is there.
func statusOf(code escrow.Code) int {
	switch code {
	case escrow.Invalid, escrow.NeedsRefundAccount, escrow.ExceedsBalance:
		return http.StatusBadRequest
	case escrow.NotFound:
		return http.StatusNotFound
	case escrow.Forbidden:
		return http.StatusForbidden
	default:
		return http.StatusConflict
	}
}
