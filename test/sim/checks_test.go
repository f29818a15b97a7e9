package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// kinds are the loops of the program.
var kinds = []app.Work{app.WorkTime, app.WorkCarrier, app.WorkMail, app.WorkBank, app.WorkSettlement, app.WorkWebhook}

// loop lets one of the loops look once. An error that the world has not made is a fault.
func (w *world) loop(kind app.Work, merchant string) (done int) {
	var err error
	p := w.p
	ended := w.run("loop "+string(kind), func() {
		done, err = p.loops.Step(w.ctx, kind, merchant)
		if err != nil && !p.dead && !injected(err) {
			w.fail("the loop %s fails: %v", kind, err)
		}
	})
	if !ended {
		return 1
	}
	if done > 0 || err != nil {
		w.followAll()
	}
	if err != nil {
		return 1
	}
	return done
}

// injected reports whether an error is of the world's making alone: every part of
// one that was joined must be.
func injected(err error) bool {
	if fmt.Sprintf("%T", err) == "*errors.joinError" {
		parts := err.(interface{ Unwrap() []error }).Unwrap() //nolint:forcetypeassert // its type has the method
		return !slices.ContainsFunc(parts, func(e error) bool { return !injected(e) })
	}
	return errors.Is(err, errInjected)
}

// maxRests bounds how often the loops look before they must have come to rest.
const maxRests = 3000

// rest lets the loops work until nothing is due.
func (w *world) rest() {
	w.bank.tellAll()
	for range maxRests {
		done := 0
		for _, k := range kinds {
			done += w.loop(k, "")
		}
		for _, s := range w.shops {
			done += w.loop(app.WorkBank, s.id)
		}
		if w.err != nil {
			return
		}
		if done == 0 && w.idle() {
			return
		}
	}
	w.fail("work is due, and the loops do not bring it to an end")
}

// idle reports whether nothing is due at this moment.
func (w *world) idle() bool {
	for _, owes := range []func(context.Context, string) (bool, error){w.p.app.OwesMails, w.p.app.OwesBankOrders} {
		if due, err := owes(w.ctx, ""); due || err != nil {
			return false
		}
	}
	if lanes, err := w.p.app.DueLanes(w.ctx, ""); len(lanes) > 0 || err != nil {
		return false
	}
	for _, due := range []func(context.Context, string, int) ([]app.Ref, error){w.p.app.DuePayments, w.p.app.TrackPayments} {
		if refs, err := due(w.ctx, "", 1); len(refs) > 0 || err != nil {
			return false
		}
	}
	return true
}

// daily asks what must be true once the loops have come to rest.
func (w *world) daily() {
	w.note("--- %s: the loops have come to rest; %d payments, %d under way", w.today(), len(w.pays), len(w.live()))
	w.booksBalance()
	w.calendarIsStored()
	for _, m := range w.pays {
		if !m.phase.final() {
			w.notForgotten(m)
		}
	}
}

// booksBalance holds the ledger against itself, against the states, and against the bank.
func (w *world) booksBalance() {
	b, err := w.p.app.Books(w.ctx)
	if err != nil || len(b.Problems) > 0 {
		w.fail("the books: %v %v", b.Problems, err)
		return
	}
	held := money.Won(0)
	for _, m := range w.pays {
		if m.phase.holds() {
			held += m.now.Amount
		}
	}
	if b.Held != held {
		w.fail("the books hold %d won, the model %d", b.Held, held)
	}
	for _, x := range b.Balances {
		if n := x.Net(); n < 0 && (x.Account == "held:" || x.Account == "refund:" || x.Account == "payout:" || x.Account == ledger.Suspense) {
			w.fail("%s has a balance of %d won", x.Account, n)
		}
	}
	w.agreesWithBank(b)
}

// agreesWithBank: the bank's balance is the ledger's, but for what one of them has yet
// to hear of.
func (w *world) agreesWithBank(b app.Books) {
	book := balance(b, ledger.BankEscrow)
	way := w.bank.onTheWay(w)
	if book+way != w.bank.balance {
		w.fail("the bank has %d won, the ledger %d, and %d are on the way", w.bank.balance, book, way)
	}
}

func balance(b app.Books, a ledger.Account) money.Won {
	for _, x := range b.Balances {
		if x.Account == a {
			return x.Net()
		}
	}
	return 0
}

// onTheWay is what the bank has done and the ledger does not know yet, item by item.
func (b *fakeBank) onTheWay(w *world) (way money.Won) {
	for _, d := range b.deposits {
		m := w.byID[d.account.payment]
		if d.account.Number == "" || m == nil {
			continue // an approval is booked before the bank counts it
		}
		came, gone := booked(m.now, d)
		if !came && !d.refused {
			way += d.amount
		}
		if d.reversed && !gone {
			way -= d.amount
		}
	}
	for _, x := range b.inOrder {
		went, back := w.bookedOrder(x)
		if x.result != bank.Failed && !went {
			way -= x.Amount
		}
		if x.result == bank.Returned && !back {
			way += x.Amount
		}
	}
	return way
}

// booked says what the program's payment shows of a deposit: that its money came,
// and that it was taken back.
func booked(p escrow.Payment, d *deposit) (came, gone bool) {
	for _, x := range p.Deposits {
		if x.BankTx == d.tx && x.Amount == d.amount {
			return x.Outcome != escrow.DepositRefused, x.Reversed
		}
	}
	return false, false
}

// bookedOrder says what the program shows of an order: that its money went, and
// that it came back.
func (w *world) bookedOrder(x *order) (went, back bool) {
	if x.Kind == bank.Payout {
		p, err := w.p.app.Payout(w.ctx, x.merchant, x.Memo)
		if err != nil {
			w.fail("read payout %s: %v", x.Memo, err)
		}
		return p.State == settle.PayoutPaid || p.State == settle.PayoutReturned, p.State == settle.PayoutReturned
	}
	m := w.byID[x.Memo]
	for _, e := range m.now.Refunds {
		if !strings.HasPrefix(x.Key, e.ID+"-") {
			continue
		}
		later := e.Key() != x.Key // another attempt has followed, so this one has ended
		return later || e.State == escrow.RefundSent || x.bookedSent(w, m), later || e.State == escrow.RefundFailed && x.bookedSent(w, m)
	}
	return false, false
}

// bookedSent reports whether the log tells that an order was sent.
func (x *order) bookedSent(w *world, m *pay) bool {
	events, err := w.p.app.Events(w.ctx, m.shop.id, m.id)
	if err != nil {
		w.fail("read the events of %s: %v", m, err)
	}
	return slices.ContainsFunc(events, func(e app.LoggedEvent) bool { return e.Type == escrow.EventRefundSent && e.Ref == x.Key })
}

// calendarIsStored: the process counts by the calendar that is stored.
func (w *world) calendarIsStored() {
	var stored []bizday.Override
	err := w.store.Read(w.ctx, func(r *store.Reader) (err error) {
		stored, err = r.Overrides()
		return err
	})
	if have := w.p.app.Calendar().Overrides(); err != nil || !slices.Equal(have, stored) {
		w.fail("the process counts by the overrides %v, stored are %v (%v)", have, stored, err)
	}
}

// notForgotten: a payment that is under way has a next step, or somebody has a task.
func (w *world) notForgotten(m *pay) {
	p := m.now
	if m.phase == waiting && p.Account.Due.Add(m.shop.profile.DepositGrace).Before(w.now()) {
		w.fail("%s still waits for a deposit that was due at %s", m, p.Account.Due)
	}
	if m.phase != sent {
		return
	}
	if d := p.Deadline; d != nil {
		if !d.At.After(w.now()) {
			w.fail("%s should have been confirmed by time at %s", m, d.At)
		}
		return
	}
	onItsWay := p.State == escrow.Shipped && p.Delivery.Trackable && p.Delivery.Seen()
	untold := m.shop.strict && p.Notice != escrow.NoticeDelivered
	if p.Hold == nil && !onItsWay && !untold {
		w.fail("%s is %s, its buyer was told, and no time ends it", m, p.State)
	}
	if onItsWay && p.TrackAt.IsZero() {
		w.fail("%s is on its way and nobody asks its carrier", m)
	}
	if untold && p.Notice == escrow.NoticeFailed && !p.HasTask(escrow.TaskNoticeFailed) {
		w.fail("%s: the buyer could not be told, and nobody has the task", m)
	}
}
