package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

// healingDays is how long the world may take to come to its end once nothing goes
// wrong any more and everybody does what is asked of them.
const healingDays = 120

// healingHour is the hour of the Korean day at which people work then; payouts begin earlier.
const healingHour = 11

// heal ends all trouble and brings every payment to its end.
func (w *world) heal() {
	w.note("=== the world heals")
	w.faulty = false
	for len(w.frozen) > 0 && w.err == nil {
		w.wake()
	}
	for _, s := range w.shops {
		s.downUntil = time.Time{}
	}
	for _, x := range w.bank.inOrder {
		if !x.returns.IsZero() {
			x.returns = w.now()
		}
	}
	for range healingDays {
		if w.err != nil {
			return
		}
		w.post.reportBounces()
		w.rest()
		if w.err != nil {
			return
		}
		why := w.unquiet()
		if why == "" {
			w.finalPlaces()
			return
		}
		w.note("... %s", why)
		for _, m := range w.pays {
			w.settleUp(m)
		}
		for _, s := range w.shops {
			w.settleShop(s)
		}
		w.pass(w.today().AddDays(1).Start().Add(healingHour * time.Hour).Sub(w.now()))
	}
	w.fail("after %d days without trouble %s", healingDays, w.unquiet())
}

// settleUp does what is asked of people about one payment.
func (w *world) settleUp(m *pay) {
	if w.err != nil {
		return
	}
	p := m.now
	if m.onHold {
		w.ask(m, escrow.Operator, escrow.ReleaseHold{})
	}
	switch m.phase {
	case held:
		w.ask(m, escrow.Operator, escrow.Cancel{Reason: "미발송"})
	case sent:
		if p.Notice != escrow.NoticeDelivered && w.now().Sub(m.touched) > 48*time.Hour {
			w.ask(m, escrow.Operator, escrow.NoticeResult{Delivered: true, Reason: "전화로 알림"})
		}
		if p.State == escrow.Shipped && p.HasTask(escrow.TaskParcelOverdue) {
			w.ask(m, escrow.Operator, escrow.MarkDelivered{At: w.now(), Reason: "확인"})
		}
	case rejected:
		w.ask(m, escrow.Shop, escrow.AcceptRejection{By: "김직원"})
	case agreed:
		w.ask(m, escrow.Shop, escrow.ReceiveReturn{})
	case opened, waiting, expired, failed, paid, confirmed, ended:
	}
	w.settleMoney(m)
}

// settleMoney does what is asked of people about money that has no place.
func (w *world) settleMoney(m *pay) {
	account := escrow.BankAccount{Bank: "004", Number: "110123456789", Holder: "김하늘"}
	if m.now.Suspended > 0 && m.phase != waiting {
		w.ask(m, escrow.Operator, escrow.ReturnSuspense{Account: account})
	}
	for _, r := range m.now.Refunds {
		if r.State == escrow.RefundFailed || r.State == escrow.RefundAccountNeeded {
			w.ask(m, escrow.Operator, escrow.GiveRefundAccount{Refund: r.ID, Account: account})
		}
	}
	for _, t := range []escrow.Task{escrow.TaskReversed, escrow.TaskDepositForged} {
		if m.now.HasTask(t) {
			w.ask(m, escrow.Operator, escrow.ResolveTask{Task: t, Note: "확인함"})
		}
	}
}

func (w *world) settleShop(s *shop) {
	w.told(s, "resume payouts", func() error { return w.p.app.ResumePayouts(w.ctx, "operator", s.id) })
	w.told(s, "settings", func() error { return w.setAccount(s) })
}

// unfinished says what a payment still waits for; empty if it is at its end.
func (w *world) unfinished(m *pay) string {
	switch {
	case !m.phase.final() && m.phase != opened:
		return "it is " + string(m.phase)
	case m.onHold:
		return "it is on hold"
	case m.now.Suspended > 0:
		return "money lies in suspense"
	case len(m.now.Tasks) > 0:
		return "tasks are open: " + string(m.now.Tasks[0])
	}
	for _, r := range m.now.Refunds {
		if r.State != escrow.RefundSent {
			return "refund " + r.ID + " is " + string(r.State)
		}
	}
	return ""
}

// unquiet says what is not at its end; empty if everything is.
func (w *world) unquiet() string {
	for _, m := range w.pays {
		if why := w.unfinished(m); why != "" {
			return fmt.Sprintf("%s is not at its end: %s", m, why)
		}
	}
	if slices.ContainsFunc(w.bank.deposits, func(d *deposit) bool { return !d.tellAt.IsZero() || !d.backAt.IsZero() }) || len(w.bank.tells) > 0 || len(w.post.bounces) > 0 {
		return "something is still to be told"
	}
	for _, s := range w.shops {
		if why := s.waits(); why != "" {
			return fmt.Sprintf("%s waits: %s", s.name, why)
		}
	}
	return ""
}

// waits says what the shop is still owed; empty if nothing.
func (s *shop) waits() string {
	w := s.w
	lines, err := w.p.app.Lines(w.ctx, s.id, "", "", 0, 10_000)
	if err != nil {
		return err.Error()
	}
	var net money.Won
	for _, l := range lines {
		net += l.Net
	}
	switch {
	case net > 0:
		return fmt.Sprintf("%d won are to be paid out", net)
	case s.openOrders():
		return "an order at the bank has no answer"
	case s.pending():
		return "letters or calls are not sent"
	}
	return ""
}

func (s *shop) openOrders() bool {
	orders, err := s.w.p.app.BankOrders(s.w.ctx, s.id, "", 10_000)
	if err != nil {
		s.w.fail("read orders: %v", err)
	}
	return slices.ContainsFunc(orders, func(o app.BankOrder) bool { return o.State == app.OrderPending || o.State == app.OrderAsked })
}

// pending reports whether letters or calls wait.
func (s *shop) pending() bool {
	mails, err := s.w.p.app.Mails(s.w.ctx, s.id, "", 0, 10_000)
	if err != nil {
		s.w.fail("read letters: %v", err)
	}
	hooks, err := s.w.p.app.Webhooks(s.w.ctx, s.id, app.WebhookFilter{}, 0, 10_000)
	if err != nil {
		s.w.fail("read calls: %v", err)
	}
	return slices.ContainsFunc(mails, func(m app.Mail) bool { return m.State == app.MailPending }) ||
		slices.ContainsFunc(hooks, func(h app.Webhook) bool { return h.State == app.WebhookPending })
}

// finalPlaces asks where everything has come to rest.
func (w *world) finalPlaces() {
	w.daily()
	b, err := w.p.app.Books(w.ctx)
	if err != nil {
		w.fail("the books: %v", err)
	}
	for _, a := range []ledger.Account{"held:", "refund:", "payout:", ledger.Suspense} {
		if left := balance(b, a); left != 0 {
			w.fail("%d won are left on %s", left, a)
		}
	}
	if way := w.bank.onTheWay(w); way != 0 {
		w.fail("%d won are still on the way", way)
	}
	for _, m := range w.pays {
		w.fairEnd(m)
	}
	for _, s := range w.shops {
		s.wholeLog()
		s.allTold()
		s.payoutsTold()
	}
}

// fairEnd: a buyer got back no more than they paid, unless the bank took it back by itself.
func (w *world) fairEnd(m *pay) {
	var in, out money.Won
	for _, d := range w.bank.deposits {
		if d.account.payment == m.id && !d.refused && !d.reversed {
			in += d.amount
		}
	}
	for _, x := range w.bank.inOrder {
		if x.Kind != "payout" && x.merchant == m.shop.id && x.Memo == m.id && x.result == "sent" {
			out += x.Amount
		}
	}
	if out > in && !m.reversed {
		w.fail("%s: %d won came in and %d went back", m, in, out)
	}
	if m.phase == ended && !m.reversed && out != in {
		w.fail("%s was undone: %d won came in and %d went back", m, in, out)
	}
}

// wholeLog reads the shop's log again from its beginning: it is what was read before.
func (s *shop) wholeLog() {
	w := s.w
	at := int64(0)
	for at < s.position {
		events, err := w.p.app.EventsAfter(w.ctx, s.id, at, logPage)
		if err != nil || len(events) == 0 {
			w.fail("the log of %s ends at %d of %d (%v)", s.name, at, s.position, err)
			return
		}
		for _, e := range events {
			at++
			if was := s.log[at-1]; e.Position != at || e.Payment != was.of || e.Seq != was.seq || e.Type != was.kind {
				w.fail("event %d of %s was %v and is %v", at, s.name, was, e)
			}
		}
	}
}

// allTold: the shop was called about every event of which it is to be told, until it
// took the call or refused it, or as often as was agreed.
func (s *shop) allTold() {
	w := s.w
	hooks, err := w.p.app.Webhooks(w.ctx, s.id, app.WebhookFilter{}, 0, 10_000)
	if err != nil {
		w.fail("read calls: %v", err)
	}
	about := map[[2]string]bool{}
	for _, h := range hooks {
		about[[2]string{h.Payment, h.ID[:strings.LastIndex(h.ID, "-")]}] = true
		heard := s.calls[h.ID]
		if heard == nil && h.State != app.WebhookFailed {
			w.fail("%s was never called for %s, which is %s", s.name, h.ID, h.State)
		}
		if h.State == app.WebhookDelivered && (heard == nil || !heard.took) {
			w.fail("%s is said to have taken %s, and has not", s.name, h.ID)
		}
		if heard == nil && h.Attempts < h.Max {
			w.fail("%s was never called for %s, which was given up", s.name, h.ID)
		}
	}
	for _, e := range s.log {
		if mustTell(e) && !about[[2]string{e.m.id, e.webhook()}] {
			w.fail("%s of %s is an event of which %s is to be told, and no call is recorded", e.kind, e.m, s.name)
		}
	}
}

// payoutsTold: the last event of each payout says how it stands.
func (s *shop) payoutsTold() {
	payouts, err := s.w.p.app.Payouts(s.w.ctx, s.id, 0, 10_000)
	if err != nil {
		s.w.fail("read payouts: %v", err)
	}
	for _, p := range payouts {
		want := map[settle.PayoutState]escrow.EventType{
			settle.PayoutPaid: escrow.EventPayoutSent, settle.PayoutFailed: escrow.EventPayoutFailed, settle.PayoutReturned: escrow.EventPayoutReturned,
		}[p.State]
		if got := s.payouts[p.ID].kind; got != want {
			s.w.fail("%s is %s, and the last that was told of it is %q", p.ID, p.State, got)
		}
	}
}

// mustTell are the events that PortOne V1 calls shops about.
func mustTell(e logged) bool {
	switch e.kind {
	case escrow.EventAccountIssued, escrow.EventPaid, escrow.EventDepositReversed:
		return true
	case escrow.EventCancelled, escrow.EventPartlyRefunded, escrow.EventAccountExpired:
		return e.notify
	default:
		return false
	}
}

// webhook is how the calls about an event are named, without their number.
func (e logged) webhook() string { return app.MessageID(e.m.id, e.seq, merchant.TellStatus) }
