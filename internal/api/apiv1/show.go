package apiv1

import (
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// show gives payments the shape of the wire.
func (h *api) show(c *call, payments ...escrow.Payment) ([]wirev1.Payment, error) {
	receipts, err := h.app.ReceiptsInForce(c.ctx(), c.shop.ID, payments)
	if err != nil {
		return nil, err
	}
	out := make([]wirev1.Payment, len(payments))
	for i := range payments {
		p := &payments[i]
		provider := p.Provider
		if provider == "" {
			provider = c.shop.Provider
		}
		out[i] = wirev1.NewPayment(p, wirev1.Circumstances{
			Sandbox: c.shop.Mode == merchant.Sandbox, PGProvider: provider, PGID: c.shop.Code, CashReceipt: receipts[p.ID],
		})
	}
	return out, nil
}

// showOne answers with one payment.
func (h *api) showOne(c *call, p escrow.Payment) answer {
	shown, err := h.show(c, p)
	if err != nil {
		return h.failed(c.r, err)
	}
	return ok(shown[0])
}
