package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestEverySectionMeasures runs the whole program on a plan that is too small
// to mean anything: what is built, started, loaded and printed is the same.
func TestEverySectionMeasures(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts the server")
	}
	var out bytes.Buffer
	b := &bench{out: &out, plan: plan{
		clients: []int{2}, rounds: 1, warm: 100 * time.Millisecond, span: 500 * time.Millisecond, starts: 1,
		few: 300, many: 600, due: 20, sweeps: 2, acts: 40, autos: 40, lines: 40, payouts: 4, turns: 2,
	}, profiled: map[string]bool{}}
	if err := b.run(t.Context(), ""); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{
		"Holdfast over HTTP on SQLite, divided by", "bare prototype over HTTP", "plain SQL, a commit per step", "memory at rest (resident)", "from exec to ready", "sweep of 20 due", "64 merchants",
		"auto-confirmation, SQLite", "settlement lines into payouts, SQLite",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, &out)
		}
	}
}

func TestWrongFlagsAreNamed(t *testing.T) {
	if _, err := choose("lives,nothing"); err == nil || !strings.Contains(err.Error(), "-only") {
		t.Errorf("an unknown section: %v", err)
	}
	for _, clients := range []string{"0", "x", "1,,8", "100000"} {
		if err := (&bench{}).adjust(clients, 0, 0, 0); err == nil || !strings.Contains(err.Error(), "-clients") {
			t.Errorf("clients %q: %v", clients, err)
		}
	}
	for _, n := range []int{-1, 3, maxOpen + 1} {
		if err := (&bench{plan: quickPlan}).adjustDue(0, n); err == nil || !strings.Contains(err.Error(), "-lines") {
			t.Errorf("lines %d: %v", n, err)
		}
	}
	if err := (&bench{}).adjust("", -1, 0, 0); err == nil || !strings.Contains(err.Error(), "-rounds") {
		t.Errorf("rounds -1: %v", err)
	}
}

// TestTemplateKeepsWhatDiffers replaces the names of a recorded life, and
// nothing else.
func TestTemplateKeepsWhatDiffers(t *testing.T) {
	recorded := names{"imp_000000000007", "90000000000001", "order-0000000007", "600000000007", ""}
	c := split("mail", "id", "imp_000000000007-m2-0 for order-0000000007", recorded)
	own := namesOf(42)
	if got, want := c.value(&own, nil), "imp_000000000042-m2-0 for order-0000000042"; got != want {
		t.Errorf("value %q, want %q", got, want)
	}
	if c := split("mail", "kind", "paid", recorded); c.names != nil || c.value(&own, nil) != "paid" {
		t.Errorf("a text without names became %+v", c)
	}
	if c := split("event", "position", int64(3), recorded); c.value(&own, func() int64 { return 10 }) != int64(10) {
		t.Errorf("a position of the log was not counted on")
	}
}

func TestQuantiles(t *testing.T) {
	var d []time.Duration
	for i := 100; i > 0; i-- {
		d = append(d, time.Duration(i))
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 51, 0.99: 100, 1: 100} {
		if got := quantile(d, q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("nothing has a median")
	}
}

// TestScatteredVisitsEachOnce keeps the confirmations of a measurement apart.
func TestScatteredVisitsEachOnce(t *testing.T) {
	const size = 10_000
	seen := map[int64]bool{}
	for i := range int64(size) {
		n := scattered(i, size)
		if n < firstOpen || n >= firstOpen+size || seen[n] {
			t.Fatalf("number %d gives %d, seen %t", i, n, seen[n])
		}
		seen[n] = true
	}
}

// TestVerdictOfASoak says whether a server grows.
func TestVerdictOfASoak(t *testing.T) {
	var flat, grows []sample
	for i := range 30 {
		flat = append(flat, sample{resident: 100 + float64(i%3), goroutines: 50, files: 30})
		grows = append(grows, sample{resident: 100 + 10*float64(i), goroutines: 50, files: 30})
	}
	if v := verdict(flat); !strings.HasPrefix(v, "Flat") {
		t.Errorf("a flat server: %s", v)
	}
	if v := verdict(grows); !strings.HasPrefix(v, "GROWS: resident memory") {
		t.Errorf("a growing server: %s", v)
	}
}
