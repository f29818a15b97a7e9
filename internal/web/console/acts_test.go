package console_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

func (b *browser) act(id, act string, form url.Values) page {
	b.t.Helper()
	return b.send("/console/payments/"+id+"/"+act, form)
}

func TestRegisterDelivery(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.held()
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "배송 등록", "CJ대한통운", `value="2026-03-09"`)
	for _, k := range []struct {
		form url.Values
		say  string
	}{
		{s.form(p.ID), "택배사를 선택해 주십시오."},
		{s.form(p.ID, "carrier0", "CJ", "sent", "2026-03-09"), "송장번호를 입력해 주십시오."},
		{s.form(p.ID, "carrier0", "PIGEON", "number0", "1", "sent", "2026-03-09"), "택배사를 선택해 주십시오."},
		{s.form(p.ID, "carrier0", "CJ", "number0", "123456789012"), "날짜를 입력해 주십시오."},
		{s.form(p.ID, "carrier0", "CJ", "number0", "123456789012", "sent", "2026-02-30"), "날짜를 입력해 주십시오."},
		{s.form(p.ID, "carrier0", "CJ", "number0", "123456789012", "sent", "2026-03-10"), "발송일은 오늘 이후일 수 없습니다."},
		{s.form(p.ID, "carrier0", "CJ", "number0", "123456789012", "sent", "2016-03-09"), "발송일은 최근 90일 이내여야 합니다."},
		{s.form(p.ID, "carrier0", "CJ", "number0", strings.Repeat("1", 51), "sent", "2026-03-09"), "50자 이하여야 합니다."},
		{s.form(p.ID, "carrier0", "CJ", "number0", "1", "number1", "2", "sent", "2026-03-09"), "택배사를 선택해 주십시오."},
		{s.form(p.ID, "carrier0", "CJ", "number0", "1", "carrier1", "CJ", "number1", "1", "sent", "2026-03-09"), "두 번 입력되었습니다."},
	} {
		answer := b.act(p.ID, "register", k.form)
		answer.is(http.StatusUnprocessableEntity, k.say, `aria-invalid="true"`, `role="alert"`)
		for _, field := range []string{"carrier0", "number0", "sent"} {
			if v := k.form.Get(field); v != "" && v != "PIGEON" && !strings.Contains(answer.text, `value="`+v+`"`) {
				t.Errorf("%v: %s is not kept", k.form, field)
			}
		}
	}
	if now := s.payment(p.ID); now.Version != p.Version {
		t.Fatal("a refused form changed the payment")
	}
	b.act(p.ID, "register", s.form(p.ID, "carrier0", "CJ", "number0", " 1234 ", "carrier1", "HANJIN", "number1", "99", "sent", "2026-03-08")).
		is(http.StatusOK, "배송정보를 등록하였습니다.", "배송 중", "CJ대한통운", "한진택배", "숫자 10~12자리입니다.")
	now := s.payment(p.ID)
	if d := now.Delivery; len(d.Parcels) != 2 || d.Parcels[0].Number != "1234" || !d.Trackable || d.Recipient.Name != "김하늘" || d.Sender.Name != "한빛상점" || !d.SentAt.Equal(time.Date(2026, 3, 8, 3, 0, 0, 0, time.UTC)) {
		t.Errorf("registered %+v", d)
	}
	rows, err := s.App.Audit(context.Background(), s.Merchant, 0, 50)
	if err != nil || !slices.ContainsFunc(rows, func(r app.AuditRow) bool {
		return r.Action == "payment.register_delivery" && r.Actor == serve.SeedEmail && r.Subject == p.ID
	}) {
		t.Errorf("audit %+v, %v", rows, err)
	}

	own := s.held()
	b.act(own.ID, "register", s.form(own.ID, "carrier0", "SELF", "sent", "2026-03-09")).is(http.StatusOK, "직접 배송", "배송추적 없음")
	if s.payment(own.ID).Delivery.Trackable {
		t.Error("a delivery by the shop itself is said to be tracked")
	}
}

// TestFormsActOnce sends forms twice, and forms that were overtaken.
func TestFormsActOnce(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.held()
	form := s.form(p.ID, "carrier0", "CJ", "number0", "123456789012", "sent", "2026-03-09")
	b.act(p.ID, "register", form).is(http.StatusOK, "배송정보를 등록하였습니다.")
	b.act(p.ID, "register", form).is(http.StatusConflict, "이 화면을 연 뒤에 결제가 변경되어 처리하지 않았습니다.")

	paid := s.held(func(o *escrow.Open) { o.Escrow, o.Goods = false, escrow.Digital })
	refund := s.form(paid.ID, "amount", "10000", "reason", "일부 반품")
	var group sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		group.Go(func() { statuses[i] = b.act(paid.ID, "cancel", refund).status })
	}
	group.Wait()
	slices.Sort(statuses)
	if statuses[0] != http.StatusOK || statuses[1] != http.StatusConflict {
		t.Errorf("eight times the same refund: %v", statuses)
	}
	if now := s.payment(paid.ID); now.Refunded != 10_000 || len(now.Refunds) != 1 {
		t.Errorf("refunded %d in %d refunds", now.Refunded, len(now.Refunds))
	}
	for _, version := range []string{"", "0", "-1", "x", "999"} {
		b.act(paid.ID, "cancel", url.Values{"version": {version}, "amount": {"1"}, "reason": {"x"}}).is(http.StatusConflict)
	}
	if now := s.payment(paid.ID); now.Refunded != 10_000 {
		t.Errorf("refunded %d", now.Refunded)
	}
}

func TestAmendDelivery(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.shipped()
	sent := p.Delivery.SentAt
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "배송정보 수정", `value="123456789012"`)
	b.act(p.ID, "amend", s.form(p.ID, "carrier0", "LOGEN", "number0", "777", "sent", "2026-03-09")).is(http.StatusOK, "배송정보를 수정하였습니다.", "로젠택배")
	if d := s.payment(p.ID).Delivery; d.Parcels[0].Number != "777" || !d.SentAt.Equal(sent) {
		t.Errorf("amended %+v", d)
	}
	b.act(p.ID, "amend", s.form(p.ID, "carrier0", "LOGEN", "number0", "777", "sent", "2026-03-09")).is(http.StatusOK)
	if n := s.events(p.ID, escrow.EventDeliveryChanged); n != 1 {
		t.Errorf("%d changes", n)
	}
	s.Change(func(m *merchant.Merchant) { m.Profile.AllowModify = false })
	b.get("/console/payments/" + p.ID).lacks("배송정보 수정")
	b.act(p.ID, "amend", s.form(p.ID, "carrier0", "CJ", "number0", "1", "sent", "2026-03-09")).is(http.StatusConflict, "상점의 에스크로 정책상 처리할 수 없습니다.")
	held := s.held()
	b.act(held.ID, "amend", s.form(held.ID, "carrier0", "CJ", "number0", "1", "sent", "2026-03-09")).is(http.StatusConflict, "등록된 배송정보가 없습니다.")
}

func (s *stage) events(id string, kind escrow.EventType) (n int) {
	s.t.Helper()
	events, err := s.App.Events(context.Background(), s.Merchant, id)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range events {
		if e.Type == kind {
			n++
		}
	}
	return n
}

func TestCancelBeforeShipping(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.paid(escrow.BankAccount{})
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "결제 취소", "30,000원 전액이 구매자에게 환불됩니다.", "계좌번호").lacks(`name="amount"`)
	b.act(p.ID, "cancel", s.form(p.ID)).is(http.StatusUnprocessableEntity, "필수 항목입니다.")
	b.act(p.ID, "cancel", s.form(p.ID, "reason", "품절")).is(http.StatusUnprocessableEntity, "가상계좌 결제는 환불받을 계좌의 은행, 계좌번호, 예금주가 필요합니다.")
	b.act(p.ID, "cancel", s.form(p.ID, "reason", "품절", "bank", "088", "account", "12", "holder", "김하늘")).is(http.StatusUnprocessableEntity, "계좌번호 10~16자리를 입력해 주십시오.", `value="김하늘"`)
	b.act(p.ID, "cancel", s.form(p.ID, "reason", "품절", "bank", "999", "account", "110-123-456789", "holder", "")).is(http.StatusUnprocessableEntity, "은행을 선택해 주십시오.")
	b.act(p.ID, "cancel", s.form(p.ID, "reason", "품절", "bank", "088", "account", "110-123-456789", "holder", "김하늘", "amount", "1")).
		is(http.StatusOK, "취소를 처리하였습니다.", "은행에 환불 30,000원을 요청했습니다.", "••••6789")
	now := s.payment(p.ID)
	if now.State != escrow.Cancelled || now.Refunds[0].Account.Number != "110123456789" || now.Refunded != 30_000 {
		t.Errorf("cancelled %+v", now.Refunds)
	}
	if s.events(p.ID, escrow.EventCancelled) != 1 {
		t.Error("no cancel event")
	}
	s.Drain()
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "환불 완료", "지금 상점에서 처리하실 일이 없습니다.")
	s.CheckBooks()

	known := s.held()
	b.act(known.ID, "cancel", s.form(known.ID, "reason", "품절")).is(http.StatusOK, "••••6789")
}

func TestCancelAfterShippingFollowsThePolicy(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.shipped()
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "구매자가 구매를 거절해야 취소할 수 있습니다").lacks("/cancel#")
	b.act(p.ID, "cancel", s.form(p.ID, "reason", "x")).is(http.StatusConflict, "구매자가 구매를 거절하거나 구매가 확정된 뒤에 취소할 수 있습니다.")
	s.Change(func(m *merchant.Merchant) { m.Profile.CancelAfterShip = escrow.AfterHold })
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "먼저 보류한 다음 취소할 수 있습니다")
	b.act(p.ID, "hold", s.form(p.ID, "reason", "구매자 요청")).is(http.StatusOK, "보류하였습니다.", "보류 중입니다. 상점")
	b.act(p.ID, "cancel", s.form(p.ID, "reason", "x")).is(http.StatusOK, "취소를 처리하였습니다.")
}

func TestRefundAfterConfirmation(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.shipped()
	s.do(escrow.Buyer, p.ID, escrow.Confirm{Kind: escrow.ByBuyer})
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "최대 30,000원까지 환불할 수 있습니다.", `name="amount" value="30000"`)
	for amount, say := range map[string]string{"0": "1원 이상이어야 합니다.", "-5": "음수일 수 없습니다.", "1.5": "소수점", "1,000": "쉼표", "삼만": "숫자로", "30001": "취소할 수 있는 금액을 넘었습니다.", "99999999999999": "이하여야 합니다."} {
		status := http.StatusUnprocessableEntity
		if amount == "30001" {
			status = http.StatusConflict
		}
		b.act(p.ID, "cancel", s.form(p.ID, "reason", "x", "amount", amount)).is(status, say, `value="`+amount+`"`)
	}
	b.act(p.ID, "cancel", s.form(p.ID, "reason", "흠집", "amount", "5000")).is(http.StatusOK, "5,000원이 부분 환불되었습니다.", "흠집")
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "최대 25,000원까지")
	s.Change(func(m *merchant.Merchant) { m.Profile.RefundAfter = false })
	b.get("/console/payments/" + p.ID).lacks(`name="amount"`)
	s.Drain()
	s.CheckBooks()
}

func TestRejection(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.shipped()
	s.do(escrow.Buyer, p.ID, escrow.Reject{Reason: "색이 다릅니다"})
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "구매자가 구매를 거절했습니다.", "색이 다릅니다", "구매거절 수락", "이의 제기")
	b.act(p.ID, "contest", s.form(p.ID, "evidence", " ")).is(http.StatusUnprocessableEntity)
	b.act(p.ID, "contest", s.form(p.ID, "evidence", "주문하신 색입니다")).is(http.StatusOK, "이의를 제기하였습니다.", "에스크로 운영자가 판단합니다.").lacks("이의 내용과 근거")
	b.act(p.ID, "accept", s.form(p.ID)).is(http.StatusUnprocessableEntity, "필수 항목입니다.")
	b.act(p.ID, "accept", s.form(p.ID, "by", "이상점")).is(http.StatusOK, "구매거절을 수락하였습니다.", "반품 수령", "반품 없이 환불")
	b.act(p.ID, "receive", s.form(p.ID)).is(http.StatusOK, "반품 수령을 등록하였습니다.", "30,000원이 취소되었습니다.")
	s.Drain()
	if now := s.payment(p.ID); now.Status() != escrow.StatusCancelled || now.Refunds[0].State != escrow.RefundSent {
		t.Errorf("returned %+v", now.Refunds)
	}
	waived := s.shipped()
	s.do(escrow.Buyer, waived.ID, escrow.Reject{Reason: "x"})
	b.act(waived.ID, "accept", s.form(waived.ID, "by", "이상점", "waive", "yes")).is(http.StatusOK, "은행에 환불 30,000원을 요청했습니다.")
	later := s.shipped()
	s.do(escrow.Buyer, later.ID, escrow.Reject{Reason: "x"})
	b.act(later.ID, "accept", s.form(later.ID, "by", "이상점")).is(http.StatusOK)
	b.act(later.ID, "waive", s.form(later.ID)).is(http.StatusOK, "반품 없이 환불하도록 처리하였습니다.")
	s.Drain()
	s.CheckBooks()
	b.act(s.held().ID, "accept", s.form(s.held().ID, "by", "x")).is(http.StatusConflict)
}

func TestHoldAndRelease(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.shipped()
	b.act(p.ID, "hold", s.form(p.ID, "reason", "주소 확인 중")).is(http.StatusOK, "주소 확인 중", "보류 해제").lacks("구매결정 기한</h2>")
	b.act(p.ID, "release", s.form(p.ID)).is(http.StatusOK, "보류를 해제하였습니다.", "구매결정 기한</h2>")
	s.do(escrow.Operator, p.ID, escrow.PlaceHold{Reason: "신고"})
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "보류 중입니다. 에스크로 운영자").lacks("/release#")
	b.act(p.ID, "release", s.form(p.ID)).is(http.StatusConflict, "상점에서 할 수 없는 처리입니다.")
}

func TestCancelRequest(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.held()
	s.do(escrow.Buyer, p.ID, escrow.AskCancel{Reason: "다른 곳에서 샀습니다"})
	b.get("/console/payments/"+p.ID).is(http.StatusOK, "구매자가 취소를 요청했습니다.", "다른 곳에서 샀습니다", "취소 요청 수락")
	b.act(p.ID, "agree", s.form(p.ID, "reason", "다른 곳에서 샀습니다")).is(http.StatusOK, "취소 요청을 수락하였습니다.")
	if s.payment(p.ID).State != escrow.Cancelled {
		t.Error("not cancelled")
	}
}

func TestNewLink(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.shipped()
	b.act(p.ID, "link", s.form(p.ID)).is(http.StatusOK, "구매결정 링크를 다시 보냈습니다.", "구매결정 링크를 새로 만들었습니다.")
	if now := s.payment(p.ID); now.LinkVersion != p.LinkVersion+1 {
		t.Errorf("link version %d", now.LinkVersion)
	}
	silent := s.shipped(func(o *escrow.Open) { o.Buyer.Email = "" })
	b.get("/console/payments/" + silent.ID).lacks("구매결정 링크 다시 보내기")
	b.act(silent.ID, "link", s.form(silent.ID)).is(http.StatusUnprocessableEntity, "구매자의 이메일 주소가 없어")
}

func TestMoneyWithoutAPlace(t *testing.T) {
	s := begin(t)
	s.Change(func(m *merchant.Merchant) { m.Profile.Deposit = escrow.SuspendDeposit })
	b := s.signedIn()
	ctx := context.Background()

	p := s.shipped()
	s.do(escrow.Buyer, p.ID, escrow.Reject{Reason: "x"})
	unknown := s.paid(escrow.BankAccount{})
	s.do(escrow.Shop, unknown.ID, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: escrow.SelfDelivery}}, SentAt: s.Now()})
	s.do(escrow.Buyer, unknown.ID, escrow.Reject{Reason: "x"})
	s.do(escrow.Shop, unknown.ID, escrow.AcceptRejection{By: "a", Waive: true})
	b.get("/console/payments/"+unknown.ID).is(http.StatusOK, "환불계좌가 필요합니다", "환불계좌 등록", "계좌 필요")
	b.act(unknown.ID, "account", s.form(unknown.ID)).is(http.StatusUnprocessableEntity, "은행을 선택해 주십시오.")
	b.act(unknown.ID, "account", s.form(unknown.ID, "bank", "088", "account", "110123456789", "holder", "김하늘")).is(http.StatusOK, "환불계좌를 등록하였습니다.", "은행에 환불 30,000원을 요청했습니다.")

	extra := s.held()
	if _, err := s.App.Deposit(ctx, extra.Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-x", Amount: 700, At: s.Now()}); err != nil {
		t.Fatal(err)
	}
	b.get("/console/payments/"+extra.ID).is(http.StatusOK, "주인을 알 수 없는 입금이 있습니다", "700원을 돌려보냅니다.")
	b.act(extra.ID, "suspense", s.form(extra.ID)).is(http.StatusUnprocessableEntity, "환불받을 계좌의 은행, 계좌번호, 예금주가 필요합니다.")
	b.act(extra.ID, "suspense", s.form(extra.ID, "bank", "088", "account", "110123456789", "holder", "박바다")).is(http.StatusOK, "보류된 입금을 돌려보내도록 처리하였습니다.")

	late := s.opened()
	s.Advance(late.Account.Due.Add(time.Hour))
	if _, err := s.App.Deposit(ctx, late.Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-late", Amount: 30_000, At: s.Now(), Payer: payer}); err != nil {
		t.Fatal(err)
	}
	b.get("/console/payments/"+late.ID).is(http.StatusOK, "늦은 입금 인정")
	b.act(late.ID, "late", s.form(late.ID)).is(http.StatusOK, "늦은 입금을 인정하였습니다.", "배송 등록 대기")
	s.Drain()
	s.CheckBooks()
}

func TestCloseAndResolve(t *testing.T) {
	s := begin(t)
	b := s.signedIn()
	p := s.opened()
	b.act(p.ID, "close", s.form(p.ID)).is(http.StatusUnprocessableEntity, "필수 항목입니다.")
	b.act(p.ID, "close", s.form(p.ID, "reason", "주문 취소")).is(http.StatusOK, "가상계좌를 폐쇄하였습니다.")
	odd := s.shipped()
	if _, err := s.App.Deposit(context.Background(), odd.Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-" + odd.ID, Amount: 1, At: s.Now()}); err != nil {
		t.Fatal(err)
	}
	b.get("/console/payments/"+odd.ID).is(http.StatusOK, "입금 통지가 서로 다릅니다", "확인 완료")
	b.act(odd.ID, "resolve", s.form(odd.ID, "task", "deposit_conflict")).is(http.StatusUnprocessableEntity, "필수 항목입니다.")
	b.act(odd.ID, "resolve", s.form(odd.ID, "task", "dispute", "note", "x")).is(http.StatusUnprocessableEntity)
	b.act(odd.ID, "resolve", s.form(odd.ID, "task", "deposit_conflict", "note", "은행에 확인")).is(http.StatusOK, "확인 완료로 처리하였습니다.", "은행에 확인")
	if now := s.payment(odd.ID); len(now.Tasks) != 0 {
		t.Errorf("tasks are %v", now.Tasks)
	}
}
