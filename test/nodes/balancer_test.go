package nodes_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/test/program"
)

// haproxyConfig is a balancer as an operator would set it up: a node gets work
// while its /readyz is well, and a connection that a node does not take is
// offered to another. A request that may have reached a node is not repeated.
const haproxyConfig = `
global
  maxconn 2000
defaults
  mode http
  timeout connect 1s
  timeout client 75s
  timeout server 75s
  retries 3
  option redispatch 1
frontend front
  bind %s
  default_backend nodes
backend nodes
  balance roundrobin
  option httpchk GET /readyz
  http-check expect status 200
  default-server check inter 100ms fall 2 rise 1
`

// balance runs haproxy before the nodes until the end of the test. Where it is
// missing the test is skipped, or fails with CI set.
func balance(t testing.TB, addr string, nodes []*program.Program) {
	t.Helper()
	bin := needHaproxy(t)
	var text strings.Builder
	fmt.Fprintf(&text, haproxyConfig, addr)
	for i, n := range nodes {
		fmt.Fprintf(&text, "  server node%d %s\n", i+1, n.Addr)
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(bin, "-db", "-f", file) //nolint:noctx // it is ended by a signal
	cmd.Stdout, cmd.Stderr = &said, &said
	program.DieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may be gone already
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("haproxy said:\n%s", said.String())
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	if err := ready(ctx, "http://"+addr); err != nil {
		t.Fatalf("haproxy is not ready: %v", err) // what it says is shown at its end
	}
}

func needHaproxy(t testing.TB) string {
	t.Helper()
	for _, path := range []string{"haproxy", "/usr/sbin/haproxy"} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	const missing = "haproxy is not installed (Debian: apt-get install haproxy)"
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}
