package apiv1_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

func TestGetPayment(t *testing.T) {
	w := newWorld(t)
	id := w.issue(object{"custom_data": object{"cart": []int{1, 2}, "memo": "문 앞"}})
	r := w.get("/payments/"+id+"?include_sandbox=false").want(200, 0)
	r.has(object{
		"imp_uid": id, "status": "ready", "amount": 39000, "cancel_amount": 0, "currency": "KRW", "escrow": false, "sandbox": true,
		"pay_method": "vbank", "channel": "api", "pg_provider": "holdfast", "paid_at": 0, "cancelled_at": 0, "failed_at": 0, "vbank_code": "088",
		"vbank_holder": "홀드패스트", "vbank_name": "신한은행", "buyer_name": "홍길동", "buyer_addr": nil, "custom_data": `{"cart":[1,2],"memo":"문 앞"}`,
		"cash_receipt_issued": false, "started_at": w.clock.Now().Unix(), "vbank_date": w.clock.Now().Add(72 * time.Hour).Unix(), "card_type": nil, "card_quota": 0,
	})
	if strings.Contains(string(r.raw), "extension") {
		t.Error("an extension that nobody asked for")
	}
	w.pay(id)
	r = w.get("/payments/"+id+"?extension=true").want(200, 0)
	r.has(object{"status": "paid", "paid_at": w.clock.Now().Unix()})
	if got := r.object()["extension"].(object)["REMITTER"]; got != "홍길동" {
		t.Errorf("the remitter is %v", got)
	}
	w.get("/payments/"+id+"?include_sandbox=maybe").want(400, -1, "include_sandbox")
}

func TestPaymentsThatDoNotExist(t *testing.T) {
	w := newWorld(t)
	id := w.issue(nil)
	for _, path := range []string{
		"imp_000000000000", "imp_1", "x", "imp_1%2f..%2f" + id, id + "%00", id + "%20", "%ff", strings.Repeat("9", 200), "%EA%B0%80", "undefined",
		strings.ToUpper(id),
	} {
		w.get("/payments/"+path).want(404, -1).says("존재하지 않는 결제정보입니다.")
	}
}

// TestOtherShopsPaymentsDoNotExist goes through every call that names a payment.
func TestOtherShopsPaymentsDoNotExist(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	before := w.version(id)
	missing := "imp_000000000001"
	calls := []request{
		{method: "GET", path: "/payments/%s"}, {method: "GET", path: "/payments/%s/balance"}, {method: "GET", path: "/payments?imp_uid[]=%s"},
		{method: "POST", path: "/payments/%s/naver/confirm"}, {method: "POST", path: "/payments/cancel", body: `{"imp_uid":"%s"}`},
		{method: "GET", path: "/escrows/logis/%s"}, {method: "POST", path: "/escrows/logis/%s", body: w.parcel(nil)},
		{method: "PUT", path: "/escrows/logis/%s", body: w.parcel(nil)}, {method: "PUT", path: "/vbanks/%s", body: object{"amount": 1}},
		{method: "DELETE", path: "/vbanks/%s"}, {method: "GET", path: "/receipts/%s"},
		{method: "POST", path: "/receipts/%s", body: object{"identifier": "01012345678"}}, {method: "DELETE", path: "/receipts/%s"},
	}
	for _, c := range calls {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			c.token = w.other.token
			named := func(id string) reply {
				c := c
				c.path = strings.Replace(c.path, "%s", id, 1)
				if text, ok := c.body.(string); ok {
					c.body = strings.Replace(text, "%s", id, 1)
				}
				return w.do(c)
			}
			foreign, none := named(id), named(missing)
			if foreign.Code == 0 || foreign.status != none.status || string(foreign.raw) != string(none.raw) {
				t.Errorf("a foreign payment answers %d %s, a missing one %d %s", foreign.status, foreign.raw, none.status, none.raw)
			}
		})
	}
	if after := w.version(id); after != before {
		t.Errorf("the payment changed from version %d to %d", before, after)
	}
}

func TestGetPayments(t *testing.T) {
	w := newWorld(t)
	first, second := order(), order()
	a := w.issue(object{"merchant_uid": first})
	b := w.issue(object{"merchant_uid": second})
	ids := func(r reply) string {
		t.Helper()
		var got []string
		for _, p := range r.list() {
			got = append(got, p["imp_uid"].(string))
		}
		return strings.Join(got, " ")
	}
	for _, query := range []string{
		"imp_uid[]=" + a + "&imp_uid[]=" + b, "imp_uid%5B%5D=" + a + "&imp_uid%5B%5D=" + b, "imp_uid%5B0%5D=" + a + "&imp_uid%5B1%5D=" + b,
		"imp_uid=" + a + "&imp_uid=" + b, "imp_uid[]=" + a + "&imp_uid[]=" + b + "&imp_uid[]=" + a,
		"merchant_uid[]=" + first + "&merchant_uid[]=" + second, "imp_uid=" + a + "&merchant_uid=" + second,
	} {
		if got := ids(w.get("/payments?"+query).want(200, 0)); got != a+" "+b {
			t.Errorf("%s: got %s", query, got)
		}
	}
	if got := ids(w.get("/payments?imp_uid[]="+a+"&imp_uid[]=imp_000000000000").want(207, 0)); got != a {
		t.Errorf("got %s", got)
	}
	w.get("/payments?imp_uid[]=imp_000000000000").want(404, -1).says("존재하지 않는 결제정보입니다.")
	w.get("/payments").want(400, -1, "imp_uid")
	w.get("/payments?imp_uid[]=").want(400, -1, "imp_uid")
	foreign := w.do(request{method: "GET", path: "/payments?imp_uid[]=" + a, token: w.other.token})
	foreign.want(404, -1)

	many := url.Values{}
	for i := range 101 {
		many.Add("imp_uid[]", fmt.Sprintf("imp_%012d", i))
	}
	w.get("/payments?"+many.Encode()).want(400, -1, "imp_uid")
	for i := range 10_000 {
		many.Add("imp_uid[]", fmt.Sprintf("imp_%012d", i))
	}
	w.get("/payments?"+many.Encode()).want(400, -1)
}

// list reads the response as a list of objects.
func (r reply) list() []object {
	r.t.Helper()
	var out []object
	for _, v := range asList(r) {
		out = append(out, v.(object))
	}
	return out
}

func TestFindPayment(t *testing.T) {
	w := newWorld(t)
	m := order()
	first := w.issue(object{"merchant_uid": m})
	w.advance(time.Minute)
	second := w.issue(object{"merchant_uid": m})
	w.advance(time.Minute)
	w.delete("/vbanks/"+first).want(200, 0)
	w.advance(time.Minute)
	tests := []struct{ path, want string }{
		{"", second}, {"/", second}, {"/undefined", second}, {"/null", second}, {"/all", second}, {"/ready", second}, {"/failed", first},
		{"?sorting=started", first}, {"?sorting=-started", second}, {"?sorting=-updated", first}, {"?sorting=updated", second}, {"/all?sorting=-paid", second},
	}
	for _, test := range tests {
		got := w.get("/payments/find/"+m+test.path).want(200, 0).object()["imp_uid"]
		if got != test.want {
			t.Errorf("%q: got %v, want %s", test.path, got, test.want)
		}
	}
	w.get("/payments/find/"+m+"/paid").want(404, -1).says("존재하지 않는 결제정보입니다.")
	w.get("/payments/find/nothing").want(404, -1)
	w.get("/payments/find/"+strings.Repeat("x", 41)).want(404, -1)
	for _, bad := range []string{"/PAID", "/%27", "/paid%20", "/partial"} {
		w.get("/payments/find/"+m+bad).want(400, -1, "payment_status")
		w.get("/payments/findAll/"+m+bad).want(400, -1, "payment_status")
	}
	w.get("/payments/find/"+m+"?sorting=(select%201)").want(400, -1, "sorting")
}

func TestOrderNumbersHaveOneSpelling(t *testing.T) {
	w := newWorld(t)
	decomposed := "\u110c\u116e\u1106\u116e\u11ab-1" // "주문-1" in normal form D
	w.post("/payments/prepare", object{"merchant_uid": decomposed, "amount": 1000}).want(200, 0).has(object{"merchant_uid": "주문-1"})
	w.post("/payments/prepare", object{"merchant_uid": "주문-1", "amount": 1000}).want(200, 1, "이미 등록된")
	w.get("/payments/prepare/"+url.PathEscape(decomposed)).want(200, 0).has(object{"amount": 1000})
	for _, hidden := range []string{"a\u200bb", "a\u202eb", " a", "a\n"} {
		w.post("/payments/prepare", object{"merchant_uid": hidden, "amount": 1000}).want(200, -1, "merchant_uid")
	}
}

func TestFindPayments(t *testing.T) {
	w := newWorld(t)
	m := order()
	for range 5 {
		w.advance(time.Second)
		w.issue(object{"merchant_uid": m})
	}
	page := func(query string) object {
		t.Helper()
		return w.get("/payments/findAll/"+m+query).want(200, 0).object()
	}
	tests := []struct {
		query                       string
		total, previous, next, rows int
	}{
		{"", 5, 0, 0, 5}, {"/", 5, 0, 0, 5}, {"/all?limit=2", 5, 0, 2, 2}, {"/ready?limit=2&page=2", 5, 1, 3, 2}, {"?limit=2&page=3", 5, 2, 0, 1},
		{"/paid", 0, 0, 0, 0}, {"/undefined?limit=1000", 5, 0, 0, 5},
	}
	for _, test := range tests {
		p := page(test.query)
		got := fmt.Sprint(p["total"], p["previous"], p["next"], len(p["list"].([]any)))
		if want := fmt.Sprint(test.total, test.previous, test.next, test.rows); got != want {
			t.Errorf("%q: got %s, want %s", test.query, got, want)
		}
	}
	w.get("/payments/findAll/"+m+"?limit=2&page=4").want(400, -1, "page")
	w.get("/payments/findAll/nothing").want(404, -1)
	for _, bad := range []string{"page=0", "page=-1", "page=2147483648", "page=x", "page=1.5", "limit=0", "limit=1001", "limit=-1", "page=1&page=2"} {
		w.get("/payments/findAll/"+m+"?"+bad).want(400, -1)
	}
	w.do(request{method: "GET", path: "/payments/findAll/" + m, token: w.other.token}).want(404, -1)
}

func TestListPayments(t *testing.T) {
	w := newWorld(t)
	start := w.clock.Now()
	ready := w.issue(nil)
	w.advance(time.Hour)
	paid := w.pay(w.issue(nil))
	w.advance(time.Hour)
	failed := w.issue(nil)
	w.delete("/vbanks/"+failed).want(200, 0)
	cancelled := w.window(escrow.BankTransfer, false)
	w.post("/payments/cancel", object{"imp_uid": cancelled}).want(200, 0)
	w.issueElsewhere()

	for status, want := range map[string]string{
		"ready": ready, "paid": paid, "failed": failed, "cancelled": cancelled, "all": strings.Join([]string{cancelled, failed, paid, ready}, " "),
	} {
		got := ""
		for _, v := range w.get("/payments/status/"+status).want(200, 0).object()["list"].([]any) {
			got += " " + v.(object)["imp_uid"].(string)
		}
		if got = strings.TrimSpace(got); got != want {
			t.Errorf("%s: got %s, want %s", status, got, want)
		}
	}
	total := func(query string) any {
		t.Helper()
		return w.get("/payments/status/all?"+query).want(200, 0).object()["total"]
	}
	at := start.Unix()
	for query, want := range map[string]int{
		fmt.Sprintf("from=%d&to=%d", at, at): 1, fmt.Sprintf("from=%d&to=%d", at-10, at-1): 0, fmt.Sprintf("from=%d&to=%d", at+1, at+7300): 3,
		fmt.Sprintf("to=%d", at): 1, fmt.Sprintf("from=%d", at): 4, fmt.Sprintf("from=%d", at-200*86400): 0, "sorting=started&limit=2": 4,
		fmt.Sprintf("from=%d&to=%d", at-90*86400, at): 1,
	} {
		if got := total(query); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %d", query, got, want)
		}
	}
	w.advance(91 * 24 * time.Hour)
	if got := total(""); fmt.Sprint(got) != "0" {
		t.Errorf("after 91 days: got %v", got)
	}
	for query, named := range map[string]string{
		fmt.Sprintf("from=%d&to=%d", at+1, at): "from", "from=1&to=" + fmt.Sprint(at): "from", "to=9223372036854775808": "to", "to=1700000000000": "to",
		"from=-5": "from", "sorting=(select 1)": "sorting", "page=2": "page",
	} {
		w.get("/payments/status/all?"+strings.ReplaceAll(query, " ", "%20")).want(400, -1, named)
	}
	for _, bad := range []string{"PAID", "%27", "x"} {
		w.get("/payments/status/"+bad).want(400, -1, "payment_status")
	}
}

func (w *world) issueElsewhere() {
	w.t.Helper()
	w.do(request{method: "POST", path: "/vbanks", body: w.vbank(order(), nil), token: w.other.token}).want(200, 0)
}

func TestBalance(t *testing.T) {
	w := newWorld(t)
	id := w.issue(object{"amount": 11000, "tax_free": 1100})
	w.get("/payments/"+id+"/balance").want(200, 0).has(object{"amount": 0})
	w.pay(id)
	r := w.get("/payments/"+id+"/balance").want(200, 0).has(object{"amount": 11000})
	if got := fmt.Sprint(r.object()["primary"]); got != "map[service:0 supply:9000 tax_free:1100 vat:900]" {
		t.Errorf("got %s", got)
	}
	w.post("/payments/cancel", object{
		"imp_uid": id, "amount": 1100, "refund_holder": "홍길동", "refund_bank": "004", "refund_account": "12345678901234",
	}).want(200, 0)
	r = w.get("/payments/"+id+"/balance").want(200, 0).has(object{"amount": 9900})
	if got := len(r.object()["histories"].([]any)); got != 2 {
		t.Errorf("%d histories", got)
	}
}

func TestPrepare(t *testing.T) {
	w := newWorld(t)
	m := order()
	w.get("/payments/prepare/"+m).want(200, 1)
	w.put("/payments/prepare", object{"merchant_uid": m, "amount": 1}).want(404, -1)
	w.post("/payments/prepare", object{"merchant_uid": m, "amount": 39000}).want(200, 0).has(object{"merchant_uid": m, "amount": 39000, "currency": nil})
	w.post("/payments/prepare", object{"merchant_uid": m, "amount": 1}).want(200, 1).says("결제정보 사전등록에 실패하였습니다(이미 등록된 merchant_uid입니다).")
	w.get("/payments/prepare/"+m).want(200, 0).has(object{"amount": 39000})
	w.put("/payments/prepare", object{"merchant_uid": m, "amount": "40000", "currency": "KRW"}).want(200, 0).has(object{"amount": 40000, "currency": "KRW"})
	w.do(request{method: "GET", path: "/payments/prepare/" + m, token: w.other.token}).want(200, 1)
	w.do(request{method: "POST", path: "/payments/prepare", body: object{"merchant_uid": m, "amount": 7}, token: w.other.token}).want(200, 0)
	w.post("/vbanks", w.vbank(m, object{"amount": 39000})).want(200, 1, "amount")
	w.post("/vbanks", w.vbank(m, object{"amount": 40000})).want(200, 0)
}

func TestPrepareTakesEveryNotationOfAnAmount(t *testing.T) {
	w := newWorld(t)
	for _, amount := range []string{"1000", "1000.0", "1E+3", "1e3", `"1000"`, `"1000.00"`} {
		m := order()
		w.post("/payments/prepare", `{"merchant_uid":"`+m+`","amount":`+amount+`}`).want(200, 0).has(object{"amount": 1000})
	}
	m := order()
	w.do(request{method: "POST", path: "/payments/prepare", body: url.Values{"merchant_uid": {m}, "amount": {"1000"}}}).want(200, 0)
	w.do(request{method: "PUT", path: "/payments/prepare", body: url.Values{"merchant_uid": {m}, "amount": {"1001"}}}).want(200, 0)
	w.get("/payments/prepare/"+m).want(200, 0).has(object{"amount": 1001})
}

func TestPrepareRefuses(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct{ body, field string }{
		"int64 + 1":       {`{"merchant_uid":"%s","amount":9223372036854775808}`, "amount"},
		"above ceiling":   {`{"merchant_uid":"%s","amount":10000000001}`, "amount"},
		"comma":           {`{"merchant_uid":"%s","amount":"1,000"}`, "amount"},
		"won sign":        {`{"merchant_uid":"%s","amount":"₩1000"}`, "amount"},
		"full width":      {`{"merchant_uid":"%s","amount":"１０"}`, "amount"},
		"fraction":        {`{"merchant_uid":"%s","amount":1000.5}`, "amount"},
		"negative":        {`{"merchant_uid":"%s","amount":-1}`, "amount"},
		"zero":            {`{"merchant_uid":"%s","amount":0}`, "amount"},
		"null":            {`{"merchant_uid":"%s","amount":null}`, "amount"},
		"missing":         {`{"merchant_uid":"%s"}`, "amount"},
		"other case":      {`{"merchant_uid":"%s","AMOUNT":1000}`, "AMOUNT"},
		"empty form":      {`merchant_uid=%s&amount=`, "amount"},
		"no merchant_uid": {`{"amount":1000}`, "merchant_uid"},
		"41 characters":   {`{"merchant_uid":"%s` + strings.Repeat("x", 40) + `","amount":1000}`, "merchant_uid"},
		"list":            {`{"merchant_uid":["%s"],"amount":1000}`, "merchant_uid"},
		"currency":        {`{"merchant_uid":"%s","amount":1000,"currency":"USD"}`, "currency"},
	} {
		t.Run(name, func(t *testing.T) {
			m := order()
			body := strings.ReplaceAll(test.body, "%s", m)
			w.post("/payments/prepare", body).want(200, -1, test.field, "결제정보 사전등록에 실패하였습니다")
			w.put("/payments/prepare", body).want(200, -1, test.field)
			w.get("/payments/prepare/"+m).want(200, 1)
		})
	}
}
