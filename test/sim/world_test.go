package sim_test

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/letter"
	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/work"
)

// errInjected is under every error that the world has made. Any other that the
// program meets and that is no refusal is a fault of the program.
var errInjected = errors.New("simulated")

var (
	errDead      = fmt.Errorf("the process has ended: %w", errInjected)
	errDiskFull  = fmt.Errorf("%w: no room: %w", store.ErrUnavailable, errInjected)
	errLostReply = fmt.Errorf("%w: %w", store.ErrUnknown, errInjected)
)

// rates are how often things go wrong, each between 0 and 1. They differ from seed to seed, so
// that some worlds are quiet and some have one trouble again and again.
type rates struct {
	crash, refuse, unknown float64 // at a place of a step; of a commit
	freeze                 float64 // of a call to the outside
	bank, mail, shops      float64 // of a call to that party
	carrier                float64
}

// world is one run.
type world struct {
	ctx    context.Context
	rng    *rand.Rand
	clock  *clock.Manual
	file   string
	store  *store.Store
	rates  rates
	faulty bool // things go wrong at all

	p       *process // the living one
	running *process // whose code is running now; nil while the world itself acts
	current *call
	frozen  []*call
	grouped bool          // several calls are under way together; the outside is quiet then
	certain bool          // every commit is refused, lost with its process, or made and known: SQLite never says that it does not know
	gate    chan struct{} // the next commit tells here that it has come, and waits to be let through

	bank    *fakeBank
	carrier *fakeCarrier
	post    *fakePost
	shops   []*shop
	pays    []*pay
	byID    map[string]*pay
	orders  int
	again   []again // commands that clients may repeat
	closed  []bizday.Date

	trace trace
	seen  map[string]int // what has happened, by name
	err   error          // the first thing that was wrong
}

// process is one life of the program.
type process struct {
	w     *world
	app   *app.App
	loops *work.Loops
	dead  bool
}

// secret is the server's key; every run has the same.
var secret = []byte("a secret of thirty-two bytes, or more")

// newWorld opens an empty database in dir.
func newWorld(seed uint64, dir string) *world {
	w := &world{
		ctx: context.Background(), rng: rand.New(rand.NewPCG(seed, 0x5eed)), file: filepath.Join(dir, "holdfast.db"),
		byID: map[string]*pay{}, seen: map[string]int{}, trace: trace{sum: fnv.New64a()},
	}
	w.clock = clock.NewManual(w.start())
	w.rates = w.drawRates()
	w.bank, w.carrier, w.post = newBank(w), newCarrier(w), newPost(w)
	w.open()
	w.openShops()
	w.faulty = true
	return w
}

// start is some day of the years that are gazetted, often shortly before one of
// the long feasts.
func (w *world) start() time.Time {
	feasts := []string{"2026-02-05", "2026-09-14", "2027-01-27", "2027-09-03"}
	day := bizday.MustParseDate(feasts[w.rng.IntN(len(feasts))])
	if w.chance(0.4) {
		day = bizday.MustParseDate("2026-01-02").AddDays(w.rng.IntN(600))
	}
	return day.Start().Add(time.Duration(w.rng.IntN(24*60)) * time.Minute)
}

// drawRates makes each trouble absent, rare or frequent.
func (w *world) drawRates() rates {
	often := func(rare, frequent float64) float64 { return []float64{0, rare, rare, frequent}[w.rng.IntN(4)] }
	return rates{
		crash: often(0.004, 0.03), refuse: often(0.003, 0.02), unknown: often(0.003, 0.02), freeze: often(0.03, 0.15),
		bank: often(0.15, 0.5), mail: often(0.1, 0.4), shops: often(0.15, 0.5), carrier: often(0.1, 0.4),
	}
}

func (w *world) chance(p float64) bool { return w.rng.Float64() < p }

// one draws one of several.
func one[T any](w *world, of ...T) T { return of[w.rng.IntN(len(of))] }

// between draws a length of time.
func (w *world) between(a, b time.Duration) time.Duration {
	return a + time.Duration(w.rng.Int64N(int64(b-a)))
}

// open begins a life of the program on the database as it is.
func (w *world) open() {
	if w.store == nil {
		s, err := store.OpenSQLite(w.ctx, w.file, store.AroundCommits(w.commit))
		if err != nil {
			w.fail("open the database: %v", err)
			return
		}
		w.store = s
	}
	p := &process{w: w}
	var err error
	p.app, err = app.New(w.ctx, app.Config{Store: w.store, Clock: w.clock, Bank: door{p}, Log: slog.New(heard{p}), Secret: secret, BaseURL: "https://pay.example"})
	if err != nil {
		w.fail("open the door: %v", err)
		return
	}
	p.loops = work.New(work.Config{
		App: p.app, Bank: teller{p}, Notices: teller{p}, Tracker: tracker{p}, Hooks: caller{p}, Log: slog.New(heard{p}), AtOnce: 1,
		Post: &work.Letters{App: p.app, Sender: postbox{p}, Operator: letter.Operator{Name: "에스크로", Contact: "1588-0000"}, From: "no-reply@pay.example", FromName: "에스크로"},
	})
	w.p = p
}

// restart ends the living process, if it still lives, and begins another. Either
// its database lives on, as a server's does when one of its nodes ends, and what the
// process had taken stays leased; or the database is opened anew.
func (w *world) restart() {
	if w.err != nil {
		return
	}
	w.p.dead = true
	w.p, w.grouped = nil, false
	whole := w.chance(0.5)
	w.endFrozen()
	if whole {
		if err := w.store.Close(); err != nil {
			w.fail("close the database: %v", err)
			return
		}
		w.store = nil
	}
	w.count("a new process", fmt.Sprintf("on a reopened database: %t", whole))
	w.open()
	w.followAll()
}

// endFrozen ends the calls that hang together with their process, which is dead.
func (w *world) endFrozen() {
	calls := w.frozen
	w.frozen = nil
	for _, c := range calls {
		w.resume(c)
	}
}

// close ends the run.
func (w *world) close() error {
	if w.p != nil {
		w.p.dead = true
		w.p = nil
	}
	w.endFrozen()
	if w.store == nil {
		return nil
	}
	return w.store.Close()
}

// call is a piece of the program's work. It runs on a goroutine of its own, and the
// world waits until it ends or hangs in a call to the outside.
type call struct {
	p      *process
	what   string
	fn     func()
	yields chan bool // true when it has ended
	resume chan struct{}
}

// run has the living process do something. It returns false if the call hangs: it
// ends later.
func (w *world) run(what string, fn func()) bool {
	c := &call{p: w.p, what: what, fn: fn, yields: make(chan bool), resume: make(chan struct{})}
	go func() {
		<-c.resume
		defer func() {
			if r := recover(); r != nil {
				w.fail("%s panicked: %v\n%s", what, r, debug.Stack())
			}
			c.yields <- true
		}()
		c.fn()
	}()
	return w.resume(c)
}

// resume gives the stage to a call until it ends or hangs. A process that ended
// meanwhile is followed by another.
func (w *world) resume(c *call) bool {
	outer := w.running
	w.running, w.current = c.p, c
	c.resume <- struct{}{}
	ended := <-c.yields
	w.running, w.current = outer, nil
	if !ended {
		w.frozen = append(w.frozen, c)
		w.followAll() // what it did before
	}
	if c.p.dead && c.p == w.p {
		w.restart()
	}
	return ended
}

// wake lets one of the hanging calls go on.
func (w *world) wake() {
	if len(w.frozen) == 0 {
		return
	}
	i := w.rng.IntN(len(w.frozen))
	c := w.frozen[i]
	w.frozen = append(w.frozen[:i:i], w.frozen[i+1:]...)
	w.count("a frozen call went on", c.what)
	w.resume(c)
	w.followAll()
}

// at is a place between two steps. An error says that the process has ended here.
func (p *process) at(place string) error {
	w := p.w
	if p.dead {
		return errDead
	}
	if w.faulty && w.chance(w.crashRate(place)) {
		p.dead = true
		w.count("crash "+place, "")
		return errDead
	}
	return nil
}

// rarely are places that a run seldom comes to, where it ends the more often.
const rarely = 20

// halfDone is how often the process ends between the parts of a change of settings or
// of the calendar, in any run.
const halfDone = 0.4

// crashRate is how often the process ends at a place.
func (w *world) crashRate(place string) float64 {
	switch {
	case w.certain:
		return halfDone
	case strings.Contains(place, "notices"):
		return min(w.rates.crash*rarely, halfDone)
	}
	return w.rates.crash
}

// outside is a place at a call to the outside, where the call may also hang.
func (p *process) outside(place string) error {
	w := p.w
	if w.grouped {
		return nil
	}
	if err := p.at(place); err != nil {
		return err
	}
	if w.faulty && len(w.frozen) < maxFrozen && w.current != nil && w.chance(w.rates.freeze) {
		w.count("frozen "+place, w.current.what)
		c := w.current
		c.yields <- false
		<-c.resume
		if p.dead {
			return errDead
		}
	}
	w.pass(w.between(time.Millisecond, 4*time.Second))
	return nil
}

// maxFrozen bounds the calls that hang at a time.
const maxFrozen = 3

// commit stands around every commit of the store.
func (w *world) commit(commit func() error) error {
	if gate := w.gate; gate != nil {
		w.gate = nil
		gate <- struct{}{}
		<-gate
		return commit()
	}
	p := w.running
	if p == nil || !w.faulty {
		if p != nil && p.dead {
			return errDead
		}
		return commit()
	}
	if err := p.at("before a commit"); err != nil {
		return err
	}
	switch x := w.rng.Float64(); {
	case x < w.rates.refuse:
		w.count("a commit was refused", "")
		return errDiskFull
	case w.certain:
	case x < w.rates.refuse+w.rates.unknown/2:
		w.count("a commit was lost and unknown", "")
		return errLostReply
	case x < w.rates.refuse+w.rates.unknown:
		w.count("a commit was made and unknown", "")
		return errors.Join(commit(), errLostReply)
	}
	if err := commit(); err != nil {
		return err
	}
	return p.at("after a commit")
}

// pass lets time pass.
func (w *world) pass(d time.Duration) { w.clock.Advance(max(d, time.Millisecond)) }

func (w *world) now() time.Time { return w.clock.Now() }

func (w *world) today() bizday.Date { return bizday.DateOf(w.now()) }

// fail keeps the first thing that is wrong.
func (w *world) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
		w.note("WRONG: %v", w.err)
	}
}

// count remembers that something happened, and notes it.
func (w *world) count(what, about string) {
	w.seen[what]++
	if about != "" {
		about = ": " + about
	}
	w.note("%s%s", what, about)
}

// note writes a line of the trace.
func (w *world) note(format string, args ...any) {
	line := w.now().In(bizday.KST).Format("2006-01-02 15:04:05.000 ") + fmt.Sprintf(format, args...)
	for _, s := range w.shops { // whose ids are not the seed's
		line = strings.ReplaceAll(line, s.id, s.name)
	}
	w.trace.add(line)
}

// trace is the story of a run: a sum of all lines, and the last of them.
type trace struct {
	sum   hash.Hash64
	lines int
	last  []string
	all   bool // print each line at once
}

// keptLines is how many lines of a trace are kept for a failure.
const keptLines = 150

func (t *trace) add(line string) {
	t.lines++
	_, _ = t.sum.Write(append([]byte(line), '\n')) // a hash takes everything
	if t.all {
		_, _ = fmt.Fprintln(os.Stdout, line)
	}
	if len(t.last) >= 2*keptLines {
		t.last = append(t.last[:0], t.last[keptLines:]...)
	}
	t.last = append(t.last, line)
}

// heard is a log in which an error that the world has not made is a fault.
type heard struct{ p *process }

// Enabled listens to warnings too.
func (heard) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle takes one line of the log.
func (h heard) Handle(_ context.Context, r slog.Record) error {
	if r.Level < slog.LevelError || h.p.dead {
		return nil
	}
	expected := false
	r.Attrs(func(a slog.Attr) bool {
		err, ok := a.Value.Any().(error)
		expected = expected || ok && errors.Is(err, errInjected)
		return true
	})
	if !expected {
		h.p.w.fail("the program logs an error: %s %v", r.Message, r)
	}
	return nil
}

// WithAttrs keeps the log as it is.
func (h heard) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup keeps the log as it is.
func (h heard) WithGroup(string) slog.Handler { return h }
