// Package browser sends buyers and a shop's staff through real browsers: Debian's Chromium, driven by
// playwright-core, against the real server and shop pages on another site.
package browser

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// storiesTimeout bounds one file of stories; the longest takes about half a minute.
const storiesTimeout = 5 * time.Minute

// shops are how the shop of a file of stories is set, where it is not as all are.
var shops = map[string]func(*merchant.Merchant){
	"manual.test.mjs": func(m *merchant.Merchant) { m.Profile.ManualApproval = true },
}

// TestStories runs each file of stories against a server of its own.
func TestStories(t *testing.T) {
	chromium := surroundings(t)
	stories, err := filepath.Glob("*.test.mjs")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories here: %v", err)
	}
	artefacts, err := filepath.Abs(filepath.Join("..", "..", "artefacts"))
	if err != nil {
		t.Fatal(err)
	}
	for _, story := range stories {
		t.Run(story, func(t *testing.T) {
			server := servetest.Run(t, servetest.RealClock())
			if change := shops[story]; change != nil {
				server.Change(change)
			}
			bank := playBank(t, server)
			ctx, cancel := context.WithTimeout(t.Context(), storiesTimeout)
			defer cancel()
			node := exec.CommandContext(ctx, "node", "--test-reporter=spec", story)
			node.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			node.Cancel = func() error { return syscall.Kill(-node.Process.Pid, syscall.SIGKILL) } // the browser too
			node.Env = append(os.Environ(), "HOLDFAST_URL="+server.URL, "IMP_CODE="+server.Code, "CHANNEL_KEY="+channelKey(t, server), "API_SECRET="+server.API, "IMP_KEY="+server.Key,
				"IMP_SECRET="+server.Secret, "CONSOLE_EMAIL="+serve.SeedEmail, "CONSOLE_PASSWORD="+serve.SeedPassword, "BANK_URL="+bank, "ARTEFACTS="+artefacts, "CHROMIUM="+chromium)
			if out, err := node.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			server.CheckBooks()
		})
	}
}

// channelKey is the shop's channel in V2.
func channelKey(t *testing.T, server *servetest.Server) string {
	m, err := server.App.Merchant(t.Context(), server.Merchant)
	if err != nil {
		t.Fatal(err)
	}
	return m.ChannelKey
}

// playBank answers POST /deposit?number=ACCOUNT by paying exactly what the account waits for, and
// returns its address.
func playBank(t *testing.T, server *servetest.Server) string {
	bank := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number := r.URL.Query().Get("number")
		payments, _, err := server.App.Payments(r.Context(), server.Merchant, app.Filter{}, app.Order{}, 0, 100)
		for _, p := range payments {
			if err != nil || p.Account == nil || p.Account.Number != number {
				continue
			}
			_, err = server.App.Deposit(r.Context(), p.Account.BankAccount, escrow.NotifyDeposit{BankTx: "tx-" + number, Amount: p.Amount, At: server.Now()})
			if err == nil {
				return
			}
		}
		http.Error(w, fmt.Sprintf("no deposit on %s: %v", number, err), http.StatusInternalServerError)
	}))
	t.Cleanup(bank.Close)
	return bank.URL
}

// surroundings finds the browser and the packages. Where they are missing the test is skipped,
// except on CI, where `make test` has promised them.
func surroundings(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("browsers are left out of the short tests")
	}
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	for path, how := range map[string]string{
		chromium: "install Debian's chromium, or set CHROMIUM",
		filepath.Join("node_modules", ".package-lock.json"):                                 "run `npm ci` in test/browser",
		filepath.Join("..", "clients", "node_modules", ".package-lock.json"):                "run `npm ci` in test/clients",
		filepath.Join("..", "..", "examples", "shop", "node_modules", ".package-lock.json"): "run `npm ci` in examples/shop",
	} {
		_, err := os.Stat(path)
		switch {
		case err == nil:
		case errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "":
			t.Skipf("%s is missing: %s, or run `make test`, which does it", path, how)
		default:
			t.Fatalf("%s is missing: %s (%v)", path, how, err)
		}
	}
	return chromium
}
