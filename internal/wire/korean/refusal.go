// Package korean says in Korean why a rule or the server refused, in the same words for every
// dialect. Which field is at fault is the dialect's to name.
package korean

import (
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// refusals are the words by code.
var refusals = map[escrow.Code]string{
	escrow.Invalid:              "올바르지 않은 값입니다",
	escrow.Forbidden:            "이 요청을 수행할 권한이 없습니다",
	escrow.NotFound:             "존재하지 않는 결제정보입니다",
	escrow.Exists:               "이미 존재하는 결제정보입니다",
	escrow.WrongState:           "현재 결제 상태에서는 처리할 수 없습니다",
	escrow.AlreadyDecided:       "구매결정이 이미 완료되었습니다",
	escrow.AlreadyRegistered:    "이미 배송정보가 등록된 결제입니다. 변경하려면 배송정보 수정을 이용해 주세요",
	escrow.NotRegistered:        "등록된 배송정보가 없습니다",
	escrow.NotEscrow:            "에스크로 결제가 아닙니다",
	escrow.NotPaid:              "결제가 완료되지 않았습니다",
	escrow.AlreadyPaid:          "이미 결제가 완료된 주문입니다",
	escrow.AlreadyCancelled:     "이미 전액취소된 주문입니다",
	escrow.PartialBeforeConfirm: "에스크로 결제는 구매확정 전에 부분취소할 수 없습니다",
	escrow.ExceedsBalance:       "취소 가능한 금액을 초과하였습니다",
	escrow.BalanceDiffers:       "취소 가능한 잔액과 일치하지 않습니다",
	escrow.NeedsRefundAccount:   "가상계좌 결제는 환불계좌의 은행, 계좌번호, 예금주가 모두 필요합니다",
	escrow.EscrowUnavailable:    "에스크로를 적용할 수 없는 결제입니다",
	escrow.TooMany:              "한 결제에서 처리할 수 있는 횟수를 초과하였습니다",
	escrow.ByPolicy:             "상점의 에스크로 정책상 허용되지 않습니다",
	// Of the door, for what concerns more than one payment.
	"prepared_differs":      "사전등록된 금액과 일치하지 않습니다",
	"changed":               "그 사이 결제가 변경되었습니다. 현재 상태를 확인해 주세요",
	"method_not_offered":    "상점에서 제공하지 않는 결제수단입니다",
	"unsafe_database":       "데이터베이스 설정이 안전하지 않아 실운영 상점의 결제를 처리할 수 없습니다. 운영자에게 문의해 주세요",
	"invalid_payment_token": "유효하지 않은 결제 토큰입니다. 기한이 지났거나, 다른 결제의 토큰이거나, 구매자가 결제 내용을 다시 선택하였습니다",
	"information_differs":   "결제 건의 정보와 일치하지 않습니다",
	"no_live_bank":          "가상 은행만 연결된 서버이므로 실운영 상점의 결제를 처리할 수 없습니다. 테스트 상점을 이용해 주세요",
}

const uncallable = "호출할 수 없는 주소입니다. 실운영 상점은 내부망 주소를 사용할 수 없습니다"

// invalid are closer words for fields with a value that no rule allows.
var invalid = map[string]string{
	"amount":         "1원 이상 100억 원 이하의 금액이어야 합니다",
	"tax_free":       "면세금액과 부가세의 합이 금액을 초과할 수 없습니다",
	"vbank_due":      "현재 시각 이후여야 합니다",
	"pay_method":     "지원하지 않는 결제수단입니다",
	"reason":         "사유가 비어 있거나 너무 깁니다",
	"logis.company":  "택배사 코드가 필요합니다",
	"logis.invoice":  "운송장번호가 필요합니다",
	"logis.sent_at":  "발송 시각이 올바르지 않습니다. 미래의 시각은 사용할 수 없습니다",
	"refund_account": "환불계좌의 은행, 계좌번호, 예금주가 모두 필요합니다",
	"merchant_uid":   "주문번호가 필요합니다",
	"notice_url":     uncallable,
	"confirm_url":    uncallable,
}

// causes are closer words for codes with several causes: what can be done, and the name of the
// setting that decides.
var causes = map[escrow.Cause]string{
	escrow.CauseDigital:     "디지털 상품은 배송을 확인할 수 없어 에스크로를 적용할 수 없습니다",
	escrow.CauseInstalments: "나누어 제공되는 용역에는 에스크로를 적용할 수 없습니다",
	escrow.CauseContract:    "이 결제수단의 에스크로 계약이 없는 상점이므로 에스크로를 적용할 수 없습니다",
	escrow.CauseCard:        "상점의 정책상 카드 결제에는 에스크로를 적용할 수 없습니다. 관련 설정은 policy.cardEscrow입니다",
	escrow.CauseAfterReject: "상점의 에스크로 정책상 발송 후에는 구매자가 구매를 거절하거나 구매가 확정된 뒤에 취소할 수 있습니다. 관련 설정은 policy.cancelAfterShip입니다",
	escrow.CauseAfterHold:   "상점의 에스크로 정책상 발송 후에는 구매결정을 먼저 보류한 뒤 취소할 수 있습니다. 관련 설정은 policy.cancelAfterShip입니다",
	escrow.CauseRefund:      "상점의 에스크로 정책상 구매확정 후에는 환불할 수 없습니다. 관련 설정은 policy.postConfirmRefund입니다",
	escrow.CauseShopConfirm: "상점의 에스크로 정책상 상점이 구매를 확정할 수 없습니다. 관련 설정은 policy.shopMayConfirm입니다",
	escrow.CauseModify:      "상점의 에스크로 정책상 배송정보를 수정할 수 없습니다. 관련 설정은 policy.allowModify입니다",
	escrow.CauseSelf:        "상점의 에스크로 정책상 직접 배송을 선택할 수 없습니다. 관련 설정은 policy.selfDelivery입니다",
}

var verdicts = map[escrow.Verdict]string{
	escrow.VerdictConfirm: "구매확정",
	escrow.VerdictReject:  "구매거절",
}

// Refusal says why a rule refused, without a full stop, so that it fits into the
// brackets of a message. Where an earlier decision stands, it names that decision and
// its time.
func Refusal(r *escrow.Refusal) string {
	said := refusals[r.Code]
	if closer, ok := invalid[r.Field]; ok && r.Code == escrow.Invalid {
		said = closer
	}
	if closer, ok := causes[r.Cause]; ok {
		said = closer
	}
	if r.Code == escrow.AlreadyDecided && r.Stands != nil {
		said = r.Stands.At.In(bizday.KST).Format("2006-01-02 15:04") + "에 이미 " + verdicts[r.Stands.Verdict] + "된 결제입니다"
	}
	return said
}

// Knows reports whether there are words for a refusal's code.
func Knows(code escrow.Code) bool { return refusals[code] != "" }
