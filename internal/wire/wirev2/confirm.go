package wirev2

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// confirmData is what a shop is asked about.
type confirmData struct {
	noticed
	TotalAmount int64 `json:"totalAmount"`
}

// ConfirmQuestion asks a shop at its confirmUrl, before an approval, whether to let
// the payment through. It is "Transaction.Confirm" of version 2024-04-25 and has
// nothing to do with the confirmation of a purchase.
func ConfirmQuestion(storeID string, p *escrow.Payment, at time.Time) Notice {
	return Notice{Type: "Transaction.Confirm", Timestamp: Timestamp(at), Data: confirmData{noticed: about(storeID, p), TotalAmount: int64(p.Amount)}}
}

// OldQuestion asks the same in version 2024-01-01.
type OldQuestion struct {
	PaymentID   string `json:"payment_id"`
	TxID        string `json:"tx_id"`
	TotalAmount int64  `json:"total_amount"`
}

// OldConfirmQuestion asks about a payment in version 2024-01-01.
func OldConfirmQuestion(p *escrow.Payment) OldQuestion {
	return OldQuestion{PaymentID: p.OrderID, TxID: p.ID, TotalAmount: int64(p.Amount)}
}

// JSON returns the body for shops that take JSON.
func (q OldQuestion) JSON() ([]byte, error) { return json.Marshal(q) }

// Form returns the body for shops that take forms.
func (q OldQuestion) Form() string {
	return url.Values{"payment_id": {q.PaymentID}, "tx_id": {q.TxID}, "total_amount": {strconv.FormatInt(q.TotalAmount, 10)}}.Encode()
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
