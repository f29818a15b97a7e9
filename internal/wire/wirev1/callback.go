package wirev1

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
)

// ErrorCode names why request_pay failed. PortOne passes on the gateways' own
// codes, so shops show the message and compare nothing but its presence.
type ErrorCode string

// The error codes of the window.
const (
	ErrorInvalid     ErrorCode = "INVALID_REQUEST"
	ErrorShop        ErrorCode = "UNKNOWN_SHOP"
	ErrorOrigin      ErrorCode = "ORIGIN_NOT_REGISTERED"
	ErrorPaid        ErrorCode = "ALREADY_PAID"
	ErrorPrepared    ErrorCode = "AMOUNT_NOT_AS_PREPARED"
	ErrorMethod      ErrorCode = "METHOD_NOT_OFFERED"
	ErrorEscrow      ErrorCode = "ESCROW_UNAVAILABLE"
	ErrorTooMany     ErrorCode = "TOO_MANY_REQUESTS"
	ErrorUserCancel  ErrorCode = "USER_CANCEL"
	ErrorDeclined    ErrorCode = "DECLINED"
	ErrorTimeout     ErrorCode = "TIMEOUT"
	ErrorUnavailable ErrorCode = "UNAVAILABLE"
)

// Fail reasons of the window. Shops compare the first letter by letter.
const (
	ReasonUserCancel   = "사용자가 결제를 취소하셨습니다"
	ReasonNotCompleted = "결제가 완료되지 않았습니다"
	ReasonDeclined     = "결제 승인이 거절되었습니다"
)

// Callback is what request_pay's callback gets. Old shop code reads success,
// new code the absence of error_code; both are served. It is a hint: a shop
// reads the payment before it believes it.
type Callback struct {
	Success     bool      `json:"success"`
	ImpSuccess  bool      `json:"imp_success"`
	ImpUID      *string   `json:"imp_uid"`
	MerchantUID string    `json:"merchant_uid"`
	ErrorCode   ErrorCode `json:"error_code,omitempty"`
	ErrorMsg    string    `json:"error_msg,omitempty"`

	PayMethod  string `json:"pay_method,omitempty"`
	PaidAmount *int64 `json:"paid_amount,omitempty"`
	Status     Status `json:"status,omitempty"`
	Name       string `json:"name,omitempty"`
	Escrow     *bool  `json:"escrow,omitempty"`
	Currency   string `json:"currency,omitempty"`
	PGType     string `json:"pg_type,omitempty"`
	PGProvider string `json:"pg_provider,omitempty"`
	PGTID      string `json:"pg_tid,omitempty"`

	BuyerName     string          `json:"buyer_name,omitempty"`
	BuyerEmail    string          `json:"buyer_email,omitempty"`
	BuyerTel      string          `json:"buyer_tel,omitempty"`
	BuyerAddr     string          `json:"buyer_addr,omitempty"`
	BuyerPostcode string          `json:"buyer_postcode,omitempty"`
	CustomData    json.RawMessage `json:"custom_data,omitempty"`

	PaidAt      int64  `json:"paid_at,omitempty"`
	ApplyNum    string `json:"apply_num,omitempty"`
	ReceiptURL  string `json:"receipt_url,omitempty"`
	BankName    string `json:"bank_name,omitempty"`
	CardName    string `json:"card_name,omitempty"`
	CardNumber  string `json:"card_number,omitempty"`
	VbankName   string `json:"vbank_name,omitempty"`
	VbankNum    string `json:"vbank_num,omitempty"`
	VbankHolder string `json:"vbank_holder,omitempty"`
	// VbankDate is Korean time, 2026-12-31 23:59:59: shops print it as it is.
	VbankDate string `json:"vbank_date,omitempty"`
}

// RefusedCallback is the answer when no payment came to be.
func RefusedCallback(merchantUID string, code ErrorCode, message string) Callback {
	return Callback{MerchantUID: merchantUID, ErrorCode: code, ErrorMsg: message}
}

// NewCallback is the answer of a window that ended. An issued account is a
// success with the status ready. A payment that is still open has not come about.
func NewCallback(p *escrow.Payment, c Circumstances) Callback {
	out := Callback{
		ImpUID: &p.ID, MerchantUID: p.OrderID, PayMethod: PayMethod(p.Method), Status: StatusOf(p), Name: p.Name, Escrow: &p.Escrow,
		Currency: CurrencyKRW, PGType: "payment", PGProvider: c.PGProvider, CustomData: customData(p.CustomData),
		BuyerName: p.Buyer.Name, BuyerEmail: p.Buyer.Email, BuyerTel: p.Buyer.Phone, BuyerAddr: p.Buyer.Address, BuyerPostcode: p.Buyer.Postcode,
		PaidAt: seconds(p.PaidAt), ReceiptURL: c.ReceiptURL,
	}
	if code, reason := failure(p); code != "" {
		out.ErrorCode, out.ErrorMsg = code, reason
		return out
	}
	out.Success, out.ImpSuccess = true, true
	amount := int64(p.Amount)
	out.PaidAmount, out.PGTID, out.ApplyNum = &amount, p.ID, p.ApprovalNo
	out.method(p)
	return out
}

// failure says why a window did not lead to a payment or an account.
func failure(p *escrow.Payment) (ErrorCode, string) {
	switch {
	case p.State == escrow.Opened:
		return ErrorUserCancel, ReasonUserCancel
	case p.State == escrow.Cancelled:
		return ErrorUnavailable, said(p.CancelReason)
	case p.State != escrow.Failed:
		return "", ""
	case p.FailReason == ReasonUserCancel:
		return ErrorUserCancel, p.FailReason
	case p.FailReason == ReasonDeclined:
		return ErrorDeclined, p.FailReason
	}
	return ErrorUnavailable, said(p.FailReason)
}

// said is the reason, or that there is none to tell.
func said(reason string) string {
	if reason == "" {
		return ReasonNotCompleted
	}
	return reason
}

func (out *Callback) method(p *escrow.Payment) {
	switch p.Method {
	case escrow.VirtualAccount:
		if p.Account != nil {
			out.VbankName, out.VbankNum, out.VbankHolder = bankName(p.Account.Bank), p.Account.Number, p.Account.Holder
			out.VbankDate = p.Account.Due.In(bizday.KST).Format(time.DateTime)
		}
	case escrow.BankTransfer:
		out.BankName = bankName(p.Payer.Bank)
	case escrow.Card:
		out.CardName, out.CardNumber = p.CardName, p.CardNumber
	}
}

func bankName(code string) string {
	if b, ok := krbank.ByCode(code); ok {
		return b.Korean
	}
	return code
}

// customData echoes what the shop gave: JSON as JSON, anything else as text.
func customData(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return nil
	}
	return quoted
}

// Bare is the answer without anything about the order and its buyer, for a
// window that is long over.
func (out *Callback) Bare() Callback {
	return Callback{
		Success: out.Success, ImpSuccess: out.ImpSuccess, ImpUID: out.ImpUID, MerchantUID: out.MerchantUID,
		ErrorCode: out.ErrorCode, ErrorMsg: out.ErrorMsg, Status: out.Status, PGType: out.PGType,
	}
}

// Query is the answer as it stands in the address to which the buyer returns.
// The error is there only after a failure.
func (out *Callback) Query() url.Values {
	query := url.Values{"merchant_uid": {out.MerchantUID}, "imp_success": {strconv.FormatBool(out.Success)}}
	if out.ImpUID != nil {
		query.Set("imp_uid", *out.ImpUID)
	}
	if !out.Success {
		query.Set("error_code", string(out.ErrorCode))
		query.Set("error_msg", out.ErrorMsg)
	}
	return query
}
