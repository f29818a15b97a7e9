package client_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// What the examples use: the address of a real server with the demonstration shop, and
// that shop's credentials.
var serverURL, apiSecret, v1Key, v1Secret string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run runs the tests beside a server for the examples.
func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "holdfast-client")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	front := httptest.NewUnstartedServer(nil)
	c := config.Default()
	c.Data, c.Seed, c.BaseURL = folder, true, "http://"+front.Listener.Addr().String()
	srv, err := serve.New(context.Background(), c, serve.Options{Clock: clock.NewManual(servetest.Start), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	defer func() { _ = srv.Close() }()
	front.Config.Handler = srv.Handler()
	front.Start()
	defer front.Close()
	serverURL, apiSecret, v1Key, v1Secret = c.BaseURL, srv.Seeded.APISecret, srv.Seeded.Key, srv.Seeded.Secret
	return m.Run()
}
