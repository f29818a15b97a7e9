package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/store"
)

// A node that cannot be right must not act. Heartbeat finds out whether it can,
// by asking the database; Fit says what was found. A file belongs to one process,
// and there is nobody to ask: its node is always fit.

const (
	// HeartbeatEvery is how often a running node looks whether it is fit to serve.
	HeartbeatEvery = 3 * time.Second
	// clockApart is by how much a machine's clock may differ from the database's.
	// NTP keeps clocks within a fraction of a second, and leases last longer.
	clockApart = 30 * time.Second
)

// ErrClock says that this machine's clock is not the database's. Nobody knows
// which of them is wrong; the database's is the same for all nodes.
var ErrClock = errors.New("the clock of this machine differs from the database's")

// IsUnfit reports whether an error says that this node is not fit to serve.
func IsUnfit(err error) bool {
	return errors.Is(err, ErrClock) || errors.Is(err, store.ErrOutOfService) || errors.Is(err, ErrOtherSecret)
}

// vitals are the outcome of a heartbeat.
type vitals struct {
	at    time.Time
	err   error         // why the node is not fit; nil if it is
	apart time.Duration // by how much the machine's clock is ahead
	known bool          // apart was measured
}

// Fit is nil if this node is fit to serve, or the reason why it is not (IsUnfit).
// What was found is believed for HeartbeatEvery by the machine's clock, so that a
// clock that jumps is found out before anything is done by it.
func (a *App) Fit(ctx context.Context) error {
	if v := a.vitals.Load(); v != nil {
		if age := a.clock.Now().Sub(v.at); age >= 0 && age < HeartbeatEvery {
			return v.err
		}
	}
	return a.Heartbeat(ctx)
}

// Heartbeat asks the database whether this node is fit to serve, as Fit does, and
// lets the log say when that changes.
func (a *App) Heartbeat(ctx context.Context) error {
	if a.store.Alone() {
		return nil
	}
	before := a.clock.Now()
	p, err := a.store.Pulse(ctx, agreement)
	if err != nil {
		return err
	}
	found := &vitals{at: a.clock.Now()}
	if found.err = p.Out; found.err == nil {
		found.err = otherSecret(a.fingerprint(), p.Agreed)
	}
	if a.compareClock && !p.Clock.IsZero() {
		found.apart, found.known = apart(before, p.Clock, found.at), true
		if found.err == nil && found.apart.Abs() > clockApart {
			found.err = ErrClock
		}
	}
	a.logVitals(a.vitals.Swap(found), found)
	return found.err
}

// apart is by how much a clock that showed two instants before and after another
// one showed theirs is ahead of it for certain.
func apart(before, theirs, after time.Time) time.Duration {
	switch {
	case theirs.Before(before):
		return before.Sub(theirs)
	case theirs.After(after):
		return after.Sub(theirs)
	}
	return 0
}

// Replaced reports whether the last heartbeat has found that another node put its
// secret in the place of this one's: what this node makes and believes of tokens
// and links is wrong.
func (a *App) Replaced() bool {
	v := a.vitals.Load()
	return v != nil && errors.Is(v.err, ErrOtherSecret)
}

func (a *App) logVitals(was, is *vitals) {
	switch {
	case is.err != nil && (was == nil || was.err == nil || was.err.Error() != is.err.Error()):
		a.log.Error("ALARM: this node is not fit to serve and does nothing by itself", "error", is.err, "ahead", fmt.Sprint(is.apart))
	case is.err == nil && was != nil && was.err != nil:
		a.log.Info("this node is fit to serve again")
	}
}

// ClockDifference is by how much the machine's clock is ahead of the database's;
// known is false where they are not compared.
func (a *App) ClockDifference() (ahead time.Duration, known bool) {
	if v := a.vitals.Load(); v != nil {
		return v.apart, v.known
	}
	return 0, false
}
