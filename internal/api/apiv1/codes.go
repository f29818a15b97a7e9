package apiv1

import (
	"net/http"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/order"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

func (h *api) listBanks(*call) answer { return ok(wirev1.Banks()) }

func (h *api) getBank(c *call) answer {
	code, _ := transport.PathValue(c.r, "bank_standard_code")
	b, known := krbank.ByCode(code)
	if !known {
		return fault(http.StatusNotFound, wirev1.MessageBankNotFound)
	}
	return ok(wirev1.StandardCode{Code: b.Code, Name: b.Korean})
}

// listGateways shows the one channel that a merchant has here.
func (h *api) listGateways(c *call) answer {
	return ok([]wirev1.Gateway{{
		PGProvider: c.shop.Provider, PGID: c.shop.Code, Sandbox: c.shop.Mode == merchant.Sandbox, Type: "payment",
		ChannelName: c.shop.Name, ChannelKey: c.shop.ChannelKey,
	}})
}

func (h *api) getAccountHolder(c *call) answer {
	f := c.fields
	f.Require("bank_code", "bank_num")
	bank, number := wirev1.TakeBank(f, "bank_code"), order.AccountNumber(f, "bank_num")
	if err := f.Err(); err != nil {
		return asking.fields(err)
	}
	name, err := h.app.HolderName(c.ctx(), bank, number)
	if refusedWith(err, escrow.NotFound) {
		return fault(http.StatusNotFound, wirev1.MessageHolderNotFound)
	}
	if err != nil {
		return h.failed(c.r, err)
	}
	return ok(wirev1.AccountHolder{BankHolder: name})
}
