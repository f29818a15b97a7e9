package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/recon"
)

// Moving takes a whole database from one engine to the other. Nobody else may
// write to either side meanwhile, and that is enforced: by the lock on the file,
// on PostgreSQL by a lock on commit_mark, which every writing transaction
// touches. What was copied is read back and compared before it counts.
//
// The end has two commits, one on each side. The source is taken out of service
// first, then the target is put into service: whenever the process is killed,
// at most one of them serves, and the same command run again brings the move to
// its end. Before these two commits nothing is visible: the target is one
// transaction (PostgreSQL) or a file of another name (SQLite).

// Progress says how far a long step has come.
type Progress struct {
	Step  string // copy, compare, sum, dump, restore
	Unit  string // rows, pages or tables
	Table string // which is at work; may be empty
	Done  int64
	Total int64 // 0 when it is not known
}

// Audit adds up the books of a database; what it returns is compared as JSON.
type Audit func(*Reader) (any, error)

// CarryOptions are what moves, backups and restores do not know by themselves.
type CarryOptions struct {
	Now   time.Time
	Audit Audit
	// Agree compares the books in a manifest with those of what was restored.
	Agree func(kept, now json.RawMessage) error
	// Walk goes through the books row by row (VerifyBooks) besides. What does not
	// agree is told and ends nothing: it was so before.
	Walk bool
	Say  func(Progress) // may be nil
}

// Moved is the outcome of a move.
type Moved struct {
	From   string          `json:"from"`
	To     string          `json:"to"`
	Tables []TableSum      `json:"tables"`
	Books  json.RawMessage `json:"books"`
	// Violations are places where the books do not agree, on both sides alike.
	Violations []recon.Violation
	// Before: nothing was copied, because an earlier run had come to its end.
	Before bool `json:"before,omitempty"`
}

// Rows is the number of rows that were moved.
func (m *Moved) Rows() (n int64) {
	for _, t := range m.Tables {
		n += t.Rows
	}
	return n
}

// place is a database that nobody else writes to, in one transaction.
type place interface {
	executor
	tables() ([]table, error)
	classify(err error) error
	close() error
}

// source is a place that is read.
type source interface {
	place
	// found is the mark on it; nil when it is in service.
	found() *outMark
	// retire takes it out of service and commits.
	retire(m outMark) error
	// revive puts it back into service and commits.
	revive() error
}

// target is a place that is filled and then compared.
type target interface {
	place
	fill(t table, rows *tableRows) error
	// seal makes sure that what follows can only fail by the machine.
	seal() error
	// finish puts it into service. When that fails, it stays marked.
	finish() error
	// abandon leaves the place as it was found.
	abandon() error
}

// errInUse: the target of a move is not empty.
var errInUse = errors.New("is not empty, and nothing is overwritten: name a new place, or take away what is there first")

func (a Address) leave(ctx context.Context) (source, error) {
	if a.Embedded() {
		return leaveSQLite(ctx, a)
	}
	return leavePostgres(ctx, a)
}

func (a Address) enter(ctx context.Context, m outMark) (target, error) {
	if a.Embedded() {
		return enterSQLite(ctx, a)
	}
	return enterPostgres(ctx, a, m)
}

// Move copies everything from one database into another, which must be new or
// empty, compares both, takes the first out of service and puts the second into
// it.
func Move(ctx context.Context, from, to Address, o CarryOptions) (_ *Moved, err error) {
	src, err := from.leave(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(src.classify(err), src.close()) }()
	was := src.found()
	if was != nil && (was.state != markMoved || was.other != to.String()) {
		return nil, was.refusal(from.String())
	}
	dst, err := to.enter(ctx, outMark{markUnfinished, from.String(), o.Now})
	switch {
	case errors.Is(err, errInUse) && was != nil:
		return compareMoved(ctx, src, from, to, o)
	case err != nil:
		return nil, err
	}
	m := &moving{src: src, dst: dst, said: &said{tell: o.Say}, options: o}
	out, err := m.copy()
	if err != nil {
		return nil, errors.Join(dst.classify(err), dst.abandon(), dst.close())
	}
	out.From, out.To = from.String(), to.String()
	defer func() { err = errors.Join(err, dst.close()) }()
	if err := src.retire(outMark{markMoved, to.String(), o.Now}); err != nil {
		return nil, fmt.Errorf("take %s out of service: %w; nothing serves for now: run the same command again", from, err)
	}
	if err := dst.finish(); err != nil {
		return nil, fmt.Errorf("put %s into service: %w; nothing serves for now: run the same command again", to, dst.classify(err))
	}
	return out, nil
}

// moving is a move under way.
type moving struct {
	src     place
	dst     target
	said    *said
	options CarryOptions
}

// copy fills the target and compares it with the source.
func (m *moving) copy() (*Moved, error) {
	tables, err := m.src.tables()
	if err != nil {
		return nil, err
	}
	there, err := m.dst.tables()
	if err == nil {
		err = alike(tables, there)
	}
	if err != nil {
		return nil, err
	}
	total, err := countRows(m.src, tables)
	if err != nil {
		return nil, err
	}
	out := &Moved{}
	m.said.begin("copy", total)
	for _, t := range tables {
		sum, err := m.table(t)
		if err != nil {
			return nil, fmt.Errorf("copy %s: %w", t.name, err)
		}
		out.Tables = append(out.Tables, sum)
	}
	m.said.begin("compare", total)
	got, err := sumTables(m.dst, tables, m.said)
	if err == nil {
		err = sameSums(out.Tables, got)
	}
	if err != nil {
		return nil, err
	}
	if out.Books, err = sameBooks(m.src, m.dst, m.options.Audit); err != nil {
		return nil, err
	}
	if out.Violations, err = walk(m.dst, m.options); err != nil {
		return nil, err
	}
	return out, m.dst.seal()
}

func (m *moving) table(t table) (_ TableSum, err error) {
	rows, err := readTable(m.src, t, m.said)
	if err != nil {
		return TableSum{}, err
	}
	err = m.dst.fill(t, rows)
	return rows.sum(), errors.Join(err, rows.close())
}

// compareMoved answers for a move that an earlier run has brought to its end.
func compareMoved(ctx context.Context, src source, from, to Address, o CarryOptions) (_ *Moved, err error) {
	dst, err := to.leave(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s has been moved to %s already: %w", from, to, err)
	}
	defer func() { err = errors.Join(dst.classify(err), dst.close()) }()
	out, err := compare(src, dst, o)
	if err != nil {
		return nil, fmt.Errorf("%s has been moved to %s already, which has been written to since: %w", from, to, err)
	}
	out.From, out.To, out.Before = from.String(), to.String(), true
	return out, nil
}

// compare adds up two databases; an error says in what they differ.
func compare(one, other place, o CarryOptions) (*Moved, error) {
	out, said := &Moved{}, &said{tell: o.Say}
	for i, p := range []place{one, other} {
		sums, err := sumPlace(p, said)
		if err != nil {
			return nil, err
		}
		if i == 1 {
			return out, sameSums(out.Tables, sums)
		}
		out.Tables = sums
	}
	return out, nil
}

// sumPlace adds up all tables of a database.
func sumPlace(p place, said *said) ([]TableSum, error) {
	tables, err := p.tables()
	if err != nil {
		return nil, err
	}
	total, err := countRows(p, tables)
	if err != nil {
		return nil, err
	}
	said.begin("sum", total)
	return sumTables(p, tables, said)
}

// UndoMove puts a database that was moved away back into service. to is where it
// was moved: what was filled there is compared and taken out of service; a place
// that has been written to since is refused. With a nil to nothing is compared:
// the other database must be gone.
func UndoMove(ctx context.Context, from Address, to *Address, o CarryOptions) (err error) {
	src, err := from.leave(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(src.classify(err), src.close()) }()
	was := src.found()
	switch {
	case was == nil:
		return fmt.Errorf("%s is in service", from)
	case was.state != markMoved:
		return was.refusal(from.String())
	case to != nil && to.String() != was.other:
		return fmt.Errorf("%s was moved to %s, not to %s", from, was.other, to)
	}
	if to != nil {
		if err := takeBack(ctx, src, from, *to, o); err != nil {
			return err
		}
	}
	return src.revive()
}

// takeBack takes the target of a move out of service, if it holds what the source holds.
func takeBack(ctx context.Context, src source, from, to Address, o CarryOptions) (err error) {
	dst, err := to.leave(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(dst.classify(err), dst.close()) }()
	if m := dst.found(); m != nil {
		return nil // it does not serve
	}
	if _, err := compare(src, dst, o); err != nil {
		return fmt.Errorf("%s has been written to since: move it to a new database instead (%w)", to, err)
	}
	return dst.retire(outMark{markMoved, from.String(), o.Now})
}

// sameBooks adds up the books on both sides and returns them.
func sameBooks(one, other place, audit Audit) (json.RawMessage, error) {
	a, err := books(one, audit)
	if err != nil {
		return nil, err
	}
	b, err := books(other, audit)
	if err == nil && !bytes.Equal(a, b) {
		err = fmt.Errorf("the books differ: %s on one side, %s on the other", a, b)
	}
	return a, err
}

func books(p place, audit Audit) (json.RawMessage, error) {
	v, err := audit(&Reader{queries{ex: p, classify: p.classify}})
	if err != nil {
		return nil, fmt.Errorf("add up the books: %w", err)
	}
	return json.Marshal(v)
}

// walk goes through the books row by row. Those of a database that was never
// opened by a version with chains have none yet, and are not walked.
func walk(p place, o CarryOptions) ([]recon.Violation, error) {
	if !o.Walk {
		return nil, nil
	}
	tables, err := p.tables()
	if err != nil || !slices.ContainsFunc(tables, func(t table) bool { return t.name == "books_state" }) {
		return nil, err
	}
	q := &queries{ex: p, classify: p.classify}
	chained, err := one(q, scalar[int64], `SELECT count(*) FROM books_state WHERE name = 'complete'`)
	if err != nil || chained == 0 {
		return nil, err
	}
	return (&Store{engine: placeEngine{p: p}}).VerifyBooks(context.Background())
}

// placeEngine lets a place be read as a store is. It does nothing else.
type placeEngine struct {
	engine
	p place
}

func (e placeEngine) snapshot(_ context.Context, fn func(executor) error) error { return fn(e.p) }
func (e placeEngine) classify(err error) error                                  { return e.p.classify(err) }

// said tells about the progress.
type said struct {
	tell func(Progress)
	now  Progress
}

// sayEvery is after how many rows it is told.
const sayEvery = 10_000

func (s *said) begin(step string, total int64) {
	s.now = Progress{Step: step, Unit: "rows", Total: total}
}

// row counts a row of a table.
func (s *said) row(table string) {
	s.now.Done++
	s.now.Table = table
	if s.tell != nil && (s.now.Done%sayEvery == 0 || s.now.Done == s.now.Total) {
		s.tell(s.now)
	}
}
