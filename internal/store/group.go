package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/recon"
)

// job is a function that waits for its turn.
type job struct {
	ctx   context.Context
	fn    func(*Tx) error
	hints []Hint
	err   error // what the function came to in the present run
	done  chan error
}

// writer runs one group after the other until the store is closed, and then
// what is still waiting.
func (s *Store) writer(n int) {
	for {
		select {
		case j := <-s.jobs:
			s.settle(n, s.assemble(j))
		case <-s.quit:
			for rest := s.gather(maxBatch); len(rest) > 0; rest = s.gather(maxBatch) {
				s.settle(n, rest)
			}
			return
		}
	}
}

// assemble is a group of a function and those that wait behind it. Callers who
// have just been answered are let to the queue first, as long as more come; one
// caller alone waits for nobody.
func (s *Store) assemble(first *job) []*job {
	jobs := append([]*job{first}, s.gather(maxBatch-1)...)
	for have := 0; !s.engine.joinable() && have < len(jobs) && len(jobs) < maxBatch; {
		have = len(jobs)
		runtime.Gosched()
		jobs = append(jobs, s.gather(maxBatch-have)...)
	}
	return jobs
}

// gather takes up to limit of the functions that are waiting.
func (s *Store) gather(limit int) (jobs []*job) {
	for len(jobs) < limit {
		select {
		case j := <-s.jobs:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

// settle runs a group until every function of it has its answer: functions
// whose statements the database refuses are run by themselves, a group that the
// database rolled back is run again, and one that met another in a deadlock in halves.
func (s *Store) settle(writer int, jobs []*job) {
	jobs = living(jobs)
	for try := 1; len(jobs) > 0; try++ {
		ran, l := s.once(writer, jobs)
		switch {
		case l == nil:
			s.answer(ran)
			return
		case l.culprit != noCulprit && len(ran) > 1:
			s.settle(writer, slices.Delete(slices.Clone(ran), l.culprit, l.culprit+1))
			jobs, try = ran[l.culprit:l.culprit+1], 0
		case l.apart && len(ran) > 1:
			s.count(func(t *Stats) { t.Again++ })
			s.settle(writer, slices.Clone(ran[:len(ran)/2]))
			jobs, try = ran[len(ran)/2:], 0
		case !l.again || try >= maxTries:
			for _, j := range ran {
				j.err = l.cause
			}
			s.answer(ran)
			return
		default:
			jobs = ran
			s.count(func(t *Stats) { t.Again++ })
		}
	}
}

// living answers those whose caller has gone before they began.
func living(jobs []*job) []*job {
	return slices.DeleteFunc(jobs, func(j *job) bool {
		err := j.ctx.Err()
		if err != nil {
			j.done <- err
		}
		return err != nil
	})
}

func (s *Store) answer(jobs []*job) {
	s.count(func(t *Stats) {
		for _, j := range jobs {
			if j.err != nil {
				t.Failed++
			} else {
				t.Functions++
			}
		}
	})
	for _, j := range jobs {
		j.done <- j.err
	}
}

// group is one transaction with the functions that share it.
type group struct {
	tx writeTx
	// lock is the clause that locks the rows of a query.
	lock string
	// What waits for its position in the logs of its merchant; see log.go.
	events    []loggedEvent
	transfers []loggedTransfer
	// known are the payments that this transaction has read or written, as they
	// will be when it commits.
	known    map[Ref]summedPayment
	standing standing
	// undone restores known and standing when a function fails.
	undone []func()
}

func newGroup(tx writeTx, lock string) *group {
	return &group{tx: tx, lock: lock, known: map[Ref]summedPayment{}, standing: standing{merchants: map[string]int64{}}}
}

// once runs a group in one transaction and returns those that took part. It is
// nil when each has its answer in err, and what was written is durable.
func (s *Store) once(writer int, jobs []*job) ([]*job, *lost) {
	tx, err := s.engine.begin(writer)
	if err != nil {
		return jobs, asLost(s.engine.classify(err))
	}
	wait, _ := s.engine.lock()
	g := newGroup(tx, wait)
	jobs, written, l := s.runAll(g, jobs)
	if l == nil && written == 0 {
		_ = tx.rollback() // nothing was written
		return jobs, nil
	}
	if l == nil {
		l = asLost(g.place())
	}
	if l == nil {
		if fault.Planted(fault.AnswerFirst) {
			s.answer(jobs)
			jobs = nil
		}
		began := time.Now() //nolint:forbidigo // a duration for metrics, not a business instant
		l = asLost(tx.commit())
		took := time.Since(began) //nolint:forbidigo // as above
		if l == nil {
			s.count(func(t *Stats) { t.Commits, t.CommitTime = t.Commits+1, t.CommitTime+took })
			s.bells.ring(g.events)
			return jobs, nil
		}
	}
	_ = tx.rollback() // the cause is what is reported
	if fault.Planted(fault.IgnoreFailedCommit) {
		return jobs, nil
	}
	l.cause = s.engine.classify(l.cause)
	return jobs, l
}

func asLost(err error) *lost {
	var l *lost
	if err == nil || errors.As(err, &l) {
		return l
	}
	return &lost{cause: err, culprit: noCulprit}
}

// runAll runs the functions, and those that come meanwhile where the engine
// lets them join. written is how many succeeded.
func (s *Store) runAll(g *group, jobs []*job) (_ []*job, written int, _ *lost) {
	if lock, _ := s.engine.lock(); lock != "" { // else the whole database is locked, and reading costs no journey
		inOrder(jobs)
		if err := g.expect(jobs, lock); err != nil {
			return jobs, 0, asLost(err)
		}
	}
	for i := 0; i < len(jobs); i++ {
		if l := s.run(g, jobs[i], i); l != nil {
			return jobs, written, l
		}
		if jobs[i].err == nil {
			written++
		}
		if i == len(jobs)-1 && s.engine.joinable() {
			jobs = append(jobs, living(s.gather(maxBatch-len(jobs)))...)
		}
	}
	return jobs, written, nil
}

// run runs one function. Its own failure is left in the job's err.
func (s *Store) run(g *group, j *job, i int) *lost {
	wait, skip := s.engine.lock()
	t := &Tx{queries: queries{ex: g.tx, classify: s.engine.classify, lock: wait, skip: skip, spread: s.engine.spread(), holder: s.engine.holder()}, group: g, function: i}
	events, transfers := len(g.events), len(g.transfers)
	g.undone = g.undone[:0]
	g.tx.enter(i)
	if j.err = call(j.fn, t); j.err == nil {
		err := g.tx.leave()
		var l *lost
		if err == nil || errors.As(err, &l) {
			return l
		}
		j.err = err
	}
	j.err = s.engine.classify(j.err)
	g.events, g.transfers = g.events[:events], g.transfers[:transfers]
	for _, restore := range slices.Backward(g.undone) {
		restore()
	}
	l := asLost(g.tx.undo())
	if l != nil && l.cause == nil {
		l.cause = j.err
	}
	return l
}

func call(fn func(*Tx) error, t *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: a write panicked: %v", p)
		}
	}()
	return fn(t)
}

// inOrder sorts functions by what they are about, those that do not say last, so
// that two groups take the rows that both need in one order.
func inOrder(jobs []*job) {
	slices.SortStableFunc(jobs, func(a, b *job) int {
		if len(a.hints) == 0 || len(b.hints) == 0 {
			return len(b.hints) - len(a.hints)
		}
		return a.hints[0].ref.compare(b.hints[0].ref)
	})
}

func (r Ref) compare(o Ref) int {
	return cmp.Or(strings.Compare(r.Merchant, o.Merchant), strings.Compare(r.ID, o.ID))
}

// expect reads and locks the payments that the functions will ask for, in one
// order, and reads in the same journey by which settings they decide. These are
// read after the payments are locked: of two decisions about one payment the
// later one never goes by older settings, or by a clock that is behind.
func (g *group) expect(jobs []*job, lock string) error {
	payments, merchants := expected(jobs)
	if len(merchants) == 0 {
		return nil
	}
	var ask []question
	for _, r := range payments {
		ask = append(ask, question{summedByID + lock, []any{r.Merchant, r.ID}})
		g.known[r] = summedPayment{}
	}
	for _, id := range merchants {
		ask = append(ask, question{merchantVersion, []any{id}})
	}
	if err := g.tx.share(calendar); err != nil {
		return err
	}
	return g.tx.many(append(ask, question{query: calendarRevision}), func(i int, rows rowSet) (err error) {
		if i < len(payments) {
			g.known[payments[i]], err = scanSummedPayment(rows)
			return err
		}
		v, err := scalar[int64](rows)
		if i -= len(payments); i < len(merchants) {
			g.standing.merchants[merchants[i]] = v
			return err
		}
		g.standing.calendar = &v
		return err
	})
}

// expected are the payments that functions ask for, and the merchants by whose
// settings they decide, each in order and once.
func expected(jobs []*job) (payments []Ref, merchants []string) {
	for _, j := range jobs {
		for _, h := range j.hints {
			if !h.decides || !storable([]any{h.ref.Merchant, h.ref.ID}) {
				continue
			}
			merchants = append(merchants, h.ref.Merchant)
			if h.payment {
				payments = append(payments, h.ref)
			}
		}
	}
	slices.SortFunc(payments, Ref.compare)
	slices.Sort(merchants)
	return slices.Compact(payments), slices.Compact(merchants)
}

// remember keeps a payment as it now stands in the transaction.
func (g *group) remember(row summedPayment) {
	ref := Ref{row.merchant, row.id}
	g.change(ref)
	g.known[ref] = row
}

// forget lets a payment be read anew.
func (g *group) forget(ref Ref) {
	g.change(ref)
	delete(g.known, ref)
}

func (g *group) change(ref Ref) {
	old, was := g.known[ref]
	g.undone = append(g.undone, func() {
		if was {
			g.known[ref] = old
			return
		}
		delete(g.known, ref)
	})
}

// Tx writes and reads inside a transaction.
type Tx struct {
	queries
	group    *group
	function int // which of the group's it is
}

// Payment returns a payment of a merchant, or ErrNotFound. It is locked until
// the end of the transaction.
func (t *Tx) Payment(merchant, id string) (escrow.Payment, error) {
	row, err := t.payment(merchant, id)
	if err != nil {
		return escrow.Payment{}, err
	}
	return row.payment()
}

// payment is the row of a payment as it stands in the transaction, or ErrNotFound.
func (t *Tx) payment(merchant, id string) (row summedPayment, err error) {
	row, known := t.group.known[Ref{merchant, id}]
	if !known {
		if row, err = one(&t.queries, scanSummedPayment, summedByID+t.lock, merchant, id); err != nil {
			return row, err
		}
		t.group.remember(row)
	}
	if row.id == "" {
		return row, ErrNotFound
	}
	return row, nil
}

// Damage says what does not agree in the row of a payment that is about to be
// written anew: it is not the one that was written. Afterwards nobody could tell,
// because the new row has a sum that fits it. It is empty for a sound row.
func (t *Tx) Damage(merchant, id string) ([]recon.Violation, error) {
	row, err := t.payment(merchant, id)
	if err != nil {
		return nil, err
	}
	return row.wrongSum(), nil
}
