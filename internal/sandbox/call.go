package sandbox

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/api/transport"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// call is one request of a sandbox merchant.
type call struct {
	r *http.Request
	m merchant.Merchant
	f *body.Fields
}

// idMax bounds every id of ours, in characters.
const idMax = 128

// id returns an id from the path or, where the path has none, from the body.
func (c *call) id(name string) string {
	if chi.URLParam(c.r, name) == "" {
		return c.f.Ident(name, idMax)
	}
	v, _ := transport.PathValue(c.r, name) // empty if it is no text: no such thing exists anywhere
	return v
}

// payment returns the payment that the call names by imp_uid.
func (s *server) payment(ctx context.Context, c *call) (escrow.Payment, error) {
	id := c.id("imp_uid")
	if err := c.f.Err(); err != nil {
		return escrow.Payment{}, err
	}
	return s.app.Payment(ctx, c.m.ID, id)
}

type merchantKey struct{}

func merchantOf(ctx context.Context) merchant.Merchant {
	m, _ := ctx.Value(merchantKey{}).(merchant.Merchant)
	return m
}

// authenticated lets only sandbox merchants through. To a live merchant's
// credentials nothing exists here.
func (s *server) authenticated(challenge http.HandlerFunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			address, _, _ := net.SplitHostPort(r.RemoteAddr)
			m, err := s.caller(r)
			switch {
			case errors.Is(err, app.ErrUnauthorized):
				// Right keys pass whoever else guesses from the same address.
				if tokenOf(r.Header) != "" && s.guesses.OnLimit(w, r, address) {
					fault(http.StatusTooManyRequests, wirev1.MessageTooManyAttempts).write(w)
					return
				}
				challenge(w, r)
			case err != nil:
				s.answerOf(r, err).write(w)
			case m.Mode != merchant.Sandbox:
				nothingHere().in(ui.Language(r)).write(w)
			default:
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), merchantKey{}, m)))
			}
		})
	}
}

// caller returns the merchant whose key pair (HTTP Basic) or V1 token came with
// the request.
func (s *server) caller(r *http.Request) (merchant.Merchant, error) {
	var id string
	var err error
	if key, secret, ok := r.BasicAuth(); ok {
		id, err = s.app.KeyOwner(r.Context(), key, secret)
	} else {
		id, err = s.app.TokenOwner(r.Context(), tokenOf(r.Header))
	}
	if err != nil {
		return merchant.Merchant{}, err
	}
	return s.app.MerchantNew(r.Context(), id) // another node may have moved its clock
}

// tokenOf returns the V1 token of a request: bare, as Bearer, or in a header of its own.
func tokenOf(h http.Header) string {
	value := strings.TrimSpace(h.Get("Authorization"))
	if value == "" {
		value = strings.TrimSpace(h.Get("X-ImpTokenHeader"))
	}
	if scheme, token, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	return value
}

func challengeAPI(w http.ResponseWriter, _ *http.Request) {
	fault(http.StatusUnauthorized, wirev1.MessageUnauthorized).write(w)
}

// challengePage makes the browser ask for the key pair.
func challengePage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Basic realm="Holdfast sandbox: imp_key and imp_secret", charset="UTF-8"`)
	challengeAPI(w, r)
}

// serve makes a handler of an operation.
func (s *server) serve(do operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := read(w, r)
		if err != nil {
			unreadable(err).in(ui.Language(r)).write(w)
			return
		}
		unhurried(w)
		out, err := do(r.Context(), &call{r: r, m: merchantOf(r.Context()), f: v.Fields()})
		if err != nil {
			s.answerOf(r, err).in(ui.Language(r)).write(w)
			return
		}
		answer{status: http.StatusOK, envelope: wirev1.Success(out)}.write(w)
	})
}

// unhurried lets an answer come as late as an operation may end. A clock that
// moves a year through a shop that does not answer takes longer than the
// server's usual limits on a request.
func unhurried(w http.ResponseWriter) {
	late := time.Now().Add(advanceTime + time.Minute) //nolint:forbidigo // a deadline of the connection
	c := http.NewResponseController(w)
	// A connection without deadlines cuts nobody off.
	_, _ = c.SetReadDeadline(late), c.SetWriteDeadline(late)
}

// read takes the parameters of a request: the query of a GET, else the body.
// A body that is empty names nothing.
func read(w http.ResponseWriter, r *http.Request) (body.Value, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return body.ParseQuery(r.URL.RawQuery)
	}
	v, err := transport.ReadBody(w, r)
	if errors.Is(err, body.ErrEmpty) {
		return body.Named(), nil
	}
	return v, err
}

// takeInstant takes an instant in RFC 3339 or unix seconds; zero if it is not given.
func takeInstant(f *body.Fields, name string) time.Time {
	raw := f.Text(name, len("2006-01-02T15:04:05.999999999+09:00"))
	if raw == "" {
		return time.Time{}
	}
	if at, err := time.Parse(time.RFC3339, raw); err == nil {
		return at.UTC()
	}
	if strings.Trim(raw, "0123456789") != "" {
		f.Refuse(name, reasonInstant)
		return time.Time{}
	}
	seconds, ok := f.UnixSeconds(name)
	if !ok {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

var reasonInstant = body.Reason{
	Code: "instant", English: "must be an instant in RFC 3339, such as 2026-02-13T18:00:00+09:00, or in unix seconds",
	Korean: "2026-02-13T18:00:00+09:00과 같은 RFC 3339 형식이거나 초 단위 유닉스 시각이어야 합니다",
}
