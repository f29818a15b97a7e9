package work

import (
	"slices"
	"sync"
)

const (
	// perShop is with how many calls a merchant gets no more, and how many are
	// begun together; a shop that does not answer has less than twice as many.
	perShop = 16
	// allShops is how many calls there are at a time.
	allShops = 256
)

// shopGate counts the calls that are being made, so that a shop that does not
// answer leaves places for the others. It is safe for concurrent use.
type shopGate struct {
	mu    sync.Mutex
	busy  map[string]int // by merchant id; one without calls is not in it
	all   int
	freed chan struct{} // holds a token after a place has become free
}

func newShopGate() *shopGate {
	return &shopGate{busy: map[string]int{}, freed: make(chan struct{}, 1)}
}

// room returns the merchants that have no place left, sorted, and how many
// places there are in all.
func (g *shopGate) room() (full []string, free int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, n := range g.busy {
		if n >= perShop {
			full = append(full, id)
		}
	}
	slices.Sort(full)
	return full, max(0, allShops-g.all)
}

func (g *shopGate) begin(merchantID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy[merchantID]++
	g.all++
}

func (g *shopGate) end(merchantID string) {
	g.mu.Lock()
	g.all--
	if g.busy[merchantID]--; g.busy[merchantID] == 0 {
		delete(g.busy, merchantID)
	}
	g.mu.Unlock()
	select {
	case g.freed <- struct{}{}:
	default: // whoever waits will look anyway
	}
}
