package serve_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// settings are those of a sandbox on the engine under test, with an empty
// database and data folder.
func settings(t *testing.T) config.Config {
	t.Helper()
	c := config.Default()
	c.BaseURL, c.Data = "http://127.0.0.1:8080", t.TempDir()
	if os.Getenv("TEST_DATABASE") == "postgres" {
		c.Database = config.Secret(pgtest.Database(t))
	}
	return c
}

// starts starts a server and ends it.
func starts(c config.Config) error {
	s, err := serve.New(context.Background(), c, serve.Options{})
	if err != nil {
		return err
	}
	return s.Close()
}

// TestEveryNodeHasTheSameSecret: a node with another one does not start, unless
// it is told to put it in the place of the old one.
func TestEveryNodeHasTheSameSecret(t *testing.T) {
	c := settings(t)
	if err := starts(c); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(c.Data, "secret.key")
	raw, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(written, []byte(hex.EncodeToString(raw)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*config.Config)) config.Config {
		changed := c
		change(&changed)
		return changed
	}
	for name, same := range map[string]config.Config{
		"the data folder": c, "a file": with(func(c *config.Config) { c.SecretFile = written }),
		"the settings": with(func(c *config.Config) { c.SecretKey = config.Secret(hex.EncodeToString(raw)) }),
	} {
		if err := starts(same); err != nil {
			t.Errorf("the same secret from %s: %v", name, err)
		}
	}
	other := with(func(c *config.Config) { c.SecretKey = config.Secret(strings.Repeat("ab", 32)) })
	if err := starts(other); !errors.Is(err, app.ErrOtherSecret) || !strings.Contains(err.Error(), "--replace-secret") {
		t.Fatalf("another secret: %v", err)
	}
	if err := starts(with(func(c *config.Config) { c.SecretFile = filepath.Join(c.Data, "nowhere") })); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	// A data folder without a secret: none is left there that does not fit.
	if err := os.Rename(own, own+".away"); err != nil {
		t.Fatal(err)
	}
	if err := starts(c); !errors.Is(err, app.ErrOtherSecret) || !strings.Contains(err.Error(), own+" was missing") {
		t.Errorf("no secret in the data folder: %v", err)
	}
	if _, err := os.Stat(own); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a secret of no use was left: %v", err)
	}
	if err := os.Rename(own+".away", own); err != nil {
		t.Fatal(err)
	}
	replaces := other
	replaces.ReplaceSecret = true
	if err := errors.Join(starts(replaces), starts(other)); err != nil {
		t.Errorf("a secret that replaces the old one: %v", err)
	}
	if err := starts(c); !errors.Is(err, app.ErrOtherSecret) {
		t.Errorf("the old secret after it was replaced: %v", err)
	}
}

// TestANewerDatabaseIsLeftAlone: a program that does not know the newest step of
// the schema does not start.
func TestANewerDatabaseIsLeftAlone(t *testing.T) {
	c := settings(t)
	if c.Database == "" {
		t.Skip("sqlite_test.go of the store has it")
	}
	if err := starts(c); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, string(c.Database), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
	if err := starts(c); !errors.Is(err, store.ErrNewer) || !strings.Contains(err.Error(), "9999") {
		t.Errorf("a newer schema: %v", err)
	}
}

// TestAServerRetires: it says that it is not ready, answers as before, and begins
// no more work of its own.
func TestAServerRetires(t *testing.T) {
	ctx := context.Background()
	s := servetest.Run(t)
	if got := s.Call("GET", "/readyz", nil, nil).Status; got != http.StatusOK {
		t.Fatalf("/readyz: %d", got)
	}
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s.Retire(wait)
	if wait.Err() != nil {
		t.Fatal("the loops did not end")
	}
	if got := s.Call("GET", "/readyz", nil, nil).Status; got != http.StatusServiceUnavailable {
		t.Errorf("/readyz of a server that retires: %d", got)
	}
	p, err := s.App.OpenWithAccount(ctx, s.Merchant, order("retire-1"), appAccount)
	if err != nil {
		t.Fatalf("a call after it: %v", err)
	}
	mails, err := s.App.Mails(ctx, s.Merchant, p.ID, 0, 10)
	if err != nil || len(mails) != 1 || mails[0].State != app.MailPending {
		t.Errorf("mails %+v; %v", mails, err)
	}
	s.Drain() // what somebody waits for is done all the same
	if mails, _ = s.App.Mails(ctx, s.Merchant, p.ID, 0, 10); mails[0].State != app.MailSent {
		t.Errorf("the mail is %s", mails[0].State)
	}
}
