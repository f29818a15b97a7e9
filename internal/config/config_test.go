package config_test

import (
	"strings"
	"testing"

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

func TestSettingsThatCannotWorkAreNamed(t *testing.T) {
	for set, named := range map[string]string{
		"HOLDFAST_MAIL_FROM=nonsense": "mail.from", "HOLDFAST_MAIL_FROM=Shop <a@shop.example>": "mail.from",
		"HOLDFAST_BASE_URL=ftp://x": "base_url", "HOLDFAST_BASE_URL=http://x/sub": "base_url", "HOLDFAST_MODE=live": "mode",
		"HOLDFAST_ADMIN_TOKEN=short": "admin_token", "HOLDFAST_LOG_LEVEL=loud": "log_level", "HOLDFAST_LISTENS=x": "HOLDFAST_LISTENS",
		"HOLDFAST_MODE=licensed": "licence.registration",
	} {
		if _, err := config.Load("", []string{set}); err == nil || !strings.Contains(err.Error(), named) {
			t.Errorf("%s: %v, want an error that names %s", set, err, named)
		}
	}
}
