package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// TestListen: each event comes once, signed, and a second listener goes on where
// the first was.
func TestListen(t *testing.T) {
	s := servetest.Run(t)
	got := make(chan string, 100)
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body) // a broken call is seen by its body
		if !strings.HasPrefix(r.Header.Get("webhook-signature"), "v1,") {
			raw = []byte("unsigned")
		}
		got <- r.Header.Get("webhook-id") + " " + string(raw)
	}))
	t.Cleanup(shop.Close)
	pay := func(order string) {
		t.Helper()
		if _, err := s.App.OpenWithAccount(t.Context(), s.Merchant, escrow.Open{
			OrderID: order, Goods: escrow.Physical, Escrow: true, Amount: 10_000, Name: "컵", Device: "api",
		}, app.AccountOrder{Bank: "004"}); err != nil {
			t.Fatal(err)
		}
	}
	state := filepath.Join(t.TempDir(), "position")
	listen := func(from string, events int) (said []string) {
		t.Helper()
		c := &listenCmd{Forward: shop.URL, Server: s.URL, Secret: s.API, From: from, Format: "2024-04-25", State: state}
		l, err := c.listener(io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.begin(context.Background()); err != nil {
			t.Fatal(err)
		}
		page, err := l.read(t.Context(), l.at, 0)
		if err == nil {
			err = l.forward(t.Context(), page)
		}
		if err != nil {
			t.Fatal(err)
		}
		for range events {
			said = append(said, <-got)
		}
		return said
	}
	pay("order-1")
	first := listen("0", 2)
	if !strings.Contains(first[0], "Transaction.Ready") || !strings.Contains(first[1], "Transaction.VirtualAccountIssued") {
		t.Errorf("heard %q", first)
	}
	pay("order-2")
	if second := listen("", 2); !strings.Contains(second[0], "order-2") || !strings.Contains(second[1], "order-2") {
		t.Errorf("the second listener heard %q", second)
	}
	if again := listen("0", 4); again[0] != first[0] {
		t.Errorf("told again as %q, first %q", again[0], first[0])
	}
	listen("now", 0)
	select {
	case extra := <-got:
		t.Errorf("heard %q too", extra)
	default:
	}
}

// feedOf is a listener to a server that always answers with one page, and counts
// how often it was asked.
func feedOf(t *testing.T, page, forward string, out io.Writer) (*listener, *atomic.Int64) {
	t.Helper()
	asked := new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, page) // the listener says what is wrong
	}))
	t.Cleanup(server.Close)
	c := &listenCmd{Forward: forward, Server: server.URL, Secret: "secret", From: "0", Format: "2024-04-25", State: filepath.Join(t.TempDir(), "position")}
	l, err := c.listener(out)
	if err != nil {
		t.Fatal(err)
	}
	return l, asked
}

// TestAServerThatDoesNotWait: is not asked without a pause.
func TestAServerThatDoesNotWait(t *testing.T) {
	l, asked := feedOf(t, `{"events":[],"next":0}`, "http://127.0.0.1:1/", io.Discard)
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	if err := l.follow(ctx); err != nil || asked.Load() > 2 {
		t.Errorf("asked %d times, %v", asked.Load(), err)
	}
}

// TestListenGoesNowhereElse: an event is posted where it was to go and not to where
// the program there points, as a webhook is; and what a server says does not steer
// the terminal.
func TestListenGoesNowhereElse(t *testing.T) {
	elsewhere := new(atomic.Int64)
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	shop := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(shop.Close)
	var out strings.Builder
	l, _ := feedOf(t, `{"events":[{"position":1,"id":"\u001b[2Jid","type":"\u001b]0;x\u0007","body":{}}],"next":1}`, shop.URL, &out)
	page, err := l.read(t.Context(), 0, 0)
	if err == nil {
		page.Events = append(page.Events, page.Events[0])
		page.Events[1].ID = "sound"
		err = l.forward(t.Context(), page)
	}
	if err != nil || elsewhere.Load() != 0 || !strings.Contains(out.String(), "307") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("%d calls elsewhere, %v, said %q", elsewhere.Load(), err, out.String())
	}
}

// TestListenExitCodes: what is wrong with the command line, or with the way to the
// server, ends it at once and is told.
func TestListenExitCodes(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, k := range []struct {
		args []string
		code int
		say  string
	}{
		{[]string{"--forward", "localhost:3000/hook"}, exitUsage, "--forward"},
		{[]string{"--forward", "http://127.0.0.1:1/", "--server", "ftp://127.0.0.1"}, exitUsage, "--server"},
		{[]string{"--forward", "http://127.0.0.1:1/", "--sign", "whsec_short"}, exitUsage, "--sign"},
		{[]string{"--forward", "http://127.0.0.1:1/", "--from", "yesterday"}, exitUsage, "--from"},
		{[]string{"--forward", "http://127.0.0.1:1/", "--server", "http://127.0.0.1:1"}, exitUnreachable, "cannot be reached"},
	} {
		if _, code, err := ends(t, append([]string{"listen"}, k.args...)...); code != k.code || !strings.Contains(err.Error(), k.say) {
			t.Errorf("%q: exit code %d, %v", k.args, code, err)
		}
	}
}
