package nodes_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

var cuts = flag.Int("cuts", 1, "how often each disturbance between the nodes and the database is made")

// disturbances of the connection to the database, in toxiproxy's words.
var disturbances = []struct {
	name, toxic string
	all         bool // nodes are disturbed, not the first alone
}{
	{name: "connections are reset", toxic: `"type":"reset_peer","attributes":{"timeout":0},"toxicity":0.5`},
	{name: "questions are not heard", toxic: `"type":"timeout","stream":"upstream","attributes":{"timeout":0}`},
	{name: "answers are not heard", toxic: `"type":"timeout","stream":"downstream","attributes":{"timeout":0}`},
	{name: "answers to commits are lost", toxic: `"type":"lose_commit","stream":"downstream"`, all: true},
	{name: "the way is long", toxic: `"type":"latency","attributes":{"latency":40,"jitter":40}`, all: true},
	{name: "the way is narrow", toxic: `"type":"bandwidth","attributes":{"rate":40}`},
}

const (
	// databasePatience is what the nodes are told, and answeredWithin bounds what
	// it makes of every call.
	databasePatience = time.Second
	answeredWithin   = 20 * time.Second
	// backWithin bounds how long after a disturbance a node does its work again.
	backWithin = 15 * time.Second
	// cutFor is on how many payments the hands act during one disturbance.
	cutFor = 6
)

// cutOff is a race on nodes whose connections to the database are disturbed.
type cutOff struct {
	*race
	cables []*cable
}

func newCutOff(t testing.TB, bug fault.Bug) *cutOff {
	t.Helper()
	server := pgtest.StartFor(t)
	x := &cutOff{}
	s := setup{bug: bug, env: []string{"HOLDFAST_DATABASE_PATIENCE=" + databasePatience.String()}}
	for i := range size {
		c := newCable(t, "node"+strconv.Itoa(i+1), "127.0.0.1:"+strconv.Itoa(server.Port))
		x.cables = append(x.cables, c)
		s.databases = append(s.databases, "postgres://postgres@"+c.Listen+"/postgres?sslmode=disable")
	}
	x.race = newRace(t, start(t, server, s))
	x.patience = answeredWithin
	return x
}

// ready makes payments that wait for a decision, and some that are confirmed, of
// which much can be given back.
func (x *cutOff) ready(name string) []string {
	h := newHand(x.c.nodes[size-1].URL(), x.token, time.Minute)
	payments := make([]string, cutFor)
	for i := range payments {
		id := h.order(x.t, fmt.Sprintf("%s-%d", strings.ReplaceAll(name, " ", "-"), i), "")
		x.do(hands, h, act{Verb: deposit, Payment: id})
		x.do(hands, h, act{Verb: ship, Payment: id})
		if i%2 == 0 {
			x.do(hands, h, act{Verb: confirm, Payment: id})
		}
		payments[i] = id
	}
	return payments
}

// during lets the hands act while the connection is disturbed, and after.
func (x *cutOff) during(n int, name, toxic string, all bool) {
	payments := x.ready(fmt.Sprintf("%s %d", name, n))
	disturbed := x.cables[:1]
	if all {
		disturbed = x.cables
	}
	for _, c := range disturbed {
		c.disturb(toxic)
	}
	acts := []act{{Verb: confirm}, {Verb: confirm}, {Verb: reject}, {Verb: cancel}, {Verb: refund, Won: 1_000}, {Verb: refund, Won: 1_000}, {Verb: refund, Won: 13_000}}
	x.wave(n, payments, acts)
	for _, c := range disturbed {
		c.calm()
	}
	began := time.Now()
	x.recovered()
	x.t.Logf("%s: the slowest answer took %s, back after %s", name, x.slowest().Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	x.wave(n+1, payments, acts)
	h := newHand(x.c.nodes[0].URL(), x.token, time.Minute)
	for _, id := range payments {
		x.do(hands, h, act{Verb: look, Payment: id})
	}
}

// recovered waits until every node takes orders again.
func (x *cutOff) recovered() {
	ctx, cancel := context.WithTimeout(x.t.Context(), backWithin)
	defer cancel()
	for _, n := range x.c.nodes {
		h := newHand(n.URL(), x.token, answeredWithin)
		for ok := false; !ok; {
			a, err := h.call(ctx, http.MethodPost, "/payments/prepare", map[string]any{"merchant_uid": "probe-" + n.Addr, "amount": price})
			ok = err == nil && (a.ok() || a.Status < http.StatusInternalServerError)
			if ctx.Err() != nil {
				x.t.Fatalf("%s does not come back within %s: %v", n.Addr, backWithin, err)
			}
		}
	}
}

// TestCutOff: the connections between nodes and their database are reset, stall,
// lose answers to commits, are slow and narrow. A node that cannot do its work
// says so within a bound, and comes back; what was acknowledged is so, and what
// had no answer was done once or not at all.
func TestCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes")
	}
	x := newCutOff(t, "")
	for n := range *cuts {
		for _, d := range disturbances {
			x.during(n, d.name, d.toxic, d.all)
		}
	}
	acts, unknown, ok := x.judge()
	t.Logf("%d acts, of %d of which nobody knew", acts, unknown)
	if !ok {
		t.Error("no order of acts explains the answers")
	}
	if x.silent > 0 {
		t.Errorf("%d calls had no answer within %s", x.silent, answeredWithin)
	}
}

// TestPlantedLostCommit: nodes that take a commit whose answer is lost for one
// that failed, and do its work again, must be found out.
func TestPlantedLostCommit(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs processes")
	}
	x := newCutOff(t, fault.RepeatLostCommit)
	x.during(0, "answers to commits are lost", `"type":"lose_commit","stream":"downstream"`, true)
	if acts, unknown, ok := x.judge(); ok {
		t.Errorf("%d acts, of %d of which nobody knew, and the bug was not found", acts, unknown)
	}
}
