package wirev1

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

func callbackOf(t *testing.T, p escrow.Payment) map[string]any {
	t.Helper()
	raw, err := json.Marshal(NewCallback(&p, Circumstances{PGProvider: "holdfast"}))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCallbackOfAnAccount(t *testing.T) {
	p := escrow.Payment{
		ID: "imp_000000000001", OrderID: "o-1", State: escrow.AwaitingDeposit, Method: escrow.VirtualAccount, Escrow: true, Amount: 39000, Name: "찻잔",
		CustomData: `{"a":[1,2]}`, Buyer: escrow.Party{Name: "홍길동"},
		Account: &escrow.Account{BankAccount: escrow.BankAccount{Bank: "088", Number: "56012345678901", Holder: "한빛상점"}, Due: time.Date(2026, 12, 31, 14, 59, 59, 0, time.UTC)},
	}
	got := callbackOf(t, p)
	want := map[string]any{
		"success": true, "imp_success": true, "imp_uid": p.ID, "merchant_uid": "o-1", "status": "ready", "pay_method": "vbank", "paid_amount": 39000.0, "escrow": true,
		"vbank_num": "56012345678901", "vbank_name": "신한은행", "vbank_holder": "한빛상점", "vbank_date": "2026-12-31 23:59:59", "pg_type": "payment", "buyer_name": "홍길동",
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %v, want %v", key, got[key], value)
		}
	}
	if _, told := got["error_code"]; told {
		t.Error("a success carries an error_code, which new shop code takes for a failure")
	}
	if data, ok := got["custom_data"].(map[string]any); !ok || len(data) != 1 {
		t.Errorf("custom_data is %v", got["custom_data"])
	}
}

func TestCallbackOfFailures(t *testing.T) {
	cases := []struct {
		state  escrow.State
		reason string
		want   ErrorCode
	}{
		{escrow.Opened, "", ErrorUserCancel},
		{escrow.Failed, ReasonUserCancel, ErrorUserCancel},
		{escrow.Failed, ReasonDeclined, ErrorDeclined},
		{escrow.Failed, "계좌말소", ErrorUnavailable},
		{escrow.Cancelled, "", ErrorUnavailable},
	}
	for _, c := range cases {
		got := callbackOf(t, escrow.Payment{ID: "imp_1", OrderID: "o", State: c.state, FailReason: c.reason})
		if got["success"] != false || got["error_code"] != string(c.want) {
			t.Errorf("%s %q: %v", c.state, c.reason, got)
		}
		if text, ok := got["error_msg"].(string); !ok || text == "" {
			t.Errorf("%s %q: no message", c.state, c.reason)
		}
		if _, told := got["paid_amount"]; told {
			t.Errorf("%s: an amount was paid", c.state)
		}
	}
}

func TestCallbackOfNoPaymentHasANullID(t *testing.T) {
	raw, err := json.Marshal(RefusedCallback("o", ErrorInvalid, "x"))
	if err != nil || !strings.Contains(string(raw), `"imp_uid":null`) {
		t.Errorf("%s %v", raw, err)
	}
}

func TestBareTellsNothingOfTheBuyer(t *testing.T) {
	full := NewCallback(&escrow.Payment{ID: "imp_1", OrderID: "o", State: escrow.Held, Name: "secret goods", Buyer: escrow.Party{Name: "secret name"}}, Circumstances{})
	raw, err := json.Marshal(full.Bare())
	if err != nil || strings.Contains(string(raw), "secret") || !strings.Contains(string(raw), `"success":true`) {
		t.Errorf("%s %v", raw, err)
	}
}

func TestQuery(t *testing.T) {
	id := "imp_1"
	good := Callback{Success: true, ImpUID: &id, MerchantUID: "a&b"}
	bad := Callback{ImpUID: &id, MerchantUID: "o", ErrorCode: ErrorUserCancel, ErrorMsg: "no"}
	for want, result := range map[string]*Callback{
		"imp_success=true&imp_uid=imp_1&merchant_uid=a%26b":                                  &good,
		"error_code=USER_CANCEL&error_msg=no&imp_success=false&imp_uid=imp_1&merchant_uid=o": &bad,
	} {
		if got := result.Query().Encode(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
