package disk_test

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/test/check"
	"github.com/holdfast-pay/holdfast/test/load"
	"github.com/holdfast-pay/holdfast/test/program"
)

var cuts = flag.Int("cuts", 25, "how often the power is cut")

const (
	// The power stays between these two, from the program's being ready.
	shortest, longest = 20 * time.Millisecond, 400 * time.Millisecond
	// dead is how long the program lives on without a disk. What it says meanwhile
	// nobody would hear; what it does must not harm what is on the disk.
	dead = 20 * time.Millisecond
	// powerDisk and plantedCuts are the size of the disk and the cuts that a
	// planted bug may survive at most.
	powerDisk   = 512 << 20
	plantedCuts = 10
)

func TestPowerCut(t *testing.T) {
	if testing.Short() {
		t.Skip("cuts the power of the program's disk")
	}
	powerCut(t, "", *cuts)
}

// TestPowerCutPlanted: a program that leaves the flush of its log to later is caught.
func TestPowerCutPlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("cuts the power of the program's disk")
	}
	check.Caught(t, func(t testing.TB) { powerCut(t, fault.LazySync, plantedCuts) })
}

func powerCut(t testing.TB, bug fault.Bug, cuts int) {
	t.Helper()
	d := newDisk(t, powerDisk)
	p := program.New(t, program.Build(t, bug))
	p.Data = filepath.Join(d.dir, "data")
	hooks := load.NewReceiver(t)
	began := time.Now()
	p.Start()
	l := load.Start(t, load.Config{Base: p.URL, Notice: hooks.URL})
	for n := 0; n < cuts && !t.Failed(); n++ {
		time.Sleep(shortest + rand.N(longest-shortest))
		l.PowerOff()
		d.cut()
		time.Sleep(dead)
		p.Kill()
		l.PowerOn()
		d.again()
		p.Start()
	}
	l.Stop()
	took := time.Since(began)
	l.Advance(t, "336h")
	p.Stop()
	s := check.After{Acks: l.Acks(), Clock: l.Clock(), Came: hooks.Came, Broken: hooks.Broken}.Program(t, p.Data, "")
	t.Logf("%d power cuts in %s, %d steps acknowledged, %d calls repeated: %+v", cuts, took.Round(time.Second), l.Count(), l.Repeated(), s)
	if l.Count() < cuts {
		t.Errorf("%d steps are too few to show anything", l.Count())
	}
}
