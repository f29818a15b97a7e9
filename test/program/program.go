// Package program runs the program itself as a process of its own, as an
// operator would, so that a test can kill it, stop it or freeze it.
//
// The binary is built without the race detector, whatever the test has: it has
// to start in a fraction of a second and to carry a real load.
package program

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/fault"
)

const (
	// readyWithin bounds a start; it takes a fraction of a second.
	readyWithin = 30 * time.Second
	// look is the pause between two looks whether the program is ready.
	look = 5 * time.Millisecond
	// lookLimit bounds one look.
	lookLimit = 2 * time.Second
	// maxSaid bounds what is kept of what the program says, in bytes.
	maxSaid = 64 << 10
	path    = "github.com/holdfast-pay/holdfast/"
)

// Build makes the program, with a planted bug unless it is empty, and returns
// the path of the binary, which goes with the test.
func Build(t testing.TB, bug fault.Bug) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "holdfast")
	args := []string{"build", "-o", bin, "-ldflags", "-s -w"}
	if bug != "" {
		args = []string{"build", "-o", bin, "-tags", "planted", "-ldflags", "-s -w -X " + path + "internal/fault.bug=" + string(bug)}
	}
	out, err := exec.CommandContext(t.Context(), "go", append(args, path+"cmd/holdfast")...).CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// Program is the program on one data folder and one address.
type Program struct {
	Bin  string
	Data string
	// Database is the connection URL of PostgreSQL; empty for SQLite.
	Database string
	Addr     string
	// Env are further settings, each NAME=value; they win.
	Env []string

	t    testing.TB
	cmd  *exec.Cmd
	said said
}

// New returns the program of a binary on a free address and a data folder of the
// test's own. It is killed at the end of the test.
func New(t testing.TB, bin string) *Program {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Program{t: t, Bin: bin, Data: t.TempDir(), Addr: l.Addr().String()}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("the program on %s said:\n%s", p.Addr, p.Said())
		}
	})
	return p
}

// URL is where the program answers.
func (p *Program) URL() string { return "http://" + p.Addr }

// Start runs the program and waits until it is ready.
func (p *Program) Start() {
	p.t.Helper()
	if err := p.Launch(); err != nil {
		p.t.Fatal(err)
	}
}

// Launch is Start with an error that the test can look at.
func (p *Program) Launch() error {
	p.cmd = exec.Command(p.Bin, "serve", "--seed", "--listen", p.Addr, "--data", p.Data) //nolint:noctx // it ends by Kill or Stop
	p.cmd.Env = append(clean(os.Environ()), "HOLDFAST_BASE_URL="+p.URL(), "HOLDFAST_DATABASE="+p.Database)
	p.cmd.Env = append(p.cmd.Env, p.Env...)
	DieWithParent(p.cmd)
	p.cmd.Stderr = &p.said // what it prints at the start is the same each time
	if err := p.cmd.Start(); err != nil {
		p.cmd = nil
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	if err := p.Ready(ctx); err != nil {
		return fmt.Errorf("the program is not ready: %w\n%s", err, p.Said())
	}
	return nil
}

// clean is an environment without settings of the program.
func clean(env []string) (out []string) {
	for _, v := range env {
		if !strings.HasPrefix(v, "HOLDFAST_") {
			out = append(out, v)
		}
	}
	return out
}

// Ready waits until the program says that it is ready.
func (p *Program) Ready(ctx context.Context) error {
	for {
		err := p.look(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(look):
		}
	}
}

func (p *Program) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL()+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = res.Body.Close() // only the status counts
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}

// Kill ends the program without a warning, if it runs.
func (p *Program) Kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may be gone already
	_ = p.cmd.Wait()
	p.cmd = nil
}

// Stop ends the program as an operator would, and asks that it ends well.
func (p *Program) Stop() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("the program did not end well: %v\n%s", err, p.Said())
	}
	p.cmd = nil
}

// Signal sends a signal to the running program: SIGSTOP freezes it, SIGCONT
// lets it go on.
func (p *Program) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// Said is the end of what the program wrote to its log.
func (p *Program) Said() string { return p.said.String() }

// said keeps the end of what was written to it.
type said struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *said) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.buf.Len()+len(b) > maxSaid {
		w.buf.Reset()
	}
	return w.buf.Write(b)
}

func (w *said) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}
