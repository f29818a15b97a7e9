// Command bench measures Holdfast and prints what it found. `make bench` runs
// it; docs/performance.md says what the figures mean and what was found when.
//
// # What is measured
//
//   - lives: whole escrow lives per second over HTTP (an account is issued, the
//     deposit arrives, the delivery is registered, the buyer confirms) with 1, 8
//     and 64 clients; the same acts through the door without HTTP; and the same
//     rows written by plain SQL, one transaction per step and in grouped commits,
//     as the measure of what this disk and this SQLite can do.
//   - size: memory at rest and under load, the time from exec to the first answer
//     of /readyz, the size of the program.
//   - hot: the same lives at one merchant against many.
//   - due: auto-confirmation and settlement in masses against set-based SQL.
//   - many: the cost of a confirmation, and of a sweep that finds 10,000 payments
//     due, with a million open escrows against ten thousand.
//   - hooks: how long after its commit an event arrives at a shop, how many arrive
//     per second at one endpoint and at a hundred, and what the drain of a backlog
//     does to the times of the door.
//
// # What is always true
//
// The server that is measured over HTTP is cmd/holdfast in a process of its own.
// The load comes from this process, which runs on the same cores: what it uses is
// printed beside the result. Figures that are divided by each other come from one
// run and take turns, so that a slow minute of the disk hurts both. Every database
// lives in a temporary folder and is durable like a real one (WAL, synchronous
// FULL). Every phase is bounded in time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// heapGrowth is what cmd/holdfast allows itself, for what is measured without it.
const heapGrowth = 300

// timeLimit is the longest that everything together may take.
const timeLimit = 40 * time.Minute

// plan is how much is measured.
type plan struct {
	clients []int
	rounds  int
	warm    time.Duration // not counted
	span    time.Duration // counted, per world, count of clients and round
	starts  int           // how often the start of the server is timed
	few     int           // open escrows of the smaller database
	many    int           // and of the larger one
	due     int           // due payments per sweep
	sweeps  int
	acts    int // confirmations whose latency is taken
	autos   int // escrows that time confirms
	lines   int // confirmed lines that are paid out
	payouts int // and into how many payouts
	turns   int // in how many turns
	backlog int // events that an endpoint has missed
}

var (
	fullPlan = plan{
		clients: []int{1, 8, 64}, rounds: 3, warm: time.Second, span: 3 * time.Second, starts: 7,
		few: 10_000, many: 1_000_000, due: 10_000, sweeps: 3, acts: 4_000, autos: 100_000, lines: 1_000_000, payouts: 10_000, turns: 4, backlog: 100_000,
	}
	quickPlan = plan{
		clients: []int{1, 8}, rounds: 1, warm: 200 * time.Millisecond, span: time.Second, starts: 2,
		few: 1_000, many: 5_000, due: 100, sweeps: 2, acts: 200, autos: 2_000, lines: 10_000, payouts: 100, turns: 2, backlog: 2_000,
	}
)

// section is one part of the measurement.
type section struct {
	name string
	run  func(context.Context, *bench) error
}

var sections = []section{{"lives", lives}, {"hot", hot}, {"size", size}, {"many", many}, {"due", due}, {"hooks", hooks}}

// bench is what the sections share.
type bench struct {
	plan
	out      io.Writer
	dir      string // temporary; everything is below it
	program  string // the built server
	self     string // this program, built
	engine   string // measure on this engine alone: sqlite, postgres; empty for both
	profile  string // beginning of the names of CPU profiles; empty for none
	profiled map[string]bool
	soaking  time.Duration // how long a server is loaded; 0 measures the sections
}

func main() {
	quick := flag.Bool("quick", false, "measure little, to see that everything works (some minutes)")
	only := flag.String("only", "", "measure these sections alone, comma separated: "+strings.Join(sectionNames(), ", "))
	clients := flag.String("clients", "", "counts of clients for the section lives, comma separated, in the place of the usual ones")
	soaking := flag.Duration("soak", 0, "instead of everything else: load each server for so long, and say whether its memory grows (1h; 1m to see that it works)")
	open := flag.Int("open", 0, "open escrows of the larger database of the section many, in the place of a million")
	rounds := flag.Int("rounds", 0, "rounds of the section lives, in the place of the usual number")
	autos := flag.Int("autos", 0, "escrows that time confirms in the section due, in the place of the usual number")
	lines := flag.Int("lines", 0, "confirmed lines that are paid out in the section due, a hundred per payout, in the place of the usual number")
	engine := flag.String("engine", "", "measure on one engine alone: sqlite or postgres")
	profile := flag.String("profile", "", "leave CPU profiles in files of this name, followed by what was measured: of the server, which then runs from this program, and of the turns of due work")
	child := flag.String("child", "", "internal: be the profiled server on the given data folder")
	bare := flag.String("bare", "", "internal: be the bare prototype on the given data folder")
	listen := flag.String("listen", "", "internal: with -child or -bare, the address to listen on")
	flag.Parse()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case *child != "":
		err = serveProfiled(ctx, *child, *listen, *profile)
	case *bare != "":
		err = serveBare(ctx, *bare, *listen)
	default:
		ctx, cancel := context.WithTimeout(ctx, timeLimit+4**soaking)
		defer cancel()
		b := &bench{plan: fullPlan, out: os.Stdout, engine: *engine, profile: *profile, profiled: map[string]bool{}}
		if *quick {
			b.plan = quickPlan
		}
		if err = b.adjustDue(*autos, *lines); err != nil {
			break
		}
		if err = b.adjust(*clients, *rounds, *open, *soaking); err == nil {
			err = b.run(ctx, *only)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // the contexts end with the process
	}
}

// run measures the chosen sections and cleans up behind them.
func (b *bench) run(ctx context.Context, only string) (err error) {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	if b.soaking > 0 {
		chosen = []section{{"soak", soak}}
	}
	if b.dir, err = os.MkdirTemp("", "holdfast-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	began := time.Now()
	if err := b.build(ctx); err != nil {
		return err
	}
	b.say("Holdfast, measured on %s/%s with %d cores, %s. The load generator runs on the same cores.", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	for _, s := range chosen {
		b.say("\n## %s", s.name)
		if err := s.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	b.say("\nTook %.0f s.", time.Since(began).Seconds())
	return nil
}

// adjust changes the plan by the flags.
func (b *bench) adjust(clients string, rounds, open int, soaking time.Duration) error {
	if soaking < 0 || soaking > maxSoak {
		return fmt.Errorf("-soak: at most %s", maxSoak)
	}
	b.soaking = soaking
	if open < 0 || open > maxOpen {
		return fmt.Errorf("-open: at most %d", maxOpen)
	}
	if open > 0 {
		b.many = open
	}
	if rounds < 0 || rounds > maxRounds {
		return fmt.Errorf("-rounds: at most %d", maxRounds)
	}
	if rounds > 0 {
		b.rounds = rounds
	}
	if clients == "" {
		return nil
	}
	b.plan.clients = nil
	for text := range strings.SplitSeq(clients, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxClients {
			return fmt.Errorf("-clients %q: must be numbers from 1 to %d", clients, maxClients)
		}
		b.plan.clients = append(b.plan.clients, n)
	}
	return nil
}

// linesPerPayout is how many lines a payout has when their number is chosen.
const linesPerPayout = 100

// adjustDue changes how much work falls due.
func (b *bench) adjustDue(autos, lines int) error {
	if autos < 0 || autos > maxOpen || lines < 0 || lines > maxOpen || (lines > 0 && lines < linesPerPayout*b.turns) {
		return fmt.Errorf("-autos and -lines: at most %d, and at least %d lines", maxOpen, linesPerPayout*b.turns)
	}
	if autos > 0 {
		b.autos = autos
	}
	if lines > 0 {
		b.lines, b.payouts = lines, lines/linesPerPayout
	}
	return nil
}

// Bounds of the flags.
const (
	maxRounds  = 100
	maxClients = 1024
	maxOpen    = 10_000_000
)

// choose returns the sections named, or all of them.
func choose(only string) ([]section, error) {
	if only == "" {
		return sections, nil
	}
	var out []section
	for name := range strings.SplitSeq(only, ",") {
		found := false
		for _, s := range sections {
			if s.name == name {
				out, found = append(out, s), true
			}
		}
		if !found {
			return nil, fmt.Errorf("-only %q: there is %s", name, strings.Join(sectionNames(), ", "))
		}
	}
	return out, nil
}

func sectionNames() (out []string) {
	for _, s := range sections {
		out = append(out, s.name)
	}
	return out
}

func (b *bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.out, format+"\n", args...) }
