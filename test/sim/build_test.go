package sim_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// build makes this package's tests into a program, without the race detector.
func build(t *testing.T, args ...string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "sim.test")
	args = append(append([]string{"test", "-c", "-o", bin}, args...), "github.com/holdfast-pay/holdfast/test/sim")
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// childLimit bounds a run of the program; it takes a small part of that.
const childLimit = 5 * time.Minute

// runChild runs the program's simulation and returns what it said.
func runChild(t *testing.T, bin string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), childLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, bin, append([]string{"-test.v", "-test.run", "TestSimulation$"}, args...)...).CombinedOutput()
	return string(out), err
}
