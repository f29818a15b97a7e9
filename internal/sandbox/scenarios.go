package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krcarrier"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
)

// scenarios are the lives that can be played, in the order of the list.
var scenarios = []scenario{
	{name: "silence", play: silence, about: say("가상계좌 입금 → 배송완료 → 무응답 → 영업일 3일 뒤 자동 구매확정 → 정산",
		"virtual account, deposit, delivery, silence, confirmed by time after three business days, payout")},
	{name: "confirm", play: confirm, about: say("실시간 계좌이체 → 배송완료 → 구매자의 구매확정 → 정산",
		"bank transfer, delivery, confirmed by the buyer, payout")},
	{name: "reject_return", play: rejectReturn, about: say("구매거절 → 상점의 수락 → 반품 도착 → 환불",
		"rejected by the buyer, accepted by the shop, goods returned, refunded")},
	{name: "untracked", play: untracked, about: say("배송조회가 되지 않는 배송 → 무응답 → 등록 영업일 6일 뒤 자동 구매확정",
		"a delivery that cannot be tracked, silence, confirmed by time six business days after its registration")},
	{name: "seollal", play: across("설날"), about: say("다음 설 연휴를 건너 영업일을 세는 자동 구매확정", "confirmed by time across the next Seollal")},
	{name: "chuseok", play: across("추석"), about: say("다음 추석 연휴를 건너 영업일을 세는 자동 구매확정", "confirmed by time across the next Chuseok")},
	{name: "expired", play: expired, about: say("입금기한까지 입금이 없어 취소되는 가상계좌", "a virtual account that nobody pays into in time")},
	{name: "deposit_over", play: mismatched(bank.Over), about: say("1,000원 초과 입금 후 정상 입금", "a deposit of 1,000 won too much, then a right one")},
	{name: "deposit_under", play: mismatched(bank.Under), about: say("1,000원 부족한 입금 후 나머지 또는 정상 입금", "a deposit of 1,000 won too little, then the rest or a right one")},
	{name: "deposit_late", play: late, about: say("입금기한이 지난 뒤의 입금", "a deposit after the due time")},
	{name: "deposit_twice", play: mismatched(bank.PaidTwo), about: say("같은 금액의 중복 입금", "a buyer who deposits twice")},
	{name: "deposit_reversed", play: reversed, about: say("입금 후 은행이 입금을 취소한 결제", "a deposit that the bank takes back")},
	{name: "payout_refused", play: payoutRefused, pays: true, about: say("은행이 정산금 이체를 거절 → 계좌 확인 후 다음 영업일에 다시 지급",
		"the bank refuses a payout; it is made again after the account was seen to")},
	{name: "payout_unknown", play: payoutUnknown, pays: true, about: say("은행이 정산금 이체 결과를 알려 주지 않음 → 다시 보내지 않고 조회만 함 → 확인",
		"the bank does not say what became of a payout; it is asked for and never sent again")},
	{name: "payout_late", play: payoutLate, pays: true, about: say("은행이 정산금 이체 결과를 늦게 알려 줌", "the bank answers late about a payout")},
	{name: "payout_returned", play: payoutReturned, pays: true, about: say("지급된 정산금이 수취 은행에서 반환됨", "a payout that comes back from the receiving bank")},
	{name: "cancel", play: cancelled, about: say("배송 전 전액 취소와 환불", "cancelled in full before shipping, and refunded")},
	{name: "mail_bounced", play: mailBounced, about: say("안내 메일이 반송되어 자동 구매확정이 멈춤 → 링크 재발송 후 다시 계산",
		"the buyer's mail bounces, so that silence means nothing until the buyer was told")},
}

// story plays acts one after the other.
func story(ctx context.Context, acts ...func(context.Context) error) error {
	for _, act := range acts {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

func silence(ctx context.Context, r *run) error {
	return story(ctx, r.account, r.exactDeposit, r.shipTracked, r.deliver, r.silence, r.paidOut)
}

func confirm(ctx context.Context, r *run) error {
	return story(ctx, r.transfer, r.shipTracked, r.deliver, r.confirm, r.paidOut)
}

// confirm is the buyer's own act.
func (r *run) confirm(ctx context.Context) error {
	if err := r.do(ctx, escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer}, say("구매자가 구매를 확정하였습니다.", "The buyer confirms the purchase.")); err != nil {
		return err
	}
	return r.in(escrow.Confirmed)
}

// refundTo is where the buyers of the scenarios want their money back.
var refundTo = escrow.BankAccount{Bank: "088", Number: "110123456789", Holder: nameOfNobody}

func rejectReturn(ctx context.Context, r *run) error {
	return story(ctx, r.account, r.exactDeposit, r.shipTracked, r.deliver,
		func(ctx context.Context) error {
			return r.do(ctx, escrow.Buyer, escrow.Reject{Reason: "상품이 설명과 다릅니다.", Account: refundTo}, say("구매자가 구매를 거절하고 환불계좌를 알려 주었습니다.", "The buyer rejects the purchase and says where to refund."))
		},
		func(ctx context.Context) error {
			return r.do(ctx, escrow.Shop, escrow.AcceptRejection{By: "상점 담당자"}, say("상점이 구매거절을 수락하였습니다. 대금은 반품이 도착할 때까지 예치됩니다.", "The shop accepts. The money stays held until the goods are back."))
		},
		func(ctx context.Context) error {
			return r.do(ctx, escrow.Shop, escrow.ReceiveReturn{}, say("반품이 도착하여 전액 환불되었습니다.", "The goods are back; everything is refunded."))
		},
		r.refunded)
}

// refunded expects that the newest refund has reached the buyer.
func (r *run) refunded(context.Context) error {
	n := len(r.p.Refunds)
	return expect(n > 0 && r.p.Refunds[n-1].State == escrow.RefundSent, "환불이 완료되지 않았습니다", "the refund was not sent")
}

func untracked(ctx context.Context, r *run) error {
	return story(ctx, r.transfer,
		func(ctx context.Context) error {
			return r.ship(ctx, krcarrier.Other, say("상점이 배송조회가 되지 않는 배송을 등록하였습니다.", "The shop registers a delivery that cannot be tracked."))
		},
		r.silence, r.paidOut)
}

// across plays a delivery on the last business day before a feast.
func across(feast string) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		eve, err := r.eveOf(ctx, feast)
		if err != nil {
			return err
		}
		return story(ctx,
			func(ctx context.Context) error {
				return r.wait(ctx, eve.Start().Add(9*time.Hour), say(
					fmt.Sprintf("시계를 연휴 전 마지막 영업일 %s 오전 9시로 옮겼습니다.", eve), fmt.Sprintf("The clock is moved to 09:00 of %s, the last business day before the holiday.", eve)))
			},
			r.transfer, r.shipTracked, r.deliver, r.silence)
	}
}

// eveOf is the last business day before the next feast that is not today.
func (r *run) eveOf(ctx context.Context, feast string) (bizday.Date, error) {
	now, err := r.s.app.NowOf(ctx, r.m.ID)
	if err != nil {
		return bizday.Date{}, err
	}
	today, cal := bizday.DateOf(now), r.s.app.Calendar()
	for year := today.Year(); year <= min(today.Year()+1, clockLast.Year()); year++ {
		days, err := cal.Holidays(year)
		if err != nil {
			return bizday.Date{}, err
		}
		for _, day := range days {
			isFeast := slices.ContainsFunc(day.Causes, func(c bizday.Cause) bool { return c.Korean == feast })
			if !isFeast {
				continue
			}
			if eve, err := cal.Roll(day.Date, bizday.Before); err != nil || eve.After(today) {
				return eve, err
			}
		}
	}
	return bizday.Date{}, &refusal{http.StatusConflict, "", reasonNoFeast}
}

func expired(ctx context.Context, r *run) error {
	return story(ctx, r.account, r.expire,
		func(context.Context) error { return r.in(escrow.Cancelled) })
}

// expire waits until the account takes no more money.
func (r *run) expire(ctx context.Context) error {
	return r.wait(ctx, r.p.Account.Due.Add(r.m.Profile.DepositGrace), say("입금기한이 지나 결제가 취소되고 계좌가 닫혔습니다.", "The due time passes; the payment is cancelled and the account closed."))
}

// mismatched plays a deposit that does not fit, whatever the shop's policy makes
// of it, and ends with the money held.
func mismatched(what bank.Story) func(context.Context, *run) error {
	said := map[bank.Story]words{
		bank.Over:    say("구매자가 1,000원을 더 입금하였습니다.", "The buyer deposits 1,000 won too much."),
		bank.Under:   say("구매자가 1,000원을 덜 입금하였습니다.", "The buyer deposits 1,000 won too little."),
		bank.PaidTwo: say("구매자가 같은 금액을 두 번 입금하였습니다.", "The buyer deposits the amount twice."),
	}
	return func(ctx context.Context, r *run) error {
		return story(ctx, r.account,
			func(ctx context.Context) error { return r.deposit(ctx, what, said[what]) },
			r.becameOf,
			func(ctx context.Context) error {
				if r.p.State == escrow.Held {
					return nil
				}
				return r.exactDeposit(ctx)
			},
			r.returnRest)
	}
}

// becameOf says what the shop's policy made of the newest deposit.
func (r *run) becameOf(ctx context.Context) error {
	n := len(r.p.Deposits)
	if err := expect(n > 0, "입금 통보가 없습니다", "there is no deposit"); err != nil {
		return err
	}
	switch r.p.Deposits[n-1].Outcome {
	case escrow.DepositRefused:
		return r.tell(ctx, say("상점의 정책에 따라 맞지 않는 입금은 은행에서 거절되었습니다.", "By the shop's policy the bank refuses the deposit that does not fit."))
	case escrow.DepositSuspended:
		return r.tell(ctx, say("상점의 정책에 따라 맞지 않는 입금은 가수금으로 보관됩니다.", "By the shop's policy the deposit that does not fit lies in suspense."))
	case escrow.DepositHeld, escrow.DepositReturned, escrow.DepositQuarantined:
	}
	return nil
}

// returnRest sends back what lies in suspense.
func (r *run) returnRest(ctx context.Context) error {
	if r.p.Suspended == 0 {
		return nil
	}
	return r.do(ctx, escrow.Operator, escrow.ReturnSuspense{}, say("운영자가 가수금을 입금자에게 돌려보냈습니다.", "The operator sends the suspended money back to its payer."))
}

func late(ctx context.Context, r *run) error {
	return story(ctx, r.account, r.expire,
		func(ctx context.Context) error {
			return r.wait(ctx, r.seen.at.Add(time.Hour), say("한 시간이 지났습니다.", "An hour passes."))
		},
		func(ctx context.Context) error {
			return r.deposit(ctx, bank.TooLate, say("구매자가 입금기한이 지난 뒤 입금하였습니다.", "The buyer deposits after the due time."))
		},
		r.becameOf, r.returnRest,
		func(context.Context) error { return r.in(escrow.Cancelled) })
}

func reversed(ctx context.Context, r *run) error {
	return story(ctx, r.account, r.exactDeposit,
		func(ctx context.Context) error {
			if _, err := r.s.reverseAs(ctx, &r.p, ""); err != nil {
				return err
			}
			return r.tell(ctx, say("은행이 입금을 취소하여 예치된 대금이 없어졌습니다. 입금기한 전이므로 다시 입금을 기다립니다.", "The bank takes the deposit back. Before the due time the account waits for money again."))
		},
		func(context.Context) error { return r.in(escrow.AwaitingDeposit) })
}

// misbehave makes the bank go wrong with the next payout.
func (r *run) misbehave(ctx context.Context, b bank.Behaviour, what words) error {
	b.For = bank.Payout
	if err := r.s.bank.Misbehave(ctx, r.m.ID, b); err != nil {
		return err
	}
	return r.tell(ctx, what)
}

// sold is a purchase that is confirmed at once.
func (r *run) sold(ctx context.Context) error {
	return story(ctx, r.transfer, r.shipTracked, r.deliver, r.confirm)
}

// payoutAfter sells something, makes the bank misbehave, waits for the payout
// and expects it in a state.
func (r *run) payoutAfter(ctx context.Context, b bank.Behaviour, scripted, paying words, state string) (id string, err error) {
	if err := r.sold(ctx); err != nil {
		return "", err
	}
	if err := r.misbehave(ctx, b, scripted); err != nil {
		return "", err
	}
	if id, err = r.payoutDay(ctx, paying); err != nil {
		return "", err
	}
	return id, r.payoutIs(ctx, id, state)
}

func payoutRefused(ctx context.Context, r *run) error {
	_, err := r.payoutAfter(ctx, bank.Behaviour{Way: bank.Refuse},
		say("다음 정산금 이체를 은행이 거절하도록 설정하였습니다.", "The bank is told to refuse the next payout."),
		say("정산일에 은행이 이체를 거절하여 정산금이 다시 상점 몫으로 남았습니다.", "On the settlement day the bank refuses; the money is the shop's again and waits."), "failed")
	if err != nil {
		return err
	}
	return r.resume(ctx)
}

func payoutReturned(ctx context.Context, r *run) error {
	id, err := r.payoutAfter(ctx, bank.Behaviour{Way: bank.ComeBack},
		say("다음 정산금이 수취 은행에서 반환되도록 설정하였습니다.", "The bank is told to bring the next payout back."),
		say("정산일에 정산금이 지급되었습니다.", "On the settlement day the shop is paid."), "paid")
	if err != nil {
		return err
	}
	if _, err := r.s.returnAs(ctx, r.m.ID, id+"-1"); err != nil {
		return err
	}
	if err := r.tell(ctx, say("수취 은행이 정산금을 반환하여 다시 상점 몫으로 남았습니다.", "The receiving bank sends the money back; it is the shop's again and waits.")); err != nil {
		return err
	}
	if err := r.payoutIs(ctx, id, "returned"); err != nil {
		return err
	}
	return r.resume(ctx)
}

// resume lets money be paid out again after the account was seen to.
func (r *run) resume(ctx context.Context) error {
	if err := r.s.app.ResumePayouts(ctx, "sandbox", r.m.ID); err != nil {
		return err
	}
	if err := r.tell(ctx, say("정산 계좌를 확인하고 지급을 재개하였습니다.", "The account was seen to, and payouts are resumed.")); err != nil {
		return err
	}
	before, err := r.s.app.Payouts(ctx, r.m.ID, 0, 1)
	if err != nil {
		return err
	}
	day, err := r.s.app.Calendar().Add(bizday.DateOf(r.seen.at), 1)
	if err != nil {
		return err
	}
	if err := r.wait(ctx, day.Start().Add(noon), say("다음 영업일에 정산금이 다시 지급되었습니다.", "On the next business day the shop is paid after all.")); err != nil {
		return err
	}
	after, err := r.s.app.Payouts(ctx, r.m.ID, 0, 1)
	if err != nil {
		return err
	}
	if err := expect(len(after) > 0 && after[0].ID != before[0].ID, "정산금이 다시 지급되지 않았습니다", "nothing was paid out again"); err != nil {
		return err
	}
	r.refs = append(r.refs, after[0].ID)
	return r.payoutIs(ctx, after[0].ID, "paid")
}

func payoutUnknown(ctx context.Context, r *run) error {
	id, err := r.payoutAfter(ctx, bank.Behaviour{Way: bank.Silent},
		say("다음 정산금 이체의 결과를 은행이 알려 주지 않도록 설정하였습니다.", "The bank is told to be silent about the next payout."),
		say("정산일에 이체를 요청하였으나 결과를 알 수 없습니다. 다시 보내지 않고 조회만 합니다.", "On the settlement day the payout is ordered and nobody knows its outcome. It is asked for and never sent again."), "ordered")
	if err != nil {
		return err
	}
	if err := r.sentOnce(ctx, id); err != nil {
		return err
	}
	if _, err := r.s.releaseAs(ctx, r.m.ID, ""); err != nil {
		return err
	}
	if err := r.tell(ctx, say("은행이 이체 완료를 확인해 주었습니다.", "The bank confirms that the money has gone.")); err != nil {
		return err
	}
	return r.payoutIs(ctx, id, "paid")
}

// sentOnce expects that the bank has exactly one order of a payout.
func (r *run) sentOnce(ctx context.Context, payout string) error {
	orders, err := r.s.app.BankOrders(ctx, r.m.ID, payout, 10)
	if err != nil {
		return err
	}
	return expect(len(orders) == 1 && orders[0].State == app.OrderAsked, "이체 요청이 하나가 아닙니다", "there is not exactly one open order")
}

// lateInquiries is how many questions the bank leaves unanswered.
const lateInquiries = 3

func payoutLate(ctx context.Context, r *run) error {
	id, err := r.payoutAfter(ctx, bank.Behaviour{Way: bank.Late, After: lateInquiries},
		say("다음 정산금 이체의 결과를 은행이 세 번째 조회 뒤에 알려 주도록 설정하였습니다.", "The bank is told to leave three questions about the next payout unanswered."),
		say("정산일에 이체를 요청하였고, 몇 번의 조회 끝에 은행이 완료를 확인해 주었습니다.", "On the settlement day the payout is ordered; after some questions the bank confirms it."), "paid")
	if err != nil {
		return err
	}
	orders, err := r.s.app.BankOrders(ctx, r.m.ID, id, 10)
	if err != nil {
		return err
	}
	return expect(len(orders) == 1 && orders[0].Attempts > lateInquiries, "조회 횟수가 예상과 다릅니다", "the bank was not asked as often as expected")
}

func cancelled(ctx context.Context, r *run) error {
	return story(ctx, r.transfer,
		func(ctx context.Context) error {
			return r.do(ctx, escrow.Shop, escrow.Cancel{Reason: "구매자 요청"}, say("상점이 배송 전에 결제를 전액 취소하여 환불되었습니다.", "The shop cancels in full before shipping; the money is refunded."))
		},
		func(context.Context) error { return r.in(escrow.Cancelled) },
		r.refunded)
}

func mailBounced(ctx context.Context, r *run) error {
	return story(ctx, r.transfer, r.shipTracked, r.bounceAll, r.deliver, r.bounceAll,
		func(ctx context.Context) error {
			day, err := r.s.app.Calendar().Add(bizday.DateOf(r.seen.at), 2*r.m.Profile.TrackedDays)
			if err != nil {
				return err
			}
			return r.wait(ctx, day.Start(), say("자동 구매확정 기한의 두 배가 지나도 안내받지 못한 구매자의 침묵은 동의가 아닙니다.", "Twice the usual time passes. The silence of a buyer who was not told is no consent."))
		},
		func(context.Context) error { return r.in(escrow.Delivered) },
		func(ctx context.Context) error {
			return r.do(ctx, escrow.Shop, escrow.RenewLink{}, say("상점이 구매결정 링크를 다시 보냈고, 이번에는 구매자에게 전달되었습니다.", "The shop sends the link again, and this time it arrives."))
		},
		r.silence)
}

// bounceAll sends every letter back that told the buyer what silence means.
func (r *run) bounceAll(ctx context.Context) error {
	mails, err := r.s.app.Mails(ctx, r.m.ID, r.p.ID, 0, mailsPage)
	if err != nil {
		return err
	}
	for _, m := range mails {
		if !m.Kind.Tells() || m.State != app.MailSent {
			continue
		}
		if err := r.s.app.Bounced(ctx, r.m.ID, m.ID, bounceReason); err != nil {
			return err
		}
	}
	if err := r.tell(ctx, say("구매자에게 보낸 안내 메일이 반송되었습니다.", "The mail that told the buyer bounces.")); err != nil {
		return err
	}
	return expect(r.p.Notice == escrow.NoticeFailed, "안내 실패가 기록되지 않았습니다", "the failed notice was not recorded")
}
