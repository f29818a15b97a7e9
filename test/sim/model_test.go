package sim_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// phase is where a payment is in the model, which knows less than the program.
type phase string

// The phases.
const (
	opened    phase = "opened"
	waiting   phase = "waiting" // for a deposit
	expired   phase = "expired"
	failed    phase = "failed"
	paid      phase = "paid" // an ordinary payment
	held      phase = "held"
	sent      phase = "sent" // shipped or delivered
	rejected  phase = "rejected"
	agreed    phase = "agreed" // a rejection was accepted, the goods come back
	confirmed phase = "confirmed"
	ended     phase = "ended" // the money went back to the buyer, or the bank took it
)

// holds reports whether the buyer's money is held in the phase.
func (f phase) holds() bool { return f == held || f == sent || f == rejected || f == agreed }

// final reports whether nothing more is to come by itself.
func (f phase) final() bool {
	return f == expired || f == failed || f == paid || f == confirmed || f == ended
}

// states are those in which the program may keep a payment of the phase.
var states = map[phase][]escrow.State{
	opened: {escrow.Opened}, waiting: {escrow.AwaitingDeposit}, expired: {escrow.Cancelled}, failed: {escrow.Failed}, paid: {escrow.Paid},
	held: {escrow.Held}, sent: {escrow.Shipped, escrow.Delivered}, rejected: {escrow.Rejected}, agreed: {escrow.RejectionAccepted},
	confirmed: {escrow.Confirmed}, ended: {escrow.Cancelled, escrow.RejectionAccepted},
}

// pay is a payment in the model.
type pay struct {
	shop     *shop
	id, name string
	now      escrow.Payment // as the program last showed it; no rule of the model reads its state

	phase    phase
	seq      int64
	onHold   bool
	decided  *decided
	left     int // how often held money has gone for good
	reversed bool
	disputed bool

	letters []read
	toldBy  time.Time // when an operator told the buyer in another way
	since   time.Time // letters before it no longer count: a rejection was withdrawn
	version int64     // the highest that was acknowledged
	touched time.Time
}

// decided is the decision that stands.
type decided struct {
	verdict escrow.Verdict
	at      time.Time
}

func (m *pay) String() string { return m.name }

// follow reads what the log of the payment's shop has that is new.
func (w *world) follow(m *pay) {
	if m != nil {
		w.followShop(m.shop)
	}
}

func (w *world) followAll() {
	for _, s := range w.shops {
		w.followShop(s)
	}
}

// logPage is how many events are read at a time.
const logPage = 200

func (w *world) followShop(s *shop) {
	for w.err == nil {
		events, err := w.p.app.EventsAfter(w.ctx, s.id, s.position, logPage)
		if err != nil {
			w.fail("read the log of %s: %v", s.name, err)
			return
		}
		var touched []*pay
		for _, e := range events {
			if e.Position != s.position+1 {
				w.fail("the log of %s goes on with position %d after %d", s.name, e.Position, s.position)
				return
			}
			s.position = e.Position
			if e.Payout != nil {
				s.log = append(s.log, logged{of: e.Payment, seq: e.Seq, kind: e.Type})
				s.paidOut(e)
				continue
			}
			m := w.payOf(s, e)
			s.log = append(s.log, logged{m.id, m, e.Seq, e.Type, e.Notify})
			w.applied(m, e)
			if !slices.Contains(touched, m) {
				touched = append(touched, m)
			}
		}
		for _, m := range touched {
			w.compare(m)
		}
		if len(events) < logPage {
			return
		}
	}
}

// logged is an event as it was read once; it must stay so.
type logged struct {
	of     string // payment or payout
	m      *pay   // nil of a payout
	seq    int64
	kind   escrow.EventType
	notify bool
}

// after are the events that may follow one of a payout; nothing is before the first.
var after = map[escrow.EventType][]escrow.EventType{
	"":                     {escrow.EventPayoutSent, escrow.EventPayoutFailed},
	escrow.EventPayoutSent: {escrow.EventPayoutReturned},
}

// paidOut takes an event of a payout, or says that it may not be.
func (s *shop) paidOut(e app.LoggedEvent) {
	was := s.payouts[e.Payment]
	if e.Seq != was.seq+1 || !slices.Contains(after[was.kind], e.Type) {
		s.w.fail("%s: %s with the number %d may not follow %q with the number %d", e.Payment, e.Type, e.Seq, was.kind, was.seq)
	}
	s.payouts[e.Payment] = logged{of: e.Payment, seq: e.Seq, kind: e.Type}
	s.w.note("   %s #%d %s of %d", e.Payment, e.Seq, e.Type, e.Amount)
}

// payOf finds the model of an event's payment, and begins one for a new payment.
func (w *world) payOf(s *shop, e app.LoggedEvent) *pay {
	m := w.byID[e.Payment]
	if m == nil {
		m = &pay{shop: s, id: e.Payment, name: fmt.Sprintf("%s%d", s.name, len(s.pays)+1)}
		w.byID[m.id] = m
		w.pays = append(w.pays, m)
		s.pays = append(s.pays, m)
	}
	return m
}

// applied lets the model take an event, or says that it may not be.
func (w *world) applied(m *pay, e app.LoggedEvent) {
	if e.Seq != m.seq+1 {
		w.fail("%s: event %s has the number %d after %d", m, e.Type, e.Seq, m.seq)
	}
	was := m.phase
	m.seq, m.touched = e.Seq, w.now()
	if !m.step(w, e) {
		w.fail("%s is %s: %s by %s may not happen (%s)", m, was, e.Type, e.Actor, e.Kind)
	}
	if was.holds() && !m.phase.holds() && m.phase != waiting {
		if m.left++; m.left > 1 && !m.reversed {
			w.fail("%s: held money left twice", m)
		}
	}
	about := ""
	if was != m.phase {
		about = fmt.Sprintf(": %s -> %s", was, m.phase)
	}
	w.note("   %s #%d %s %s by %s%s", m, e.Seq, e.Type, e.Kind, e.Actor, about)
}

// step is the model's whole rule: which event may follow in which phase.
func (m *pay) step(w *world, e app.LoggedEvent) bool {
	to := func(next phase, from ...phase) bool {
		ok := slices.Contains(from, m.phase)
		m.phase = next
		return ok
	}
	in := func(from ...phase) bool { return slices.Contains(from, m.phase) }
	switch e.Type {
	case escrow.EventOpened:
		return to(opened, "")
	case escrow.EventAccountIssued:
		return to(waiting, opened)
	case escrow.EventAccountAmended:
		return in(waiting)
	case escrow.EventAccountClosed:
		return to(failed, waiting)
	case escrow.EventAccountExpired:
		w.seen["an account expired"]++
		return to(expired, waiting)
	case escrow.EventFailed:
		return to(failed, opened)
	case escrow.EventPaid:
		return m.isPaid(w)
	case escrow.EventDepositMismatched:
		w.seen["a deposit was "+e.Kind]++
		return !in("", opened)
	case escrow.EventDepositReversed:
		return m.isReversed(w)
	case escrow.EventDeliveryRegistered:
		return to(sent, held) && !m.onHold
	case escrow.EventDeliveryChanged, escrow.EventDelivered, escrow.EventParcelOverdue, escrow.EventNoticeFailed:
		w.seen[string(e.Type)]++
		return in(sent)
	case escrow.EventNoticeDelivered:
		if e.Actor == escrow.Operator {
			m.toldBy = e.At
		}
		return in(sent)
	case escrow.EventInTransit:
		return in(sent, rejected)
	case escrow.EventDecisionDue:
		return in(sent) && !m.onHold
	case escrow.EventConfirmed:
		return m.isConfirmed(w, e)
	case escrow.EventRejected:
		m.decided = &decided{escrow.VerdictReject, e.At}
		return to(rejected, sent)
	case escrow.EventRejectionWithdrawn:
		w.seen["a rejection was withdrawn"]++
		m.decided, m.since, m.toldBy, m.disputed = nil, e.At, time.Time{}, false
		return to(sent, rejected)
	case escrow.EventRejectionAccepted:
		m.disputed = false
		return to(agreed, rejected)
	case escrow.EventDisputed:
		m.disputed = true
		return in(rejected)
	case escrow.EventDisputeDecided:
		w.seen["a dispute was decided"]++
		return in(rejected) && m.disputed
	case escrow.EventReturnReceived:
		return in(agreed)
	case escrow.EventCancelled:
		return m.isCancelled(e)
	case escrow.EventPartlyRefunded:
		w.seen["a part was refunded"]++
		return in(confirmed, paid)
	case escrow.EventCancelAsked:
		return in(held)
	case escrow.EventWithdrawalAsked:
		w.seen["a withdrawal after time confirmed"]++
		m.onHold = true
		return in(confirmed)
	case escrow.EventHoldPlaced:
		m.onHold = true
		return in(held, sent, rejected)
	case escrow.EventHoldReleased:
		was := m.onHold
		m.onHold = false
		return was
	case escrow.EventReminded, escrow.EventLinkRenewed, escrow.EventSuspenseReturned, escrow.EventRefundOrdered, escrow.EventRefundAccountAsked,
		escrow.EventRefundSent, escrow.EventRefundFailed, escrow.EventTaskResolved:
		return !in("", opened)
	}
	return false
}

// isPaid: money has come to a payment that waits for it, or waited until its due time.
func (m *pay) isPaid(w *world) bool {
	from := m.phase
	p, err := w.p.app.Payment(w.ctx, m.shop.id, m.id)
	if err != nil {
		w.fail("read %s: %v", m, err)
		return true
	}
	m.phase = paid
	if p.Escrow {
		m.phase = held
	}
	if from == expired {
		w.seen["an expired payment was paid after all"]++
	}
	return from == opened || from == waiting || from == expired
}

// isReversed: the bank may take money back at any time. Where it leaves the
// payment is seen by its state.
func (m *pay) isReversed(w *world) bool {
	w.seen["a deposit was reversed"]++
	m.reversed = true
	if m.phase.holds() {
		p, err := w.p.app.Payment(w.ctx, m.shop.id, m.id)
		if err == nil && !p.State.Holds() {
			m.phase, m.decided, m.onHold, m.disputed = waiting, nil, false, false
		}
	}
	return true
}

func (m *pay) isConfirmed(w *world, e app.LoggedEvent) bool {
	was := m.phase
	m.phase, m.decided = confirmed, &decided{escrow.VerdictConfirm, e.At}
	held := m.onHold
	m.onHold = false
	switch escrow.ConfirmKind(e.Kind) {
	case escrow.ByTime:
		w.seen["time confirmed"]++
		w.mayTimeConfirm(m, e.At)
		return was == sent && !held && e.Actor == escrow.System
	case escrow.Forced:
		return (was == sent || was == rejected) && e.Actor == escrow.Operator
	case escrow.ByBuyer:
		return was == sent && e.Actor == escrow.Buyer
	case escrow.ByShop:
		return was == sent && e.Actor == escrow.Shop
	}
	return false
}

func (m *pay) isCancelled(e app.LoggedEvent) bool {
	was := m.phase
	if was != confirmed {
		m.phase = ended
	}
	m.onHold, m.disputed = false, false
	if m.reversed && was == waiting {
		return true // what the bank took back after shipping, or after the due time
	}
	return was.holds() || was == confirmed || was == paid
}

// leastDays is the least time of a buyer, in business days (Decree art. 28-3).
const leastDays = 3

// mayTimeConfirm: time confirms only after every last day that the buyer has read,
// and, where the shop must tell, at least three business days after the buyer was told.
func (w *world) mayTimeConfirm(m *pay, at time.Time) {
	day := bizday.DateOf(at)
	told := m.toldBy
	for _, l := range m.letters {
		if !l.lastDay.IsZero() && !day.After(l.lastDay) {
			w.fail("%s is confirmed by time at %s; a letter of %s named %s as the last day", m, at, l.at, l.lastDay)
		}
		if l.tells && !l.at.Before(m.since) && (told.IsZero() || l.at.Before(told)) {
			told = l.at
		}
	}
	w.countsAsStored(m, at)
	if d := m.now.Delivery; d != nil && !d.DeliveredAt.IsZero() {
		if n := businessDays(bizday.DateOf(d.DeliveredAt), day); n < leastDays {
			w.fail("%s is confirmed by time at %s, %d business days after it was received at %s", m, at, n, d.DeliveredAt)
		}
	}
	if !m.shop.strict {
		return
	}
	if told.IsZero() || told.After(at) {
		w.fail("%s is confirmed by time at %s, and its buyer was never told what silence means", m, at)
		return
	}
	if n := businessDays(bizday.DateOf(told), day); n < leastDays {
		w.fail("%s is confirmed by time at %s, %d business days after its buyer was told at %s", m, at, n, told)
	}
}

// businessDays counts the business days between two days, neither of them counted, day by
// day and without ad-hoc holidays.
func businessDays(after, before bizday.Date) (n int) {
	for d := after.AddDays(1); d.Before(before); d = d.AddDays(1) {
		if open, _, err := bizday.Korea().IsBusiness(d); err == nil && open {
			n++
		}
	}
	return n
}

// countsAsStored: the deadline that ended had as many business days as it says, by the
// calendar of the day on which it ended, counted day by day.
func (w *world) countsAsStored(m *pay, at time.Time) {
	d := m.now.Deadline
	if d == nil {
		w.fail("%s is confirmed by time and had no deadline", m)
		return
	}
	cal, days := w.p.app.Calendar(), 0
	for day := d.From.AddDays(1); day.Before(bizday.DateOf(at)); day = day.AddDays(1) {
		if open, _, err := cal.IsBusiness(day); err != nil || open {
			days++
		}
	}
	if days < d.Days {
		w.fail("%s is confirmed by time %d business days after %s, and should have had %d", m, days, d.From, d.Days)
	}
}

// compare holds the program's payment against the model.
func (w *world) compare(m *pay) {
	p, err := w.p.app.Payment(w.ctx, m.shop.id, m.id)
	if err != nil {
		w.fail("read %s: %v", m, err)
		return
	}
	m.now = p
	if m.phase == waiting && m.reversed && p.State == escrow.Cancelled {
		m.phase = ended
	}
	if !slices.Contains(states[m.phase], p.State) {
		w.fail("%s is %s in the model and %s in the program", m, m.phase, p.State)
	}
	if p.Seq != m.seq || p.Version < m.version {
		w.fail("%s has %d events of %d, and version %d where %d was acknowledged", m, p.Seq, m.seq, p.Version, m.version)
	}
	want := money.Won(0)
	if m.phase.holds() {
		want = p.Amount
	}
	if p.HeldAmount() != want {
		w.fail("%s is %s and holds %d won, not %d", m, m.phase, p.HeldAmount(), want)
	}
	if (p.Hold != nil) != m.onHold {
		w.fail("%s: on hold %t in the model, %v in the program", m, m.onHold, p.Hold)
	}
	if d := p.Decided; d != nil && m.decided != nil && (d.Verdict != m.decided.verdict || !d.At.Equal(m.decided.at)) {
		w.fail("%s: the program's decision is %+v, the first was %+v", m, d, m.decided)
	}
}

// answer is what a client heard.
type answer struct {
	res  app.Result
	err  error
	lost bool // it heard nothing, or that nobody knows
}

// ask gives a command of a person to the living process and holds the answer
// against the model.
func (w *world) ask(m *pay, actor escrow.Actor, cmd escrow.Command) answer {
	w.note("%s: %s by %s", m, cmd.Verb(), actor)
	must, was, seq := m.expects(w, actor, cmd), m.phase, m.seq
	stood := m.decided
	a := answer{}
	w.run(cmd.Verb(), func() { a.res, a.err = w.p.app.Do(w.ctx, actor, m.shop.id, m.id, cmd) })
	a.lost = errors.Is(a.err, errInjected)
	w.follow(m)
	w.judge(m, cmd, a, must, was, seq, stood)
	if a.lost {
		w.again = append(w.again, again{m, actor, cmd})
	}
	return a
}

// again is a command whose client heard nothing.
type again struct {
	m     *pay
	actor escrow.Actor
	cmd   escrow.Command
}

// expectation is what the model says of an answer.
type expectation string

// The expectations.
const (
	either  expectation = ""
	changes expectation = "changes"
	same    expectation = "is answered as before"
	refused expectation = "is refused"
)

// expects is what the model expects of the commands that decide.
func (m *pay) expects(w *world, actor escrow.Actor, cmd escrow.Command) expectation {
	switch c := cmd.(type) {
	case escrow.Confirm:
		return m.expectsConfirm(actor, c)
	case escrow.Reject:
		switch {
		case m.phase == sent:
			return changes
		case m.decided != nil && m.decided.verdict == escrow.VerdictReject:
			return same
		}
		return refused
	case escrow.WithdrawRejection:
		return by(m.phase, map[phase]expectation{rejected: changes, sent: same})
	case escrow.AcceptRejection:
		if m.phase == agreed && c.Waive {
			return changes
		}
		return by(m.phase, map[phase]expectation{rejected: changes, agreed: same, ended: either})
	case escrow.Cancel:
		return m.expectsCancel(actor, c)
	case escrow.RegisterDelivery:
		if m.phase == held {
			return either // its own fields may be wrong
		}
		return refused
	default:
		return either
	}
}

// by finds the expectation of a phase; any other phase refuses.
func by(f phase, of map[phase]expectation) expectation {
	if e, ok := of[f]; ok {
		return e
	}
	return refused
}

func (m *pay) expectsConfirm(actor escrow.Actor, c escrow.Confirm) expectation {
	may := map[escrow.ConfirmKind]escrow.Actor{escrow.ByBuyer: escrow.Buyer, escrow.ByShop: escrow.Shop, escrow.Forced: escrow.Operator}
	switch {
	case may[c.Kind] != actor, c.Kind == escrow.ByShop && !m.shop.profile.ShopMayConfirm:
		return refused
	case m.phase == sent:
		return changes
	case m.decided != nil && m.decided.verdict == escrow.VerdictConfirm:
		return same
	case m.phase == rejected && c.Kind == escrow.Forced:
		return changes
	}
	return refused
}

func (m *pay) expectsCancel(actor escrow.Actor, c escrow.Cancel) expectation {
	whole := c.Amount == 0 || c.Amount == m.now.Amount
	switch m.phase {
	case held, rejected, agreed:
		if whole && c.Expected == nil {
			return changes
		}
		return refused
	case sent:
		policy := m.shop.profile.CancelAfterShip
		switch {
		case !whole || c.Expected != nil:
			return refused
		case actor == escrow.Operator, policy == escrow.Direct, policy == escrow.AfterHold && m.onHold:
			return changes
		}
		return refused
	case confirmed, paid:
		return either
	case opened, waiting, expired, failed, ended:
	}
	return refused
}

// judge holds an answer against what was expected and what has happened.
func (w *world) judge(m *pay, cmd escrow.Command, a answer, must expectation, was phase, seq int64, stood *decided) {
	if w.err != nil {
		return
	}
	happened := m.seq > seq
	var no *escrow.Refusal
	switch {
	case a.lost:
		return
	case errors.As(a.err, &no):
		w.note("   refused: %s", no.Reason)
		if happened {
			w.fail("%s: %s was refused (%v) and has happened all the same", m, cmd.Verb(), no)
		}
		if must == changes || must == same {
			w.fail("%s is %s: %s %s by the model, and the program refuses: %v", m, was, cmd.Verb(), must, no)
		}
		if no.Code == escrow.AlreadyDecided {
			w.seen["an opposite decision was refused"]++
			if stood == nil || no.Stands == nil || no.Stands.Verdict != stood.verdict || !no.Stands.At.Equal(stood.at) {
				w.fail("%s: the refusal names %+v, but %+v stands", m, no.Stands, stood)
			}
		}
	case a.err != nil:
		w.fail("%s: %s fails: %v", m, cmd.Verb(), a.err)
	default:
		m.version = max(m.version, a.res.Payment.Version)
		if happened == a.res.Unchanged && !silent(cmd) {
			w.fail("%s: %s is said to be unchanged: %t, events from %d to %d", m, cmd.Verb(), a.res.Unchanged, seq, m.seq)
		}
		if must == refused || must == same && happened || must == changes && !happened {
			w.fail("%s is %s: %s %s by the model; changed: %t", m, was, cmd.Verb(), must, happened)
		}
	}
}

// silent reports whether a command may change a payment without an event.
func silent(cmd escrow.Command) bool {
	switch cmd.(type) {
	case escrow.Choose, escrow.GiveRefundAccount, escrow.ReportTracking, escrow.NoticeResult, escrow.Tick:
		return true
	default:
		return false
	}
}
