// Package transport is what every dialect's edge does with HTTP itself: it reads a
// body whatever it says its type is, takes values from the path, tidies paths
// without a redirect, catches panics, and writes an answer in one piece with its
// length. What an answer looks like is the dialect's own.
package transport

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// ErrCompressed refuses a body with a content coding. Bodies are never unpacked: a
// small one could become a very large one.
var ErrCompressed = errors.New("transport: the body is compressed")

// ReadBody reads the body of a request, whatever it says its type is. Besides the
// errors of [body.Parse] it returns [ErrCompressed], *[http.MaxBytesError] beyond
// [body.BytesMax], and what the connection says.
func ReadBody(w http.ResponseWriter, r *http.Request) (body.Value, error) {
	r.Body = http.MaxBytesReader(w, r.Body, body.BytesMax)
	raw, err := ReadBytes(r)
	if err != nil {
		return body.Value{}, err
	}
	return body.Parse(raw)
}

// ReadBytes reads the body of a request, whose length the caller has bounded, before
// it is parsed. A compressed one is [ErrCompressed].
func ReadBytes(r *http.Request) ([]byte, error) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, ErrCompressed
	}
	return io.ReadAll(r.Body)
}

// PathValue returns a value from the path, as the client meant it. It is not ok if
// the value is not text; such a thing exists nowhere.
func PathValue(r *http.Request, name string) (string, bool) {
	v, err := url.PathUnescape(chi.URLParam(r, name))
	if err != nil || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
		return "", false
	}
	return v, true
}

// TidyPath is a request's path, still escaped, without repeated and trailing slashes.
func TidyPath(r *http.Request) string {
	path := r.URL.EscapedPath()
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if path = strings.TrimRight(path, "/"); path == "" {
		return "/"
	}
	return path
}

// ByTidyPath routes by [TidyPath]: clients write "/payments/cancel/",
// "/payments/findAll/M/" and, after a base address that ends in a slash,
// "//payments". A redirect would turn their POST into a GET.
func ByTidyPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chi.RouteContext(r.Context()).RoutePath = TidyPath(r)
		next.ServeHTTP(w, r)
	})
}

// Allow names the methods that a request's path has on a router, for the header of
// the same name.
func Allow(router chi.Routes, r *http.Request, methods ...string) string {
	path := chi.RouteContext(r.Context()).RoutePath
	var allowed []string
	for _, method := range methods {
		if router.Match(chi.NewRouteContext(), method, path) {
			allowed = append(allowed, method)
		}
	}
	return strings.Join(allowed, ", ")
}

// Recovered logs a panic, led by the dialect's name, and answers it like any other failure. Answers are written
// whole after their operation, so that none is half written when it comes here.
func Recovered(log *slog.Logger, dialect string, fail func(http.ResponseWriter)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				v := recover()
				if v == nil {
					return
				}
				if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(v)
				}
				log.ErrorContext(r.Context(), dialect+": panic", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
				fail(w)
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// WriteJSON sends a document in one piece with its length: there is a client that
// parses every piece it receives as a whole document.
func WriteJSON(w http.ResponseWriter, status int, document []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(document)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(document) // A client that is gone cannot be told.
}
