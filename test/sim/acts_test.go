package sim_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// maxLive is how many payments of a run are under way before there are no new ones.
const maxLive = 14

// act is something that somebody does.
type act struct {
	weight int
	do     func(*world)
}

// acts are what may come next in the world.
var acts = []act{
	{12, (*world).order},
	{40, (*world).someone},
	{10, func(w *world) { w.bank.tellAll() }},
	{4, (*world).repeat},
	{4, (*world).wake},
	{3, (*world).race},
	{3, func(w *world) { w.post.reportBounces() }},
	{2, (*world).withdraw},
	{2, (*world).takeBack},
	{2, (*world).settings},
	{5, (*world).holiday},
	{1, (*world).restart},
	{1, func(w *world) {
		s := one(w, w.shops...)
		s.downUntil = w.now().Add(w.between(time.Minute, 30*time.Hour))
	}},
	{1, (*world).resumePayouts},
}

// choose draws one of weighted acts and does it.
func (w *world) choose(of []act) {
	sum := 0
	for _, a := range of {
		sum += a.weight
	}
	n := w.rng.IntN(sum)
	for _, a := range of {
		if n -= a.weight; n < 0 {
			a.do(w)
			return
		}
	}
}

// live are the payments to which something is still to come.
func (w *world) live() (out []*pay) {
	for _, m := range w.pays {
		if !m.phase.final() && (m.phase != opened || w.now().Sub(m.touched) < 24*time.Hour) {
			out = append(out, m)
		}
	}
	return out
}

// order begins a payment, in one of the ways.
func (w *world) order() {
	if len(w.live()) >= maxLive {
		return
	}
	s := one(w, w.shops...)
	w.orders++
	req := escrow.Open{
		OrderID: fmt.Sprintf("order-%d", w.orders), Goods: escrow.Physical, Escrow: w.chance(0.85), Amount: w.amount(), Name: "도자기 컵",
		Buyer: escrow.Party{Name: "김하늘", Email: "buyer@mail.example"}, Device: "api",
	}
	switch x := w.rng.Float64(); {
	case x < 0.06:
		req.Buyer.Email = ""
	case x < 0.14:
		req.Buyer.Email = mistyped
	}
	if w.chance(0.12) && len(s.pays) > 0 { // another try to pay the same order
		m := one(w, s.pays...)
		req.OrderID, req.Amount = m.now.OrderID, m.now.Amount
	}
	if w.chance(0.6) {
		w.orderByAPI(s, req)
		return
	}
	w.orderByWindow(s, req)
}

// mistyped is an address at which nobody reads.
const mistyped = "nobody@mail.example"

func (w *world) amount() money.Won {
	return money.Won(one(w, 1, 990, 12_000, 35_000, 50_000, 1_250_000)) + money.Won(w.rng.IntN(1000))
}

func (w *world) orderByAPI(s *shop, req escrow.Open) {
	due := w.now().Add(w.between(2*time.Hour, 5*24*time.Hour))
	w.note("%s orders %s with an account", s.name, req.OrderID)
	w.told(s, "order", func() error {
		_, err := w.p.app.OpenWithAccount(w.ctx, s.id, req, app.AccountOrder{Bank: one(w, "004", "088"), Due: due})
		return err
	})
}

func (w *world) orderByWindow(s *shop, req escrow.Open) {
	req.Method = one(w, escrow.VirtualAccount, escrow.BankTransfer, escrow.Card)
	w.note("%s opens a window for %s by %s", s.name, req.OrderID, req.Method)
	w.told(s, "window", func() error {
		_, err := w.p.app.Open(w.ctx, escrow.Buyer, s.id, req)
		return err
	})
}

// told runs a client's call whose refusal is no surprise.
func (w *world) told(s *shop, what string, call func() error) {
	var err error
	if !w.run(what, func() { err = call() }) {
		return // it hangs, and ends later
	}
	w.followShop(s)
	var no *escrow.Refusal
	if errors.As(err, &no) {
		w.note("   refused: %s", no.Reason)
	} else if err != nil && !errors.Is(err, errInjected) {
		w.fail("%s: %v", what, err)
	}
}

// someone does something about one of the payments.
func (w *world) someone() {
	live := w.live()
	if w.chance(0.25) && len(w.pays) > 0 {
		live = w.pays[max(0, len(w.pays)-40):]
	}
	if len(live) > 0 {
		w.about(one(w, live...))
	}
}

// about does something that fits where a payment is, or does not fit.
func (w *world) about(m *pay) {
	if w.chance(0.1) {
		w.wild(m)
		return
	}
	switch m.phase {
	case opened:
		w.inWindow(m)
	case waiting, expired, failed:
		w.awaited(m)
	case held:
		w.aboutHeld(m)
	case sent:
		w.aboutSent(m)
	case rejected:
		w.aboutRejected(m)
	case agreed:
		w.ask(m, escrow.Shop, one[escrow.Command](w, escrow.ReceiveReturn{}, escrow.ReceiveReturn{}, escrow.AcceptRejection{By: "김직원", Waive: true}, escrow.Cancel{Reason: "합의"}))
	case paid, confirmed, ended:
		w.aboutDone(m)
	}
}

// inWindow is a buyer in the payment window.
func (w *world) inWindow(m *pay) {
	method := m.now.Method
	if method == "" {
		method = escrow.VirtualAccount
	}
	asked := m.now.AskedEscrow || w.chance(0.5)
	choice := app.Checkout{Method: method, Escrow: asked, Terms: "2026-11-01", Account: app.AccountOrder{Bank: "004"}}
	switch {
	case w.chance(0.1):
		w.ask(m, escrow.Buyer, escrow.Fail{Reason: "사용자 취소"})
	case method == escrow.VirtualAccount:
		w.note("%s: the buyer chooses an account", m)
		w.told(m.shop, "choose an account", func() error {
			_, err := w.p.app.ChooseAccount(w.ctx, m.shop.id, m.id, choice)
			return err
		})
	default:
		w.approve(m, choice)
	}
}

// approve is a bank transfer or a card payment in the window. What the program
// refuses is taken back by the bank; what nobody knows is asked about again.
func (w *world) approve(m *pay, choice app.Checkout) {
	w.note("%s: the buyer pays by %s", m, choice.Method)
	w.told(m.shop, "choose", func() error {
		_, err := w.p.app.Choose(w.ctx, m.shop.id, m.id, choice)
		return err
	})
	approval := escrow.Approve{ApprovalNo: "ap-" + m.id}
	if choice.Method == escrow.BankTransfer {
		approval.Payer = w.payer()
	}
	for range 20 {
		var err error
		w.run("approve", func() { _, err = w.p.app.Approve(w.ctx, m.shop.id, m.id, approval) })
		w.follow(m)
		if !errors.Is(err, errInjected) {
			if err == nil {
				w.bank.approved(m, approval)
			}
			return
		}
		w.pass(w.between(time.Second, time.Minute))
	}
	w.fail("%s: an approval finds no end", m)
}

// approved is money taken from a buyer's account or card, once.
func (b *fakeBank) approved(m *pay, a escrow.Approve) {
	for _, d := range b.deposits {
		if d.tx == a.ApprovalNo {
			return
		}
	}
	b.deposits = append(b.deposits, &deposit{tx: a.ApprovalNo, account: &vaccount{payment: m.id, closed: true}, amount: m.now.Amount, at: b.w.now(), told: true})
	b.balance += m.now.Amount
}

// payer is an account from which money comes; now and then money cannot go back there.
func (w *world) payer() escrow.BankAccount {
	a := escrow.BankAccount{Bank: "088", Number: fmt.Sprintf("110%09d", 1+w.rng.IntN(3)), Holder: "김하늘"}
	if w.chance(0.07) {
		a.Number = "1100000000"
	}
	return a
}

// awaited is a payment whose deposit is waited for, or came too late.
func (w *world) awaited(m *pay) {
	if m.now.Account == nil {
		return
	}
	account := w.bank.accounts[key(m.now.Account.BankAccount)]
	switch x := w.rng.Float64(); {
	case account == nil:
		w.fail("%s waits at an account that the bank does not know", m)
	case m.phase == waiting && x < 0.06:
		w.ask(m, escrow.Shop, escrow.CloseAccount{Reason: "품절"})
	case m.phase == waiting && x < 0.14:
		w.ask(m, escrow.Shop, escrow.AmendAccount{Amount: one(w, 0, m.now.Amount+1000), Due: one(w, time.Time{}, w.now().Add(w.between(time.Hour, 72*time.Hour)))})
	case m.phase == waiting && x < 0.75 || m.phase == expired && x < 0.25 || x < 0.04:
		w.payIn(m, account)
	case m.now.Suspended > 0 && x < 0.88:
		w.ask(m, escrow.Shop, escrow.AcceptLate{})
	case m.now.Suspended > 0:
		w.ask(m, escrow.Operator, escrow.ReturnSuspense{Account: w.payer()})
	}
}

// payIn is one way of paying into an account.
func (w *world) payIn(m *pay, a *vaccount) {
	payer, amount := w.payer(), m.now.Amount
	switch x := w.rng.Float64(); {
	case x < 0.72:
	case x < 0.80:
		w.bank.deposit(a, amount, payer) // and again
	case x < 0.86:
		amount += 1000
	case x < 0.93 && amount > 1:
		half := 1 + money.Won(w.rng.Int64N(int64(amount-1)))
		w.bank.deposit(a, half, payer)
		if w.chance(0.3) {
			payer = w.payer()
		}
		amount -= half
	case amount > 1:
		amount--
	}
	if d := w.bank.deposit(a, amount, payer); d != nil && !d.tellAt.After(w.now()) {
		w.bank.notice(d)
	}
}

// parcels draws what is shipped.
func (w *world) parcels() (out []escrow.Parcel, trackable bool) {
	if w.chance(0.2) {
		return []escrow.Parcel{{Carrier: one(w, escrow.SelfDelivery, escrow.OtherCarrier), Number: "X1"}}, w.chance(0.5)
	}
	for range one(w, 1, 1, 1, 2) {
		number := fmt.Sprintf("6%011d", w.rng.Int64N(1e11))
		w.carrier.takes(number)
		out = append(out, escrow.Parcel{Carrier: one(w, "CJ", "HANJIN"), Number: number})
	}
	return out, true
}

func (w *world) aboutHeld(m *pay) {
	switch x := w.rng.Float64(); {
	case x < 0.62:
		parcels, trackable := w.parcels()
		w.ask(m, escrow.Shop, escrow.RegisterDelivery{Parcels: parcels, Trackable: trackable, SentAt: w.now().Add(-w.between(0, 5*time.Hour)), SendEmail: true})
	case x < 0.70:
		w.ask(m, escrow.Buyer, escrow.AskCancel{Reason: "단순 변심"})
	case x < 0.78:
		w.ask(m, one(w, escrow.Shop, escrow.Operator), escrow.Cancel{Reason: "품절", Notify: w.chance(0.5)})
	case x < 0.84:
		w.hold(m)
	}
}

func (w *world) hold(m *pay) {
	if m.onHold {
		w.ask(m, one(w, escrow.Shop, escrow.Operator), escrow.ReleaseHold{})
		return
	}
	w.ask(m, one(w, escrow.Shop, escrow.Operator), escrow.PlaceHold{Reason: "확인이 필요합니다"})
}

// aboutSent is a shipped payment: most of the time nobody does anything, so that time decides.
func (w *world) aboutSent(m *pay) {
	switch x := w.rng.Float64(); {
	case x < 0.10:
		w.ask(m, escrow.Buyer, escrow.Confirm{Kind: escrow.ByBuyer})
	case x < 0.20:
		w.reject(m)
	case x < 0.24:
		parcels, trackable := w.parcels()
		w.ask(m, escrow.Shop, escrow.AmendDelivery{Parcels: parcels, Trackable: trackable, SentAt: w.now()})
	case x < 0.30:
		w.hold(m)
	case x < 0.33:
		w.ask(m, escrow.Buyer, escrow.RenewLink{})
	case x < 0.37:
		w.ask(m, escrow.Operator, escrow.MarkDelivered{At: w.now().Add(-time.Minute), Reason: "확인"})
	case x < 0.40:
		w.ask(m, escrow.Shop, escrow.Cancel{Reason: "합의 취소"})
	case m.onHold && x < 0.6:
		w.hold(m)
	case m.now.HasTask(escrow.TaskNoticeFailed) && x < 0.7:
		w.ask(m, escrow.Operator, escrow.NoticeResult{Delivered: true, Reason: "전화로 알림"})
	case m.now.HasTask(escrow.TaskParcelOverdue) && x < 0.8:
		w.ask(m, escrow.Shop, escrow.ResolveTask{Task: escrow.TaskParcelOverdue, Note: "택배사에 문의함"})
	}
}

func (w *world) reject(m *pay) {
	c := escrow.Reject{Reason: "상품이 다릅니다"}
	if w.chance(0.4) {
		c.Account = w.payer()
	}
	w.ask(m, escrow.Buyer, c)
}

func (w *world) aboutRejected(m *pay) {
	switch x := w.rng.Float64(); {
	case m.onHold && x < 0.3:
		w.hold(m)
	case m.disputed && x < 0.6:
		w.ask(m, escrow.Operator, escrow.DecideDispute{Refund: one(w, 0, m.now.Amount, m.now.Amount/3), Reason: "조정 결과"})
	case x < 0.30:
		w.ask(m, escrow.Shop, escrow.AcceptRejection{By: "김직원", Waive: w.chance(0.3)})
	case x < 0.45:
		w.ask(m, escrow.Buyer, escrow.WithdrawRejection{})
	case x < 0.60:
		w.ask(m, escrow.Shop, escrow.Contest{Evidence: "정상 배송"})
	case x < 0.68:
		w.ask(m, escrow.Operator, escrow.Confirm{Kind: escrow.Forced, Reason: "오류 정정"})
	case x < 0.76:
		w.ask(m, escrow.Shop, escrow.Cancel{Reason: "환불 합의"})
	}
}

// aboutDone is a payment after its end: refunds from the shop's money, second
// thoughts, and accounts for refunds that wait.
func (w *world) aboutDone(m *pay) {
	left := m.now.Cancellable()
	switch x := w.rng.Float64(); {
	case m.now.HasTask(escrow.TaskRefundFailed) || m.now.HasTask(escrow.TaskRefundAccount):
		w.giveAccount(m)
	case m.now.Suspended > 0 && x < 0.5:
		w.ask(m, escrow.Operator, escrow.ReturnSuspense{Account: w.payer()})
	case m.phase == confirmed && m.onHold && x < 0.5:
		w.ask(m, escrow.Operator, escrow.ReleaseHold{})
	case left > 1 && x < 0.35:
		w.ask(m, escrow.Shop, escrow.Cancel{Amount: 1 + money.Won(w.rng.Int64N(int64(left))), Reason: "일부 환불", Notify: true})
	case left > 0 && x < 0.45:
		w.ask(m, escrow.Shop, escrow.Cancel{Reason: "전액 환불"})
	}
}

// giveAccount names an account for the refunds that wait. A deposit without an owner
// is named by itself.
func (w *world) giveAccount(m *pay) {
	for _, r := range m.now.Refunds {
		if r.State == escrow.RefundFailed || r.State == escrow.RefundAccountNeeded {
			w.ask(m, escrow.Operator, escrow.GiveRefundAccount{Refund: r.ID, Account: w.payer()})
		}
	}
}

// wild is a command that may not fit at all: an opposite decision, a partial cancel
// of held money, a forged notice.
func (w *world) wild(m *pay) {
	expected := m.now.Amount + 1
	w.ask(m, escrow.Buyer, one[escrow.Command](w, escrow.Confirm{Kind: escrow.ByBuyer}, escrow.WithdrawRejection{}, escrow.Reject{Reason: "변심"}))
	switch w.rng.IntN(6) {
	case 0:
		w.ask(m, escrow.Shop, escrow.Cancel{Amount: 1, Reason: "일부"})
	case 1:
		w.ask(m, escrow.Shop, escrow.Cancel{Expected: &expected, Reason: "잔액 확인"})
	case 2:
		w.ask(m, escrow.Shop, escrow.AcceptRejection{By: "김직원"})
	case 3:
		w.ask(m, escrow.Buyer, escrow.Confirm{Kind: escrow.Forced, Reason: "나는 운영자"})
	default:
		w.forge(m)
	}
}

// forge is a notice that contradicts one of the bank's, or names no account of ours.
func (w *world) forge(m *pay) {
	for _, d := range w.bank.deposits {
		if d.account.payment != m.id || !d.told || d.account.Number == "" {
			continue
		}
		w.count("a forged notice", d.tx)
		w.ask(m, escrow.Bank, escrow.NotifyDeposit{BankTx: d.tx, Amount: d.amount + 5_000_000, At: w.now(), Payer: d.payer})
		return
	}
	var err error
	w.run("a forged notice", func() {
		_, err = w.p.app.Deposit(w.ctx, escrow.BankAccount{Bank: "004", Number: "12345678901234"}, escrow.NotifyDeposit{BankTx: "x", Amount: 1000, At: w.now()})
	})
	var no *escrow.Refusal
	if !errors.As(err, &no) || no.Code != escrow.NotFound {
		w.fail("a notice about an account that does not exist: %v", err)
	}
}

// repeat gives a command once more whose client heard nothing, sometimes long after.
func (w *world) repeat() {
	if len(w.again) == 0 {
		return
	}
	i := w.rng.IntN(len(w.again))
	c := w.again[i]
	w.again = append(w.again[:i:i], w.again[i+1:]...)
	w.count("a client repeated a call", c.cmd.Verb())
	w.ask(c.m, c.actor, c.cmd)
}

// withdraw is a buyer who has second thoughts shortly after time has confirmed.
func (w *world) withdraw() {
	for _, m := range w.pays {
		if d := m.now.Decided; m.phase == confirmed && !m.onHold && d != nil && d.Kind == escrow.ByTime && w.now().Sub(d.At) < 4*24*time.Hour {
			w.ask(m, escrow.Buyer, escrow.AskWithdrawal{Reason: "단순 변심"})
			return
		}
	}
}

// takeBack is the bank taking a deposit back, which is rare.
func (w *world) takeBack() {
	var can []*deposit
	for _, d := range w.bank.deposits {
		if d.account.Number != "" && !d.refused && !d.reversed && d.told && w.now().Sub(d.at) < 10*24*time.Hour {
			can = append(can, d)
		}
	}
	if len(can) == 0 || !w.chance(0.15) {
		return
	}
	d := one(w, can...)
	d.reversed, d.backAt = true, w.now()
	w.bank.balance -= d.amount
	w.count("the bank takes a deposit back", d.tx)
	w.bank.reverse(d)
}

// resumePayouts is a person who has seen to a shop's account.
func (w *world) resumePayouts() {
	s := one(w, w.shops...)
	var err error
	w.run("resume payouts", func() { err = w.p.app.ResumePayouts(w.ctx, "operator", s.id) })
	if err != nil && !errors.Is(err, errInjected) {
		w.fail("resume payouts: %v", err)
	}
}
