package nodes_test

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/client"
	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/test/check"
	"github.com/holdfast-pay/holdfast/test/load"
)

var tellings = flag.Int("tellings", 1, "how often a node is killed, and another frozen, while endpoints are told of a load")

const (
	// sulks is one new call in so many that the ordered endpoint refuses at first.
	sulks = 7
	// slowness is how long the slow endpoint takes for an answer.
	slowness = 700 * time.Millisecond
	// isolated is by how much a dead endpoint may delay the others.
	isolated = time.Second
	// compared is on how many steps the delays are compared with each other.
	compared = 60
)

// audience are the endpoints of the shop: two that take what they are told, one of
// them in order, one that is slow, and one that is dead, for which nothing is asked.
type audience struct {
	shop                 *client.Client
	ordered, quick, slow *load.Listener
	before, beside       time.Duration // see quickly
}

// newAudience makes the endpoints that live, before there is anything to tell.
func newAudience(t testing.TB, c *cluster) *audience {
	shop := load.Shop(t, c.front)
	return &audience{
		shop:    shop,
		ordered: load.Listen(t, shop, load.Manner{Ordered: true, Sulks: sulks}),
		quick:   load.Listen(t, shop, load.Manner{}),
		slow:    load.Listen(t, shop, load.Manner{Slow: slowness, Events: []string{"Transaction.*"}}),
	}
}

// joinedByADead lets a load run, and then run beside a dead endpoint, so that the
// delays can be compared.
func (a *audience) joinedByADead(t testing.TB, l *load.Load) {
	t.Helper()
	a.before = a.quickly(t, l)
	load.Listen(t, a.shop, load.Manner{Dead: true})
	a.quickly(t, l) // in which its calls take the places that they get
	a.beside = a.quickly(t, l)
}

// quickly is within what time nine of ten events reach the quick endpoint during
// some steps of a load.
func (a *audience) quickly(t testing.TB, l *load.Load) time.Duration {
	t.Helper()
	a.quick.Delays()
	if !l.More(compared, stepLimit) {
		t.Fatalf("the load makes no steps: %d", l.Count())
	}
	delays := a.quick.Delays()
	if len(delays) == 0 {
		t.Fatal("the quick endpoint is not called")
	}
	return delays[len(delays)*9/10]
}

// check asks that every endpoint that lives was told all, well signed, numbered and
// the same each time, the ordered one in order, and that the dead one delayed none.
func (a *audience) check(t testing.TB, acks load.Acks) {
	t.Helper()
	load.Settle(t, a.shop, merchant.MainV1)
	for _, l := range []*load.Listener{a.ordered, a.quick, a.slow} {
		l.Check(t, a.shop, acks)
	}
	t.Logf("nine of ten events came within %s, and beside a dead endpoint within %s", a.before, a.beside)
	if a.beside > a.before+isolated {
		t.Errorf("nine of ten events came within %s, and beside a dead endpoint within %s", a.before, a.beside)
	}
}

// toldOf tells endpoints of a load while nodes are killed and frozen.
func toldOf(t testing.TB, bug fault.Bug, rounds int) {
	c := start(t, pgtest.StartFor(t), frozenSetup(bug))
	hooks := load.NewReceiver(t)
	a := newAudience(t, c)
	l := load.Start(t, load.Config{Base: func() string { return c.front }, Notice: hooks.URL, Limit: asleep, Still: true})
	a.joinedByADead(t, l)
	for range rounds {
		victim := rand.IntN(size)
		l.More(*steps/20, stepLimit)
		c.nodes[victim].Kill()
		l.More(*steps/20, stepLimit)
		c.nodes[victim].Start()
		sleeping := c.nodes[(victim+1+rand.IntN(size-1))%size]
		freeze(sleeping)
		<-time.After(asleep)
		thaw(sleeping)
	}
	l.More(*steps/20, stepLimit)
	l.Stop()
	a.check(t, l.Acks())
	s := c.inspect(l, hooks)
	t.Logf("%d rounds, %d steps acknowledged, %d calls repeated: %+v", rounds, l.Count(), l.Repeated(), s)
}

// TestTold: shops are told of a load at endpoints of PortOne V2's format, one
// ordered, one not, one slow and one dead, while nodes are killed and frozen.
func TestTold(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes")
	}
	toldOf(t, "", *tellings)
}

// TestPlantedOrder: nodes that make the calls of an ordered endpoint as they are
// due, and not one step after the other, must be found out.
func TestPlantedOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs processes")
	}
	check.Caught(t, func(t testing.TB) { toldOf(t, fault.OrderIgnored, 0) })
}
