package nodes_test

import (
	"errors"
	"flag"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/test/check"
	"github.com/holdfast-pay/holdfast/test/load"
)

var (
	steps    = flag.Int("steps", 300, "how many steps of lives are done through the balancer")
	restarts = flag.Int("restarts", 1, "how often each node is restarted under load")
)

// stepLimit bounds how long a stretch of load takes.
const stepLimit = 10 * time.Minute

// inspect stops the nodes and asks for everything that must be true.
func (c *cluster) inspect(l *load.Load, hooks *load.Receiver) check.Sums {
	c.t.Helper()
	for _, n := range c.nodes {
		n.Stop()
	}
	return check.After{Acks: l.Acks(), Clock: l.Clock(), Came: hooks.Came, Broken: hooks.Broken}.Program(c.t, c.data, c.database)
}

// TestLoad: whole lives through the balancer, and two weeks of the shop's clock
// afterwards. All nodes take part, and nothing is done twice although nothing but
// the database keeps them apart. The clock stands still under the load: one that
// is moved on while a call is under way ends its lease, and the call is made again.
func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes")
	}
	c := start(t, pgtest.StartFor(t), setup{})
	hooks := load.NewReceiver(t)
	calls := &onceMore{next: &http.Transport{MaxIdleConnsPerHost: hands}}
	l := load.Start(t, load.Config{Base: func() string { return c.front }, Notice: hooks.URL, Through: calls, Limit: time.Minute, Still: true})
	l.More(*steps, stepLimit)
	l.Stop()
	l.Advance(t, "336h")
	for i, n := range c.nodes {
		if calls := posts(t, n.URL()); calls < *steps/10 {
			t.Errorf("node %d answered %d calls of %d steps", i+1, calls, *steps)
		}
	}
	s := c.inspect(l, hooks)
	t.Logf("%d steps acknowledged: %+v", l.Count(), s)
	if calls.tries.Load()+calls.failed.Load() > 0 {
		t.Errorf("%d calls were made twice and %d failed although nothing was broken", calls.tries.Load(), calls.failed.Load())
	}
	if s.Payouts == 0 {
		t.Error("no payout was made, although two weeks have passed")
	}
	for id, n := range hooks.Calls() {
		if n != 1 {
			t.Errorf("webhook %s came %d times although nothing was broken", id, n)
		}
	}
}

// posted is the number of a node's calls that succeeded and may have changed something.
var posted = regexp.MustCompile(`holdfast_http_requests_total\{method="POST",status="200"\} (\d+)`)

// posts is how many calls to change something a node has answered.
func posts(t testing.TB, url string) int {
	t.Helper()
	res, err := http.Get(url + "/metrics") //nolint:noctx // the test has its own bound
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	found := posted.FindSubmatch(text)
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRollingRestart: each node in turn is stopped and started again under load,
// as in an upgrade. A client that tries once more on 502 and 503 notices nothing.
func TestRollingRestart(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes")
	}
	c := start(t, pgtest.StartFor(t), setup{})
	hooks := load.NewReceiver(t)
	again := &onceMore{next: &http.Transport{MaxIdleConnsPerHost: hands}}
	l := load.Start(t, load.Config{Base: func() string { return c.front }, Notice: hooks.URL, Through: again, Limit: time.Minute})
	for range *restarts {
		for _, n := range c.nodes {
			l.More(*steps/10, stepLimit)
			n.Stop()
			n.Start()
		}
	}
	l.More(*steps/10, stepLimit)
	l.Stop()
	l.Advance(t, "336h")
	s := c.inspect(l, hooks)
	t.Logf("%d restarts, %d steps acknowledged, %d calls tried once more: %+v", *restarts*size, l.Count(), again.tries.Load(), s)
	if again.failed.Load() > 0 {
		t.Errorf("%d calls failed in spite of a second try: the last with %v", again.failed.Load(), again.last.Load())
	}
}

// onceMore is the policy of a usual client: a call that is answered with 502 or
// 503 is made a second time.
type onceMore struct {
	next          http.RoundTripper
	tries, failed atomic.Int64
	last          atomic.Value // the last failure, as a text
}

// RoundTrip makes the call.
func (o *onceMore) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := o.next.RoundTrip(req)
	if err == nil && (res.StatusCode == http.StatusBadGateway || res.StatusCode == http.StatusServiceUnavailable) {
		o.tries.Add(1)
		_ = res.Body.Close() // it is not read
		second := req.Clone(req.Context())
		if second.Body, err = req.GetBody(); err == nil {
			res, err = o.next.RoundTrip(second)
		}
	}
	switch {
	case req.Context().Err() != nil: // the load has ended
	case strings.HasPrefix(req.URL.Path, "/sandbox/clock"): // it takes long, and a second node may be stopped in its midst
	case err != nil:
		o.failed.Add(1)
		o.last.Store(err.Error())
	case res.StatusCode >= http.StatusInternalServerError:
		o.failed.Add(1)
		o.last.Store(req.URL.Path + ": " + res.Status)
	}
	return res, err
}
