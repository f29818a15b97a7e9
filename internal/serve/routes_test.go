package serve

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A person who opens the printed address finds the documents; everything else
// at the root stays PortOne's, whatever its method.
func TestTheBareAddressLeadsToTheDocuments(t *testing.T) {
	rt := router{root: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })}
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/", http.StatusFound},
		{http.MethodPost, "/", http.StatusTeapot},
		{http.MethodGet, "//", http.StatusTeapot},
		{http.MethodGet, "/payments/imp_1", http.StatusTeapot},
	} {
		rec := httptest.NewRecorder()
		rt.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil))
		if rec.Code != c.status {
			t.Errorf("%s %s answers %d, not %d", c.method, c.path, rec.Code, c.status)
		}
	}
}
