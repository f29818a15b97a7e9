package decide_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// stage is a server with one purchase, and a browser that keeps no cookies and
// follows no redirects.
type stage struct {
	*servetest.Server
	t  *testing.T
	id string
}

var ctx = context.Background()

func begin(t *testing.T, options ...servetest.Option) *stage {
	return &stage{Server: servetest.Run(t, options...), t: t}
}

// order opens, pays and ships a purchase. The buyer paid from a known account
// unless unknown.
func (s *stage) order(unknown bool, english bool) *stage {
	s.t.Helper()
	p, err := s.App.OpenWithAccount(ctx, s.Merchant, escrow.Open{
		OrderID: "ORD-0001", Method: escrow.VirtualAccount, Goods: escrow.Physical, Escrow: true, Amount: 12_000, Name: "수국 <b>꽃다발</b> 외 1건",
		Buyer: escrow.Party{Name: "김구매", Email: "buyer@holdfast.example", Phone: "010-1234-9753"}, English: english, Device: "api",
	}, app.AccountOrder{Bank: "088"})
	if err != nil {
		s.t.Fatal(err)
	}
	payer := escrow.BankAccount{Bank: "004", Number: "12345678901234", Holder: "김구매"}
	if unknown {
		payer = escrow.BankAccount{}
	}
	if _, err := s.App.Deposit(ctx, p.Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-1", Amount: 12_000, At: s.Now(), Payer: payer}); err != nil {
		s.t.Fatal(err)
	}
	s.id = p.ID
	s.do(escrow.Shop, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: "CJ", Number: "123456789012"}}, Trackable: true, SentAt: s.Now()})
	s.do(escrow.System, escrow.NoticeResult{Delivered: true})
	return s
}

func (s *stage) shipped() *stage { return s.order(false, false) }

func (s *stage) delivered() *stage {
	s.shipped()
	return s.arrive()
}

func (s *stage) arrive() *stage {
	s.do(escrow.Carrier, escrow.ReportTracking{Number: "123456789012", Seen: true, DeliveredAt: s.Now()})
	return s
}

func (s *stage) do(actor escrow.Actor, cmd escrow.Command) {
	s.t.Helper()
	if _, err := s.App.Do(ctx, actor, s.Merchant, s.id, cmd); err != nil {
		s.t.Fatalf("%s: %v", cmd.Verb(), err)
	}
}

func (s *stage) payment() escrow.Payment {
	s.t.Helper()
	p, err := s.App.Payment(ctx, s.Merchant, s.id)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *stage) link() string { return s.App.DecisionURL(s.payment()) }

// reply is an answer with its body.
type reply struct {
	*http.Response
	body string
}

func (s *stage) send(method, at string, form url.Values, headers ...string) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, at, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{res, string(body)}
}

func (s *stage) get(at string) reply { return s.send(http.MethodGet, at, nil) }

func (s *stage) post(act string, form url.Values) reply {
	if form == nil {
		form = url.Values{}
	}
	return s.send(http.MethodPost, s.link()+"/"+act, form)
}

// done posts an act that must succeed and returns the page it leads to.
func (s *stage) done(act string, form url.Values) reply {
	s.t.Helper()
	r := s.post(act, form)
	if r.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("%s answered %d: %s", act, r.StatusCode, r.body)
	}
	page := s.get(s.URL + r.Header.Get("Location"))
	if page.StatusCode != http.StatusOK {
		s.t.Fatalf("after %s the page answers %d", act, page.StatusCode)
	}
	return page
}

func (s *stage) says(r reply, want ...string) {
	s.t.Helper()
	for _, text := range want {
		if !strings.Contains(r.body, text) {
			s.t.Errorf("the page does not say %q:\n%s", text, r.body)
		}
	}
}

func (s *stage) lacks(r reply, unwanted ...string) {
	s.t.Helper()
	for _, text := range unwanted {
		if strings.Contains(r.body, text) {
			s.t.Errorf("the page says %q", text)
		}
	}
}

var damaged = url.Values{"reason": {"damaged"}, "detail": {"화분이 깨졌습니다."}}

// TestShowingDecidesNothing: scanners and prefetching may come as often as
// they like.
func TestShowingDecidesNothing(t *testing.T) {
	s := begin(t).delivered()
	link, before := s.link(), s.payment()
	for i := range 20 {
		method := []string{http.MethodGet, http.MethodHead}[i%2]
		r := s.send(method, link, nil, "Purpose", "prefetch", "Sec-Purpose", "prefetch")
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s number %d answered %d", method, i, r.StatusCode)
		}
		if method == http.MethodHead && r.body != "" {
			t.Error("HEAD has a body")
		}
	}
	for _, act := range []string{"confirm", "reject", "withdraw", "refund-account", "withdrawal", "resend"} {
		if r := s.get(link + "/" + act); r.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s answered %d", act, r.StatusCode)
		}
	}
	if after := s.payment(); after.Version != before.Version || s.link() != link {
		t.Errorf("version %d became %d", before.Version, after.Version)
	}
	s.done("confirm", nil)
	if s.payment().State != escrow.Confirmed {
		t.Error("the link was spent by showing the page")
	}
}

func TestPageSaysWhatMatters(t *testing.T) {
	s := begin(t).delivered()
	s.Change(func(m *merchant.Merchant) { m.BusinessNo, m.Phone = "123-45-67890", "02-1234-5678" })
	r := s.get(s.link())
	s.says(r, "상품을 받으셨습니까?", "수국 &lt;b&gt;꽃다발&lt;/b&gt; 외 1건", "12,000원", "ORD-0001", "김*매", "CJ대한통운", "123456789012",
		"2026년 3월 12일(목요일)", "아무 말씀이 없으시면", "제28조의3", "왜 이 날짜입니까?", "3영업일째", "123-45-67890", "02-1234-5678",
		`id="received"`, `id="problem"`, "배송 완료", "Holdfast Sandbox", "실제 금액은 결제되지 않습니다")
	s.lacks(r, "김구매", "buyer@holdfast.example", "9753", "12345678901234", "<b>꽃다발")
}

func TestHeaders(t *testing.T) {
	s := begin(t).delivered()
	for _, at := range []string{s.link(), s.URL + "/d/unknown"} {
		r := s.get(at)
		csp := r.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %q", at, csp, want)
			}
		}
		for header, want := range map[string]string{
			"Referrer-Policy": "same-origin", "Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Robots-Tag": "noindex, nofollow",
			"X-Content-Type-Options": "nosniff",
		} {
			if got := r.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", at, header, got, want)
			}
		}
		if len(r.Cookies()) > 0 {
			t.Errorf("%s sets cookies", at)
		}
		s.lacks(r, "<script>", "style=", "onclick")
	}
}

func TestConfirm(t *testing.T) {
	s := begin(t).delivered()
	page := s.done("confirm", nil)
	s.says(page, "구매확정을 접수했습니다", "2026년 3월 9일(월) 09:00에 구매를 확정하셨습니다")
	s.lacks(page, "구매거절</button>", `id="received"`)
	p := s.payment()
	if p.State != escrow.Confirmed || p.Decided.Kind != escrow.ByBuyer || p.Decided.Address != "127.0.0.1" {
		t.Fatalf("decided %+v", p.Decided)
	}
	s.done("confirm", nil) // again: a success that changes nothing
	if again := s.payment(); again.Version != p.Version {
		t.Error("the second confirmation changed something")
	}
	r := s.post("reject", damaged)
	if r.StatusCode != http.StatusConflict {
		t.Errorf("the opposite decision answered %d", r.StatusCode)
	}
	s.says(r, "요청하신 내용은 처리하지 않았습니다. 2026년 3월 9일(월) 09:00에 구매를 확정하셨습니다")
	s.CheckBooks()
}

// TestConfirmBeforeDelivery asks whether the goods are there.
func TestConfirmBeforeDelivery(t *testing.T) {
	s := begin(t).shipped()
	s.says(s.get(s.link()), "상품이 가고 있습니다", "상품을 실제로 받았습니다", "받으신 날의 다음 날부터 3영업일")
	r := s.post("confirm", nil)
	if r.StatusCode != http.StatusUnprocessableEntity || s.payment().State != escrow.Shipped {
		t.Fatalf("answered %d, state %s", r.StatusCode, s.payment().State)
	}
	s.says(r, "상품을 받으셨으면 표시해 주십시오", "아직 처리하지 않았습니다")
	s.done("confirm", url.Values{"received": {"yes"}})
	if s.payment().State != escrow.Confirmed {
		t.Error("not confirmed")
	}
}

func TestRejectAndTakeBack(t *testing.T) {
	s := begin(t).delivered()
	s.says(s.get(s.link()), "결제하신 계좌(KB국민은행 ****1234)")
	page := s.done("reject", damaged)
	s.says(page, "구매거절을 접수하여", "구매를 거절하셨습니다. 사유: 상품이 파손되었거나 불량입니다: 화분이 깨졌습니다.", "구매거절 거두기")
	if p := s.payment(); p.State != escrow.Rejected || p.Payer.Number != "12345678901234" {
		t.Fatalf("state %s, payer %+v", p.State, p.Payer)
	}
	if r := s.post("confirm", nil); r.StatusCode != http.StatusConflict {
		t.Errorf("confirming a rejected purchase answered %d", r.StatusCode)
	}
	s.done("reject", damaged)
	s.says(s.done("withdraw", nil), "구매거절을 거두었습니다", "상품을 받으셨습니까?")
	if s.payment().State != escrow.Delivered {
		t.Error("the rejection stands")
	}
	s.CheckBooks()
}

func TestRejectAsksForAccount(t *testing.T) {
	s := begin(t).order(true, false).arrive()
	s.says(s.get(s.link()), `name="bank"`, "신한은행", "계좌번호")
	with := func(more url.Values) url.Values {
		all := url.Values{"reason": {"not_received"}}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	for name, bad := range map[string]url.Values{
		"은행을 골라":      with(url.Values{"number": {"110222333444"}, "holder": {"김구매"}}),
		"10자리에서 16자리": with(url.Values{"bank": {"088"}, "number": {"12-34"}, "holder": {"김구매"}}),
		"예금주 이름을":     with(url.Values{"bank": {"088"}, "number": {"110222333444"}, "holder": {" "}}),
		"이런 계좌가 없습니다": with(url.Values{"bank": {"088"}, "number": {"110222330000"}, "holder": {"김구매"}}),
	} {
		r := s.post("reject", bad)
		if r.StatusCode != http.StatusUnprocessableEntity || s.payment().State != escrow.Delivered {
			t.Errorf("%s: answered %d, state %s", name, r.StatusCode, s.payment().State)
		}
		s.says(r, name, `value="not_received" required checked`)
	}
	s.done("reject", with(url.Values{"bank": {"088"}, "number": {"110-222-333444"}, "holder": {"김구매"}}))
	if got := s.payment().Payer; got != (escrow.BankAccount{Bank: "088", Number: "110222333444", Holder: "김구매"}) {
		t.Errorf("payer %+v", got)
	}
}

// TestAccountIsNotReplaced: the link alone must not lead a refund elsewhere.
func TestAccountIsNotReplaced(t *testing.T) {
	s := begin(t).delivered()
	thief := url.Values{"bank": {"090"}, "number": {"3333012345678"}, "holder": {"나도둑"}}
	if r := s.post("refund-account", thief); r.StatusCode != http.StatusConflict {
		t.Errorf("answered %d", r.StatusCode)
	}
	s.done("reject", url.Values{"reason": {"mind"}, "bank": {"090"}, "number": {"3333012345678"}, "holder": {"나도둑"}})
	if r := s.post("refund-account", thief); r.StatusCode != http.StatusConflict {
		t.Errorf("after the rejection: answered %d", r.StatusCode)
	}
	if got := s.payment().Payer.Number; got != "12345678901234" {
		t.Errorf("refunds would go to %s", got)
	}
}

// TestFailedRefundAsksForAccount: one that the bank did not take can be mended.
func TestFailedRefundAsksForAccount(t *testing.T) {
	s := begin(t).delivered()
	s.done("reject", damaged)
	s.do(escrow.Shop, escrow.AcceptRejection{By: "박상점"})
	s.says(s.get(s.link()), "판매자가 구매거절을 받아들였습니다", "돌려보내 주십시오")
	s.do(escrow.Shop, escrow.ReceiveReturn{})
	p := s.payment()
	s.do(escrow.Bank, escrow.RefundResult{Key: p.Refunds[0].Key(), Reason: "해지된 계좌"})
	s.says(s.get(s.link()), "해지된 계좌", "계좌 알리기")
	s.says(s.done("refund-account", url.Values{"bank": {"088"}, "number": {"110222333444"}, "holder": {"김구매"}}), "환불 계좌를 받았습니다")
	if r := s.payment().Refunds[0]; r.Attempt != 2 || r.Account.Number != "110222333444" {
		t.Errorf("refund %+v", r)
	}
	s.CheckBooks()
}

func TestAutoConfirmedOffersWithdrawal(t *testing.T) {
	s := begin(t).delivered()
	at := s.payment().Deadline.At
	s.Advance(at)
	page := s.get(s.link())
	s.says(page, "자동으로 확정되었습니다", "청약철회 신청하기", "7일 안에")
	if r := s.post("reject", damaged); r.StatusCode != http.StatusConflict {
		t.Errorf("a rejection after the automatic confirmation answered %d", r.StatusCode)
	}
	if r := s.post("withdrawal", url.Values{"reason": {"other"}}); r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a withdrawal without a reason answered %d", r.StatusCode)
	}
	s.says(s.done("withdrawal", url.Values{"reason": {"different"}}), "청약철회 신청을 접수하여", "청약철회를 신청하셨습니다")
	if p := s.payment(); !p.HasTask(escrow.TaskWithdrawal) || p.Hold == nil || p.Hold.Reason != "주문한 상품과 다릅니다" {
		t.Errorf("tasks %v, hold %+v", p.Tasks, p.Hold)
	}
	s.done("withdrawal", url.Values{"reason": {"different"}})
}

func TestWithdrawalEnds(t *testing.T) {
	s := begin(t).delivered()
	s.Advance(s.payment().Deadline.At.AddDate(0, 0, 8))
	s.lacks(s.get(s.link()), "청약철회 신청하기")
	if r := s.post("withdrawal", damaged); r.StatusCode != http.StatusConflict {
		t.Errorf("answered %d", r.StatusCode)
	}
}

func TestConfirmedByHandOffersNoWithdrawal(t *testing.T) {
	s := begin(t).delivered()
	s.done("confirm", nil)
	s.lacks(s.get(s.link()), "청약철회 신청하기")
	if r := s.post("withdrawal", damaged); r.StatusCode != http.StatusConflict {
		t.Errorf("answered %d", r.StatusCode)
	}
}

func TestBadForms(t *testing.T) {
	s := begin(t).delivered()
	cases := []struct {
		name   string
		form   url.Values
		status int
		says   string
	}{
		{"no reason", url.Values{}, http.StatusUnprocessableEntity, "어떤 문제인지 골라"},
		{"an unknown reason", url.Values{"reason": {"<x>"}}, http.StatusUnprocessableEntity, "어떤 문제인지 골라"},
		{"other without words", url.Values{"reason": {"other"}, "detail": {"  "}}, http.StatusUnprocessableEntity, "어떤 문제인지 적어"},
		{"too many words", url.Values{"reason": {"other"}, "detail": {strings.Repeat("가", 501)}}, http.StatusUnprocessableEntity, "500자까지"},
		{"a NUL byte", url.Values{"reason": {"other"}, "detail": {"a\x00b"}}, http.StatusUnprocessableEntity, "쓸 수 없는 글자"},
		{"no UTF-8", url.Values{"reason": {"other"}, "detail": {"\xff\xfe"}}, http.StatusUnprocessableEntity, "쓸 수 없는 글자"},
		{"a mebibyte", url.Values{"reason": {"other"}, "detail": {strings.Repeat("a", 1<<20)}}, http.StatusRequestEntityTooLarge, "내용이 너무 깁니다"},
	}
	before := s.payment().Version
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := s.post("reject", c.form)
			if r.StatusCode != c.status || !strings.Contains(r.body, c.says) {
				t.Errorf("answered %d, want %d with %q:\n%s", r.StatusCode, c.status, c.says, r.body)
			}
		})
	}
	t.Run("a body that is no form", func(t *testing.T) {
		r := s.send(http.MethodPost, s.link()+"/reject", nil, "Content-Type", "application/x-www-form-urlencoded; charset=\"")
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("answered %d", r.StatusCode)
		}
	})
	if after := s.payment().Version; after != before {
		t.Errorf("version %d became %d", before, after)
	}
	s.says(s.done("reject", url.Values{"reason": {"other"}, "detail": {`<script>alert(1)</script> https://evil.example`}}), "&lt;script&gt;alert(1)&lt;/script&gt;")
	s.lacks(s.get(s.link()), "<script>alert", `href="https://evil`)
}

func TestForeignFormsAreRefused(t *testing.T) {
	s := begin(t).delivered()
	for name, headers := range map[string][]string{
		"cross-site":    {"Sec-Fetch-Site", "cross-site"},
		"same-site":     {"Sec-Fetch-Site", "same-site"},
		"an old origin": {"Origin", "https://evil.example"},
	} {
		if r := s.send(http.MethodPost, s.link()+"/confirm", url.Values{}, headers...); r.StatusCode != http.StatusForbidden {
			t.Errorf("%s: answered %d", name, r.StatusCode)
		}
	}
	if s.payment().State != escrow.Delivered {
		t.Fatal("a foreign form decided")
	}
	if r := s.send(http.MethodPost, s.link()+"/confirm", url.Values{}, "Sec-Fetch-Site", "same-origin"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("our own form answered %d", r.StatusCode)
	}
}

// TestBadLinks: whatever is wrong with a link, the answer is the same page.
func TestBadLinks(t *testing.T) {
	s := begin(t).delivered()
	link := s.link()
	flipped := link[:len(link)-3] + map[bool]string{true: "B", false: "A"}[link[len(link)-3] == 'A'] + link[len(link)-2:]
	for name, bad := range map[string]string{
		"one character changed": flipped, "cut": link[:len(link)-1], "longer": link + "A", "empty": s.URL + "/d/", "an injection": s.URL + "/d/'%20OR%201=1",
	} {
		for _, at := range []string{bad, bad + "/confirm"} {
			method := http.MethodGet
			if at != bad {
				method = http.MethodPost
			}
			if r := s.send(method, at, url.Values{}); r.StatusCode != http.StatusNotFound || !strings.Contains(r.body, "이 링크로는 거래를 열 수 없습니다") {
				t.Errorf("%s: %s answered %d", name, method, r.StatusCode)
			}
		}
	}
	if s.payment().State != escrow.Delivered {
		t.Fatal("a bad link decided")
	}
}

func TestReplacedLinkAsksForTheNewest(t *testing.T) {
	s := begin(t).delivered()
	old := s.link()
	s.do(escrow.Shop, escrow.RenewLink{})
	replaced := s.get(old)
	if replaced.StatusCode != http.StatusNotFound {
		t.Fatalf("a replaced link answered %d", replaced.StatusCode)
	}
	s.says(replaced, "새 링크 받기", old[len(s.URL):]+"/resend")
	if r := s.send(http.MethodPost, old+"/confirm", url.Values{}); r.StatusCode != http.StatusNotFound || s.payment().State != escrow.Delivered {
		t.Fatalf("a replaced link decided: %d", r.StatusCode)
	}
	count := func() (n int) {
		mails, err := s.App.Mails(ctx, s.Merchant, s.id, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mails {
			if m.Kind == escrow.MailLink {
				n++
			}
		}
		return n
	}
	before := count()
	known := s.send(http.MethodPost, old+"/resend", url.Values{})
	unknown := s.send(http.MethodPost, s.URL+"/d/"+strings.Repeat("x", 43)+"/resend", url.Values{})
	if known.StatusCode != http.StatusOK || known.StatusCode != unknown.StatusCode || known.body != unknown.body {
		t.Errorf("answers differ: %d and %d", known.StatusCode, unknown.StatusCode)
	}
	if got := count(); got != before+1 {
		t.Errorf("%d mails with a link, want %d", got, before+1)
	}
	for range 2 {
		s.send(http.MethodPost, old+"/resend", url.Values{})
	}
	if r := s.send(http.MethodPost, old+"/resend", url.Values{}); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("the fourth request within an hour answered %d", r.StatusCode)
	}
	if got := count(); got != before+3 {
		t.Errorf("%d mails with a link, want %d", got, before+3)
	}
	if r := s.get(s.link()); r.StatusCode != http.StatusOK {
		t.Errorf("the newest link answered %d", r.StatusCode)
	}
}

func TestLinkRunsOut(t *testing.T) {
	s := begin(t).delivered()
	s.done("confirm", nil)
	link := s.link()
	s.Advance(s.Now().AddDate(0, 0, 30))
	if r := s.get(link); r.StatusCode != http.StatusOK {
		t.Errorf("after thirty days: %d", r.StatusCode)
	}
	s.Advance(s.Now().Add(time.Second))
	if r := s.get(link); r.StatusCode != http.StatusGone || !strings.Contains(r.body, "링크의 기한이 지났습니다") {
		t.Errorf("a second later: %d", r.StatusCode)
	}
	if r := s.send(http.MethodPost, link+"/confirm", url.Values{}); r.StatusCode != http.StatusGone {
		t.Errorf("POST: %d", r.StatusCode)
	}
}

func TestPhoneTail(t *testing.T) {
	s := begin(t).delivered()
	s.Change(func(m *merchant.Merchant) { m.Profile.Identity = escrow.TokenAndTail })
	page := s.get(s.link())
	s.says(page, "휴대전화 번호 뒤 4자리")
	s.lacks(page, "9753")
	for i := range 4 {
		form := url.Values{"tail": {[]string{"", "0000", "12349753", "975"}[i]}}
		r := s.post("confirm", form)
		if r.StatusCode != http.StatusForbidden || s.payment().State != escrow.Delivered {
			t.Fatalf("try %d answered %d", i, r.StatusCode)
		}
		s.says(r, "번호가 맞지 않습니다")
	}
	s.post("confirm", url.Values{"tail": {"0001"}})
	if r := s.post("confirm", url.Values{"tail": {"9753"}}); r.StatusCode != http.StatusTooManyRequests || s.payment().State != escrow.Delivered {
		t.Fatalf("the sixth try answered %d", r.StatusCode)
	}
	s.Clock.Advance(time.Hour)
	s.done("confirm", url.Values{"tail": {"9753"}})
	if s.payment().State != escrow.Confirmed {
		t.Error("not confirmed")
	}
}

func TestLimitByLink(t *testing.T) {
	s := begin(t).delivered()
	var last int
	for range 61 {
		last = s.post("reject", url.Values{}).StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the 61st act within ten minutes answered %d", last)
	}
	s.Clock.Advance(10 * time.Minute)
	if r := s.post("reject", damaged); r.StatusCode != http.StatusSeeOther {
		t.Errorf("ten minutes later: %d", r.StatusCode)
	}
}

func TestEnglish(t *testing.T) {
	s := begin(t).order(false, true).arrive()
	page := s.get(s.link())
	s.says(page, `lang="en"`, "Have you received your order?", "Thursday, 12 March 2026", "If we hear nothing", "business day 3", "한국어", "lang=ko")
	s.says(s.get(s.link()+"?lang=ko"), "상품을 받으셨습니까?")
	r := s.post("reject?lang=en", url.Values{"reason": {"damaged"}})
	s.says(s.get(s.URL+r.Header.Get("Location")), "You rejected the purchase on Mon, 9 March 2026, 09:00 KST. Reason: The goods are damaged or faulty")
}

// TestDoneNeedsTheFact: an address cannot make the page say what is not so.
func TestDoneNeedsTheFact(t *testing.T) {
	s := begin(t).delivered()
	for _, act := range []string{"confirm", "reject", "withdrawal", "<script>"} {
		s.lacks(s.get(s.link()+"?done="+url.QueryEscape(act)), "접수했습니다", "접수하여", "<script>")
	}
}

func TestHoldStopsTheClock(t *testing.T) {
	s := begin(t).delivered()
	s.do(escrow.Operator, escrow.PlaceHold{Reason: "확인 중"})
	page := s.get(s.link())
	s.says(page, "보류되어", "구매확정</button>")
	s.lacks(page, "왜 이 날짜입니까?")
}
