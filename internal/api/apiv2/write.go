package apiv2

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// reasonClosed is the fail reason of an account that its shop closed.
const reasonClosed = "계좌말소"

// bodyNeed says whether a writing call must have a body.
type bodyNeed bool

const (
	bodyOptional bodyNeed = false
	bodyRequired bodyNeed = true
)

func (h *api) writingRoutes() {
	post := func(path string, op operation, need bodyNeed) { h.router.Post(path, h.write(op, need)) }
	post("/payments/{paymentId}/pre-register", h.preRegister, bodyRequired)
	post("/payments/{paymentId}/instant", h.payInstantly, bodyRequired)
	post("/payments/{paymentId}/confirm", h.approve, bodyRequired)
	post("/payments/{paymentId}/cancel", h.cancelPayment, bodyRequired)
	post("/payments/{paymentId}/cancellations/{cancellationId}/stop", h.stopCancellation, bodyOptional)
	post("/payments/{paymentId}/virtual-account/close", h.closeAccount, bodyOptional)
	post("/payments/{paymentId}/escrow/logistics", h.registerDelivery, bodyRequired)
	h.router.Patch("/payments/{paymentId}/escrow/logistics", h.write(h.changeDelivery, bodyRequired))
	post("/payments/{paymentId}/escrow/complete", h.completeEscrow, bodyOptional)
	post("/payments/{paymentId}/resend-webhook", h.resendWebhook, bodyOptional)
	post("/cash-receipts", h.issueReceipt, bodyRequired)
	h.router.Get("/payments/{paymentId}/cash-receipt", h.read(h.getReceipt))
	post("/payments/{paymentId}/cash-receipt/cancel", h.cancelReceipt, bodyOptional)
}

// write serves a call that may change something and takes its values from the body.
// The store may be named in the query, as by calls that have no body.
func (h *api) write(op operation, need bodyNeed) http.HandlerFunc {
	return h.authenticated(func(w http.ResponseWriter, r *http.Request, shop merchant.Merchant) answer {
		query, err := body.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return unreadable(err)
		}
		sent, err := transport.ReadBody(w, r)
		if err != nil && (need == bodyRequired || !errors.Is(err, body.ErrEmpty)) {
			return unreadable(err)
		}
		if refusal := named(&shop, query); refusal != nil {
			return *refusal
		}
		return op(&call{r: r, shop: shop, fields: sent.Fields()})
	})
}

// taken reports what is wrong with a call whose values were taken, and with the names
// of the shop among them; nil if nothing is.
func (c *call) taken(named ...string) *answer {
	if err := c.fields.Err(); err != nil {
		a := invalid(err)
		return &a
	}
	if slices.ContainsFunc(named, func(id string) bool { return !c.mayBe(id) }) {
		a := no(wirev2.Forbidden, wirev2.MessageForbiddenStore)
		return &a
	}
	return nil
}

// do gives a command to the payment that stands for the order of the path.
func (h *api) do(c *call, cmd escrow.Command) (app.Result, error) {
	p, err := h.byPath(c)
	if err != nil {
		return app.Result{}, err
	}
	return h.app.Do(c.ctx(), escrow.Shop, c.shop.ID, p.ID, cmd)
}

func (h *api) preRegister(c *call) answer {
	wanted := wirev2.TakePreRegistration(c.fields)
	if refusal := c.taken(wanted.StoreID); refusal != nil {
		return *refusal
	}
	id, err := paymentID(c)
	if err != nil {
		return invalid(err)
	}
	err = h.app.Register(c.ctx(), app.Prepared{Merchant: c.shop.ID, OrderID: id, Amount: int64(wanted.Total), Currency: wirev2.CurrencyKRW})
	if err != nil {
		return h.refuse(c, wirev2.PreRegister, err)
	}
	return ok(wirev2.Nothing{})
}

// payInstantly issues a virtual account without a payment window.
func (h *api) payInstantly(c *call) answer {
	order := wirev2.TakeInstant(c.fields)
	if refusal := c.taken(order.StoreID); refusal != nil {
		return *refusal
	}
	id, err := paymentID(c)
	if err != nil {
		return invalid(err)
	}
	switch {
	case order.ChannelGroup != "" || (order.Channel != "" && order.Channel != c.shop.ChannelKey):
		return no(wirev2.ChannelNotFound, wirev2.MessageChannelNotFound)
	case !order.Account:
		return refused(wirev2.Provider("METHOD_NOT_SUPPORTED", wirev2.MessageOnlyAccounts))
	case order.Fixed:
		return refused(wirev2.Provider("FIXED_NOT_SUPPORTED", wirev2.MessageOnlyNormal))
	case order.Receipt:
		return refused(wirev2.Provider("RECEIPT_NOT_SUPPORTED", wirev2.MessageReceiptLater))
	}
	order.Open.OrderID = id
	if order.Hours > 0 {
		order.Due = h.app.MerchantNow(&c.shop).Add(time.Duration(order.Hours) * time.Hour)
	}
	p, err := h.app.OpenWithAccount(c.ctx(), c.shop.ID, order.Open, app.AccountOrder{Bank: order.Bank, Holder: order.Holder, Due: order.Due})
	if err != nil {
		return h.refuse(c, wirev2.PayInstantly, err)
	}
	return ok(wirev2.NewInstant(&p))
}

// approve carries out what a buyer agreed to in the window of a shop with manual
// approval.
func (h *api) approve(c *call) answer {
	wanted := wirev2.TakeApproval(c.fields)
	if refusal := c.taken(wanted.StoreID); refusal != nil {
		return *refusal
	}
	id, err := paymentID(c)
	if err != nil { // a text that is no order number names none
		return h.refuse(c, wirev2.ConfirmPayment, &escrow.Refusal{Code: escrow.NotFound})
	}
	p, err := h.app.ConfirmPayment(c.ctx(), c.shop.ID, id, app.Confirmation{
		Token: wanted.Token, TxID: wanted.TxID, Currency: wanted.Currency, Total: wanted.Total, TaxFree: wanted.TaxFree, Test: wanted.Test,
	})
	if err != nil {
		return h.refuse(c, wirev2.ConfirmPayment, err)
	}
	return ok(wirev2.NewApproved(&p))
}

// cancelPayment gives money back. A missing amount means everything that is left.
func (h *api) cancelPayment(c *call) answer {
	wanted := wirev2.TakeCancel(c.fields)
	if refusal := c.taken(wanted.StoreID); refusal != nil {
		return *refusal
	}
	p, err := h.byPath(c)
	if err != nil {
		return h.refuse(c, wirev2.CancelPayment, err)
	}
	cmd := wanted.Command
	if p.LacksRefundAccount(cmd) {
		return no(wirev2.InvalidRequest, wirev2.MessageRefundAccount)
	}
	res, err := h.app.Do(c.ctx(), escrow.Shop, c.shop.ID, p.ID, cmd)
	if err != nil {
		return h.refuse(c, wirev2.CancelPayment, err)
	}
	return ok(wirev2.Cancelled{Cancellation: cancellationOf(&res)})
}

// cancellationOf is the refund that a cancel made: the newest one, unless the cancel
// is told after others have followed.
func cancellationOf(res *app.Result) wirev2.Cancellation {
	all := wirev2.CancellationsOf(&res.Payment)
	for _, e := range res.Events {
		for _, x := range all {
			if e.Type == escrow.EventRefundOrdered && strings.HasPrefix(e.Ref, x.ID+"-") || e.Type == escrow.EventRefundAccountAsked && e.Ref == x.ID {
				return x
			}
		}
	}
	return all[len(all)-1]
}

// stopCancellation answers whether a cancel waits. What was decided here is not taken
// back: the money is the buyer's from then on.
func (h *api) stopCancellation(c *call) answer {
	if refusal := c.taken(wirev2.TakeStoreOnly(c.fields)); refusal != nil {
		return *refusal
	}
	p, err := h.byPath(c)
	if err != nil {
		return h.refuse(c, wirev2.StopCancellation, err)
	}
	id, _ := transport.PathValue(c.r, "cancellationId")
	for _, x := range wirev2.CancellationsOf(&p) {
		switch {
		case x.ID != id:
		case x.Status == wirev2.CancellationRequested:
			return refused(wirev2.Provider("NOT_STOPPABLE", wirev2.MessageNotStoppable))
		default:
			return no(wirev2.CancellationNotPending, wirev2.MessageNotPending)
		}
	}
	return no(wirev2.CancellationNotFound, wirev2.MessageNoCancellation)
}

// closeAccount closes the newest account of an order that waits for a deposit. Closing
// it again is refused, so that a caller learns that it was not this call that closed it.
func (h *api) closeAccount(c *call) answer {
	if refusal := c.taken(wirev2.TakeStoreOnly(c.fields)); refusal != nil {
		return *refusal
	}
	p, err := h.byPath(c)
	if err != nil {
		return h.refuse(c, wirev2.CloseAccount, err)
	}
	rows, _, err := h.app.Payments(c.ctx(), c.shop.ID, app.Filter{OrderID: p.OrderID, States: []escrow.State{escrow.AwaitingDeposit}}, newest, 0, 1)
	if err != nil {
		return h.failed(c.r, err)
	}
	if len(rows) == 1 && p.Status() != escrow.StatusPaid {
		p = rows[0]
	}
	res, err := h.app.Do(c.ctx(), escrow.Shop, c.shop.ID, p.ID, escrow.CloseAccount{Reason: reasonClosed})
	if err == nil && res.Unchanged {
		err = &escrow.Refusal{Code: escrow.WrongState}
	}
	if err != nil {
		return h.refuse(c, wirev2.CloseAccount, err)
	}
	return ok(wirev2.NewClosed(&res.Payment))
}

func (h *api) registerDelivery(c *call) answer {
	s := wirev2.TakeShipment(c.fields)
	if refusal := c.taken(s.StoreID); refusal != nil {
		return *refusal
	}
	d := s.Delivery
	res, err := h.do(c, escrow.RegisterDelivery{
		Parcels: d.Parcels, Trackable: d.Trackable, Sender: d.Sender, Recipient: d.Recipient, Products: d.Products, SentAt: d.SentAt, SendEmail: s.SendEmail,
	})
	if err != nil {
		return h.refuse(c, wirev2.RegisterDelivery, err)
	}
	return ok(wirev2.NewDelivery(res.Payment.Delivery))
}

func (h *api) changeDelivery(c *call) answer {
	s := wirev2.TakeShipment(c.fields)
	if refusal := c.taken(s.StoreID); refusal != nil {
		return *refusal
	}
	d := s.Delivery
	res, err := h.do(c, escrow.AmendDelivery{
		Parcels: d.Parcels, Trackable: d.Trackable, Sender: d.Sender, Recipient: d.Recipient, Products: d.Products, SentAt: d.SentAt,
	})
	if err != nil {
		return h.refuse(c, wirev2.ChangeDelivery, err)
	}
	return ok(wirev2.ChangedDelivery(&res.Payment))
}

// completeEscrow confirms a purchase for its buyer, where the shop's rules let the
// shop do that.
func (h *api) completeEscrow(c *call) answer {
	if refusal := c.taken(wirev2.TakeStoreOnly(c.fields, "fromStore")); refusal != nil {
		return *refusal
	}
	res, err := h.do(c, escrow.Confirm{Kind: escrow.ByShop})
	if err != nil {
		return h.refuse(c, wirev2.CompleteEscrow, err)
	}
	return ok(wirev2.NewCompleted(&res.Payment))
}

// resendWebhook makes a call to the shop again: the one that is named, else the latest.
func (h *api) resendWebhook(c *call) answer {
	storeID, wanted := wirev2.WebhookWanted(c.fields)
	if refusal := c.taken(storeID); refusal != nil {
		return *refusal
	}
	p, err := h.byPath(c)
	if refusedWith(err, escrow.NotFound) {
		return no(wirev2.PaymentNotFound, wirev2.MessagePaymentNotFound)
	}
	if err != nil {
		return h.failed(c.r, err)
	}
	id, err := h.webhookOf(c, &p, wanted)
	if refusedWith(err, escrow.NotFound) {
		return no(wirev2.WebhookNotFound, wirev2.MessageNoWebhook)
	}
	if err != nil {
		return h.failed(c.r, err)
	}
	if err := h.app.ResendWebhook(c.ctx(), c.shop.ID, id); err != nil {
		return h.refuse(c, wirev2.ResendWebhook, err)
	}
	again, err := h.app.Webhook(c.ctx(), c.shop.ID, id)
	if err != nil {
		return h.failed(c.r, err)
	}
	return ok(wirev2.Resent{Webhook: wirev2.NewWebhook(webhookFacts(&again))})
}

// webhookOf finds the call about a payment that is wanted, the latest if none is
// named, or NotFound.
func (h *api) webhookOf(c *call, p *escrow.Payment, wanted string) (string, error) {
	none := &escrow.Refusal{Code: escrow.NotFound}
	if wanted != "" {
		w, err := h.app.Webhook(c.ctx(), c.shop.ID, wanted)
		if err == nil && w.Payment != p.ID {
			err = none
		}
		return w.ID, err
	}
	latest, err := h.app.Webhooks(c.ctx(), c.shop.ID, app.WebhookFilter{Payment: p.ID}, 0, 1)
	if err == nil && len(latest) == 0 {
		err = none
	}
	if err != nil {
		return "", err
	}
	return latest[0].ID, nil
}
