package apiv2_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

func TestMain(m *testing.M) { os.Exit(servetest.OnBoth(m).Run()) }

func TestCredentials(t *testing.T) {
	w := newWorld(t)
	tokens := w.do(request{method: "POST", path: "/login/api-secret", authorization: "-", body: object{"apiSecret": w.API}}).good()
	access, refresh := tokens.at("accessToken").(string), tokens.at("refreshToken").(string)
	w.account("order-1", true)
	for _, authorization := range []string{"PortOne " + w.API, "Portone " + w.API, "portone   " + w.API, "Bearer " + access, "bearer " + access} {
		w.do(request{method: "GET", path: "/payments/order-1", authorization: authorization}).good()
	}
	w.do(request{method: "GET", path: "/payments/order-1", authorization: "PortOne " + w.other}).no(404, "PAYMENT_NOT_FOUND")
	for _, authorization := range []string{"PortOne", "PortOne wrong", "PortOne " + w.API + "x", "PortOne " + strings.Repeat("x", 4000), "Bearer hfv2a~a~b~1~c"} {
		w.do(request{method: "GET", path: "/payments/order-1", authorization: authorization}).no(401, "UNAUTHORIZED")
	}
	w.do(request{method: "GET", path: "/payments/order-1/transactions", authorization: "-"}).no(401, "UNAUTHORIZED")
	w.do(request{method: "GET", path: "/payments/order-1/transactions", authorization: "-", header: http.Header{"Authorization": {"PortOne " + w.API, "PortOne " + w.API}}}).no(401, "UNAUTHORIZED")

	again := w.do(request{method: "POST", path: "/token/refresh", authorization: "-", body: object{"refreshToken": refresh}}).good()
	w.do(request{method: "POST", path: "/token/refresh", body: object{"refreshToken": refresh}}).no(401, "UNAUTHORIZED")
	w.do(request{method: "GET", path: "/payments/order-1", authorization: "Bearer " + again.at("accessToken").(string)}).good()
	for _, body := range []any{object{"apiSecret": "wrong"}, object{"apiSecret": w.API + "x"}} {
		w.do(request{method: "POST", path: "/login/api-secret", authorization: "-", body: body}).no(401, "UNAUTHORIZED")
	}
	for _, body := range []any{nil, "", "null", "[]", "{", object{}, object{"apiSecret": nil}, object{"apiSecret": 5.5, "x": 1}[""], object{"apiSecret": []string{"a"}}} {
		w.do(request{method: "POST", path: "/login/api-secret", authorization: "-", body: body}).no(400, "INVALID_REQUEST")
	}
}

func TestStoreID(t *testing.T) {
	w := newWorld(t)
	w.account("order-1", true)
	for _, own := range []string{"", w.Code, w.Merchant} {
		w.get("/payments/order-1?storeId=" + own).good().has(object{"storeId": w.Code, "merchantId": w.Merchant})
		w.query("/payments", object{"filter": object{"storeId": own}}).good()
		w.query("/payments-by-cursor", object{"storeId": own}).good()
		w.query("/payment-events-by-cursor", object{"storeId": own}).good()
	}
	w.get("/payments/order-1?storeId=store-other").no(403, "FORBIDDEN")
	w.get("/payments/order-1/transactions?storeId=store-other").no(403, "FORBIDDEN")
	for _, list := range []string{"/payments", "/payments-by-cursor", "/payment-events-by-cursor"} {
		w.get(list+"?storeId=store-other").no(403, "FORBIDDEN")
		w.get(list+"?storeId="+strings.Repeat("x", 101)).no(400, "INVALID_REQUEST")
	}
	w.do(request{method: "POST", path: "/payments/order-1/escrow/complete?storeId=" + strings.Repeat("x", 101)}).no(400, "INVALID_REQUEST")
	w.query("/payments", object{"filter": object{"storeId": "store-other"}}).no(403, "FORBIDDEN")
	w.query("/payments", object{"filter": object{"merchantId": "m"}}).no(403, "FORBIDDEN")
	w.query("/payments-by-cursor", object{"storeId": "store-other"}).no(403, "FORBIDDEN")
	w.query("/payment-events-by-cursor", object{"storeId": "store-other"}).no(403, "FORBIDDEN")
}

// TestAnyTextIsAPaymentID: path values are percent-encoded.
func TestAnyTextIsAPaymentID(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"order 1/가?", "cancel", "status", "find", "a//b", "%2F", "a+b&c=d#e", "주문.1", strings.Repeat("가", 64)} {
		w.account(id, true)
		w.get("/payments/" + url.PathEscape(id)).good().has(object{"id": id, "status": "VIRTUAL_ACCOUNT_ISSUED"})
		w.get("/payments/" + url.PathEscape(id) + "/").good()
	}
	for _, id := range []string{"unknown", "%FF", strings.Repeat("a", 300), "%20", "%E2%80%8B"} {
		w.get("/payments/"+id).no(404, "PAYMENT_NOT_FOUND")
		w.get("/payments/"+id+"/transactions").no(404, "PAYMENT_NOT_FOUND")
	}
}

// TestEveryStatus: the union of payments by their status.
func TestEveryStatus(t *testing.T) {
	w := newWorld(t)
	p, err := w.App.Open(t.Context(), escrow.Buyer, w.Merchant, escrow.Open{OrderID: "ready", Amount: 1000, Goods: escrow.Physical, Name: "n"})
	if err != nil {
		t.Fatal(err)
	}
	r := w.get("/payments/ready").good()
	r.has(object{"status": "READY", "transactionId": p.ID, "amount.paid": 0, "channel.type": "TEST", "origin.platformType": "API", "customer": "map[]"})

	w.account("issued", true)
	r = w.get("/payments/issued").good()
	r.has(object{
		"status": "VIRTUAL_ACCOUNT_ISSUED", "method.type": "PaymentMethodVirtualAccount", "method.bank": "SHINHAN", "escrow.status": "BEFORE_REGISTERED",
		"amount.total": 39000, "amount.taxFree": 1000, "amount.vat": 3454, "amount.supply": 34546, "amount.paid": 0, "customer.name": "홍길동",
		"customer.address.oneLine": "서울특별시 종로구", "products.0.quantity": 1, "customData": `{"a":1}`, "version": "V1", "currency": "KRW",
	})
	w.account("paid", false)
	w.pay("paid")
	r = w.get("/payments/paid").good()
	r.has(object{"status": "PAID", "disputes": "[]", "amount.paid": 39000, "method.remitterName": "홍길동", "cashReceiptIssuanceStatus": "NOT_ISSUED"})
	if _, has := r.object()["escrow"]; has {
		t.Error("an ordinary payment has an escrow")
	}
	w.window("card", escrow.Card, "mobile")
	w.get("/payments/card").good().has(object{"method.type": "PaymentMethodCard", "method.approvalNumber": "12345678", "origin.platformType": "MOBILE", "origin.userAgent": "Mozilla/5.0"})
	w.window("transfer", escrow.BankTransfer, "pc")
	w.get("/payments/transfer").good().has(object{"method.type": "PaymentMethodTransfer", "method.bank": "KOOKMIN", "origin.platformType": "PC"})

	w.account("failed", false)
	w.act("failed", escrow.Shop, escrow.CloseAccount{Reason: "계좌말소"})
	w.get("/payments/failed").good().has(object{"status": "FAILED", "failure.reason": "계좌말소"})

	w.account("cancelled", true)
	w.pay("cancelled")
	w.slowBank()
	w.act("cancelled", escrow.Shop, escrow.Cancel{Reason: "품절", Account: payer})
	r = w.get("/payments/cancelled").good()
	r.has(object{
		"status": "CANCELLED", "amount.cancelled": 39000, "amount.cancelledTaxFree": 1000, "cancellations.0.status": "REQUESTED", "cancellations.0.totalAmount": 39000,
		"cancellations.0.reason": "품절", "method.refundStatus": "PENDING", "escrow.status": "CANCELLED", "escrow.company": "", "escrow.invoiceNumber": "",
	})
	w.Advance(w.Now().Add(time.Hour))
	w.get("/payments/cancelled").good().has(object{"cancellations.0.status": "SUCCEEDED", "method.refundStatus": "COMPLETED"})

	w.account("expired", true)
	w.Advance(w.Now().Add(10 * 24 * time.Hour))
	w.get("/payments/expired").good().has(object{"status": "CANCELLED", "cancellations": "[]"})
}

// TestEveryEscrow: the union of escrows by their step.
func TestEveryEscrow(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	w.get("/payments/" + id).good().has(object{"status": "PAID", "escrow.status": "BEFORE_REGISTERED"})
	w.act(id, escrow.Shop, w.shipping())
	w.get("/payments/" + id).good().has(object{"escrow.status": "REGISTERED", "escrow.company": "CJ", "escrow.invoiceNumber": "689012345678"})
	w.act(id, escrow.Operator, escrow.MarkDelivered{At: w.Now(), Reason: "인수 확인"})
	w.get("/payments/" + id).good().has(object{"escrow.status": "DELIVERED"})
	w.act(id, escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer})
	w.get("/payments/" + id).good().has(object{"escrow.status": "CONFIRMED", "escrow.isAutomaticallyConfirmed": false})
	w.act(id, escrow.Shop, escrow.Cancel{Amount: 9000, Reason: "일부 품절", Account: payer})
	w.get("/payments/" + id).good().has(object{"status": "PARTIAL_CANCELLED", "escrow.status": "CONFIRMED", "amount.cancelled": 9000, "cancellations.0.totalAmount": 9000})

	id = w.held()
	w.act(id, escrow.Shop, w.shipping())
	w.act(id, escrow.Buyer, escrow.Reject{Reason: "파손", Account: payer})
	w.get("/payments/" + id).good().has(object{"escrow.status": "REJECTED", "status": "PAID"})
	w.act(id, escrow.Shop, escrow.AcceptRejection{By: "김사장"})
	w.get("/payments/" + id).good().has(object{"escrow.status": "REJECT_CONFIRMED"})

	id = w.held()
	w.act(id, escrow.Shop, w.shipping())
	w.Drain()
	w.act(id, escrow.Operator, escrow.MarkDelivered{At: w.Now(), Reason: "인수 확인"})
	w.Advance(w.Now().Add(20 * 24 * time.Hour))
	w.get("/payments/" + id).good().has(object{"escrow.status": "CONFIRMED", "escrow.isAutomaticallyConfirmed": true})
}

// TestTheAttemptThatStands: the paid one, else the newest.
func TestTheAttemptThatStands(t *testing.T) {
	w := newWorld(t)
	first := w.account("order-1", true)
	w.Clock.Advance(time.Second)
	second := w.account("order-1", true)
	w.get("/payments/order-1").good().has(object{"transactionId": second.ID})
	_, err := w.App.Deposit(t.Context(), first.Account.BankAccount, escrow.NotifyDeposit{BankTx: "1", Amount: first.Amount, At: w.Now(), Payer: payer})
	if err != nil {
		t.Fatal(err)
	}
	w.get("/payments/order-1").good().has(object{"transactionId": first.ID, "status": "PAID"})
	w.query("/payments", object{}).good().has(object{"page.totalCount": 1, "items.0.transactionId": first.ID})
	r := w.get("/payments/order-1/transactions").good()
	r.has(object{"items.0.id": second.ID, "items.0.paymentId": "order-1", "items.1.id": first.ID, "items.1.status": "PAID"})
	// The same payment through the other dialect.
	v1 := w.MustV1("GET", "/payments/"+first.ID, nil)
	if !strings.Contains(string(v1.Raw), `"merchant_uid":"order-1"`) || !strings.Contains(string(v1.Raw), `"status":"paid"`) {
		t.Errorf("V1 says %s", v1.Raw)
	}
}

func TestListByPage(t *testing.T) {
	w := newWorld(t)
	start := w.Now()
	w.account("a", true)
	w.Clock.Advance(time.Hour)
	w.window("b", escrow.Card, "mobile")
	w.Clock.Advance(time.Hour)
	w.account("c", false)
	w.pay("c")
	w.Clock.Advance(time.Hour)
	shipped := w.held()
	w.act(shipped, escrow.Shop, w.shipping())
	w.Clock.Advance(time.Hour)
	w.pay("a")

	for name, test := range map[string]struct {
		filter object
		want   string
	}{
		"everything":         {nil, "a " + shipped + " c b"},
		"by beginning":       {object{"timestampType": "CREATED_AT"}, shipped + " c b a"},
		"ascending":          {object{"timestampType": "CREATED_AT", "sortOrder": "ASC"}, "a b c " + shipped},
		"sort by itself":     {object{"sortBy": "REQUESTED_AT"}, shipped + " c b a"},
		"from":               {object{"from": w.Now().Add(-90 * time.Minute).Format(time.RFC3339)}, "a " + shipped},
		"until, by begin":    {object{"timestampType": "CREATED_AT", "until": start.Add(30 * time.Minute)}, "a"},
		"status":             {object{"status": []string{"PAID"}}, "a " + shipped + " c b"},
		"two statuses":       {object{"status": []string{"READY", "FAILED"}}, ""},
		"no status":          {object{"status": []string{}}, "a " + shipped + " c b"},
		"pending":            {object{"status": []string{"PENDING"}}, ""},
		"method":             {object{"methods": []string{"CARD"}}, "b"},
		"other method":       {object{"methods": []string{"EASY_PAY"}}, ""},
		"two methods":        {object{"methods": []string{"CARD", "VIRTUAL_ACCOUNT"}}, "a " + shipped + " c b"},
		"escrow":             {object{"isEscrow": true}, "a " + shipped},
		"no escrow":          {object{"isEscrow": false}, "c b"},
		"step":               {object{"escrowStatus": "REGISTERED"}, shipped},
		"test":               {object{"isTest": true}, "a " + shipped + " c b"},
		"live":               {object{"isTest": false}, ""},
		"scheduled":          {object{"isScheduled": true}, ""},
		"version":            {object{"version": "V2"}, ""},
		"other version":      {object{"version": "V1"}, "a " + shipped + " c b"},
		"dollars":            {object{"currency": "USD"}, ""},
		"won":                {object{"currency": "KRW"}, "a " + shipped + " c b"},
		"platform":           {object{"platformType": "SDK_MOBILE"}, "b"},
		"by API":             {object{"platformType": "API"}, "a " + shipped + " c"},
		"provider":           {object{"pgProvider": []string{"HOLDFAST"}}, "a " + shipped + " c b"},
		"other provider":     {object{"pgProvider": []string{"KCP"}}, ""},
		"search":             {object{"textSearch": []object{{"field": "ALL", "value": "찻잔"}}}, "a " + shipped + " c"},
		"search two":         {object{"textSearch": []object{{"field": "ALL", "value": "찻잔"}, {"field": "PAYMENT_ID", "value": "C"}}}, "c"},
		"search by name":     {object{"textSearch": []object{{"field": "ORDER_NAME", "value": "접시"}}}, "b"},
		"search, not there":  {object{"textSearch": []object{{"field": "CUSTOMER_EMAIL", "value": "접시"}}}, ""},
		"search agent":       {object{"textSearch": []object{{"field": "USER_AGENT", "value": "mozilla"}}}, "b"},
		"search bank":        {object{"textSearch": []object{{"field": "VIRTUAL_ACCOUNT_BANK", "value": "신한"}}}, "a " + shipped + " c"},
		"search, none has":   {object{"textSearch": []object{{"field": "BILLING_KEY", "value": "a"}}}, ""},
		"no receipt":         {object{"cashReceiptType": "NO_RECEIPT"}, "a " + shipped + " c b"},
		"receipt":            {object{"cashReceiptStatus": "ISSUED"}, ""},
		"null is absent":     {object{"status": nil, "isEscrow": nil, "from": nil}, "a " + shipped + " c b"},
		"unknown is ignored": {object{"later": 1}, "a " + shipped + " c b"},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.query("/payments", object{"filter": test.filter, "page": object{"size": 100}}).good()
			var got []string
			for _, item := range r.at("items").([]any) {
				got = append(got, item.(object)["id"].(string))
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %q, want %q", strings.Join(got, " "), test.want)
			}
			r.has(object{"page.totalCount": len(got), "page.number": 0, "page.size": 100})
		})
	}
	w.query("/payments", object{"page": object{"number": 1, "size": 3}}).good().has(object{"items.0.id": "b", "page.totalCount": 4, "page.number": 1})
	w.query("/payments", object{"page": object{"number": 9, "size": 3}}).good().has(object{"items": "[]", "page.totalCount": 4})
	w.query("/payments", object{"page": object{"number": 1, "size": 2}, "filter": object{"platformType": "API"}}).good().has(object{"items.0.id": "c", "page.totalCount": 3})

	// The parameters may be the body of a GET, or nothing at all.
	w.do(request{method: "GET", path: "/payments", body: object{"filter": object{"methods": []string{"CARD"}}}}).good().has(object{"items.0.id": "b"})
	w.get("/payments?").good().has(object{"page.size": 10, "page.totalCount": 4})
	w.do(request{method: "GET", path: "/payments?requestBody=%7B%7D", body: object{"page": object{}}}).no(400, "INVALID_REQUEST")
	for name, body := range map[string]any{
		"size 0": object{"page": object{"size": 0}}, "negative": object{"page": object{"number": -1}}, "too far": object{"page": object{"number": 60, "size": 1000}},
		"too large": object{"page": object{"size": 1001}}, "status": object{"filter": object{"status": []string{"PAY_PENDING"}}}, "date": object{"filter": object{"from": "2026-03-09"}},
		"order": object{"filter": object{"from": "2026-03-09T00:00:00Z", "until": "2026-03-08T00:00:00Z"}}, "step": object{"filter": object{"escrowStatus": "BEFORE_REGISTERED"}},
		"field": object{"filter": object{"textSearch": []object{{"field": "NOTHING", "value": "x"}}}}, "filter": object{"filter": "x"}, "misspelt": object{"Filter": object{}},
	} {
		t.Run(name, func(t *testing.T) { w.query("/payments", body).no(400, "INVALID_REQUEST") })
	}
	w.get("/payments?requestBody=%7B").no(400, "INVALID_REQUEST")
	w.do(request{method: "GET", path: "/payments", authorization: "PortOne " + w.other}).good().has(object{"page.totalCount": 0})
}

func TestListByCursor(t *testing.T) {
	w := newWorld(t)
	var want []string
	for range 7 {
		id := order()
		w.account(id, true)
		want = append(want, id)
	}
	var got []string
	cursor := ""
	for range 10 {
		r := w.query("/payments-by-cursor", object{"size": 3, "cursor": cursor}).good()
		items := r.at("items").([]any)
		if len(items) == 0 {
			break
		}
		for _, item := range items {
			got = append(got, item.(object)["payment"].(object)["id"].(string))
			cursor = item.(object)["cursor"].(string)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %v, want %v", got, want)
	}
	w.query("/payments-by-cursor", object{"until": w.Now().Add(-time.Hour)}).good().has(object{"items": "[]"})
	for _, bad := range []string{"x", "1", "~", "x~y"} {
		w.query("/payments-by-cursor", object{"cursor": bad}).no(400, "INVALID_REQUEST")
	}
	w.query("/payments-by-cursor", object{"size": 1001}).no(400, "INVALID_REQUEST")
}

func TestEventsByCursor(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	w.act(id, escrow.Shop, w.shipping())
	w.act(id, escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer})
	w.act(id, escrow.Shop, escrow.Cancel{Amount: 9000, Reason: "일부 품절", Account: payer})
	w.account("waits", true)
	second := w.held()
	w.act(second, escrow.Shop, escrow.Cancel{Reason: "품절", Account: payer})
	var got []string
	cursor := ""
	for range 10 {
		r := w.query("/payment-events-by-cursor", object{"size": 2, "cursor": cursor}).good()
		items := r.at("items").([]any)
		if len(items) == 0 {
			break
		}
		for _, item := range items {
			e := item.(object)["paymentEvent"].(object)
			got = append(got, e["type"].(string)+" "+strings.TrimSuffix(strings.TrimPrefix(e["paymentId"].(string), id), second))
			cursor = item.(object)["cursor"].(string)
			if e["type"] != "PAID" && e["eventAmount"].(float64) != -e["cancellation"].(object)["totalAmount"].(float64) {
				t.Errorf("%v", e)
			}
		}
	}
	if strings.Join(got, ",") != "PAID ,PARTIAL_CANCELLED ,PAID ,CANCELLED " {
		t.Errorf("got %q", got)
	}
	all := w.query("/payment-events-by-cursor", object{"size": 3}).good().at("items").([]any)
	if len(all) != 3 {
		t.Errorf("%d events of three that were asked for", len(all))
	}
	w.query("/payment-events-by-cursor", object{"from": w.Now().Add(time.Second), "until": w.Now().Add(time.Hour)}).good().has(object{"items": "[]"})
	w.query("/payment-events-by-cursor", object{"from": w.Now()}).good().has(object{"items.0.paymentEvent.type": "CANCELLED"})
	w.query("/payment-events-by-cursor", object{"cursor": "x"}).no(400, "INVALID_REQUEST")
}

func TestBanksAndHolders(t *testing.T) {
	w := newWorld(t)
	for _, authorization := range []string{"-", "", "Bearer nonsense"} {
		w.do(request{method: "GET", path: "/banks", authorization: authorization}).good().has(object{"items.0.bank": "BANK_OF_KOREA", "items.0.name.ko": "한국은행"})
	}
	w.get("/platform/bank-accounts/SHINHAN/110-123-456789/holder?test=true").good()
	w.get("/platform/bank-accounts/NOTHING/110123456789/holder").no(400, "PLATFORM_NOT_SUPPORTED_BANK")
	w.get("/platform/bank-accounts/SHINHAN/1/holder").no(400, "INVALID_REQUEST")
	w.do(request{method: "GET", path: "/platform/bank-accounts/SHINHAN/110123456789/holder", authorization: "-"}).no(401, "UNAUTHORIZED")
}

// TestJSONAlways: whatever is asked, the answer is one JSON object.
func TestJSONAlways(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/nothing", "/payments/a/b/c/d", "/identity-verifications/x", "/payment-schedules"} {
		w.get(path).no(404, "NOT_FOUND")
	}
	for path, allow := range map[string]string{"DELETE /payments/x": "GET", "PUT /banks": "GET", "GET /login/api-secret": "POST", "OPTIONS /payments": "GET"} {
		method, path, _ := strings.Cut(path, " ")
		r := w.do(request{method: method, path: path}).no(405, "METHOD_NOT_ALLOWED")
		if got := r.header.Get("Allow"); got != allow {
			t.Errorf("%s %s: Allow is %q, want %q", method, path, got, allow)
		}
	}
	w.get("/payments/%00").no(404, "NOT_FOUND")
	large := `{"apiSecret":"` + strings.Repeat("x", 2<<20) + `"}`
	w.do(request{method: "POST", path: "/login/api-secret", body: large}).no(413, "INVALID_REQUEST")
	w.do(request{method: "GET", path: "/payments", body: large}).no(413, "INVALID_REQUEST")
	w.do(request{method: "POST", path: "/login/api-secret", body: "x", header: http.Header{"Content-Encoding": {"gzip"}}}).no(415, "INVALID_REQUEST")
}
