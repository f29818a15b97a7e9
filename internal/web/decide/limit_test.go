package decide

import (
	"fmt"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimiter(func() time.Time { return now }, 3)
	of := limit{2, time.Minute}
	for i, want := range []bool{true, true, false, false} {
		if got := l.take("a", of); got != want {
			t.Errorf("take %d: %v", i, got)
		}
	}
	if !l.take("b", of) {
		t.Error("another key is refused")
	}
	now = now.Add(time.Minute)
	if !l.take("a", of) {
		t.Error("the window does not end")
	}
	l.take("a", of)
	l.forget("a")
	if !l.take("a", of) {
		t.Error("a forgotten key is refused")
	}
}

// TestLimiterIsBounded: however many keys come, only so many are kept, and a
// full memory refuses nobody.
func TestLimiterIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimiter(func() time.Time { return now }, 10)
	for i := range 1000 {
		if !l.take(fmt.Sprint(i), limit{1, time.Minute}) {
			t.Fatalf("key %d is refused", i)
		}
		if len(l.windows) > 10 {
			t.Fatalf("%d keys are kept", len(l.windows))
		}
	}
}
