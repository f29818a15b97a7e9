package apiv2

import (
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// webhooksShown bounds how many calls to the shop a payment shows, the newest ones.
const webhooksShown = 100

// store is the caller's shop as the dialect shows it.
func (c *call) store() wirev2.Store {
	return wirev2.Store{
		MerchantID: c.shop.ID, ID: c.shop.Code, Name: c.shop.Name, Test: c.shop.Mode == merchant.Sandbox, Provider: c.shop.Provider, ChannelKey: c.shop.ChannelKey,
	}
}

// circumstances gathers what payments do not know of themselves.
func (h *api) circumstances(c *call, payments []escrow.Payment) ([]wirev2.Circumstances, error) {
	receipts, err := h.app.ReceiptsOf(c.ctx(), c.shop.ID, payments)
	if err != nil {
		return nil, err
	}
	out := make([]wirev2.Circumstances, len(payments))
	for i := range payments {
		out[i].Store = c.store()
		if r, has := receipts[payments[i].ID]; has {
			out[i].Receipt = wirev2.NewReceipt(receiptFacts(r, payments[i].OrderID, false))
		}
	}
	return out, nil
}

// show gives payments the shape of the wire.
func (h *api) show(c *call, payments []escrow.Payment) ([]wirev2.Payment, error) {
	known, err := h.circumstances(c, payments)
	out := make([]wirev2.Payment, len(known))
	for i := range known {
		out[i] = wirev2.NewPayment(&payments[i], known[i])
	}
	return out, err
}

// webhooks are the calls to the shop about a payment, newest first.
func (h *api) webhooks(c *call, paymentID string) ([]wirev2.Webhook, error) {
	rows, err := h.app.Webhooks(c.ctx(), c.shop.ID, app.WebhookFilter{Payment: paymentID}, 0, webhooksShown)
	out := make([]wirev2.Webhook, len(rows))
	for i := range rows {
		out[i] = wirev2.NewWebhook(webhookFacts(&rows[i]))
	}
	return out, err
}

func webhookFacts(w *app.Webhook) wirev2.WebhookFacts {
	return wirev2.WebhookFacts{
		ID: w.ID, URL: w.URL, Attempts: w.Attempts, Max: w.Max, CreatedAt: w.CreatedAt, Log: w.Log,
	}
}

func receiptFacts(r app.CashReceipt, paymentID string, manual bool) wirev2.ReceiptFacts {
	return wirev2.ReceiptFacts{
		ID: r.ID, ApprovalNo: r.ApprovalNo, Company: r.Type == receiptCompany, Name: r.Name, Amount: r.Amount, VAT: r.VAT,
		IssuedAt: r.AppliedAt, CancelledAt: r.CancelledAt, PaymentID: paymentID, Manual: manual,
	}
}

// Types of a cash receipt, as the door keeps them.
const (
	receiptPerson  = "person"
	receiptCompany = "company"
)
