package serve_test

import (
	"net/http"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// TestTheGuardSpeaksPortOne: what is refused before any edge sees it is still
// JSON with a code and a message, because clients parse whatever comes.
func TestTheGuardSpeaksPortOne(t *testing.T) {
	s := servetest.Run(t)
	for _, c := range []struct {
		method, path string
		headers      map[string]string
		status       int
	}{
		{http.MethodPost, "/users/getToken", map[string]string{"Content-Encoding": "gzip"}, http.StatusUnsupportedMediaType},
		{http.MethodGet, "/payments/imp_%00", nil, http.StatusNotFound},
		{http.MethodTrace, "/payments", nil, http.StatusMethodNotAllowed},
	} {
		a := s.Call(c.method, c.path, c.headers, nil)
		if a.Status != c.status || a.Code != -1 || a.Message == nil || *a.Message == "" {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.Status, a.Raw)
		}
	}
}
