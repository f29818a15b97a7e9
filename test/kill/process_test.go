package kill_test

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
)

// readyWithin bounds a start; it takes a fraction of a second.
const readyWithin = 30 * time.Second

// process is the program under test on one folder and one address.
type process struct {
	t         *testing.T
	bin, data string
	database  string // connection URL of PostgreSQL; empty for SQLite
	addr      string
	cmd       *exec.Cmd
	said      *tail
}

// build makes the program.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "holdfast")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "github.com/holdfast-pay/holdfast/cmd/holdfast").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

func newProcess(t *testing.T) *process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, bin: build(t), data: t.TempDir(), addr: addr, said: &tail{}}
	t.Cleanup(func() {
		if p.cmd != nil {
			p.kill()
		}
		if t.Failed() {
			t.Logf("the program said:\n%s", p.said)
		}
	})
	return p
}

func (p *process) url() string { return "http://" + p.addr }

// start runs the program and waits until it is ready.
func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.bin, "serve", "--seed", "--listen", p.addr, "--data", p.data)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "HOLDFAST_") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Env = append(p.cmd.Env, "HOLDFAST_BASE_URL="+p.url(), "HOLDFAST_DATABASE="+p.database)
	p.cmd.Stderr = p.said // what it prints at the start is the same each time
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	if err := p.ready(ctx); err != nil {
		p.t.Fatalf("the program is not ready: %v\n%s", err, p.said)
	}
}

// ready waits until the program answers.
func (p *process) ready(ctx context.Context) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url()+"/readyz", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close() // only the status counts
			if res.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("status %d", res.StatusCode)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// kill ends the program without a warning.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	_ = p.cmd.Wait()
	p.cmd = nil
}

// stop ends the program as an operator would, and asks that it says goodbye.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("the program did not end well: %v\n%s", err, p.said)
	}
	p.cmd = nil
}

// tail keeps the last of what was written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// maxTail bounds what is kept, in bytes.
const maxTail = 64 << 10

// Write keeps the end of everything.
func (w *tail) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.buf.Len()+len(b) > maxTail {
		w.buf.Reset()
	}
	return w.buf.Write(b)
}

// String is what was kept.
func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}
