package wirev2

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// requestOf is a request for a window with single members changed; nil leaves one out.
func requestOf(t *testing.T, change map[string]any) (RequestPayment, error) {
	t.Helper()
	all := map[string]any{
		"storeId": "imp10000001", "paymentId": "o-1", "orderName": "가죽 구두", "totalAmount": 1000, "currency": "KRW", "payMethod": "VIRTUAL_ACCOUNT", "channelKey": "channel-1",
	}
	maps.Copy(all, change)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	v, err := body.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	f := v.Fields()
	p := TakeRequestPayment(f)
	return p, f.Err()
}

type member = map[string]any

func TestTakeRequestPayment(t *testing.T) {
	got, err := requestOf(t, member{
		"taxFreeAmount": 100, "vatAmount": 81, "isEscrow": true, "locale": "EN_US", "productType": "PRODUCT_TYPE_REAL", "customData": member{"a": 1},
		"noticeUrls": []string{"https://shop.example/hook"}, "confirmUrl": "https://shop.example/confirm", "redirectUrl": "https://shop.example/done?x=1", "forceRedirect": true,
		"customer": member{
			"customerId": "c", "fullName": "김구매", "phoneNumber": "010-1234-5678", "email": "b@example.com", "zipcode": "04524",
			"address": member{"addressLine1": "세종대로 1", "addressLine2": "2층", "city": "종로구", "province": "서울", "country": "COUNTRY_KR"},
		},
		"products":       []member{{"id": "p1", "name": "구두", "code": "c", "tag": "t", "amount": 500, "quantity": 2, "link": "https://shop.example/p1"}},
		"virtualAccount": member{"bankCode": "BANK_SHINHAN_BANK", "accountExpiry": member{"dueDate": "2026-03-02"}},
		"bypass":         member{"kcp_v2": member{"deli_term": "03"}}, "windowType": member{"pc": "IFRAME"}, "unknown": 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := RequestPayment{
		StoreID: "imp10000001", Channel: "channel-1", Due: time.Date(2026, 3, 2, 14, 59, 59, 0, time.UTC), Banks: []string{"088"},
		Open: escrow.Open{
			V2: true, OrderID: "o-1", Method: escrow.VirtualAccount, Goods: escrow.Physical, Escrow: true, Amount: 1000, TaxFree: 100, VAT: 81, Name: "가죽 구두", English: true,
			Buyer:      escrow.Party{Name: "김구매", Email: "b@example.com", Phone: "010-1234-5678", Address: "서울 종로구 세종대로 1 2층", Postcode: "04524"},
			CustomData: `{"a":1}`, NoticeURLs: []string{"https://shop.example/hook"}, ConfirmURL: "https://shop.example/confirm", RedirectURL: "https://shop.example/done?x=1",
			Products: []escrow.Product{{ID: "p1", Name: "구두", Code: "c", Tag: "t", Amount: 500, Quantity: 2}},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTakeRequestPaymentRefuses(t *testing.T) {
	account := func(a member) member { return member{"virtualAccount": a} }
	for name, c := range map[string]struct {
		change member
		field  string
	}{
		"no store":                      {member{"storeId": nil}, "storeId"},
		"no payment id":                 {member{"paymentId": nil}, "paymentId"},
		"no name":                       {member{"orderName": nil}, "orderName"},
		"no amount":                     {member{"totalAmount": nil}, "totalAmount"},
		"a fraction":                    {member{"totalAmount": 10.5}, "totalAmount"},
		"no currency":                   {member{"currency": nil}, "currency"},
		"another currency":              {member{"currency": "CURRENCY_USD"}, "currency"},
		"no method":                     {member{"payMethod": nil}, "payMethod"},
		"an unknown method":             {member{"payMethod": "BARTER"}, "payMethod"},
		"a prefix that methods lack":    {member{"payMethod": "PAY_METHOD_CARD"}, "payMethod"},
		"no channel":                    {member{"channelKey": nil}, "channelKey"},
		"a notice to a file":            {member{"noticeUrls": []string{"file:///etc/passwd"}}, "noticeUrls"},
		"a script to return to":         {member{"redirectUrl": "javascript:alert(1)", "appScheme": "javascript"}, "redirectUrl"},
		"a product without amount":      {member{"products": []member{{"id": "1", "name": "n", "quantity": 1}}}, "products[0].amount"},
		"a promotion":                   {member{"promotionId": "p"}, "promotionId"},
		"an unknown bank":               {account(member{"bankCode": "BANK_NOWHERE"}), "virtualAccount.bankCode"},
		"a REST name of a bank":         {account(member{"bankCode": "SHINHAN"}), "virtualAccount.bankCode"},
		"a bank without accounts":       {account(member{"bankCode": "BANK_OF_KOREA"}), "virtualAccount.bankCode"},
		"no bank with accounts":         {account(member{"availableBanks": []string{"BANK_OF_CHINA"}}), "virtualAccount.availableBanks"},
		"a bank that is not among them": {account(member{"availableBanks": []string{"HANA_BANK"}, "bankCode": "SHINHAN_BANK"}), "virtualAccount.bankCode"},
		"a fixed account":               {account(member{"fixedOption": member{"accountNumber": "1"}}), "virtualAccount.fixedOption"},
		"RFC 3339":                      {account(member{"accountExpiry": member{"dueDate": "2026-03-02T10:00:00Z"}}), "virtualAccount.accountExpiry.dueDate"},
		"a cash receipt":                {account(member{"cashReceiptType": "CASH_RECEIPT_TYPE_PERSONAL", "customerIdentifier": "01012345678"}), "virtualAccount.cashReceiptType"},
		"two expiries":                  {account(member{"accountExpiry": member{"dueDate": "20260302", "validHours": 3}}), "virtualAccount.accountExpiry"},
		"an expiry without any":         {account(member{"accountExpiry": member{}}), "virtualAccount.accountExpiry"},
		"too many hours":                {account(member{"accountExpiry": member{"validHours": 24*180 + 1}}), "virtualAccount.accountExpiry.validHours"},
	} {
		_, err := requestOf(t, c.change)
		var problems body.Problems
		if !errors.As(err, &problems) || problems[0].Field != c.field {
			t.Errorf("%s: %v, want a problem of %s", name, err, c.field)
		}
	}
}

func TestWhatASDKMayLeaveOrWriteInTheOldWay(t *testing.T) {
	got, err := requestOf(t, member{
		"currency": "CURRENCY_KRW", "productType": "PRODUCT_TYPE_DIGITAL", "payMethod": "EASY_PAY", "channelKey": nil, "channelGroupId": "group", "locale": "KO_KR",
		"orderName": strings.Repeat("가", 200), "customer": member{"firstName": "길동", "lastName": "홍"}, "shippingAddress": member{"addressLine1": "a", "addressLine2": "b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Open.Goods != escrow.Digital || got.Open.Method != "" || got.Channel != "group" || got.Open.English || len([]rune(got.Open.Name)) != orderNameMax ||
		got.Open.Buyer.Name != "홍길동" || got.Open.Buyer.Address != "a b" {
		t.Errorf("%+v", got)
	}
	got, err = requestOf(t, member{"customer": member{"firstName": "Gildong", "lastName": "Hong"}, "virtualAccount": member{
		"availableBanks": []string{"SHINHAN_BANK", "BANK_OF_KOREA", "BANK_K_BANK"}, "accountExpiry": member{"validHours": 3}, "cashReceiptType": "ANONYMOUS",
	}})
	if err != nil || got.Open.Buyer.Name != "Gildong Hong" || got.ValidHours != 3 || !cmp.Equal(got.Banks, []string{"088", "089"}) {
		t.Errorf("%+v %v", got, err)
	}
}

func TestSDKBank(t *testing.T) {
	for word, want := range map[string]string{
		"SHINHAN_BANK": "088", "BANK_SHINHAN_BANK": "088", "BANK_OF_KOREA": "001", "BANK_BANK_OF_KOREA": "001", "BANK_OF_CHINA": "063",
		"BANK_OF_AMERICA_BANK": "060", "BANK_OF_COMMUNICATIONS": "066", "BANK_EPOST": "071", "SHINHAN": "", "OF_KOREA": "", "BANK_": "", "": "",
	} {
		if got, known := SDKBank(word); got != want || known != (want != "") {
			t.Errorf("%s: %q %v", word, got, known)
		}
	}
}

func TestWindowResultOfASuccessHasNoCode(t *testing.T) {
	p := &escrow.Payment{ID: "imp_1", OrderID: "주문 1/가?"}
	raw, err := json.Marshal(WindowDone(p))
	if err != nil || string(raw) != `{"transactionType":"PAYMENT","txId":"imp_1","paymentId":"주문 1/가?"}` {
		t.Errorf("%s %v", raw, err)
	}
	if got := WindowFailed(p, CodeConfirm, "no").Query().Encode(); got != "code=ConfirmProcessFailed&message=no&paymentId=%EC%A3%BC%EB%AC%B8+1%2F%EA%B0%80%3F&transactionType=PAYMENT&txId=imp_1" {
		t.Error(got)
	}
}
