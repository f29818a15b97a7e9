// Package once lets a request that is sent twice act once: the header
// Idempotency-Key of PortOne V2 (contract section 3.1) and of our own APIs.
//
// What is always true of it:
//
//   - A request with a key is carried out by one execution at a time, on all nodes
//     together. Another one meanwhile is refused as outstanding.
//   - A request that was answered gets that answer again, status, header and body,
//     with Idempotent-Replayed: true, for three hours of the machine's clock from
//     when the key came first. After that the key is new.
//   - A key that belongs to another request (method, path with query, body) is
//     refused. Keys of different merchants, and the operator's, do not meet.
//   - An answer that decides nothing is not kept, and the key is free again: 401,
//     429, 5xx, and what an edge says is undecided. What the request has done before
//     such an answer is not done again by a repetition (internal/app, once.go).
//   - A caller who hangs up stops nothing.
//
// The header is a string of RFC 8941, in double quotes, with 16 to 256 printable
// ASCII characters. It counts for POST, PUT, PATCH and DELETE alone.
//
// An edge mounts it behind the check of credentials, because keys belong to a
// merchant, and within whatever answers panics.
package once

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// Header is the name of the header that carries the key.
const Header = "Idempotency-Key"

// replayed is the header of an answer that was given before.
const replayed = "Idempotent-Replayed"

// Bounds of a key, in characters.
const (
	KeyMin = 16
	KeyMax = 256
)

// Reason is why a request with a key is refused here.
type Reason int

// The reasons.
const (
	// Malformed: the header is no string of RFC 8941, or too short or too long.
	Malformed Reason = iota
	// Reused: the key belongs to another request.
	Reused
	// Outstanding: the request is being carried out.
	Outstanding
	// Lost: the request was carried out, its process ended before it answered, and no
	// answer can be made of what is left. It is not carried out again.
	Lost
	// Unavailable: nobody can say now what became of the key; nothing was done.
	Unavailable
)

// Status is the HTTP status of a refusal.
func (r Reason) Status() int {
	switch r {
	case Malformed, Reused:
		return http.StatusBadRequest
	case Outstanding, Lost:
		return http.StatusConflict
	case Unavailable:
	}
	return http.StatusServiceUnavailable
}

// Code is a word for the reason, as our own APIs give it.
func (r Reason) Code() string {
	switch r {
	case Malformed:
		return "idempotency_key"
	case Reused:
		return "idempotency_key_reused"
	case Outstanding:
		return "idempotency_outstanding"
	case Lost:
		return "idempotency_answer_lost"
	case Unavailable:
	}
	return "unavailable"
}

// English says why.
func (r Reason) English() string {
	switch r {
	case Malformed:
		return fmt.Sprintf("%s must be a string in double quotes with %d to %d printable ASCII characters", Header, KeyMin, KeyMax)
	case Reused:
		return Header + " belongs to another request; use a new key"
	case Outstanding:
		return "the request with this " + Header + " is still being carried out"
	case Lost:
		return "the request with this " + Header + " was carried out, but its answer is lost; look at what it was about"
	case Unavailable:
	}
	return "the database does not answer now; nothing was changed; try again"
}

// Korean says why.
func (r Reason) Korean() string {
	switch r {
	case Malformed:
		return fmt.Sprintf("%s: 큰따옴표로 감싼 %d~%d자의 출력 가능한 ASCII 문자열이어야 합니다", Header, KeyMin, KeyMax)
	case Reused:
		return Header + ": 다른 요청에 사용된 키입니다. 새로운 키를 사용해 주세요"
	case Outstanding:
		return "같은 " + Header + "의 요청을 처리하고 있습니다"
	case Lost:
		return "같은 " + Header + "의 요청은 처리되었으나 응답이 남아 있지 않습니다. 대상을 조회해 주세요"
	case Unavailable:
	}
	return "일시적으로 요청을 처리할 수 없습니다. 잠시 후 다시 시도해 주세요"
}

// Guard lets requests act once.
type Guard struct {
	App *app.App
	Log *slog.Logger
	// Refuse writes a refusal in the dialect of the edge.
	Refuse func(w http.ResponseWriter, r *http.Request, why Reason)
	// Lenient takes a malformed header for none, as a dialect does that has no such
	// header.
	Lenient bool
}

// Serve passes a request on at most once. merchant is whose credentials came with
// it; empty for the operator's.
func (g *Guard) Serve(w http.ResponseWriter, r *http.Request, merchant string, next http.Handler) {
	key, given, err := keyOf(r)
	switch {
	case !given, err != nil && g.Lenient:
		next.ServeHTTP(w, r)
		return
	case err != nil:
		g.refuse(w, r, Malformed)
		return
	}
	raw, whole := readBody(r)
	if !whole {
		next.ServeHTTP(w, r) // it will be refused as too large or broken off
		return
	}
	o, err := g.App.BeginOnce(r.Context(), app.OnceKey{Merchant: merchant, Key: key, Print: printOf(r, raw)})
	switch {
	case errors.Is(err, app.ErrOutstanding):
		g.refuse(w, r, Outstanding)
	case errors.Is(err, app.ErrOtherRequest):
		g.refuse(w, r, Reused)
	case err != nil:
		g.Log.WarnContext(r.Context(), "a request with a key could not be begun", "path", r.URL.Path, "error", err)
		g.refuse(w, r, Unavailable)
	case o.Answer != nil:
		w.Header().Set(replayed, "true")
		send(w, *o.Answer)
	default:
		g.carryOut(w, r, o, next)
	}
}

// Middleware is Serve for routers. merchant tells whose credentials came with a
// request.
func (g *Guard) Middleware(merchant func(*http.Request) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.Serve(w, r, merchant(r), next) })
	}
}

// carryOut lets the request act and keeps its answer before it is sent.
func (g *Guard) carryOut(w http.ResponseWriter, r *http.Request, o *app.Once, next http.Handler) {
	ctx := context.WithoutCancel(r.Context())
	ended := false
	defer func() {
		if !ended { // the edge panics
			g.App.FreeOnce(ctx, o)
		}
	}()
	rec := &recorder{w: w, header: http.Header{}}
	next.ServeHTTP(rec, r.WithContext(app.WithOnce(ctx, o)))
	ended = true
	answer := rec.answer()
	switch {
	case o.Lost():
		g.App.FreeOnce(ctx, o)
		g.refuse(w, r, Outstanding)
	case o.Strayed() || (o.Untold() && answer.Status >= http.StatusBadRequest && !undecided(answer.Status)):
		g.Log.ErrorContext(ctx, "a request was carried out before and its answer cannot be made again", "path", r.URL.Path, "status", answer.Status)
		g.App.FreeOnce(ctx, o)
		g.refuse(w, r, Lost)
	case !o.Decided() || undecided(answer.Status):
		g.App.FreeOnce(ctx, o)
		send(w, answer)
	case g.App.AnswerOnce(ctx, o, answer) != nil:
		g.refuse(w, r, Outstanding)
	default:
		send(w, answer)
	}
}

func undecided(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, why Reason) {
	if why == Outstanding || why == Unavailable { // else to repeat it leads nowhere
		w.Header().Set("Retry-After", "1")
	}
	g.Refuse(w, r, why)
}

func send(w http.ResponseWriter, a app.Answer) {
	maps.Copy(w.Header(), a.Header)
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // a caller who has gone asks again
}

// printOf is the hash of what is asked for. Lengths keep the parts apart.
func printOf(r *http.Request, body []byte) string {
	target := r.URL.EscapedPath() + "?" + r.URL.RawQuery
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %s %d ", r.Method, len(target), target, len(body))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// readBody reads the body and puts it back. One that is too large, or ends in an
// error, is put back as far as it was read, and is not whole.
func readBody(r *http.Request) (raw []byte, whole bool) {
	if r.Body == nil {
		return nil, true
	}
	rest := r.Body
	raw, err := io.ReadAll(io.LimitReader(rest, body.BytesMax+1))
	if err == nil && len(raw) <= body.BytesMax {
		r.Body = restored{bytes.NewReader(raw), rest}
		return raw, true
	}
	more := io.Reader(rest)
	if err != nil {
		more = failing{err}
	}
	r.Body = restored{io.MultiReader(bytes.NewReader(raw), more), rest}
	return nil, false
}

// restored is a body that can be read once more.
type restored struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// keyOf reads the header. given is false where it does not count.
func keyOf(r *http.Request) (key string, given bool, err error) {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return "", false, nil
	}
	values := r.Header.Values(Header)
	if len(values) == 0 {
		return "", false, nil
	}
	if len(values) > 1 {
		return "", true, errMalformed
	}
	key, err = Parse(values[0])
	return key, true, err
}

var errMalformed = errors.New("once: malformed key")

// Parse reads a string of RFC 8941 (section 3.3.3) of the length of a key.
// Parameters after it are refused.
func Parse(value string) (string, error) {
	inner, opened := strings.CutPrefix(strings.Trim(value, " \t"), `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	if !opened || !closed {
		return "", errMalformed
	}
	var key strings.Builder
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		if c == '\\' {
			if i++; i == len(inner) || (inner[i] != '"' && inner[i] != '\\') {
				return "", errMalformed
			}
			c = inner[i]
		} else if c == '"' || c < ' ' || c > '~' {
			return "", errMalformed
		}
		key.WriteByte(c)
	}
	if key.Len() < KeyMin || key.Len() > KeyMax {
		return "", errMalformed
	}
	return key.String(), nil
}

// recorder keeps an answer until it may be sent.
type recorder struct {
	w      http.ResponseWriter
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is the header of the answer.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader sets the status, once.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
}

// Write adds to the body.
func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// Unwrap lets an edge change the deadlines of the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.w }

func (r *recorder) answer() app.Answer {
	r.WriteHeader(http.StatusOK)
	return app.Answer{Status: r.status, Header: r.header, Body: r.body.Bytes()}
}
