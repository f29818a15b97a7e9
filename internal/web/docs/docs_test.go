package docs

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPagesAndDocuments(t *testing.T) {
	h := New(Document{Name: "v1", Short: "V1", Title: "PortOne V1", About: "What shops call.", JSON: []byte(`{"openapi":"3.1.0"}`)})
	for path, want := range map[string]string{
		"/docs":                      "What shops call.",
		"/docs/":                     "PortOne V1",
		"/docs/v1":                   `data-url="/docs/v1.json"`,
		"/docs/v1.json":              `{"openapi":"3.1.0"}`,
		"/docs/start.js":             "SwaggerUIBundle",
		"/docs/docs.css":             "--accent",
		"/docs/swagger-ui-bundle.js": "SwaggerUIBundle",
		"/docs/swagger-ui.css":       ".swagger-ui",
	} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: %d without %q", path, rec.Code, want)
		}
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/docs/v9", nil))
	if rec.Code != http.StatusNotFound {
		t.Errorf("an unknown document answers %d", rec.Code)
	}
}

func TestCompressedFilesAreSentAsTheyAre(t *testing.T) {
	req := httptest.NewRequest(http.MethodGet, "/docs/swagger-ui-bundle.js", nil)
	req.Header.Set("Accept-Encoding", "gzip")
	rec := httptest.NewRecorder()
	New().ServeHTTP(rec, req)
	if rec.Header().Get("Content-Encoding") != "gzip" || rec.Body.Len() > 1<<20 {
		t.Errorf("encoding %q, %d bytes", rec.Header().Get("Content-Encoding"), rec.Body.Len())
	}
}
