package wirev1

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/order"
)

func take(t *testing.T, raw string) (RequestPay, error) {
	t.Helper()
	v, err := body.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	f := v.Fields()
	p := TakeRequestPay(f)
	return p, f.Err()
}

func TestAddressesThatCannotBeUsed(t *testing.T) {
	for raw, want := range map[string]string{
		`{"amount":1,"notice_url":"https://shop.example:65536/"}`:                            "notice_url: " + order.ReasonURL.English,
		`{"amount":1,"confirm_url":"https://shop.example:0/"}`:                               "confirm_url: " + order.ReasonURL.English,
		`{"amount":1,"m_redirect_url":"https://shop.example@evil.example/"}`:                 "m_redirect_url: must not carry a user name",
		`{"amount":1,"m_redirect_url":"shop://user@x/","app_scheme":"shop"}`:                 "m_redirect_url: must not carry a user name",
		`{"amount":1,"m_redirect_url":"https://shop.example/@x","notice_url":"http://h:1/"}`: "",
	} {
		_, err := take(t, raw)
		var problems body.Problems
		if got := ""; errors.As(err, &problems) {
			if got = problems.English(); want == "" || !strings.Contains(got, want) {
				t.Errorf("%s: %q, want %q", raw, got, want)
			}
		} else if err != nil || want != "" {
			t.Errorf("%s: %v, want %q", raw, err, want)
		}
	}
}

func TestTakeRequestPay(t *testing.T) {
	want := RequestPay{
		Channel: "inicis", Method: escrow.VirtualAccount, OrderID: "o-1", Name: "가죽 구두", Amount: 1000, TaxFree: 100, VAT: 81, Escrow: true,
		Buyer:   escrow.Party{Name: "김구매", Email: "b@example.com", Phone: "010-1234-5678", Address: "서울", Postcode: "04524"},
		English: true, CustomData: `{"a":1}`, NoticeURLs: []string{"https://shop.example/hook"}, ConfirmURL: "https://shop.example/confirm",
		RedirectURL: "https://shop.example/done?x=1#top", Due: time.Date(2026, 3, 2, 14, 59, 59, 0, time.UTC),
		Products: []escrow.Product{{ID: "p1", Name: "구두", Code: "c", Amount: 500, Quantity: 2}},
	}
	for name, raw := range map[string]string{
		"JSON": `{"pg":"inicis","pay_method":"vbank","merchant_uid":"o-1","name":"가죽 구두","amount":1000,"tax_free":100,"vat_amount":81,"escrow":true,
			"currency":"KRW","language":"en","buyer_name":"김구매","buyer_email":"b@example.com","buyer_tel":"010-1234-5678","buyer_addr":"서울","buyer_postcode":"04524",
			"custom_data":{"a":1},"notice_url":"https://shop.example/hook","confirm_url":"https://shop.example/confirm",
			"m_redirect_url":"https://shop.example/done?x=1#top","vbank_due":"2026-03-02","popup":true,"display":{"card_quota":[2]},
			"products":[{"id":"p1","name":"구두","code":"c","unitPrice":500,"quantity":2}]}`,
		"form": `pg=inicis&pay_method=vbank&merchant_uid=o-1&name=가죽+구두&amount=1000&tax_free=100&vat_amount=81&escrow=1&language=en&buyer_name=김구매` +
			`&buyer_email=b%40example.com&buyer_tel=010-1234-5678&buyer_addr=서울&buyer_postcode=04524&custom_data=%7B%22a%22%3A1%7D&notice_url[]=https://shop.example/hook` +
			`&confirm_url=https://shop.example/confirm&m_redirect_url=https://shop.example/done?x%3D1%23top&vbank_due=20260302` +
			`&products[0][id]=p1&products[0][name]=구두&products[0][code]=c&products[0][unitPrice]=500&products[0][quantity]=2`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := take(t, raw)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			open := got.Open()
			if open.Goods != escrow.Physical || open.Amount != 1000 || !open.Escrow || open.OrderID != "o-1" {
				t.Errorf("opens as %+v", open)
			}
		})
	}
}

func TestTakeRequestPayDue(t *testing.T) {
	for text, want := range map[string]string{
		"2026-12-31":          "2026-12-31T14:59:59Z",
		"20261231":            "2026-12-31T14:59:59Z",
		"2026-12-31 18:30:05": "2026-12-31T09:30:05Z",
		"20261231183005":      "2026-12-31T09:30:05Z",
	} {
		got, err := take(t, `{"amount":1,"vbank_due":"`+text+`"}`)
		if err != nil || got.Due.Format(time.RFC3339) != want {
			t.Errorf("%s: %v %v, want %s", text, got.Due, err, want)
		}
	}
}

func TestTakeRequestPayRefuses(t *testing.T) {
	for raw, field := range map[string]string{
		`{}`:                                    "amount",
		`{"amount":-5}`:                         "amount",
		`{"amount":"1,000"}`:                    "amount",
		`{"amount":10.5}`:                       "amount",
		`{"Amount":10}`:                         "amount",
		`{"amount":99999999999}`:                "amount",
		`{"amount":1,"pay_method":"phone"}`:     "pay_method",
		`{"amount":1,"currency":"USD"}`:         "currency",
		`{"amount":1,"escrow":"yes"}`:           "escrow",
		`{"amount":1,"vbank_due":"tomorrow"}`:   "vbank_due",
		`{"amount":1,"vbank_due":"20261301"}`:   "vbank_due",
		`{"amount":1,"vbank_due":1800000000}`:   "vbank_due",
		`{"amount":1,"notice_url":["ftp://x"]}`: "notice_url",
		`{"amount":1,"m_redirect_url":"javascript:alert(1)","app_scheme":"javascript"}`: "m_redirect_url",
		`{"amount":1,"m_redirect_url":"/done"}`:                                         "m_redirect_url",
		`{"amount":1,"products":[{"quantity":0}]}`:                                      "products[0].quantity",
		`{"amount":1,"merchant_uid":"` + strings.Repeat("x", 41) + `"}`:                 "merchant_uid",
	} {
		_, err := take(t, raw)
		var problems body.Problems
		if !errors.As(err, &problems) || problems[0].Field != field {
			t.Errorf("%s: %v, want a problem of %s", raw, err, field)
		}
	}
}

func TestTakeRequestPayIsLenient(t *testing.T) {
	got, err := take(t, `{"amount":"1E+3","name":"`+strings.Repeat("가", 60)+`","app_scheme":"shopapp","m_redirect_url":"shopapp://done","kcpProducts":[{"orderNumber":"1","name":"n","amount":5}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if len([]rune(got.Name)) != orderNameMax || got.Amount != 1000 || got.Method != "" || got.OrderID != "" || got.Products[0].ID != "1" {
		t.Errorf("%+v", got)
	}
	if id := OrderIDOf(time.Unix(1, 5e6)); id != "nobody_1005" {
		t.Error(id)
	}
}
