package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/internal/store/storetest"
)

// m is the merchant of these tests.
const m = storetest.Merchant

func openURL(t testing.TB, url string, o store.PostgresOptions) *store.Store {
	t.Helper()
	s, err := store.OpenPostgres(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// key writes a key that can be written once.
func key(s *store.Store, k string) error {
	return s.Write(context.Background(), func(tx *store.Tx) error { return tx.PutDirectory("key", k, m, k) })
}

func hasKey(t *testing.T, s *store.Store, k string) bool {
	t.Helper()
	err := s.Read(context.Background(), func(r *store.Reader) error {
		_, err := r.Lookup("key", k)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// next changes a payment as the door does: read under lock, decide, store.
func next(s *store.Store, id string) error {
	return s.Write(context.Background(), func(tx *store.Tx) error {
		p, err := tx.Payment(m, id)
		if err != nil {
			return err
		}
		was := p.Version
		p.Version, p.Seq = was+1, p.Seq+1
		return tx.Apply(was, &escrow.Decision{Next: p, Events: []escrow.Event{{Seq: p.Seq, Type: escrow.EventPaid, At: storetest.Monday}}}, store.Owed{})
	}, store.OnPayment(m, id))
}

// TestTwoNodes: two stores on one database act on the same payments and write one
// log. Whoever follows it meanwhile never sees a gap.
func TestTwoNodes(t *testing.T) {
	url := postgres(t)
	nodes := []*store.Store{openURL(t, url, store.PostgresOptions{}), openURL(t, url, store.PostgresOptions{})}
	const shared, hands, each = 5, 8, 15
	for i := range shared {
		if err := storetest.Open(nodes[0], fmt.Sprintf("imp_%d", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	no := errors.New("no")
	var wg sync.WaitGroup
	for n, s := range nodes {
		for h := range hands {
			wg.Go(func() {
				for i := range each {
					if err := next(s, fmt.Sprintf("imp_%d", (h+i)%shared)); err != nil {
						t.Error(err)
					}
					if err := storetest.Open(s, fmt.Sprintf("imp_%d_%d_%d", n, h, i), func(*store.Tx) error {
						return map[bool]error{true: no}[i%3 == 0]
					}); (i%3 == 0) != errors.Is(err, no) {
						t.Error(err)
					}
				}
			})
		}
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	for last := int64(0); ; {
		select {
		case <-done:
			storetest.CheckLog(t, nodes[1], 2*shared+len(nodes)*hands*each+2*len(nodes)*hands*each*2/3)
			return
		default:
		}
		err := nodes[0].Read(context.Background(), func(r *store.Reader) error {
			events, err := r.EventsAfter(m, last, 1000)
			for _, e := range events {
				if e.Position != last+1 {
					t.Errorf("after position %d comes %d", last, e.Position)
				}
				last = e.Position
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestDeadlock: two functions that take two payments crosswise both succeed.
func TestDeadlock(t *testing.T) {
	url := postgres(t)
	nodes := []*store.Store{openURL(t, url, store.PostgresOptions{}), openURL(t, url, store.PostgresOptions{})}
	ids := []string{"imp_1", "imp_2"}
	for _, id := range ids {
		if err := storetest.Open(nodes[0], id, nil); err != nil {
			t.Fatal(err)
		}
	}
	var meet sync.WaitGroup
	meet.Add(2)
	answers := make(chan error, 2)
	for n, s := range nodes {
		var once sync.Once
		go func() {
			answers <- s.Write(context.Background(), func(tx *store.Tx) error {
				_, err := tx.Payment(m, ids[n])
				once.Do(func() {
					meet.Done()
					meet.Wait()
				})
				_, err2 := tx.Payment(m, ids[1-n])
				return errors.Join(err, err2, tx.PutDirectory("key", ids[n], m, "x"))
			})
		}()
	}
	if err := errors.Join(<-answers, <-answers); err != nil {
		t.Fatal(err)
	}
	if nodes[0].Stats().Again+nodes[1].Stats().Again == 0 {
		t.Error("there was no deadlock to get out of")
	}
	if !hasKey(t, nodes[0], ids[0]) || !hasKey(t, nodes[0], ids[1]) {
		t.Error("a function that succeeded left nothing")
	}
}

// TestCrash: the server is killed under load. What was acknowledged is there,
// what was refused is not, and the store goes on by itself.
func TestCrash(t *testing.T) {
	server := pgtest.StartFor(t)
	s := openURL(t, server.URL("postgres"), store.PostgresOptions{})
	const hands, rounds = 8, 3
	var mu sync.Mutex
	acked, refused, unknown := []string{}, []string{}, 0
	progress := make(chan struct{}, 1)
	var stop atomic.Bool
	var wg sync.WaitGroup
	for h := range hands {
		wg.Go(func() {
			for i := 0; !stop.Load(); i++ {
				k := fmt.Sprintf("%d-%d", h, i)
				err := key(s, k)
				mu.Lock()
				switch {
				case err == nil:
					acked = append(acked, k)
				case errors.Is(err, store.ErrUnavailable):
					refused = append(refused, k)
				case errors.Is(err, store.ErrUnknown):
					unknown++
				default:
					t.Error(err)
				}
				mu.Unlock()
				select {
				case progress <- struct{}{}:
				default:
				}
			}
		})
	}
	// work waits until fifty more have been acknowledged.
	work := func() {
		count := func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(acked)
		}
		for enough := count() + 50; count() < enough && !t.Failed(); {
			<-progress
		}
	}
	for range rounds {
		work()
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := server.Launch(); err != nil {
			t.Fatal(err)
		}
	}
	work()
	stop.Store(true)
	wg.Wait()
	t.Logf("%d acknowledged, %d refused, %d unknown", len(acked), len(refused), unknown)
	for _, k := range acked {
		if !hasKey(t, s, k) {
			t.Errorf("%s was acknowledged and is lost", k)
		}
	}
	for _, k := range refused {
		if hasKey(t, s, k) {
			t.Errorf("%s was refused and is there", k)
		}
	}
}

// wire is a connection to the server that can be cut at a commit.
type wire struct {
	net.Listener
	target string
	// cut says what happens to the next commit, once.
	cut     atomic.Int32
	cancels atomic.Int32
	// silent keeps connections open and carries nothing.
	silent atomic.Bool
}

const (
	cutNothing int32 = iota
	cutBefore        // the server never hears of the commit
	cutAfter         // the answer to the commit is lost
	cutBehind        // the connection is lost while the commit is on its way
)

func newWire(t *testing.T, server *pgtest.Server) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, target: fmt.Sprintf("127.0.0.1:%d", server.Port)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(client)
		}
	}()
	return w
}

var cancelRequest = []byte{0x04, 0xd2, 0x16, 0x2e} // 1234, 5678

func (w *wire) carry(client net.Conn) {
	server, err := net.Dial("tcp", w.target)
	if err != nil {
		_ = client.Close()
		return
	}
	end := func() {
		_ = client.Close()
		_ = server.Close()
	}
	go w.pass(server, client, cutBefore, end)
	w.pass(client, server, cutAfter, end)
}

// pass carries bytes until there is a commit to cut.
func (w *wire) pass(to io.Writer, from io.Reader, cut int32, end func()) {
	defer end()
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		if cut == cutBefore && n >= 8 && bytes.Equal(buf[4:8], cancelRequest) {
			w.cancels.Add(1)
		}
		commit := bytes.Contains(buf[:n], []byte("COMMIT\x00"))
		if commit && w.cut.CompareAndSwap(cut, cutNothing) {
			return
		}
		if commit && cut == cutBefore && w.cut.CompareAndSwap(cutBehind, cutNothing) {
			_, _ = to.Write(buf[:n])
			return
		}
		if w.silent.Load() && err == nil {
			continue
		}
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// TestSilence: a server that takes questions and does not answer keeps nobody
// waiting, and what was refused did not happen.
func TestSilence(t *testing.T) {
	w := newWire(t, pgtest.StartFor(t))
	url := fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable&connect_timeout=1", w.Addr())
	// A question waits longer than a connection is waited for: either limit may pass.
	s := openURL(t, url, store.PostgresOptions{Answer: 1500 * time.Millisecond, Patience: 200 * time.Millisecond})
	if err := key(s, "before"); err != nil {
		t.Fatal(err)
	}
	w.silent.Store(true)
	err := s.Read(context.Background(), func(r *store.Reader) error {
		_, err := r.Lookup("key", "before")
		return err
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("reading: %v", err)
	}
	// A snapshot that has begun is held no longer, nor is one that begins.
	for _, name := range []string{"inside", "before"} {
		w.silent.Store(name == "before")
		began := time.Now()
		err := s.Snapshot(context.Background(), func(r *store.Reader) error {
			w.silent.Store(true)
			_, err := r.Lookup("key", "before")
			return err
		})
		if took := time.Since(began); !errors.Is(err, store.ErrUnavailable) || took > 20*time.Second {
			t.Errorf("a snapshot with silence %s it: %v after %s", name, err, took)
		}
	}
	// So is the end of one that has read what it wanted.
	w.silent.Store(false)
	err = s.Snapshot(context.Background(), func(r *store.Reader) error {
		_, err := r.Lookup("key", "before")
		w.silent.Store(true)
		return err
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("the end of a snapshot: %v", err)
	}
	wrote := key(s, "during")
	if !errors.Is(wrote, store.ErrUnavailable) && !errors.Is(wrote, store.ErrUnknown) {
		t.Errorf("writing: %v", wrote)
	}
	w.silent.Store(false)
	for i := 0; ; i++ { // the connection of a writer comes back with the first write that it makes
		if err := key(s, fmt.Sprintf("after%d", i)); err == nil {
			break
		} else if i > 100 {
			t.Fatalf("it does not come back: %v", err)
		}
	}
	if there := hasKey(t, s, "during"); there && errors.Is(wrote, store.ErrUnavailable) {
		t.Error("what was refused is there")
	}
}

// TestLostAnswer: a connection that breaks at the commit leaves nothing open. The
// server is asked what became of it, and the function is run again only if
// nothing did.
func TestLostAnswer(t *testing.T) {
	server := pgtest.StartFor(t)
	w := newWire(t, server)
	url := fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable&default_query_exec_mode=exec", w.Addr())
	s := openURL(t, url, store.PostgresOptions{})
	for name, c := range map[string]struct {
		cut  int32
		runs int
	}{"nothing": {cutNothing, 1}, "before": {cutBefore, 2}, "after": {cutAfter, 1}} {
		for i := range 3 {
			runs, id := 0, fmt.Sprintf("imp_%s%d", name, i)
			w.cut.Store(c.cut)
			err := storetest.Open(s, id, func(*store.Tx) error {
				runs++
				return nil
			})
			if err != nil || runs != c.runs || w.cut.Load() != cutNothing {
				t.Errorf("cut %s the commit: %d runs, want %d (%v)", name, runs, c.runs, err)
			}
			err = s.Read(context.Background(), func(r *store.Reader) error {
				events, err := r.Events(m, id)
				if len(events) != 2 {
					t.Errorf("cut %s the commit: %d events", name, len(events))
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	storetest.CheckLog(t, s, 18)
	if n := w.cancels.Load(); n > 0 {
		t.Errorf("the store asked the server %d times to cancel a statement", n)
	}
}

// TestLateCommit: a connection is lost while its commit is on the way and waits at
// the server. Whatever comes of that commit, the function is done once.
func TestLateCommit(t *testing.T) {
	server := pgtest.StartFor(t)
	w := newWire(t, server)
	url := fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable&default_query_exec_mode=exec", w.Addr())
	s := openURL(t, url, store.PostgresOptions{})
	if err := storetest.Open(s, "imp_1", nil); err != nil {
		t.Fatal(err)
	}
	connectAll(t, s)
	inTheWay, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inTheWay.Close(context.Background()) }()
	if _, err := inTheWay.Exec(t.Context(), `BEGIN; LOCK TABLE event IN SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	w.cut.Store(cutBehind)
	answer := make(chan error, 1)
	go func() { answer <- next(s, "imp_1") }()
	// The one that was cut waits for the table, and the one that was begun after it for the payment.
	for n, end := 0, time.Now().Add(5*time.Second); n < 2 && time.Now().Before(end); {
		if err := inTheWay.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := inTheWay.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; err != nil {
		t.Fatal(err)
	}
	err = s.Read(t.Context(), func(r *store.Reader) error {
		events, err := r.Events(m, "imp_1")
		if len(events) != 3 {
			t.Errorf("%d events, want 3", len(events))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	storetest.CheckLog(t, s, 3)
}

// TestWarnedConnections: a server that warns everybody who connects, as one does
// whose system has got newer rules of sorting, can say what became of a commit.
func TestWarnedConnections(t *testing.T) {
	server := pgtest.StartFor(t)
	for _, statement := range []string{
		`CREATE DATABASE warned TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'`,
		`UPDATE pg_database SET datcollversion = '0' WHERE datname = 'warned'`,
	} {
		admin(t, server.URL("postgres"), statement)
	}
	w := newWire(t, server)
	url := fmt.Sprintf("postgres://postgres@%s/warned?sslmode=disable&default_query_exec_mode=exec", w.Addr())
	s := openURL(t, url, store.PostgresOptions{Patience: 2 * time.Second})
	w.cut.Store(cutAfter)
	if err := storetest.Open(s, "imp_1", nil); err != nil || w.cut.Load() != cutNothing {
		t.Errorf("a commit without an answer: %v", err)
	}
}

func admin(t *testing.T, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(context.Background(), statement); err != nil {
		t.Fatal(err)
	}
}

// connectAll lets every writer of a store make its connection: each is kept busy
// until the next one is.
func connectAll(t *testing.T, s *store.Store) {
	t.Helper()
	n := s.Stats().Writers
	gate, answers := make(chan struct{}), make(chan error, n)
	for range n {
		begun := make(chan struct{})
		go func() {
			var once sync.Once
			answers <- s.Write(context.Background(), func(*store.Tx) error {
				once.Do(func() { close(begun) })
				<-gate
				return nil
			})
		}()
		<-begun
	}
	close(gate)
	for range n {
		if err := <-answers; err != nil {
			t.Fatal(err)
		}
	}
}

// standbyAway lets commits wait for a standby that does not come. A connection
// that is made after the server has read its settings anew sees them; the older
// ones have been told by then.
func standbyAway(t *testing.T, url string) {
	t.Helper()
	admin(t, url, `ALTER SYSTEM SET synchronous_standby_names = 'away'`)
	admin(t, url, `SELECT pg_reload_conf()`)
	for names := ""; names != "away"; {
		conn, err := pgx.Connect(context.Background(), url)
		if err == nil {
			err = errors.Join(conn.QueryRow(context.Background(), `SHOW synchronous_standby_names`).Scan(&names), conn.Close(context.Background()))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// cancelWaiting cancels the commits that wait for the standby, once one does.
func cancelWaiting(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for n := 0; n == 0; {
		err := conn.QueryRow(context.Background(), `SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestStandbyThatIsAway: a commit whose wait for the standby was cancelled is on
// the primary alone. It is acknowledged when a later commit proves that the
// standby has it, and unknown otherwise.
func TestStandbyThatIsAway(t *testing.T) {
	server := pgtest.StartFor(t)
	url := server.URL("postgres")
	patient := openURL(t, url, store.PostgresOptions{})
	hasty := openURL(t, url, store.PostgresOptions{Patience: time.Second})
	for name, c := range map[string]struct {
		s    *store.Store
		want error
	}{"patient": {patient, nil}, "hasty": {hasty, store.ErrUnknown}} {
		connectAll(t, c.s)
		standbyAway(t, url)
		answer := make(chan error, 1)
		go func() { answer <- key(c.s, name) }()
		cancelWaiting(t, url)
		var err error
		if c.want == nil {
			select {
			case err = <-answer:
				t.Fatalf("%s: acknowledged while no standby has it (%v)", name, err)
			case <-time.After(300 * time.Millisecond):
			}
			backToOne(t, url)
			err = <-answer
		} else {
			err = <-answer
			backToOne(t, url)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if !hasKey(t, c.s, name) {
			t.Errorf("%s: the primary has lost it", name)
		}
	}
	if err := key(hasty, "after"); err != nil {
		t.Errorf("the store does not go on: %v", err)
	}
}

func backToOne(t *testing.T, url string) {
	t.Helper()
	admin(t, url, `ALTER SYSTEM RESET synchronous_standby_names`)
	admin(t, url, `SELECT pg_reload_conf()`)
}

// TestUnsafeServers are refused with live money, and told of otherwise.
func TestUnsafeServers(t *testing.T) {
	url := postgres(t)
	for setting, want := range map[string]string{"synchronous_commit=off": "synchronous_commit is off", "synchronous_commit=on": ""} {
		var told []string
		with := url + "&options=-c%20" + strings.ReplaceAll(setting, "=", "%3D")
		s, err := store.OpenPostgres(context.Background(), with, store.PostgresOptions{Warn: func(w string) { told = append(told, w) }})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got := strings.Join(told, ";"); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: told of %q", setting, got)
		}
		s, err = store.OpenPostgres(context.Background(), with, store.PostgresOptions{Live: true})
		if err == nil {
			_ = s.Close()
		}
		if (want != "") != (err != nil) || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%s with live money: %v", setting, err)
		}
	}
}

// TestUnsafeWhileItRuns: what becomes unsafe after the opening is told of when it
// is asked for.
func TestUnsafeWhileItRuns(t *testing.T) {
	url, live := postgres(t), postgres(t)
	local := openFile(t, filepath.Join(t.TempDir(), "holdfast.db"))
	for _, c := range []struct {
		name  string
		store *store.Store
		spoil func() error
		want  string
	}{
		{"sqlite", local, func() error { return store.Unflushed(local) }, "synchronous=1"},
		{"postgres", openURL(t, url, store.PostgresOptions{}), func() error { pgtest.Unflushed(t, url); return nil }, "synchronous_commit is off"},
		{"postgres with live money", openURL(t, live, store.PostgresOptions{Live: true}), func() error { pgtest.Unflushed(t, live); return nil }, "synchronous_commit is off"},
	} {
		if reasons, err := c.store.Unsafe(t.Context()); err != nil || len(reasons) > 0 {
			t.Errorf("%s as it was opened: %v, %v", c.name, reasons, err)
		}
		if err := c.spoil(); err != nil {
			t.Fatal(err)
		}
		if reasons, err := c.store.Unsafe(t.Context()); err != nil || len(reasons) != 1 || !strings.Contains(reasons[0], c.want) {
			t.Errorf("%s: %v, %v, want %s", c.name, reasons, err, c.want)
		}
	}
}

// TestHosts: of several hosts the one that takes writes is found.
func TestHosts(t *testing.T) {
	reads := pgtest.StartFor(t, "default_transaction_read_only=on")
	writes := pgtest.StartFor(t)
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:1,127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable", reads.Port, writes.Port)
	s := openURL(t, url, store.PostgresOptions{Live: true})
	if err := key(s, "k"); err != nil || !hasKey(t, s, "k") {
		t.Fatal(err)
	}
	for _, bad := range []string{fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", reads.Port), "postgres://postgres:secret@127.0.0.1:1/x", "postgres://postgres:secret@host:port:/"} {
		s, err := store.OpenPostgres(context.Background(), bad, store.PostgresOptions{})
		if err == nil {
			_ = s.Close()
			t.Fatalf("%s was opened", bad)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

// TestPlans: what is to do is said without doing it.
func TestPlans(t *testing.T) {
	url, file := pgtest.Database(t), t.TempDir()+"/holdfast.db"
	ctx := context.Background()
	for round, applied := range []bool{false, true} {
		a, err := store.PlanPostgres(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		b, err := store.PlanSQLite(ctx, file)
		if err != nil {
			t.Fatal(err)
		}
		if len(a) < 3 || len(a) != len(b) {
			t.Errorf("round %d: plans of %d and %d steps", round, len(a), len(b))
		}
		for i := range a {
			if a[i] != b[i] || a[i].Applied != applied || a[i].Version != int64(i)+1 {
				t.Errorf("round %d: steps %+v and %+v", round, a[i], b[i])
			}
		}
		if err := errors.Join(openURL(t, url, store.PostgresOptions{}).Close(), openFile(t, file).Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTakeOver: what a process has taken is its own as long as it lives, and
// due again when it has ended.
func TestTakeOver(t *testing.T) {
	url := postgres(t)
	mine, other := openURL(t, url, store.PostgresOptions{}), openURL(t, url, store.PostgresOptions{})
	storetest.Fill(t, mine)
	claim := func(s *store.Store) (n int) {
		err := s.Write(context.Background(), func(tx *store.Tx) error {
			mails, err1 := tx.ClaimMails("", storetest.Monday, time.Hour, 10)
			orders, err2 := tx.ClaimBankOrders("", storetest.Monday, time.Hour, 10)
			hooks, err3 := storetest.TakeWebhooks(tx, "", storetest.Monday, time.Hour, 10, false)
			n = len(mails) + len(orders) + len(hooks)
			return errors.Join(err1, err2, err3)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := claim(mine); n != 3 {
		t.Fatalf("%d taken, want 3", n)
	}
	for _, s := range []*store.Store{mine, other} {
		if err := s.FreeLeases(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := claim(s); n != 0 {
			t.Fatalf("%d were taken that another one has", n)
		}
	}
	if err := mine.Close(); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < 3; n += claim(other) { // the server notices the end of a connection in its own time
		if err := other.FreeLeases(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	next := openURL(t, url, store.PostgresOptions{})
	if n := claim(next); n != 0 {
		t.Fatalf("a process that begins has taken %d from one that lives", n)
	}
}
