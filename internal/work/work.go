// Package work runs the loops that carry out what is owed: letters, webhooks,
// bank orders, deadlines, questions to carriers, settlements, and the audit of
// the books.
//
// Every loop takes from the database what is due, acts outside of any
// transaction, and brings the outcome back through the door. A process that
// dies in between leaves a lease that runs out, and the work is done again: at
// least once towards shops and buyers, and exactly once towards the bank, whose
// orders have a key. No loop needs to be the only one of its kind.
//
// # Moving time
//
// Advance moves a sandbox merchant's clock from one due instant to the next and
// does at each what is due, so that everything happens at its own time; it
// returns when all consequences are done.
//
// A node that is not fit to serve (app.Fit: its clock is wrong, say) begins
// nothing by itself until it is.
package work

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier"
	"github.com/holdfast-pay/holdfast/internal/webhook"
)

const (
	// page is how much of one kind is taken at once.
	page = 100
	// SweepPage is how many payments time acts on at once: as many as fill the
	// commits of two writers.
	SweepPage = 500
	// rest is the longest pause between two looks for due work.
	rest = time.Second
	// inFlight bounds concurrent calls to the outside, per kind.
	inFlight = 16
)

// Post sends the letters that are owed.
type Post interface {
	// Send composes and sends a mail and fills in what was sent. The error says
	// whether trying again can help.
	Send(ctx context.Context, m *app.Mail) (permanent bool, err error)
}

// Notices gives bank answers that came by themselves. A real bank pushes them;
// the simulated one is asked.
type Notices interface {
	// PendingNotices returns what the bank has to tell, the oldest first, until it is heard.
	PendingNotices(ctx context.Context, merchant string) ([]bank.Notice, error)
	// NoticesHeard says that notices are booked.
	NoticesHeard(ctx context.Context, merchant string, heard []bank.Notice) error
}

// Hooks calls shops: a *webhook.Sender.
type Hooks interface {
	// Send makes a call and says what happened; it has no other error.
	Send(ctx context.Context, c webhook.Call) webhook.Attempt
	Close()
}

// Config is what the loops need.
type Config struct {
	App     *app.App
	Bank    bank.Bank
	Notices Notices // nil when the bank calls by itself
	Tracker carrier.Tracker
	Post    Post
	Hooks   Hooks
	// AtOnce is how much work of one kind is taken at a time and done side by
	// side; 0 means the usual. With 1 everything happens one after the other, in
	// the order in which it fell due.
	AtOnce int
	// CallLimit is how long Drain waits for one call to a shop; 0 means 5 s.
	CallLimit time.Duration
	// Lease is how long taken work is left to whoever took it; 0 means 2 minutes.
	Lease time.Duration
	Log   *slog.Logger
}

// defaultLease is the Lease of a configuration that does not say.
const defaultLease = 2 * time.Minute

// defaultCallLimit keeps a moved clock from standing still for a shop that does
// not answer. Calls that nobody waits for have PortOne V1's longer limits.
const defaultCallLimit = 5 * time.Second

// Loops is all of it.
type Loops struct {
	Config
	advancing sync.Map // merchant id -> struct{}
	lanes     *lanes
	looked    time.Time // when the loop of calls last looked for what is due
	wg        sync.WaitGroup
	stop      context.CancelFunc
	// ending ends when the node is told to stop.
	ending context.Context
	end    context.CancelFunc
	// holder is the name under which this process moves clocks.
	holder string
}

// New builds the loops; Start runs them.
func New(c Config) *Loops {
	if c.CallLimit == 0 {
		c.CallLimit = defaultCallLimit
	}
	c.Lease = cmp.Or(c.Lease, defaultLease)
	l := &Loops{Config: c, lanes: newLanes(), holder: rand.Text()}
	l.ending, l.end = context.WithCancel(context.Background())
	return l
}

// Start runs the loops until Close. Each kind has its own loop, so that a dead
// mail server delays no webhook.
func (l *Loops) Start() {
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), inLoop{}, true))
	l.stop = cancel
	l.loop(ctx, app.WorkMail, l.everyone(l.mails))
	l.loop(ctx, app.WorkWebhook, l.startWebhooks)
	l.loop(ctx, app.WorkBank, l.everyone(l.orders))
	l.loop(ctx, app.WorkTime, l.everyone(l.ticks))
	l.loop(ctx, app.WorkCarrier, l.everyone(l.tracks))
	l.loop(ctx, app.WorkSettlement, l.settlements)
	watching, stopped := l.untilEnd(ctx)
	l.wg.Go(func() {
		l.watch(watching)
		_ = stopped(nil)
	})
	l.every(ctx, maintainEvery, "the database could not be looked after", l.App.Maintain)
	l.every(ctx, app.HeartbeatEvery, "the database does not say whether this node is fit to serve", l.heartbeat)
	l.every(ctx, app.Lag, "the calendar could not be read", l.App.Refresh)
	l.every(ctx, app.RecountEvery, "deadlines could not be counted anew", l.recount)
	l.every(ctx, app.KeepOnceEvery, "the requests under way could not be kept from other nodes", l.App.KeepOnces)
	l.every(ctx, takeOverEvery, "the work of nodes that have ended could not be taken over", l.App.TakeOver)
}

// End lets clocks that are being moved stop where they are, with app.ErrEnding,
// so that nobody waits for them when the node is to stop, and lets the loops begin
// nothing more.
func (l *Loops) End() { l.end() }

// Ending is closed by End.
func (l *Loops) Ending() <-chan struct{} { return l.ending.Done() }

// untilEnd is a context that also ends with End, and the error that is told then
// in the place of another.
func (l *Loops) untilEnd(ctx context.Context) (context.Context, func(error) error) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.ending, cancel)
	return ctx, func(err error) error {
		stop()
		cancel()
		if err != nil && l.ending.Err() != nil {
			return app.ErrEnding
		}
		return err
	}
}

// inLoop marks the context of what loops do by themselves.
type inLoop struct{}

// mayBegin reports whether another piece of work may be begun: not by a loop that
// has been told to retire. What somebody waits for goes on.
func (l *Loops) mayBegin(ctx context.Context) bool {
	if ctx.Value(inLoop{}) == nil {
		return true
	}
	return l.ending.Err() == nil && ctx.Err() == nil
}

// Retire is End, and waits for the end of what the loops have begun, at most until
// ctx ends. What they had taken and not begun is taken over by other nodes when
// this process ends, or done after the next start.
func (l *Loops) Retire(ctx context.Context) {
	l.End()
	done := make(chan struct{})
	go func() {
		l.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Close ends the loops, and breaks off what they are doing.
func (l *Loops) Close() {
	if l.stop != nil {
		l.stop()
	}
	l.wg.Wait()
	if l.Hooks != nil {
		l.Hooks.Close()
	}
}

// gathering is how long letters wait for others, so that many are taken by one
// commit and recorded by another. Nobody waits for a letter.
const gathering = 25 * time.Millisecond

// loop repeats a step while it finds something, and rests when it does not. A
// change through the door that owes its kind of work wakes it at once, and so
// does a place for a call that has become free.
func (l *Loops) loop(ctx context.Context, kind app.Work, step func(context.Context) (int, error)) {
	pokes := l.App.Pokes(kind)
	var freed <-chan struct{}
	if kind == app.WorkWebhook {
		freed = l.lanes.freed
	}
	l.wg.Go(func() {
		for n, err := 0, error(nil); l.mayBegin(ctx); {
			if kind == app.WorkMail && n < page {
				pause(ctx, gathering)
			}
			n, err = l.fit(ctx, step)
			if err != nil && ctx.Err() == nil {
				l.Log.Error("a loop met an error and goes on", "loop", kind, "error", err)
			}
			if n > 0 && err == nil {
				continue
			}
			select {
			case <-ctx.Done():
			case <-l.ending.Done():
			case <-time.After(rest):
			case <-pokes:
			case <-freed:
			}
		}
	})
}

// heartbeat looks whether this node is fit to serve; the door's log says when that changes.
func (l *Loops) heartbeat(ctx context.Context) error {
	if err := l.App.Heartbeat(ctx); !app.IsUnfit(err) {
		return err
	}
	return nil
}

// recount counts deadlines anew when who changed the calendar did not come to the end of it.
func (l *Loops) recount(ctx context.Context) error {
	ctx, stopped := l.untilEnd(ctx)
	moved, err := l.fit(ctx, l.App.Recount)
	if moved > 0 {
		l.Log.Info("deadlines were counted anew after a change of the calendar that was not finished", "moved", moved)
	}
	if err = stopped(err); errors.Is(err, app.ErrEnding) {
		return nil
	}
	return err
}

// fit does a step if this node is fit to serve. Everything that a loop does by
// itself goes by the machine's clock, be it only for how long work is taken.
func (l *Loops) fit(ctx context.Context, step func(context.Context) (int, error)) (int, error) {
	switch err := l.App.Fit(ctx); {
	case app.IsUnfit(err):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return step(ctx)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// everyone runs a step for all merchants by the machine's clock and for each
// merchant whose test clock runs ahead by its own.
func (l *Loops) everyone(step func(context.Context, string) (int, error)) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		done, err := step(ctx, "")
		errs := []error{err}
		ahead, err := l.App.AheadMerchants(ctx)
		errs = append(errs, err)
		for _, id := range ahead {
			if _, busy := l.advancing.Load(id); busy {
				continue // Advance is doing it, at its own instants
			}
			n, err := step(ctx, id)
			done += n
			errs = append(errs, err)
		}
		return done, errors.Join(errs...)
	}
}

// ticks lets time act on what is due.
func (l *Loops) ticks(ctx context.Context, merchantID string) (int, error) {
	_, changed, err := l.App.TickDue(ctx, merchantID, cmp.Or(l.AtOnce, SweepPage))
	return changed, err
}

// trackPause is how long a carrier that cannot be asked is left alone.
const trackPause = 30 * time.Minute

// tracks asks carriers about the parcels whose turn it is.
func (l *Loops) tracks(ctx context.Context, merchantID string) (int, error) {
	refs, err := l.App.TrackPayments(ctx, merchantID, l.page())
	if err != nil {
		return 0, err
	}
	return each(ctx, l, refs, func(ref app.Ref) error { return l.track(ctx, ref) })
}

func (l *Loops) track(ctx context.Context, ref app.Ref) error {
	p, err := l.App.Payment(ctx, ref.Merchant, ref.ID)
	if err != nil || p.Delivery == nil {
		return err
	}
	m, err := l.App.Merchant(ctx, ref.Merchant)
	if err != nil {
		return err
	}
	now := l.App.MerchantNow(&m)
	if taken, err := l.App.TakeTracking(ctx, ref, now, l.Lease); err != nil || !taken {
		return err
	}
	for _, parcel := range p.Delivery.Parcels {
		if !parcel.DeliveredAt.IsZero() {
			continue
		}
		report, err := l.Tracker.Track(ctx, ref.Merchant, parcel.Carrier, parcel.Number, now)
		if err != nil {
			l.Log.Warn("a carrier could not be asked", "carrier", parcel.Carrier, "payment", ref.ID, "error", err)
			return l.App.PostponeTracking(ctx, ref, trackPause)
		}
		if err := l.reported(ctx, ref, parcel, report); err != nil {
			return err
		}
	}
	return nil
}

func (l *Loops) reported(ctx context.Context, ref app.Ref, parcel escrow.Parcel, report carrier.Report) error {
	_, err := l.App.Do(ctx, escrow.Carrier, ref.Merchant, ref.ID, escrow.ReportTracking{
		Number: parcel.Number, Seen: report.Seen, DeliveredAt: report.DeliveredAt, NextAt: report.NextAt,
	})
	var no *escrow.Refusal
	if errors.As(err, &no) { // what a carrier says may be impossible; it is no fault of ours
		l.Log.Warn("a tracking report was refused", "payment", ref.ID, "number", parcel.Number, "reason", no.Error())
		return l.App.PostponeTracking(ctx, ref, trackPause)
	}
	return err
}

// settlements pays out merchants whose lines are due by the machine's date, page
// by page, so that those who cannot be paid hide nobody, and those ahead by
// their own.
func (l *Loops) settlements(ctx context.Context) (paid int, err error) {
	var errs []error
	settle := func(merchants []string) {
		n, err := l.App.SettleAll(ctx, slices.DeleteFunc(merchants, func(id string) bool {
			_, busy := l.advancing.Load(id)
			return busy // Advance is doing it, at its own instants
		}))
		paid += n
		errs = append(errs, err)
	}
	for after := ""; ctx.Err() == nil; {
		due, err := l.App.DueSettlements(ctx, after, l.page())
		if err != nil {
			return paid, errors.Join(append(errs, err)...)
		}
		if len(due) == 0 {
			break
		}
		after = due[len(due)-1]
		settle(due)
	}
	ahead, err := l.App.AheadMerchants(ctx)
	for some := range slices.Chunk(ahead, l.page()) {
		settle(some)
	}
	return paid, errors.Join(append(errs, err)...)
}

const (
	// maintainEvery is the pause between two looks after the database itself.
	maintainEvery = 10 * time.Minute
	// takeOverEvery is the pause between two looks for work of nodes that have ended.
	takeOverEvery = 3 * time.Second
)

// every does a step now and after each pause.
func (l *Loops) every(ctx context.Context, pause time.Duration, failed string, step func(context.Context) error) {
	l.wg.Go(func() {
		for {
			if err := step(ctx); err != nil && ctx.Err() == nil {
				l.Log.Error(failed, "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-l.ending.Done():
				return
			case <-time.After(pause):
			}
		}
	})
}

// page is how much of one kind is taken at once.
func (l *Loops) page() int { return cmp.Or(l.AtOnce, page) }

// each runs fn for every item, a bounded number at once, and returns how many succeeded.
func each[T any](ctx context.Context, l *Loops, items []T, fn func(T) error) (done int, err error) {
	gate := make(chan struct{}, cmp.Or(l.AtOnce, inFlight))
	results := make(chan error, len(items))
	begun := 0
	for _, item := range items {
		gate <- struct{}{}
		if !l.mayBegin(ctx) {
			break
		}
		begun++
		go func() {
			defer func() { <-gate }()
			results <- fn(item)
		}()
	}
	var errs []error
	for range begun {
		if err := <-results; err != nil {
			errs = append(errs, err)
			continue
		}
		done++
	}
	return done, errors.Join(errs...)
}
