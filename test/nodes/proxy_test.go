package nodes_test

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
)

// cable is the connection between a node and the database, which can be
// disturbed.
type cable struct {
	*toxiproxy.Proxy
	t testing.TB
}

// newCable leads to a server until the end of the test.
func newCable(t testing.TB, name, upstream string) *cable {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(server, name, "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return &cable{p, t}
}

// disturb adds a disturbance, given as toxiproxy's JSON without its name, and
// calm takes all of them away.
func (c *cable) disturb(toxic string) {
	c.t.Helper()
	if _, err := c.Toxics.AddToxicJson(bytes.NewReader(fmt.Appendf(nil, `{"name":"disturbance",%s}`, toxic))); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cable) calm() { c.Toxics.ResetToxics(context.Background()) }

// loseCommit is a disturbance of our own: the statement arrives, the server
// commits, and the connection breaks before the answer. One answer in loseEvery
// is lost.
type loseCommit struct{}

const loseEvery = 3

var (
	commits   atomic.Int64
	committed = []byte("COMMIT\x00")
)

func init() {
	toxics.Register("lose_commit", new(loseCommit))
	zerolog.SetGlobalLevel(zerolog.Disabled) // some disturbances log to nobody's logger
}

// Pipe carries the answers of the server to the node.
func (*loseCommit) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil || bytes.Contains(c.Data, committed) && commits.Add(1)%loseEvery == 0 {
				stub.Close()
				return
			}
			stub.Output <- c
		}
	}
}
