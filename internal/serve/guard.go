package serve

import (
	"cmp"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// guard is what every request passes first. Edges answer in their own dialect;
// what is here must hold for all of them. speaksV2 says in which shape to refuse.
func guard(next http.Handler, log *slog.Logger, metrics *metrics, speaksV2 func(*http.Request) bool) http.Handler {
	refuse := func(w http.ResponseWriter, r *http.Request, status int, message string) {
		answer(w, status, inDialect(speaksV2(r), status, message))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodTrace || r.Method == http.MethodConnect {
			w.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
			refuse(w, r, http.StatusMethodNotAllowed, wirev1.MessageMethodNotAllowed)
			return
		}
		if len(r.TransferEncoding) > 0 {
			// A body whose length only its chunks tell may hide a second request
			// from a proxy in front; the connection carries nothing after it.
			w.Header().Set("Connection", "close")
		}
		if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
			refuse(w, r, http.StatusUnsupportedMediaType, wirev1.MessageCompressed)
			return
		}
		if strings.Contains(r.URL.Path, "\x00") {
			refuse(w, r, http.StatusNotFound, wirev1.MessageNotFound)
			return
		}
		seen := &recorder{ResponseWriter: w, status: http.StatusOK}
		began := time.Now() //nolint:forbidigo // a duration for the log
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // the sentinel is panicked as it is
					panic(p)
				}
				log.Error("a request panicked", "path", redact(r.URL.Path), "panic", p, "stack", string(debug.Stack()))
				if !seen.wrote {
					refuse(seen, r, http.StatusInternalServerError, wirev1.MessageFailure)
				}
			}
			took := time.Since(began) //nolint:forbidigo // as above
			metrics.request(r.Method, seen.status, took)
			log.Debug("request", "method", r.Method, "path", redact(r.URL.Path), "status", seen.status, "took", took)
		}()
		next.ServeHTTP(seen, r)
	})
}

// inDialect is a refusal in the shape of a PortOne dialect, as its clients parse JSON
// whatever the status is; nobody else runs into what is refused here.
func inDialect(v2 bool, status int, message string) any {
	if !v2 {
		return wirev1.Refusal(wirev1.CodeFault, message)
	}
	kinds := map[int]wirev2.ErrorType{
		http.StatusMethodNotAllowed: wirev2.MethodNotAllowed, http.StatusNotFound: wirev2.NotFound, http.StatusInternalServerError: wirev2.Failure,
		http.StatusServiceUnavailable: wirev2.Unavailable,
	}
	return wirev2.NewError(cmp.Or(kinds[status], wirev2.InvalidRequest), message)
}

// secretPaths are prefixes after which a path carries a secret.
var secretPaths = []string{"/d/", "/pay/"}

// redact hides the secrets that a path carries.
func redact(path string) string {
	for _, p := range secretPaths {
		if strings.HasPrefix(path, p) {
			return p + "<redacted>"
		}
	}
	return path
}

// recorder remembers the status for log and metrics.
type recorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

// WriteHeader remembers the first final status.
func (r *recorder) WriteHeader(status int) {
	if !r.wrote && status >= 200 {
		r.status, r.wrote = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts as a status of 200 when none was set.
func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
