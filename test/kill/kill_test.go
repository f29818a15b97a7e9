package kill_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/test/check"
	"github.com/holdfast-pay/holdfast/test/load"
	"github.com/holdfast-pay/holdfast/test/program"
)

var kills = flag.Int("kills", 50, "how often the program is killed, on each engine")

// The program lives between these two, from being ready to being killed.
const shortest, longest = 20 * time.Millisecond, 400 * time.Millisecond

func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills the program")
	}
	killed(t, program.New(t, program.Build(t, "")), *kills, nil)
}

// TestKilledPlanted: a program that answers before it commits is caught, and one
// that forgets under which key it has given an order to the bank.
func TestKilledPlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills the program")
	}
	for _, bug := range []fault.Bug{fault.AnswerFirst, fault.NewBankKey} {
		t.Run(string(bug), func(t *testing.T) {
			check.Caught(t, func(t testing.TB) { killed(t, program.New(t, program.Build(t, bug)), plantedKills, nil) })
		})
	}
}

// plantedKills are the kills that a planted bug may survive at most.
const plantedKills = 20

// TestKilledOnPostgres kills the program, and now and then the database with it.
func TestKilledOnPostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills the program")
	}
	server := pgtest.StartFor(t)
	p := program.New(t, program.Build(t, ""))
	p.Database = server.TCP("postgres")
	killed(t, p, *kills, func() {
		if err := errors.Join(server.Kill(), server.Launch()); err != nil {
			t.Error(err)
		}
	})
}

var crashes = flag.Int("crashes", 6, "how often PostgreSQL alone is ended under the running program")

const (
	// some is how many steps are waited for between two crashes, someWithin how long.
	some       = 20
	someWithin = 30 * time.Second
)

// TestDatabaseKilled ends PostgreSQL under the program, which lives on: in turns
// by an immediate stop, and by killing each of its processes.
func TestDatabaseKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills PostgreSQL")
	}
	server := pgtest.StartFor(t)
	p := program.New(t, program.Build(t, ""))
	p.Database = server.TCP("postgres")
	hooks := load.NewReceiver(t)
	began, gap := time.Now(), time.Duration(0)
	p.Start()
	l := load.Start(t, load.Config{Base: p.URL, Notice: hooks.URL})
	for n := range *crashes {
		if !l.More(some, someWithin) {
			t.Fatalf("the program does not work after %d crashes: %d steps", n, l.Count())
		}
		time.Sleep(rand.N(longest))
		end := server.Kill
		if n%2 == 1 {
			end = server.Crash
		}
		l.Gap()
		if err := errors.Join(end(), server.Launch()); err != nil {
			t.Fatal(err)
		}
		if !l.More(some, someWithin) {
			t.Fatalf("the program does not come back after %d crashes: %d steps", n+1, l.Count())
		}
		gap = max(gap, l.Gap())
	}
	l.Stop()
	took := time.Since(began)
	p.Kill() // work whose taking was never answered is free when its holder has gone
	p.Start()
	l.Advance(t, "336h")
	p.Stop()
	s := check.After{Acks: l.Acks(), Clock: l.Clock(), Came: hooks.Came, Broken: hooks.Broken}.Program(t, p.Data, p.Database)
	t.Logf("%d crashes in %s, silent for at most %s, %d steps acknowledged, %d calls repeated: %+v",
		*crashes, took.Round(time.Second), gap.Round(100*time.Millisecond), l.Count(), l.Repeated(), s)
}

// databaseTurn is the turn of the database: one kill in so many takes it too.
const databaseTurn = 10

// killed kills the program under load; killDatabase, if there is one, kills and
// starts the database.
func killed(t testing.TB, p *program.Program, kills int, killDatabase func()) {
	t.Helper()
	began := time.Now()
	hooks := load.NewReceiver(t)
	p.Start()
	shop := load.Shop(t, p.URL())
	steps := load.Listen(t, shop, load.Manner{Ordered: true})
	load.Refusing(t, shop, "Transaction.Paid")
	l := load.Start(t, load.Config{Base: p.URL, Notice: hooks.URL})
	for n := 0; n < kills && !t.Failed(); n++ {
		time.Sleep(shortest + rand.N(longest-shortest))
		if killDatabase != nil && n%databaseTurn == 0 {
			killDatabase()
		}
		p.Kill()
		p.Start()
	}
	time.Sleep(longest)
	l.Stop()
	p.Kill() // and once more with calls under way
	p.Start()
	took := time.Since(began)
	l.Advance(t, "336h")
	steps.Check(t, shop, l.Acks())
	p.Stop()
	s := check.After{Acks: l.Acks(), Clock: l.Clock(), Came: hooks.Came, Broken: hooks.Broken}.Program(t, p.Data, p.Database)
	t.Logf("%d kills in %s, %d steps acknowledged, %d calls repeated: %+v", kills+1, took.Round(time.Second), l.Count(), l.Repeated(), s)
	if l.Count() < 2*kills {
		t.Errorf("%d steps are too few to show anything", l.Count())
	}
}
