package disk_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/test/check"
	"github.com/holdfast-pay/holdfast/test/load"
	"github.com/holdfast-pay/holdfast/test/program"
)

var fills = flag.Int("fills", 3, "how often the disk is filled")

const (
	// fullDisk is the size of the disk that is filled.
	fullDisk = 96 << 20
	// refusedWithin bounds the time until the program meets the end of the disk,
	// backWithin that until it works again when there is space.
	refusedWithin = 30 * time.Second
	backWithin    = 10 * time.Second
	// some is how many steps are waited for before and after.
	some = 20
)

func TestFull(t *testing.T) {
	if testing.Short() {
		t.Skip("fills the program's disk")
	}
	full(t, "", *fills)
}

// TestFullPlanted: a program that takes a refused commit for done is caught.
func TestFullPlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("fills the program's disk")
	}
	check.Caught(t, func(t testing.TB) { full(t, fault.IgnoreFailedCommit, 1) })
}

func full(t testing.TB, bug fault.Bug, fills int) {
	t.Helper()
	d := newDisk(t, fullDisk)
	p := program.New(t, program.Build(t, bug))
	p.Data = filepath.Join(d.dir, "data")
	hooks := load.NewReceiver(t)
	p.Start()
	l := load.Start(t, load.Config{Base: p.URL, Notice: hooks.URL})
	began, back := time.Now(), time.Duration(0)
	for n := 0; n < fills && !t.Failed(); n++ {
		if !l.More(some, refusedWithin) {
			t.Fatalf("the program does not work: %d steps", l.Count())
		}
		before := l.Refused()
		fill(t, d.dir)
		refused(t, l, p, before)
		if err := os.Remove(filler(d.dir)); err != nil {
			t.Fatal(err)
		}
		emptied := time.Now()
		if !l.More(some, backWithin) {
			t.Fatalf("there is space again, and the program does not work")
		}
		back = max(back, time.Since(emptied))
	}
	l.Stop()
	took := time.Since(began)
	l.Advance(t, "336h")
	p.Stop()
	s := check.After{Acks: l.Acks(), Clock: l.Clock(), Came: hooks.Came, Broken: hooks.Broken}.Program(t, p.Data, "")
	t.Logf("filled %d times in %s; back after at most %s, %d steps acknowledged, %d calls repeated: %+v",
		fills, took.Round(time.Second), back.Round(time.Millisecond), l.Count(), l.Repeated(), s)
}

func filler(dir string) string { return filepath.Join(dir, "filler") }

// fill leaves no space on the disk.
func fill(t testing.TB, dir string) {
	t.Helper()
	f, err := os.Create(filler(dir))
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err = f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2] // the last bytes too
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// refused waits until the program refuses to write, in the words of a server
// that cannot work now, and asks that it reads all the same.
func refused(t testing.TB, l *load.Load, p *program.Program, before int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), refusedWithin)
	defer cancel()
	for l.Refused() == before {
		select {
		case <-ctx.Done():
			t.Fatal("the disk is full, and the program refuses nothing")
		case <-time.After(10 * time.Millisecond):
		}
	}
	for _, id := range l.Acknowledged(some) {
		if err := l.Read(ctx, id); err != nil {
			t.Errorf("the disk is full, and payment %s cannot be read: %v", id, err)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		res, err := http.Get(p.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("the disk is full, and %s answers %d %s (%v)", path, res.StatusCode, body, err)
		}
	}
}
