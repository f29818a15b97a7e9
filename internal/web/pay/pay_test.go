package pay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/internal/web/pay"
)

const shopOrigin = "https://shop.example"

// request is what a shop's page sends; params may change single parameters.
func request(code string, params map[string]any) map[string]any {
	all := map[string]any{
		"pay_method": "vbank", "merchant_uid": "order-1", "name": "백자 찻잔", "amount": 39000,
		"buyer_name": "홍길동", "buyer_email": "buyer@example.com", "buyer_tel": "010-1234-5678", "m_redirect_url": shopOrigin + "/back?keep=1",
	}
	for key, value := range params {
		if value == nil {
			delete(all, key)
			continue
		}
		all[key] = value
	}
	return map[string]any{"code": code, "nonce": "0123456789abcdef", "params": all}
}

type answer struct {
	status           int
	URL              string
	ImpUID           string `json:"imp_uid"`
	ErrorCode        string `json:"error_code"`
	ErrorMsg         string `json:"error_msg"`
	Success          bool
	Status, VbankNum string
	header           http.Header
	BuyerName        string `json:"buyer_name"`
	MerchantUID      string `json:"merchant_uid"`
}

func post(t *testing.T, address, origin string, body []byte) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out := answer{status: res.StatusCode, header: res.Header}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatalf("%s answers %d without JSON: %v", address, res.StatusCode, err)
	}
	return out
}

func open(t *testing.T, s *servetest.Server, body map[string]any) answer {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return post(t, s.URL+"/pay/v1/open", shopOrigin, raw)
}

// mustOpen opens a window and returns its address.
func mustOpen(t *testing.T, s *servetest.Server, body map[string]any) (string, string) {
	t.Helper()
	got := open(t, s, body)
	if got.status != http.StatusOK || got.URL == "" {
		t.Fatalf("not opened: %+v", got)
	}
	return s.URL + got.URL, got.ImpUID
}

// seen is one page of the window.
type seen struct {
	status int
	body   string
	to     string // where a redirect leads
	header http.Header
}

// client follows nothing, so that a test sees every step.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func visit(t *testing.T, method, address string, form url.Values) seen {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return seen{res.StatusCode, string(body), res.Header.Get("Location"), res.Header}
}

func get(t *testing.T, address string) seen {
	t.Helper()
	return visit(t, http.MethodGet, address, nil)
}

func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}

func payment(t *testing.T, s *servetest.Server, id string) escrow.Payment {
	t.Helper()
	p, err := s.App.Payment(context.Background(), s.Merchant, id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wants(t *testing.T, page seen, status int, texts ...string) {
	t.Helper()
	if page.status != status {
		t.Fatalf("status %d, want %d: %.600s", page.status, status, page.body)
	}
	for _, text := range texts {
		if !strings.Contains(page.body, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}

func lacks(t *testing.T, page seen, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(page.body, text) {
			t.Errorf("the page has %q", text)
		}
	}
}

func TestOpenRefusesAndNamesTheField(t *testing.T) {
	s := servetest.Run(t)
	ctx := context.Background()
	if err := s.App.Prepare(ctx, app.Prepared{Merchant: s.Merchant, OrderID: "prepared", Amount: 1000}); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name       string
		params     map[string]any
		code, says string
	}{
		{"no amount", map[string]any{"amount": nil}, "INVALID_REQUEST", "amount"},
		{"amount in words", map[string]any{"amount": "만원"}, "INVALID_REQUEST", "amount"},
		{"amount zero", map[string]any{"amount": 0}, "INVALID_REQUEST", "amount"},
		{"amount negative", map[string]any{"amount": -5}, "INVALID_REQUEST", "amount"},
		{"amount with a fraction", map[string]any{"amount": 10.5}, "INVALID_REQUEST", "amount"},
		{"amount beyond all bounds", map[string]any{"amount": 1e18}, "INVALID_REQUEST", "amount"},
		{"order id too long", map[string]any{"merchant_uid": strings.Repeat("x", 41)}, "INVALID_REQUEST", "merchant_uid"},
		{"unknown method", map[string]any{"pay_method": "bitcoin"}, "INVALID_REQUEST", "pay_method"},
		{"other currency", map[string]any{"currency": "USD"}, "INVALID_REQUEST", "currency"},
		{"due in the past", map[string]any{"vbank_due": "2020-01-01"}, "INVALID_REQUEST", "vbank_due"},
		{"due in another format", map[string]any{"vbank_due": "31.12.2026"}, "INVALID_REQUEST", "vbank_due"},
		{"redirect without scheme", map[string]any{"m_redirect_url": "//evil.example/x"}, "INVALID_REQUEST", "m_redirect_url"},
		{"redirect that is a script", map[string]any{"m_redirect_url": "javascript:alert(1)"}, "INVALID_REQUEST", "m_redirect_url"},
		{"redirect that is data", map[string]any{"m_redirect_url": "data:text/html,x"}, "INVALID_REQUEST", "m_redirect_url"},
		{"escrow of digital goods", map[string]any{"escrow": true, "digital": true}, "ESCROW_UNAVAILABLE", "디지털 상품은 배송을 확인할 수 없어"},
		{"amount differs from the prepared one", map[string]any{"merchant_uid": "prepared"}, "AMOUNT_NOT_AS_PREPARED", "amount"},
		{"custom data too long", map[string]any{"custom_data": strings.Repeat("x", 20000)}, "INVALID_REQUEST", "custom_data"},
		{"notice to a file", map[string]any{"notice_url": "file:///etc/passwd"}, "INVALID_REQUEST", "notice_url"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := open(t, s, request(s.Code, c.params))
			if got.Success || got.ImpUID != "" || got.ErrorCode != c.code || !strings.Contains(got.ErrorMsg, c.says) {
				t.Errorf("%+v", got)
			}
			if got.header.Get("Access-Control-Allow-Origin") != shopOrigin {
				t.Error("the shop's page may not read the answer")
			}
		})
	}
	if _, total, err := s.App.Payments(ctx, s.Merchant, app.Filter{}, app.Order{}, 0, 10); err != nil || total != 0 {
		t.Errorf("%d payments exist after refusals (%v)", total, err)
	}
}

func TestOpenRefusesWhatCannotBeRead(t *testing.T) {
	s := servetest.Run(t)
	for name, body := range map[string]string{
		"nothing": "", "no JSON": "{", "a list": "[]", "NUL": "{\"code\":\"\\u0000\"}", "invalid UTF-8": "{\"code\":\"\xff\"}",
		"twice": `{"code":"a","code":"b"}`, "deep": strings.Repeat(`{"a":`, 500) + "1" + strings.Repeat("}", 500), "huge": strings.Repeat(" ", 300<<10),
		"no shop": `{"code":"imp99999999","params":{"amount":1}}`,
	} {
		got := post(t, s.URL+"/pay/v1/open", shopOrigin, []byte(body))
		if got.status < 400 || got.status >= 500 || got.ErrorMsg == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestOpenLanguage(t *testing.T) {
	s := servetest.Run(t)
	got := open(t, s, request(s.Code, map[string]any{"language": "en", "amount": 0}))
	if !strings.Contains(got.ErrorMsg, "amount: must be at least 1") && !strings.Contains(got.ErrorMsg, "amount") || regexp.MustCompile(`[가-힣]`).MatchString(got.ErrorMsg) {
		t.Errorf("%q", got.ErrorMsg)
	}
	address, _ := mustOpen(t, s, request(s.Code, map[string]any{"language": "en"}))
	wants(t, get(t, address), http.StatusOK, `<html lang="en">`, "Buyer protection")
}

func TestOnlyRegisteredPagesOpenAWindow(t *testing.T) {
	s := servetest.Run(t)
	s.Change(func(m *merchant.Merchant) { m.Origins = []string{shopOrigin} })
	raw, _ := json.Marshal(request(s.Code, nil))
	for _, origin := range []string{"https://evil.example", "null", ""} {
		if got := post(t, s.URL+"/pay/v1/open", origin, raw); got.ErrorCode != "ORIGIN_NOT_REGISTERED" {
			t.Errorf("%q: %+v", origin, got)
		}
	}
	if got := open(t, s, request(s.Code, map[string]any{"m_redirect_url": "https://evil.example/"})); got.ErrorCode != "ORIGIN_NOT_REGISTERED" {
		t.Errorf("redirect: %+v", got)
	}
	address, _ := mustOpen(t, s, request(s.Code, nil))
	if csp := get(t, address).header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors "+shopOrigin) {
		t.Error(csp)
	}
}

func TestAccountIsIssuedOnSubmitOnce(t *testing.T) {
	s := servetest.Run(t)
	address, id := mustOpen(t, s, request(s.Code, map[string]any{"vbank_due": "2026-03-20"}))
	page := get(t, address)
	wants(t, page, http.StatusOK, "39,000원", "한빛상점", "백자 찻잔", `name="escrow"`, `value="vbank" checked`)
	lacks(t, page, `name="escrow" checked`, `name="consent" checked`, `name="agree" checked`)
	if payment(t, s, id).Account != nil {
		t.Fatal("an account exists before the submit")
	}

	order := form("method", "vbank", "bank", "088", "agree", "on", "escrow", "on", "consent", "on")
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if got := visit(t, http.MethodPost, address, order); got.status != http.StatusSeeOther {
				t.Errorf("submit answers %d: %.300s", got.status, got.body)
			}
		})
	}
	wait.Wait()
	p := payment(t, s, id)
	if p.State != escrow.AwaitingDeposit || !p.Escrow || p.Grounds != escrow.ChosenByBuyer || p.Consent == nil || p.Consent.Terms != merchant.TermsVersion {
		t.Fatalf("%+v", p)
	}
	if want := time.Date(2026, 3, 20, 14, 59, 59, 0, time.UTC); !p.Account.Due.Equal(want) {
		t.Errorf("due %v, want %v", p.Account.Due, want)
	}
	for range 2 { // a reload and the back button show the same account
		wants(t, get(t, address), http.StatusOK, p.Account.Number, "신한은행", "2026년 3월 20일(금) 23:59", `data-nonce="0123456789abcdef"`, `data-origin="`+shopOrigin+`"`)
	}
	again := visit(t, http.MethodPost, address, form("method", "card", "agree", "on"))
	if again.status != http.StatusSeeOther || payment(t, s, id).Method != escrow.VirtualAccount {
		t.Errorf("a late submit changed the payment: %d", again.status)
	}
}

func TestEscrowChoice(t *testing.T) {
	s := servetest.Run(t)
	cases := []struct {
		name    string
		params  map[string]any
		form    url.Values
		status  int
		escrow  bool
		grounds escrow.Grounds
	}{
		{"not chosen", nil, form("method", "vbank", "bank", "088", "agree", "on"), 303, false, escrow.DeclinedByBuyer},
		{"chosen", nil, form("method", "vbank", "bank", "088", "agree", "on", "escrow", "on", "consent", "on"), 303, true, escrow.ChosenByBuyer},
		{"chosen without consent", nil, form("method", "vbank", "bank", "088", "agree", "on", "escrow", "on"), 422, false, ""},
		{"asked by the shop", map[string]any{"escrow": true}, form("method", "vbank", "bank", "088", "agree", "on", "consent", "on"), 303, true, escrow.AskedByShop},
		{"asked by the shop, box tampered with", map[string]any{"escrow": true}, form("method", "vbank", "bank", "088", "agree", "on", "consent", "on", "escrow", ""), 303, true, escrow.AskedByShop},
		{"asked by the shop without consent", map[string]any{"escrow": true}, form("method", "vbank", "bank", "088", "agree", "on"), 422, false, ""},
		{"order not agreed to", nil, form("method", "vbank", "bank", "088"), 422, false, ""},
		{"no bank", nil, form("method", "vbank", "agree", "on"), 422, false, ""},
		{"a bank that is not offered", nil, form("method", "vbank", "bank", "999", "agree", "on"), 422, false, ""},
		{"no method", nil, form("bank", "088", "agree", "on"), 422, false, ""},
		{"card cannot be chosen as an escrow", nil, form("method", "card", "agree", "on", "escrow", "on", "consent", "on"), 303, false, escrow.ExemptCard},
		{"digital goods", map[string]any{"digital": true}, form("method", "trans", "bank", "004", "agree", "on", "escrow", "on"), 303, false, escrow.ExemptDigital},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			params := map[string]any{"merchant_uid": "order-" + string(rune('a'+i))}
			for k, v := range c.params {
				params[k] = v
			}
			address, id := mustOpen(t, s, request(s.Code, params))
			if got := visit(t, http.MethodPost, address, c.form); got.status != c.status {
				t.Fatalf("%d: %.500s", got.status, got.body)
			}
			if p := payment(t, s, id); p.Escrow != c.escrow || p.Grounds != c.grounds {
				t.Errorf("escrow %v because %q", p.Escrow, p.Grounds)
			}
		})
	}
}

func TestAnEscrowThatIsChosenIsNeverDroppedInSilence(t *testing.T) {
	s := servetest.Run(t)
	s.Change(func(m *merchant.Merchant) { delete(m.Contracts, escrow.BankTransfer) })
	address, id := mustOpen(t, s, request(s.Code, nil))
	wants(t, visit(t, http.MethodPost, address, form("method", "trans", "bank", "004", "agree", "on", "escrow", "on", "consent", "on")),
		http.StatusUnprocessableEntity, "선택하신 결제수단에는 에스크로를 적용할 수 없습니다")
	if p := payment(t, s, id); p.Grounds != "" {
		t.Errorf("chosen because %q", p.Grounds)
	}
}

func TestWindowShowsWhyThereIsNoEscrow(t *testing.T) {
	s := servetest.Run(t)
	address, _ := mustOpen(t, s, request(s.Code, map[string]any{"digital": true}))
	page := get(t, address)
	wants(t, page, http.StatusOK, "디지털 상품은 배송을 확인할 수 없어")
	lacks(t, page, `name="escrow"`, `name="consent"`)

	address, _ = mustOpen(t, s, request(s.Code, map[string]any{"escrow": true, "merchant_uid": "fixed"}))
	page = get(t, address)
	wants(t, page, http.StatusOK, "이 주문은 에스크로로 결제됩니다", `name="consent"`)
	lacks(t, page, `name="escrow"`, `name="consent" checked`)
}

func TestTransferAndCard(t *testing.T) {
	s := servetest.Run(t)
	cases := []struct {
		method, answer string
		state          escrow.State
		code           string
	}{
		{"trans", "approve", escrow.Paid, ""},
		{"card", "approve", escrow.Paid, ""},
		{"trans", "decline", escrow.Failed, "DECLINED"},
		{"card", "decline", escrow.Failed, "DECLINED"},
	}
	for _, c := range cases {
		t.Run(c.method+" "+c.answer, func(t *testing.T) {
			address, id := mustOpen(t, s, request(s.Code, map[string]any{"pay_method": c.method, "merchant_uid": c.method + c.answer}))
			next := visit(t, http.MethodPost, address, form("method", c.method, "bank", "004", "agree", "on"))
			wants(t, get(t, s.URL+next.to), http.StatusOK, "TEST", "승인", "거절")
			for range 2 { // a double click
				if got := visit(t, http.MethodPost, address+"/approve", form("answer", c.answer, "bank", "004", "card", "삼성카드")); got.status != http.StatusSeeOther {
					t.Fatalf("%d %.300s", got.status, got.body)
				}
			}
			p := payment(t, s, id)
			if p.State != c.state {
				t.Fatalf("state %s", p.State)
			}
			if back := get(t, s.URL+next.to); back.status != http.StatusSeeOther {
				t.Errorf("the approval page is still there after the answer: %d", back.status)
			}
			result := get(t, address)
			wants(t, result, http.StatusOK, `id="answer"`, c.code)
			done := post(t, address+"/close", shopOrigin, nil)
			if done.Success != (c.state == escrow.Paid) || done.ImpUID != id || done.ErrorCode != c.code {
				t.Errorf("%+v", done)
			}
		})
	}
}

func TestASecondWindowCannotPayAPaidOrder(t *testing.T) {
	s := servetest.Run(t)
	var addresses, ids []string
	for range 2 {
		address, id := mustOpen(t, s, request(s.Code, map[string]any{"pay_method": "card"}))
		visit(t, http.MethodPost, address, form("method", "card", "agree", "on"))
		addresses, ids = append(addresses, address), append(ids, id)
	}
	for _, address := range addresses {
		visit(t, http.MethodPost, address+"/approve", form("answer", "approve"))
	}
	if payment(t, s, ids[0]).State != escrow.Paid || payment(t, s, ids[1]).State == escrow.Paid {
		t.Errorf("states are %s and %s: the buyer paid twice", payment(t, s, ids[0]).State, payment(t, s, ids[1]).State)
	}
	if got := open(t, s, request(s.Code, nil)); got.ErrorCode != "ALREADY_PAID" {
		t.Errorf("%+v", got)
	}
}

func TestCancelAndClose(t *testing.T) {
	s := servetest.Run(t)
	address, id := mustOpen(t, s, request(s.Code, nil))
	if got := visit(t, http.MethodPost, address+"/cancel", nil); got.status != http.StatusSeeOther {
		t.Fatalf("%d", got.status)
	}
	if p := payment(t, s, id); p.State != escrow.Failed || p.FailReason != "사용자가 결제를 취소하셨습니다" {
		t.Errorf("%s %q", p.State, p.FailReason)
	}
	wants(t, get(t, address), http.StatusOK, "USER_CANCEL")

	// A window that is closed after its account was issued is a success.
	address, id = mustOpen(t, s, request(s.Code, map[string]any{"merchant_uid": "order-2"}))
	visit(t, http.MethodPost, address, form("method", "vbank", "bank", "088", "agree", "on"))
	visit(t, http.MethodPost, address+"/cancel", nil)
	if got := post(t, address+"/close", shopOrigin, nil); !got.Success || got.Status != "ready" || got.ImpUID != id {
		t.Errorf("%+v", got)
	}
}

func TestRedirect(t *testing.T) {
	s := servetest.Run(t)
	body := request(s.Code, map[string]any{"pay_method": "card"})
	body["mobile"], body["redirect"] = true, true
	address, id := mustOpen(t, s, body)
	if csp := get(t, address).header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "form-action 'self' "+shopOrigin) {
		t.Error(csp)
	}
	visit(t, http.MethodPost, address, form("method", "card", "agree", "on"))
	visit(t, http.MethodPost, address+"/approve", form("answer", "approve"))
	for _, from := range []string{address, address + "/return"} {
		got := get(t, from)
		if want := shopOrigin + "/back?keep=1&imp_success=true&imp_uid=" + id + "&merchant_uid=order-1"; got.status != http.StatusFound || got.to != want {
			t.Errorf("%d %s, want %s", got.status, got.to, want)
		}
	}
	if p := payment(t, s, id); p.Device != "mobile" {
		t.Errorf("channel %q", p.Device)
	}

	body = request(s.Code, map[string]any{"merchant_uid": "order-2"})
	body["redirect"] = true
	address, _ = mustOpen(t, s, body)
	visit(t, http.MethodPost, address+"/cancel", nil)
	if got := get(t, address); !strings.Contains(got.to, "imp_success=false") || !strings.Contains(got.to, "error_code=USER_CANCEL") || !strings.Contains(got.to, "error_msg=") {
		t.Error(got.to)
	}
}

func TestTicketEnds(t *testing.T) {
	s := servetest.Run(t)
	address, id := mustOpen(t, s, request(s.Code, nil))
	s.Advance(s.Now().Add(31 * time.Minute))
	page := get(t, address)
	wants(t, page, http.StatusGone, "결제 시간이 지났습니다", "TIMEOUT")
	lacks(t, page, "백자 찻잔", "39,000", "홍길동", "buyer@example.com")
	for _, tail := range []string{"", "/approve", "/cancel"} {
		wants(t, visit(t, http.MethodPost, address+tail, form("method", "vbank", "bank", "088", "agree", "on")), http.StatusGone)
	}
	if got := post(t, address+"/close", shopOrigin, nil); got.Success || got.ErrorCode != "TIMEOUT" || got.BuyerName != "" {
		t.Errorf("%+v", got)
	}
	if p := payment(t, s, id); p.State != escrow.Opened {
		t.Errorf("an ended ticket changed the payment: %s", p.State)
	}
}

func TestForgedTickets(t *testing.T) {
	s := servetest.Run(t)
	address, _ := mustOpen(t, s, request(s.Code, nil))
	host := s.URL + "/pay/"
	content, mac, _ := strings.Cut(strings.TrimPrefix(address, host), ".")
	content = host + content
	for name, forged := range map[string]string{
		"changed content": content[:len(content)-4] + "AAAA." + mac,
		"changed code":    address[:len(address)-2] + "AA",
		"no code":         content, "nothing": host + ".", "rubbish": host + "x.y", "long": host + strings.Repeat("a", 3000) + ".b",
	} {
		wants(t, get(t, forged), http.StatusNotFound, "결제창을 찾을 수 없습니다")
		if got := post(t, forged+"/close", shopOrigin, nil); got.status != http.StatusNotFound {
			t.Errorf("%s: close answers %d", name, got.status)
		}
	}
}

func TestTextIsText(t *testing.T) {
	s := servetest.Run(t)
	evil := `<img src=x onerror=alert(1)>`
	address, _ := mustOpen(t, s, request(s.Code, map[string]any{"name": evil, "buyer_name": `"><script>`}))
	page := get(t, address)
	lacks(t, page, evil, "<script>alert", `"><script>`)
	wants(t, page, http.StatusOK, "&lt;img src=x onerror=alert(1)&gt;")
	if csp := page.header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") {
		t.Error(csp)
	}
}

func TestNoCookies(t *testing.T) {
	s := servetest.Run(t)
	address, _ := mustOpen(t, s, request(s.Code, nil))
	for _, page := range []seen{get(t, address), visit(t, http.MethodPost, address, form("method", "vbank", "bank", "088", "agree", "on")), get(t, address+"?lang=en")} {
		if page.header.Get("Set-Cookie") != "" {
			t.Errorf("a cookie: %v", page.header)
		}
	}
}

func TestLiveShopsHaveNoSimulatedBank(t *testing.T) {
	s := servetest.Run(t)
	live, err := s.App.CreateMerchant(context.Background(), "test", "imp77777777", "실운영상점", merchant.Live, func(m *merchant.Merchant) { m.Origins = []string{shopOrigin} })
	if err != nil {
		t.Fatal(err)
	}
	address, id := mustOpen(t, s, request(live.Code, map[string]any{"pay_method": "card"}))
	page := get(t, address)
	lacks(t, page, `value="card"`, `value="trans"`, "테스트 결제입니다")
	wants(t, visit(t, http.MethodPost, address, form("method", "card", "agree", "on")), http.StatusUnprocessableEntity)
	if got := visit(t, http.MethodPost, address+"/approve", form("answer", "approve")); got.status != http.StatusSeeOther {
		t.Errorf("%d", got.status)
	}
	if p, err := s.App.Payment(context.Background(), live.ID, id); err != nil || p.State != escrow.Opened {
		t.Errorf("%s %v", p.State, err)
	}
}

func TestFloodOfWindowsIsBounded(t *testing.T) {
	s := servetest.Run(t)
	var last answer
	for range 61 {
		last = open(t, s, request(s.Code, nil))
	}
	if last.status != http.StatusTooManyRequests || last.ErrorCode != "TOO_MANY_REQUESTS" {
		t.Errorf("%+v", last)
	}
}

// TestAFloodUnderManyNames: an address that names another page every time opens
// no more than ten times as many windows.
func TestAFloodUnderManyNames(t *testing.T) {
	h := pay.New(pay.Config{Log: slog.New(slog.DiscardHandler), Secret: make([]byte, 32), OpensPerMinute: 2})
	for n := range 22 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/pay/v1/open", strings.NewReader("{"))
		r.Header.Set("Origin", fmt.Sprintf("https://shop-%d.example", n))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if limited := w.Code == http.StatusTooManyRequests; limited != (n >= 20) {
			t.Errorf("window %d: %d", n+1, w.Code)
		}
	}
}

func TestTerms(t *testing.T) {
	s := servetest.Run(t)
	wants(t, get(t, s.URL+"/pay/terms"), http.StatusOK, "에스크로 이용약관", merchant.TermsVersion)
	wants(t, get(t, s.URL+"/pay/terms?lang=en"), http.StatusOK, "Escrow terms")
}
