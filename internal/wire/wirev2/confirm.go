package wirev2

import (
	"encoding/json"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// ConfirmBody asks a shop at its confirmUrl, before an approval, whether to let the
// payment through, in the format of webhooks of version 2024-04-25. It is
// "Transaction.Confirm" and has nothing to do with the confirmation of a purchase.
func ConfirmBody(storeID string, p *escrow.Payment, at time.Time) ([]byte, error) {
	type data struct {
		StoreID       string `json:"storeId"`
		PaymentID     string `json:"paymentId"`
		TransactionID string `json:"transactionId"`
		TotalAmount   int64  `json:"totalAmount"`
	}
	return json.Marshal(struct {
		Type      string `json:"type"`
		Timestamp string `json:"timestamp"`
		Data      data   `json:"data"`
	}{"Transaction.Confirm", at.UTC().Format("2006-01-02T15:04:05.000Z"), data{storeID, p.OrderID, p.ID, int64(p.Amount)}})
}

// ConfirmRefusal is the reason in a shop's answer that stops the payment; empty if it
// gives none.
func ConfirmRefusal(answer string) string {
	var said struct {
		ErrorMessage string `json:"errorMessage"`
	}
	_ = json.Unmarshal([]byte(answer), &said) // a shop need not give a reason
	return said.ErrorMessage
}
