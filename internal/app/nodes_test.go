package app_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/rail/bank/simbank"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/internal/work"
)

// twoNodes are two servers on one database. Both have been asked for the
// merchant, the calendar and a token, so that they remember them.
func twoNodes(t *testing.T) (a, b *servetest.Server) {
	t.Helper()
	a = servetest.Run(t)
	b = servetest.Run(t, servetest.Beside(a))
	for _, s := range []*servetest.Server{a, b} {
		if answer := s.Call("GET", "/payments/imp_0", map[string]string{"Authorization": a.Token()}, nil); answer.Status != 404 {
			t.Fatalf("a payment that is not there: %d %s", answer.Status, answer.Raw)
		}
	}
	return a, b
}

// byAccount is an order that opens a window for a virtual account.
func byAccount(id string) escrow.Open {
	o := order(id)
	o.Method = escrow.VirtualAccount
	return o
}

// TestSettingsOfAnotherNode: what one node changed counts in the next decision
// of every other one, though no time has passed.
func TestSettingsOfAnotherNode(t *testing.T) {
	ctx := context.Background()
	a, b := twoNodes(t)
	p, err := b.App.Open(ctx, escrow.Shop, b.Merchant, byAccount("settings-1"))
	if err != nil {
		t.Fatal(err)
	}
	a.Change(func(m *merchant.Merchant) { m.Disable(escrow.VirtualAccount) })
	if m, _ := b.App.Merchant(ctx, b.Merchant); !m.Offers(escrow.VirtualAccount) {
		t.Fatal("the second node knew of the change; the test proves nothing")
	}
	_, err = b.App.Choose(ctx, b.Merchant, p.ID, app.Checkout{Method: escrow.VirtualAccount, Escrow: true, Terms: merchant.TermsVersion})
	refused(t, err, app.MethodNotOffered)

	b.Clock.Advance(app.Lag)
	a.Change(func(m *merchant.Merchant) { m.Provider = "elsewhere" })
	p, err = b.App.Open(ctx, escrow.Shop, b.Merchant, byAccount("settings-2"))
	if err != nil || p.Provider != "elsewhere" {
		t.Errorf("opened for the channel %q, want elsewhere; %v", p.Provider, err)
	}
}

// TestSettingsAreOldByLagAtMost: outside of decisions a node learns of the
// changes of others after Lag, and the sandbox at once.
func TestSettingsAreOldByLagAtMost(t *testing.T) {
	ctx := context.Background()
	a, b := twoNodes(t)
	a.Change(func(m *merchant.Merchant) { m.Name = "새이름" })
	b.Clock.Advance(app.Lag)
	if m, err := b.App.Merchant(ctx, b.Merchant); err != nil || m.Name != "새이름" {
		t.Errorf("after %s the shop is still called %q; %v", app.Lag, m.Name, err)
	}
	a.Advance(a.Now().Add(48 * time.Hour))
	var shown struct{ Now string }
	b.MustV1("GET", "/sandbox/clock", nil).Into(t, &shown)
	if at, err := time.Parse(time.RFC3339, shown.Now); err != nil || !at.Equal(a.Now().Truncate(time.Second)) {
		t.Errorf("the second node's clock says %s, want %s; %v", shown.Now, a.Now(), err)
	}
}

// TestARevokedKeyOnAnotherNode: its tokens pass for Lag and no longer.
func TestARevokedKeyOnAnotherNode(t *testing.T) {
	ctx := context.Background()
	a, b := twoNodes(t)
	token := b.Token()
	if owner, err := b.App.TokenOwner(ctx, token); err != nil || owner != b.Merchant {
		t.Fatalf("a live token: %q, %v", owner, err)
	}
	if err := a.App.RevokeKey(ctx, "test", a.Merchant, a.Key); err != nil {
		t.Fatal(err)
	}
	if _, err := a.App.TokenOwner(ctx, token); !errors.Is(err, app.ErrUnauthorized) {
		t.Errorf("on the node that revoked the key: %v", err)
	}
	if _, err := b.App.IssueToken(ctx, b.Key, b.Secret); !errors.Is(err, app.ErrUnauthorized) {
		t.Errorf("a new token of a revoked key: %v", err)
	}
	b.Clock.Advance(app.Lag)
	if _, err := b.App.TokenOwner(ctx, token); !errors.Is(err, app.ErrUnauthorized) {
		t.Errorf("after %s on the other node: %v", app.Lag, err)
	}
}

// TestAClockMovedOnAnotherNode: a decision goes by the clock as it stands, and
// an account is due by it.
func TestAClockMovedOnAnotherNode(t *testing.T) {
	ctx := context.Background()
	a, b := twoNodes(t)
	p, err := b.App.Open(ctx, escrow.Shop, b.Merchant, byAccount("clock-1"))
	if err != nil {
		t.Fatal(err)
	}
	a.Advance(a.Now().Add(100 * 24 * time.Hour))
	if b.Now().Equal(a.Now()) {
		t.Fatal("the second node knew of the clock; the test proves nothing")
	}
	res, err := b.App.Choose(ctx, b.Merchant, p.ID, app.Checkout{Method: escrow.VirtualAccount, Escrow: true, Terms: merchant.TermsVersion})
	if err != nil || !res.Payment.UpdatedAt.Equal(a.Now()) {
		t.Errorf("decided at %s, want %s; %v", res.Payment.UpdatedAt, a.Now(), err)
	}
	a.Advance(a.Now().Add(100 * 24 * time.Hour))
	p, err = b.App.OpenWithAccount(ctx, b.Merchant, order("clock-2"), app.AccountOrder{Bank: "004"})
	if err != nil || p.State != escrow.AwaitingDeposit || !p.Account.Due.Equal(a.Now().Add(app.DefaultDue)) {
		t.Fatalf("an account on the other node: %v, %+v", err, p.Account)
	}
}

// TestAHolidayOfAnotherNode: a deadline that is set right after another node
// closed a day leaves it out.
func TestAHolidayOfAnotherNode(t *testing.T) {
	ctx := context.Background()
	a, b := twoNodes(t)
	p := pay(t, b, issued(t, b, "holiday-1"), "tx-1")
	day := bizday.DateOf(b.Now()).AddDays(1)
	if _, err := a.App.SetOverride(ctx, "test", bizday.Override{Date: day, Closed: true, Reason: "임시공휴일"}); err != nil {
		t.Fatal(err)
	}
	res, err := b.App.Do(ctx, escrow.Shop, b.Merchant, p.ID, escrow.RegisterDelivery{
		Parcels: []escrow.Parcel{{Carrier: "ETC", Number: "1"}}, SentAt: b.Now(), SendEmail: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Drain()
	if p, err = b.App.Payment(ctx, b.Merchant, res.Payment.ID); err != nil || p.Deadline == nil {
		t.Fatalf("no deadline: %v, %+v", err, p)
	}
	e, err := a.App.Calendar().Explain(p.Deadline.From, p.Deadline.Days)
	if err != nil {
		t.Fatal(err)
	}
	if p.Deadline.LastDay != e.Last {
		t.Errorf("the last day is %s; with the holiday it is %s", p.Deadline.LastDay, e.Last)
	}
	if err := b.App.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if open, _, _ := b.App.Calendar().IsBusiness(day); open {
		t.Error("the second node did not read the calendar anew")
	}
}

// TestARecountThatWasLeft: a calendar that was changed by somebody who ended before
// the deadlines were counted moves them all the same, once, and tells the buyers.
func TestARecountThatWasLeft(t *testing.T) {
	ctx := context.Background()
	a, b := twoNodes(t)
	p := pay(t, b, issued(t, b, "left-1"), "tx-1")
	_, err := b.App.Do(ctx, escrow.Shop, b.Merchant, p.ID, escrow.RegisterDelivery{
		Parcels: []escrow.Parcel{{Carrier: "ETC", Number: "1"}}, SentAt: b.Now(), SendEmail: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Drain()
	before, err := b.App.Payment(ctx, b.Merchant, p.ID)
	if err != nil || before.Deadline == nil {
		t.Fatalf("no deadline: %v, %+v", err, before)
	}
	if err = a.App.CloseDay(ctx, bizday.Override{Date: before.Deadline.LastDay, Closed: true, Reason: "임시공휴일"}); err != nil {
		t.Fatal(err)
	}
	if moved, err := b.App.Recount(ctx); err != nil || moved != 1 {
		t.Fatalf("counted anew: %d moved, %v", moved, err)
	}
	if after, err := a.App.Payment(ctx, a.Merchant, p.ID); err != nil || !after.Deadline.LastDay.After(before.Deadline.LastDay) {
		t.Errorf("the last day is %s as before, %v", after.Deadline.LastDay, err)
	}
	for _, n := range []*servetest.Server{a, b} {
		if moved, err := n.App.Recount(ctx); err != nil || moved != 0 {
			t.Errorf("counted once more: %d moved, %v", moved, err)
		}
	}
}

// TestOneNodeMovesAClock: while one node moves a clock, no other one does; a
// holder that slept over the end of its lease moves it no further.
func TestOneNodeMovesAClock(t *testing.T) {
	ctx := context.Background()
	a, b := twoNodes(t)
	if err := a.App.TakeClock(ctx, a.Merchant, "first"); err != nil {
		t.Fatal(err)
	}
	to := a.Now().Add(time.Hour)
	if err := b.Loops.Advance(ctx, b.Merchant, to); !errors.Is(err, work.ErrAdvancing) {
		t.Errorf("a clock that another node moves: %v, want ErrAdvancing", err)
	}
	b.Clock.Advance(3 * time.Minute) // the first one sleeps
	to = to.Add(3 * time.Minute)
	if err := b.App.TakeClock(ctx, b.Merchant, "second"); err != nil {
		t.Errorf("a clock whose holder sleeps: %v", err)
	}
	if _, err := a.App.MoveClock(ctx, a.Merchant, "first", to); !errors.Is(err, app.ErrClockTaken) {
		t.Errorf("moved by one who slept: %v, want ErrClockTaken", err)
	}
	b.App.GiveClock(ctx, b.Merchant, "second")
	a.Advance(to)
	if m, err := b.App.MerchantNew(ctx, b.Merchant); err != nil || !b.App.MerchantNow(&m).Equal(to) {
		t.Errorf("the clock stands at %s, want %s; %v", b.App.MerchantNow(&m), to, err)
	}
}

// TestAdvanceWaitsForOtherNodes: when a clock has been moved, all that follows is
// done, whichever node did it.
func TestAdvanceWaitsForOtherNodes(t *testing.T) {
	ctx := context.Background()
	a, b := twoNodes(t)
	for i := range 10 {
		p := pay(t, b, issued(t, b, fmt.Sprintf("wait-%d", i)), fmt.Sprintf("tx-%d", i))
		if _, err := b.App.Do(ctx, escrow.Shop, b.Merchant, p.ID, escrow.RegisterDelivery{
			Parcels: []escrow.Parcel{{Carrier: "CJ", Number: fmt.Sprintf("12345678901%d", i)}}, Trackable: true, SentAt: b.Now(), SendEmail: true,
		}); err != nil {
			t.Fatal(err)
		}
	}
	a.Advance(a.Now().AddDate(0, 0, 14))
	for _, state := range []escrow.State{escrow.Shipped, escrow.Delivered} {
		if counts, err := b.App.CountStates(ctx, b.Merchant); err != nil || counts[state] > 0 {
			t.Errorf("%d payments are still %s; %v", counts[state], state, err)
		}
	}
	mails, err := b.App.Mails(ctx, b.Merchant, "", 0, 100)
	if err != nil || len(mails) < 20 {
		t.Fatalf("%d mails; %v", len(mails), err)
	}
	for _, m := range mails {
		if m.State == app.MailPending {
			t.Errorf("the mail %s (%s) is still to be sent", m.ID, m.Kind)
		}
	}
	if payouts, err := b.App.Payouts(ctx, b.Merchant, 0, 10); err != nil || len(payouts) == 0 || payouts[0].DoneAt.IsZero() {
		t.Errorf("payouts %+v; %v", payouts, err)
	}
	a.CheckBooks()
}

// TestTwoNodesGiveIDs: nodes whose clocks agree give different ids.
func TestTwoNodesGiveIDs(t *testing.T) {
	a, b := twoNodes(t)
	for i := range 30 {
		issued(t, a, fmt.Sprintf("a-%d", i))
		issued(t, b, fmt.Sprintf("b-%d", i))
	}
}

// TestTwoBanksOverOneMemory: of what two simulated banks do at once with the same
// records nothing is lost and nothing is done by both.
func TestTwoBanksOverOneMemory(t *testing.T) {
	const each = 10 // by each bank
	ctx := context.Background()
	a := servetest.Run(t)
	memory := app.Records{App: a.App}
	if a.Database != "" { // where there may be several nodes it is another one
		memory.App = servetest.Run(t, servetest.Beside(a)).App
	}
	banks := []bank.Simulator{a.Bank, simbank.New(memory, a.Clock)}
	both := func(what string, act func(b bank.Simulator, key string) error) {
		t.Helper()
		var wg sync.WaitGroup
		for i, b := range banks {
			wg.Go(func() {
				for n := range each {
					if err := act(b, fmt.Sprintf("%d-%d", i, n)); err != nil {
						t.Errorf("%s: %v", what, err)
					}
				}
			})
		}
		wg.Wait()
	}
	both("scripts", func(b bank.Simulator, _ string) error {
		return b.Misbehave(ctx, a.Merchant, bank.Behaviour{Way: bank.Twice})
	})
	if left, err := a.Bank.Behaviours(ctx, a.Merchant); err != nil || len(left) != 2*each {
		t.Fatalf("%d behaviours wait, want %d; %v", len(left), 2*each, err)
	}
	both("orders", func(b bank.Simulator, key string) error {
		_, err := b.Send(ctx, a.Merchant, bank.Order{Key: key, Kind: bank.Payout, Amount: 1, Bank: "088", Number: "110123456789", Holder: "김민준"})
		return err
	})
	left, err := a.Bank.Behaviours(ctx, a.Merchant)
	notices, err2 := a.Bank.PendingNotices(ctx, a.Merchant)
	if err = errors.Join(err, err2); err != nil || len(left) != 0 || len(notices) != 2*each {
		t.Fatalf("%d behaviours wait and %d notices were left, want 0 and %d; %v", len(left), len(notices), 2*each, err)
	}
	both("notices", func(b bank.Simulator, key string) error {
		return b.NoticesHeard(ctx, a.Merchant, []bank.Notice{{Key: key, Result: bank.Result{State: bank.Sent}}})
	})
	if notices, err := a.Bank.PendingNotices(ctx, a.Merchant); err != nil || len(notices) != 0 {
		t.Errorf("%d notices are left when all were heard; %v", len(notices), err)
	}
}

// TestARevokedKeyIsNotRemembered: a token that is looked up while its key is
// revoked does not pass afterwards.
func TestARevokedKeyIsNotRemembered(t *testing.T) {
	ctx := context.Background()
	s := servetest.Run(t)
	if _, err := s.App.IssueToken(ctx, s.Key, s.Secret); err != nil {
		t.Fatal(err)
	}
	token, err := app.TokenAround(ctx, s.App, s.Key, func() {
		if err := s.App.RevokeKey(ctx, "test", s.Merchant, s.Key); err != nil {
			t.Fatal(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.App.TokenOwner(ctx, token.Value); !errors.Is(err, app.ErrUnauthorized) {
		t.Errorf("a token of a revoked key: %v", err)
	}
}

// TestNoLiveShopOnAnUnsafeDatabase: who would lose acknowledged payments takes no
// live shop, neither a new one nor one that was for play.
func TestNoLiveShopOnAnUnsafeDatabase(t *testing.T) {
	ctx := context.Background()
	s := servetest.Run(t)
	create := func(mode merchant.Mode) (merchant.Merchant, error) {
		return s.App.CreateMerchant(ctx, "test", "", "상점", mode, nil)
	}
	goLive := func(m merchant.Merchant) error {
		_, err := s.App.UpdateMerchant(ctx, "test", m.ID, "test", func(m *merchant.Merchant) error {
			m.Mode = merchant.Live
			return nil
		})
		return err
	}
	live, err := create(merchant.Live) // a database that is safe takes both
	turned, err2 := create(merchant.Sandbox)
	play, err3 := create(merchant.Sandbox)
	if err := errors.Join(err, err2, err3, goLive(turned)); err != nil {
		t.Fatal(err)
	}
	if s.Database == "" {
		return // nobody else can change the settings of an embedded database
	}
	pgtest.Unflushed(t, s.Database)
	_, err = create(merchant.Live)
	refused(t, err, app.UnsafeDatabase)
	refused(t, goLive(play), app.UnsafeDatabase)
	if err == nil || !strings.Contains(err.Error(), "synchronous_commit is off") {
		t.Errorf("the refusal gives no reason: %v", err)
	}
	if m, err := s.App.Merchant(ctx, play.ID); err != nil || m.Mode != merchant.Sandbox {
		t.Errorf("the refused shop is %s, %v", m.Mode, err)
	}
	if err := goLive(live); err != nil { // it is already, and keeps its settings
		t.Errorf("a live shop cannot be changed any more: %v", err)
	}
	if _, err := create(merchant.Sandbox); err != nil {
		t.Errorf("a shop for play: %v", err)
	}
}
