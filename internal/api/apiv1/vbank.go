package apiv1

import (
	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// reasonClosed is the fail reason of an account that its shop closed.
const reasonClosed = "계좌말소"

// reasonChannel refuses a channel that the shop does not have.
var reasonChannel = body.Reason{Code: "channel", English: "is no channel of this shop", Korean: wirev1.ReasonChannel}

// issueVbank issues a virtual account without a payment window.
func (h *api) issueVbank(c *call) answer {
	order := wirev1.TakeVbankOrder(c.fields)
	checkChannel(c, order.Channel)
	if err := c.fields.Err(); err != nil {
		return issuing.fields(err)
	}
	account := app.AccountOrder{Bank: order.Bank, Holder: order.Holder, Due: order.Due}
	p, err := h.app.OpenWithAccount(c.ctx(), c.shop.ID, order.Open, account)
	if err != nil {
		return h.refuse(c, issuing, err)
	}
	return h.showOne(c, p)
}

// checkChannel refuses a channel that is not the shop's. Most clients name none;
// the shop's channel is meant then.
func checkChannel(c *call, key string) {
	if key != "" && key != c.shop.ChannelKey {
		c.fields.Refuse("channel_key", reasonChannel)
	}
}

// changeVbank changes a waiting account. One client sends imp_uid in the body
// and not in the path.
func (h *api) changeVbank(c *call) answer {
	f := c.fields
	cmd := escrow.AmendAccount{Amount: wirev1.TakeAmount(f), Due: wirev1.TakeDueSeconds(f)}
	fromBody := f.Ident("imp_uid", impUIDMax)
	if err := f.Err(); err != nil {
		return asking.fields(err)
	}
	if !f.Has("amount") && !f.Has("vbank_due") {
		return asking.field("amount", "amount 또는 vbank_due가 필요합니다")
	}
	id, sound := transport.PathValue(c.r, "imp_uid")
	if id == "" {
		id = fromBody
	}
	if id == "" {
		return asking.field("imp_uid", body.ReasonMissing.Korean)
	}
	if !sound || len(id) > impUIDMax {
		return notFoundPayment()
	}
	res, err := h.app.Do(c.ctx(), escrow.Shop, c.shop.ID, id, cmd)
	if err != nil {
		return h.refuse(c, asking, err)
	}
	return h.showOne(c, res.Payment)
}

// closeVbank closes a waiting account. Closing it again is refused, so that a
// caller learns that it was not this call that closed it.
func (h *api) closeVbank(c *call) answer {
	p, err := h.byPath(c)
	if err != nil {
		return h.refuse(c, asking, err)
	}
	res, err := h.app.Do(c.ctx(), escrow.Shop, c.shop.ID, p.ID, escrow.CloseAccount{Reason: reasonClosed})
	if err == nil && res.Unchanged {
		err = &escrow.Refusal{Code: escrow.WrongState}
	}
	if err != nil {
		return h.refuse(c, asking, err)
	}
	return h.showOne(c, res.Payment)
}
