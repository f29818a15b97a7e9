package apiv1

import (
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// getBalance answers what is left of a payment, taken apart, and how it came to
// that. A payment whose money has not come has nothing left.
func (h *api) getBalance(c *call) answer {
	p, err := h.byPath(c)
	if err != nil {
		return h.refuse(c, asking, err)
	}
	receipts, err := h.app.ReceiptsInForce(c.ctx(), c.shop.ID, []escrow.Payment{p})
	if err != nil {
		return h.failed(c.r, err)
	}
	return ok(balanceOf(&p, receipts[p.ID]))
}

func balanceOf(p *escrow.Payment, receipt bool) wirev1.Balance {
	var amount, taxFree money.Won
	var histories []wirev1.BalanceChange
	if !p.PaidAt.IsZero() {
		amount, taxFree = p.Amount, p.TaxFree
		histories = append(histories, wirev1.BalanceChange{BalanceParts: split(amount, taxFree, receipt), Created: p.PaidAt.Unix()})
	}
	for i := range p.Refunds {
		r := &p.Refunds[i]
		if r.Suspense {
			continue
		}
		amount, taxFree = max(amount-r.Amount, 0), max(taxFree-r.TaxFree, 0)
		histories = append(histories, wirev1.BalanceChange{BalanceParts: split(amount, taxFree, receipt), Created: r.At.Unix()})
	}
	if p.Status() != escrow.StatusPaid {
		amount, taxFree = 0, 0
	}
	if histories == nil {
		histories = []wirev1.BalanceChange{}
	}
	return wirev1.Balance{Amount: int64(amount), BalanceParts: split(amount, taxFree, receipt), Histories: histories}
}

// split takes an amount apart. All of it was paid with the method itself; a cash
// receipt in force covers all of it too.
func split(amount, taxFree money.Won, receipt bool) wirev1.BalanceParts {
	taxFree = min(taxFree, amount)
	vat := app.VATOf(amount - taxFree)
	part := wirev1.AmountParts{TaxFree: int64(taxFree), Supply: int64(amount - taxFree - vat), VAT: int64(vat)}
	parts := wirev1.BalanceParts{Primary: part}
	if receipt {
		parts.CashReceipt = part
	}
	return parts
}
