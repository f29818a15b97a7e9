package apiv1_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestIssueVbank(t *testing.T) {
	w := newWorld(t)
	m := order()
	due := w.clock.Now().Add(48 * time.Hour).Unix()
	r := w.post("/vbanks", w.vbank(m, object{
		"vbank_due": due, "escrow": true, "notice_url": []string{"https://shop.example.com/hook"}, "custom_data": "text", "pg": nil, "channel_key": w.shop.ChannelKey,
		"tax_free": 0, "vat_amount": 3545, "product_type": "real", "product_count": 2, "buyer_addr": "서울특별시", "buyer_postcode": "03154",
	})).want(200, 0)
	r.has(object{"merchant_uid": m, "status": "ready", "amount": 39000, "vbank_date": due, "escrow": true, "custom_data": "text", "vbank_issued_at": w.clock.Now().Unix()})
	for _, more := range []object{
		{"vbank_code": "88"}, {"vbank_code": "BK88"}, {"vbank_due": "1795999999"}, {"amount": "39000"}, {"notice_url": "https://shop.example.com/hook"},
		{"vbank_holder": nil}, {"name": nil, "buyer_name": nil, "buyer_email": nil, "buyer_tel": nil}, {"product_type": "digital"}, {"escrow_password": "1234"},
	} {
		w.post("/vbanks", w.vbank(order(), more)).want(200, 0).has(object{"vbank_code": "088"})
	}
	form := url.Values{
		"merchant_uid": {order()}, "amount": {"5000"}, "vbank_code": {"004"}, "vbank_due": {"1795999999"}, "custom_data[cart]": {"1"},
		"notice_url[]": {"https://a.example.com", "https://b.example.com"}, "escrow": {"true"},
	}
	w.post("/vbanks", form).want(200, 0).has(object{"escrow": true, "custom_data": `{"cart":"1"}`})
}

func TestIssueVbankRefuses(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		more  object
		code  int
		field string
	}{
		"no order":            {object{"merchant_uid": nil}, -1, "merchant_uid"},
		"order too long":      {object{"merchant_uid": strings.Repeat("x", 41)}, -1, "merchant_uid"},
		"amount 0":            {object{"amount": 0}, -1, "amount"},
		"amount over ceiling": {object{"amount": 10_000_000_001}, -1, "amount"},
		"no bank":             {object{"vbank_code": nil}, -1, "vbank_code"},
		"unknown bank":        {object{"vbank_code": "999"}, -1, "vbank_code"},
		"no due":              {object{"vbank_due": nil}, -1, "vbank_due"},
		"due in milliseconds": {object{"vbank_due": 1795999999000}, -1, "vbank_due"},
		"due passed":          {object{"vbank_due": 1600000000}, -1, "vbank_due"},
		"due as a date":       {object{"vbank_due": "2026-12-01"}, -1, "vbank_due"},
		"due too far":         {object{"vbank_due": 1900000000}, -1, "vbank_due"},
		"holder too long":     {object{"vbank_holder": strings.Repeat("가", 17)}, -1, "vbank_holder"},
		"unknown channel":     {object{"channel_key": "channel-key-other"}, -1, "channel_key"},
		"notice to a file":    {object{"notice_url": "file:///etc/passwd"}, -1, "notice_url"},
		"notice as number":    {object{"notice_url": 5}, -1, "notice_url"},
		"buyer too long":      {object{"buyer_name": strings.Repeat("가", 17)}, -1, "buyer_name"},
		"header in a mail":    {object{"buyer_email": "a@b.c\r\nBcc: x@y.z"}, -1, "buyer_email"},
		"goods":               {object{"product_type": "virtual"}, -1, "product_type"},
		"tax over amount":     {object{"tax_free": 39001}, -1, "tax_free"},
		"escrow of digital":   {object{"escrow": true, "product_type": "digital"}, 1, "디지털 상품"},
		"escrow unclear":      {object{"escrow": "maybe"}, -1, "escrow"},
		"other case":          {object{"Escrow": true}, -1, "Escrow"},
	} {
		t.Run(name, func(t *testing.T) {
			m := order()
			body := w.vbank(m, test.more)
			w.post("/vbanks", body).want(200, test.code, test.field, "가상계좌 발급에 실패하였습니다")
			w.get("/payments/find/"+m).want(404, -1)
		})
	}
	paid := w.merchantUID(w.pay(w.issue(nil)))
	w.post("/vbanks", w.vbank(paid, nil)).want(200, 1, "merchant_uid", "이미 결제가 완료된 주문입니다")
}

func TestChangeVbank(t *testing.T) {
	w := newWorld(t)
	id := w.issue(nil)
	due := w.clock.Now().Add(5 * 24 * time.Hour).Unix()
	w.put("/vbanks/"+id, object{"amount": 41000, "vbank_due": due}).want(200, 0).has(object{"amount": 41000, "vbank_date": due})
	w.put("/vbanks/"+id+"/", "amount=42000").want(200, 0).has(object{"amount": 42000, "vbank_date": due})
	w.put("/vbanks", object{"imp_uid": id, "amount": 43000, "vbank_due": nil}).want(200, 0).has(object{"amount": 43000})
	for name, test := range map[string]struct {
		path   string
		body   object
		status int
		field  string
	}{
		"nothing":         {"/vbanks/" + id, object{}, 400, "amount"},
		"amount 0":        {"/vbanks/" + id, object{"amount": 0}, 400, "amount"},
		"due passed":      {"/vbanks/" + id, object{"vbank_due": 1600000000}, 400, "vbank_due"},
		"no name":         {"/vbanks", object{"amount": 1}, 400, "imp_uid"},
		"unknown":         {"/vbanks/imp_000000000000", object{"amount": 1}, 404, ""},
		"unknown in body": {"/vbanks", object{"imp_uid": "imp_000000000000", "amount": 1}, 404, ""},
	} {
		t.Run(name, func(t *testing.T) { w.put(test.path, test.body).want(test.status, -1, test.field) })
	}
	w.get("/payments/"+id).want(200, 0).has(object{"amount": 43000, "vbank_date": due})
	w.pay(id)
	w.put("/vbanks/"+id, object{"amount": 1}).want(400, -1)
}

func TestCloseVbank(t *testing.T) {
	w := newWorld(t)
	id := w.issue(nil)
	r := w.do(request{method: "DELETE", path: "/vbanks/" + id + "?pg_api_key=x", body: "pg_api_key=x"}).want(200, 0)
	r.has(object{"status": "failed", "fail_reason": "계좌말소", "failed_at": w.clock.Now().Unix()})
	w.delete("/vbanks/"+id).want(400, -1)
	w.delete("/vbanks/"+w.pay(w.issue(nil))).want(400, -1)
	w.delete("/vbanks/imp_000000000000").want(404, -1)
}

func TestAccountHolder(t *testing.T) {
	w := newWorld(t)
	w.get("/vbanks/holder?bank_code=088&bank_num=110123456789").want(200, 0).has(object{"bank_holder": "홍길동"})
	w.get("/vbanks/holder?bank_code=88&bank_num=110-123-456789").want(200, 0)
	w.get("/vbanks/holder?bank_code=088&bank_num=99999999999999").want(404, -1)
	w.get("/vbanks/holder?bank_code=088").want(400, -1, "bank_num")
	w.get("/vbanks/holder?bank_num=110123456789").want(400, -1, "bank_code")
	w.get("/vbanks/holder?bank_code=999&bank_num=110123456789").want(400, -1, "bank_code")
	w.get("/vbanks/holder?bank_code=088&bank_num=%27%20OR%201").want(400, -1, "bank_num")
}
