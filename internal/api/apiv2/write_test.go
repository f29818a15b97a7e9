package apiv2_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

func with(base, more object) object {
	out := object{}
	for _, m := range []object{base, more} {
		for k, v := range m {
			if out[k] = v; v == nil {
				delete(out, k)
			}
		}
	}
	return out
}

var refundAccount = object{"bank": "SHINHAN", "number": "110-123-456789", "holderName": "홍길동"}

// instant is a right request for an account.
func (w *world) instant(more object) object {
	return with(object{
		"method": object{"virtualAccount": object{
			"bank": "SHINHAN", "expiry": object{"validHours": 24}, "option": object{"type": "NORMAL"}, "remitteeName": "한빛상점",
		}},
		"orderName": "백자 찻잔", "amount": object{"total": 39000, "taxFree": 1000}, "currency": "KRW", "isEscrow": true,
		"customer": object{"name": object{"full": "홍길동"}, "email": "buyer@holdfast.example", "phoneNumber": "010-1234-5678", "address": object{"addressLine1": "종로구", "addressLine2": "1층"}},
		"products": []object{{"id": "p1", "name": "백자 찻잔", "amount": 39000, "quantity": 1}}, "customData": `{"a":1}`,
	}, more)
}

// parcel is a right registration of a delivery.
func (w *world) parcel(more object) object {
	logistics := with(object{"company": "CJ", "invoiceNumber": "689012345678", "sentAt": w.Now().Format(time.RFC3339)}, more)
	return object{
		"sender":   object{"name": "한빛상점", "phoneNumber": "02-123-4567", "zipcode": "17300", "relationship": "본인", "address": object{"addressLine1": "경기도", "addressLine2": "이천시"}},
		"receiver": object{"name": "홍길동", "phoneNumber": "010-1234-5678", "zipcode": "03154", "address": object{"addressLine1": "서울", "addressLine2": "종로구"}}, "logistics": logistics,
	}
}

// TestALifeByAPI: an account, a deposit, a delivery, its correction, the confirmation,
// and money given back afterwards; every answer in the shape that typed clients demand.
func TestALifeByAPI(t *testing.T) {
	w := newWorld(t)
	id := "주문 1/2?"
	path := "/payments/" + url.PathEscape(id)
	w.post(path+"/pre-register", object{"totalAmount": 39000, "currency": "KRW", "storeId": w.Code}).good()
	w.post(path+"/instant", w.instant(object{"amount": object{"total": 39001}})).no(400, "INVALID_REQUEST", "사전등록")
	r := w.post(path+"/instant", w.instant(nil)).good()
	p := w.payment(id)
	r.has(object{"payment.pgTxId": p.ID, "payment.paidAt": p.Account.IssuedAt.Format(time.RFC3339Nano)})
	w.get(path).good().has(object{
		"status": "VIRTUAL_ACCOUNT_ISSUED", "method.expiredAt": w.Now().Add(24 * time.Hour).Format(time.RFC3339Nano), "method.remitteeName": "한빛상점",
		"customer.address.oneLine": "종로구 1층", "escrow.status": "BEFORE_REGISTERED",
	})
	w.post(path+"/escrow/logistics", w.parcel(nil)).no(409, "PAYMENT_NOT_PAID")
	w.post(path+"/cancel", object{"reason": "x"}).no(409, "PAYMENT_NOT_PAID")
	w.pay(id)
	w.post(path+"/pre-register", object{"totalAmount": 39000}).no(409, "ALREADY_PAID")
	w.post(path+"/instant", w.instant(nil)).no(409, "ALREADY_PAID")
	w.patch(path+"/escrow/logistics", w.parcel(nil)).no(502, "PG_PROVIDER").has(object{"pgCode": "not_registered"})
	w.post(path+"/escrow/logistics", w.parcel(nil)).good().has(object{"invoiceNumber": "689012345678", "appliedAt": w.Now().Format(time.RFC3339Nano)})
	w.post(path+"/escrow/logistics", w.parcel(nil)).no(502, "PG_PROVIDER", "이미 배송정보가 등록된")
	w.patch(path+"/escrow/logistics", w.parcel(object{"invoiceNumber": "689012345679"})).good().has(object{"invoiceNumber": "689012345679", "modifiedAt": w.Now().Format(time.RFC3339Nano)})
	w.post(path+"/cancel", object{"reason": "변심", "refundAccount": refundAccount}).no(502, "PG_PROVIDER", "policy.cancelAfterShip").has(object{"pgCode": "by_policy"})
	w.post(path+"/escrow/complete", object{"fromStore": true}).good().has(object{"completedAt": w.Now().Format(time.RFC3339Nano)})
	w.get(path).good().has(object{"escrow.status": "CONFIRMED", "escrow.isAutomaticallyConfirmed": false, "escrow.invoiceNumber": "689012345679"})

	r = w.post(path+"/cancel", object{"amount": 9000, "taxFreeAmount": 500, "reason": "일부 품절", "refundAccount": refundAccount, "currentCancellableAmount": 39000, "requester": "ADMIN"}).good()
	r.has(object{"cancellation.status": "REQUESTED", "cancellation.totalAmount": 9000, "cancellation.taxFreeAmount": 500, "cancellation.reason": "일부 품절"})
	w.post(path+"/cancel", object{"amount": 1000, "reason": "x", "refundAccount": refundAccount, "currentCancellableAmount": 39000}).no(409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN")
	w.post(path+"/cancel", object{"amount": 30001, "reason": "x", "refundAccount": refundAccount}).no(409, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT")
	w.post(path+"/cancel", object{"amount": 1000, "taxFreeAmount": 1001, "reason": "x", "refundAccount": refundAccount}).no(409, "SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT")
	w.post(path+"/cancel", object{"taxFreeAmount": 30001, "reason": "x", "refundAccount": refundAccount}).no(409, "SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT", "taxFreeAmount")
	w.post(path+"/cancel", object{"reason": "나머지", "refundAccount": refundAccount}).good().has(object{"cancellation.totalAmount": 30000})
	w.post(path+"/cancel", object{"reason": "x", "refundAccount": refundAccount}).no(409, "PAYMENT_ALREADY_CANCELLED")
	w.get(path).good().has(object{"status": "CANCELLED", "amount.cancelled": 39000, "escrow.status": "CONFIRMED"})
	w.CheckBooks()
}

func TestCancelHeldMoney(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	for name, test := range map[string]struct {
		body   object
		status int
		kind   string
		part   string
	}{
		"no reason":       {object{"refundAccount": refundAccount}, 400, "INVALID_REQUEST", "reason"},
		"no account":      {object{"reason": "x"}, 400, "INVALID_REQUEST", "refundAccount"},
		"half an account": {object{"reason": "x", "refundAccount": object{"bank": "SHINHAN"}}, 400, "INVALID_REQUEST", "refundAccount.number"},
		"unknown bank":    {object{"reason": "x", "refundAccount": with(refundAccount, object{"bank": "088"})}, 400, "INVALID_REQUEST", "refundAccount.bank"},
		"a part":          {object{"reason": "x", "amount": 1000, "refundAccount": refundAccount}, 502, "PG_PROVIDER", "부분취소"},
		"zero":            {object{"reason": "x", "amount": 0, "refundAccount": refundAccount}, 400, "INVALID_REQUEST", "amount"},
		"fraction":        {object{"reason": "x", "amount": 1.5, "refundAccount": refundAccount}, 400, "INVALID_REQUEST", "amount"},
		"balance":         {object{"reason": "x", "currentCancellableAmount": 1, "refundAccount": refundAccount}, 409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN", ""},
		"requester":       {object{"reason": "x", "requester": "admin", "refundAccount": refundAccount}, 400, "INVALID_REQUEST", "requester"},
		"foreign store":   {object{"reason": "x", "storeId": "store-other", "refundAccount": refundAccount}, 403, "FORBIDDEN", ""},
		"misspelt":        {object{"reason": "x", "Amount": 1}, 400, "INVALID_REQUEST", "amount"},
	} {
		t.Run(name, func(t *testing.T) { w.post("/payments/"+id+"/cancel", test.body).no(test.status, test.kind, test.part) })
	}
	version := w.payment(id).Version
	w.do(request{method: "POST", path: "/payments/" + id + "/cancel", body: object{"reason": "x", "refundAccount": refundAccount}, authorization: "PortOne " + w.other}).no(404, "PAYMENT_NOT_FOUND")
	if got := w.payment(id).Version; got != version {
		t.Errorf("refused cancels changed the payment from version %d to %d", version, got)
	}
	w.slowBank()
	r := w.post("/payments/"+id+"/cancel", object{"reason": "품절", "refundAccount": refundAccount, "skipWebhook": true}).good()
	cancellation := r.at("cancellation.id").(string)
	w.post("/payments/"+id+"/cancellations/"+cancellation+"/stop", object{}).no(502, "PG_PROVIDER", "중지할 수 없습니다")
	w.Advance(w.Now().Add(time.Hour))
	w.post("/payments/"+id+"/cancellations/"+cancellation+"/stop", nil).no(409, "PAYMENT_CANCELLATION_NOT_PENDING")
	w.post("/payments/"+id+"/cancellations/x/stop", object{"storeId": w.Code}).no(404, "PAYMENT_CANCELLATION_NOT_FOUND")
	w.post("/payments/x/cancellations/x/stop", object{}).no(404, "PAYMENT_NOT_FOUND")
}

// TestCancelTellsTheShop: by default, and not if the shop says so.
func TestCancelTellsTheShop(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	var told []string
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		b := make([]byte, 1000)
		n, _ := r.Body.Read(b)
		told = append(told, string(b[:n]))
	}))
	t.Cleanup(shop.Close)
	w.SetWebhook(shop.URL)
	quiet, loud := w.held(), w.held()
	w.post("/payments/"+quiet+"/cancel", object{"reason": "품절", "refundAccount": refundAccount, "skipWebhook": true}).good()
	w.post("/payments/"+loud+"/cancel", object{"reason": "품절", "refundAccount": refundAccount}).good()
	w.Drain()
	mu.Lock()
	all := strings.Join(told, "\n")
	mu.Unlock()
	if !strings.Contains(all, w.payment(loud).ID+"-r1") || strings.Contains(all, w.payment(quiet).ID+"-r1") {
		t.Errorf("the shop was told %s", all)
	}
	r := w.get("/payments/" + loud).good()
	r.has(object{"webhooks.0.status": "SUCCEEDED", "webhooks.0.currentExecutionCount": 1, "webhooks.0.response.code": "200"})
	hook := r.at("webhooks.0.id").(string)
	w.post("/payments/"+loud+"/resend-webhook", nil).good().has(object{"webhook.id": hook})
	w.post("/payments/"+loud+"/resend-webhook", object{"webhookId": hook}).good().has(object{"webhook.url": shop.URL})
	w.post("/payments/"+loud+"/resend-webhook", object{"webhookId": "x"}).no(404, "WEBHOOK_NOT_FOUND")
	w.post("/payments/x/resend-webhook", object{}).no(404, "PAYMENT_NOT_FOUND")
	w.query("/payments", object{"filter": object{"webhookStatus": "FAILED_NOT_OK_RESPONSE"}}).good().has(object{"page.totalCount": 0})
	w.Drain()
	mu.Lock()
	defer mu.Unlock()
	if len(told) < 6 {
		t.Errorf("the shop was told %d times", len(told))
	}
}

// TestResendAnyWebhook: however many calls there were since, and none about another
// payment.
func TestResendAnyWebhook(t *testing.T) {
	w := newWorld(t)
	shop := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(shop.Close)
	_, _, err := w.App.CreateEndpoint(t.Context(), "test", w.Merchant, merchant.Endpoint{URL: shop.URL, Format: merchant.V2, Events: []string{"Escrow.*"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	id, other := w.held(), w.held()
	for range 60 {
		w.act(id, escrow.Operator, escrow.PlaceHold{Reason: "확인"})
		w.act(id, escrow.Operator, escrow.ReleaseHold{})
	}
	calls, err := w.App.Webhooks(t.Context(), w.Merchant, app.WebhookFilter{Payment: w.payment(id).ID}, 0, 500)
	if err != nil || len(calls) <= 100 {
		t.Fatalf("%d calls, %v", len(calls), err)
	}
	oldest := calls[len(calls)-1].ID
	w.post("/payments/"+id+"/resend-webhook", object{"webhookId": oldest}).good().has(object{"webhook.id": oldest})
	w.post("/payments/"+other+"/resend-webhook", object{"webhookId": oldest}).no(404, "WEBHOOK_NOT_FOUND")
}

func TestInstantRefuses(t *testing.T) {
	w := newWorld(t)
	account := func(more object) object {
		return object{"method": object{"virtualAccount": with(w.instant(nil)["method"].(object)["virtualAccount"].(object), more)}}
	}
	for name, test := range map[string]struct {
		more   object
		status int
		kind   string
		part   string
	}{
		"card":          {object{"method": object{"card": object{"credential": object{}}}}, 502, "PG_PROVIDER", "가상계좌"},
		"no method":     {object{"method": nil}, 400, "INVALID_REQUEST", "method"},
		"no name":       {object{"orderName": nil}, 400, "INVALID_REQUEST", "orderName"},
		"no amount":     {object{"amount": nil}, 400, "INVALID_REQUEST", "amount"},
		"no total":      {object{"amount": object{"taxFree": 1}}, 400, "INVALID_REQUEST", "amount.total"},
		"negative":      {object{"amount": object{"total": -1}}, 400, "INVALID_REQUEST", "amount.total"},
		"parts":         {object{"amount": object{"total": 1000, "taxFree": 600, "vat": 500}}, 409, "SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT", "taxFreeAmount"},
		"dollars":       {object{"currency": "USD"}, 400, "INVALID_REQUEST", "currency"},
		"channel":       {object{"channelKey": "channel-key-x"}, 404, "CHANNEL_NOT_FOUND", ""},
		"channel group": {object{"channelGroupId": "g"}, 404, "CHANNEL_NOT_FOUND", ""},
		"digital":       {object{"productType": "DIGITAL"}, 502, "PG_PROVIDER", "디지털 상품"},
		"bank":          {account(object{"bank": "SHINHAN_BANK"}), 400, "INVALID_REQUEST", "bank"},
		"no expiry":     {account(object{"expiry": object{}}), 400, "INVALID_REQUEST", "expiry"},
		"two expiries":  {account(object{"expiry": object{"validHours": 1, "dueDate": "2026-03-10T00:00:00Z"}}), 400, "INVALID_REQUEST", "expiry"},
		"past expiry":   {account(object{"expiry": object{"dueDate": "2026-03-01T00:00:00Z"}}), 400, "INVALID_REQUEST", "expiry"},
		"fixed":         {account(object{"option": object{"type": "FIXED"}}), 502, "PG_PROVIDER", "고정식"},
		"receipt":       {account(object{"cashReceipt": object{"type": "PERSONAL", "customerIdentityNumber": "01012345678"}}), 502, "PG_PROVIDER", "현금영수증"},
		"address":       {object{"customer": object{"address": object{"addressLine1": "a"}}}, 400, "INVALID_REQUEST", "addressLine2"},
		"notice":        {object{"noticeUrls": []string{"ftp://x"}}, 400, "INVALID_REQUEST", "noticeUrls"},
		"product":       {object{"products": []object{{"id": "1"}}}, 400, "INVALID_REQUEST", "products[0].quantity"},
		"foreign store": {object{"storeId": "store-x"}, 403, "FORBIDDEN", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w.post("/payments/order-1/instant", w.instant(test.more)).no(test.status, test.kind, strings.TrimSuffix(test.part, ""))
		})
	}
	w.get("/payments/order-1").no(404, "PAYMENT_NOT_FOUND")
	w.post("/payments/"+strings.Repeat("a", 65)+"/instant", w.instant(nil)).no(400, "INVALID_REQUEST", "paymentId")
	w.post("/payments/order-1/instant", nil).no(400, "INVALID_REQUEST")
	w.post("/payments/order-2/instant", w.instant(with(account(object{"expiry": object{"dueDate": "2026-03-12T00:00:00+09:00"}}), object{
		"isEscrow": false, "noticeUrls": []string{}, "channelKey": "channel-key-" + w.Merchant,
		"customer": object{"name": object{"separated": object{"first": "길동", "last": "홍"}}},
	}))).good()
	w.get("/payments/order-2").good().has(object{"method.expiredAt": "2026-03-11T15:00:00Z", "customer.name": "홍길동"})
}

func TestPreRegister(t *testing.T) {
	w := newWorld(t)
	w.post("/payments/order-1/pre-register", object{}).good()
	w.post("/payments/order-1/pre-register", object{"totalAmount": 1000}).good()
	w.post("/payments/order-1/pre-register", object{"totalAmount": 39000, "taxFreeAmount": 0}).good()
	w.post("/payments/order-1/pre-register", object{"totalAmount": 0}).no(400, "INVALID_REQUEST", "totalAmount")
	w.post("/payments/order-1/pre-register", object{"currency": "USD"}).no(400, "INVALID_REQUEST", "currency")
	w.post("/payments/order-1/pre-register", object{"storeId": "x"}).no(403, "FORBIDDEN")
	w.post("/payments/order-1/instant", w.instant(nil)).good()
}

func TestCloseAccount(t *testing.T) {
	w := newWorld(t)
	w.account("order-1", true)
	w.do(request{method: "POST", path: "/payments/order-1/virtual-account/close?storeId=x"}).no(403, "FORBIDDEN")
	w.do(request{method: "POST", path: "/payments/order-1/virtual-account/close?storeId=" + w.Code}).good().has(object{"closedAt": w.Now().Format(time.RFC3339Nano)})
	w.get("/payments/order-1").good().has(object{"status": "FAILED", "failure.reason": "계좌말소"})
	w.post("/payments/order-1/virtual-account/close", nil).no(409, "PAYMENT_NOT_WAITING_FOR_DEPOSIT")
	w.post("/payments/"+w.held()+"/virtual-account/close", nil).no(409, "PAYMENT_NOT_WAITING_FOR_DEPOSIT")
	w.post("/payments/x/virtual-account/close", nil).no(404, "PAYMENT_NOT_FOUND")
}

func TestDeliveryRefuses(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	for name, test := range map[string]struct {
		body object
		part string
	}{
		"nothing":         {object{}, "logistics"},
		"unknown carrier": {w.parcel(object{"company": "CJGLS"}), "logistics.company"},
		"no number":       {w.parcel(object{"invoiceNumber": nil}), "logistics.invoiceNumber"},
		"odd number":      {w.parcel(object{"invoiceNumber": "<script>"}), "logistics.invoiceNumber"},
		"unix time":       {w.parcel(object{"sentAt": 1773000000}), "logistics.sentAt"},
		"half an address": {with(w.parcel(nil), object{"receiver": object{"address": object{"addressLine1": "a"}}}), "receiver.address.addressLine2"},
	} {
		t.Run(name, func(t *testing.T) {
			w.post("/payments/"+id+"/escrow/logistics", test.body).no(400, "INVALID_REQUEST", test.part)
			w.patch("/payments/"+id+"/escrow/logistics", test.body).no(400, "INVALID_REQUEST", test.part)
		})
	}
	w.post("/payments/x/escrow/logistics", w.parcel(nil)).no(404, "PAYMENT_NOT_FOUND")
	w.account("plain", false)
	w.pay("plain")
	w.post("/payments/plain/escrow/logistics", w.parcel(nil)).no(502, "PG_PROVIDER").has(object{"pgCode": "not_escrow"})
	w.post("/payments/plain/escrow/complete", object{}).no(502, "PG_PROVIDER")
	w.post("/payments/x/escrow/complete", object{}).no(404, "PAYMENT_NOT_FOUND")
	w.post("/payments/"+id+"/escrow/logistics", w.parcel(object{"company": "ETC", "invoiceNumber": "직접 배송"})).good()
	w.Change(func(m *merchant.Merchant) { m.Profile.ShopMayConfirm = false })
	w.post("/payments/"+id+"/escrow/complete", object{}).no(502, "PG_PROVIDER").has(object{"pgCode": "by_policy"})
}

func TestCashReceipts(t *testing.T) {
	w := newWorld(t)
	receipt := func(id string, more object) object {
		return with(object{
			"paymentId": id, "channelKey": "channel-key-" + w.Merchant, "type": "PERSONAL", "orderName": "백자 찻잔", "currency": "KRW",
			"amount": object{"total": 39000}, "customer": object{"identityNumber": "010-1234-5678", "identityNumberType": "PHONE"},
		}, more)
	}
	w.account("order-1", true)
	w.post("/cash-receipts", receipt("order-1", nil)).no(502, "PG_PROVIDER")
	w.pay("order-1")
	w.get("/payments/order-1/cash-receipt").no(404, "CASH_RECEIPT_NOT_FOUND", "발급된 현금영수증이 없습니다.")
	w.post("/payments/order-1/cash-receipt/cancel", nil).no(404, "CASH_RECEIPT_NOT_FOUND")
	w.post("/cash-receipts", receipt("order-1", object{"amount": object{"total": 1}})).no(400, "INVALID_REQUEST", "amount.total")
	w.post("/cash-receipts", receipt("order-1", object{"channelKey": "x"})).no(404, "CHANNEL_NOT_FOUND")
	w.post("/cash-receipts", receipt("order-1", object{"customer": object{"identityNumber": "1"}})).no(400, "INVALID_REQUEST", "customer.identityNumber")
	w.post("/cash-receipts", receipt("order-1", nil)).good()
	w.post("/cash-receipts", receipt("order-1", nil)).no(409, "CASH_RECEIPT_ALREADY_ISSUED", "이미 현금영수증이 발급된 결제 건입니다.")
	r := w.get("/payments/order-1/cash-receipt?storeId=" + w.Code).good()
	r.has(object{"status": "ISSUED", "amount": 39000, "vatAmount": 3545, "type": "PERSONAL", "isManual": false, "paymentId": "order-1"})
	w.get("/payments/order-1").good().has(object{"cashReceipt.status": "ISSUED", "cashReceiptIssuanceStatus": "ISSUED", "cashReceipt.issueNumber": r.at("issueNumber")})
	w.query("/payments", object{"filter": object{"cashReceiptStatus": "ISSUED", "cashReceiptType": "PERSONAL"}}).good().has(object{"page.totalCount": 1})
	w.post("/payments/order-1/cash-receipt/cancel", nil).good().has(object{"cancelledAmount": 39000, "cancelledAt": w.Now().Format(time.RFC3339Nano)})
	w.post("/payments/order-1/cash-receipt/cancel", nil).no(404, "CASH_RECEIPT_NOT_ISSUED")
	w.get("/payments/order-1/cash-receipt").good().has(object{"status": "CANCELLED"})
	w.get("/payments/order-1").good().has(object{"cashReceipt.status": "CANCELLED", "cashReceiptIssuanceStatus": "NOT_ISSUED"})

	// For money that was paid elsewhere.
	w.post("/cash-receipts", receipt("elsewhere", object{"channelKey": nil, "type": "CORPORATE", "amount": object{"total": 5500, "vat": 500}})).good()
	w.get("/payments/elsewhere/cash-receipt").good().has(object{"isManual": true, "amount": 5500, "vatAmount": 500, "type": "CORPORATE"})
	w.post("/payments/elsewhere/cash-receipt/cancel", nil).good()
	w.window("card", escrow.Card, "pc")
	w.post("/cash-receipts", receipt("card", object{"amount": object{"total": 20000}})).no(502, "PG_PROVIDER", "현금성")
}

// TestIdempotencyKey: the same request twice is done once and answered alike.
func TestIdempotencyKey(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	w.act(id, escrow.Shop, w.shipping())
	w.act(id, escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer})
	key := http.Header{"Idempotency-Key": {`"0123456789abcdef"`}}
	cancel := func(amount int) reply {
		return w.do(request{method: "POST", path: "/payments/" + id + "/cancel", header: key, body: object{"amount": amount, "reason": "일부 품절", "refundAccount": refundAccount}})
	}
	first, second := cancel(1000).good(), cancel(1000).good()
	if string(first.raw) != string(second.raw) || second.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%s, then %s", first.raw, second.raw)
	}
	cancel(2000).no(400, "INVALID_REQUEST", "Idempotency-Key")
	w.get("/payments/" + id).good().has(object{"amount.cancelled": 1000})
	w.do(request{method: "POST", path: "/payments/" + id + "/cancel", header: http.Header{"Idempotency-Key": {"bare"}}, body: object{"reason": "x"}}).no(400, "INVALID_REQUEST", "Idempotency-Key")
}

// TestManyCancelsAtOnce: one gives the money back, and no other one says that it did.
func TestManyCancelsAtOnce(t *testing.T) {
	w := newWorld(t)
	id := w.held()
	var mu sync.Mutex
	done := map[string]int{}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			r := w.post("/payments/"+id+"/cancel", object{"reason": "품절", "refundAccount": refundAccount})
			kind, _ := r.object()["type"].(string)
			mu.Lock()
			defer mu.Unlock()
			done[kind]++
		})
	}
	wg.Wait()
	if done[""] != 1 || done["PAYMENT_ALREADY_CANCELLED"] != 19 {
		t.Errorf("got %v", done)
	}
	w.CheckBooks()
}
