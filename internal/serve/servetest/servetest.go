// Package servetest starts the real server for a test: SQLite in a temporary
// folder or PostgreSQL, real HTTP on the loopback address, the demonstration
// merchant, and a clock that stands still until it is moved.
//
// Any package whose tests use it runs them on PostgreSQL with TEST_DATABASE=postgres
// in the environment; one whose TestMain calls [OnBoth] runs them on both.
package servetest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/rail/mail"
	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// Start is where a test's clock begins: a Monday morning in Seoul without
// holidays near.
var Start = time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)

// AdminToken opens the admin API of test servers.
const AdminToken = "test-admin-token-0123456789"

// Server is a running server with what a test needs to reach it.
type Server struct {
	*serve.Server
	T        testing.TB
	URL      string
	Clock    *clock.Manual
	Merchant string // id of the demonstration merchant
	Code     string
	Key      string
	Secret   string
	API      string // the API secret of the demonstration merchant
	Database string // URL of the PostgreSQL database; empty for SQLite

	token string
	data  string // the data folder
}

// Option changes how the server is built.
type Option func(*setup)

type setup struct {
	config config.Config
	start  time.Time
	real   bool
	sender mail.Sender
	log    io.Writer
	clock  *clock.Manual
}

// At starts the clock at another instant.
func At(t time.Time) Option { return func(s *setup) { s.start = t } }

// RealClock uses the machine's clock; for tests with browsers and real clients,
// which compare times with their own.
func RealClock() Option { return func(s *setup) { s.real = true } }

// Sender sends mail by the given sender instead of keeping it in the mailbox alone.
func Sender(m mail.Sender) Option { return func(s *setup) { s.sender = m } }

// Log writes the server's warnings there too.
func Log(w io.Writer) Option { return func(s *setup) { s.log = w } }

// Beside makes the server another node on the database of a first one, with the
// same clock and the same secret. The test is skipped on SQLite, which has one
// process alone.
func Beside(first *Server) Option {
	return func(s *setup) {
		first.T.Helper()
		if first.Database == "" {
			first.T.Skip("several nodes share a PostgreSQL database")
		}
		s.config.Database, s.clock = config.Secret(first.Database), first.Clock
		s.config.SecretFile = filepath.Join(first.data, "secret.key")
	}
}

// Config changes the settings.
func Config(change func(*config.Config)) Option { return func(s *setup) { change(&s.config) } }

// Run starts a server that ends with the test.
func Run(t testing.TB, options ...Option) *Server {
	t.Helper()
	set := &setup{config: config.Default(), start: Start, log: io.Discard}
	set.config.Data = t.TempDir()
	set.config.Seed = true
	set.config.AdminToken = AdminToken
	if onPostgres() {
		set.config.Database = config.Secret(pgtest.Prepared(t, migrated(set.config)))
	}
	for _, o := range options {
		o(set)
	}
	front := httptest.NewUnstartedServer(nil)
	set.config.BaseURL = "http://" + front.Listener.Addr().String()
	out := &Server{T: t, URL: set.config.BaseURL, Clock: cmp.Or(set.clock, clock.NewManual(set.start)), data: set.config.Data}
	opts := serve.Options{Clock: out.Clock, Log: slog.New(slog.NewTextHandler(io.MultiWriter(testLog{t}, set.log), &slog.HandlerOptions{Level: slog.LevelWarn})), Sender: set.sender}
	if set.real {
		opts.Clock = clock.Real{}
	}
	srv, err := serve.New(context.Background(), set.config, opts)
	if err != nil {
		t.Fatalf("start the server: %v", err)
	}
	out.Server, out.Database = srv, string(set.config.Database)
	out.Merchant, out.Code, out.Key, out.Secret, out.API = srv.Seeded.MerchantID, srv.Seeded.Code, srv.Seeded.Key, srv.Seeded.Secret, srv.Seeded.APISecret
	// The example shop does not run beside a test, and a test opts in by itself.
	out.Change(func(m *merchant.Merchant) { m.Webhook = merchant.Webhook{} })
	front.Config.Handler = srv.Handler()
	front.Start()
	t.Cleanup(func() {
		front.Close()
		if err := srv.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
	})
	return out
}

// migrated brings a database to the schema of the server.
func migrated(c config.Config) func(string) error {
	return func(url string) error {
		c.Database = config.Secret(url)
		_, err := serve.Migrate(context.Background(), c)
		return err
	}
}

// testLog writes the server's warnings to the test's log while it runs.
type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	defer func() { _ = recover() }() // a loop may log after the test has ended
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// SetWebhook points the demonstration merchant's webhooks to a URL.
func (s *Server) SetWebhook(rawURL string) {
	s.T.Helper()
	s.Change(func(m *merchant.Merchant) { m.Webhook.URL = rawURL })
}

// Change changes the demonstration merchant's settings.
func (s *Server) Change(change func(*merchant.Merchant)) {
	s.T.Helper()
	_, err := s.App.UpdateMerchant(context.Background(), "test", s.Merchant, "test", func(m *merchant.Merchant) error {
		change(m)
		return nil
	})
	if err != nil {
		s.T.Fatalf("change the merchant: %v", err)
	}
}

// Drain does all work that is due for the demonstration merchant.
func (s *Server) Drain() {
	s.T.Helper()
	if err := s.Loops.Drain(context.Background(), s.Merchant); err != nil {
		s.T.Fatalf("drain: %v", err)
	}
}

// Advance moves the demonstration merchant's test clock to an instant.
func (s *Server) Advance(to time.Time) {
	s.T.Helper()
	if err := s.Loops.Advance(context.Background(), s.Merchant, to); err != nil {
		s.T.Fatalf("advance to %s: %v", to, err)
	}
}

// Now is the demonstration merchant's present instant.
func (s *Server) Now() time.Time {
	s.T.Helper()
	now, err := s.App.NowOf(context.Background(), s.Merchant)
	if err != nil {
		s.T.Fatal(err)
	}
	return now
}

// Answer is a V1 envelope with its HTTP status.
type Answer struct {
	Status   int
	Code     int             `json:"code"`
	Message  *string         `json:"message"`
	Response json.RawMessage `json:"response"`
	Raw      []byte          `json:"-"`
	Header   http.Header     `json:"-"`
}

// Into decodes the response member.
func (a Answer) Into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Response, v); err != nil {
		t.Fatalf("decode %s: %v", a.Raw, err)
	}
}

// Text is the message, or empty.
func (a Answer) Text() string {
	if a.Message == nil {
		return ""
	}
	return *a.Message
}

// V1 calls the V1 or sandbox API with the demonstration merchant's token. body
// is sent as JSON; nil sends none; url.Values are sent as a form.
func (s *Server) V1(method, path string, body any) Answer {
	s.T.Helper()
	return s.Call(method, path, map[string]string{"Authorization": s.Token()}, body)
}

// Token is the demonstration merchant's V1 access token.
func (s *Server) Token() string {
	s.T.Helper()
	if s.token == "" {
		t, err := s.App.IssueToken(context.Background(), s.Key, s.Secret)
		if err != nil {
			s.T.Fatal(err)
		}
		s.token = t.Value
	}
	return s.token
}

// Call calls the server with given headers.
func (s *Server) Call(method, path string, headers map[string]string, body any) Answer {
	s.T.Helper()
	var sent io.Reader
	kind := ""
	switch b := body.(type) {
	case nil:
	case url.Values:
		sent, kind = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	case []byte:
		sent, kind = bytes.NewReader(b), "application/json"
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			s.T.Fatal(err)
		}
		sent, kind = bytes.NewReader(raw), "application/json"
	}
	req, err := http.NewRequestWithContext(context.Background(), method, s.URL+path, sent)
	if err != nil {
		s.T.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.T.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.T.Fatal(err)
	}
	out := Answer{}
	_ = json.Unmarshal(raw, &out) // an answer in another shape is looked at by Raw
	out.Status, out.Raw, out.Header = res.StatusCode, raw, res.Header
	return out
}

// MustV1 is V1 for a call that has to succeed.
func (s *Server) MustV1(method, path string, body any) Answer {
	s.T.Helper()
	a := s.V1(method, path, body)
	if a.Status != http.StatusOK || a.Code != 0 {
		s.T.Fatalf("%s %s: %d %s", method, path, a.Status, a.Raw)
	}
	return a
}

// CheckBooks fails the test unless the books balance and agree in every row.
func (s *Server) CheckBooks() app.Books {
	s.T.Helper()
	b, err := s.App.Books(context.Background())
	if err != nil {
		s.T.Fatal(err)
	}
	for _, p := range b.Problems {
		s.T.Error(p)
	}
	found, err := s.App.VerifyBooks(context.Background())
	if err != nil {
		s.T.Fatal(err)
	}
	for _, v := range found {
		s.T.Error(v)
	}
	return b
}
