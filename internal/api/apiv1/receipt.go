package apiv1

import (
	"net/http"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// Lengths of texts, in characters.
const (
	nameMax    = 40
	channelMax = 100
	// identifierTextMax is with hyphens.
	identifierTextMax = 40
)

// reasonIdentifier refuses what identifies nobody.
var reasonIdentifier = body.Reason{Code: "identifier", English: "must have 10 to 19 digits", Korean: wirev1.ReasonIdentifier}

// reasonTaxFree refuses taxes that do not fit into the amount.
var reasonTaxFree = body.Reason{Code: "tax", English: "the tax-free amount and VAT exceed the amount", Korean: wirev1.ReasonTax}

func (h *api) getReceipt(c *call) answer {
	id, sound := transport.PathValue(c.r, "imp_uid")
	if !sound {
		return fault(http.StatusNotFound, wirev1.MessageReceiptNotFound)
	}
	r, err := h.app.Receipt(c.ctx(), c.shop.ID, app.ReceiptOfPayment, id)
	if err != nil {
		return h.refuseReceipt(c, err, http.StatusNotFound)
	}
	return ok(newReceipt(r))
}

func (h *api) issueReceipt(c *call) answer {
	p, err := h.byPath(c)
	if err != nil {
		return h.refuse(c, asking, err)
	}
	r := app.CashReceipt{Ref: p.ID, Amount: p.Cancellable()}
	readReceipt(c.fields, &r)
	c.fields.Text("company_tel", 20)
	c.fields.Text("company_name", 40)
	if err := c.fields.Err(); err != nil {
		return asking.fields(err)
	}
	if r, err = h.app.PutReceipt(c.ctx(), c.shop.ID, app.ReceiptOfPayment, r); err != nil {
		return h.refuseReceipt(c, err, http.StatusNotFound)
	}
	return ok(newReceipt(r))
}

func (h *api) revokeReceipt(c *call) answer {
	p, err := h.byPath(c)
	if err != nil {
		return h.refuse(c, asking, err)
	}
	r, err := h.app.CancelReceipt(c.ctx(), c.shop.ID, app.ReceiptOfPayment, p.ID)
	if err != nil {
		return h.refuseReceipt(c, err, http.StatusBadRequest)
	}
	return ok(newReceipt(r))
}

// externalOrder reads the order number of money that was paid elsewhere.
func externalOrder(c *call) (string, bool) {
	word, sound := transport.PathValue(c.r, "merchant_uid")
	f := body.Named("merchant_uid", word).Fields()
	f.Require("merchant_uid")
	order := f.Ident("merchant_uid", merchantUIDMax)
	return order, sound && f.Err() == nil
}

func (h *api) getExternalReceipt(c *call) answer {
	order, sound := externalOrder(c)
	if !sound {
		return fault(http.StatusNotFound, wirev1.MessageReceiptNotFound)
	}
	r, err := h.app.Receipt(c.ctx(), c.shop.ID, app.ReceiptExternal, order)
	if err != nil {
		return h.refuseReceipt(c, err, http.StatusNotFound)
	}
	return ok(newExternalReceipt(r))
}

func (h *api) issueExternalReceipt(c *call) answer {
	f := c.fields
	order, sound := externalOrder(c)
	if !sound {
		return asking.field("merchant_uid", body.TooLong(merchantUIDMax).Korean)
	}
	f.Require("name", "amount")
	checkChannel(c, f.Text("channel_key", channelMax))
	r := app.CashReceipt{Ref: order, Name: f.Text("name", nameMax), Amount: wirev1.TakeAmount(f)}
	readReceipt(f, &r)
	f.OneOf("pay_method", "trans", "vbank")
	if err := f.Err(); err != nil {
		return asking.fields(err)
	}
	r, err := h.app.PutReceipt(c.ctx(), c.shop.ID, app.ReceiptExternal, r)
	if err != nil {
		return h.refuseReceipt(c, err, http.StatusNotFound)
	}
	return ok(newExternalReceipt(r))
}

func (h *api) revokeExternalReceipt(c *call) answer {
	order, sound := externalOrder(c)
	if !sound {
		return fault(http.StatusNotFound, wirev1.MessageReceiptNotFound)
	}
	r, err := h.app.CancelReceipt(c.ctx(), c.shop.ID, app.ReceiptExternal, order)
	if err != nil {
		return h.refuseReceipt(c, err, http.StatusNotFound)
	}
	return ok(newExternalReceipt(r))
}

// refuseReceipt says no to a call about a receipt. missing is the status where
// there is no receipt.
func (h *api) refuseReceipt(c *call, err error, missing int) answer {
	switch {
	case refusedWith(err, escrow.NotFound):
		return fault(missing, wirev1.MessageReceiptNotFound)
	case refusedWith(err, escrow.AlreadyRegistered):
		return fault(http.StatusBadRequest, wirev1.MessageReceiptIssued)
	case refusedWith(err, escrow.WrongState):
		return fault(http.StatusBadRequest, wirev1.MessageReceiptMethod)
	case refusedWith(err, escrow.BalanceDiffers): // money went back since its amount was read
		return fault(http.StatusBadRequest, wirev1.MessageReceiptAmount)
	}
	return h.refuse(c, asking, err)
}

// readReceipt reads for whom the receipt is and what of its amount is tax.
func readReceipt(f *body.Fields, r *app.CashReceipt) {
	f.Require("identifier")
	r.Identifier = app.MaskedIdentifier(f.Spelt("identifier", identifierTextMax, reasonIdentifier, app.Identifier))
	f.OneOf("identifier_type", "person", "business", "phone", "taxcard")
	r.Type = f.OneOf("type", "person", "company")
	if r.Type == "" {
		r.Type = "person"
	}
	r.VAT = readVAT(f, r.Amount)
	wirev1.TakeGoods(f)
	wirev1.TakeBuyer(f)
	f.Text("corp_reg_no", 20)
}

// readVAT takes the tax from the request, or reckons it: an eleventh of the
// taxed part, rounded half up. An older name of the member is vat.
func readVAT(f *body.Fields, amount money.Won) money.Won {
	taxFree, _ := f.Won("tax_free")
	vat, given := f.Won("vat_amount")
	if old, has := f.Won("vat"); has && !given {
		vat, given = old, true
	}
	if amount > 0 && money.Won(taxFree+vat) > amount {
		f.Refuse("tax_free", reasonTaxFree)
		return 0
	}
	if given {
		return money.Won(vat)
	}
	return app.VATOf(amount - money.Won(taxFree))
}

func newReceipt(r app.CashReceipt) wirev1.Receipt {
	return wirev1.Receipt{ImpUID: r.Ref, ReceiptBody: receiptBody(r)}
}

func newExternalReceipt(r app.CashReceipt) wirev1.ExternalReceipt {
	return wirev1.ExternalReceipt{MerchantUID: r.Ref, ReceiptBody: receiptBody(r)}
}

func receiptBody(r app.CashReceipt) wirev1.ReceiptBody {
	b := wirev1.ReceiptBody{
		ReceiptTID: r.ID, ApplyNum: r.ApprovalNo, Type: r.Type, Amount: int64(r.Amount), VAT: int64(r.VAT), AppliedAt: r.AppliedAt.Unix(),
	}
	if !r.CancelledAt.IsZero() {
		b.CancelledAt = r.CancelledAt.Unix()
	}
	return b
}
