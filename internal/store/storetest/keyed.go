package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/store"
)

// keyed is a request with a key, begun by a run.
func keyed(key, run string) store.KeyedRequest {
	return store.KeyedRequest{Merchant: Merchant, Key: key, Print: "print", Run: run, Holder: 7, LeasedUntil: Monday.Add(time.Minute), CreatedAt: Monday}
}

// keyedRequests: at most one run of a request acts, and what it did stays known.
func keyedRequests(t *testing.T, s *store.Store) {
	first, second := keyed("k", "run-1"), keyed("k", "run-2")
	of := func() store.KeyedRequest {
		return read(t, s, func(r *store.Reader) (store.KeyedRequest, error) { return r.KeyedRequest(Merchant, "k") })
	}
	acts := func(k store.KeyedRequest, n int, also func(*store.Tx) error) error {
		k.Acts, k.Doc = n, []byte("acts of "+k.Run)
		return try(s, func(tx *store.Tx) error { return errors.Join(also(tx), tx.KeyedActed(k)) })
	}
	open := func(id string) func(*store.Tx) error {
		return func(tx *store.Tx) error { d := opening(id); return tx.Apply(0, &d, store.Owed{}) }
	}
	expect := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) || (want == nil && err != nil) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	expect("the first", try(s, func(tx *store.Tx) error { return tx.BeginKeyed(first) }), nil)
	expect("the same key again", try(s, func(tx *store.Tx) error { return tx.BeginKeyed(second) }), store.ErrLeased)
	expect("an act", acts(first, 1, open("imp_1")), nil)
	expect("the same act again", acts(first, 1, open("imp_2")), store.ErrFenced)
	second.Acts, second.Doc = of().Acts, of().Doc
	expect("taking it over", try(s, func(tx *store.Tx) error { return tx.TakeKeyed(second, "run-1") }), nil)
	expect("taking it over once more", try(s, func(tx *store.Tx) error { return tx.TakeKeyed(keyed("k", "run-3"), "run-1") }), store.ErrLeased)
	expect("an act of the first, who slept", acts(first, 2, open("imp_3")), store.ErrFenced)
	expect("an answer of the first", try(s, func(tx *store.Tx) error { return tx.KeyedAnswered(first) }), store.ErrFenced)
	write(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.FreeKeyed(Merchant, "k", "run-1"), tx.KeepKeyed(Merchant, "k", "run-1", Monday))
	})
	if k := of(); k.Run != "run-2" || k.Holder != 7 || k.Acts != 1 || string(k.Doc) != "acts of run-1" || !k.LeasedUntil.Equal(second.LeasedUntil) {
		t.Errorf("after all that the row is %+v", k)
	}
	for _, id := range []string{"imp_2", "imp_3"} {
		if err := try(s, func(tx *store.Tx) error { _, err := tx.Payment(Merchant, id); return err }); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s was opened by an act that failed: %v", id, err)
		}
	}
	answered := second
	answered.Status, answered.Answer = 200, []byte{0, 255}
	write(t, s, func(tx *store.Tx) error { return tx.KeyedAnswered(answered) })
	expect("a second answer", try(s, func(tx *store.Tx) error { return tx.KeyedAnswered(answered) }), store.ErrFenced)
	expect("an act after the answer", acts(second, 2, open("imp_4")), store.ErrFenced)
	if k := of(); k.Status != 200 || string(k.Answer) != "\x00\xff" || k.Holder != 0 || !k.CreatedAt.Equal(Monday) {
		t.Errorf("the answered row is %+v", k)
	}
}

// keyedForgotten: a request that did nothing leaves nothing, one that acted stays
// when its execution ends, and both go when their time is over.
func keyedForgotten(t *testing.T, s *store.Store) {
	idle, acted, running := keyed("idle", "a"), keyed("acted", "b"), keyed("running", "c")
	running.LeasedUntil = Monday.Add(5 * time.Hour)
	write(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.BeginKeyed(idle), tx.BeginKeyed(acted), tx.BeginKeyed(running))
	})
	acted.Acts = 1
	write(t, s, func(tx *store.Tx) error { return tx.KeyedActed(acted) })
	write(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.FreeKeyed(Merchant, "idle", "a"), tx.FreeKeyed(Merchant, "acted", "b"))
	})
	there := func(key string) bool {
		err := try(s, func(tx *store.Tx) error { _, err := tx.KeyedRequest(Merchant, key); return err })
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	if there("idle") || !there("acted") || !there("running") {
		t.Errorf("idle %t, acted %t, running %t after they were freed", there("idle"), there("acted"), there("running"))
	}
	now := Monday.Add(3 * time.Hour)
	old := read(t, s, func(r *store.Reader) ([]store.Ref, error) { return r.OldKeyed(Monday, now, 10) })
	if len(old) != 1 || old[0] != (store.Ref{Merchant: Merchant, ID: "acted"}) {
		t.Errorf("to be forgotten: %v", old)
	}
	write(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.ForgetKeyed(Merchant, "acted", Monday, now), tx.ForgetKeyed(Merchant, "running", Monday, now))
	})
	if there("acted") || !there("running") {
		t.Errorf("acted %t, running %t after they were forgotten", there("acted"), there("running"))
	}
}
