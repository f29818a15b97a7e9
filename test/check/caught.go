package check

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// tries is how often a harness may look for a planted bug: what a fault meets is
// a matter of chance, and on a busy machine it meets little.
const tries = 3

// Caught runs a harness against a program with a planted bug, and fails unless
// the harness fails: one that cannot fail proves nothing.
func Caught(t *testing.T, harness func(t testing.TB)) {
	t.Helper()
	for range tries {
		c := &catcher{TB: t}
		done := make(chan struct{})
		go func() { // a goroutine of its own, because Fatal ends it
			defer close(done)
			harness(c)
		}()
		<-done
		if found := c.found(); len(found) > 0 {
			t.Logf("the planted bug was caught by %d complaints; the first: %s", len(found), found[0])
			return
		}
	}
	t.Errorf("the planted bug was not caught in %d tries", tries)
}

// catcher takes note of failures in the place of a test.
type catcher struct {
	testing.TB
	mu    sync.Mutex
	notes []string
}

func (c *catcher) note(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notes = append(c.notes, text)
}

func (c *catcher) found() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notes
}

// Failed reports whether the harness has complained.
func (c *catcher) Failed() bool { return len(c.found()) > 0 }

// Error takes note.
func (c *catcher) Error(args ...any) { c.note(fmt.Sprint(args...)) }

// Errorf takes note.
func (c *catcher) Errorf(format string, args ...any) { c.note(fmt.Sprintf(format, args...)) }

// Log says nothing: what a broken program tells is of no interest.
func (*catcher) Log(...any) {}

// Logf says nothing.
func (*catcher) Logf(string, ...any) {}

// Fail takes note.
func (c *catcher) Fail() { c.note("it failed") }

// Fatal takes note and ends the harness.
func (c *catcher) Fatal(args ...any) {
	c.note(fmt.Sprint(args...))
	runtime.Goexit()
}

// Fatalf takes note and ends the harness.
func (c *catcher) Fatalf(format string, args ...any) {
	c.note(fmt.Sprintf(format, args...))
	runtime.Goexit()
}

// FailNow takes note and ends the harness.
func (c *catcher) FailNow() {
	c.note("it failed")
	runtime.Goexit()
}
