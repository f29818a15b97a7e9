package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// AttemptsMax is how often a call is sent at most.
	AttemptsMax     = 10
	attemptsDefault = 4

	pauseDefault = 200 * time.Millisecond
	// pauseMax bounds the pause between two attempts that the server does not ask for.
	pauseMax = 10 * time.Second
	// retryAfterMax is the longest Retry-After that a call waits for. A server that asks
	// for more is reported at once.
	retryAfterMax = time.Minute
)

// keyHeader carries the key of a call that writes.
const keyHeader = "Idempotency-Key"

// Bounds of a key, in characters, as PortOne V2 sets them.
const (
	keyMin = 16
	keyMax = 256
)

type keyContext struct{}

// WithIdempotencyKey makes the calls under a context carry a key of the caller's own,
// of 16 to 256 printable ASCII characters. It is good for one call that writes: another
// one under the same key is refused. A caller who keeps the key before the call can make
// the same call again after a crash and gets the first answer, for three hours.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyContext{}, key)
}

// keyOf is the key of a call: the context's, else a new one.
func keyOf(ctx context.Context) (string, error) {
	key, given := ctx.Value(keyContext{}).(string)
	if !given {
		return rand.Text(), nil
	}
	odd := strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' })
	if len(key) < keyMin || len(key) > keyMax || odd {
		return "", fmt.Errorf("client: an idempotency key has %d to %d printable ASCII characters", keyMin, keyMax)
	}
	return key, nil
}

// quote writes a key as a string of RFC 8941.
func quote(key string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
}

// repeat sends a call until it is answered, at most as often as the client may. A call
// that writes is safe to repeat because of its key.
func (c *Client) repeat(ctx context.Context, p *prepared) ([]byte, error) {
	attempts := c.attempts
	if p.single {
		attempts = 1
	}
	pause := c.pause
	for n := 1; ; n++ {
		raw, err := c.attempt(ctx, p)
		if err == nil {
			return raw, nil
		}
		wait, again := repeatable(err, pause)
		if n == attempts || !again || ctx.Err() != nil || !sleep(ctx, wait) {
			return nil, p.ended(err, n)
		}
		pause = min(2*pause, pauseMax)
	}
}

// unsent is why an attempt was not sent: there is no credential for it.
type unsent struct{ error }

// Unwrap is the credential's own error.
func (u *unsent) Unwrap() error { return u.error }

// ended is what a caller learns of a call that did not succeed.
func (p *prepared) ended(err error, attempts int) error {
	var no *Error
	var never *unsent
	switch {
	case errors.As(err, &no):
		no.IdempotencyKey = p.key
		return no
	case errors.As(err, &never) && attempts == 1:
		return fmt.Errorf("client: %s: the credential: %w", p.name(), never.error)
	}
	return &NoAnswer{Operation: p.name(), IdempotencyKey: p.key, Attempts: attempts, Err: err}
}

// repeatable tells whether another attempt may succeed, and how long to wait before it.
func repeatable(err error, pause time.Duration) (wait time.Duration, again bool) {
	var no *Error
	if !errors.As(err, &no) {
		return jittered(pause), !errors.As(err, new(*unsent))
	}
	return max(no.RetryAfter, jittered(pause)), no.Temporary() && no.RetryAfter <= retryAfterMax
}

// jittered is a span between a half and the whole of another one, so that clients that
// were refused together do not come back together.
func jittered(d time.Duration) time.Duration { return d - mathrand.N(d/2+1) }

// sleep waits, unless the context ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryAfter reads the seconds of a Retry-After header; one with an instant counts as
// none.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.ParseInt(strings.TrimSpace(h.Get("Retry-After")), 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}
