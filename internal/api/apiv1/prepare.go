package apiv1

import (
	"errors"
	"net/http"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// readPrepared reads the amount that a shop registers.
func readPrepared(c *call) (app.Prepared, error) {
	f := c.fields
	f.Require("merchant_uid", "amount")
	p := app.Prepared{Merchant: c.shop.ID, OrderID: f.Ident("merchant_uid", merchantUIDMax)}
	p.Amount = int64(wirev1.TakeAmount(f))
	p.Currency = f.OneOf("currency", wirev1.CurrencyKRW)
	return p, f.Err()
}

func (h *api) preparePayment(c *call) answer {
	p, err := readPrepared(c)
	if err != nil {
		return preparing.fields(err)
	}
	err = h.app.Prepare(c.ctx(), p)
	if refusedWith(err, escrow.Exists) {
		return ruled(wirev1.MessageAlreadyPrepared)
	}
	if err != nil {
		return h.refuse(c, preparing, err)
	}
	return ok(wirev1.NewPrepared(p.OrderID, p.Amount, p.Currency))
}

func (h *api) changePrepared(c *call) answer {
	p, err := readPrepared(c)
	if err != nil {
		return preparing.fields(err)
	}
	err = h.app.ChangePrepared(c.ctx(), p)
	if refusedWith(err, escrow.NotFound) {
		return fault(http.StatusNotFound, wirev1.MessageNotPrepared)
	}
	if err != nil {
		return h.refuse(c, preparing, err)
	}
	return ok(wirev1.NewPrepared(p.OrderID, p.Amount, p.Currency))
}

func (h *api) getPrepared(c *call) answer {
	order, sound := transport.PathValue(c.r, "merchant_uid")
	f := body.Named("merchant_uid", order).Fields()
	order = f.Ident("merchant_uid", merchantUIDMax)
	if !sound || f.Err() != nil {
		return ruled(wirev1.MessageNotPrepared)
	}
	p, err := h.app.PreparedOf(c.ctx(), c.shop.ID, order)
	if refusedWith(err, escrow.NotFound) {
		return ruled(wirev1.MessageNotPrepared)
	}
	if err != nil {
		return h.refuse(c, preparing, err)
	}
	return ok(wirev1.NewPrepared(p.OrderID, p.Amount, p.Currency))
}

// refusedWith reports whether an error is a rule's refusal of this kind.
func refusedWith(err error, code escrow.Code) bool {
	var no *escrow.Refusal
	return errors.As(err, &no) && no.Code == code
}
