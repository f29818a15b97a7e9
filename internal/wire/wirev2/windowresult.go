package wirev2

import (
	"net/url"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// WindowCode names why a window did not open, or why nothing came of it. The
// first block are PortOne's own codes, the second those that it takes from gRPC.
type WindowCode string

// The codes of the browser SDK.
const (
	CodeParse      WindowCode = "RequestParseFailed"
	CodeStore      WindowCode = "StoreNotFound"
	CodeChannel    WindowCode = "ChannelNotFound"
	CodeNoChannel  WindowCode = "AllChannelsNotSatisfied" // no channel can carry what was asked for
	CodePaid       WindowCode = "PaymentAlreadyPaid"
	CodePredefined WindowCode = "AmountNotEqualToPredefined"
	CodeConfirm    WindowCode = "ConfirmProcessFailed" // the shop stopped it at its confirmUrl
	CodePG         WindowCode = "PGProviderError"      // the buyer or the bank said no; see pgCode

	CodeNotFound    WindowCode = "NotFound"
	CodeDenied      WindowCode = "PermissionDenied"
	CodeTooMany     WindowCode = "ResourceExhausted"
	CodeLate        WindowCode = "DeadlineExceeded"
	CodeUnavailable WindowCode = "Unavailable"
)

// The values of pgCode.
const (
	PGUserCancel = "USER_CANCEL"
	PGDeclined   = "DECLINED"
)

// windowTransaction is the kind of every transaction of the window.
const windowTransaction = "PAYMENT"

// WindowResult is what requestPayment resolves with, or what its error carries.
// Shops take any code for a failure, even null: a success has none. It is a
// hint: a shop reads the payment before it believes it.
type WindowResult struct {
	TransactionType string     `json:"transactionType"`
	TxID            string     `json:"txId,omitempty"`
	PaymentID       string     `json:"paymentId,omitempty"`
	PaymentToken    string     `json:"paymentToken,omitempty"` // of a payment that the shop has still to approve
	Code            WindowCode `json:"code,omitempty"`
	Message         string     `json:"message,omitempty"`
	PGCode          string     `json:"pgCode,omitempty"`
	PGMessage       string     `json:"pgMessage,omitempty"`
}

// WindowDone is the result of a payment that came about or whose account is
// issued.
func WindowDone(p *escrow.Payment) WindowResult {
	return WindowResult{TransactionType: windowTransaction, TxID: p.ID, PaymentID: p.OrderID}
}

// WindowAgreed is the result of a payment that comes about when the shop's server
// confirms it by the token.
func WindowAgreed(p *escrow.Payment, token string) WindowResult {
	r := WindowDone(p)
	r.PaymentToken = token
	return r
}

// WindowFailed is the result of a payment that did not come about.
func WindowFailed(p *escrow.Payment, code WindowCode, message string) WindowResult {
	r := WindowRefused(p.OrderID, code, message)
	r.TxID = p.ID
	return r
}

// WindowRefused is the answer when no payment came to be.
func WindowRefused(paymentID string, code WindowCode, message string) WindowResult {
	return WindowResult{TransactionType: windowTransaction, PaymentID: paymentID, Code: code, Message: message}
}

// Query is the result as it stands in the address to which the buyer returns.
func (r WindowResult) Query() url.Values {
	query := url.Values{"transactionType": {r.TransactionType}}
	for name, value := range map[string]string{
		"txId": r.TxID, "paymentId": r.PaymentID, "paymentToken": r.PaymentToken, "code": string(r.Code), "message": r.Message, "pgCode": r.PGCode, "pgMessage": r.PGMessage,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}
