package apiv1_test

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

var refundAccount = object{"refund_holder": "홍길동", "refund_bank": "088", "refund_account": "110-123-456789"}

func with(base, more object) object {
	out := object{}
	for k, v := range base {
		out[k] = v
	}
	for k, v := range more {
		out[k] = v
	}
	return out
}

func TestCancelHeldMoney(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	r := w.post("/payments/cancel", with(refundAccount, object{"imp_uid": id, "reason": "품절", "checksum": 39000})).want(200, 0)
	r.has(object{"status": "cancelled", "cancel_amount": 39000, "cancel_reason": "품절", "cancelled_at": w.clock.Now().Unix()})
	if r.object()["paid_at"] == float64(0) {
		t.Error("a cancelled payment lost paid_at")
	}
	history := r.object()["cancel_history"].([]any)
	if len(history) != 1 || history[0].(object)["reason"] != "품절" {
		t.Errorf("history %v", history)
	}
	w.post("/payments/cancel", with(refundAccount, object{"imp_uid": id})).want(200, 1).says("이미 전액취소된 주문입니다.")
	w.post("/payments/cancel", object{"imp_uid": id}).want(200, 1).says("이미 전액취소된 주문입니다.")
}

// TestCancelMeansEverything holds that these mean the whole amount: PHP clients
// send null for what they did not set, and 0 is documented.
func TestCancelMeansEverything(t *testing.T) {
	w := newWorld(t)
	for name, more := range map[string]string{
		"missing": `{"imp_uid":"%s"}`, "null": `{"imp_uid":"%s","amount":null,"merchant_uid":null,"tax_free":null,"checksum":null,"reason":null,"extra":null,"extraCondition":null}`,
		"zero": `{"imp_uid":"%s","amount":0}`, "whole": `{"imp_uid":"%s","amount":20000.0}`, "Java": `{"imp_uid":"%s","escrow_confirmed":false,"amount":2E+4}`,
		"form": `imp_uid=%s&reason=%ED%92%88%EC%A0%88&extra[requester]=customer&enable_webhook=1`,
	} {
		t.Run(name, func(t *testing.T) {
			id := w.window(escrow.BankTransfer, true)
			w.post("/payments/cancel", strings.ReplaceAll(more, "%s", id)).want(200, 0).has(object{"cancel_amount": 20000, "status": "cancelled"})
		})
	}
}

func TestCancelFindsThePayment(t *testing.T) {
	w := newWorld(t)
	m := order()
	w.issue(object{"merchant_uid": m})
	w.clock.Advance(time.Second)
	paid := w.issue(object{"merchant_uid": m})
	w.clock.Advance(time.Second)
	w.issue(object{"merchant_uid": m})
	w.pay(paid)
	w.post("/payments/cancel", with(refundAccount, object{"imp_uid": "imp_000000000000", "merchant_uid": m})).want(200, 1).says("취소할 결제건이 존재하지 않습니다.")
	w.post("/payments/cancel", with(refundAccount, object{"merchant_uid": m})).want(200, 0).has(object{"imp_uid": paid})
	w.post("/payments/cancel", object{"merchant_uid": m}).want(200, 1).says("이미 전액취소된 주문입니다.")
	w.post("/payments/cancel", object{"merchant_uid": "nothing"}).want(200, 1).says("취소할 결제건이 존재하지 않습니다.")
	w.post("/payments/cancel", object{"merchant_uid": w.merchantUID(w.issue(nil))}).want(200, 1).says("취소할 결제건이 존재하지 않습니다.")
	w.post("/payments/cancel", object{"imp_uid": w.issue(nil)}).want(200, 1).says("취소할 결제건이 존재하지 않습니다.")
}

func (w *world) merchantUID(id string) string {
	w.t.Helper()
	return w.get("/payments/"+id).want(200, 0).object()["merchant_uid"].(string)
}

// TestCancelRefuses holds that a refused cancel names the field and changes
// nothing.
func TestCancelRefuses(t *testing.T) {
	w := newWorld(t)
	id := w.window(escrow.BankTransfer, true)
	before := w.version(id)
	for name, test := range map[string]struct {
		body  string
		code  int
		parts []string
	}{
		"negative":               {`{"imp_uid":"%s","amount":-1}`, -1, []string{"amount"}},
		"int64 + 1":              {`{"imp_uid":"%s","amount":9223372036854775808}`, -1, []string{"amount"}},
		"fraction":               {`{"imp_uid":"%s","amount":1000.5}`, -1, []string{"amount"}},
		"NaN":                    {`imp_uid=%s&amount=NaN`, -1, []string{"amount"}},
		"empty amount in a form": {`imp_uid=%s&amount=`, -1, []string{"amount"}},
		"list":                   {`{"imp_uid":"%s","amount":[1]}`, -1, []string{"amount"}},
		"misspelt":               {`{"imp_uid":"%s","Amount":500}`, -1, []string{"Amount", "amount"}},
		"folded":                 {`{"imp_uid":"%s","rea\u017fon":"x"}`, -1, []string{"reason"}},
		"over the balance":       {`{"imp_uid":"%s","amount":20001}`, 1, []string{"amount", "결제취소에 실패하였습니다.("}},
		"part before confirm":    {`{"imp_uid":"%s","amount":19999}`, 1, []string{"amount", "부분취소"}},
		"checksum":               {`{"imp_uid":"%s","checksum":999}`, 1, []string{"checksum"}},
		"checksum 0":             {`{"imp_uid":"%s","checksum":0}`, 1, []string{"checksum"}},
		"tax":                    {`{"imp_uid":"%s","amount":20000,"tax_free":20001}`, -1, []string{"tax_free"}},
		"endless reason":         {`{"imp_uid":"%s","reason":"` + strings.Repeat("가", 257) + `"}`, -1, []string{"reason"}},
		"half an account":        {`{"imp_uid":"%s","refund_account":"12345678901234"}`, -1, []string{"refund_holder", "refund_bank"}},
		"unknown bank":           {`{"imp_uid":"%s","refund_account":"12345678901234","refund_holder":"a","refund_bank":"999"}`, -1, []string{"refund_bank"}},
		"odd account":            {`{"imp_uid":"%s","refund_account":"12ab","refund_holder":"a","refund_bank":"004"}`, -1, []string{"refund_account"}},
		"line break in a holder": {`{"imp_uid":"%s","refund_account":"12345678901234","refund_holder":"a\r\nBcc: x","refund_bank":"004"}`, -1, []string{"refund_holder"}},
		"switch":                 {`{"imp_uid":"%s","enable_webhook":"perhaps"}`, -1, []string{"enable_webhook"}},
		"no name":                {`{"amount":20000}`, -1, []string{"imp_uid"}},
		"empty names":            {`{"imp_uid":"","merchant_uid":null}`, -1, []string{"imp_uid"}},
		"extra as text":          {`{"imp_uid":"%s","extra":"x"}`, -1, []string{"extra"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.post("/payments/cancel", strings.ReplaceAll(test.body, "%s", id)).want(200, test.code, test.parts...)
		})
	}
	if after := w.version(id); after != before {
		t.Errorf("the payment changed from version %d to %d", before, after)
	}
}

func TestCancelOfAnAccountNeedsARefundAccount(t *testing.T) {
	w := newWorld(t)
	id := w.pay(w.issue(nil))
	w.post("/payments/cancel", object{"imp_uid": id}).want(200, -1, "refund_holder", "refund_bank", "refund_account")
	w.post("/payments/cancel", with(refundAccount, object{"imp_uid": id, "refund_bank": "BK88"})).want(200, 0).has(object{"status": "cancelled"})

	rejected := w.shipped()
	w.byBuyer(rejected, escrow.Reject{Reason: "파손", Account: escrow.BankAccount{Bank: "004", Number: "12345678901234", Holder: "홍길동"}})
	w.post("/payments/cancel", object{"imp_uid": rejected, "reason": "구매거절"}).want(200, 0).has(object{"status": "cancelled"})
	// What cannot be is refused before it is asked where the money should go.
	w.post("/payments/cancel", object{"imp_uid": w.held(), "amount": 1000}).want(200, 1, "부분취소")
}

func TestCancelAfterDeliveryFollowsTheShopsRules(t *testing.T) {
	w := newWorld(t)
	id := w.shipped()
	w.post("/payments/cancel", with(refundAccount, object{"imp_uid": id})).want(200, 1, "결제취소에 실패하였습니다.(")
	w.byBuyer(id, escrow.Confirm{Kind: escrow.ByBuyer})
	r := w.post("/payments/cancel", with(refundAccount, object{"imp_uid": id, "amount": 9000, "reason": "일부 품절"})).want(200, 0)
	r.has(object{"status": "paid", "cancel_amount": 9000, "cancel_reason": "일부 품절"})
	w.post("/payments/cancel", with(refundAccount, object{"imp_uid": id, "amount": 30001})).want(200, 1, "amount")
	w.post("/payments/cancel", with(refundAccount, object{"imp_uid": id})).want(200, 0).has(object{"status": "cancelled", "cancel_amount": 39000})
}

func TestCancelFiftyTimesAtOnce(t *testing.T) {
	w := newWorld(t)
	id := w.window(escrow.BankTransfer, true)
	var mu sync.Mutex
	done := map[string]int{}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			r := w.post("/payments/cancel", url.Values{"imp_uid": {id}})
			mu.Lock()
			defer mu.Unlock()
			done[*r.Message]++
		})
	}
	wg.Wait()
	if done[""] != 1 || done["이미 전액취소된 주문입니다."] != 49 {
		t.Errorf("got %v", done)
	}
	w.get("/payments/"+id).want(200, 0).has(object{"cancel_amount": 20000})
}
