package sandbox_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

func basic(key, secret string) map[string]string {
	return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(key+":"+secret))}
}

func TestPageShows(t *testing.T) {
	s := servetest.Run(t)
	got := s.Call("GET", "/sandbox", basic(s.Key, s.Secret), nil)
	if got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Raw)
	}
	for _, want := range []string{"샌드박스", "테스트 시계"} {
		if !strings.Contains(string(got.Raw), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	_ = context.Background()
}
