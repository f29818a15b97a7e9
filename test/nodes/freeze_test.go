package nodes_test

import (
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/test/check"
	"github.com/holdfast-pay/holdfast/test/load"
	"github.com/holdfast-pay/holdfast/test/program"
)

var freezes = flag.Int("freezes", 2, "how often a node is frozen under load")

const (
	// frozenLease is the lease that nodes are told, and hookLease what it makes for
	// a call to a shop.
	frozenLease = time.Second
	hookLease   = 5 * frozenLease
	// asleep is how long a node is frozen: longer than any lease.
	asleep = hookLease + 2*time.Second
	// takenWithin bounds how long after a lease another node does the work.
	takenWithin = time.Minute
)

func frozenSetup(bug fault.Bug) setup {
	return setup{bug: bug, env: []string{"HOLDFAST_LEASE=" + frozenLease.String()}}
}

func freeze(n *program.Program) { n.Signal(syscall.SIGSTOP) }
func thaw(n *program.Program)   { n.Signal(syscall.SIGCONT) }

// TestFrozen: under load a node is frozen, wherever it is in its sweeps, mails,
// calls and orders, for longer than its leases, and goes on afterwards.
func TestFrozen(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes")
	}
	c := start(t, pgtest.StartFor(t), frozenSetup(""))
	hooks := load.NewReceiver(t)
	l := load.Start(t, load.Config{Base: func() string { return c.front }, Notice: hooks.URL, Limit: asleep})
	for range *freezes {
		l.More(*steps/10, stepLimit)
		n := c.nodes[rand.IntN(size)]
		freeze(n)
		<-time.After(asleep)
		thaw(n)
	}
	l.More(*steps/10, stepLimit)
	l.Stop()
	l.Advance(t, "336h")
	s := c.inspect(l, hooks)
	t.Logf("frozen %d times for %s, %d steps acknowledged, %d calls repeated: %+v", *freezes, asleep, l.Count(), l.Repeated(), s)
}

// sleeper is a shop in whose first call the node that makes it is frozen.
type sleeper struct {
	*httptest.Server
	c *cluster

	mu     sync.Mutex
	first  string // the webhook of the first call
	second chan struct{}
}

// newSleeper leaves only the first node awake.
func newSleeper(t testing.TB, c *cluster) *sleeper {
	s := &sleeper{c: c, second: make(chan struct{})}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	for _, n := range c.nodes[1:] {
		freeze(n)
	}
	return s
}

// ServeHTTP freezes the caller of the first call and wakes the others. When one
// of them has made the call again and was answered well, the first is answered
// badly and its caller goes on.
func (s *sleeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("Holdfast-Webhook-Id")
	s.mu.Lock()
	first := s.first == ""
	if first {
		s.first = id
	} else if id == s.first {
		select {
		case <-s.second:
		default:
			close(s.second)
		}
	}
	s.mu.Unlock()
	if !first {
		return
	}
	freeze(s.c.nodes[0])
	for _, n := range s.c.nodes[1:] {
		thaw(n)
	}
	select {
	case <-s.second:
		<-time.After(time.Second) // in which the outcome of the second call is kept
	case <-time.After(takenWithin):
	}
	w.WriteHeader(http.StatusInternalServerError)
	thaw(s.c.nodes[0])
}

// frozenInACall freezes a node in the middle of a call to a shop and asks what
// stands in the end: the outcome of the node that took the call over.
func frozenInACall(t testing.TB, bug fault.Bug) {
	c := start(t, pgtest.StartFor(t), frozenSetup(bug))
	token := signIn(t, c.front)
	shop := newSleeper(t, c)
	id := newHand(c.nodes[0].URL(), token, time.Minute).order(t, "frozen-1", shop.URL)
	select {
	case <-shop.second:
	case <-time.After(takenWithin):
		t.Fatal("no other node took the call over")
	}
	<-time.After(2 * time.Second) // in which the first node wakes up
	for _, n := range c.nodes {
		n.Stop()
	}
	hook := c.hook(t, id, shop.first)
	var attempts []struct {
		Status int `json:"status"`
	}
	if err := json.Unmarshal([]byte(hook.Log), &attempts); err != nil {
		t.Fatal(err)
	}
	if hook.State != app.WebhookDelivered || hook.Attempts != 2 || len(attempts) != 2 {
		t.Errorf("the call that was taken over is %s after %d attempts with the log %s", hook.State, hook.Attempts, hook.Log)
	}
}

// hook is a webhook as the nodes have left it.
func (c *cluster) hook(t testing.TB, payment, id string) app.Webhook {
	t.Helper()
	set := config.Default()
	set.Data, set.Database, set.Seed = c.data, config.Secret(c.database), true
	s, err := serve.New(context.Background(), set, serve.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }() // it was only read
	hooks, err := s.App.Webhooks(context.Background(), s.Seeded.MerchantID, app.WebhookFilter{Payment: payment}, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hooks {
		if strings.EqualFold(h.ID, id) {
			return h
		}
	}
	t.Fatalf("there is no webhook %s", id)
	return app.Webhook{}
}

// TestFrozenInACall: what a node brings that slept in a call does not overwrite
// what another has done meanwhile.
func TestFrozenInACall(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes")
	}
	frozenInACall(t, "")
}

// TestPlantedFence: nodes that keep every outcome, however late it comes, must be
// found out.
func TestPlantedFence(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs processes")
	}
	check.Caught(t, func(t testing.TB) { frozenInACall(t, fault.NoFence) })
}
