package work

import (
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
)

// TestAnEndpointRestsAtOnce: what a call has learnt of its endpoint counts before the
// next look into the database.
func TestAnEndpointRestsAtOnce(t *testing.T) {
	now := time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)
	name := app.Lane{Merchant: "m", Endpoint: "whe_1"}
	places := func(s *lanes, at time.Time) (n int) {
		s.due(name)
		for _, take := range s.take(at, func(app.Lane) bool { return true }) {
			n += take.N
		}
		return n
	}
	for _, c := range []struct {
		title           string
		end             ending
		soon, afterward int
	}{
		{"it fails", ending{}, laneFirst / 2, laneFirst / 2},
		{"it takes what it is told", ending{took: true}, 2 * laneFirst, 2 * laneFirst},
		{"it has failed several times", ending{rest: now.Add(5 * time.Second)}, 0, 1},
	} {
		s := newLanes()
		s.taken(app.Take{Lane: name, N: 1}, 1)
		s.end(name, c.end)
		if got := places(s, now.Add(4*time.Second)); got != c.soon {
			t.Errorf("%s: %d calls soon, want %d", c.title, got, c.soon)
		}
		if got := places(s, now.Add(5*time.Second)); got != c.afterward {
			t.Errorf("%s: %d calls later, want %d", c.title, got, c.afterward)
		}
	}
}
