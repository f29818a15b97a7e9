package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/client"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve"
)

const (
	// settling bounds how long after a load its last calls come.
	settling = 90 * time.Second
	// maxComplaints bounds what one listener complains of.
	maxComplaints = 10
)

// Shop is the demonstration shop's own client of the server at an address.
func Shop(t testing.TB, base string) *client.Client {
	t.Helper()
	c, err := client.New(base, client.Secret(serve.SeedAPISecret))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Manner is how an endpoint treats those who call it. The zero one hears every
// step of PortOne V2 and of the escrow, and takes it at once.
type Manner struct {
	// Ordered asks for the steps of a payment one after the other.
	Ordered bool
	// Sulks is one new call in so many that is refused when it comes first; none
	// when zero. It is repeated after a second.
	Sulks int
	// Slow is how long an answer takes.
	Slow time.Duration
	// Dead takes connections and never answers.
	Dead bool
	// Events are names; all when empty.
	Events []string
}

// Listener is an endpoint of the demonstration shop that hears PortOne V2's
// present format, and asks of every call that it is signed, that it is the same
// each time, and, if it is ordered, that it is its payment's turn.
type Listener struct {
	*httptest.Server
	Manner
	// ID names the endpoint.
	ID       string
	verifier *client.Verifier

	mu      sync.Mutex
	calls   map[string]call            // by webhook id
	ids     map[string]string          // webhook ids by what they tell; see about
	last    map[string]int64           // the newest step of a payment
	open    map[string]map[string]bool // ids of a payment that came and were refused
	came    int
	delays  []time.Duration
	broken  []string
	refused int
}

// call is what came under one webhook id.
type call struct {
	body  string
	event client.Event
}

// Listen makes an endpoint of the shop and listens there until the end of the test.
// Of what has happened before nothing is told: [Listener.Check] is for endpoints
// that are made before the load begins.
func Listen(t testing.TB, shop *client.Client, m Manner) *Listener {
	t.Helper()
	l := &Listener{Manner: m, calls: map[string]call{}, ids: map[string]string{}, last: map[string]int64{}, open: map[string]map[string]bool{}}
	l.Server = httptest.NewServer(l)
	t.Cleanup(func() {
		l.CloseClientConnections() // a dead endpoint has calls that do not end
		l.Close()
	})
	if len(l.Events) == 0 {
		l.Events = []string{"Transaction.*", "Escrow.*"}
	}
	s := client.EndpointSettings{URL: &l.URL, Events: &l.Events, Ordered: &l.Ordered}
	if m.Sulks > 0 {
		s.RetrySchedule = &[]string{"1s", "1s", "1s", "1s", "1s"}
	}
	l.mu.Lock() // a call may come before its endpoint is known
	defer l.mu.Unlock()
	e, err := shop.CreateEndpoint(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	l.ID = e.ID
	if l.verifier, err = client.NewVerifier(e.Secret); err != nil {
		t.Fatal(err)
	}
	return l
}

// Refusing makes an endpoint where nobody listens and every connection is refused.
func Refusing(t testing.TB, shop *client.Client, events ...string) {
	t.Helper()
	nobody := "http://127.0.0.1:9/"
	if _, err := shop.CreateEndpoint(t.Context(), client.EndpointSettings{URL: &nobody, Events: &events}); err != nil {
		t.Fatal(err)
	}
}

// ServeHTTP takes a call, or does not.
func (l *Listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone in the middle; it will call again
	}
	if l.Dead {
		<-r.Context().Done()
		return
	}
	taken := l.hear(r.Header, body, arrived)
	if l.Slow > 0 {
		<-time.After(l.Slow)
	}
	if !taken {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// hear keeps a call and reports whether the endpoint takes it.
func (l *Listener) hear(h http.Header, body []byte, arrived time.Time) (taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.came++
	e, err := l.verifier.Verify(h, body)
	if err != nil {
		l.complain("a call of the id %q: %v", h.Get("webhook-id"), err)
		return false
	}
	what, payment, step, err := about(e.ID)
	if err != nil {
		l.complain("%v", err)
		return true
	}
	if before, known := l.calls[e.ID]; known {
		if before.body != string(body) {
			l.complain("%s came as %s and as %s", e.ID, before.body, body)
		}
		delete(l.open[payment], e.ID)
		return true
	}
	if before, known := l.ids[what]; known {
		l.complain("%s came as %s and as %s", what, before, e.ID)
	}
	if data, ok := e.Data.(client.EscrowEvent); ok && data.Sequence != step {
		l.complain("%s says that it is step %d", e.ID, data.Sequence)
	}
	l.turn(payment, step, e.ID)
	l.calls[e.ID], l.ids[what] = call{string(body), e}, e.ID
	l.delays = append(l.delays, arrived.Sub(e.Timestamp))
	if l.Sulks > 0 && len(l.calls)%l.Sulks == 0 {
		l.refused++
		if l.open[payment] == nil {
			l.open[payment] = map[string]bool{}
		}
		l.open[payment][e.ID] = true
		return false
	}
	return true
}

// turn asks, of an ordered endpoint, that every step before a new one has come and
// was taken.
func (l *Listener) turn(payment string, step int64, id string) {
	if !l.Ordered {
		return
	}
	if step < l.last[payment] {
		l.complain("%s came after step %d", id, l.last[payment])
	}
	for before := range l.open[payment] {
		if _, _, n, _ := about(before); n < step {
			l.complain("%s came before %s was taken", id, before)
		}
	}
	l.last[payment] = max(l.last[payment], step)
}

func (l *Listener) complain(format string, args ...any) {
	l.broken = append(l.broken, fmt.Sprintf(format, args...))
}

// about reads a webhook id: the payment's, "-w", the step, a letter for each of
// the names of a step, and then what tells endpoints apart. What is told is the
// id without that.
func about(id string) (what, payment string, step int64, err error) {
	payment, rest, _ := strings.Cut(id, "-w")
	name, _, _ := strings.Cut(rest, "-")
	step, err = strconv.ParseInt(strings.TrimRight(name, "te"), 10, 64)
	if err != nil {
		return "", "", 0, fmt.Errorf("the webhook id %q has no step", id)
	}
	return payment + "-w" + name, payment, step, nil
}

// Delays are how long after their events the calls came that came since Delays was
// last asked, the shortest first. They mean something while the shop's clock stands
// with the machine's.
func (l *Listener) Delays() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.delays
	l.delays = nil
	slices.Sort(out)
	return out
}

// Check waits until the endpoint is owed nothing and fails unless all that has
// happened was told, and is told in the same words as the feed of the server.
// Every step that was acknowledged must be there.
func (l *Listener) Check(t testing.TB, shop *client.Client, acks Acks) {
	t.Helper()
	Settle(t, shop, l.ID)
	for d, err := range shop.Deliveries(t.Context(), client.DeliveryFilter{Endpoint: l.ID, State: client.DeliveryFailed}) {
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s has come to nothing after %d attempts", d.ID, d.Attempts)
	}
	heard := l.compare(t, shop)
	for id, acts := range acks {
		for act := range acts {
			if name := told[act]; l.wants(name) && !heard[id][name] {
				t.Errorf("payment %s: %s was acknowledged and is not told as %s", id, act, name)
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.broken[:min(len(l.broken), maxComplaints)] {
		t.Error(b)
	}
	t.Logf("endpoint %s: %d calls of %d names of steps of %d payments, %d of them refused first", l.ID, l.came, len(l.calls), len(heard), l.refused)
}

// compare goes through the feed and asks that each event that the endpoint wants
// came there, and returns which names of each payment are in the feed.
func (l *Listener) compare(t testing.TB, shop *client.Client) map[string]map[client.EventType]bool {
	t.Helper()
	heard := map[string]map[client.EventType]bool{}
	for after := int64(0); ; {
		page, err := shop.Events(t.Context(), after, 0)
		if err != nil {
			t.Fatal(err)
		}
		if page.Next == after {
			return heard
		}
		after = page.Next
		for _, f := range page.Events {
			what, payment, _, err := about(f.ID)
			if err != nil {
				t.Error(err)
				continue
			}
			if heard[payment] == nil {
				heard[payment] = map[client.EventType]bool{}
			}
			heard[payment][f.Type] = true
			if l.wants(f.Type) {
				l.same(t, what, f)
			}
		}
	}
}

// same compares an event of the feed with the call that told it.
func (l *Listener) same(t testing.TB, what string, f client.FeedEvent) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	c, known := l.calls[l.ids[what]]
	if !known {
		t.Errorf("endpoint %s never heard of %s, %s", l.ID, what, f.Type)
		return
	}
	var feed, came bytes.Buffer
	if json.Compact(&feed, f.Body) != nil || json.Compact(&came, []byte(c.body)) != nil || feed.String() != came.String() {
		t.Errorf("%s is told as %s and is %s in the feed", what, c.body, f.Body)
	}
	if data, ok := c.event.Data.(client.EscrowEvent); ok && data.Position != f.Position {
		t.Errorf("%s is at position %d and says %d", what, f.Position, data.Position)
	}
}

func (l *Listener) wants(name client.EventType) bool {
	return slices.ContainsFunc(l.Events, func(e string) bool {
		family, all := strings.CutSuffix(e, "*")
		return e == string(name) || all && strings.HasPrefix(string(name), family)
	})
}

// told are names under which steps of an escrow that a load acknowledges are told.
var told = map[escrow.EventType]client.EventType{
	escrow.EventAccountIssued:      client.EventVirtualAccountIssued,
	escrow.EventPaid:               client.EventPaid,
	escrow.EventDeliveryRegistered: client.EventEscrowDeliveryRegistered,
	escrow.EventConfirmed:          client.EventEscrowConfirmed,
	escrow.EventRejected:           client.EventEscrowRejected,
	escrow.EventCancelled:          client.EventEscrowCancelled,
	escrow.EventPartlyRefunded:     client.EventEscrowPartlyRefunded,
}

// Settle waits until an endpoint is owed no call.
func Settle(t testing.TB, shop *client.Client, endpoint string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), settling)
	defer cancel()
	for {
		left := 0
		var one client.EventDelivery
		for d, err := range shop.Deliveries(ctx, client.DeliveryFilter{Endpoint: endpoint, State: client.DeliveryPending}) {
			if err != nil {
				t.Fatalf("%d calls are owed to endpoint %s, such as %+v: %v", left, endpoint, one, err)
			}
			left, one = left+1, d
		}
		if left == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Errorf("after %s %d calls are owed to endpoint %s, such as %+v", settling, left, endpoint, one)
			return
		case <-time.After(again):
		}
	}
}
