package app_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
)

// leaseOfOnce is longer than a request is left to a node that gives no sign of life.
const leaseOfOnce = time.Minute + time.Second

// makesKey is an act that can be counted.
func makesKey(a *app.App, merchantID string, o *app.Once) (app.KeyPair, error) {
	return a.CreateKey(app.WithOnce(context.Background(), o), "test", merchantID, app.KeyPair{})
}

func countKeys(t testing.TB, s *servetest.Server) int {
	keys, err := s.App.Keys(context.Background(), s.Merchant)
	if err != nil {
		t.Fatal(err)
	}
	return len(keys)
}

func onceKey(s *servetest.Server, name string) app.OnceKey {
	return app.OnceKey{Merchant: s.Merchant, Key: name, Print: "print"}
}

// TestOnceOnTwoNodes: what one node carries out, another one does not, unless it gives
// no sign of life; then the first, when it wakes up, cannot act.
func TestOnceOnTwoNodes(t *testing.T) {
	a, b := twoNodes(t)
	ctx := t.Context()
	begun := func(s *servetest.Server, want error) *app.Once {
		t.Helper()
		o, err := s.App.BeginOnce(ctx, onceKey(s, "slept"))
		if !errors.Is(err, want) || (want == nil && err != nil) {
			t.Fatalf("beginning: %v, want %v", err, want)
		}
		return o
	}
	before := countKeys(t, a)
	first := begun(a, nil)
	begun(b, app.ErrOutstanding)
	a.Clock.Advance(leaseOfOnce / 2)
	if err := a.App.KeepOnces(ctx); err != nil {
		t.Fatal(err)
	}
	a.Clock.Advance(leaseOfOnce / 2)
	begun(b, app.ErrOutstanding)
	a.Clock.Advance(leaseOfOnce)
	second := begun(b, nil)
	if _, err := makesKey(a.App, a.Merchant, first); !errors.Is(err, app.ErrOutstanding) || !first.Lost() {
		t.Errorf("the first acts when it wakes up: %v", err)
	}
	if _, err := makesKey(b.App, b.Merchant, second); err != nil {
		t.Fatal(err)
	}
	if err := a.App.AnswerOnce(ctx, first, app.Answer{Status: 500}); !errors.Is(err, app.ErrOutstanding) {
		t.Errorf("the first answers when it wakes up: %v", err)
	}
	if err := b.App.AnswerOnce(ctx, second, app.Answer{Status: 201, Body: []byte("made")}); err != nil {
		t.Fatal(err)
	}
	if o := begun(a, nil); o.Answer == nil || o.Answer.Status != 201 || string(o.Answer.Body) != "made" {
		t.Errorf("afterwards the first node knows %+v", o.Answer)
	}
	if n := countKeys(t, a) - before; n != 1 {
		t.Errorf("%d acts", n)
	}
}

// TestLeasesAreProlongedTogether: in one transaction, however many requests are
// under way.
func TestLeasesAreProlongedTogether(t *testing.T) {
	s := servetest.Run(t)
	s.Server.Loops.Close()
	for i := range 5 {
		if _, err := s.App.BeginOnce(t.Context(), onceKey(s, fmt.Sprint("together-", i))); err != nil {
			t.Fatal(err)
		}
	}
	before := s.App.StoreStats().Functions
	if err := s.App.KeepOnces(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.App.StoreStats().Functions - before; n != 1 {
		t.Errorf("%d writes", n)
	}
}

// TestOnceOfANodeThatEnded: another node goes on at once where it ended.
func TestOnceOfANodeThatEnded(t *testing.T) {
	a, b := twoNodes(t)
	ctx := t.Context()
	before := countKeys(t, b)
	for _, acts := range []bool{false, true} {
		gone := servetest.Run(t, servetest.Beside(a))
		name := fmt.Sprintf("ended after acting: %t", acts)
		o, err := gone.App.BeginOnce(ctx, onceKey(gone, name))
		if err != nil {
			t.Fatal(err)
		}
		var made app.KeyPair
		if acts {
			if made, err = makesKey(gone.App, gone.Merchant, o); err != nil {
				t.Fatal(err)
			}
		}
		if err := gone.Close(); err != nil {
			t.Fatal(err)
		}
		next, err := b.App.BeginOnce(ctx, onceKey(b, name))
		for end := time.Now().Add(10 * time.Second); errors.Is(err, app.ErrOutstanding) && time.Now().Before(end); {
			next, err = b.App.BeginOnce(ctx, onceKey(b, name)) // the database has yet to see that the connection has gone
		}
		if err != nil || next.Untold() != acts {
			t.Fatalf("%s: %v, untold %t", name, err, next.Untold())
		}
		pair, err := makesKey(b.App, b.Merchant, next)
		if err != nil || (acts && pair != made) {
			t.Errorf("%s: %v, the key %s, want %s", name, err, pair.Key, made.Key)
		}
	}
	if n := countKeys(t, b) - before; n != 2 {
		t.Errorf("%d acts of two requests", n)
	}
}

// actsOfOnce is how many acts the requests of the random history have.
const actsOfOnce = 2

// history is a random history of executions, and what must be true of it.
type history struct {
	t *rapid.T
	s *servetest.Server
	// executions are begun and not known to have ended; some are dead and do not
	// know it.
	executions map[int]*execution
	last       int
	requests   map[string]*requested
	keys       int // made so far
}

// execution is one execution of a request.
type execution struct {
	o    *app.Once
	key  string
	of   *requested // as the key was known then; it may have been forgotten since
	acts []string
}

// requested is what the callers of a key know.
type requested struct {
	began  time.Time
	acts   []string // what was done, in order
	answer string
}

func (h *history) begin(name string) {
	key := onceKey(h.s, name)
	o, err := h.s.App.BeginOnce(context.Background(), key)
	r := h.requests[name]
	if r != nil && !h.s.Clock.Now().Before(r.began.Add(app.KeyLife)) && err == nil && o.Answer == nil && !o.Untold() {
		r = nil // forgotten
	}
	switch {
	case errors.Is(err, app.ErrOutstanding):
		return
	case err != nil:
		h.t.Fatal(err)
	case r == nil:
		h.requests[name] = &requested{began: h.s.Clock.Now()}
		r = h.requests[name]
	}
	if o.Answer != nil {
		if string(o.Answer.Body) != r.answer || r.answer == "" {
			h.t.Fatalf("%s is answered with %q, want %q", name, o.Answer.Body, r.answer)
		}
		return
	}
	if r.answer != "" {
		h.t.Fatalf("%s was answered and is carried out again", name)
	}
	h.last++
	h.executions[h.last] = &execution{o: o, key: name, of: r}
}

// act lets an execution do its next act. It does it, is told it, or has lost.
func (h *history) act(n int) {
	e, r := h.executions[n], h.executions[n].of
	if len(e.acts) == actsOfOnce {
		return
	}
	pair, err := makesKey(h.s.App, h.s.Merchant, e.o)
	if errors.Is(err, app.ErrOutstanding) {
		return
	}
	if err != nil {
		h.t.Fatal(err)
	}
	i := len(e.acts)
	e.acts = append(e.acts, pair.Key)
	switch {
	case i < len(r.acts) && pair.Key != r.acts[i]:
		h.t.Fatalf("act %d of %s is %s and was %s", i, e.key, pair.Key, r.acts[i])
	case i == len(r.acts):
		r.acts = append(r.acts, pair.Key)
		h.keys++
	}
}

func (h *history) answer(n int) {
	e := h.executions[n]
	if len(e.acts) < actsOfOnce || e.o.Lost() {
		return
	}
	body := fmt.Sprint(e.acts)
	err := h.s.App.AnswerOnce(context.Background(), e.o, app.Answer{Status: 201, Body: []byte(body)})
	delete(h.executions, n)
	if errors.Is(err, app.ErrOutstanding) {
		return
	}
	if err != nil {
		h.t.Fatal(err)
	}
	e.of.answer = body
}

// TestOnceHistories: in every history of executions that begin, act, answer, give up,
// die, and wake up again, each act is done once, and each request has one answer.
func TestOnceHistories(t *testing.T) {
	s := servetest.Run(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		h := &history{t: rt, s: s, executions: map[int]*execution{}, requests: map[string]*requested{}}
		before := countKeys(t, s)
		pick := func(rt *rapid.T) int {
			if len(h.executions) == 0 {
				rt.Skip("no execution")
			}
			return rapid.SampledFrom(slices.Sorted(maps.Keys(h.executions))).Draw(rt, "execution")
		}
		rt.Repeat(map[string]func(*rapid.T){
			"begin": func(rt *rapid.T) {
				h.begin(fmt.Sprintf("%d-%d", round, rapid.IntRange(1, 2).Draw(rt, "key")))
			},
			"act":    func(rt *rapid.T) { h.act(pick(rt)) },
			"act on": func(rt *rapid.T) { h.act(pick(rt)) },
			"answer": func(rt *rapid.T) { h.answer(pick(rt)) },
			"give up": func(rt *rapid.T) {
				n := pick(rt)
				s.App.FreeOnce(context.Background(), h.executions[n].o)
				delete(h.executions, n)
			},
			"die": func(rt *rapid.T) { s.App.Die(h.executions[pick(rt)].o) }, // it may go on, and does not know
			"wait": func(rt *rapid.T) {
				s.Clock.Advance(rapid.SampledFrom([]time.Duration{time.Second, leaseOfOnce, app.KeyLife}).Draw(rt, "time"))
			},
			"maintain": func(*rapid.T) {
				if err := s.App.Maintain(context.Background()); err != nil {
					rt.Fatal(err)
				}
			},
			"": func(rt *rapid.T) {
				if got := countKeys(t, s) - before; got != h.keys {
					rt.Fatalf("%d acts, want %d", got, h.keys)
				}
			},
		})
		for _, e := range h.executions {
			s.App.FreeOnce(context.Background(), e.o)
		}
	})
}
