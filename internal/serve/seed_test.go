package serve

import (
	"io"
	"log/slog"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

// TestSeedWebhook: the demonstration merchant's webhook follows the settings from start to
// start, until somebody sets it.
func TestSeedWebhook(t *testing.T) {
	c := config.Default()
	c.Data, c.Seed = t.TempDir(), true
	const first, second, own = "http://127.0.0.1:3001/webhook", "http://127.0.0.1:3002/webhook", "http://127.0.0.1:4000/own"
	for _, start := range []struct {
		setting, want string
		before        func(*merchant.Merchant)
	}{
		{setting: "", want: SeedWebhook},
		{setting: first, want: first},
		{setting: "", want: first},
		{setting: second, want: second},
		{setting: first, want: own, before: func(m *merchant.Merchant) { m.Webhook.URL = own }},
		{setting: second, want: "", before: func(m *merchant.Merchant) { m.Webhook.URL = "" }},
	} {
		if start.before != nil {
			change(t, c, start.before)
		}
		c.SeedWebhook = start.setting
		if got := change(t, c, nil).Webhook.URL; got != start.want {
			t.Errorf("started with %q: the webhook is %q, want %q", start.setting, got, start.want)
		}
	}
	fresh := config.Default()
	fresh.Data, fresh.Seed, fresh.SeedWebhook = t.TempDir(), true, second
	change(t, fresh, nil)
	fresh.SeedWebhook = first
	if got := change(t, fresh, nil).Webhook.URL; got != first {
		t.Errorf("a database that began at %s is at %q, want %s", second, got, first)
	}
}

// change starts a server, changes its demonstration merchant, if asked to, and ends it.
func change(t *testing.T, c config.Config, how func(*merchant.Merchant)) merchant.Merchant {
	t.Helper()
	s, err := New(t.Context(), c, Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if how != nil {
		if _, err := s.App.UpdateMerchant(t.Context(), "test", s.Seeded.MerchantID, "merchant.update", func(m *merchant.Merchant) error { how(m); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	m, err := s.App.ByCode(t.Context(), SeedCode)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}
