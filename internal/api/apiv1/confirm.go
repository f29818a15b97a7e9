package apiv1

import "github.com/holdfast-pay/holdfast/internal/escrow"

// confirmPurchase confirms a purchase for its buyer, where the shop's rules let
// the shop do that.
func (h *api) confirmPurchase(c *call) answer {
	c.fields.OneOf("requester", "admin", "customer")
	if err := c.fields.Err(); err != nil {
		return confirming.fields(err)
	}
	p, err := h.byPath(c)
	if refusedWith(err, escrow.NotFound) {
		return notFoundPayment()
	}
	if err != nil {
		return h.failed(c.r, err)
	}
	if _, err := h.app.Do(c.ctx(), escrow.Shop, c.shop.ID, p.ID, escrow.Confirm{Kind: escrow.ByShop}); err != nil {
		return h.refuse(c, confirming, err)
	}
	return ok(nil)
}
