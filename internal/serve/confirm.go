package serve

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/webhook"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// confirmLimit is how long a shop may think about a payment (contract section 1.8).
const confirmLimit = 10 * time.Second

// maxConfirmReason bounds a shop's reason, in characters.
const maxConfirmReason = 200

// confirmer asks shops over the same guarded sender as webhooks.
type confirmer struct{ sender *webhook.Sender }

// Confirm posts the payment to the shop's confirm URL; anything but 200 stops it.
func (c confirmer) Confirm(ctx context.Context, m *merchant.Merchant, p *escrow.Payment) error {
	body, err := wirev1.ConfirmQuestion(p).JSON()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, confirmLimit)
	defer cancel()
	a := c.sender.Send(ctx, webhook.Call{ID: p.ID + "-confirm", URL: p.ConfirmURL, ContentType: "application/json", Body: body, Private: m.Mode == merchant.Sandbox})
	if a.Status == http.StatusOK {
		return nil
	}
	if a.Status == 0 {
		return errors.New(a.Error)
	}
	var said struct {
		Reason string `json:"reason"`
	}
	_ = json.Unmarshal([]byte(a.Response), &said) // a shop need not give a reason
	reason := []rune(said.Reason)
	return &escrow.Refusal{Code: escrow.Forbidden, Reason: string(reason[:min(len(reason), maxConfirmReason)])}
}
