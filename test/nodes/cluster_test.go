package nodes_test

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
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

const (
	// size is how many nodes there are.
	size = 3
	// readyWithin bounds a start, which takes a fraction of a second.
	readyWithin = 30 * time.Second
)

// cluster is several nodes of the program on one database, and a balancer
// before them.
type cluster struct {
	t        *testing.T
	server   *pgtest.Server
	database string // URL of the database, without anything between
	nodes    []*node
	front    string // URL of the balancer
}

// setup says how a cluster differs from the usual one.
type setup struct {
	bug fault.Bug // built into every node; empty for none
	// databases are what each node is told; nil when all reach the server directly.
	databases []string
	env       []string // of every node, each NAME=value
}

// start runs the nodes and the balancer until the end of the test.
func start(t *testing.T, server *pgtest.Server, s setup) *cluster {
	t.Helper()
	c := &cluster{t: t, server: server, database: server.TCP("postgres")}
	balancer := freeAddress(t)
	c.front = "http://" + balancer
	bin, data := build(t, s.bug), t.TempDir()
	for i := range size {
		n := &node{t: t, name: fmt.Sprintf("node%d", i+1), bin: bin, addr: freeAddress(t), said: &tail{}}
		database := c.database
		if s.databases != nil {
			database = s.databases[i]
		}
		// The nodes share a folder for the sake of the server's key.
		n.env = append([]string{"HOLDFAST_BASE_URL=" + c.front, "HOLDFAST_DATABASE=" + database, "HOLDFAST_DATA=" + data}, s.env...)
		c.nodes = append(c.nodes, n)
		t.Cleanup(n.cleanUp)
		n.start()
	}
	balance(t, balancer, c.nodes)
	return c
}

// node is one process of the program.
type node struct {
	t         *testing.T
	name      string
	bin, addr string
	env       []string
	said      *tail

	mu  sync.Mutex
	cmd *exec.Cmd // nil while it does not run
}

func (n *node) url() string { return "http://" + n.addr }

// start runs the node and waits until it is ready.
func (n *node) start() {
	n.t.Helper()
	cmd := exec.Command(n.bin, "serve", "--seed", "--listen", n.addr) //nolint:noctx // it is ended by a signal
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "HOLDFAST_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, n.env...)
	cmd.Stderr = n.said // what it prints at the start is the same each time
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	n.cmd = cmd
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(n.t.Context(), readyWithin)
	defer cancel()
	if err := ready(ctx, n.url()); err != nil {
		n.t.Fatalf("%s is not ready: %v\n%s", n.name, err, n.said)
	}
}

// kill ends the node without a warning.
func (n *node) kill() {
	n.mu.Lock()
	cmd := n.cmd
	n.cmd = nil
	n.mu.Unlock()
	if cmd != nil {
		_ = cmd.Process.Kill() // it may be gone already
		_ = cmd.Wait()
	}
}

func (n *node) cleanUp() {
	n.kill()
	if n.t.Failed() {
		n.t.Logf("%s said:\n%s", n.name, n.said)
	}
}

// ready waits until a server says that it is ready.
func ready(ctx context.Context, url string) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
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

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // its port is all that is wanted
	return l.Addr().String()
}

// built are the programs that this run has built, by bug.
var built = struct {
	sync.Mutex
	dir   string
	paths map[fault.Bug]string
}{paths: map[fault.Bug]string{}}

// build makes the program, with a bug or without, once for all tests.
func build(t *testing.T, bug fault.Bug) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if path := built.paths[bug]; path != "" {
		return path
	}
	path := filepath.Join(built.dir, "holdfast-"+string(bug))
	args := []string{"build", "-o", path}
	if bug != "" {
		args = append(args, "-tags", "planted", "-ldflags", "-X github.com/holdfast-pay/holdfast/internal/fault.bug="+string(bug))
	}
	out, err := exec.CommandContext(t.Context(), "go", append(args, "github.com/holdfast-pay/holdfast/cmd/holdfast")...).CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	built.paths[bug] = path
	return path
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "holdfast-nodes-")
	if err != nil {
		panic(err)
	}
	built.dir = dir
	code := m.Run()
	_ = os.RemoveAll(dir) // it lies in the folder for what is temporary
	os.Exit(code)
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
