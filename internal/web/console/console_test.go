package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/password"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

func TestOverviewShowsEscrow(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := b.get("/console").is(http.StatusOK, "가상계좌", "적용 중", "2026-03-09 09:00", merchant.TermsVersion+" · 결제수단과 함께 체결", "미적용", `href="/console/contracts/card"`, "아직 결제가 없습니다", "imp00000001")
	p.lacks(`href="/console/contracts/virtual_account"`)

	b.get("/console/contracts/card").is(http.StatusOK, "신용·체크카드 에스크로 신청", "3영업일", merchant.TermsVersion)
	for _, form := range []url.Values{{}, {"terms": {merchant.TermsVersion}}, {"agree": {"yes"}}, {"agree": {"yes"}, "terms": {"2001-01-01"}}} {
		b.send("/console/contracts/card", form).is(http.StatusUnprocessableEntity, "약관에 동의하셔야 신청할 수 있습니다.")
	}
	s.Clock.Advance(24 * time.Hour)
	form := url.Values{"agree": {"yes"}, "terms": {merchant.TermsVersion}}
	b = s.signedIn()
	b.send("/console/contracts/card", form).is(http.StatusOK, "에스크로가 적용되었습니다.", "2026-03-10 09:00", "신청하여 체결").lacks("미적용")
	b.get("/console").lacks("에스크로가 적용되었습니다.")
	s.Clock.Advance(time.Hour)
	b.send("/console/contracts/card", form).is(http.StatusOK, "2026-03-10 09:00")
	b.get("/console/contracts/card").is(http.StatusOK, "이미 에스크로가 적용되어 있습니다.")
	b.get("/console/contracts/cash").is(http.StatusNotFound)

	rows, err := s.App.Audit(context.Background(), s.Merchant, 0, 1)
	if err != nil || rows[0].Action != "contract.apply" || rows[0].Actor != serve.SeedEmail {
		t.Errorf("audit %+v, %v", rows, err)
	}
}

func TestOverviewCountsAndTasks(t *testing.T) {
	s := begin(t)
	s.held()
	rejected := s.shipped(func(o *escrow.Open) { o.Name = "깨진 화병" })
	s.do(escrow.Buyer, rejected.ID, escrow.Reject{Reason: "깨졌습니다"})
	s.signedIn().get("/console").is(http.StatusOK, `href="/console/payments?state=held"><span class="soft small">배송 등록 대기</span><b class="number">1</b>`,
		"깨진 화병", "구매거절에 답변해 주십시오").lacks("도자기 컵")
}

func TestListOfPayments(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	b.get("/console/payments").is(http.StatusOK, "아직 결제가 없습니다.")
	held := s.held(func(o *escrow.Open) { o.OrderID, o.Name = "A-100%", "하나" })
	s.opened(func(o *escrow.Open) { o.OrderID, o.Name = "B_200", "둘" })
	s.held(func(o *escrow.Open) { o.OrderID, o.Name, o.Escrow, o.Goods = "C'300", "셋", false, escrow.Digital })
	for _, k := range []struct{ query, has, lacks string }{
		{"", "하나 둘 셋", ""},
		{"?q=a-100", "하나", "둘 셋"},
		{"?q=100%25", "하나", "둘 셋"},
		{"?q=B_2", "둘", "하나 셋"},
		{"?q=B%252", "조건에 맞는 결제가 없습니다", "하나 둘 셋"},
		{"?q=" + url.QueryEscape("C'3"), "셋", "하나 둘"},
		{"?q=" + url.QueryEscape("' OR 1=1 --"), "조건에 맞는 결제가 없습니다", "하나 둘 셋"},
		{"?q=%5C", "조건에 맞는 결제가 없습니다", "하나"},
		{"?q=" + strings.Repeat("x", 10<<10), "조건에 맞는 결제가 없습니다", "하나"},
		{"?q=%00A-100", "하나", "둘"},
		{"?q=%ff", "하나 둘 셋", ""},
		{"?state=held", "하나", "둘 셋"},
		{"?state=paid", "셋", "하나 둘"},
		{"?state=nonsense", "하나 둘 셋", ""},
		{"?method=card", "조건에 맞는 결제가 없습니다", "하나"},
		{"?escrow=yes", "하나 둘", "셋"},
		{"?escrow=no", "셋", "하나"},
		{"?task=yes", "조건에 맞는 결제가 없습니다", "하나"},
		{"?from=2026-03-09&to=2026-03-09", "하나 둘 셋", ""},
		{"?from=2026-03-10", "조건에 맞는 결제가 없습니다", "하나"},
		{"?to=2026-03-08", "조건에 맞는 결제가 없습니다", "하나"},
		{"?from=gestern", "하나 둘 셋", ""},
		{"?page=99", "조건에 맞는 결제가 없습니다", "하나"},
		{"?page=-1", "하나 둘 셋", ""},
	} {
		p := b.get("/console/payments" + k.query)
		for _, name := range strings.Fields(k.has) {
			p.is(http.StatusOK, name)
		}
		for _, name := range strings.Fields(k.lacks) {
			p.lacks("<b>" + name + "</b>")
		}
	}
	b.get("/console/payments").is(http.StatusOK, `href="/console/payments/`+held.ID+`"`)
}

func TestPages(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	for range 27 {
		s.opened()
	}
	b.get("/console/payments?state=awaiting_deposit").is(http.StatusOK, "27건 중 1–25", `href="/console/payments?page=2&amp;state=awaiting_deposit"`).lacks(`rel="prev"`)
	p := b.get("/console/payments?page=2&state=awaiting_deposit").is(http.StatusOK, "27건 중 26–27", `href="/console/payments?state=awaiting_deposit" rel="prev"`)
	p.lacks(`rel="next"`)
}

// TestOthersAreNotThere: another merchant's things answer as nothing does.
func TestOthersAreNotThere(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	m, theirs := s.other()
	ctx := context.Background()
	mails, err := s.App.Mails(ctx, m.ID, theirs.ID, 0, 1)
	if err != nil || len(mails) == 0 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	var answers []string
	for _, id := range []string{theirs.ID, "imp_000000000000"} {
		p := b.get("/console/payments/" + id)
		p.is(http.StatusNotFound, "페이지를 찾을 수 없습니다")
		answers = append(answers, strings.ReplaceAll(p.text, url.QueryEscape(id), "ID")) // the language switch names the page
		b.get("/console/payments/" + id + "/mails/" + mails[0].ID).is(http.StatusNotFound)
	}
	for _, act := range []string{"register", "cancel", "hold", "accept", "link"} {
		b.send("/console/payments/"+theirs.ID+"/"+act, url.Values{"version": {itoa(theirs.Version)}, "reason": {"x"}, "by": {"x"}}).is(http.StatusNotFound)
	}
	b.get("/console/webhooks/" + theirs.ID + "-w1-0").is(http.StatusNotFound)
	b.send("/console/webhooks/"+theirs.ID+"-w1-0/resend", nil).is(http.StatusNotFound)
	b.get("/console/settlements/pay_2026-03-09_" + m.ID).is(http.StatusNotFound)
	for _, path := range []string{"/console/nothing", "/console/payments/%2e%2e", "/console/payments/a%00b", "/console/payments/%ff"} {
		b.get(path).is(http.StatusNotFound)
	}
	for _, a := range answers {
		if a != answers[0] {
			t.Error("another merchant's payment does not look like one that nobody has")
		}
	}
	if now, err := s.App.Payment(ctx, m.ID, theirs.ID); err != nil || now.Version != theirs.Version {
		t.Errorf("their payment was changed: %v", err)
	}
	b.get("/console/payments").lacks(theirs.ID)

	hash, err := password.Hash("their password")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.App.AddStaff(ctx, "test", m.ID, "their@holdfast.example", hash); err != nil {
		t.Fatal(err)
	}
	other := s.browser()
	other.send("/console/sign-in", credentials("their@holdfast.example", "their password")).is(http.StatusOK, "다른상점")
	other.get("/console/payments/"+theirs.ID).is(http.StatusOK, "도자기 컵")
}

// TestTextsOfOthersAreText: what shops, buyers and banks write never becomes markup.
func TestTextsOfOthersAreText(t *testing.T) {
	s := begin(t)
	const evil = `<svg onload=alert(1)>"'`
	s.Change(func(m *merchant.Merchant) { m.Name, m.Webhook.URL = evil, "" })
	p := s.shipped(func(o *escrow.Open) { o.Name, o.OrderID, o.Buyer.Name, o.Buyer.Address = evil, evil, evil, evil })
	s.do(escrow.Buyer, p.ID, escrow.Reject{Reason: evil})
	b := s.signedIn()
	b.send("/console/payments/"+p.ID+"/contest", s.form(p.ID, "evidence", evil)).is(http.StatusOK)
	b.send("/console/payments/"+p.ID+"/hold", s.form(p.ID, "reason", evil)).is(http.StatusOK)
	b.send("/console/payments/"+p.ID+"/accept", s.form(p.ID, "by", "", "waive", evil)).is(http.StatusUnprocessableEntity)
	for _, path := range []string{"/console", "/console/payments", "/console/payments?q=" + url.QueryEscape(evil), "/console/payments/" + p.ID, "/console/settlements", "/console/webhooks"} {
		b.get(path).is(http.StatusOK, "&lt;svg").lacks("<svg onload")
	}
}

func TestSettlementPages(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	b.get("/console/settlements").is(http.StatusOK, "지급을 기다리는 내역이 없습니다", "아직 지급된 금액이 없습니다")
	p := s.shipped()
	s.do(escrow.Buyer, p.ID, escrow.Confirm{Kind: escrow.ByBuyer})
	b.get("/console/settlements").is(http.StatusOK, "합계 29,670원", `href="/console/payments/`+p.ID+`"`, "30,000원", "300원", "30원", "2026-03-12")
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "구매자가 구매를 확정했습니다.", "29,670원")
	s.Advance(s.Now().AddDate(0, 0, 8))
	payouts, err := s.App.Payouts(context.Background(), s.Merchant, 0, 1)
	if err != nil || len(payouts) != 1 {
		t.Fatalf("%d payouts, %v", len(payouts), err)
	}
	b = s.signedIn()
	b.get("/console/settlements").is(http.StatusOK, `href="/console/settlements/`+payouts[0].ID+`"`, "지급 완료", "지급을 기다리는 내역이 없습니다")
	b.get("/console/settlements/"+payouts[0].ID).is(http.StatusOK, "29,670원", p.ID, "KB국민은행", "••••1234", "1건 중 1–1")
	b.get("/console/payments/"+p.ID).is(http.StatusOK, `href="/console/settlements/`+payouts[0].ID+`"`)
	b.get("/console/settlements/nothing").is(http.StatusNotFound)
	b.get("/console/settlements").lacks("지급이 잠시 멈춰 있습니다")
	s.Damage(`UPDATE transfer SET amount = amount + 1 WHERE position = 1`)
	watch := s.App.WatchBooks(time.Minute)
	for stopped, steps := false, 0; !stopped && steps < 50; steps++ {
		if _, _, err = watch.Step(t.Context()); err == nil {
			stopped, err = s.App.PayoutsStopped(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b.get("/console/settlements").is(http.StatusOK, "지급이 잠시 멈춰 있습니다")
	s.Change(func(m *merchant.Merchant) { m.Account = escrow.BankAccount{} })
	b.get("/console/settlements").is(http.StatusOK, "정산 계좌가 등록되어 있지 않아")
}

func TestWebhookPages(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	b.get("/console/webhooks").is(http.StatusOK, "웹훅 주소가 설정되어 있지 않습니다", "아직 보낸 웹훅이 없습니다.")
	var answer, calls atomic.Int64
	answer.Store(http.StatusInternalServerError)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(int(answer.Load()))
		_, _ = w.Write([]byte(`{"say":"<b>no</b>"}`))
	}))
	defer shop.Close()
	s.SetWebhook(shop.URL + "/hook")
	p := s.held()
	s.Drain()
	hooks, err := s.App.Webhooks(context.Background(), s.Merchant, app.WebhookFilter{Payment: p.ID}, 0, 10)
	if err != nil || len(hooks) != 2 {
		t.Fatalf("%d webhooks, %v", len(hooks), err)
	}
	path := "/console/webhooks/" + hooks[0].ID
	b.get("/console/webhooks").is(http.StatusOK, shop.URL+"/hook", path, "실패", "다시 보내기", p.ID)
	b.get(path).is(http.StatusOK, "HTTP 500", "application/json", p.ID, "&lt;b&gt;no&lt;/b&gt;", "1회 중 1회").lacks("<b>no</b>")
	b.get("/console/payments/"+p.ID).is(http.StatusOK, path)
	answer.Store(http.StatusOK)
	before := calls.Load()
	b.send(path+"/resend", nil).is(http.StatusOK, "웹훅을 다시 보냅니다.")
	s.Drain()
	if n := calls.Load() - before; n != 1 {
		t.Errorf("the shop was called %d times more", n)
	}
	b.get(path).is(http.StatusOK, "전달됨", "HTTP 200", "HTTP 500", "2회 중 2회")
}

func TestMailPage(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p, other := s.shipped(), s.shipped()
	mails, err := s.App.Mails(context.Background(), s.Merchant, p.ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var shipped app.Mail
	for _, m := range mails {
		if m.Kind == escrow.MailShipped {
			shipped = m
		}
	}
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "배송 시작과 구매결정 안내", shipped.ID)
	b.get("/console/payments/"+p.ID+"/mails/"+shipped.ID).is(http.StatusOK, "buyer@holdfast.example", "보냄", "도자기 컵")
	b.get("/console/payments/" + other.ID + "/mails/" + shipped.ID).is(http.StatusNotFound)
}

func TestWhyThisDate(t *testing.T) {
	s := begin(t)
	p := s.shipped()
	b := s.signedIn()
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "구매결정 기한", "2026년 3월 17일(화)", "2026년 3월 18일(수) 00:00",
		"배송추적이 되지 않아", "2026년 3월 9일(월)의 다음 날부터 영업일 6일을 셉니다.", "제외: 토요일", "6일째", "kr-")
	s.do(escrow.Carrier, p.ID, escrow.ReportTracking{Number: "123456789012", Seen: true, DeliveredAt: s.Now()})
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "2026년 3월 12일(목)", "영업일 3일을 셉니다.")
	b.lang = "en"
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "Why this date", "Thu, 12 March 2026", "3 business days are counted from the day after Mon, 9 March 2026", "Sign out")

	unsent := s.held(func(o *escrow.Open) { o.Buyer.Email = "" }) // nobody can be told by mail
	s.do(escrow.Shop, unsent.ID, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: escrow.SelfDelivery}}, SentAt: s.Now(), SendEmail: true})
	b.lang = "ko"
	b.get("/console/payments/"+unsent.ID).is(http.StatusOK, "구매결정 안내가 아직 구매자에게 전달되지 않았습니다.", "아직 보내지 않음")
}

// TestEveryStateIsShown renders a payment in every state, in both languages.
func TestEveryStateIsShown(t *testing.T) {
	s := begin(t)
	s.Change(func(m *merchant.Merchant) { m.Profile.Deposit = escrow.SuspendDeposit })
	shown := map[escrow.State]string{}
	keep := func(p escrow.Payment) escrow.Payment { shown[p.State] = p.ID; return p }
	ctx := context.Background()
	open, err := s.App.Open(ctx, escrow.Shop, s.Merchant, escrow.Open{OrderID: "o", Goods: escrow.Physical, Amount: 1000, Name: "상품"})
	if err != nil {
		t.Fatal(err)
	}
	keep(open)
	fail, err := s.App.Open(ctx, escrow.Shop, s.Merchant, escrow.Open{OrderID: "f", Goods: escrow.Physical, Amount: 1000, Name: "상품"})
	if err != nil {
		t.Fatal(err)
	}
	keep(s.do(escrow.Buyer, fail.ID, escrow.Fail{Reason: "사용자가 결제를 취소하였습니다"}))
	keep(s.opened())
	keep(s.held())
	keep(s.held(func(o *escrow.Open) { o.Escrow, o.Goods = false, escrow.Digital }))
	keep(s.shipped())
	delivered := s.shipped()
	keep(s.do(escrow.Carrier, delivered.ID, escrow.ReportTracking{Number: "123456789012", DeliveredAt: s.Now()}))
	keep(s.do(escrow.Buyer, s.shipped().ID, escrow.Confirm{Kind: escrow.ByBuyer}))
	rejected := s.shipped()
	s.do(escrow.Buyer, rejected.ID, escrow.Reject{Reason: "x"})
	keep(s.do(escrow.Shop, rejected.ID, escrow.Contest{Evidence: "y"}))
	accepted := s.shipped()
	s.do(escrow.Buyer, accepted.ID, escrow.Reject{Reason: "x"})
	keep(s.do(escrow.Shop, accepted.ID, escrow.AcceptRejection{By: "이상점"}))
	cancelled := s.held()
	if _, err := s.App.Deposit(ctx, cancelled.Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-late", Amount: 700, At: s.Now()}); err != nil {
		t.Fatal(err)
	}
	keep(s.do(escrow.Shop, cancelled.ID, escrow.Cancel{Reason: "재고 없음"}))
	s.Drain()
	b := s.signedIn()
	for _, state := range escrow.States() {
		id, ok := shown[state]
		if !ok {
			t.Errorf("no payment is %s", state)
			continue
		}
		for _, lang := range []string{"ko", "en"} {
			b.lang = lang
			b.get("/console/payments/"+id).is(http.StatusOK, id)
		}
	}
	b.get("/console/payments").is(http.StatusOK)
	b.get("/console").is(http.StatusOK)
}

func TestFormsThatCannotBeRead(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.held()
	path := "/console/payments/" + p.ID + "/hold"
	ours := map[string]string{"Sec-Fetch-Site": "same-origin"}
	for _, body := range []string{"reason=%zz", "reason=%00", "reason=%ff", "reason=a;b=c", `{"reason":`, "reason=" + strings.Repeat("x", 70<<10)} {
		if answer := b.post(path, body, ours); answer.status != http.StatusBadRequest {
			t.Errorf("%.40q: %d", body, answer.status)
		}
	}
	b.post(path, "", ours).is(http.StatusUnprocessableEntity, "필수 항목입니다.")
	b.send("/console/payments/"+p.ID+"/settle-it", nil).is(http.StatusNotFound)
	if now := s.payment(p.ID); now.Version != p.Version {
		t.Error("something was changed")
	}
}
