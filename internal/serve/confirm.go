package serve

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/webhook"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// confirmLimit is how long a shop may think about a payment (contract section 1.8).
const confirmLimit = 10 * time.Second

// maxConfirmReason bounds a shop's reason, in characters.
const maxConfirmReason = 200

// confirmer asks shops over the same guarded sender as webhooks.
type confirmer struct {
	sender *webhook.Sender
	clock  clock.Clock
}

// Confirm posts the payment to the shop's confirm URL, in the words of the dialect
// that opened it. V1 goes on after 200 alone, V2 after any success.
func (c confirmer) Confirm(ctx context.Context, m *merchant.Merchant, p *escrow.Payment) error {
	body, err := c.question(m, p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, confirmLimit)
	defer cancel()
	a := c.sender.Send(ctx, webhook.Call{ID: p.ID + "-confirm", URL: p.ConfirmURL, ContentType: "application/json", Body: body, Private: m.Mode == merchant.Sandbox})
	switch {
	case a.Status == http.StatusOK, p.V2 && a.Status >= 200 && a.Status < 300:
		return nil
	case a.Status == 0:
		return errors.New(a.Error)
	}
	reason := []rune(reasonIn(p, a.Response))
	return &escrow.Refusal{Code: escrow.Forbidden, Reason: string(reason[:min(len(reason), maxConfirmReason)])}
}

func (c confirmer) question(m *merchant.Merchant, p *escrow.Payment) ([]byte, error) {
	if p.V2 {
		return wirev2.ConfirmBody(m.Code, p, m.Now(c.clock.Now()))
	}
	return wirev1.ConfirmQuestion(p).JSON()
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
