package apiv2

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/holdfast-pay/holdfast/internal/api/once"
	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// api serves the dialect over one door.
type api struct {
	app    *app.App
	log    *slog.Logger
	router *chi.Mux
	once   once.Guard
}

// New returns the handler of the whole dialect. It is meant to be mounted at the root
// of a host, because its clients know an origin only.
func New(a *app.App, log *slog.Logger) http.Handler {
	h := &api{app: a, log: log, router: chi.NewRouter(), once: once.Guard{App: a, Log: log, Refuse: refuseKey}}
	h.router.Use(transport.Recovered(log, "v2", failure().write), transport.ByTidyPath, middleware.GetHead)
	h.router.NotFound(func(w http.ResponseWriter, _ *http.Request) {
		no(wirev2.NotFound, wirev2.MessageNotFound).write(w)
	})
	h.router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", transport.Allow(h.router, r, http.MethodGet, http.MethodPost, http.MethodPatch))
		no(wirev2.MethodNotAllowed, wirev2.MessageMethodNotAllowed).write(w)
	})
	h.routes()
	return h.router
}

func (h *api) routes() {
	r := h.router
	r.Post("/login/api-secret", h.public(h.logIn))
	r.Post("/token/refresh", h.public(h.refreshToken))
	r.Get("/banks", func(w http.ResponseWriter, _ *http.Request) { ok(wirev2.Banks()).write(w) })

	r.Get("/payments", h.list(h.listPayments))
	r.Get("/payments-by-cursor", h.list(h.listByCursor))
	r.Get("/payment-events-by-cursor", h.list(h.listEvents))
	r.Get("/payments/{paymentId}", h.read(h.getPayment))
	r.Get("/payments/{paymentId}/transactions", h.read(h.getTransactions))
	r.Get("/platform/bank-accounts/{bank}/{accountNumber}/holder", h.read(h.getAccountHolder))
	h.writingRoutes()
}

// call is one request of a shop whose credentials are good.
type call struct {
	r    *http.Request
	shop merchant.Merchant
	// fields are the members of the body of a writing call and of the parameters of a
	// list, and of the query of any other reading call.
	fields *body.Fields
}

func (c *call) ctx() context.Context { return c.r.Context() }

// operation answers one call.
type operation func(c *call) answer

// read serves a call that changes nothing and takes its values from the query.
func (h *api) read(op operation) http.HandlerFunc {
	return h.authenticated(func(_ http.ResponseWriter, r *http.Request, shop merchant.Merchant) answer {
		query, err := body.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return unreadable(err)
		}
		c := &call{r: r, shop: shop, fields: query.Fields()}
		if !c.mayBe(c.fields.Text("storeId", storeIDMax)) {
			return no(wirev2.Forbidden, wirev2.MessageForbiddenStore)
		}
		return op(c)
	})
}

// list serves a call whose parameters are one JSON object, in the body or as the
// query's requestBody. None at all means the defaults of every parameter.
func (h *api) list(op operation) http.HandlerFunc {
	return h.authenticated(func(w http.ResponseWriter, r *http.Request, shop merchant.Merchant) answer {
		query, err := body.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return unreadable(err)
		}
		if refusal := named(&shop, query); refusal != nil {
			return *refusal
		}
		sent, err := transport.ReadBody(w, r)
		none := errors.Is(err, body.ErrEmpty)
		if err != nil && !none {
			return unreadable(err)
		}
		if text, given := query.Fields().JSONText("requestBody", body.BytesMax); given && text != "" {
			if !none {
				return no(wirev2.InvalidRequest, wirev2.MessageTwoRequests)
			}
			if sent, err = body.Parse([]byte(text)); err != nil {
				return unreadable(err)
			}
		}
		return op(&call{r: r, shop: shop, fields: sent.Fields()})
	})
}

// named reports what is wrong with the store that a query names; nil if nothing is.
func named(shop *merchant.Merchant, query body.Value) *answer {
	c := &call{shop: *shop, fields: query.Fields()}
	return c.taken(c.fields.Text("storeId", storeIDMax))
}

// public serves a call without credentials.
func (h *api) public(op func(r *http.Request, fields *body.Fields) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := transport.ReadBody(w, r)
		if err != nil {
			unreadable(err).write(w)
			return
		}
		op(r, v.Fields()).write(w)
	}
}

func (h *api) authenticated(next func(http.ResponseWriter, *http.Request, merchant.Merchant) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		shop, err := h.app.ShopByAuthorization(r.Context(), r.Header.Values("Authorization"))
		switch {
		case errors.Is(err, app.ErrUnauthorized):
			no(wirev2.Unauthorized, wirev2.MessageUnauthorized).write(w)
		case err != nil:
			h.failed(r, err).write(w)
		default:
			h.once.Serve(w, r, shop.ID, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next(w, r, shop).write(w) }))
		}
	}
}

// refuseKey refuses a request for the sake of its Idempotency-Key.
func refuseKey(w http.ResponseWriter, _ *http.Request, why once.Reason) {
	kinds := map[once.Reason]wirev2.ErrorType{once.Outstanding: wirev2.KeyOutstanding, once.Unavailable: wirev2.Unavailable}
	status := why.Status()
	if why == once.Lost { // to repeat it leads nowhere
		status = http.StatusBadRequest
	}
	answer{status, wirev2.NewError(cmp.Or(kinds[why], wirev2.InvalidRequest), why.Korean())}.write(w)
}
