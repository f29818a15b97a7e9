package app

import (
	"testing"
	"time"
)

// TestLag: what is remembered does not become young when the machine's clock is
// set back.
func TestLag(t *testing.T) {
	for age, want := range map[time.Duration]bool{0: true, Lag - 1: true, Lag: false, time.Hour: false, -1: false, -time.Hour: false} {
		if fresh(age) != want {
			t.Errorf("read %s ago: %t, want %t", age, !want, want)
		}
	}
}
