package work

import (
	"sync"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
)

const (
	// laneFirst is how many calls an endpoint has at a time before it has taken one;
	// with every one that it takes it gets more, up to laneMost.
	laneFirst = 8
	laneMost  = 32
	// allCalls bounds the calls that there are at a time.
	allCalls = 1024
	// claimLanes bounds the lanes of one claim.
	claimLanes = 200
	// laneRate bounds the calls per second to an endpoint from this node, so that the
	// drain of a backlog leaves the database to those who wait for an answer. So many
	// as laneBurst may come together.
	laneRate  = 500
	laneBurst = 64
	// heldBack is when a lane is looked at again that has come as fast as it may.
	heldBack = 25 * time.Millisecond
)

// lanes are the queues of calls as this node sees them, so that an endpoint that
// does not answer leaves places for the others. It is safe for concurrent use.
//
// An endpoint that fails has one call at a time; one that has failed several times
// in a row is left alone until its rest is over, and then gets a single call. When
// it takes that, it gets two, then four: what has gathered while it was down does
// not come all at once.
type lanes struct {
	mu    sync.Mutex
	known map[app.Lane]*lane
	busy  int
	freed chan struct{} // holds a token after a place has become free
	timed bool          // a look at what is held back is on its way
}

// lane is one endpoint's.
type lane struct {
	busy, limit int
	// due says that there may be calls to make.
	due bool
	// rest is until when the endpoint is left alone, by the machine's clock.
	rest time.Time
	// allowance is how many calls may come now by the rate, as of an instant.
	allowance float64
	as        time.Time
	// ordered says that the end of a call may let the next of its payment go.
	ordered bool
}

func newLanes() *lanes {
	return &lanes{known: map[app.Lane]*lane{}, freed: make(chan struct{}, 1)}
}

func (s *lanes) get(name app.Lane) *lane {
	l := s.known[name]
	if l == nil {
		l = &lane{limit: laneFirst, allowance: laneBurst}
		s.known[name] = l
	}
	return l
}

// due marks lanes in which there may be calls to make.
func (s *lanes) due(names ...app.Lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range names {
		s.get(n).due = true
	}
}

// failing takes over what the database knows of endpoints that fail.
func (s *lanes) failing(all []app.Health) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, l := range s.known {
		l.rest = time.Time{}
		if l.busy == 0 && !l.due {
			delete(s.known, name)
		}
	}
	for _, h := range all {
		if l := s.get(h.Lane); h.RestUntil.Unix() > 0 {
			l.rest, l.limit = h.RestUntil, 1
		}
	}
}

// take chooses from which lanes calls are claimed now, and how many: from those
// that have at least half of their places free.
func (s *lanes) take(now time.Time, ok func(app.Lane) bool) (takes []app.Take) {
	s.mu.Lock()
	defer s.mu.Unlock()
	free := allCalls - s.busy
	for name, l := range s.known {
		n := min(l.limit-l.busy, free)
		if !l.due || n <= 0 || 2*l.busy > l.limit || l.rest.After(now) || !ok(name) {
			continue
		}
		allowed := l.allowed()
		if allowed < min(n, laneFirst) {
			s.holdBack()
			continue
		}
		n = min(n, allowed)
		l.due = false
		free -= n
		if takes = append(takes, app.Take{Lane: name, N: n}); len(takes) == claimLanes {
			break
		}
	}
	return takes
}

// allowed is how many calls may come now by the rate.
func (l *lane) allowed() int {
	now := time.Now() //nolint:forbidigo // a rate of the machine, not a business instant
	if !l.as.IsZero() {
		l.allowance = min(laneBurst, l.allowance+now.Sub(l.as).Seconds()*laneRate)
	}
	l.as = now
	return int(l.allowance)
}

// holdBack lets the loop look again soon.
func (s *lanes) holdBack() {
	if s.timed {
		return
	}
	s.timed = true
	time.AfterFunc(heldBack, func() {
		s.mu.Lock()
		s.timed = false
		s.mu.Unlock()
		s.wake()
	})
}

func (s *lanes) wake() {
	select {
	case s.freed <- struct{}{}:
	default: // whoever waits will look anyway
	}
}

// taken says how many calls a claim has brought. A lane that had as many as were
// asked for may have more.
func (s *lanes) taken(t app.Take, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.get(t.Lane)
	l.busy += n
	s.busy += n
	l.allowance -= float64(n)
	l.due = l.due || n >= t.N
	l.ordered = t.Ordered
}

// end frees the place of a call and tells how it went.
func (s *lanes) end(name app.Lane, how ending) {
	s.mu.Lock()
	l := s.get(name)
	l.busy--
	s.busy--
	l.due = l.due || l.ordered
	switch {
	case how.took:
		l.limit = min(laneMost, l.limit*2)
	case !how.rest.IsZero():
		l.rest, l.limit = how.rest, 1
	default:
		l.limit = max(1, l.limit/2)
	}
	s.mu.Unlock()
	s.wake()
}
