package apiv1

import (
	"sync"
	"time"
)

// Bounds on failed attempts to get a token. Successful ones are not counted:
// several clients ask for a token before every call.
const (
	// failuresPerKey is how many failures one address may have with one key in
	// a window.
	failuresPerKey = 10
	// failuresPerAddress is how many failures one address may have at all.
	failuresPerAddress = 50
	// failureWindow is how long failures count.
	failureWindow = time.Minute
	// guardedMax bounds the memory: beyond it the oldest window is forgotten.
	guardedMax = 20_000
)

// guard slows down guessing. It counts per address and never per key alone, so
// that nobody can lock a shop out from elsewhere. It belongs to one process;
// secrets are long enough that several processes make no difference.
type guard struct {
	mu     sync.Mutex
	since  time.Time
	counts map[string]int
}

// blocked reports how long the caller must wait; zero if it need not.
func (g *guard) blocked(now time.Time, address, key string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn(now)
	if g.counts[address] < failuresPerAddress && g.counts[address+"\x00"+key] < failuresPerKey {
		return 0
	}
	return g.since.Add(failureWindow).Sub(now)
}

func (g *guard) failed(now time.Time, address, key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn(now)
	g.counts[address]++
	g.counts[address+"\x00"+key]++
}

// turn begins a new window when the old one is over or full.
func (g *guard) turn(now time.Time) {
	if g.counts != nil && now.Sub(g.since) < failureWindow && !now.Before(g.since) && len(g.counts) < guardedMax {
		return
	}
	g.since, g.counts = now, map[string]int{}
}
