package client

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

const (
	// Tolerance is how far the instant of a webhook may be from the receiver's clock. It
	// bounds for how long one that was overheard can be sent again.
	Tolerance = 5 * time.Minute
	// WebhookMax bounds the body of a webhook, in bytes.
	WebhookMax = 1 << 20

	signaturesMax = 10   // signatures of one webhook that are looked at
	headerMax     = 2048 // bytes of a header that is looked at
	secretMin     = 16   // bytes of a key
	secretMax     = 128  // bytes of a key
	secretsMax    = 4    // secrets of a verifier
)

// Why a webhook is not believed.
var (
	ErrHeaders   = errors.New("client: a webhook needs each of webhook-id, webhook-timestamp and webhook-signature once")
	ErrTimestamp = errors.New("client: the webhook's instant is too far from the clock's")
	ErrSignature = errors.New("client: no signature of the webhook is good")
	ErrTooLarge  = errors.New("client: the webhook is too large")
)

// Verifier believes webhooks that are signed by one of its secrets, as Standard Webhooks
// have it. It may be used by many goroutines at once.
type Verifier struct {
	keys [][]byte
	now  func() time.Time
}

// NewVerifier returns a verifier of the signing secrets of an endpoint (whsec_...): one,
// or two while one takes the place of the other.
func NewVerifier(secrets ...string) (*Verifier, error) {
	if len(secrets) == 0 || len(secrets) > secretsMax {
		return nil, fmt.Errorf("client: a verifier has 1 to %d signing secrets", secretsMax)
	}
	v := &Verifier{now: time.Now} //nolint:forbidigo // a webhook's instant is real time, whatever a test clock says
	for _, s := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "whsec_"))
		if err != nil || len(key) < secretMin || len(key) > secretMax {
			return nil, errors.New("client: a signing secret is whsec_ and standard base64")
		}
		v.keys = append(v.keys, key)
	}
	return v, nil
}

// At returns a verifier that takes the present from a function, for tests.
func (v *Verifier) At(now func() time.Time) *Verifier { return &Verifier{keys: v.keys, now: now} }

// Verify believes a webhook, or says why not: [ErrHeaders], [ErrTimestamp],
// [ErrSignature] or [ErrTooLarge]. The body must be as it came, byte for byte. A
// genuine webhook may come twice, with the same id.
func (v *Verifier) Verify(header http.Header, body []byte) (Event, error) {
	id, err := v.check(header, body)
	if err != nil {
		return Event{}, err
	}
	e, err := ParseEvent(body)
	e.ID = id
	return e, err
}

func (v *Verifier) check(header http.Header, body []byte) (id string, err error) {
	if len(body) > WebhookMax {
		return "", ErrTooLarge
	}
	id, stamp, signatures := only(header, headerID), only(header, headerTimestamp), only(header, headerSignature)
	if id == "" || stamp == "" || signatures == "" {
		return "", ErrHeaders
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || strconv.FormatInt(at, 10) != stamp {
		return "", ErrTimestamp
	}
	// Compared as seconds: the difference of distant instants would not fit a duration.
	now, span := v.now().Unix(), int64(Tolerance/time.Second)
	if at < now-span || at > now+span {
		return "", ErrTimestamp
	}
	if !v.signed(id+"."+stamp+".", body, strings.Fields(signatures)) {
		return "", ErrSignature
	}
	return id, nil
}

// only is the value of a header that is there once; empty otherwise.
func only(h http.Header, name string) string {
	values := h.Values(name)
	if len(values) != 1 || len(values[0]) > headerMax {
		return ""
	}
	return values[0]
}

// signed compares every signature with that of every key, each in constant time.
func (v *Verifier) signed(prefix string, body []byte, signatures []string) bool {
	good := false
	for _, key := range v.keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(prefix))
		mac.Write(body)
		want := mac.Sum(nil)
		for _, s := range signatures[:min(len(signatures), signaturesMax)] {
			version, encoded, _ := strings.Cut(s, ",")
			got, err := base64.StdEncoding.DecodeString(encoded)
			if version == "v1" && err == nil && hmac.Equal(got, want) {
				good = true
			}
		}
	}
	return good
}

// Handler receives webhooks: it believes them or answers 4xx, and hands events to a
// function. An error of the function is answered with 500, so that the event is told
// again; one that comes twice has the same [Event.ID]. A function that takes long should
// put the event somewhere safe and return.
func (v *Verifier) Handler(receive func(context.Context, Event) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "webhooks are posted", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, WebhookMax))
		if err != nil {
			var large *http.MaxBytesError
			status := http.StatusBadRequest
			if errors.As(err, &large) {
				status = http.StatusRequestEntityTooLarge
			}
			http.Error(w, "the body cannot be read", status)
			return
		}
		event, err := v.Verify(r.Header, body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := receive(r.Context(), event); err != nil {
			http.Error(w, "the event could not be dealt with", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
