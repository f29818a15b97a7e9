package nodes_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/test/program"
)

const (
	// size is how many nodes there are.
	size = 3
	// readyWithin bounds the start of the balancer.
	readyWithin = 30 * time.Second
)

// cluster is several nodes of the program on one database, and a balancer
// before them.
type cluster struct {
	t        testing.TB
	database string // URL of the database, without anything between
	nodes    []*program.Program
	data     string // the folder that the nodes share for the sake of the server's key
	front    string // URL of the balancer
}

// setup says how a cluster differs from the usual one.
type setup struct {
	bug fault.Bug // built into every node; empty for none
	// databases are what each node is told; nil when all reach the server directly.
	databases []string
	env       []string // settings of every node, each NAME=value
}

// start runs the nodes and the balancer until the end of the test.
func start(t testing.TB, server *pgtest.Server, s setup) *cluster {
	t.Helper()
	needHaproxy(t)
	balancer := freeAddress(t)
	c := &cluster{t: t, database: server.TCP("postgres"), data: t.TempDir(), front: "http://" + balancer}
	bin := program.Build(t, s.bug)
	for i := range size {
		n := program.New(t, bin)
		n.Data, n.Database = c.data, c.database
		if s.databases != nil {
			n.Database = s.databases[i]
		}
		n.Env = append([]string{"HOLDFAST_BASE_URL=" + c.front}, s.env...)
		c.nodes = append(c.nodes, n)
		n.Start()
	}
	balance(t, balancer, c.nodes)
	return c
}

// ready waits until a server says that it is ready.
func ready(ctx context.Context, url string) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close() // only the status counts
			if res.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("status %d", res.StatusCode)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // its port is all that is wanted
	return l.Addr().String()
}
