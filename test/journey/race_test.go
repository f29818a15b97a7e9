package journey_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/test/check"
)

// clients is how many hands act at once.
const clients = 64

// act is a command in somebody's name.
type act struct {
	actor escrow.Actor
	cmd   func(escrow.Payment) escrow.Command
}

func always(cmd escrow.Command) func(escrow.Payment) escrow.Command {
	return func(escrow.Payment) escrow.Command { return cmd }
}

// outcome is what one hand was told.
type outcome struct {
	payment string
	verb    string
	res     app.Result
	err     error
}

// race lets the clients act on all payments at once: client i does act i of the
// list on each, in an order of its own.
func race(t *testing.T, s *servetest.Server, payments []escrow.Payment, acts []act) []outcome {
	t.Helper()
	var mu sync.Mutex
	var all []outcome
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range clients {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 1))
			a := acts[i%len(acts)]
			<-start
			for _, n := range rng.Perm(len(payments)) {
				p := payments[n]
				cmd := a.cmd(p)
				res, err := s.App.Do(context.Background(), a.actor, s.Merchant, p.ID, cmd)
				mu.Lock()
				all = append(all, outcome{p.ID, cmd.Verb(), res, err})
				mu.Unlock()
			}
		})
	}
	close(start)
	wg.Wait()
	return all
}

// checkAnswers asks that everybody was told the truth: a refusal is a rule's,
// and every event that somebody was given stands in the log and was given to
// nobody else.
func checkAnswers(t *testing.T, all []outcome, histories []check.History) {
	t.Helper()
	logged := map[string]app.LoggedEvent{}
	for _, h := range histories {
		for _, e := range h.Events {
			logged[fmt.Sprint(h.ID, "/", e.Seq)] = e
		}
	}
	for _, o := range all {
		var no *escrow.Refusal
		if o.err != nil && !errors.As(o.err, &no) {
			t.Errorf("%s on %s: a fault: %v", o.verb, o.payment, o.err)
		}
		if o.err == nil && o.res.Unchanged != (len(o.res.Events) == 0) {
			t.Errorf("%s on %s: unchanged is %v with %d events", o.verb, o.payment, o.res.Unchanged, len(o.res.Events))
		}
		for _, e := range o.res.Events {
			key := fmt.Sprint(o.payment, "/", e.Seq)
			if got, ok := logged[key]; !ok || got.Type != e.Type {
				t.Errorf("%s on %s was told of event %d, %s; the log has %q, or somebody else was told too", o.verb, o.payment, e.Seq, e.Type, got.Type)
			}
			delete(logged, key)
		}
	}
}

func histories(t *testing.T, s *servetest.Server, payments []escrow.Payment) []check.History {
	t.Helper()
	out := make([]check.History, len(payments))
	for i, p := range payments {
		out[i] = check.Of(t, s.App, s.Merchant, p.ID)
		out[i].One(t)
	}
	return out
}

// TestDecisionRace: confirm, reject, cancel, time, the bank taking the deposit
// back, and its notices repeated, all at once on payments whose time runs out.
func TestDecisionRace(t *testing.T) {
	s := servetest.Run(t)
	s.Change(func(m *merchant.Merchant) {
		m.Profile.CancelAfterShip, m.Profile.Deposit = escrow.Direct, escrow.SuspendDeposit
	})
	const n = 30
	payments := make([]escrow.Payment, n)
	for i := range payments {
		payments[i] = delivered(t, s, fmt.Sprintf("race-%d", i))
	}
	var over sync.Once
	all := race(t, s, payments, []act{
		{escrow.Buyer, always(escrow.Confirm{Kind: escrow.ByBuyer})},
		{escrow.Buyer, always(escrow.Reject{Reason: "파손", Account: buyer})},
		{escrow.Shop, always(escrow.Cancel{Reason: "품절", Notify: true})},
		{escrow.System, func(escrow.Payment) escrow.Command {
			over.Do(func() { s.Clock.Advance(10 * day) }) // from here on the loops of the server race as well
			return escrow.Tick{}
		}},
		{escrow.Bank, func(p escrow.Payment) escrow.Command { return deposit(s, firstTx(p), amount) }},
		{escrow.Bank, func(p escrow.Payment) escrow.Command { return deposit(s, "again-"+p.ID, amount) }},
		{escrow.Bank, func(p escrow.Payment) escrow.Command {
			if p.ID[len(p.ID)-1]%3 != 0 { // the bank takes back a third of the deposits
				return deposit(s, firstTx(p), amount)
			}
			return escrow.ReverseDeposit{BankTx: firstTx(p), Reason: "착오송금"}
		}},
		{escrow.Operator, always(escrow.PlaceHold{Reason: "확인"})},
	})
	s.Drain()
	done := histories(t, s, payments)
	checkAnswers(t, all, done)
	ends := map[string]int{}
	for _, h := range done {
		if h.Count(escrow.EventConfirmed)+h.Count(escrow.EventRejected)+h.Count(escrow.EventCancelled) == 0 {
			t.Errorf("payment %s is %s: nobody won", h.ID, h.State)
		}
		if got := len(h.Deposits); got != 2 {
			t.Errorf("payment %s has %d deposits, want the one that paid and the one too many", h.ID, got)
		}
		ends[string(h.State)]++
	}
	t.Logf("ends: %v", ends)
	check.Log(t, s.App, s.Merchant)
	check.TheBank(t, s.Bank, s.Merchant, done)
	check.Books(t, s.App)
}

// TestDepositRace: the notice that pays, another that pays as well, the shop
// closing the account, and time ending it.
func TestDepositRace(t *testing.T) {
	s := servetest.Run(t)
	s.Change(func(m *merchant.Merchant) { m.Profile.Deposit = escrow.SuspendDeposit })
	const n = 30
	payments := make([]escrow.Payment, n)
	for i := range payments {
		payments[i] = issued(t, s, fmt.Sprintf("deposit-%d", i))
	}
	at := s.Now()
	notice := func(tx string) func(escrow.Payment) escrow.Command {
		return func(p escrow.Payment) escrow.Command {
			d := deposit(s, tx+p.ID, amount)
			d.At = at
			return d
		}
	}
	s.Clock.Advance(4 * day)
	all := race(t, s, payments, []act{
		{escrow.Bank, notice("one-")}, {escrow.Bank, notice("two-")}, {escrow.Bank, notice("one-")},
		{escrow.Shop, always(escrow.CloseAccount{Reason: "주문 취소"})},
		{escrow.System, always(escrow.Tick{})},
		{escrow.Shop, func(escrow.Payment) escrow.Command { return escrow.AmendAccount{Due: s.Now().Add(day)} }},
		{escrow.Shop, always(escrow.AcceptLate{})},
		{escrow.Bank, func(p escrow.Payment) escrow.Command { return escrow.ReverseDeposit{BankTx: "two-" + p.ID} }},
	})
	s.Drain()
	done := histories(t, s, payments)
	checkAnswers(t, all, done)
	ends := map[string]int{}
	for _, h := range done {
		var holds money.Won
		for _, d := range h.Deposits {
			if d.Outcome == escrow.DepositHeld && !d.Reversed {
				holds += d.Amount
			}
		}
		if want := h.HeldAmount(); holds != want {
			t.Errorf("payment %s is %s and holds deposits of %d won, want %d", h.ID, h.State, holds, want)
		}
		ends[string(h.State)]++
	}
	t.Logf("ends: %v", ends)
	check.Log(t, s.App, s.Merchant)
	check.TheBank(t, s.Bank, s.Merchant, done)
	check.Books(t, s.App)
}

// TestPartialCancelRace: fifty parts at once never come to more than the whole.
func TestPartialCancelRace(t *testing.T) {
	s := servetest.Run(t)
	const part, hands = 300, 50
	p := confirmed(t, s, "parts")
	var wg sync.WaitGroup
	answers := make([]outcome, hands)
	for i := range answers {
		wg.Go(func() {
			res, err := s.App.Do(context.Background(), escrow.Shop, s.Merchant, p.ID, escrow.Cancel{Amount: part, Reason: "흠집"})
			answers[i] = outcome{p.ID, "cancel", res, err}
		})
	}
	wg.Wait()
	s.Drain()
	h := check.Of(t, s.App, s.Merchant, p.ID)
	h.One(t)
	checkAnswers(t, answers, []check.History{h})
	granted := 0
	for _, a := range answers {
		var no *escrow.Refusal
		switch {
		case a.err == nil:
			granted++
		case !errors.As(a.err, &no) || no.Code != escrow.ExceedsBalance:
			t.Errorf("refused with %v", a.err)
		}
	}
	if want := int(amount / part); granted != want || h.Refunded != money.Won(want*part) {
		t.Errorf("%d parts granted, want %d; %d won refunded", granted, want, h.Refunded)
	}
	check.TheBank(t, s.Bank, s.Merchant, []check.History{h})
	check.Log(t, s.App, s.Merchant)
	check.Books(t, s.App)
}

// TestStatedBalanceRace: of many who state the same balance, one is right.
func TestStatedBalanceRace(t *testing.T) {
	s := servetest.Run(t)
	p := confirmed(t, s, "stated")
	whole := amount
	all := race(t, s, []escrow.Payment{p}, []act{{escrow.Shop, always(escrow.Cancel{Amount: 1_000, Expected: &whole, Reason: "흠집"})}})
	granted := 0
	for _, o := range all {
		var no *escrow.Refusal
		switch {
		case o.err == nil:
			granted++
		case !errors.As(o.err, &no) || no.Code != escrow.BalanceDiffers:
			t.Errorf("refused with %v", o.err)
		}
	}
	if granted != 1 {
		t.Errorf("%d of %d cancels were granted", granted, len(all))
	}
	check.Books(t, s.App)
}
