package wirev1

import (
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

func TestRefusalText(t *testing.T) {
	at := time.Date(2026, 11, 26, 15, 30, 0, 0, time.UTC)
	for want, r := range map[string]*escrow.Refusal{
		"amount: 1원 이상 100억 원 이하의 금액이어야 합니다": {Code: escrow.Invalid, Field: "amount"},
		"amount: 취소 가능한 금액을 초과하였습니다":         {Code: escrow.ExceedsBalance, Field: "amount"},
		"other: 올바르지 않은 값입니다":                {Code: escrow.Invalid, Field: "other"},
		"결제가 완료되지 않았습니다":                     {Code: escrow.NotPaid},
		"2026-11-27 00:30에 이미 구매거절된 결제입니다":   {Code: escrow.AlreadyDecided, Stands: &escrow.Decided{Verdict: escrow.VerdictReject, At: at}},
		"가상 은행만 연결된 서버이므로 실운영 상점의 결제를 처리할 수 없습니다. 테스트 상점을 이용해 주세요": {Code: "no_live_bank"},
		"escrow: 디지털 상품은 배송을 확인할 수 없어 에스크로를 적용할 수 없습니다":            {Code: escrow.EscrowUnavailable, Cause: escrow.CauseDigital, Field: "escrow"},
		"구매결정이 이미 완료되었습니다":                      {Code: escrow.AlreadyDecided},
		"amount: 에스크로 결제는 구매확정 전에 부분취소할 수 없습니다": {Code: escrow.PartialBeforeConfirm, Field: "amount"},
	} {
		if got := RefusalText(r); got != want {
			t.Errorf("%s %s: got %q, want %q", r.Code, r.Field, got, want)
		}
	}
}
