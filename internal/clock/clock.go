// Package clock is the one source of the present instant.
//
// Everything that asks for the time takes a Clock, so that a test can move it.
// The real clock is the only place in Holdfast that calls time.Now. Instants
// are UTC and cut to microseconds, which is what the store keeps.
package clock

import (
	"sync"
	"time"
)

// Clock tells the present instant, in UTC with microsecond precision.
type Clock interface {
	Now() time.Time
}

// Real is the machine's clock.
type Real struct{}

// Now returns the machine's time.
func (Real) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Manual is a clock that stands still until it is told to move. It is safe for
// concurrent use.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// NewManual returns a clock that stands at start.
func NewManual(start time.Time) *Manual {
	return &Manual{now: start.UTC().Truncate(time.Microsecond)}
}

// Now returns the instant at which the clock stands.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock forward by d; a negative d panics, because time in
// Holdfast never goes back.
func (m *Manual) Advance(d time.Duration) {
	if d < 0 {
		panic("clock: cannot move backwards")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d).Truncate(time.Microsecond)
}
