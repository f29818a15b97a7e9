package pay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// told is any answer to the script of V2.
type told struct {
	status                                                                  int
	URL, TransactionType, TxID, PaymentID, Code, Message, PGCode, PGMessage string
	raw                                                                     map[string]any
}

// tell posts to the server as the script does.
func tell(t *testing.T, address string, body any) (out told) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", shopOrigin)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&out.raw); err != nil {
		t.Fatalf("%s answers %d without JSON: %v", address, res.StatusCode, err)
	}
	again, _ := json.Marshal(out.raw)
	_ = json.Unmarshal(again, &out)
	out.status = res.StatusCode
	return out
}

// requestV2 is what a shop's page sends; change may set single parameters or, by
// nil, leave them out.
func requestV2(s *servetest.Server, change map[string]any) map[string]any {
	all := map[string]any{
		"storeId": s.Code, "channelKey": "channel-key-" + s.Merchant, "paymentId": "주문 1/가?", "orderName": "백자 찻잔", "totalAmount": 39000, "currency": "CURRENCY_KRW",
		"payMethod": "VIRTUAL_ACCOUNT", "redirectUrl": shopOrigin + "/back?keep=1", "customer": map[string]any{"fullName": "홍길동", "email": "buyer@example.com"},
	}
	for key, value := range change {
		if value == nil {
			delete(all, key)
			continue
		}
		all[key] = value
	}
	return map[string]any{"nonce": "0123456789abcdef", "params": all}
}

func openV2(t *testing.T, s *servetest.Server, change map[string]any) (string, string) {
	t.Helper()
	got := tell(t, s.URL+"/pay/v2/open", requestV2(s, change))
	if got.status != http.StatusOK || got.URL == "" || got.TxID == "" {
		t.Fatalf("not opened: %+v", got)
	}
	return s.URL + got.URL, got.TxID
}

func TestV2Refuses(t *testing.T) {
	s := servetest.Run(t)
	s.Change(func(m *merchant.Merchant) { m.Profile.CardEscrow = false })
	if err := s.App.Prepare(context.Background(), app.Prepared{Merchant: s.Merchant, OrderID: "prepared", Amount: 1000}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change     map[string]any
		code, says string
	}{
		"no store":              {map[string]any{"storeId": nil}, "RequestParseFailed", "storeId"},
		"an unknown store":      {map[string]any{"storeId": "store-1"}, "StoreNotFound", "storeId"},
		"an unknown channel":    {map[string]any{"channelKey": "channel-key-of-another"}, "ChannelNotFound", "channelKey"},
		"no amount":             {map[string]any{"totalAmount": nil}, "RequestParseFailed", "totalAmount"},
		"amount zero":           {map[string]any{"totalAmount": 0}, "RequestParseFailed", "totalAmount"},
		"another currency":      {map[string]any{"currency": "USD"}, "RequestParseFailed", "currency"},
		"a method of others":    {map[string]any{"payMethod": "EASY_PAY"}, "AllChannelsNotSatisfied", "payMethod"},
		"an escrow of no goods": {map[string]any{"isEscrow": true, "productType": "DIGITAL"}, "AllChannelsNotSatisfied", "isEscrow"},
		"an escrow by card":     {map[string]any{"isEscrow": true, "payMethod": "CARD"}, "AllChannelsNotSatisfied", "isEscrow"},
		"another amount":        {map[string]any{"paymentId": "prepared"}, "AmountNotEqualToPredefined", "totalAmount"},
		"a past due date":       {map[string]any{"virtualAccount": map[string]any{"accountExpiry": map[string]any{"dueDate": "20200101"}}}, "RequestParseFailed", "virtualAccount.accountExpiry"},
	} {
		got := tell(t, s.URL+"/pay/v2/open", requestV2(s, c.change))
		if got.status < 400 || got.Code != c.code || !strings.Contains(got.Message, c.says) || got.TxID != "" || got.TransactionType != "PAYMENT" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, total, err := s.App.Payments(context.Background(), s.Merchant, app.Filter{}, app.Order{}, 0, 10); err != nil || total != 0 {
		t.Errorf("%d payments exist after refusals (%v)", total, err)
	}
	english := tell(t, s.URL+"/pay/v2/open", requestV2(s, map[string]any{"locale": "EN_US", "payMethod": "MOBILE"}))
	if english.Message != "payMethod: this shop does not offer the payment method." {
		t.Error(english.Message)
	}
}

func TestV2KnowsAShopByItsMerchantsID(t *testing.T) {
	s := servetest.Run(t)
	if _, id := openV2(t, s, map[string]any{"storeId": s.Merchant}); payment(t, s, id).OrderID != "주문 1/가?" {
		t.Error("another payment")
	}
}

func TestV2RegisteredPages(t *testing.T) {
	s := servetest.Run(t)
	s.Change(func(m *merchant.Merchant) { m.Origins = []string{"https://other.example"} })
	if got := tell(t, s.URL+"/pay/v2/open", requestV2(s, nil)); got.Code != "PermissionDenied" {
		t.Errorf("%+v", got)
	}
}

// TestV2Account goes from the request to the issued account: the hours are
// counted from the issue, and the window offers the shop's method and banks alone.
func TestV2Account(t *testing.T) {
	s := servetest.Run(t)
	address, id := openV2(t, s, map[string]any{"isEscrow": true, "virtualAccount": map[string]any{
		"availableBanks": []string{"SHINHAN_BANK", "BANK_OF_KOREA", "BANK_HANA_BANK"}, "accountExpiry": map[string]any{"validHours": 3},
	}})
	page := get(t, address)
	wants(t, page, http.StatusOK, `<input type="hidden" name="method" value="vbank">`, `<option value="088"`, `<option value="081"`, "이 주문은 에스크로로 결제됩니다")
	lacks(t, page, `type="radio"`) // a single method is no choice
	lacks(t, page, `value="card"`, `value="trans"`, `<option value="004"`)
	for method, bank := range map[string]string{"vbank": "004", "trans": "088"} {
		if got := visit(t, http.MethodPost, address, form("method", method, "bank", bank, "agree", "on", "consent", "on")); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s at %s: %d", method, bank, got.status)
		}
	}
	s.Advance(s.Now().Add(10 * time.Minute))
	visit(t, http.MethodPost, address, form("method", "vbank", "bank", "088", "agree", "on", "consent", "on"))
	p := payment(t, s, id)
	if p.State != escrow.AwaitingDeposit || !p.Escrow || !p.V2 || !p.Account.Due.Equal(s.Now().Add(3*time.Hour)) {
		t.Fatalf("%s, escrow %v, V2 %v, due %v", p.State, p.Escrow, p.V2, p.Account.Due)
	}
	done := tell(t, address+"/close", nil)
	if want := map[string]any{"transactionType": "PAYMENT", "txId": id, "paymentId": "주문 1/가?"}; len(done.raw) != len(want) || done.TxID != id || done.PaymentID != "주문 1/가?" {
		t.Errorf("%v, want %v and nothing else", done.raw, want)
	}
}

func TestV2Results(t *testing.T) {
	s := servetest.Run(t)
	for _, c := range []struct {
		act          func(address string)
		code, pgCode string
	}{
		{func(a string) { visit(t, http.MethodPost, a+"/approve", form("answer", "approve")) }, "", ""},
		{func(a string) { visit(t, http.MethodPost, a+"/approve", form("answer", "decline")) }, "PGProviderError", "DECLINED"},
		{func(a string) { visit(t, http.MethodPost, a+"/cancel", nil) }, "PGProviderError", "USER_CANCEL"},
		{func(string) { s.Advance(s.Now().Add(31 * time.Minute)) }, "DeadlineExceeded", ""},
	} {
		paymentID := "o-" + c.code + c.pgCode
		address, id := openV2(t, s, map[string]any{"payMethod": "CARD", "paymentId": paymentID})
		visit(t, http.MethodPost, address, form("method", "card", "agree", "on"))
		c.act(address)
		got := tell(t, address+"/close", nil)
		if got.Code != c.code || got.PGCode != c.pgCode || got.TxID != id || got.PaymentID != paymentID || (got.Message == "") != (c.code == "") || got.PGMessage != "" != (c.pgCode != "") {
			t.Errorf("%+v", got)
		}
	}
	if got := tell(t, s.URL+"/pay/v2/open", requestV2(s, map[string]any{"paymentId": "o-"})); got.Code != "PaymentAlreadyPaid" {
		t.Errorf("%+v", got)
	}
}

func TestV2Redirect(t *testing.T) {
	s := servetest.Run(t)
	request := requestV2(s, map[string]any{"payMethod": "CARD"})
	request["redirect"] = true
	got := tell(t, s.URL+"/pay/v2/open", request)
	visit(t, http.MethodPost, s.URL+got.URL, form("method", "card", "agree", "on"))
	visit(t, http.MethodPost, s.URL+got.URL+"/approve", form("answer", "approve"))
	want := shopOrigin + "/back?keep=1&paymentId=%EC%A3%BC%EB%AC%B8+1%2F%EA%B0%80%3F&transactionType=PAYMENT&txId=" + got.TxID
	if back := get(t, s.URL+got.URL+"/return"); back.to != want {
		t.Errorf("%s, want %s", back.to, want)
	}
}

// questions are what a shop was asked at its confirmUrl, /ask, and how it answers.
type questions struct {
	status int
	body   []byte
	header http.Header
}

func (q *questions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/ask" {
		return // a webhook
	}
	q.body, _ = io.ReadAll(r.Body)
	q.header = r.Header
	w.WriteHeader(q.status)
	if q.status != http.StatusNoContent {
		_, _ = w.Write([]byte(`{"errorMessage":"재고가 없습니다"}`))
	}
}

// TestV2ConfirmURL: the shop is asked before an account and before an approval, in
// V2's words; any success lets the payment through, anything else ends it with the
// shop's reason.
func TestV2ConfirmURL(t *testing.T) {
	s := servetest.Run(t)
	asked := &questions{status: http.StatusNoContent}
	shop := httptest.NewServer(asked)
	defer shop.Close()
	address, id := openV2(t, s, map[string]any{"confirmUrl": shop.URL + "/ask", "paymentId": "let"})
	visit(t, http.MethodPost, address, form("method", "vbank", "bank", "088", "agree", "on"))
	if p := payment(t, s, id); p.State != escrow.AwaitingDeposit {
		t.Fatalf("a shop that agrees: %s %s", p.State, p.FailReason)
	}
	want := fmt.Sprintf(`{"type":"Transaction.Confirm","timestamp":"2026-03-09T00:00:00.000Z","data":{"storeId":%q,"paymentId":"let","transactionId":%q,"totalAmount":39000}}`, s.Code, id)
	if string(asked.body) != want || asked.header.Get("webhook-id") == "" || asked.header.Get("webhook-signature") != "" {
		t.Errorf("the shop was asked %s with %v, want %s", asked.body, asked.header, want)
	}

	asked.status = http.StatusConflict
	address, id = openV2(t, s, map[string]any{"confirmUrl": shop.URL + "/ask", "paymentId": "stop", "payMethod": "CARD"})
	visit(t, http.MethodPost, address, form("method", "card", "agree", "on"))
	visit(t, http.MethodPost, address+"/approve", form("answer", "approve"))
	if p := payment(t, s, id); p.State != escrow.Failed {
		t.Fatalf("a shop that refuses: %s", p.State)
	}
	wants(t, get(t, address), http.StatusOK, "재고가 없습니다")
	if got := tell(t, address+"/close", nil); got.Code != "ConfirmProcessFailed" || got.Message != "재고가 없습니다" {
		t.Errorf("%+v", got)
	}
}

// TestV2ConfirmURLInTheChosenVersion: a shop that has an endpoint of V2 is asked in its
// format and under its signature.
func TestV2ConfirmURLInTheChosenVersion(t *testing.T) {
	s := servetest.Run(t)
	asked := &questions{status: http.StatusOK}
	shop := httptest.NewServer(asked)
	defer shop.Close()
	if _, _, err := s.App.CreateEndpoint(t.Context(), "test", s.Merchant, merchant.Endpoint{URL: shop.URL, Format: merchant.V2OldForm}, ""); err != nil {
		t.Fatal(err)
	}
	address, id := openV2(t, s, map[string]any{"confirmUrl": shop.URL + "/ask", "paymentId": "old", "payMethod": "CARD"})
	visit(t, http.MethodPost, address, form("method", "card", "agree", "on"))
	visit(t, http.MethodPost, address+"/approve", form("answer", "approve"))
	if want := "payment_id=old&total_amount=39000&tx_id=" + id; string(asked.body) != want || asked.header.Get("webhook-signature") == "" {
		t.Errorf("the shop was asked %s with %v", asked.body, asked.header)
	}
}
