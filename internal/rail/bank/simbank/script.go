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

func (d *desk) script() (script, error) {
	var sc script
	_, err := d.load(kindScript, keyOnly, &sc)
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
	return s.change(ctx, merchant, func(d *desk) error {
		sc, err := d.script()
		if err != nil {
			return err
		}
		if len(sc.Behaviours) >= bank.MaxBehaviours {
			return &bank.Invalid{Field: "behaviours", Reason: fmt.Sprintf("%d wait already; clear them first", bank.MaxBehaviours)}
		}
		sc.Behaviours = append(sc.Behaviours, b)
		return d.save(kindScript, keyOnly, sc)
	})
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
	sc, err := newDesk(ctx, s.records, merchant).script()
	return sc.Behaviours, err
}

// ClearBehaviours implements [bank.Simulator].
func (s *Bank) ClearBehaviours(ctx context.Context, merchant string) error {
	return s.change(ctx, merchant, func(d *desk) error {
		if _, err := d.script(); err != nil {
			return err
		}
		return d.save(kindScript, keyOnly, script{})
	})
}

// Release implements [bank.Simulator].
func (s *Bank) Release(ctx context.Context, merchant, key string) (int, error) {
	return s.amend(ctx, merchant, key, func(x *bank.Execution) bool {
		was := x.Hidden
		x.Hidden = false
		return was
	})
}

// Return implements [bank.Simulator].
func (s *Bank) Return(ctx context.Context, merchant, key string) (int, error) {
	return s.amend(ctx, merchant, key, func(x *bank.Execution) bool {
		if x.Result.State != bank.Sent || (key == "" && x.Way != bank.ComeBack) {
			return false
		}
		x.Result = bank.Result{State: bank.Returned, Reason: cmp.Or(x.Reason, reasonReturned)}
		x.Hidden = false
		return true
	})
}

// amend applies a change to one order, or to all if key is empty, one after the
// other, keeps those that it changed with a notice of every return, and counts them.
func (s *Bank) amend(ctx context.Context, merchant, key string, amend func(*bank.Execution) bool) (int, error) {
	keys, err := s.chosen(ctx, merchant, key)
	if err != nil {
		return 0, err
	}
	amended := 0
	for _, key := range keys {
		changed := false
		err := s.change(ctx, merchant, func(d *desk) (err error) {
			changed, err = d.amend(key, amend)
			return err
		})
		if err != nil {
			return amended, err
		}
		if changed {
			amended++
		}
	}
	return amended, nil
}

func (d *desk) amend(key string, amend func(*bank.Execution) bool) (changed bool, err error) {
	x, err := d.execution(key)
	if err != nil || !amend(&x) {
		return false, err
	}
	if x.Result.State == bank.Returned {
		if err := d.tell(bank.Notice{Key: key, Result: x.Result}); err != nil {
			return false, err
		}
	}
	return true, d.save(kindOrder, key, x)
}

// chosen are the keys of the orders that are meant.
func (s *Bank) chosen(ctx context.Context, merchant, key string) ([]string, error) {
	if key != "" {
		return []string{key}, nil
	}
	orders, err := s.Orders(ctx, merchant)
	keys := make([]string, len(orders))
	for i := range orders {
		keys[i] = orders[i].Order.Key
	}
	return keys, err
}

// notices is what waits to be told.
type notices struct{ Notices []bank.Notice }

// tell leaves a notice.
func (d *desk) tell(n bank.Notice) error {
	waiting, err := d.notices()
	if err != nil {
		return err
	}
	if len(waiting.Notices) >= maxNotices {
		return fmt.Errorf("%d notices of the bank wait to be taken", maxNotices)
	}
	waiting.Notices = append(waiting.Notices, n)
	return d.save(kindNotices, keyOnly, waiting)
}

func (d *desk) notices() (notices, error) {
	var waiting notices
	_, err := d.load(kindNotices, keyOnly, &waiting)
	return waiting, err
}

// PendingNotices implements [bank.Simulator].
func (s *Bank) PendingNotices(ctx context.Context, merchant string) ([]bank.Notice, error) {
	waiting, err := newDesk(ctx, s.records, merchant).notices()
	return waiting.Notices, err
}

// NoticesHeard implements [bank.Simulator]. Of two equal notices one is left if one
// was heard.
func (s *Bank) NoticesHeard(ctx context.Context, merchant string, heard []bank.Notice) error {
	return s.change(ctx, merchant, func(d *desk) error {
		waiting, err := d.notices()
		if err != nil {
			return err
		}
		for _, n := range heard {
			if i := slices.Index(waiting.Notices, n); i >= 0 {
				waiting.Notices = slices.Delete(waiting.Notices, i, i+1)
			}
		}
		return d.save(kindNotices, keyOnly, waiting)
	})
}
