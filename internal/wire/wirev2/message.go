package wirev2

import "github.com/holdfast-pay/holdfast/internal/wire/korean"

// Messages of refusals. Clients show them and compare none.
const (
	MessageNotFound         = korean.NotFound
	MessageMethodNotAllowed = korean.MethodNotAllowed
	MessageFailure          = korean.Failure
	MessageTooLarge         = korean.TooLarge
	MessageCompressed       = korean.Compressed
	MessageEmptyBody        = korean.EmptyBody
	MessageCutBody          = "요청 본문을 끝까지 읽지 못했습니다."
	MessageUnauthorized     = "인증에 실패하였습니다. API 시크릿 또는 액세스 토큰을 확인해 주세요."
	MessageForbiddenStore   = "다른 상점의 storeId입니다."
	MessagePaymentNotFound  = "존재하지 않는 결제 건입니다."
	MessageNarrow           = "조회 대상이 너무 많습니다. from과 until로 기간을 좁혀 주세요."
	MessageCursor           = "cursor: 목록에서 받은 값이 아닙니다."
	MessageTwoRequests      = "요청 본문과 requestBody 중 하나만 보내 주세요."
	MessageChannelNotFound  = "존재하지 않는 채널입니다."
	MessageBankNotSupported = "지원하지 않는 은행입니다."
	MessageHolderNotFound   = "예금주를 조회할 수 없습니다. 은행과 계좌번호를 확인해 주세요."
	MessageNotPending       = "취소 대기 중인 건이 아닙니다."
	MessageNotStoppable     = "이미 결정된 취소는 중지할 수 없습니다."
	MessageNoCancellation   = "존재하지 않는 취소 건입니다."
	MessageNoWebhook        = "존재하지 않는 웹훅입니다."
	MessageNoReceipt        = "발급된 현금영수증이 없습니다."
	MessageReceiptIssued    = "이미 현금영수증이 발급된 결제 건입니다."
	MessageReceiptRevoked   = "이미 취소된 현금영수증입니다."
	MessageReceiptMethod    = "현금성 결제만 현금영수증을 발급할 수 있습니다."
	MessageReceiptNotPaid   = "결제가 완료된 뒤에 현금영수증을 발급할 수 있습니다."
	MessageReceiptAmount    = "amount.total: 결제 금액에서 취소 금액을 뺀 금액과 일치하지 않습니다."
	MessageOnlyAccounts     = "API 결제는 가상계좌만 지원합니다."
	MessageOnlyNormal       = "고정식 가상계좌는 지원하지 않습니다."
	MessageReceiptLater     = "method.virtualAccount.cashReceipt: 현금영수증은 입금 후 POST /cash-receipts로 발급해 주세요."
	MessageRefundAccount    = "refundAccount: 가상계좌 결제는 환불계좌가 필요합니다."
)
