package store

import (
	"context"
	"errors"
	"runtime"
	"testing"
)

// TestAGroupIsRunAgainOnce: on SQLite a function that fails before it changed a
// row costs its neighbours nothing; however many fail later, the group is run once
// more, and nothing of them remains.
func TestAGroupIsRunAgainOnce(t *testing.T) {
	no := errors.New("no")
	keep := func(key string) func(*Tx) error {
		return func(tx *Tx) error { return tx.PutDirectory("k", key, "m", "r") }
	}
	then := func(fn func(*Tx) error, err error) func(*Tx) error {
		return func(tx *Tx) error { return errors.Join(fn(tx), err) }
	}
	for _, c := range []struct {
		name  string
		fns   []func(*Tx) error
		want  []error
		again int64
	}{
		{"before", []func(*Tx) error{keep("a"), keep("taken"), keep("b"), func(*Tx) error { return no }}, []error{nil, ErrExists, nil, no}, 0},
		{"after", []func(*Tx) error{keep("a"), then(keep("c"), no), keep("b"), then(keep("d"), no), keep("taken")}, []error{nil, no, nil, no, ErrExists}, 1},
	} {
		s := openHere(t)
		if err := s.Write(context.Background(), keep("taken")); err != nil {
			t.Fatal(err)
		}
		runs := 0
		answers := inOneGroup(s, append([]func(*Tx) error{func(*Tx) error { runs++; return nil }}, c.fns...))
		for i, want := range c.want {
			if got := answers[i+1]; !errors.Is(got, want) || (want == nil) != (got == nil) {
				t.Errorf("%s: function %d: %v, want %v", c.name, i, got, want)
			}
		}
		if got := s.Stats().Again; got != c.again || int64(runs) != c.again+1 {
			t.Errorf("%s: the group was run again %d times, the first of it ran %d times, want %d more", c.name, got, runs, c.again)
		}
		err := s.Read(context.Background(), func(r *Reader) error {
			for key, kept := range map[string]bool{"a": true, "b": true, "c": false, "d": false} {
				if _, err := r.Lookup("k", key); (err == nil) != kept {
					t.Errorf("%s: the row %s: %v", c.name, key, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// inOneGroup runs functions in one group and returns their answers.
func inOneGroup(s *Store, fns []func(*Tx) error) []error {
	begun, gate := make(chan struct{}), make(chan struct{})
	first := true
	done := make([]chan error, len(fns))
	for i, fn := range fns {
		done[i] = make(chan error, 1)
		go func() {
			done[i] <- s.Write(context.Background(), func(tx *Tx) error {
				if i == 0 && first {
					first = false
					close(begun)
					<-gate
				}
				return fn(tx)
			})
		}()
		if i == 0 {
			<-begun
		}
		for len(s.jobs) < i {
			runtime.Gosched() // until it waits behind the others
		}
	}
	close(gate)
	answers := make([]error, len(fns))
	for i := range fns {
		answers[i] = <-done[i]
	}
	return answers
}
