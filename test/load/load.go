// Package load plays shops and buyers against a running server over HTTP,
// through whatever happens to the server meanwhile.
//
// Each worker takes one payment after the other through a life: an order, the
// deposit, the delivery, and then a confirmation, a rejection, a cancel, a
// refund or the days that pass until the payment confirms itself, for which a
// hand moves the shop's clock. A call without an answer is repeated until the
// worker knows what became of it, as a careful shop would. What was acknowledged
// is kept, to be compared at the end with what the server has.
package load

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
)

const (
	defaultWorkers = 8
	defaultLimit   = 10 * time.Second
	// again is the pause after a call without an answer.
	again = 20 * time.Millisecond
	// tick is the pause between two moves of the clock, and step how far it goes.
	tick = 150 * time.Millisecond
	step = "1h"
)

// Config says whom to call and how.
type Config struct {
	// Base gives the address of the server for the next call, such as
	// http://127.0.0.1:8080. Several nodes may take turns.
	Base func() string
	// Notice is where the shop wants to be called; see [Receiver].
	Notice string
	// Workers is how many lives are lived at once; 8 when zero.
	Workers int
	// Limit bounds a call, after which nobody knows what became of it; 10 s when zero.
	Limit time.Duration
	// Still leaves the shop's clock alone.
	Still bool
	// Through makes the calls; a transport with a connection for each worker when nil.
	Through http.RoundTripper
}

// Load is a load under way.
type Load struct {
	c         Config
	t         testing.TB
	client    *http.Client
	signing   sync.Mutex
	token     string
	tokenEnds time.Time
	stop      context.CancelFunc
	wg        sync.WaitGroup
	off       atomic.Bool // see PowerOff

	mu      sync.Mutex
	acks    Acks
	count   int
	last    time.Time     // of the latest acknowledgement
	gap     time.Duration // the longest between two
	moved   time.Time     // where the shop's clock was said to stand
	resent  int
	refused int
}

// Acks are the steps of payments that the shop was told are done.
type Acks map[string]map[escrow.EventType]bool

// Start signs in at the demonstration shop and begins.
func Start(t testing.TB, c Config) *Load {
	t.Helper()
	if c.Workers == 0 {
		c.Workers = defaultWorkers
	}
	if c.Limit == 0 {
		c.Limit = defaultLimit
	}
	if c.Through == nil {
		c.Through = &http.Transport{MaxIdleConnsPerHost: c.Workers + 1}
	}
	ctx, stop := context.WithCancel(context.Background())
	l := &Load{c: c, t: t, stop: stop, acks: Acks{}, client: &http.Client{Timeout: c.Limit, Transport: c.Through}}
	t.Cleanup(func() { l.Stop() })
	l.signIn(ctx)
	l.last = time.Now()
	for n := range c.Workers {
		w := &worker{Load: l, n: n, rng: rand.New(rand.NewPCG(uint64(n), 7))}
		l.wg.Go(func() { w.run(ctx) })
	}
	if !c.Still {
		l.wg.Go(func() { l.turnClock(ctx) })
	}
	return l
}

// Stop ends the load, with calls under way, and waits for its workers.
func (l *Load) Stop() {
	l.stop()
	l.wg.Wait()
	l.client.CloseIdleConnections()
}

// Acks are what was acknowledged. It is called after Stop.
func (l *Load) Acks() Acks { return l.acks }

// Count is how many steps have been acknowledged until now.
func (l *Load) Count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// Repeated is how many calls had no answer and were made again.
func (l *Load) Repeated() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.resent
}

// Gap is the longest time without an acknowledgement since the last call of Gap.
func (l *Load) Gap() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := max(l.gap, time.Since(l.last))
	l.gap, l.last = 0, time.Now()
	return out
}

// Clock is where the shop was told that its clock stands; zero if it never was.
func (l *Load) Clock() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.moved
}

// More waits until so many more steps have been acknowledged, or reports false
// when that takes longer than the limit.
func (l *Load) More(steps int, limit time.Duration) bool {
	for enough, end := l.Count()+steps, time.After(limit); l.Count() < enough; {
		select {
		case <-end:
			return false
		case <-time.After(again):
		}
		if l.t.Failed() {
			return false
		}
	}
	return true
}

func (l *Load) acked(id string, what escrow.EventType) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acks[id] == nil {
		l.acks[id] = map[escrow.EventType]bool{}
	}
	l.acks[id][what] = true
	l.count++
	l.gap, l.last = max(l.gap, time.Since(l.last)), time.Now()
}

// Refused is how many calls the server answered with a failure of its own (5xx).
func (l *Load) Refused() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused
}

func (l *Load) refusedCall() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused++
}

// Acknowledged are up to limit of the payments that were acknowledged.
func (l *Load) Acknowledged(limit int) (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.acks {
		if len(ids) == limit {
			break
		}
		ids = append(ids, id)
	}
	return ids
}

// PowerOff says that the server's machine is without power from now on: an answer
// that comes all the same counts as none, because a dead machine gives none.
func (l *Load) PowerOff() { l.off.Store(true) }

// PowerOn says that answers count again.
func (l *Load) PowerOn() { l.off.Store(false) }

func (l *Load) unanswered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resent++
}

// turnClock is the hand at the shop's clock. It goes on only when the server
// has answered, so that a clock does not run away from a shop that waits.
func (l *Load) turnClock(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(tick):
		}
		if a, err := l.call(ctx, http.MethodPost, "/sandbox/clock/advance", map[string]any{"by": step}); err == nil {
			l.clockIs(a)
		}
	}
}
