package sim_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	seeds  = flag.Int("sim.seeds", 0, "how many seeds are played; 0 is the usual number")
	days   = flag.Int("sim.days", 0, "how many days each of them lasts before the world heals; 0 is the usual number")
	seed   = flag.Uint64("sim.seed", 0, "the one seed to play again")
	from   = flag.Uint64("sim.from", 1, "the first seed")
	first  = flag.Bool("sim.first", false, "end with the first seed that fails")
	tracks = flag.Bool("sim.trace", false, "print every line of the trace")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// result is what became of a run.
type result struct {
	seed  uint64
	err   error
	sum   uint64
	lines int
	days  float64
	last  []string
	seen  map[string]int
}

// play runs one seed.
func play(t testing.TB, seed uint64, days int) (r result) {
	dir := memoryDir(t)
	w := newWorld(seed, dir)
	w.trace.all = *tracks
	began := w.now()
	end := began.AddDate(0, 0, days)
	for w.err == nil && w.now().Before(end) {
		w.step()
	}
	if w.err == nil {
		w.heal()
	}
	err := w.close()
	if w.err == nil {
		w.err = err
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
	return result{seed, w.err, w.trace.sum.Sum64(), w.trace.lines, w.now().Sub(began).Hours() / 24, w.trace.last, w.seen}
}

// step is one thing that happens, then some looks of the loops, then time.
func (w *world) step() {
	w.choose(acts)
	for range w.rng.IntN(6) {
		w.loop(one(w, kinds...), "")
	}
	day := w.today()
	switch x := w.rng.Float64(); {
	case x < 0.55:
		w.pass(w.between(time.Second, 30*time.Minute))
	case x < 0.88:
		w.pass(w.between(30*time.Minute, 5*time.Hour))
	case x < 0.99:
		w.pass(w.between(5*time.Hour, 30*time.Hour))
	default:
		w.pass(w.between(30*time.Hour, 8*24*time.Hour)) // nobody was there
	}
	if w.today() != day && w.err == nil {
		w.rest()
		if w.err == nil {
			w.daily()
		}
	}
}

// memoryDir is a folder in memory where the machine has one.
func memoryDir(t testing.TB) string {
	base := "/dev/shm"
	if _, err := os.Stat(base); err != nil {
		base = ""
	}
	dir, err := os.MkdirTemp(base, "holdfast-sim-")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The usual size of a run, and that of one which must be short.
const (
	usualSeeds, usualDays = 24, 75
	shortSeeds, shortDays = 4, 30
	racedSeeds, racedDays = 2, 6
)

// size is how many seeds are played, and for how many days.
func size() (int, int) {
	n, d := usualSeeds, usualDays
	switch {
	case raced:
		n, d = racedSeeds, racedDays
	case testing.Short():
		n, d = shortSeeds, shortDays
	}
	return cmp.Or(*seeds, n), cmp.Or(*days, d)
}

// TestSimulation plays seeds, some at a time. Under the race detector it plays few
// of them, and the usual number in a program that is built without it.
func TestSimulation(t *testing.T) {
	n, length := size()
	if *seed != 0 {
		report(t, play(t, *seed, length), length)
		return
	}
	if raced && !testing.Short() {
		t.Run("without the race detector", func(t *testing.T) {
			if out, err := runChild(t, build(t)); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	results := playAll(t, *from, n, length)
	seen := map[string]int{}
	total := 0.0
	for _, r := range results {
		total += r.days
		for k, n := range r.seen {
			seen[k] += n
		}
	}
	t.Logf("%d seeds, %.0f simulated days\n%s", len(results), total, counted(seen))
	if t.Failed() || n < usualSeeds || length < usualDays {
		return
	}
	for _, what := range mustHappen {
		if seen[what] == 0 {
			t.Errorf("in %d seeds it has never happened: %s", n, what)
		}
	}
}

// playAll plays several seeds, as many at a time as there are processors.
func playAll(t *testing.T, from uint64, n, length int) []result {
	results := make([]result, n)
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				if *first && t.Failed() {
					continue
				}
				results[i] = play(t, from+uint64(i), length)
				report(t, results[i], length)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

// mustHappen is what a run of the usual size must have met, or it says little.
var mustHappen = []string{
	"time confirmed", "an opposite decision was refused", "rivals met at the deadline", "one of a group was refused beside one that was done",
	"a rejection was withdrawn", "a dispute was decided", "a part was refunded", "a withdrawal after time confirmed",
	"an account expired", "a deposit was late", "a deposit was over", "a deposit was under", "a deposit was closed", "a deposit was refused by policy",
	"an expired payment was paid after all", "a deposit was reversed", "a deposit notice came twice", "a forged notice",
	"an order was refused", "an order was lost", "an order was executed and the reply lost", "a lost reply was looked up",
	"a process ended between an order and its record", "the bank was asked after an order that it never got",
	"the bank does not know yet", "a returned refund", "a returned payout",
	"a letter bounced", "a letter was refused for good", "a letter was taken and the reply lost", "a shop was told and its reply lost",
	"crash before a commit", "crash after a commit", "crash after a letter was sent", "crash after a shop was called", "a new process",
	"a commit was refused", "a commit was made and unknown", "a commit was lost and unknown",
	"a frozen call went on", "frozen after a letter was sent", "frozen after a shop was called", "a client repeated a call", "an ad-hoc holiday",
}

func counted(seen map[string]int) string {
	var lines []string
	for k, n := range seen {
		lines = append(lines, fmt.Sprintf("%8d  %s", n, k))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// shownLines is how many of the last lines of a failed run are shown.
const shownLines = 80

// report fails with how to play a failed seed again.
func report(t *testing.T, r result, length int) {
	t.Helper()
	if r.err == nil {
		return
	}
	t.Errorf("seed %d: %v\n\nplay it again: go test ./test/sim -run 'TestSimulation$' -sim.seed %d -sim.days %d\nthe last steps of %d:\n%s",
		r.seed, r.err, r.seed, length, r.lines, strings.Join(r.last[max(0, len(r.last)-shownLines):], "\n"))
}

// TestSameSeedSameRun: a seed decides everything.
func TestSameSeedSameRun(t *testing.T) {
	_, length := size()
	for seed := range uint64(2) {
		a, b := play(t, 100+seed, length), play(t, 100+seed, length)
		if a.sum != b.sum || a.lines != b.lines {
			t.Errorf("seed %d was played twice: %d lines with the sum %x, and %d with %x", 100+seed, a.lines, a.sum, b.lines, b.sum)
		}
	}
}
