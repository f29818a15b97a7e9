package simbank

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
)

// The bank's own words for what usually goes wrong.
const (
	reasonNoAccount = "수취 계좌가 존재하지 않습니다."
	reasonRefused   = "은행이 이체를 거절했습니다."
	reasonReturned  = "수취 은행에서 입금이 반환되었습니다."
)

// queues is how many merchants can be served at once without waiting for each other.
const queues = 64

// Bank is the simulated bank. It implements [bank.Simulator] and is safe for
// concurrent use.
type Bank struct {
	records Records
	clock   clock.Clock
	// queues let the calls of one merchant that change a record come one after the
	// other in this process; those of other processes are told apart by the records.
	queues [queues]sync.Mutex
}

var _ bank.Simulator = (*Bank)(nil)

// New returns the bank that remembers in records. The clock only dates the
// arrival of orders.
func New(records Records, c clock.Clock) *Bank { return &Bank{records: records, clock: c} }

// change is the package's change, one after the other in this process.
func (s *Bank) change(ctx context.Context, merchant string, fn func(*desk) error) error {
	h := fnv.New32a()
	h.Write([]byte(merchant))
	queue := &s.queues[h.Sum32()%queues]
	queue.Lock()
	defer queue.Unlock()
	return change(ctx, s.records, merchant, fn)
}

// Send implements [bank.Bank]. The order is taken by adding its record, with
// what became of it; whoever comes second is told that it is a duplicate.
func (s *Bank) Send(ctx context.Context, merchant string, o bank.Order) (bank.Result, error) {
	if err := o.Check(); err != nil {
		return bank.Result{}, err
	}
	var x bank.Execution
	err := s.change(ctx, merchant, func(d *desk) error {
		x = bank.Execution{Order: o, ArrivedAt: s.clock.Now()}
		return d.take(&x)
	})
	if err != nil {
		return bank.Result{}, err
	}
	return answer(x), nil
}

// take takes a new order: its record, the script that it met and the notice of it.
func (d *desk) take(x *bank.Execution) error {
	key := x.Order.Key
	if _, err := d.execution(key); !errors.Is(err, bank.ErrNoOrder) {
		return cmp.Or(err, bank.ErrDuplicate)
	}
	sc, err := d.script()
	if err != nil {
		return err
	}
	if sc.meet(x) {
		err = d.save(kindScript, keyOnly, sc)
	}
	if err == nil && x.Way == bank.Twice {
		err = d.tell(bank.Notice{Key: key, Result: x.Result})
	}
	if err != nil {
		return err
	}
	return d.save(kindOrder, key, x)
}

// answer is what the bank says of an order, which is not always the truth.
func answer(x bank.Execution) bank.Result {
	if x.Hidden {
		return bank.Result{State: bank.Unknown}
	}
	return x.Result
}

// destinationFault says why the money cannot go where the order says; empty if it can.
func destinationFault(o bank.Order) string {
	if o.Card {
		return ""
	}
	number, wellFormed := krbank.Number(o.Number)
	if _, known := krbank.ByCode(o.Bank); !known || !wellFormed || strings.HasSuffix(number, missing) {
		return reasonNoAccount
	}
	return ""
}

// Inquire implements [bank.Bank].
func (s *Bank) Inquire(ctx context.Context, merchant, key string) (bank.Result, error) {
	var x bank.Execution
	err := s.change(ctx, merchant, func(d *desk) (err error) {
		if x, err = d.execution(key); err != nil || !x.Hidden {
			return err
		}
		x.Inquiries++
		if x.After > 0 && x.Inquiries > x.After {
			x.Hidden, x.Inquiries = false, x.After
		}
		return d.save(kindOrder, key, x)
	})
	if err != nil {
		return bank.Result{}, err
	}
	return answer(x), nil
}

func (d *desk) execution(key string) (bank.Execution, error) {
	var x bank.Execution
	ok, err := d.load(kindOrder, key, &x)
	if err == nil && !ok {
		err = bank.ErrNoOrder
	}
	return x, err
}

// Orders implements [bank.Simulator].
func (s *Bank) Orders(ctx context.Context, merchant string) ([]bank.Execution, error) {
	docs, err := s.records.List(ctx, merchant, kindOrder)
	if err != nil {
		return nil, fmt.Errorf("list the orders: %w", err)
	}
	out := make([]bank.Execution, 0, len(docs))
	for key, doc := range docs {
		var x bank.Execution
		if err := json.Unmarshal(doc, &x); err != nil {
			return nil, fmt.Errorf("read order %s: %w", key, err)
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b bank.Execution) int {
		if c := a.ArrivedAt.Compare(b.ArrivedAt); c != 0 {
			return c
		}
		return strings.Compare(a.Order.Key, b.Order.Key)
	})
	return out, nil
}
