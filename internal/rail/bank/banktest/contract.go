// Package banktest is the contract that every bank rail must pass. A rail's own
// test hands it a bank and the means to see what the bank really did.
package banktest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/rail/bank"
)

// Subject is the bank under test, fresh for each test.
type Subject struct {
	Bank     bank.Bank
	Merchant string
	Now      time.Time
	// Code is a bank at which the rail can issue and pay.
	Code string
	// Good is an account that takes money, Missing one that does not exist.
	Good, Missing bank.Account
	// Paid counts how often money left under a key.
	Paid func(t *testing.T, key string) int
	// Mute makes the next order be done without an answer. Nil leaves the tests
	// of unknown outcomes out.
	Mute func(t *testing.T)
	// Unmute lets the bank speak again.
	Unmute func(t *testing.T)
}

// Contract runs the tests. Open returns a new subject.
func Contract(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Subject){
		"an order is done once":                     once,
		"a duplicate is no failure":                 duplicate,
		"many senders of one key":                   race,
		"merchants do not share keys":               apart,
		"an incomplete order does nothing":          incomplete,
		"an order to nowhere fails for good":        nowhere,
		"an unknown key has no order":               unheard,
		"an unknown outcome is asked for":           unknown,
		"an account is issued once per payment":     issue,
		"a closed account's number is not reused":   closed,
		"a foreign account cannot be closed":        foreign,
		"the holder of an account is known or none": holder,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func (s Subject) order(key string) bank.Order {
	return bank.Order{Key: key, Kind: bank.Refund, Amount: 12_000, Bank: s.Good.Bank, Number: s.Good.Number, Holder: s.Good.Holder, Memo: "환불"}
}

func (s Subject) request(payment string) bank.IssueRequest {
	return bank.IssueRequest{Merchant: s.Merchant, Payment: payment, Bank: s.Code, Holder: "홀드패스트 상점", Amount: 12_000, Due: s.Now.Add(24 * time.Hour)}
}

// inquire asks until the outcome is known, at most maxInquiries times.
func (s Subject) inquire(t *testing.T, key string) bank.Result {
	t.Helper()
	const maxInquiries = 20
	for range maxInquiries {
		r, err := s.Bank.Inquire(t.Context(), s.Merchant, key)
		if err != nil {
			t.Fatalf("inquire %s: %v", key, err)
		}
		if r.State != bank.Unknown {
			return r
		}
	}
	t.Fatalf("the outcome of %s is still unknown after %d inquiries", key, maxInquiries)
	return bank.Result{}
}

func (s Subject) wantPaid(t *testing.T, key string, want int) {
	t.Helper()
	if got := s.Paid(t, key); got != want {
		t.Errorf("money left %d times under %s, want %d", got, key, want)
	}
}

func once(t *testing.T, s Subject) {
	if _, err := s.Bank.Send(t.Context(), s.Merchant, s.order("k1")); err != nil {
		t.Fatal(err)
	}
	if r := s.inquire(t, "k1"); r.State != bank.Sent {
		t.Errorf("the order is %v, want sent", r)
	}
	s.wantPaid(t, "k1", 1)
}

func duplicate(t *testing.T, s Subject) {
	if _, err := s.Bank.Send(t.Context(), s.Merchant, s.order("k1")); err != nil {
		t.Fatal(err)
	}
	other := s.order("k1")
	other.Amount += 5_000
	for _, o := range []bank.Order{s.order("k1"), other} {
		if _, err := s.Bank.Send(t.Context(), s.Merchant, o); !errors.Is(err, bank.ErrDuplicate) {
			t.Errorf("a second order of %s under the key: %v, want ErrDuplicate", o.Amount, err)
		}
	}
	if r := s.inquire(t, "k1"); r.State != bank.Sent {
		t.Errorf("after a duplicate the order is %v, want sent", r)
	}
	s.wantPaid(t, "k1", 1)
}

func race(t *testing.T, s Subject) {
	const senders = 16
	errs := make([]error, senders)
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() { _, errs[i] = s.Bank.Send(t.Context(), s.Merchant, s.order("k1")) })
	}
	wg.Wait()
	taken := 0
	for _, err := range errs {
		if err == nil {
			taken++
		} else if !errors.Is(err, bank.ErrDuplicate) {
			t.Errorf("a sender heard %v", err)
		}
	}
	if taken != 1 {
		t.Errorf("the bank took the order %d times", taken)
	}
	s.wantPaid(t, "k1", 1)
}

func apart(t *testing.T, s Subject) {
	if _, err := s.Bank.Send(t.Context(), s.Merchant, s.order("k1")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bank.Inquire(t.Context(), s.Merchant+"-other", "k1"); !errors.Is(err, bank.ErrNoOrder) {
		t.Errorf("another merchant asks for the key and hears %v, want ErrNoOrder", err)
	}
}

func incomplete(t *testing.T, s Subject) {
	for field, spoil := range map[string]func(*bank.Order){
		"key":    func(o *bank.Order) { o.Key = "" },
		"kind":   func(o *bank.Order) { o.Kind = "gift" },
		"amount": func(o *bank.Order) { o.Amount = 0 },
		"bank":   func(o *bank.Order) { o.Bank = "" },
		"number": func(o *bank.Order) { o.Number = "" },
		"holder": func(o *bank.Order) { o.Holder = "" },
		"card":   func(o *bank.Order) { o.Card, o.Kind = true, bank.Payout },
	} {
		o := s.order("k1")
		spoil(&o)
		_, err := s.Bank.Send(t.Context(), s.Merchant, o)
		var invalid *bank.Invalid
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("an order without a good %s: %v, want an Invalid that names it", field, err)
		}
	}
	if _, err := s.Bank.Inquire(t.Context(), s.Merchant, "k1"); !errors.Is(err, bank.ErrNoOrder) {
		t.Errorf("a refused order left a trace: %v", err)
	}
}

func nowhere(t *testing.T, s Subject) {
	o := s.order("k1")
	o.Bank, o.Number, o.Holder = s.Missing.Bank, s.Missing.Number, s.Missing.Holder
	if _, err := s.Bank.Send(t.Context(), s.Merchant, o); err != nil {
		t.Fatal(err)
	}
	if r := s.inquire(t, "k1"); r.State != bank.Failed || r.Reason == "" {
		t.Errorf("an order to no account is %v, want failed with a reason", r)
	}
	s.wantPaid(t, "k1", 0)
	if _, err := s.Bank.Send(t.Context(), s.Merchant, s.order("k1")); !errors.Is(err, bank.ErrDuplicate) {
		t.Errorf("the key of a failed order can be used again: %v", err)
	}
}

func unheard(t *testing.T, s Subject) {
	if _, err := s.Bank.Inquire(t.Context(), s.Merchant, "never"); !errors.Is(err, bank.ErrNoOrder) {
		t.Errorf("inquire of a key never sent: %v, want ErrNoOrder", err)
	}
}

func unknown(t *testing.T, s Subject) {
	if s.Mute == nil {
		t.Skip("this bank cannot be made to keep silent")
	}
	s.Mute(t)
	if r, err := s.Bank.Send(t.Context(), s.Merchant, s.order("k1")); err == nil && r.State != bank.Unknown {
		t.Fatalf("a mute bank answered %v", r)
	}
	if _, err := s.Bank.Send(t.Context(), s.Merchant, s.order("k1")); !errors.Is(err, bank.ErrDuplicate) {
		t.Errorf("sending again while the outcome is unknown: %v, want ErrDuplicate", err)
	}
	s.Unmute(t)
	if r := s.inquire(t, "k1"); r.State != bank.Sent {
		t.Errorf("when the bank speaks again the order is %v, want sent", r)
	}
	s.wantPaid(t, "k1", 1)
}

func issue(t *testing.T, s Subject) {
	numbers := map[string]string{}
	for i := range 50 {
		payment := fmt.Sprintf("imp_%012d", i)
		a, err := s.Bank.IssueAccount(t.Context(), s.request(payment))
		if err != nil {
			t.Fatal(err)
		}
		if before, taken := numbers[a.Number]; taken {
			t.Errorf("%s and %s have the same account %s", before, payment, a.Number)
		}
		numbers[a.Number] = payment
		again, err := s.Bank.IssueAccount(t.Context(), s.request(payment))
		if err != nil || again != a {
			t.Errorf("issued again: %v, %v, want %v", again, err, a)
		}
	}
	bad := s.request("imp_1")
	bad.Bank = "999"
	var invalid *bank.Invalid
	if _, err := s.Bank.IssueAccount(t.Context(), bad); !errors.As(err, &invalid) || invalid.Field != "bank" {
		t.Errorf("an account at no bank: %v, want an Invalid that names the bank", err)
	}
}

func closed(t *testing.T, s Subject) {
	seen := map[string]bool{}
	for range 3 {
		a, err := s.Bank.IssueAccount(t.Context(), s.request("imp_1"))
		if err != nil {
			t.Fatal(err)
		}
		if seen[a.Number] {
			t.Errorf("the number %s of a closed account was given out again", a.Number)
		}
		seen[a.Number] = true
		for range 2 {
			if err := s.Bank.CloseAccount(t.Context(), s.Merchant, a.Bank, a.Number); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	}
}

func foreign(t *testing.T, s Subject) {
	a, err := s.Bank.IssueAccount(t.Context(), s.request("imp_1"))
	if err != nil {
		t.Fatal(err)
	}
	for merchant, number := range map[string]string{s.Merchant + "-other": a.Number, s.Merchant: s.Missing.Number} {
		if err := s.Bank.CloseAccount(t.Context(), merchant, a.Bank, number); !errors.Is(err, bank.ErrNoAccount) {
			t.Errorf("close %s for %s: %v, want ErrNoAccount", number, merchant, err)
		}
	}
}

func holder(t *testing.T, s Subject) {
	ctx := t.Context()
	name, err := s.Bank.HolderName(ctx, s.Good.Bank, s.Good.Number)
	if err != nil || name == "" {
		t.Errorf("holder of a good account: %q, %v", name, err)
	}
	if _, err := s.Bank.HolderName(ctx, s.Missing.Bank, s.Missing.Number); !errors.Is(err, bank.ErrNoAccount) {
		t.Errorf("holder of a missing account: %v, want ErrNoAccount", err)
	}
	var invalid *bank.Invalid
	if _, err := s.Bank.HolderName(ctx, s.Good.Bank, "12-34"); !errors.As(err, &invalid) || invalid.Field != "number" {
		t.Errorf("holder of a malformed number: %v, want an Invalid that names it", err)
	}
	if _, err := s.Bank.HolderName(ctx, "xx", s.Good.Number); !errors.As(err, &invalid) || invalid.Field != "bank" {
		t.Errorf("holder at no bank: %v, want an Invalid that names it", err)
	}
}
