package failover_test

import (
	"flag"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/test/check"
	"github.com/holdfast-pay/holdfast/test/load"
	"github.com/holdfast-pay/holdfast/test/program"
)

var failovers = flag.Int("failovers", 2, "how often the primary is killed; every second time after the standby has stalled")

const (
	// some is how many steps are waited for before and after, someWithin how long.
	some       = 30
	someWithin = 30 * time.Second
	// callLimit is shorter than a stall lasts, so that clients hang up.
	callLimit = time.Second
	// stalls is how often waiting commits are interrupted while the standby is
	// stalled, with a pause after each.
	stalls     = 8
	stallPause = 250 * time.Millisecond
)

func TestSynchronous(t *testing.T) {
	if testing.Short() {
		t.Skip("kills PostgreSQL servers")
	}
	failOver(t, drill{synchronous: true, times: *failovers})
}

// TestAsynchronous: a pair that loses acknowledged payments is caught.
func TestAsynchronous(t *testing.T) {
	if testing.Short() {
		t.Skip("kills PostgreSQL servers")
	}
	check.Caught(t, func(t testing.TB) { failOver(t, drill{times: 1, stalled: true}) })
}

// TestPlanted: a program that takes a wait that was given up for a commit is caught.
func TestPlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("kills PostgreSQL servers")
	}
	check.Caught(t, func(t testing.TB) {
		failOver(t, drill{synchronous: true, times: 1, stalled: true, bug: fault.IgnoreStandby})
	})
}

// drill is what is done to a pair.
type drill struct {
	bug         fault.Bug
	synchronous bool
	times       int
	stalled     bool // each time, and not only every second
}

func failOver(t testing.TB, d drill) {
	t.Helper()
	pair := pgtest.StartPairFor(t, d.synchronous)
	p := program.New(t, program.Build(t, d.bug))
	p.Database = pair.URL()
	hooks := load.NewReceiver(t)
	began, gap, interrupted := time.Now(), time.Duration(0), 0
	p.Start()
	l := load.Start(t, load.Config{Base: p.URL, Notice: hooks.URL, Limit: callLimit})
	for n := 0; n < d.times && !t.Failed(); n++ {
		if !l.More(some, someWithin) {
			t.Fatalf("the program does not work: %d steps", l.Count())
		}
		if d.stalled || n%2 == 1 {
			interrupted += stall(t, pair)
		}
		l.Gap()
		if err := pair.Failover(); err != nil {
			t.Fatal(err)
		}
		if !l.More(some, someWithin) {
			t.Fatalf("the standby has taken over, and the program does not work: %d steps", l.Count())
		}
		gap = max(gap, l.Gap())
		if n+1 < d.times {
			if err := pair.Rejoin(); err != nil {
				t.Fatal(err)
			}
		}
	}
	l.Stop()
	took := time.Since(began)
	p.Kill() // work whose taking was never answered is free when its holder has gone
	p.Start()
	l.Advance(t, "336h")
	p.Stop()
	s := check.After{Acks: l.Acks(), Clock: l.Clock(), Came: hooks.Came, Broken: hooks.Broken}.Program(t, p.Data, p.Database)
	t.Logf("%d failovers in %s, %d waits ended, silent for at most %s, %d steps acknowledged, %d calls repeated: %+v",
		d.times, took.Round(time.Second), interrupted, gap.Round(100*time.Millisecond), l.Count(), l.Repeated(), s)
}

// stall freezes the standby and ends the waits of commits for it. It returns how many.
func stall(t testing.TB, pair *pgtest.Pair) (interrupted int) {
	t.Helper()
	if err := pair.Stall(); err != nil {
		t.Fatal(err)
	}
	for range stalls {
		time.Sleep(stallPause)
		n, err := pair.Interrupt()
		if err != nil {
			t.Fatal(err)
		}
		interrupted += n
	}
	return interrupted
}
