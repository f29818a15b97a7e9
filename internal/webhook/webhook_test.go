package webhook_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)

// within bounds a call of these tests, far below the limits of real calls.
const within = 5 * time.Second

// counted is a server on the loopback address that counts its visitors.
func counted(t *testing.T, h http.HandlerFunc) (url, port string, hits *atomic.Int64) {
	t.Helper()
	hits = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		if h != nil {
			h(w, r)
		}
	}))
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return s.URL, port, hits
}

func send(t *testing.T, c webhook.Call) webhook.Attempt {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	s := webhook.New(clock.NewManual(now))
	t.Cleanup(s.Close)
	return s.Send(ctx, c)
}

// TestGuard: a live merchant's webhook reaches nothing inside, in whatever way
// the address is written.
func TestGuard(t *testing.T) {
	_, port, hits := counted(t, nil)
	for _, host := range []string{
		"127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]",
		"①②⑦.⓪.⓪.①", "127。0。0。1", "0.0.0.0", "[::]", "127.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1",
		"10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "192.0.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"169.254.169.254", "[::ffff:169.254.169.254]", "[fd00::1]", "[fd00:ec2::254]", "[fe80::1]", "[ff02::1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]",
		"[2001:db8::1]", "[2002:7f00:1::]", "[::127.0.0.1]", "metadata.google.internal",
	} {
		a := send(t, webhook.Call{ID: "w1", URL: "http://" + host + ":" + port + "/", Body: []byte("{}")})
		if a.Status != 0 || a.Error == "" || a.Delivered() || a.Final() {
			t.Errorf("%s: status %d, error %q", host, a.Status, a.Error)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the inside was called %d times", n)
	}
}

// TestNamesAreJudgedByTheirAddress, and the log says why nothing was called.
func TestNamesAreJudgedByTheirAddress(t *testing.T) {
	_, port, _ := counted(t, nil)
	for _, host := range []string{"localhost", "127.0.0.1", "①②⑦.⓪.⓪.①", "169.254.169.254"} {
		if a := send(t, webhook.Call{URL: "http://" + host + ":" + port + "/"}); a.Error != "the address is private or special and is not called" {
			t.Errorf("%s: %q", host, a.Error)
		}
	}
}

// TestSandboxReachesItsOwnMachine, and still not what no shop runs on.
func TestSandboxReachesItsOwnMachine(t *testing.T) {
	url, port, hits := counted(t, nil)
	for _, to := range []string{url, "http://localhost:" + port} {
		if a := send(t, webhook.Call{URL: to, Private: true}); !a.Delivered() {
			t.Errorf("%s: status %d, %s", to, a.Status, a.Error)
		}
	}
	for _, host := range []string{"169.254.169.254", "[::ffff:169.254.169.254]", "0.0.0.0", "[fe80::1]", "224.0.0.1", "[64:ff9b::a9fe:a9fe]"} {
		if a := send(t, webhook.Call{URL: "http://" + host + ":" + port, Private: true}); a.Status != 0 || a.Error == "" {
			t.Errorf("%s: status %d, %q", host, a.Status, a.Error)
		}
	}
	for _, host := range []string{"[fd00:ec2::254]", "[fd20:ce::254]", "[fd00:c1::a9fe:a9fe]"} {
		if a := send(t, webhook.Call{URL: "http://" + host + ":" + port, Private: true}); a.Error != "the address is private or special and is not called" {
			t.Errorf("%s: status %d, %q", host, a.Status, a.Error)
		}
	}
	if n := hits.Load(); n != 2 {
		t.Errorf("%d calls came, want 2", n)
	}
}

func TestOnlyHTTP(t *testing.T) {
	for _, url := range []string{"ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:70/1", "", "://", "http://", "http:///path", "javascript:alert(1)", "http://a b/"} {
		if a := send(t, webhook.Call{URL: url, Private: true}); a.Status != 0 || a.Error == "" {
			t.Errorf("%q: status %d, error %q", url, a.Status, a.Error)
		}
	}
}

// TestRequest: what a shop sees.
func TestRequest(t *testing.T) {
	var got http.Header
	var body []byte
	url, _, _ := counted(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		body, _ = io.ReadAll(r.Body)
		_, _ = w.Write([]byte("received"))
		if r.Method != http.MethodPost {
			t.Errorf("method %s", r.Method)
		}
	})
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	a := send(t, webhook.Call{ID: "imp_1-w2-0", URL: url, ContentType: "application/json", Body: []byte(`{"status":"paid"}`), Private: true})
	for name, want := range map[string]string{"Content-Type": "application/json", "Holdfast-Webhook-Id": "imp_1-w2-0", "User-Agent": "Holdfast-Webhook/1", "Accept-Encoding": "", "Authorization": ""} {
		if got.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Get(name), want)
		}
	}
	if string(body) != `{"status":"paid"}` || a.Request != `{"status":"paid"}` || a.Response != "received" || a.Status != http.StatusOK || !a.At.Equal(now) || a.URL != url {
		t.Errorf("the shop got %s; the log says %+v", body, a)
	}
}

// TestAnswers: any answer below 500 is final, and 2xx alone is a delivery.
func TestAnswers(t *testing.T) {
	var status atomic.Int64
	url, _, _ := counted(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) })
	for code, want := range map[int][2]bool{
		200: {true, true}, 201: {true, true}, 204: {true, true}, 301: {false, true}, 302: {false, true}, 400: {false, true}, 404: {false, true},
		410: {false, true}, 429: {false, true}, 500: {false, false}, 502: {false, false}, 503: {false, false}, 599: {false, false},
	} {
		status.Store(int64(code))
		a := send(t, webhook.Call{URL: url, Private: true})
		if a.Status != code || a.Delivered() != want[0] || a.Final() != want[1] {
			t.Errorf("%d: status %d, delivered %v, final %v", code, a.Status, a.Delivered(), a.Final())
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	inside, _, hits := counted(t, nil)
	for _, code := range []int{301, 302, 303, 307, 308} {
		url, _, _ := counted(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside, code) })
		if a := send(t, webhook.Call{URL: url, Private: true}); a.Status != code || a.Error != "" {
			t.Errorf("%d: status %d, %q", code, a.Status, a.Error)
		}
	}
	if hits.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// TestHostileAnswers: bombs stay packed, endless answers are cut, and what is
// kept is text.
func TestHostileAnswers(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 64<<20))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(bytes.Repeat([]byte("x"), 4<<10)); err != nil {
					return
				}
			}
		},
		"binary":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a\x00b\xff\xfe한")) },
		"headers": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Long", strings.Repeat("x", 1<<20)) },
	} {
		url, _, _ := counted(t, answer)
		a := send(t, webhook.Call{URL: url, Private: true})
		if len(a.Response) > 4<<10 || strings.ContainsRune(a.Response, 0) || !utf8.ValidString(a.Response) {
			t.Errorf("%s: %d bytes were kept: %.100q", name, len(a.Response), a.Response)
		}
		if name != "headers" && a.Status != http.StatusOK {
			t.Errorf("%s: status %d, %s", name, a.Status, a.Error)
		}
	}
}

// TestSlowAnswers: neither a silent shop nor one that dribbles holds a call.
func TestSlowAnswers(t *testing.T) {
	gone := make(chan struct{})
	for name, answer := range map[string]http.HandlerFunc{
		"silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"dribbling": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("."))
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-gone:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		},
	} {
		url, _, _ := counted(t, answer)
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		s := webhook.New(clock.Real{})
		a := s.Send(ctx, webhook.Call{URL: url, Private: true})
		cancel()
		s.Close()
		if a.Error != "no answer in time" || a.TookMillis > within.Milliseconds() {
			t.Errorf("%s: %q after %d ms", name, a.Error, a.TookMillis)
		}
	}
	close(gone)
}

// TestReasons: the log says in words what went wrong, and nothing of the inside.
func TestReasons(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{closed: "connection refused", "http://no-such-shop.invalid/": "cannot be resolved"} {
		if a := send(t, webhook.Call{URL: url, Private: true}); !strings.Contains(a.Error, want) {
			t.Errorf("%s: %q, want it to say %q", url, a.Error, want)
		}
	}
}

// TestManyAtOnce: a sender is shared.
func TestManyAtOnce(t *testing.T) {
	url, _, hits := counted(t, nil)
	s := webhook.New(clock.NewManual(now))
	defer s.Close()
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			if a := s.Send(t.Context(), webhook.Call{ID: fmt.Sprint(i), URL: url, Private: true}); !a.Delivered() {
				t.Errorf("call %d: %s", i, a.Error)
			}
		})
	}
	wg.Wait()
	if hits.Load() != 32 {
		t.Errorf("%d calls came", hits.Load())
	}
}
