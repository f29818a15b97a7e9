package apiv1

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// Bounds of names that this dialect gives to things.
const (
	impUIDMax      = 32
	merchantUIDMax = 40
)

// errCompressed refuses a body with a content coding. Bodies are never
// unpacked: a small one could become a very large one.
var errCompressed = errors.New("apiv1: the body is compressed")

// readBody reads the body of a request, whatever it says its type is.
func readBody(w http.ResponseWriter, r *http.Request) (body.Value, error) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return body.Value{}, errCompressed
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, body.BytesMax))
	if err != nil {
		return body.Value{}, err
	}
	return body.Parse(raw)
}

// unreadable says why a body or query could not be read.
func unreadable(err error) answer {
	var syntax *body.SyntaxError
	var large *http.MaxBytesError
	switch {
	case errors.Is(err, errCompressed):
		return fault(http.StatusUnsupportedMediaType, wirev1.MessageCompressed)
	case errors.As(err, &large):
		return fault(http.StatusRequestEntityTooLarge, wirev1.MessageTooLarge)
	case errors.Is(err, body.ErrEmpty):
		return fault(http.StatusBadRequest, wirev1.MessageEmptyBody)
	case errors.As(err, &syntax):
		return fault(http.StatusBadRequest, wirev1.RequestRefused(syntax.Reason.Korean))
	}
	return fault(http.StatusBadRequest, wirev1.RequestRefused("요청 본문을 끝까지 읽지 못했습니다"))
}

// pathValue returns a value from the path, as the client meant it. It is not ok
// if the value is not text; such a thing exists nowhere.
func pathValue(r *http.Request, name string) (string, bool) {
	v, err := url.PathUnescape(chi.URLParam(r, name))
	if err != nil || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
		return "", false
	}
	return v, true
}

// tidyPath routes by the path without repeated and trailing slashes: clients
// write "/payments/cancel/", "/payments/findAll/M/" and, after a base address
// that ends in a slash, "//payments". A redirect would turn their POST into a
// GET.
func tidyPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		for strings.Contains(path, "//") {
			path = strings.ReplaceAll(path, "//", "/")
		}
		if path = strings.TrimRight(path, "/"); path == "" {
			path = "/"
		}
		chi.RouteContext(r.Context()).RoutePath = path
		next.ServeHTTP(w, r)
	})
}
