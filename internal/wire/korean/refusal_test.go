package korean

import (
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// TestCauses: a refusal by a shop's policy names the setting, and one that no cause explains
// still has the words of its code.
func TestCauses(t *testing.T) {
	for cause, setting := range map[escrow.Cause]string{
		escrow.CauseAfterReject: "policy.cancelAfterShip", escrow.CauseAfterHold: "policy.cancelAfterShip", escrow.CauseRefund: "policy.postConfirmRefund",
		escrow.CauseShopConfirm: "policy.shopMayConfirm", escrow.CauseModify: "policy.allowModify", escrow.CauseSelf: "policy.selfDelivery",
		"": "상점의 에스크로 정책상 허용되지 않습니다",
	} {
		if said := Refusal(&escrow.Refusal{Code: escrow.ByPolicy, Cause: cause}); !strings.Contains(said, setting) || strings.HasSuffix(said, ".") {
			t.Errorf("%s: %q, want %q in it and no full stop", cause, said, setting)
		}
	}
	for _, cause := range []escrow.Cause{escrow.CauseDigital, escrow.CauseInstalments, escrow.CauseContract, escrow.CauseCard} {
		if said, plain := Refusal(&escrow.Refusal{Code: escrow.EscrowUnavailable, Cause: cause}), refusals[escrow.EscrowUnavailable]; said == plain {
			t.Errorf("%s: nothing but %q is said", cause, plain)
		}
	}
}
