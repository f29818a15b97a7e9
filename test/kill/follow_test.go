package kill_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/serve"
)

// follower is an endpoint that hears every step in order.
type follower struct {
	*httptest.Server
	t      testing.TB
	base   func() string
	id     string
	mu     sync.Mutex
	bodies map[string]string // by webhook id
	last   map[string]int64  // the newest step of a payment
	broken []string
}

// follow makes an endpoint that wants every step in order, and one that is dead.
func follow(t testing.TB, base func() string) *follower {
	f := &follower{t: t, base: base, bodies: map[string]string{}, last: map[string]int64{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	made := f.call(http.MethodPost, "endpoints", `{"url":"`+f.URL+`","events":["Transaction.*","Escrow.*"],"ordered":true}`)
	f.id, _ = made["id"].(string)
	f.call(http.MethodPost, "endpoints", `{"url":"http://127.0.0.1:9/","events":["Transaction.Paid"]}`)
	return f
}

func (f *follower) call(method, path, body string) (out map[string]any) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.base()+"/holdfast/v1/"+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", "PortOne "+serve.SeedAPISecret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	raw, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil || res.StatusCode != http.StatusOK {
		f.t.Fatalf("%s %s: %d %s (%v)", method, path, res.StatusCode, raw, err)
	}
	return out
}

// ServeHTTP takes a call. Its id is the payment's, "-w", the step, and more.
func (f *follower) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone in the middle; it will call again
	}
	id := r.Header.Get("webhook-id")
	payment, rest, _ := strings.Cut(id, "-w")
	step, err := strconv.ParseInt(strings.TrimRight(rest[:strings.Index(rest+"-", "-")], "te"), 10, 64)
	f.mu.Lock()
	defer f.mu.Unlock()
	before, known := f.bodies[id]
	switch {
	case err != nil:
		f.broken = append(f.broken, "the id "+id)
	case known && before != string(raw):
		f.broken = append(f.broken, fmt.Sprintf("%s came as %s and as %s", id, before, raw))
	case !known && step < f.last[payment]:
		f.broken = append(f.broken, fmt.Sprintf("%s came after step %d", id, f.last[payment]))
	}
	f.bodies[id] = string(raw)
	f.last[payment] = max(f.last[payment], step)
}

// check fails unless every call that was owed has come, in order and the same each time.
func (f *follower) check() {
	f.t.Helper()
	for _, state := range []string{"pending", "failed"} {
		if left, _ := f.call(http.MethodGet, "deliveries?endpoint="+f.id+"&state="+state, "")["items"].([]any); len(left) > 0 {
			f.t.Errorf("%d calls are %s, such as %v", len(left), state, left[0])
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.broken[:min(len(f.broken), 10)] {
		f.t.Error(b)
	}
	for offset, more := 0, true; more; offset += 100 {
		page := f.call(http.MethodGet, fmt.Sprintf("deliveries?endpoint=%s&limit=100&offset=%d", f.id, offset), "")
		more, _ = page["more"].(bool)
		items, _ := page["items"].([]any)
		for _, item := range items {
			d, _ := item.(map[string]any)
			if id, _ := d["id"].(string); f.bodies[id] == "" {
				f.t.Errorf("%s is %v and never came", id, d["state"])
			}
		}
	}
	f.t.Logf("%d steps of %d payments were heard in order", len(f.bodies), len(f.last))
}
