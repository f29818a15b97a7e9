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
		"/v2/browser-sdk.js":                                     true,
		"/v2/browser-sdk.esm.js":                                 true,
		"/v2/browser-sdk.mjs":                                    false,
		"/js/iamport.payment-.js":                                false,
		"/js/iamport.payment-1.2.0.css":                          false,
		"/js/iamport.payment-../../secret.js":                    false,
		"/v2/iamport.js":                                         false,
		"/js/iamport.payment-" + strings.Repeat("1", 21) + ".js": false,
	} {
		if got := found(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
		w := httptest.NewRecorder()
		New().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://x"+path, nil))
		if got := w.Code == http.StatusOK; got != want {
			t.Errorf("%s answers %d", path, w.Code)
		}
	}
}

func found(path string) bool {
	_, known := find(path)
	return known
}

func TestEachScriptDefinesItsOwnName(t *testing.T) {
	for path, want := range map[string]string{"/v1/iamport.js": "window.IMP = ", "/v2/browser-sdk.js": "window.PortOne = ", "/v2/browser-sdk.esm.js": "export default window.PortOne;"} {
		w := httptest.NewRecorder()
		New().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if text := w.Body.String(); !strings.Contains(text, want) || !strings.Contains(text, "function paymentWindow(") {
			t.Errorf("%s lacks %q or the window", path, want)
		}
	}
}

func TestScriptIsAskedForOnce(t *testing.T) {
	first := httptest.NewRecorder()
	New().ServeHTTP(first, httptest.NewRequest(http.MethodGet, "/v1/iamport.js", nil))
	if !strings.HasPrefix(first.Header().Get("Content-Type"), "text/javascript") || !strings.Contains(first.Body.String(), "window.IMP") {
		t.Fatalf("%v", first.Header())
	}
	again := httptest.NewRequest(http.MethodGet, "/v1/iamport.js", nil)
	again.Header.Set("If-None-Match", first.Header().Get("Etag"))
	second := httptest.NewRecorder()
	New().ServeHTTP(second, again)
	if second.Code != http.StatusNotModified || second.Body.Len() != 0 {
		t.Errorf("%d with %d bytes", second.Code, second.Body.Len())
	}
	post := httptest.NewRecorder()
	New().ServeHTTP(post, httptest.NewRequest(http.MethodPost, "/v1/iamport.js", nil))
	if post.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST answers %d", post.Code)
	}
}
