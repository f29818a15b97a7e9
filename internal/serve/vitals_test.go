package serve_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// skewed is a machine's clock that is wrong.
type skewed struct {
	mu sync.Mutex
	by time.Duration
}

func (s *skewed) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return clock.Real{}.Now().Add(s.by)
}

func (s *skewed) set(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by = by
}

// onServer are the settings of a sandbox on a PostgreSQL of its own.
func onServer(t *testing.T) config.Config {
	t.Helper()
	if _, err := pgtest.Binaries(); err != nil {
		t.Skip("needs a PostgreSQL:", err)
	}
	c := config.Default()
	c.BaseURL, c.Data, c.Seed = "http://127.0.0.1:8080", t.TempDir(), true
	c.Database = config.Secret(pgtest.Database(t))
	return c
}

// node starts a server that ends with the test.
func node(t *testing.T, c config.Config, o serve.Options) *serve.Server {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	s, err := serve.New(context.Background(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// get asks a server's own handler.
func get(s *serve.Server, path string) (status int, body string) {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// TestAWrongClockIsNotActedBy: a node whose clock is not the database's does not
// start with live money, is not ready, and does nothing by itself until they agree.
func TestAWrongClockIsNotActedBy(t *testing.T) {
	ctx := t.Context()
	c := onServer(t)
	wrong := &skewed{}
	s := node(t, c, serve.Options{Clock: wrong, CompareClock: true})
	if status, body := get(s, "/readyz"); status != http.StatusOK {
		t.Fatalf("/readyz with a right clock: %d %s", status, body)
	}
	live := c
	live.Mode, live.SecretFile = config.Licensed, filepath.Join(c.Data, "secret.key")
	for by, seconds := range map[time.Duration]string{10 * 24 * time.Hour: "8", -10 * 24 * time.Hour: "-8"} {
		wrong.set(by)
		if err := s.App.Fit(ctx); !errors.Is(err, app.ErrClock) {
			t.Errorf("a clock that has jumped by %s is found out only later: %v", by, err)
		}
		if status, body := get(s, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "clock") {
			t.Errorf("/readyz of a clock wrong by %s: %d %s", by, status, body)
		}
		if _, body := get(s, "/metrics"); !strings.Contains(body, "holdfast_clock_difference_seconds "+seconds) {
			t.Errorf("the metric does not tell a clock wrong by %s", by)
		}
		if _, err := serve.New(ctx, live, serve.Options{Clock: wrong, CompareClock: true, Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, app.ErrClock) {
			t.Errorf("a live server with a clock wrong by %s: %v", by, err)
		}
	}
	wrong.set(-time.Hour)
	p, err := s.App.OpenWithAccount(ctx, s.Seeded.MerchantID, order("clock-1"), appAccount)
	if err != nil {
		t.Fatal(err)
	}
	letter := func() string {
		mails, err := s.App.Mails(ctx, s.Seeded.MerchantID, p.ID, 0, 10)
		if err != nil || len(mails) != 1 {
			t.Fatalf("mails %+v; %v", mails, err)
		}
		return mails[0].State
	}
	time.Sleep(300 * time.Millisecond) //nolint:forbidigo // nothing must happen: ten times what a loop waits that may act
	if got := letter(); got != app.MailPending {
		t.Errorf("a node with a wrong clock has made the letter %s", got)
	}
	wrong.set(0)
	if status, body := get(s, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz when the clocks agree again: %d %s", status, body)
	}
	for end := time.Now().Add(30 * time.Second); letter() != app.MailSent; time.Sleep(20 * time.Millisecond) { //nolint:forbidigo // between two looks, with a bound
		if time.Now().After(end) {
			t.Fatal("when the clocks agree again, the letter is not sent")
		}
	}
}

// TestADatabaseMovedAway: a node that the move did not see and that runs on says
// that it is not ready, and is ready again when the database is back in service.
func TestADatabaseMovedAway(t *testing.T) {
	c := onServer(t)
	s := node(t, c, serve.Options{})
	url := string(c.Database)
	pgtest.Exec(t, url, `CREATE TABLE out_of_service (state TEXT NOT NULL PRIMARY KEY, other TEXT NOT NULL, at BIGINT NOT NULL)`)
	pgtest.Exec(t, url, `INSERT INTO out_of_service (state, other, at) VALUES ('moved', 'postgres://elsewhere', 0)`)
	if status, body := get(s, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "out of service") || strings.Contains(body, "postgres://") {
		t.Errorf("/readyz on a database that was moved away: %d %s", status, body)
	}
	pgtest.Exec(t, url, `DROP TABLE out_of_service`)
	if status, body := get(s, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz on a database that is back: %d %s", status, body)
	}
}

// TestANodeWithTheReplacedSecretServesNoMore: it says so and refuses requests,
// for what it would make of tokens and links is wrong.
func TestANodeWithTheReplacedSecretServesNoMore(t *testing.T) {
	c := onServer(t)
	old := node(t, c, serve.Options{})
	if status, _ := get(old, "/docs/"); status != http.StatusOK {
		t.Fatalf("a page before: %d", status)
	}
	c.SecretKey, c.ReplaceSecret = config.Secret(strings.Repeat("ab", 32)), true
	replaced := node(t, c, serve.Options{})
	for s, want := range map[*serve.Server]int{old: http.StatusServiceUnavailable, replaced: http.StatusOK} {
		if status, body := get(s, "/readyz"); status != want || (want != http.StatusOK) != strings.Contains(body, "secret") {
			t.Errorf("/readyz: %d %s, want %d", status, body, want)
		}
		if status, _ := get(s, "/docs/"); status != want {
			t.Errorf("a page: %d, want %d", status, want)
		}
		if status, _ := get(s, "/healthz"); status != http.StatusOK {
			t.Errorf("/healthz: %d", status)
		}
	}
	if err := old.App.Fit(t.Context()); !errors.Is(err, app.ErrOtherSecret) {
		t.Errorf("the loops of the old node go on: %v", err)
	}
}
