package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/config"
)

func TestLinksLeadSomewhere(t *testing.T) {
	for listen, want := range map[string]string{
		":8080": "http://127.0.0.1:8080", "0.0.0.0:8080": "http://127.0.0.1:8080", "[::]:8080": "http://127.0.0.1:8080",
		"localhost:9000": "http://localhost:9000", "[::1]:9000": "http://[::1]:9000",
	} {
		c, err := config.Load("", []string{"HOLDFAST_LISTEN=" + listen})
		if err != nil || c.BaseURL != want {
			t.Errorf("listening on %s: %q, %v; want %s", listen, c.BaseURL, err, want)
		}
	}
}

func TestTrustedProxies(t *testing.T) {
	c, err := config.Load("", []string{"HOLDFAST_TRUSTED_PROXIES=10.1.2.3/8, fd00::/8"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Proxies(); err != nil || len(got) != 2 || got[0].String() != "10.0.0.0/8" || got[1].String() != "fd00::/8" {
		t.Errorf("%v, %v", got, err)
	}
	file := filepath.Join(t.TempDir(), "holdfast.yaml")
	if err := os.WriteFile(file, []byte("trusted_proxies: [127.0.0.1/32]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = config.Load(file, nil); err != nil || len(c.TrustedProxies) != 1 {
		t.Errorf("%v, %v", c.TrustedProxies, err)
	}
}

func TestSettingsThatCannotWorkAreNamed(t *testing.T) {
	for set, named := range map[string]string{
		"HOLDFAST_MAIL_FROM=nonsense": "mail.from", "HOLDFAST_MAIL_FROM=Shop <a@shop.example>": "mail.from",
		"HOLDFAST_BASE_URL=ftp://x": "base_url", "HOLDFAST_BASE_URL=http://x/sub": "base_url", "HOLDFAST_MODE=live": "mode",
		"HOLDFAST_ADMIN_TOKEN=short": "admin_token", "HOLDFAST_LOG_LEVEL=loud": "log_level", "HOLDFAST_LISTENS=x": "HOLDFAST_LISTENS",
		"HOLDFAST_MODE=licensed": "licence.registration", "HOLDFAST_TRUSTED_PROXIES=10.0.0.0/8,proxy": `trusted_proxies "proxy"`,
		"HOLDFAST_TRUSTED_PROXIES=10.0.0.1":        "trusted_proxies",
		"HOLDFAST_V2_HOSTS=https://v2.pay.example": "v2_hosts",
		"HOLDFAST_MAIL_PORT=abc":                   `HOLDFAST_MAIL_PORT: "abc" is not a whole number`,
		"HOLDFAST_SEED=perhaps":                    `HOLDFAST_SEED: "perhaps" is not true or false`,
		"HOLDFAST_DRAIN=soon":                      `HOLDFAST_DRAIN: "soon" is not a time span such as 30s or 2m`,
		"HOLDFAST_SEED_WEBHOOK=127.0.0.1:3000":     "seed_webhook",
		"HOLDFAST_DRAIN=1h":                        "drain",
		"HOLDFAST_SECRET_KEY=abc":                  "secret_key",
		"HOLDFAST_LICENCE_INSURED_WON=1억":          "HOLDFAST_LICENCE_INSURED_WON",
	} {
		if _, err := config.Load("", []string{set}); err == nil || !strings.Contains(err.Error(), named) {
			t.Errorf("%s: %v, want an error that names %s", set, err, named)
		}
	}
}

func TestSpans(t *testing.T) {
	c, err := config.Load("", []string{"HOLDFAST_LEASE=90s", "HOLDFAST_DATABASE_PATIENCE=5s"})
	if err != nil || c.Lease != 90*time.Second || c.DatabasePatience != 5*time.Second {
		t.Errorf("%s, %s, %v", c.Lease, c.DatabasePatience, err)
	}
	for variable, want := range map[string]string{
		"HOLDFAST_LEASE=90": "not a time span such as 30s or 2m", "HOLDFAST_LEASE=10ms": "must be at least 1s", "HOLDFAST_DATABASE_PATIENCE=-5s": "must be at least 1s",
	} {
		if _, err := config.Load("", []string{variable}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", variable, err, want)
		}
	}
	file := filepath.Join(t.TempDir(), "holdfast.yaml")
	if err := os.WriteFile(file, []byte("lease: 3m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = config.Load(file, nil); err != nil || c.Lease != 3*time.Minute {
		t.Errorf("%s, %v", c.Lease, err)
	}
}

// TestBackups: what the server cannot do by itself is refused at the start.
func TestBackups(t *testing.T) {
	for want, set := range map[string][]string{
		"":                 {"HOLDFAST_BACKUP_EVERY=1h", "HOLDFAST_BACKUP_KEEP=3", "HOLDFAST_BACKUP_FOLDER=/b"},
		"at least 1m0s":    {"HOLDFAST_BACKUP_EVERY=10s"},
		"at least 1":       {"HOLDFAST_BACKUP_EVERY=1h", "HOLDFAST_BACKUP_KEEP=0"},
		"from outside":     {"HOLDFAST_BACKUP_EVERY=1h", "HOLDFAST_DATABASE=postgres://h/d"},
		"not a time span ": {"HOLDFAST_BACKUP_EVERY=hourly"},
	} {
		c, err := config.Load("", set)
		if want == "" && (err != nil || c.Backup != config.Backup{Every: time.Hour, Keep: 3, Folder: "/b"}) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v: %+v, %v, want %q", set, c.Backup, err, want)
		}
	}
}
