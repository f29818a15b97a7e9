package contract

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// journeyTimeout bounds one client's journey; it takes about two seconds.
const journeyTimeout = 2 * time.Minute

// TestClients sends unmodified PortOne clients from npm, of V1 and of V2, on a shop's journey against the
// real server over HTTP. Each file in test/clients is one client.
func TestClients(t *testing.T) {
	dir := clientsFolder(t)
	journeys, err := filepath.Glob(filepath.Join(dir, "*.test.mjs"))
	if err != nil || len(journeys) == 0 {
		t.Fatalf("no journeys in %s: %v", dir, err)
	}
	server := servetest.Run(t, servetest.RealClock())
	for _, journey := range journeys {
		t.Run(filepath.Base(journey), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), journeyTimeout)
			defer cancel()
			node := exec.CommandContext(ctx, "node", "--test", journey)
			node.Dir = dir
			node.Env = append(os.Environ(), "HOLDFAST_URL="+server.URL, "IMP_CODE="+server.Code, "IMP_KEY="+server.Key, "IMP_SECRET="+server.Secret, "API_SECRET="+server.API)
			if out, err := node.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}

// clientsFolder is test/clients, once its packages are installed. Where they are not, the test
// is skipped, except on CI, where `make test` has promised them.
func clientsFolder(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("real clients are left out of the short tests")
	}
	dir, err := filepath.Abs(filepath.Join("..", "clients"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json"))
	switch {
	case err == nil:
		return dir
	case errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "":
		t.Skip("the clients are not installed: run `make test`, or `npm ci` in test/clients")
	}
	t.Fatalf("the clients are not installed: %v", err)
	return ""
}
