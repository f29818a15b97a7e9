package apiv1

import (
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// reasonMax is the most characters of a reason.
const reasonMax = 256

// cancelPayment gives money back. A missing, null or zero amount means
// everything that is left: clients send null for what they did not set.
func (h *api) cancelPayment(c *call) answer {
	f := c.fields
	impUID, orderID := f.Ident("imp_uid", impUIDMax), f.Ident("merchant_uid", merchantUIDMax)
	if impUID == "" && orderID == "" {
		f.Refuse("imp_uid", body.ReasonMissing)
	}
	cmd := readCancel(f)
	if err := f.Err(); err != nil {
		return cancelling.fields(err)
	}
	p, err := h.cancelled(c, impUID, orderID)
	if refusedWith(err, escrow.NotFound) {
		return ruled(wirev1.MessageNothingToCancel)
	}
	if err != nil {
		return h.refuse(c, cancelling, err)
	}
	if p.LacksRefundAccount(cmd) {
		return cancelling.field("refund_account", "가상계좌 결제는 refund_holder, refund_bank, refund_account가 모두 필요합니다")
	}
	res, err := h.app.Do(c.ctx(), escrow.Shop, c.shop.ID, p.ID, cmd)
	switch {
	case refusedWith(err, escrow.AlreadyCancelled):
		return ruled(wirev1.MessageAlreadyCancelled)
	case refusedWith(err, escrow.NotPaid):
		return ruled(wirev1.MessageNothingToCancel)
	case err != nil:
		return h.refuse(c, cancelling, err)
	}
	return h.showOne(c, res.Payment)
}

func readCancel(f *body.Fields) escrow.Cancel {
	amount, _ := f.Won("amount")
	taxFree, _ := f.Won("tax_free")
	vat, _ := f.Won("vat_amount")
	notify, _ := f.Bool("enable_webhook")
	cmd := escrow.Cancel{
		Amount: money.Won(amount), TaxFree: money.Won(taxFree), VAT: money.Won(vat),
		Reason: f.Lines("reason", reasonMax), Notify: notify, Account: wirev1.TakeRefundAccount(f),
	}
	if checksum, given := f.Won("checksum"); given {
		expected := money.Won(checksum)
		cmd.Expected = &expected
	}
	// These are read so that a wrong form of them is refused. Nothing follows
	// from them: the state of the escrow is known here, and there are no
	// promotions.
	f.Bool("escrow_confirmed")
	f.Bool("retain_promotion")
	f.Object("extra").Text("requester", 20)
	return cmd
}

// cancelled finds the payment that is meant. An imp_uid wins over an order
// number, even a wrong one. Of the attempts to pay an order the one that can be
// cancelled is meant, else the latest.
func (h *api) cancelled(c *call, impUID, orderID string) (escrow.Payment, error) {
	if impUID != "" {
		return h.app.Payment(c.ctx(), c.shop.ID, impUID)
	}
	rows, _, err := h.app.Payments(c.ctx(), c.shop.ID, app.Filter{OrderID: orderID}, newest, 0, attemptsMax)
	if err != nil {
		return escrow.Payment{}, err
	}
	for i := range rows {
		if rows[i].Status() == escrow.StatusPaid {
			return rows[i], nil
		}
	}
	for i := range rows {
		if rows[i].Status() == escrow.StatusCancelled {
			return rows[i], nil
		}
	}
	return escrow.Payment{}, &escrow.Refusal{Code: escrow.NotFound}
}
