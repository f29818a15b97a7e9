package apiv1

import (
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
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// api serves the dialect over one door.
type api struct {
	app    *app.App
	log    *slog.Logger
	guard  guard
	once   once.Guard
	router *chi.Mux
}

// New returns the handler of the whole dialect. It is meant to be mounted at the
// root of a host, because many clients drop a prefix of their base address.
func New(a *app.App, log *slog.Logger) http.Handler {
	h := &api{app: a, log: log, router: chi.NewRouter(), once: once.Guard{App: a, Log: log, Refuse: refuseKey, Lenient: true}}
	h.router.Use(transport.Recovered(log, "v1", failure().write), transport.ByTidyPath, middleware.GetHead)
	h.router.NotFound(func(w http.ResponseWriter, _ *http.Request) {
		fault(http.StatusNotFound, wirev1.MessageNotFound).write(w)
	})
	h.router.MethodNotAllowed(h.methodNotAllowed)
	h.routes()
	return h.router
}

func (h *api) routes() {
	r := h.router
	r.Post("/users/getToken", h.public(h.getToken))
	r.Get("/users/pg", h.read(h.listGateways))

	r.Get("/payments", h.read(h.getPayments))
	r.Get("/payments/{imp_uid}", h.read(h.getPayment))
	r.Get("/payments/{imp_uid}/balance", h.read(h.getBalance))
	r.Post("/payments/{imp_uid}/naver/confirm", h.write(h.confirmPurchase, bodyOptional))
	r.Get("/payments/find/{merchant_uid}", h.read(h.findPayment))
	r.Get("/payments/find/{merchant_uid}/{payment_status}", h.read(h.findPayment))
	r.Get("/payments/findAll/{merchant_uid}", h.read(h.findPayments))
	r.Get("/payments/findAll/{merchant_uid}/{payment_status}", h.read(h.findPayments))
	r.Get("/payments/status/{payment_status}", h.read(h.listPayments))
	r.Post("/payments/cancel", h.write(h.cancelPayment, bodyRequired))
	r.Post("/payments/prepare", h.write(h.preparePayment, bodyRequired))
	r.Put("/payments/prepare", h.write(h.changePrepared, bodyRequired))
	r.Get("/payments/prepare/{merchant_uid}", h.read(h.getPrepared))

	r.Post("/vbanks", h.write(h.issueVbank, bodyRequired))
	r.Put("/vbanks", h.write(h.changeVbank, bodyRequired))
	r.Put("/vbanks/{imp_uid}", h.write(h.changeVbank, bodyRequired))
	r.Delete("/vbanks/{imp_uid}", h.write(h.closeVbank, bodyOptional))
	r.Get("/vbanks/holder", h.read(h.getAccountHolder))

	r.Get("/escrows/logis/{imp_uid}", h.read(h.getDelivery))
	r.Post("/escrows/logis/{imp_uid}", h.write(h.registerDelivery, bodyRequired))
	r.Put("/escrows/logis/{imp_uid}", h.write(h.changeDelivery, bodyRequired))

	r.Get("/receipts/{imp_uid}", h.read(h.getReceipt))
	r.Post("/receipts/{imp_uid}", h.write(h.issueReceipt, bodyRequired))
	r.Delete("/receipts/{imp_uid}", h.write(h.revokeReceipt, bodyOptional))
	r.Get("/receipts/external/{merchant_uid}", h.read(h.getExternalReceipt))
	r.Post("/receipts/external/{merchant_uid}", h.write(h.issueExternalReceipt, bodyRequired))
	r.Delete("/receipts/external/{merchant_uid}", h.write(h.revokeExternalReceipt, bodyOptional))

	r.Get("/banks", h.read(h.listBanks))
	r.Get("/banks/{bank_standard_code}", h.read(h.getBank))
}

// call is one request of a shop whose token is good.
type call struct {
	r    *http.Request
	shop merchant.Merchant
	// fields are the members of the body of a writing call, and of the query of
	// a reading one.
	fields *body.Fields
}

func (c *call) ctx() context.Context { return c.r.Context() }

// operation answers one call.
type operation func(c *call) answer

// bodyNeed says whether a writing call must have a body.
type bodyNeed bool

const (
	bodyOptional bodyNeed = false
	bodyRequired bodyNeed = true
)

// read serves a call that changes nothing and takes its values from the query.
func (h *api) read(op operation) http.HandlerFunc {
	return h.authenticated(func(_ http.ResponseWriter, r *http.Request, shop merchant.Merchant) answer {
		query, err := body.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return unreadable(err)
		}
		return op(&call{r: r, shop: shop, fields: query.Fields()})
	})
}

// write serves a call that may change something and takes its values from the
// body.
func (h *api) write(op operation, need bodyNeed) http.HandlerFunc {
	return h.authenticated(func(w http.ResponseWriter, r *http.Request, shop merchant.Merchant) answer {
		v, err := transport.ReadBody(w, r)
		if err != nil && (need == bodyRequired || !errors.Is(err, body.ErrEmpty)) {
			return unreadable(err)
		}
		return op(&call{r: r, shop: shop, fields: v.Fields()})
	})
}

// public serves a call without a token.
func (h *api) public(op func(r *http.Request, fields *body.Fields, w http.ResponseWriter) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := transport.ReadBody(w, r)
		if err != nil {
			unreadable(err).write(w)
			return
		}
		op(r, v.Fields(), w).write(w)
	}
}

func (h *api) authenticated(next func(http.ResponseWriter, *http.Request, merchant.Merchant) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		shop, no := h.caller(r)
		if no != nil {
			no.write(w)
			return
		}
		h.once.Serve(w, r, shop.ID, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next(w, r, shop).write(w) }))
	}
}

// refuseKey refuses a request for the sake of its Idempotency-Key, which PortOne
// V1 does not have.
func refuseKey(w http.ResponseWriter, _ *http.Request, why once.Reason) {
	fault(why.Status(), wirev1.RequestRefused(why.Korean())).write(w)
}

// methodNotAllowed names the methods that the path has.
func (h *api) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", transport.Allow(h.router, r, http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete))
	fault(http.StatusMethodNotAllowed, wirev1.MessageMethodNotAllowed).write(w)
}
