package simbank_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/rail/bank/banktest"
	"github.com/holdfast-pay/holdfast/internal/rail/bank/simbank"
)

const shop = "shop"

var now = time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)

func open() *simbank.Bank { return simbank.New(simbank.NewMemory(), clock.NewManual(now)) }

func order(key string) bank.Order {
	return bank.Order{Key: key, Kind: bank.Payout, Amount: 9_670, Bank: "088", Number: "110-123-456789", Holder: "김민준"}
}

func TestContract(t *testing.T) {
	banktest.Contract(t, func(t *testing.T) banktest.Subject {
		b := open()
		return banktest.Subject{
			Bank: b, Merchant: shop, Now: now, Code: "088",
			Good:    bank.Account{Bank: "088", Number: "110123456789", Holder: "김민준"},
			Missing: bank.Account{Bank: "088", Number: "110123450000", Holder: "김민준"},
			Paid:    func(t *testing.T, key string) int { return paid(t, b, key) },
			Mute: func(t *testing.T) {
				must(t, b.Misbehave(t.Context(), shop, bank.Behaviour{Way: bank.Silent}))
			},
			Unmute: func(t *testing.T) {
				if n, err := b.Release(t.Context(), shop, ""); n != 1 || err != nil {
					t.Fatalf("release: %d, %v", n, err)
				}
			},
		}
	})
}

func paid(t *testing.T, b *simbank.Bank, key string) int {
	t.Helper()
	orders, err := b.Orders(t.Context(), shop)
	must(t, err)
	n := 0
	for _, x := range orders {
		if x.Order.Key == key && x.Paid {
			n++
		}
	}
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestMisbehaviour(t *testing.T) {
	const sent, failed, unknown, returned = bank.Sent, bank.Failed, bank.Unknown, bank.Returned
	for _, c := range []struct {
		name      string
		b         bank.Behaviour
		first     bank.State
		inquiries []bank.State // before anything is released or returned
		after     bank.State   // after Release and Return of everything
		reason    string
		notices   []bank.State
		paid      int
	}{
		{"refuse", bank.Behaviour{Way: bank.Refuse, Reason: "계좌해지"}, failed, []bank.State{failed}, failed, "계좌해지", nil, 0},
		{"refuse with the usual reason", bank.Behaviour{Way: bank.Refuse}, failed, nil, failed, "은행이 이체를 거절했습니다.", nil, 0},
		{"late by two inquiries", bank.Behaviour{Way: bank.Late, After: 2}, unknown, []bank.State{unknown, unknown, sent, sent}, sent, "", nil, 1},
		{"late until released", bank.Behaviour{Way: bank.Late}, unknown, []bank.State{unknown, unknown, unknown}, sent, "", nil, 1},
		{"twice", bank.Behaviour{Way: bank.Twice}, sent, []bank.State{sent}, sent, "", []bank.State{sent}, 1},
		{"silent", bank.Behaviour{Way: bank.Silent}, unknown, []bank.State{unknown}, sent, "", nil, 1},
		{"silent and refused", bank.Behaviour{Way: bank.Silent, Reason: "한도초과"}, unknown, []bank.State{unknown}, failed, "한도초과", nil, 0},
		{"return", bank.Behaviour{Way: bank.ComeBack, Reason: "예금주불일치"}, sent, []bank.State{sent}, returned, "예금주불일치", []bank.State{returned}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open()
			must(t, b.Misbehave(t.Context(), shop, c.b))
			r, err := b.Send(t.Context(), shop, order("k"))
			if err != nil || r.State != c.first {
				t.Fatalf("first answer %v, %v, want %s", r, err, c.first)
			}
			for i, want := range c.inquiries {
				if r, err := b.Inquire(t.Context(), shop, "k"); err != nil || r.State != want {
					t.Errorf("inquiry %d: %v, %v, want %s", i+1, r, err, want)
				}
			}
			_, err = b.Release(t.Context(), shop, "")
			must(t, err)
			_, err = b.Return(t.Context(), shop, "")
			must(t, err)
			if r, err := b.Inquire(t.Context(), shop, "k"); err != nil || r.State != c.after || r.Reason != c.reason {
				t.Errorf("in the end %v, %v, want %s %q", r, err, c.after, c.reason)
			}
			wantNotices(t, b, c.notices)
			if got := paid(t, b, "k"); got != c.paid {
				t.Errorf("paid %d times, want %d", got, c.paid)
			}
			if r, err := b.Send(t.Context(), shop, order("next")); err != nil || r.State != sent {
				t.Errorf("the next order: %v, %v; the behaviour was for one", r, err)
			}
		})
	}
}

func wantNotices(t *testing.T, b *simbank.Bank, want []bank.State) {
	t.Helper()
	for left := len(want); left > 0; left-- { // told until they are heard
		waiting, err := b.PendingNotices(t.Context(), shop)
		must(t, err)
		var got []bank.State
		for _, n := range waiting {
			got = append(got, n.Result.State)
		}
		if !slices.Equal(got, want[len(want)-left:]) {
			t.Fatalf("notices %v, want %v", got, want[len(want)-left:])
		}
		must(t, b.NoticesHeard(t.Context(), shop, waiting[:1]))
	}
	if left, err := b.PendingNotices(t.Context(), shop); err != nil || len(left) != 0 {
		t.Errorf("notices %v, %v, want none", left, err)
	}
}

func TestBehavioursChooseTheirOrders(t *testing.T) {
	b := open()
	must(t, b.Misbehave(t.Context(), shop, bank.Behaviour{Way: bank.Refuse, For: bank.Refund}))
	must(t, b.Misbehave(t.Context(), shop, bank.Behaviour{Way: bank.Late, For: bank.Payout, Sticky: true}))
	refund := order("r1")
	refund.Kind, refund.Card, refund.Number = bank.Refund, true, ""
	for i, step := range []struct {
		o    bank.Order
		want bank.State
	}{{order("p1"), bank.Unknown}, {order("p2"), bank.Unknown}, {refund, bank.Failed}} {
		if r, err := b.Send(t.Context(), shop, step.o); err != nil || r.State != step.want {
			t.Errorf("order %d: %v, %v, want %s", i, r, err, step.want)
		}
	}
	left, err := b.Behaviours(t.Context(), shop)
	if err != nil || len(left) != 1 || left[0].Way != bank.Late {
		t.Errorf("left: %v, %v, want the sticky one", left, err)
	}
	if elsewhere, err := b.Behaviours(t.Context(), "other"); err != nil || len(elsewhere) != 0 {
		t.Errorf("another merchant has %v, %v", elsewhere, err)
	}
	must(t, b.ClearBehaviours(t.Context(), shop))
	if r, err := b.Send(t.Context(), shop, order("p3")); err != nil || r.State != bank.Sent {
		t.Errorf("after clearing: %v, %v", r, err)
	}
}

func TestBehavioursAreChecked(t *testing.T) {
	b := open()
	for field, bad := range map[string]bank.Behaviour{
		"way":   {Way: "explode"},
		"for":   {Way: bank.Refuse, For: "gift"},
		"after": {Way: bank.Twice, After: 1},
	} {
		wantInvalid(t, b.Misbehave(t.Context(), shop, bad), field)
	}
	for range bank.MaxBehaviours {
		must(t, b.Misbehave(t.Context(), shop, bank.Behaviour{Way: bank.Refuse}))
	}
	wantInvalid(t, b.Misbehave(t.Context(), shop, bank.Behaviour{Way: bank.Refuse}), "behaviours")
}

func wantInvalid(t *testing.T, err error, field string) {
	t.Helper()
	var invalid *bank.Invalid
	if !errors.As(err, &invalid) || invalid.Field != field {
		t.Errorf("got %v, want an Invalid that names %s", err, field)
	}
}

func TestRestartForgetsNothing(t *testing.T) {
	records := simbank.NewMemory()
	before := simbank.New(records, clock.NewManual(now))
	must(t, before.Misbehave(t.Context(), shop, bank.Behaviour{Way: bank.Silent}))
	_, err := before.Send(t.Context(), shop, order("k"))
	must(t, err)

	after := simbank.New(records, clock.NewManual(now.Add(time.Hour)))
	if r, err := after.Inquire(t.Context(), shop, "k"); err != nil || r.State != bank.Unknown {
		t.Errorf("after a restart: %v, %v, want unknown", r, err)
	}
	if _, err := after.Send(t.Context(), shop, order("k")); !errors.Is(err, bank.ErrDuplicate) {
		t.Errorf("after a restart the key is free: %v", err)
	}
	if _, err := after.Release(t.Context(), shop, "nothing"); !errors.Is(err, bank.ErrNoOrder) {
		t.Errorf("release of no order: %v", err)
	}
}

// between is a memory in which something else happens before a change, once.
type between struct {
	*simbank.Memory
	meanwhile func()
}

func (b *between) Swap(ctx context.Context, merchant string, was, will map[[2]string][]byte) (bool, error) {
	if act := b.meanwhile; act != nil {
		b.meanwhile = nil
		act()
	}
	return b.Memory.Swap(ctx, merchant, was, will)
}

// TestAnotherBankMeanwhile: what another process does between the reading of a
// record and its change counts.
func TestAnotherBankMeanwhile(t *testing.T) {
	ctx := t.Context()
	send := func(b *simbank.Bank, key string) string {
		r, err := b.Send(ctx, shop, order(key))
		if errors.Is(err, bank.ErrDuplicate) {
			return "duplicate"
		}
		must(t, err)
		return string(r.State)
	}
	misbehave := func(way bank.Way, after int) func(*simbank.Bank) string {
		return func(b *simbank.Bank) string {
			must(t, b.Misbehave(ctx, shop, bank.Behaviour{Way: way, After: after}))
			return ""
		}
	}
	sending := func(key string) func(*simbank.Bank) string {
		return func(b *simbank.Bank) string { return send(b, key) }
	}
	inquire := func(b *simbank.Bank) string {
		r, err := b.Inquire(ctx, shop, "k")
		must(t, err)
		return string(r.State)
	}
	reverse := func(b *simbank.Bank) string {
		n, err := b.Return(ctx, shop, "k")
		must(t, err)
		return fmt.Sprint(n)
	}
	hear := func(b *simbank.Bank) string {
		must(t, b.NoticesHeard(ctx, shop, []bank.Notice{{Key: "k", Result: bank.Result{State: bank.Sent}}}))
		return ""
	}
	for _, c := range []struct {
		name                   string
		before                 []func(*simbank.Bank) string
		act, meanwhile         func(*simbank.Bank) string
		says                   string // what act comes to, and what is there then
		orders, scripts, tells int
	}{
		{"two behaviours", nil, misbehave(bank.Late, 0), misbehave(bank.Silent, 0), "", 0, 2, 0},
		{"two orders and one behaviour", []func(*simbank.Bank) string{misbehave(bank.Refuse, 0)}, sending("a"), sending("b"), "sent", 2, 0, 0},
		{"one order twice", []func(*simbank.Bank) string{misbehave(bank.Twice, 0)}, sending("k"), sending("k"), "duplicate", 1, 0, 1},
		{"an order while a script is cleared", []func(*simbank.Bank) string{misbehave(bank.Refuse, 0)}, sending("k"), func(b *simbank.Bank) string {
			must(t, b.ClearBehaviours(ctx, shop))
			return ""
		}, "sent", 1, 0, 0},
		{"two inquiries", []func(*simbank.Bank) string{misbehave(bank.Late, 1), sending("k")}, inquire, inquire, "sent", 1, 0, 0},
		{"two returns", []func(*simbank.Bank) string{sending("k")}, reverse, reverse, "0", 1, 0, 1},
		{"a notice while one is heard", []func(*simbank.Bank) string{misbehave(bank.Twice, 0), sending("k")}, hear, reverse, "", 1, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			memory := &between{Memory: simbank.NewMemory()}
			b, other := simbank.New(memory, clock.NewManual(now)), simbank.New(memory.Memory, clock.NewManual(now))
			for _, act := range c.before {
				act(b)
			}
			memory.meanwhile = func() { c.meanwhile(other) }
			if says := c.act(b); says != c.says {
				t.Errorf("it came to %q, want %q", says, c.says)
			}
			if memory.meanwhile != nil {
				t.Error("nothing happened meanwhile; the test proves nothing")
			}
			orders, err := b.Orders(ctx, shop)
			scripts, err2 := b.Behaviours(ctx, shop)
			notices, err3 := b.PendingNotices(ctx, shop)
			must(t, errors.Join(err, err2, err3))
			if len(orders) != c.orders || len(scripts) != c.scripts || len(notices) != c.tells {
				t.Errorf("%d orders, %d behaviours, %d notices, want %d, %d, %d", len(orders), len(scripts), len(notices), c.orders, c.scripts, c.tells)
			}
		})
	}
}

func TestOrdersComeInTheirOrder(t *testing.T) {
	c := clock.NewManual(now)
	b := simbank.New(simbank.NewMemory(), c)
	for _, key := range []string{"z", "a", "m"} {
		_, err := b.Send(t.Context(), shop, order(key))
		must(t, err)
		c.Advance(time.Second)
	}
	orders, err := b.Orders(t.Context(), shop)
	must(t, err)
	var keys []string
	for _, x := range orders {
		keys = append(keys, x.Order.Key)
	}
	if !slices.Equal(keys, []string{"z", "a", "m"}) {
		t.Errorf("orders come as %v", keys)
	}
}

func TestAccountsLookReal(t *testing.T) {
	b := open()
	wellFormed := regexp.MustCompile(`^[0-9]{13,14}$`)
	for i := range 200 {
		code := []string{"004", "088", "032", "092"}[i%4]
		a, err := b.IssueAccount(t.Context(), bank.IssueRequest{Merchant: shop, Payment: fmt.Sprint(i), Bank: code, Holder: "상점", Amount: 1, Due: now})
		must(t, err)
		if !wellFormed.MatchString(a.Number) || strings.HasSuffix(a.Number, "0000") {
			t.Errorf("account number %q", a.Number)
		}
		if name, err := b.HolderName(t.Context(), a.Bank, a.Number); err != nil || name != "상점" {
			t.Errorf("holder of an issued account: %q, %v", name, err)
		}
	}
}

func TestAccountsAreUniqueOverMerchants(t *testing.T) {
	b := open()
	seen := map[string]string{}
	for _, merchant := range []string{"a", "b"} {
		for i := range 100 {
			a, err := b.IssueAccount(t.Context(), bank.IssueRequest{Merchant: merchant, Payment: fmt.Sprint(i), Bank: "088", Holder: "상점", Amount: 1})
			must(t, err)
			if owner, taken := seen[a.Number]; taken {
				t.Fatalf("%s has the account of %s", merchant, owner)
			}
			seen[a.Number] = merchant
		}
	}
}

func TestHolderIsAlwaysTheSame(t *testing.T) {
	first, err := open().HolderName(t.Context(), "020", "1002-123-456789")
	must(t, err)
	second, err := open().HolderName(t.Context(), "020", "1002123456789")
	must(t, err)
	if first != second || first == "" {
		t.Errorf("the holder is %q and then %q", first, second)
	}
}

func TestDepositStories(t *testing.T) {
	due := now.Add(time.Hour)
	for _, c := range []struct {
		story   bank.Story
		at      time.Time
		amounts []int64
		sameTx  bool
		back    bool
	}{
		{bank.Exact, now, []int64{50_000}, false, false},
		{bank.Over, now, []int64{51_000}, false, false},
		{bank.Under, now, []int64{49_000}, false, false},
		{bank.TooLate, due.Add(time.Second), []int64{50_000}, false, false},
		{bank.PaidTwo, now, []int64{50_000, 50_000}, false, false},
		{bank.Repeated, now, []int64{50_000, 50_000}, true, false},
		{bank.TakeBack, now, []int64{50_000, 50_000}, true, true},
	} {
		t.Run(string(c.story), func(t *testing.T) {
			b := open()
			a := issue(t, b)
			got, err := b.Deposits(t.Context(), bank.DepositPlan{Story: c.story, Merchant: shop, Bank: a.Bank, Number: a.Number, Amount: 50_000, Due: due, Now: c.at})
			if err != nil || len(got) != len(c.amounts) {
				t.Fatalf("got %v, %v", got, err)
			}
			for i, d := range got {
				if int64(d.Amount) != c.amounts[i] || !d.At.Equal(c.at) || d.Number != a.Number || d.Merchant != shop {
					t.Errorf("deposit %d is %+v", i, d)
				}
				if _, err := b.HolderName(t.Context(), d.Payer.Bank, d.Payer.Number); err != nil {
					t.Errorf("the payer's account: %v", err)
				}
			}
			if len(got) == 2 && ((got[0].BankTx == got[1].BankTx) != c.sameTx || got[1].Reversed != c.back) {
				t.Errorf("the two notices are %+v", got)
			}
		})
	}
}

func issue(t *testing.T, b *simbank.Bank) bank.Account {
	t.Helper()
	a, err := b.IssueAccount(t.Context(), bank.IssueRequest{Merchant: shop, Payment: "imp_1", Bank: "004", Holder: "상점", Amount: 50_000, Due: now})
	must(t, err)
	return a
}

func TestDepositsAreChecked(t *testing.T) {
	b := open()
	a := issue(t, b)
	good := bank.DepositPlan{Story: bank.Exact, Merchant: shop, Bank: a.Bank, Number: a.Number, Amount: 50_000, Due: now.Add(time.Hour), Now: now}
	for field, spoil := range map[string]func(*bank.DepositPlan){
		"story":  func(p *bank.DepositPlan) { p.Story = "gift" },
		"amount": func(p *bank.DepositPlan) { p.Amount = -1 },
		"now":    func(p *bank.DepositPlan) { p.Story = bank.TooLate },
	} {
		plan := good
		spoil(&plan)
		_, err := b.Deposits(t.Context(), plan)
		wantInvalid(t, err, field)
	}
	plan := good
	plan.Merchant = "other"
	if _, err := b.Deposits(t.Context(), plan); !errors.Is(err, bank.ErrNoAccount) {
		t.Errorf("a deposit on a foreign account: %v", err)
	}
	if _, err := b.Reverse(t.Context(), shop, "nothing"); !errors.Is(err, bank.ErrNoDeposit) {
		t.Errorf("reversal of no deposit: %v", err)
	}
}

func TestUnderpaidSmallAmounts(t *testing.T) {
	b := open()
	a := issue(t, b)
	plan := bank.DepositPlan{Story: bank.Under, Merchant: shop, Bank: a.Bank, Number: a.Number, Amount: 1_000, Now: now}
	if got, err := b.Deposits(t.Context(), plan); err != nil || got[0].Amount != 999 {
		t.Errorf("of 1,000 won: %v, %v", got, err)
	}
	plan.Amount = 1
	_, err := b.Deposits(t.Context(), plan)
	wantInvalid(t, err, "amount")
}

func TestMoneyForAClosedAccountIsReported(t *testing.T) {
	b := open()
	a := issue(t, b)
	must(t, b.CloseAccount(t.Context(), shop, a.Bank, a.Number))
	plan := bank.DepositPlan{Story: bank.Exact, Merchant: shop, Bank: a.Bank, Number: a.Number, Amount: 1_000, Now: now}
	if got, err := b.Deposits(t.Context(), plan); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}
