package sdk

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestNamesOfTheScript(t *testing.T) {
	for path, want := range map[string]bool{
		"/v1/iamport.js":                                         true,
		"/js/iamport.payment-1.1.5.js":                           true,
		"/js/iamport.payment-1.2.0.js":                           true,
		"/js/iamport.payment-1.1.8-beta.js":                      true,
		"/js/iamport.payment-.js":                                false,
		"/js/iamport.payment-1.2.0.css":                          false,
		"/js/iamport.payment-../../secret.js":                    false,
		"/v2/iamport.js":                                         false,
		"/js/iamport.payment-" + strings.Repeat("1", 21) + ".js": false,
	} {
		if got := IsV1(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
		w := httptest.NewRecorder()
		V1().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://x"+path, nil))
		if got := w.Code == http.StatusOK; got != want {
			t.Errorf("%s answers %d", path, w.Code)
		}
	}
}

func TestScriptIsAskedForOnce(t *testing.T) {
	first := httptest.NewRecorder()
	V1().ServeHTTP(first, httptest.NewRequest(http.MethodGet, "/v1/iamport.js", nil))
	if !strings.HasPrefix(first.Header().Get("Content-Type"), "text/javascript") || !strings.Contains(first.Body.String(), "window.IMP") {
		t.Fatalf("%v", first.Header())
	}
	again := httptest.NewRequest(http.MethodGet, "/v1/iamport.js", nil)
	again.Header.Set("If-None-Match", first.Header().Get("Etag"))
	second := httptest.NewRecorder()
	V1().ServeHTTP(second, again)
	if second.Code != http.StatusNotModified || second.Body.Len() != 0 {
		t.Errorf("%d with %d bytes", second.Code, second.Body.Len())
	}
	post := httptest.NewRecorder()
	V1().ServeHTTP(post, httptest.NewRequest(http.MethodPost, "/v1/iamport.js", nil))
	if post.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST answers %d", post.Code)
	}
}
