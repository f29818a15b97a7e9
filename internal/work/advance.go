package work

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
)

// ErrAdvancing says that the merchant's clock is being moved by another call.
var ErrAdvancing = fmt.Errorf("%w; wait for it to end", app.ErrClockTaken)

const (
	// maxSteps bounds the due instants of one advance.
	maxSteps = 20_000
	// maxRounds bounds how often work that makes new work is done at one instant.
	maxRounds = 10_000
)

// Drain does everything that is due for a merchant by its clock now, and what
// follows from it.
func (l *Loops) Drain(ctx context.Context, merchantID string) error {
	ctx = app.Apart(ctx)
	for range maxRounds {
		n := 0
		var errs []error
		for _, kind := range inTurn {
			done, err := l.Step(ctx, kind, merchantID)
			n += done
			errs = append(errs, err)
		}
		if err := errors.Join(errs...); err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if idle, err := l.idle(ctx, merchantID); idle || err != nil {
			return err
		}
	}
	return errors.New("work: the merchant's work does not come to an end")
}

// inTurn is the order in which the kinds of work are looked at.
var inTurn = []app.Work{app.WorkTime, app.WorkCarrier, app.WorkMail, app.WorkBank, app.WorkSettlement, app.WorkWebhook}

// Step does once what the loop of a kind does over and over, and waits for the
// end of what it has begun: it takes what is due, does it, and brings the outcome
// back. It returns how much was done, 0 when nothing was due. For one merchant its
// own clock counts, for all (empty) the machine's.
func (l *Loops) Step(ctx context.Context, kind app.Work, merchantID string) (int, error) {
	switch kind {
	case app.WorkTime:
		return l.ticks(ctx, merchantID)
	case app.WorkCarrier:
		return l.tracks(ctx, merchantID)
	case app.WorkMail:
		return l.mails(ctx, merchantID)
	case app.WorkBank:
		return l.orders(ctx, merchantID)
	case app.WorkWebhook:
		return l.webhooks(ctx, merchantID)
	case app.WorkSettlement:
		if merchantID == "" {
			return l.settlements(ctx)
		}
		return l.settle(ctx, merchantID)
	}
	return 0, fmt.Errorf("work: there is no loop for %q", kind)
}

// glance is the pause between two looks at work that another loop is at.
const glance = 5 * time.Millisecond

// idle waits a moment if another loop is at work for the merchant, and reports
// whether nobody is.
func (l *Loops) idle(ctx context.Context, merchantID string) (bool, error) {
	busy, err := l.App.AtWork(ctx, merchantID)
	if err != nil || !busy {
		return true, err
	}
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-time.After(glance):
		return false, nil
	}
}

func (l *Loops) settle(ctx context.Context, merchantID string) (int, error) {
	done, err := l.App.Settle(ctx, merchantID)
	if err != nil || done.Why != "" {
		return 0, err
	}
	return 1, nil
}

// Advance moves a sandbox merchant's clock to an instant, stopping at every
// instant at which something falls due, and returns when everything that
// follows is done. It refuses to go back, and a second call for the same
// merchant while the first runs, on this node or another one, is ErrAdvancing.
// With app.ErrEnding the clock may stand anywhere on the way.
func (l *Loops) Advance(ctx context.Context, merchantID string, to time.Time) (err error) {
	ctx, told := l.untilEnd(app.Apart(ctx))
	defer func() { err = told(err) }()
	if _, busy := l.advancing.LoadOrStore(merchantID, struct{}{}); busy {
		return ErrAdvancing
	}
	defer l.advancing.Delete(merchantID)
	if err := l.App.TakeClock(ctx, merchantID, l.holder); err != nil {
		return advancing(err)
	}
	defer l.App.GiveClock(ctx, merchantID, l.holder)
	if err := l.App.Refresh(ctx); err != nil {
		return err
	}
	m, err := l.App.MerchantNew(ctx, merchantID)
	if err != nil {
		return err
	}
	drained := l.App.MerchantNow(&m)
	if to.Before(drained) {
		return &escrow.Refusal{Code: escrow.Invalid, Field: "to", Reason: "a test clock moves only forward"}
	}
	if err := l.Drain(ctx, merchantID); err != nil {
		return err
	}
	for range maxSteps {
		next, err := l.App.DueAfter(ctx, merchantID, drained)
		if err != nil {
			return err
		}
		if next.IsZero() || next.After(to) {
			break
		}
		if drained, err = l.moveAndDrain(ctx, merchantID, next); err != nil {
			return err
		}
	}
	_, err = l.moveAndDrain(ctx, merchantID, to)
	return err
}

// moveAndDrain moves the clock and does what is due, and returns the instant up to
// which everything was looked at.
func (l *Loops) moveAndDrain(ctx context.Context, merchantID string, to time.Time) (drained time.Time, err error) {
	m, err := l.App.MoveClock(ctx, merchantID, l.holder, to)
	if err != nil {
		return drained, advancing(err)
	}
	drained = l.App.MerchantNow(&m)
	return drained, l.Drain(ctx, merchantID)
}

// advancing says that a clock is another's in the words of this package.
func advancing(err error) error {
	if errors.Is(err, app.ErrClockTaken) {
		return ErrAdvancing
	}
	return err
}
