package load

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

const (
	// slowEvery is one call in so many that is answered after slowness, so that a
	// fault may come between a call and its answer.
	slowEvery = 5
	slowness  = 30 * time.Millisecond
)

// Receiver is the shop's webhook address.
type Receiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies map[string]string // by id
	calls  map[string]int
	broken []string
}

// NewReceiver listens until the end of the test.
func NewReceiver(t testing.TB) *Receiver {
	r := &Receiver{bodies: map[string]string{}, calls: map[string]int{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP takes a call.
func (r *Receiver) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the caller is gone in the middle; it will call again
	}
	if r.take(req.Header.Get("Holdfast-Webhook-Id"), string(body)) {
		<-time.After(slowness)
	}
}

func (r *Receiver) take(id, body string) (slow bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls[id]++
	if before, known := r.bodies[id]; known && before != body {
		r.broken = append(r.broken, fmt.Sprintf("webhook %q came as %s and as %s", id, before, body))
	}
	r.bodies[id] = body
	return len(r.bodies)%slowEvery == 0
}

// Came is how often the webhook of an id came.
func (r *Receiver) Came(id string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[id]
}

// Calls tells of every webhook that came how often it did.
func (r *Receiver) Calls() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.calls)
}

// Broken are the webhooks that did not come the same each time.
func (r *Receiver) Broken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}
