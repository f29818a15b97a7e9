package wirev1

import "github.com/holdfast-pay/holdfast/internal/wire/korean"

// Messages that shops compare letter by letter, exactly as PortOne V1 writes
// them.
const (
	MessageBadKeys          = "인증에 실패하였습니다. API키와 secret을 확인하세요."
	MessageUnauthorized     = "Unauthorized"
	MessagePaymentNotFound  = "존재하지 않는 결제정보입니다."
	MessageNothingToCancel  = "취소할 결제건이 존재하지 않습니다."
	MessageAlreadyCancelled = "이미 전액취소된 주문입니다."
	MessageAlreadyPrepared  = "결제정보 사전등록에 실패하였습니다(이미 등록된 merchant_uid입니다)."
)

// Messages that are ours, because the originals are not published.
const (
	MessageNotFound         = korean.NotFound
	MessageMethodNotAllowed = korean.MethodNotAllowed
	MessageFailure          = korean.Failure
	MessageTooLarge         = korean.TooLarge
	MessageCompressed       = korean.Compressed
	MessageEmptyBody        = korean.EmptyBody
	MessageTooManyAttempts  = "인증 시도가 너무 많습니다. 잠시 후 다시 시도해 주세요."
	MessageNotPrepared      = "사전등록된 결제정보가 존재하지 않습니다."
	MessageBankNotFound     = "존재하지 않는 은행 코드입니다."
	MessageReceiptNotFound  = "발급된 현금영수증이 존재하지 않습니다."
	MessageReceiptIssued    = "이미 현금영수증이 발급된 결제입니다."
	MessageReceiptMethod    = "현금성 결제만 현금영수증을 발급할 수 있습니다."
	MessageReceiptAmount    = "결제 금액이 변경되었습니다. 다시 요청해 주세요."
	MessageHolderNotFound   = "예금주를 조회할 수 없습니다. 은행 코드와 계좌번호를 확인해 주세요."
)

// CancelRefused is the message of a refused cancel.
func CancelRefused(reason string) string {
	return "결제취소에 실패하였습니다.(" + reason + ")"
}

// PrepareRefused is the message of a refused registration of an amount.
func PrepareRefused(reason string) string {
	return "결제정보 사전등록에 실패하였습니다(" + reason + ")."
}

// VbankRefused is the message of a refused virtual account.
func VbankRefused(reason string) string {
	return "가상계좌 발급에 실패하였습니다(" + reason + ")."
}

// ConfirmRefused is the message of a refused purchase confirmation.
func ConfirmRefused(reason string) string {
	return "구매확정에 실패하였습니다(" + reason + ")."
}

// RequestRefused is the message of any other request with a field at fault.
func RequestRefused(reason string) string {
	return "요청이 올바르지 않습니다(" + reason + ")."
}

// Reasons for refusing fields that only this dialect has.
const (
	ReasonChannel    = "존재하지 않는 채널입니다"
	ReasonInvoice    = "운송장번호로 사용할 수 없는 문자가 있습니다"
	ReasonDay        = "YYYYMMDD 형식의 날짜여야 합니다"
	ReasonIdentifier = "10~19자리 숫자여야 합니다"
	ReasonTax        = "면세금액과 부가세의 합이 금액을 초과할 수 없습니다"
)
