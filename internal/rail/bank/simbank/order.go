package simbank

import (
	"context"
	"encoding/json"
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

// locks is how many merchants can be served at once without waiting for each other.
const locks = 64

// Bank is the simulated bank. It implements [bank.Simulator] and is safe for
// concurrent use.
type Bank struct {
	records Records
	clock   clock.Clock
	// mu keeps the calls of one merchant that read and write a record apart.
	mu [locks]sync.Mutex
}

var _ bank.Simulator = (*Bank)(nil)

// New returns the bank that remembers in records. The clock only dates the
// arrival of orders.
func New(records Records, c clock.Clock) *Bank { return &Bank{records: records, clock: c} }

// lock takes the merchant's lock and returns its release.
func (s *Bank) lock(merchant string) func() {
	h := fnv.New32a()
	h.Write([]byte(merchant))
	mu := &s.mu[h.Sum32()%locks]
	mu.Lock()
	return mu.Unlock
}

// Send implements [bank.Bank]. The order is taken by adding its record, with
// what became of it; whoever comes second is told that it is a duplicate.
func (s *Bank) Send(ctx context.Context, merchant string, o bank.Order) (bank.Result, error) {
	if err := o.Check(); err != nil {
		return bank.Result{}, err
	}
	defer s.lock(merchant)()
	if _, taken, err := s.records.Get(ctx, merchant, kindOrder, o.Key); err != nil || taken {
		return bank.Result{}, orDuplicate(err)
	}
	script, err := s.script(ctx, merchant)
	if err != nil {
		return bank.Result{}, err
	}
	x := bank.Execution{Order: o, ArrivedAt: s.clock.Now()}
	used := script.meet(&x)
	if added, err := add(ctx, s.records, merchant, kindOrder, o.Key, x); err != nil || !added {
		return bank.Result{}, orDuplicate(err)
	}
	if used {
		if err := save(ctx, s.records, merchant, kindScript, keyOnly, script); err != nil {
			return bank.Result{}, err
		}
	}
	if x.Way == bank.Twice {
		if err := s.tell(ctx, merchant, bank.Notice{Key: o.Key, Result: x.Result}); err != nil {
			return bank.Result{}, err
		}
	}
	return answer(x), nil
}

func orDuplicate(err error) error {
	if err != nil {
		return fmt.Errorf("look for the order: %w", err)
	}
	return bank.ErrDuplicate
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
	defer s.lock(merchant)()
	x, err := s.execution(ctx, merchant, key)
	if err != nil || !x.Hidden {
		return x.Result, err
	}
	x.Inquiries++
	if x.After > 0 && x.Inquiries > x.After {
		x.Hidden, x.Inquiries = false, x.After
	}
	return answer(x), save(ctx, s.records, merchant, kindOrder, key, x)
}

func (s *Bank) execution(ctx context.Context, merchant, key string) (bank.Execution, error) {
	var x bank.Execution
	ok, err := load(ctx, s.records, merchant, kindOrder, key, &x)
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
