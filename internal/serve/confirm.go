package serve

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/webhook"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
	"github.com/holdfast-pay/holdfast/internal/work"
)

// confirmLimit is how long a shop may think about a payment (contract section 1.8).
const confirmLimit = 10 * time.Second

// maxConfirmReason bounds a shop's reason, in characters.
const maxConfirmReason = 200

// confirmer asks shops over the same guarded sender as webhooks.
type confirmer struct {
	sender *webhook.Sender
	app    *app.App // set once there is one
}

// Confirm posts the payment to the shop's confirm URL, in the words of the dialect
// that opened it. V1 goes on after 200 alone, V2 after any success.
func (c *confirmer) Confirm(ctx context.Context, m *merchant.Merchant, p *escrow.Payment) error {
	call := webhook.Call{ID: p.ID + "-confirm", URL: p.ConfirmURL, Private: m.Mode == merchant.Sandbox}
	if err := c.ask(&call, m, p); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, confirmLimit)
	defer cancel()
	a := c.sender.Send(ctx, call)
	switch {
	case a.Status == http.StatusOK, p.V2 && a.Status >= 200 && a.Status < 300:
		return nil
	case a.Status == 0:
		return errors.New(a.Error)
	}
	reason := []rune(reasonIn(p, a.Response))
	return &escrow.Refusal{Code: escrow.Forbidden, Reason: string(reason[:min(len(reason), maxConfirmReason)])}
}

// ask puts the question into a call. A shop that speaks V2 is asked in the format,
// and under the signature, of the endpoint that its notice URLs go by.
func (c *confirmer) ask(call *webhook.Call, m *merchant.Merchant, p *escrow.Payment) (err error) {
	e := merchant.Endpoint{Format: merchant.V1JSON}
	if p.V2 {
		e, call.Standard = m.MainV2(), true
	}
	call.ContentType = e.Format.ContentType()
	if call.Keys, err = c.app.SigningKeys(m.ID, &e); err != nil {
		return err
	}
	call.Body, err = work.Question(m, &e, p, c.app.MerchantNow(m))
	return err
}

// reasonIn is why a shop stops a payment, as it says.
func reasonIn(p *escrow.Payment, answer string) string {
	if p.V2 {
		return wirev2.ConfirmRefusal(answer)
	}
	var said struct {
		Reason string `json:"reason"`
	}
	_ = json.Unmarshal([]byte(answer), &said) // a shop need not give a reason
	return said.Reason
}
