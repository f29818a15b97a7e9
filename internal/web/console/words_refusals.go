package console

import "github.com/holdfast-pay/holdfast/internal/web/ui"

// wordsOfRefusals say why a rule said no, by its code and, where that helps, by
// the field.
var wordsOfRefusals = ui.Words{
	"refusal.invalid":                 {Ko: "올바르지 않은 값입니다.", En: "This value cannot be used."},
	"refusal.invalid.logis.company":   {Ko: "택배사를 선택해 주십시오.", En: "Please choose a carrier."},
	"refusal.invalid.logis.invoice":   {Ko: "송장번호가 비어 있거나 너무 길거나 두 번 입력되었습니다.", En: "The tracking number is missing, too long or given twice."},
	"refusal.invalid.logis.sent_at":   {Ko: "발송일이 올바르지 않습니다.", En: "The day of sending is not right."},
	"refusal.invalid.reason":          {Ko: "사유를 입력해 주십시오.", En: "Please give a reason."},
	"refusal.invalid.refund_account":  {Ko: "은행, 계좌번호, 예금주를 모두 입력해 주십시오.", En: "Bank, number and holder are all required."},
	"refusal.invalid.buyer_email":     {Ko: "구매자의 이메일 주소가 없어 링크를 보낼 수 없습니다.", En: "The buyer has no mail address, so no link can be sent."},
	"refusal.forbidden":               {Ko: "상점에서 할 수 없는 처리입니다.", En: "The shop may not do this."},
	"refusal.wrong_state":             {Ko: "지금 상태에서는 처리할 수 없습니다. 현재 상태를 확인해 주십시오.", En: "This does not fit the payment as it is now. Please look at it again."},
	"refusal.wrong_state.endpoint":    {Ko: "사용이 중지된 받는 주소입니다. 먼저 다시 사용하도록 바꿔 주십시오.", En: "The endpoint is switched off. Switch it on first."},
	"refusal.wrong_state.secret":      {Ko: "이미 두 개의 비밀키로 서명하고 있습니다. 먼저 이전 비밀키를 폐기해 주십시오.", En: "Two secrets sign already. End the old secret first."},
	"refusal.wrong_state.format":      {Ko: "PortOne V1 형식의 웹훅에는 서명하지 않습니다.", En: "Calls in PortOne V1's format are not signed."},
	"refusal.not_found":               {Ko: "대상을 찾을 수 없습니다. 이미 삭제되었을 수 있습니다.", En: "This is not there. It may have been deleted."},
	"refusal.changed":                 {Ko: "이 화면을 연 뒤에 결제가 변경되어 처리하지 않았습니다. 같은 처리를 이미 하셨다면 다시 하실 필요가 없습니다. 아래에서 현재 상태를 확인해 주십시오.", En: "The payment has changed since this page was opened, so nothing was done. If you have done it already, you need not do it again. Please see below how it stands."},
	"refusal.stands.confirm":          {Ko: "%s에 이미 구매확정되었습니다.", En: "The purchase was already confirmed at %s."},
	"refusal.stands.reject":           {Ko: "%s에 이미 구매가 거절되었습니다.", En: "The purchase was already rejected at %s."},
	"refusal.already_decided":         {Ko: "구매결정이 이미 완료되었습니다.", En: "The purchase was already decided."},
	"refusal.already_registered":      {Ko: "이미 배송정보가 등록되어 있습니다. 바꾸시려면 배송정보 수정을 이용해 주십시오.", En: "A delivery is registered already. Correct it instead."},
	"refusal.not_registered":          {Ko: "등록된 배송정보가 없습니다.", En: "No delivery is registered."},
	"refusal.not_escrow":              {Ko: "에스크로 결제가 아닙니다.", En: "This is an ordinary payment."},
	"refusal.not_paid":                {Ko: "결제가 완료되지 않았습니다.", En: "The payment is not paid."},
	"refusal.already_paid":            {Ko: "이미 결제된 주문입니다.", En: "The order is paid already."},
	"refusal.already_cancelled":       {Ko: "이미 전액이 취소되었습니다.", En: "Everything was given back already."},
	"refusal.partial_before_confirm":  {Ko: "구매확정 전에는 부분취소를 할 수 없습니다.", En: "There is no partial cancel before the confirmation."},
	"refusal.exceeds_balance":         {Ko: "취소할 수 있는 금액을 넘었습니다.", En: "That is more than can be given back."},
	"refusal.balance_differs":         {Ko: "그 사이 취소할 수 있는 금액이 변경되었습니다. 다시 확인해 주십시오.", En: "The amount that can be given back has changed. Please look again."},
	"refusal.needs_refund_account":    {Ko: "가상계좌 결제는 환불받을 계좌의 은행, 계좌번호, 예금주가 필요합니다.", En: "A virtual account payment needs the bank, number and holder of the account to refund to."},
	"refusal.too_many":                {Ko: "이 결제에 더 이상 기록할 수 없습니다. 에스크로 운영자에게 문의해 주십시오.", En: "This payment can take no more of these. Please contact the escrow operator."},
	"refusal.by_policy":               {Ko: "상점의 에스크로 정책상 처리할 수 없습니다.", En: "The shop's escrow policy does not allow this."},
	"refusal.by_policy.after_reject":  {Ko: "상점의 에스크로 정책상 발송 후에는 구매자가 구매를 거절하거나 구매가 확정된 뒤에 취소할 수 있습니다.", En: "The goods are shipped: by the shop's policy you can cancel once the buyer has rejected or the purchase is confirmed."},
	"refusal.by_policy.after_hold":    {Ko: "상점의 에스크로 정책상 발송 후에는 구매결정을 먼저 보류한 뒤 취소할 수 있습니다.", En: "The goods are shipped: by the shop's policy place a hold first, then cancel."},
	"refusal.by_policy.logis.company": {Ko: "상점의 정책상 직접 배송은 선택할 수 없습니다.", En: "This shop may not deliver by itself."},
	"refusal.other":                   {Ko: "처리할 수 없습니다. 현재 상태를 확인해 주십시오.", En: "This cannot be done. Please see how the payment stands."},
}
