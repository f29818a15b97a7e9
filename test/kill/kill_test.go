package kill_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/test/check"
)

var kills = flag.Int("kills", 8, "how often the program is killed")

const (
	workers = 8
	// The program lives between these two, from being ready to being killed.
	shortest, longest = 50 * time.Millisecond, 700 * time.Millisecond
)

func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills the program")
	}
	killed(t, newProcess(t), nil)
}

// TestKilledOnPostgres kills the program, and now and then the database with it.
func TestKilledOnPostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills the program")
	}
	server := pgtest.StartFor(t)
	p := newProcess(t)
	p.database = server.TCP("postgres")
	killed(t, p, func() {
		if err := errors.Join(server.Kill(), server.Launch()); err != nil {
			t.Error(err)
		}
	})
}

// databaseTurn is the turn of the database: one kill in so many takes it too.
const databaseTurn = 4

// killed kills the program under load; killDatabase, if there is one, kills and
// starts the database.
func killed(t *testing.T, p *process, killDatabase func()) {
	t.Helper()
	hooks := newReceiver(t)
	p.start()
	done := &acks{done: map[string]map[string]bool{}}
	token := signIn(t, p)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	for n := range workers {
		w := &worker{t: t, p: p, n: n, rng: rand.New(rand.NewPCG(uint64(n), 7)), token: token, notice: hooks.URL, acks: done}
		wg.Go(func() { w.run(ctx) })
	}
	for n := range *kills {
		time.Sleep(shortest + rand.N(longest-shortest))
		if killDatabase != nil && n%databaseTurn == 0 {
			killDatabase()
			time.Sleep(shortest)
		}
		p.kill()
		p.start()
	}
	stop()
	wg.Wait()
	p.kill() // and once more with calls under way
	p.start()
	last := &worker{t: t, p: p, token: token}
	if a, err := last.call(t.Context(), http.MethodPost, "/sandbox/clock/advance", map[string]any{"by": "10m"}); err != nil || !a.ok() {
		t.Fatalf("the clock does not move: %v %d %s", err, a.Status, a.Message)
	}
	p.stop()
	inspect(t, p, done, hooks)
}

// inspect opens what the program has left behind.
func inspect(t *testing.T, p *process, done *acks, hooks *receiver) {
	t.Helper()
	c := config.Default()
	c.Data, c.Database, c.Seed = p.data, config.Secret(p.database), true
	s, err := serve.New(context.Background(), c, serve.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	merchant := s.Seeded.MerchantID
	histories := all(t, s.App, merchant)
	byID := map[string]*check.History{}
	events := 0
	for i := range histories {
		h := &histories[i]
		byID[h.ID] = h
		h.One(t)
		once(t, h)
		hooks.arrived(t, s.App, h)
		events += len(h.Events)
	}
	for id, acts := range done.done {
		h := byID[id]
		if h == nil {
			t.Errorf("payment %s was acknowledged and is gone", id)
			continue
		}
		for what := range acts {
			if h.Count(happened[what]) != 1 {
				t.Errorf("payment %s: %s was acknowledged and happened %d times", id, what, h.Count(happened[what]))
			}
		}
	}
	check.Log(t, s.App, merchant)
	check.TheBank(t, s.Bank, merchant, histories)
	check.Books(t, s.App)
	for _, b := range hooks.broken {
		t.Error(b)
	}
	t.Logf("%d kills: %d payments, %d acknowledged, %d events, %d webhooks", *kills+1, len(histories), len(done.done), events, len(hooks.bodies))
	if len(done.done) < *kills {
		t.Errorf("%d payments are too few to show anything", len(done.done))
	}
}

// happened names the event by which an acknowledged act is known.
var happened = map[string]escrow.EventType{
	"issued": escrow.EventAccountIssued, "paid": escrow.EventPaid, "shipped": escrow.EventDeliveryRegistered, "confirmed": escrow.EventConfirmed,
	"rejected": escrow.EventRejected, "cancelled": escrow.EventCancelled, "part": escrow.EventPartlyRefunded,
}

// once asks that no step of a life was taken twice. One() has looked at the
// decisions and at the money.
func once(t *testing.T, h *check.History) {
	t.Helper()
	for what, kind := range happened {
		if n := h.Count(kind); n > 1 {
			t.Errorf("payment %s was %s %d times", h.ID, what, n)
		}
	}
}

// all reads every payment of the merchant with its history.
func all(t *testing.T, a *app.App, merchant string) (out []check.History) {
	t.Helper()
	const page = 500
	for {
		rows, total, err := a.Payments(context.Background(), merchant, app.Filter{}, app.Order{}, len(out), page)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range rows {
			out = append(out, check.Of(t, a, merchant, p.ID))
		}
		if int64(len(out)) >= total || len(rows) == 0 {
			return out
		}
	}
}

// arrived asks that every event that a shop is told of has its webhook, and that
// every webhook came.
func (r *receiver) arrived(t *testing.T, a *app.App, h *check.History) {
	t.Helper()
	hooks, err := a.Webhooks(context.Background(), h.Merchant, h.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	told := map[int64]int{}
	for _, w := range hooks {
		told[w.Seq]++
		if r.calls[w.ID] == 0 || w.State != app.WebhookDelivered {
			t.Errorf("webhook %s is %s after %d tries and came %d times", w.ID, w.State, w.Attempts, r.calls[w.ID])
		}
	}
	for _, e := range h.Events {
		want := 0
		switch e.Type {
		case escrow.EventAccountIssued, escrow.EventPaid:
			want++
		case escrow.EventCancelled, escrow.EventPartlyRefunded:
			if e.Notify {
				want++
			}
		}
		// The demonstration shop has opted in to the steps of an escrow.
		switch e.Type {
		case escrow.EventDeliveryRegistered, escrow.EventConfirmed, escrow.EventRejected, escrow.EventRejectionAccepted, escrow.EventCancelled:
			if h.Escrow {
				want++
			}
		}
		if told[e.Seq] != want {
			t.Errorf("payment %s: event %d, %s, has %d webhooks, want %d", h.ID, e.Seq, e.Type, told[e.Seq], want)
		}
	}
}
