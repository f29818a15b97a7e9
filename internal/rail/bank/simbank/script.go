package simbank

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/holdfast-pay/holdfast/internal/rail/bank"
)

// maxNotices is how many notices of one merchant wait to be taken; leaving one
// more is an error.
const maxNotices = 1000

// script is the misbehaviour that waits for a merchant's orders.
type script struct{ Behaviours []bank.Behaviour }

func (s *Bank) script(ctx context.Context, merchant string) (script, error) {
	var sc script
	_, err := load(ctx, s.records, merchant, kindScript, keyOnly, &sc)
	return sc, err
}

// meet lets the order meet the first behaviour that is meant for it, and
// settles what became of it. It reports whether the script has changed.
func (sc *script) meet(x *bank.Execution) (used bool) {
	x.Result = bank.Result{State: bank.Sent}
	x.Paid = true
	if fault := destinationFault(x.Order); fault != "" {
		refuse(x, fault)
		return false
	}
	i := slices.IndexFunc(sc.Behaviours, func(b bank.Behaviour) bool { return b.For == "" || b.For == x.Order.Kind })
	if i < 0 {
		return false
	}
	b := sc.Behaviours[i]
	apply(b, x)
	if b.Sticky {
		return false
	}
	sc.Behaviours = slices.Delete(sc.Behaviours, i, i+1)
	return true
}

func apply(b bank.Behaviour, x *bank.Execution) {
	x.Way = b.Way
	switch b.Way {
	case bank.Refuse:
		refuse(x, cmp.Or(b.Reason, reasonRefused))
	case bank.Late:
		x.Hidden, x.After = true, b.After
	case bank.Silent:
		x.Hidden = true
		if b.Reason != "" {
			refuse(x, b.Reason)
		}
	case bank.ComeBack:
		x.Reason = cmp.Or(b.Reason, reasonReturned)
	case bank.Twice:
	}
}

func refuse(x *bank.Execution, reason string) {
	x.Result, x.Paid = bank.Result{State: bank.Failed, Reason: reason}, false
}

// Misbehave implements [bank.Simulator].
func (s *Bank) Misbehave(ctx context.Context, merchant string, b bank.Behaviour) error {
	if err := checkBehaviour(b); err != nil {
		return err
	}
	defer s.lock(merchant)()
	sc, err := s.script(ctx, merchant)
	if err != nil {
		return err
	}
	if len(sc.Behaviours) >= bank.MaxBehaviours {
		return &bank.Invalid{Field: "behaviours", Reason: fmt.Sprintf("%d wait already; clear them first", bank.MaxBehaviours)}
	}
	sc.Behaviours = append(sc.Behaviours, b)
	return save(ctx, s.records, merchant, kindScript, keyOnly, sc)
}

func checkBehaviour(b bank.Behaviour) error {
	ways := []bank.Way{bank.Refuse, bank.Late, bank.Twice, bank.Silent, bank.ComeBack}
	switch {
	case !slices.Contains(ways, b.Way):
		return &bank.Invalid{Field: "way", Reason: "must be refuse, late, twice, silent or return"}
	case b.For != "" && b.For != bank.Refund && b.For != bank.Payout:
		return &bank.Invalid{Field: "for", Reason: "must be refund, payout or empty"}
	case b.After < 0 || (b.After > 0 && b.Way != bank.Late):
		return &bank.Invalid{Field: "after", Reason: "counts the inquiries of a late answer and cannot be negative"}
	default:
		return nil
	}
}

// Behaviours implements [bank.Simulator].
func (s *Bank) Behaviours(ctx context.Context, merchant string) ([]bank.Behaviour, error) {
	sc, err := s.script(ctx, merchant)
	return sc.Behaviours, err
}

// ClearBehaviours implements [bank.Simulator].
func (s *Bank) ClearBehaviours(ctx context.Context, merchant string) error {
	defer s.lock(merchant)()
	return save(ctx, s.records, merchant, kindScript, keyOnly, script{})
}

// Release implements [bank.Simulator].
func (s *Bank) Release(ctx context.Context, merchant, key string) (int, error) {
	return s.change(ctx, merchant, key, func(x *bank.Execution) bool {
		was := x.Hidden
		x.Hidden = false
		return was
	})
}

// Return implements [bank.Simulator].
func (s *Bank) Return(ctx context.Context, merchant, key string) (int, error) {
	return s.change(ctx, merchant, key, func(x *bank.Execution) bool {
		if x.Result.State != bank.Sent || (key == "" && x.Way != bank.ComeBack) {
			return false
		}
		x.Result = bank.Result{State: bank.Returned, Reason: cmp.Or(x.Reason, reasonReturned)}
		x.Hidden = false
		return true
	})
}

// change applies a change to one order, or to all if key is empty, keeps those
// that it changed and leaves a notice of every return.
func (s *Bank) change(ctx context.Context, merchant, key string, change func(*bank.Execution) bool) (int, error) {
	defer s.lock(merchant)()
	orders, err := s.chosen(ctx, merchant, key)
	if err != nil {
		return 0, err
	}
	changed := 0
	for _, x := range orders {
		if !change(&x) {
			continue
		}
		if x.Result.State == bank.Returned {
			if err := s.tell(ctx, merchant, bank.Notice{Key: x.Order.Key, Result: x.Result}); err != nil {
				return changed, err
			}
		}
		if err := save(ctx, s.records, merchant, kindOrder, x.Order.Key, x); err != nil {
			return changed, err
		}
		changed++
	}
	return changed, nil
}

func (s *Bank) chosen(ctx context.Context, merchant, key string) ([]bank.Execution, error) {
	if key == "" {
		return s.Orders(ctx, merchant)
	}
	x, err := s.execution(ctx, merchant, key)
	return []bank.Execution{x}, err
}

// notices is what waits to be told.
type notices struct{ Notices []bank.Notice }

// tell leaves a notice. The caller has the merchant's lock.
func (s *Bank) tell(ctx context.Context, merchant string, n bank.Notice) error {
	var waiting notices
	if _, err := load(ctx, s.records, merchant, kindNotices, keyOnly, &waiting); err != nil {
		return err
	}
	if len(waiting.Notices) >= maxNotices {
		return fmt.Errorf("%d notices of the bank wait to be taken", maxNotices)
	}
	waiting.Notices = append(waiting.Notices, n)
	return save(ctx, s.records, merchant, kindNotices, keyOnly, waiting)
}

// PendingNotices implements [bank.Simulator].
func (s *Bank) PendingNotices(ctx context.Context, merchant string) ([]bank.Notice, error) {
	var waiting notices
	_, err := load(ctx, s.records, merchant, kindNotices, keyOnly, &waiting)
	return waiting.Notices, err
}

// NoticesHeard implements [bank.Simulator]. Of two equal notices one is left if one
// was heard.
func (s *Bank) NoticesHeard(ctx context.Context, merchant string, heard []bank.Notice) error {
	defer s.lock(merchant)()
	var waiting notices
	if _, err := load(ctx, s.records, merchant, kindNotices, keyOnly, &waiting); err != nil {
		return err
	}
	for _, n := range heard {
		if i := slices.Index(waiting.Notices, n); i >= 0 {
			waiting.Notices = slices.Delete(waiting.Notices, i, i+1)
		}
	}
	return save(ctx, s.records, merchant, kindNotices, keyOnly, waiting)
}
