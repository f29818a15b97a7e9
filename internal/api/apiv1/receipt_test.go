package apiv1_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

func asList(r reply) []any {
	r.t.Helper()
	var v []any
	if err := json.Unmarshal(r.Response, &v); err != nil {
		r.t.Fatalf("%v: %s", err, r.raw)
	}
	return v
}

func TestReceipt(t *testing.T) {
	w := newWorld(t)
	id := w.window(escrow.BankTransfer, false)
	path := "/receipts/" + id
	w.get(path).want(404, -1)
	w.delete(path).want(400, -1)
	r := w.post(path, object{"identifier": "010-1234-5678", "identifier_type": "phone", "type": "person", "imp_uid": id}).want(200, 0)
	r.has(object{"imp_uid": id, "type": "person", "amount": 20000, "vat": 1818, "cancelled_at": 0, "receipt_url": "", "applied_at": w.clock.Now().Unix()})
	if strings.Contains(string(r.raw), "01012345678") {
		t.Error("the identifier is shown")
	}
	w.get(path).want(200, 0).has(object{"apply_num": r.object()["apply_num"]})
	w.get("/payments/"+id).want(200, 0).has(object{"cash_receipt_issued": true})
	w.get("/payments/"+id+"/balance").want(200, 0).has(object{"amount": 20000})
	w.post(path, object{"identifier": "01012345678"}).want(400, -1).says("이미 현금영수증이 발급된 결제입니다.")
	w.delete(path).want(200, 0).has(object{"cancelled_at": w.clock.Now().Unix()})
	w.get("/payments/"+id).want(200, 0).has(object{"cash_receipt_issued": false})
	w.post(path, "identifier=1234567890&type=company&tax_free=9000&vat_amount=1000").want(200, 0).has(object{"type": "company", "vat": 1000})
}

func TestReceiptRefuses(t *testing.T) {
	w := newWorld(t)
	id := w.window(escrow.BankTransfer, false)
	for name, test := range map[string]struct {
		body  object
		field string
	}{
		"no identifier":   {object{}, "identifier"},
		"short":           {object{"identifier": "123"}, "identifier"},
		"letters":         {object{"identifier": "0101234567a"}, "identifier"},
		"too long":        {object{"identifier": strings.Repeat("1", 20)}, "identifier"},
		"kind":            {object{"identifier": "01012345678", "identifier_type": "passport"}, "identifier_type"},
		"type":            {object{"identifier": "01012345678", "type": "both"}, "type"},
		"tax over amount": {object{"identifier": "01012345678", "tax_free": 20001}, "tax_free"},
		"vat":             {object{"identifier": "01012345678", "vat_amount": -1}, "vat_amount"},
	} {
		t.Run(name, func(t *testing.T) { w.post("/receipts/"+id, test.body).want(400, -1, test.field) })
	}
	w.get("/receipts/"+id).want(404, -1)
	w.post("/receipts/"+w.issue(nil), object{"identifier": "01012345678"}).want(400, -1, "결제가 완료되지 않았습니다")
	w.post("/receipts/"+w.window(escrow.Card, false), object{"identifier": "01012345678"}).want(400, -1)
	w.get("/receipts/%00").want(404, -1)
}

func TestExternalReceipt(t *testing.T) {
	w := newWorld(t)
	m := order()
	path := "/receipts/external/" + m
	w.get(path).want(404, -1)
	w.delete(path).want(404, -1)
	body := object{"name": "찻잔", "amount": 11000, "identifier": "01012345678", "pg": "html5_inicis", "pay_method": "vbank"}
	w.post(path, body).want(200, 0).has(object{"merchant_uid": m, "amount": 11000, "vat": 1000, "cancelled_at": 0})
	w.post(path, body).want(400, -1)
	w.get(path+"/").want(200, 0).has(object{"amount": 11000})
	w.do(request{method: "GET", path: path, token: w.other.token}).want(404, -1)
	w.delete(path).want(200, 0)
	for field, bad := range map[string]object{
		"name": {"name": nil}, "amount": {"amount": 0}, "identifier": {"identifier": ""}, "channel_key": {"channel_key": "x"}, "pay_method": {"pay_method": "card"},
	} {
		w.post("/receipts/external/"+order(), with(body, bad)).want(400, -1, field)
	}
	w.post("/receipts/external/"+strings.Repeat("x", 41), body).want(400, -1, "merchant_uid")
}

func TestCodes(t *testing.T) {
	w := newWorld(t)
	if banks := asList(w.get("/banks").want(200, 0)); len(banks) < 50 {
		t.Errorf("%d banks", len(banks))
	}
	w.get("/banks/088").want(200, 0).has(object{"code": "088", "name": "신한은행"})
	for _, code := range []string{"000", "88", "x", "%00"} {
		w.get("/banks/"+code).want(404, -1)
	}
	gateway := asList(w.get("/users/pg").want(200, 0))[0].(object)
	if gateway["sandbox"] != true || gateway["channel_key"] != w.shop.ChannelKey {
		t.Errorf("got %v", gateway)
	}
}
