package work_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/work"
)

// counting counts what the bank is asked, by key.
type counting struct {
	bank.Bank
	mu        sync.Mutex
	sends     map[string]int
	inquiries map[string]int
	// lose says how many answers to Send get lost on their way, after the bank has
	// done what was asked.
	lose int
	// dead says how many questions of any kind do not reach the bank.
	dead int
}

func counted(b bank.Bank) *counting {
	return &counting{Bank: b, sends: map[string]int{}, inquiries: map[string]int{}}
}

var errLine = fmt.Errorf("the line to the bank is dead")

// Send counts, and loses what it is told to lose.
func (c *counting) Send(ctx context.Context, merchant string, o bank.Order) (bank.Result, error) {
	c.mu.Lock()
	c.sends[o.Key]++
	lose, dead := c.lose > 0, c.dead > 0
	if dead {
		c.dead--
	} else if lose {
		c.lose--
	}
	c.mu.Unlock()
	if dead {
		return bank.Result{}, errLine
	}
	res, err := c.Bank.Send(ctx, merchant, o)
	if lose {
		return bank.Result{}, errLine
	}
	return res, err
}

// Inquire counts.
func (c *counting) Inquire(ctx context.Context, merchant, key string) (bank.Result, error) {
	c.mu.Lock()
	c.inquiries[key]++
	dead := c.dead > 0
	if dead {
		c.dead--
	}
	c.mu.Unlock()
	if dead {
		return bank.Result{}, errLine
	}
	return c.Bank.Inquire(ctx, merchant, key)
}

// refunding is a payment whose refund is ordered, and the refund's key.
func (w *world) refunding() (id, key string) {
	w.T.Helper()
	p := w.held()
	p = w.do(escrow.Shop, p.ID, escrow.Cancel{Reason: "품절"})
	return p.ID, p.Refunds[0].Key()
}

func (w *world) misbehave(b bank.Behaviour) {
	w.T.Helper()
	if err := w.Server.Bank.Misbehave(w.T.Context(), w.Merchant, b); err != nil {
		w.T.Fatal(err)
	}
}

// executed asks that the bank has carried out each order once: Orders lists one
// execution per arrival, and paid is how many of them moved money.
func (w *world) executed(paid int) {
	w.T.Helper()
	got, err := w.Server.Bank.Orders(w.T.Context(), w.Merchant)
	if err != nil {
		w.T.Fatal(err)
	}
	seen, moved := map[string]bool{}, 0
	for _, x := range got {
		if seen[x.Order.Key] {
			w.T.Errorf("the order %s was carried out twice", x.Order.Key)
		}
		seen[x.Order.Key] = true
		if x.Paid {
			moved++
		}
	}
	if moved != paid {
		w.T.Errorf("money moved %d times, want %d: %+v", moved, paid, got)
	}
}

func (w *world) refund(id string) escrow.Refund { w.T.Helper(); return w.payment(id).Refunds[0] }

func (w *world) steps(id string) string {
	w.T.Helper()
	events, err := w.App.Events(w.T.Context(), w.Merchant, id)
	if err != nil {
		w.T.Fatal(err)
	}
	var words []string
	for _, e := range events {
		if strings.HasPrefix(string(e.Type), "Refund") {
			words = append(words, strings.TrimPrefix(string(e.Type), "Refund"))
		}
	}
	return strings.Join(words, " ")
}

// TestBankAnswersLate: the order is inquired after, not sent again, until the
// bank knows.
func TestBankAnswersLate(t *testing.T) {
	w := newWorld(t)
	b := counted(w.Server.Bank)
	w.with(replaced{bank: b})
	w.misbehave(bank.Behaviour{Way: bank.Late, After: 3})
	id, key := w.refunding()
	w.drain()
	if r := w.refund(id); r.State != escrow.RefundOrdered {
		t.Fatalf("the refund is %s before the bank has answered", r.State)
	}
	if o, err := w.App.OrderByKey(t.Context(), w.Merchant, key); err != nil || o.State != app.OrderAsked {
		t.Fatalf("the order is %s, %v", o.State, err)
	}
	w.pass(time.Hour)
	if r := w.refund(id); r.State != escrow.RefundSent || b.sends[key] != 1 || b.inquiries[key] != 4 {
		t.Errorf("%s after %d sends and %d inquiries, want sent after 1 and 4", r.State, b.sends[key], b.inquiries[key])
	}
	w.executed(1)
	w.CheckBooks()
}

// TestAnswerLost: the bank did it and nobody heard; asking finds it done.
func TestAnswerLost(t *testing.T) {
	w := newWorld(t)
	b := counted(w.Server.Bank)
	b.lose = 1
	w.with(replaced{bank: b})
	id, key := w.refunding()
	w.pass(time.Hour)
	if r := w.refund(id); r.State != escrow.RefundSent || b.sends[key] != 1 || b.inquiries[key] != 1 {
		t.Errorf("%s after %d sends and %d inquiries", r.State, b.sends[key], b.inquiries[key])
	}
	w.executed(1)
}

// TestQuestionLost: the bank never heard of it; once it says so, the order is
// sent again under the same key.
func TestQuestionLost(t *testing.T) {
	w := newWorld(t)
	b := counted(w.Server.Bank)
	b.dead = 3
	w.with(replaced{bank: b})
	id, key := w.refunding()
	w.pass(time.Hour)
	if r := w.refund(id); r.State != escrow.RefundSent || b.sends[key] != 2 || r.Attempt != 1 {
		t.Errorf("%s after %d sends in attempt %d", r.State, b.sends[key], r.Attempt)
	}
	w.executed(1)
	w.CheckBooks()
}

// TestSilentBank: nothing is decided by time alone.
func TestSilentBank(t *testing.T) {
	w := newWorld(t)
	b := counted(w.Server.Bank)
	w.with(replaced{bank: b})
	w.misbehave(bank.Behaviour{Way: bank.Silent})
	id, key := w.refunding()
	w.pass(6 * time.Hour)
	if r := w.refund(id); r.State != escrow.RefundOrdered || b.sends[key] != 1 {
		t.Fatalf("%s after %d sends to a silent bank", r.State, b.sends[key])
	}
	if _, err := w.Server.Bank.Release(t.Context(), w.Merchant, key); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	if r := w.refund(id); r.State != escrow.RefundSent || b.sends[key] != 1 {
		t.Errorf("%s after %d sends", r.State, b.sends[key])
	}
	w.executed(1)
	w.CheckBooks()
}

// TestRefusedByTheBank: a definite no asks for another account, and the next try
// has a key of its own.
func TestRefusedByTheBank(t *testing.T) {
	for _, behaviour := range []bank.Behaviour{{Way: bank.Refuse, Reason: "계좌 해지"}, {Way: bank.Silent, Reason: "계좌 해지"}} {
		w := newWorld(t).with(replaced{})
		w.misbehave(behaviour)
		id, key := w.refunding()
		w.pass(time.Hour)
		if _, err := w.Server.Bank.Release(t.Context(), w.Merchant, ""); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour)
		if r := w.refund(id); r.State != escrow.RefundFailed || r.FailedFor != "계좌 해지" {
			t.Fatalf("%s for %q", r.State, r.FailedFor)
		}
		w.pass(24 * time.Hour)
		w.executed(0)
		w.do(escrow.Buyer, id, escrow.GiveRefundAccount{Account: another})
		w.drain()
		if r := w.refund(id); r.State != escrow.RefundSent || r.Key() == key || r.Account != another {
			t.Errorf("%s under %s to %+v", r.State, r.Key(), r.Account)
		}
		if got := w.steps(id); got != "Ordered Failed Ordered Sent" {
			t.Errorf("steps %q", got)
		}
		w.executed(1)
		w.CheckBooks()
	}
}

// TestBankTellsTwice: the second notice of one answer changes nothing.
func TestBankTellsTwice(t *testing.T) {
	w := newWorld(t).with(replaced{})
	w.misbehave(bank.Behaviour{Way: bank.Twice})
	id, _ := w.refunding()
	w.pass(time.Hour)
	if got := w.steps(id); got != "Ordered Sent" {
		t.Errorf("steps %q", got)
	}
	w.executed(1)
	w.CheckBooks()
}

// TestMoneyComesBack: what was sent is the buyer's again here, and waits.
func TestMoneyComesBack(t *testing.T) {
	w := newWorld(t).with(replaced{})
	w.misbehave(bank.Behaviour{Way: bank.ComeBack, Reason: "수취인 계좌 없음"})
	id, _ := w.refunding()
	w.drain()
	if n, err := w.Server.Bank.Return(t.Context(), w.Merchant, ""); err != nil || n != 1 {
		t.Fatalf("%d came back, %v", n, err)
	}
	w.drain()
	if got := w.steps(id); got != "Ordered Sent Failed" || w.refund(id).State != escrow.RefundFailed {
		t.Errorf("steps %q, %s", got, w.refund(id).State)
	}
	w.pass(24 * time.Hour)
	w.executed(1)
	w.do(escrow.Buyer, id, escrow.GiveRefundAccount{Account: another})
	w.drain()
	w.executed(2)
	w.CheckBooks()
}

// forgetful are the bank's notices of which the first are not heard.
type forgetful struct {
	work.Notices
	unheard int
}

// NoticesHeard fails as often as it is told to.
func (f *forgetful) NoticesHeard(ctx context.Context, merchant string, heard []bank.Notice) error {
	if f.unheard > 0 {
		f.unheard--
		return errLine
	}
	return f.Notices.NoticesHeard(ctx, merchant, heard)
}

// PendingNotices adds one about an order that nobody gave.
func (f *forgetful) PendingNotices(ctx context.Context, merchant string) ([]bank.Notice, error) {
	waiting, err := f.Notices.PendingNotices(ctx, merchant)
	if len(waiting) > 0 {
		waiting = append([]bank.Notice{{Key: "nobody's", Result: bank.Result{State: bank.Sent}}}, waiting...)
	}
	return waiting, err
}

// TestNoticesAreToldUntilTheyAreBooked: a process that ends after it has read the
// bank's notices loses none, and books none twice.
func TestNoticesAreToldUntilTheyAreBooked(t *testing.T) {
	w := newWorld(t)
	notices := &forgetful{Notices: w.Server.Bank, unheard: 1}
	w.with(replaced{notices: notices})
	w.misbehave(bank.Behaviour{Way: bank.ComeBack})
	id, _ := w.refunding()
	w.drain()
	if _, err := w.Server.Bank.Return(t.Context(), w.Merchant, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.loops.Drain(t.Context(), w.Merchant); !errors.Is(err, errLine) {
		t.Fatalf("the lost word to the bank: %v", err)
	}
	w.drain()
	if got := w.steps(id); got != "Ordered Sent Failed" {
		t.Errorf("steps %q", got)
	}
	if waiting, err := w.Server.Bank.PendingNotices(t.Context(), w.Merchant); err != nil || len(waiting) != 0 {
		t.Errorf("notices %v, %v, want none", waiting, err)
	}
	w.CheckBooks()
}

// TestPayoutsOnAFaultyBank: a payout is paid once, whatever the bank does; one
// that came back waits for a person.
func TestPayoutsOnAFaultyBank(t *testing.T) {
	for _, c := range []struct {
		behaviour bank.Behaviour
		after     settle.PayoutState
		moved     int
	}{
		{bank.Behaviour{Way: bank.Late, After: 2}, settle.PayoutPaid, 1}, {bank.Behaviour{Way: bank.Twice}, settle.PayoutPaid, 1},
		{bank.Behaviour{Way: bank.Refuse}, settle.PayoutFailed, 0}, {bank.Behaviour{Way: bank.Silent}, settle.PayoutOrdered, 1},
		{bank.Behaviour{Way: bank.ComeBack}, settle.PayoutReturned, 1},
	} {
		w := newWorld(t).with(replaced{})
		c.behaviour.For = bank.Payout
		w.misbehave(c.behaviour)
		p := w.delivered()
		w.do(escrow.Buyer, p.ID, escrow.Confirm{Kind: escrow.ByBuyer})
		w.pass(74 * time.Hour) // Thursday, an hour after the payouts
		if c.behaviour.Way == bank.ComeBack {
			if _, err := w.Server.Bank.Return(t.Context(), w.Merchant, ""); err != nil {
				t.Fatal(err)
			}
			w.pass(3 * 24 * time.Hour)
		}
		payouts, err := w.App.Payouts(t.Context(), w.Merchant, 0, 10)
		if err != nil || len(payouts) != 1 || payouts[0].State != c.after {
			t.Fatalf("%s: %d payouts, %v: %+v", c.behaviour.Way, len(payouts), err, payouts)
		}
		w.executed(c.moved)
		w.CheckBooks()
		if c.after != settle.PayoutFailed && c.after != settle.PayoutReturned {
			continue
		}
		if err := w.App.ResumePayouts(t.Context(), "operator", w.Merchant); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * 24 * time.Hour)
		payouts, err = w.App.Payouts(t.Context(), w.Merchant, 0, 10)
		if err != nil || len(payouts) != 2 || payouts[0].State != settle.PayoutPaid || payouts[0].Amount != payouts[1].Amount {
			t.Errorf("%s: after a person has seen to it: %+v, %v", c.behaviour.Way, payouts, err)
		}
		w.CheckBooks()
	}
}
