package apiv2

import (
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// issueReceipt issues the cash receipt of a payment, or, for an order that nobody tried
// to pay here, one for money that was paid elsewhere.
func (h *api) issueReceipt(c *call) answer {
	order := wirev2.TakeReceipt(c.fields, app.Identifier)
	if refusal := c.taken(order.StoreID); refusal != nil {
		return *refusal
	}
	if order.Channel != "" && order.Channel != c.shop.ChannelKey {
		return no(wirev2.ChannelNotFound, wirev2.MessageChannelNotFound)
	}
	kind, ref := app.ReceiptExternal, order.PaymentID
	p, err := h.app.OrderPayment(c.ctx(), c.shop.ID, order.PaymentID)
	switch {
	case err == nil:
		kind, ref = app.ReceiptOfPayment, p.ID
	case !refusedWith(err, escrow.NotFound):
		return h.failed(c.r, err)
	}
	facts := order.Facts
	r := app.CashReceipt{Ref: ref, Name: facts.Name, Amount: facts.Amount, VAT: facts.VAT, Type: receiptPerson, Identifier: app.MaskedIdentifier(order.Identity)}
	if facts.Company {
		r.Type = receiptCompany
	}
	if !facts.VATGiven {
		r.VAT = app.VATOf(facts.Amount - facts.TaxFree)
	}
	if r, err = h.app.PutReceipt(c.ctx(), c.shop.ID, kind, r); err != nil {
		return h.refuse(c, wirev2.IssueReceipt, err)
	}
	return ok(wirev2.NewIssuedReceipt(receiptFacts(r, order.PaymentID, kind == app.ReceiptExternal)))
}

// receiptByPath finds the cash receipt of an order, and what it was issued for.
func (h *api) receiptByPath(c *call) (r app.CashReceipt, kind, id string, err error) {
	id, err = paymentID(c)
	if err != nil {
		return r, "", "", &escrow.Refusal{Code: escrow.NotFound}
	}
	p, err := h.app.OrderPayment(c.ctx(), c.shop.ID, id)
	if err == nil {
		r, err = h.app.Receipt(c.ctx(), c.shop.ID, app.ReceiptOfPayment, p.ID)
		if !refusedWith(err, escrow.NotFound) {
			return r, app.ReceiptOfPayment, id, err
		}
	}
	if err != nil && !refusedWith(err, escrow.NotFound) {
		return r, "", id, err
	}
	r, err = h.app.Receipt(c.ctx(), c.shop.ID, app.ReceiptExternal, id)
	return r, app.ReceiptExternal, id, err
}

func (h *api) getReceipt(c *call) answer {
	if err := c.fields.Err(); err != nil {
		return invalid(err)
	}
	r, kind, id, err := h.receiptByPath(c)
	if err != nil {
		return h.refuse(c, wirev2.GetReceipt, err)
	}
	return ok(wirev2.NewCashReceipt(receiptFacts(r, id, kind == app.ReceiptExternal), c.store()))
}

// cancelReceipt revokes a cash receipt, once.
func (h *api) cancelReceipt(c *call) answer {
	if refusal := c.taken(wirev2.TakeStoreOnly(c.fields)); refusal != nil {
		return *refusal
	}
	r, kind, id, err := h.receiptByPath(c)
	switch {
	case refusedWith(err, escrow.NotFound):
		return no(wirev2.ReceiptNotFound, wirev2.MessageNoReceipt)
	case err != nil:
		return h.failed(c.r, err)
	case !r.CancelledAt.IsZero() && !app.Acted(c.ctx()):
		return no(wirev2.ReceiptNotIssued, wirev2.MessageReceiptRevoked)
	}
	if r, err = h.app.CancelReceipt(c.ctx(), c.shop.ID, kind, r.Ref); err != nil {
		return h.refuse(c, wirev2.CancelReceipt, err)
	}
	return ok(wirev2.NewRevokedReceipt(receiptFacts(r, id, kind == app.ReceiptExternal)))
}
