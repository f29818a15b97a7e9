package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

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
