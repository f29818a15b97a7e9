package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/recon"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// verifiedAfterAFailover: a tail that was read on one primary counts on another
// only if the rows that were read stand there; otherwise nothing of it is kept,
// and the books of the new primary are verified as if it had never been read.
func verifiedAfterAFailover(t *testing.T, before, after *store.Store) {
	paid, second := opening("imp_1"), opening("imp_2")
	otherTransfer, otherEvent := opening("imp_1"), opening("imp_1")
	otherTransfer.Transfers[0].Amount++
	otherEvent.Events[1].Actor = escrow.Operator
	type rows = []escrow.Decision
	for i, c := range []struct {
		name                  string
		verified, here, there rows // verified on both before; read here; what stands there
		want                  error
	}{
		{"the rows stand", nil, rows{paid}, rows{paid}, nil},
		{"the rows stand, and more", nil, rows{paid}, rows{paid, second}, nil},
		{"none of the rows is there", nil, rows{paid}, nil, store.ErrStale},
		{"the last rows are gone", nil, rows{paid, second}, rows{paid}, store.ErrStale},
		{"the rows since the last time are gone", rows{paid}, rows{second}, nil, store.ErrStale},
		{"others stand there", nil, rows{paid}, rows{second}, store.ErrStale},
		{"another transfer stands there", nil, rows{paid}, rows{otherTransfer}, store.ErrStale},
		{"another event stands there", nil, rows{paid}, rows{otherEvent}, store.ErrStale},
	} {
		merchant := fmt.Sprintf("mrc_%d", i)
		for s, since := range map[*store.Store]rows{before: c.here, after: c.there} {
			keep(t, s, merchant, c.verified...)
			verifyAll(t, s, merchant)
			keep(t, s, merchant, since...)
		}
		if err := verify(after, tail(t, before, merchant)); !errors.Is(err, c.want) {
			t.Errorf("%s: kept on the new primary: %v, want %v", c.name, err, c.want)
		}
		verifyAll(t, after, merchant)
		noAlarm(t, after, merchant, c.name)
	}
}

// verifiedOnce: of two that read the same tail the second keeps nothing.
func verifiedOnce(t *testing.T, s *store.Store) {
	keep(t, s, Merchant, opening("imp_1"))
	first, second := tail(t, s, Merchant), tail(t, s, Merchant)
	if err := verify(s, first); err != nil {
		t.Fatal(err)
	}
	if err := verify(s, second); !errors.Is(err, store.ErrStale) {
		t.Errorf("the same tail again: %v, want ErrStale", err)
	}
	if left := tail(t, s, Merchant); left.From != left.To || left.From.Position == 0 {
		t.Errorf("after it was verified the tail goes from %v to %v", left.From, left.To)
	}
	noAlarm(t, s, Merchant, "the same tail twice")
}

// keep stores decisions for a merchant.
func keep(t *testing.T, s *store.Store, merchant string, decisions ...escrow.Decision) {
	t.Helper()
	for _, d := range decisions {
		d.Next.Merchant = merchant
		write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &d, hook(2)) })
	}
}

func tail(t *testing.T, s *store.Store, merchant string) store.Tail {
	t.Helper()
	out, err := s.Tail(t.Context(), merchant)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func verify(s *store.Store, tail store.Tail) error {
	return try(s, func(tx *store.Tx) error { return tx.Verified(&tail, Monday) })
}

// verifyAll verifies what there is, as a node does that has just begun.
func verifyAll(t *testing.T, s *store.Store, merchant string) {
	t.Helper()
	for range 3 { // a tail is one page here
		got := tail(t, s, merchant)
		if got.From == got.To {
			return
		}
		if err := verify(s, got); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("there is always more to verify")
}

// noAlarm fails if a merchant's chains or days do not agree. The suite's payments are
// not real ones, and that their state does not fit their transfers is passed over.
func noAlarm(t *testing.T, s *store.Store, merchant, when string) {
	t.Helper()
	found, err := s.VerifyBooks(t.Context())
	found = slices.DeleteFunc(found, func(v recon.Violation) bool {
		return v.Merchant != merchant || v.Kind == recon.WrongBalance || v.Kind == recon.WrongOrder
	})
	if err != nil || len(found) > 0 {
		t.Errorf("%s: a false alarm: %v; %v", when, found, err)
	}
}
