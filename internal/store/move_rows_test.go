package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// odd are texts that a careless copy changes.
var odd = []string{"", " ", "주문", "a\tb\nc\\.\\N", `"'`, "\u2028", "é", "NULL", `\x00`, "%s", strings.Repeat("길", 300)}

// crowd puts rows into every table that is copied, by what the catalogue says of
// it alone, so that a table or column of a later step is there too.
func crowd(t *testing.T, p place, perTable int) []table {
	t.Helper()
	tables, err := p.tables()
	if err != nil {
		t.Fatal(err)
	}
	q := &queries{ex: p, classify: p.classify}
	for _, tab := range tables {
		optional, err := all(q, scalar[string], `SELECT name FROM pragma_table_info($1) WHERE "notnull" = 0`, tab.name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range perTable {
			args := make([]any, 0, len(tab.columns))
			for n, c := range tab.columns {
				args = append(args, made(tab, c, i, n, slices.Contains(optional, c.name)))
			}
			if _, err := p.exec(tab.insertion(1), args...); err != nil {
				t.Fatalf("%s: %v", tab.name, err)
			}
		}
	}
	return tables
}

// made is a value for row i and column n.
func made(t table, c column, i, n int, optional bool) any {
	switch {
	case optional && (i+n)%3 == 0:
		return nil
	case c.name == "refunded": // at most the amount
		return int64(0)
	case c.kind == kindInteger && (slices.Contains(t.key, c.name) || c.name == "amount"):
		return int64(i + 1)
	case c.kind == kindInteger:
		return []int64{0, -1, 1 << 62, -1 << 63}[(i+n)%4] + int64(i)
	case c.kind == kindBytes:
		return []byte{0, byte(i), 0xff, byte(n)}
	case slices.Contains(t.key, c.name):
		return fmt.Sprintf("%s %d", odd[i%len(odd)], i)
	case c.name == "position" || c.name == "date":
		return fmt.Sprint(i)
	}
	return odd[(i+n)%len(odd)] + c.name
}

// noBooks is for rows that are no payments.
func noBooks(*Reader) (any, error) { return "none", nil }

func testMove(at *time.Time) CarryOptions {
	*at = at.Add(time.Hour)
	return CarryOptions{Now: *at, Audit: noBooks}
}

// fileIn makes and migrates a database and returns its address.
func fileIn(t *testing.T, dir string) Address {
	t.Helper()
	a, err := FileAddress(filepath.Join(dir, "holdfast.db"))
	if err == nil {
		var s *Store
		if s, err = OpenSQLite(t.Context(), a.file); err == nil {
			err = s.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func address(t *testing.T, text string) Address {
	t.Helper()
	a, err := ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// server is a PostgreSQL database with the newest schema and no rows.
func server(t *testing.T) Address {
	t.Helper()
	return address(t, pgtest.Prepared(t, func(url string) error {
		s, err := OpenPostgres(context.Background(), url, PostgresOptions{})
		if err != nil {
			return err
		}
		return s.Close()
	}))
}

// crowded is a file with rows in every table.
func crowded(t *testing.T, perTable int) Address {
	t.Helper()
	a := fileIn(t, t.TempDir())
	p, err := leaveSQLite(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	crowd(t, p, perTable)
	if err := errors.Join(p.(*sqlitePlace).run("COMMIT"), p.close()); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestEveryRowTravels: from a file to a server, to another server and to a file
// again, every row of every table arrives as it was.
func TestEveryRowTravels(t *testing.T) {
	at := time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)
	places := []Address{crowded(t, 130), address(t, pgtest.Database(t)), server(t), address(t, "sqlite:"+filepath.Join(t.TempDir(), "new", "other.db"))}
	var before *Moved
	for i := range len(places) - 1 {
		told := int64(0)
		o := testMove(&at)
		o.Say = func(p Progress) { told = p.Done }
		m, err := Move(t.Context(), places[i], places[i+1], o)
		if err != nil {
			t.Fatal(err)
		}
		if before != nil {
			if err := sameSums(before.Tables, m.Tables); err != nil {
				t.Error(err)
			}
		}
		if m.Rows() < 130*15 || told != m.Rows() {
			t.Errorf("%d rows were moved and %d told", m.Rows(), told)
		}
		before = m
		refused(t, places[i], "was moved to "+places[i+1].String())
	}
	serves(t, places[len(places)-1])
}

func open(a Address) (*Store, error) {
	if a.Embedded() {
		return OpenSQLite(context.Background(), a.file)
	}
	return OpenPostgres(context.Background(), a.dsn, PostgresOptions{})
}

func serves(t *testing.T, a Address) {
	t.Helper()
	s, err := open(a)
	if err == nil {
		err = errors.Join(s.Write(t.Context(), func(tx *Tx) error { return tx.PutDirectory("served", a.String(), "m", "r") }), s.Close())
	}
	if errors.Is(err, ErrExists) { // it has served before
		err = nil
	}
	if err != nil {
		t.Fatalf("%s does not serve: %v", a, err)
	}
}

func refused(t *testing.T, a Address, why string) {
	t.Helper()
	s, err := open(a)
	if err == nil {
		t.Fatal(a, "serves", s.Close())
	}
	if !errors.Is(err, ErrOutOfService) || !strings.Contains(err.Error(), why) {
		t.Fatalf("%s is refused for another reason: %v", a, err)
	}
}

// TestEveryTableIsCopiedOrListed compares the catalogues of both engines with
// what is copied and what is left out with a reason.
func TestEveryTableIsCopiedOrListed(t *testing.T) {
	file, there := fileIn(t, t.TempDir()), server(t)
	listed := map[string]bool{markTable: true}                                                                                       // exists only when out of service
	alter(t, file, `CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER); CREATE TABLE _litestream_lock (id INTEGER)`) // as Litestream does
	var copied [][]table
	for _, c := range []struct {
		a   Address
		all string
	}{
		{file, `SELECT name FROM sqlite_schema WHERE type = 'table'`},
		{there, `SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')`},
	} {
		p, err := c.a.leave(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tables, err := p.tables()
		if err != nil {
			t.Fatal(err)
		}
		names, err := all(&queries{ex: p, classify: p.classify}, scalar[string], c.all)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			is := slices.ContainsFunc(tables, func(x table) bool { return x.name == name })
			if is == omitted(name) {
				t.Errorf("%s: the table %s is copied: %t, and listed as left out: %t", c.a, name, is, omitted(name))
			}
			listed[name] = true
		}
		for _, tab := range tables {
			if n, err := countRows(p, []table{tab}); err != nil || n > 0 && !slices.Contains(seeded, tab.name) {
				t.Errorf("%s: a new database has %d rows in %s, which is not listed: %v", c.a, n, tab.name, err)
			}
		}
		copied = append(copied, tables)
		if err := p.close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := alike(copied[0], copied[1]); err != nil {
		t.Error(err)
	}
	for _, o := range Omissions() {
		if !listed[o.Table] || o.Reason == "" {
			t.Errorf("%s is left out and does not exist, or has no reason", o.Table)
		}
	}
}

// TestMovesThatAreRefused change neither side.
func TestMovesThatAreRefused(t *testing.T) {
	at := time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)
	from, full := crowded(t, 2), fileIn(t, t.TempDir())
	busy, older, newer := fileIn(t, t.TempDir()), fileIn(t, t.TempDir()), fileIn(t, t.TempDir())
	running, err := open(busy)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = running.Close() }()
	alter(t, older, `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	alter(t, newer, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
	used := server(t)
	serves(t, used)
	held := server(t)
	node, err := open(held)
	if err == nil {
		err = node.Write(t.Context(), func(tx *Tx) error { return tx.PutDirectory("k", "k", "m", "r") })
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = node.Close() }()
	renamed := server(t)
	named, err := open(address(t, renamed.dsn+"&application_name=shop"))
	if err == nil {
		err = named.Write(t.Context(), func(tx *Tx) error { return tx.PutDirectory("k", "k", "m", "r") })
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = named.Close() }()
	fresh := func() Address { return address(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db")) }
	for _, c := range []struct {
		from, to Address
		why      string
	}{
		{from, full, "is not empty"},
		{from, from, "in use by another process"},
		{from, used, "is not empty"},
		{busy, fresh(), "in use by another process"},
		{held, fresh(), "stop all servers first"},
		{from, held, "stop all servers first"},
		{renamed, fresh(), "stop all servers first"},
		{older, fresh(), "run holdfast migrate on it first"},
		{newer, fresh(), "newer version"},
		{fresh(), full, "there is no database"},
		{from, address(t, "postgres://nobody@127.0.0.1:1/x"), "connect to the database"},
	} {
		if _, err := Move(t.Context(), c.from, c.to, testMove(&at)); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s to %s: %v, want %q", c.from, c.to, err, c.why)
		}
	}
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
	for _, a := range []Address{from, full, used, held} {
		serves(t, a)
	}
}

func alter(t *testing.T, a Address, statement string) {
	t.Helper()
	p, err := openPlace(t.Context(), nil, a.file)
	if err == nil {
		err = errors.Join(p.run(statement), p.close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestUndoMove: what was moved comes back, unless the other place was written to.
func TestUndoMove(t *testing.T) {
	at := time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)
	file, there := crowded(t, 3), server(t)
	move := func() {
		t.Helper()
		if _, err := Move(t.Context(), file, there, testMove(&at)); err != nil {
			t.Fatal(err)
		}
	}
	move()
	if m, err := Move(t.Context(), file, there, testMove(&at)); err != nil || !m.Before {
		t.Fatalf("the same move again: %v", err)
	}
	if err := UndoMove(t.Context(), file, &there, testMove(&at)); err != nil {
		t.Fatal(err)
	}
	serves(t, file)
	refused(t, there, "was moved to "+file.String())
	there = server(t)
	move()
	serves(t, there)
	if err := UndoMove(t.Context(), file, &there, testMove(&at)); err == nil || !strings.Contains(err.Error(), "has been written to since") {
		t.Errorf("a place that was written to was given up: %v", err)
	}
	if _, err := Move(t.Context(), file, there, testMove(&at)); err == nil || !strings.Contains(err.Error(), "has been written to since") {
		t.Errorf("a finished move was done again: %v", err)
	}
	if err := UndoMove(t.Context(), file, nil, testMove(&at)); err != nil {
		t.Fatal(err)
	}
	serves(t, file)
	if err := UndoMove(t.Context(), file, nil, testMove(&at)); err == nil || !strings.Contains(err.Error(), "is in service") {
		t.Errorf("undone twice: %v", err)
	}
}

// broken is a target that fails at one point of a move.
type broken struct {
	target
	at string
}

var errBroken = errors.New("broken")

func (b *broken) fill(t table, rows *tableRows) error {
	if b.at == "fill" && t.name == "payment" {
		return errBroken
	}
	return b.target.fill(t, rows)
}

func (b *broken) seal() error {
	if b.at == "seal" {
		return errBroken
	}
	return b.target.seal()
}

// TestAFailedMoveLeavesNothing: the target is as it was found, and the source serves.
func TestAFailedMoveLeavesNothing(t *testing.T) {
	from := crowded(t, 3)
	for _, point := range []string{"fill", "seal", "cancel"} {
		for _, to := range []Address{server(t), address(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))} {
			ctx, cancel := context.WithCancel(t.Context())
			src, err := from.leave(ctx)
			if err != nil {
				t.Fatal(err)
			}
			dst, err := to.enter(ctx, outMark{markUnfinished, from.String(), time.Unix(1, 0)})
			if err != nil {
				t.Fatal(err)
			}
			if point == "cancel" {
				cancel()
			}
			m := &moving{src: src, dst: &broken{dst, point}, said: &said{}, options: CarryOptions{Audit: noBooks}}
			if _, err := m.copy(); err == nil {
				t.Fatal(point, "is not noticed")
			}
			if err := errors.Join(dst.abandon(), dst.close(), src.close()); err != nil && point != "cancel" {
				t.Fatal(err)
			}
			cancel()
			serves(t, from)
			serves(t, to)
			if to.Embedded() {
				if _, err := os.Stat(unfinished(to.file)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the unfinished file is there: %v", err)
				}
			}
		}
	}
}

// TestDifferencesAreSeen: a row that was changed, left out or added on the way.
func TestDifferencesAreSeen(t *testing.T) {
	for _, spoil := range []string{
		`UPDATE audit SET detail = detail || ' ' WHERE at = (SELECT max(at) FROM audit)`,
		`DELETE FROM session WHERE token = (SELECT min(token) FROM session)`,
		`INSERT INTO directory (kind, key, merchant, ref) VALUES ('more', '', '', '')`,
		`UPDATE payment SET paid_at = 0 WHERE id = (SELECT id FROM payment WHERE paid_at IS NULL LIMIT 1)`,
	} {
		one, other := crowded(t, 12), crowded(t, 12)
		alter(t, other, spoil)
		a, err := one.leave(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b, err := other.leave(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := compare(a, b, CarryOptions{}); err == nil || !strings.Contains(err.Error(), "differs") {
			t.Errorf("%s: %v", spoil, err)
		}
		if err := errors.Join(a.close(), b.close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestARunningServerIsFenced: a server that is connected when its database is
// taken out of service writes nothing more.
func TestARunningServerIsFenced(t *testing.T) {
	a := server(t)
	node, err := open(a)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = node.Close() }()
	put := func(key string) error {
		return node.Write(t.Context(), func(tx *Tx) error { return tx.PutDirectory("k", key, "m", "r") })
	}
	if err := put("before"); err != nil {
		t.Fatal(err)
	}
	p, err := openServer(t.Context(), a)
	if err == nil {
		err = p.run("BEGIN", keepOut)
	}
	if err == nil {
		err = errors.Join(p.retire(outMark{markMoved, "elsewhere", time.Unix(1, 0)}), p.close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := put("after"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a write on a database that was moved away: %v", err)
	}
}
