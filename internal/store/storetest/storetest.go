// Package storetest asks of a store what must be true whatever its engine is:
// what was written is read back whole, a function is stored in one piece or not
// at all, and the log of events has no gaps.
//
// An engine's own test calls [Run] with a function that opens an empty store.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// Run runs every test of the suite on a store of its own. open returns an empty
// store that is closed at the end of the test.
func Run(t *testing.T, open func(t testing.TB) *store.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *store.Store)
	}{
		{"PaymentRoundTrip", paymentRoundTrip},
		{"PaymentUpdate", paymentUpdate},
		{"RowsRoundTrip", rowsRoundTrip},
		{"ApplyIsAllOrNone", applyIsAllOrNone},
		{"GroupCommit", groupCommit},
		{"CancelledWhileWaiting", cancelledWhileWaiting},
		{"TooManyWaiting", tooManyWaiting},
		{"ClosedStore", closedStore},
		{"ReadersSeeWhatIsCommitted", readersSeeWhatIsCommitted},
		{"PositionsWithoutGaps", positionsWithoutGaps},
		{"StaleVersion", staleVersion},
		{"SearchTakesWordsLiterally", searchTakesWordsLiterally},
		{"TextsThatNoEngineKeeps", textsThatNoEngineKeeps},
		{"TextsThatLookOdd", textsThatLookOdd},
		{"ImpossibleAmounts", impossibleAmounts},
		{"WorkIsClaimedOnce", workIsClaimedOnce},
		{"MerchantsAreApart", merchantsAreApart},
		{"LateAnswers", lateAnswers},
		{"RecordsAreChangedFromWhatTheyWere", recordsAreChangedFromWhatTheyWere},
		{"Leases", leases},
		{"KeyedRequests", keyedRequests},
		{"KeyedForgotten", keyedForgotten},
		{"Agreements", agreements},
		{"VersionsInATransaction", versionsInATransaction},
		{"CalendarWaits", calendarWaits},
		{"Secrets", secrets},
		{"LoginsOneByOne", loginsOneByOne},
		{"QuestionsAreTakenOnce", questionsAreTakenOnce},
		{"VerifiedOnce", verifiedOnce},
		{"FailedOneAfterTheOther", failedOneAfterTheOther},
		{"PayoutsOfOld", payoutsOfOld},
		{"PayoutsAreNumbered", payoutsAreNumbered},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
	t.Run("VerifiedAfterAFailover", func(t *testing.T) { verifiedAfterAFailover(t, open(t), open(t)) })
}

// Merchant is the merchant of the suite's payments.
const Merchant = "mrc_1"

// Monday is where the suite's time stands.
var Monday = time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)

// errNo is what a function says that wants to be undone.
var errNo = errors.New("no")

func write(t testing.TB, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Write(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func read[T any](t testing.TB, s *store.Store, fn func(*store.Reader) (T, error)) (out T) {
	t.Helper()
	err := s.Read(context.Background(), func(r *store.Reader) (err error) {
		out, err = fn(r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// young is the smallest payment that the store takes.
func young(id string) escrow.Payment {
	return escrow.Payment{
		Merchant: Merchant, ID: id, OrderID: "order-" + id, Version: 1, State: escrow.Opened, Amount: 10_000, OpenedAt: Monday, UpdatedAt: Monday,
		Buyer: escrow.Party{Email: "buyer@holdfast.example"},
	}
}

// opening is a decision that makes a payment and owes one of everything.
func opening(id string) escrow.Decision {
	p := young(id)
	p.Seq = 2
	return escrow.Decision{
		Next:      p,
		Events:    []escrow.Event{{Seq: 1, Type: escrow.EventOpened, At: Monday, Actor: escrow.Shop}, {Seq: 2, Type: escrow.EventPaid, At: Monday, Actor: escrow.Bank}},
		Transfers: []ledger.Transfer{{Debit: ledger.BankEscrow, Credit: ledger.Held(id), Amount: 10_000}},
		Mails:     []escrow.Mail{escrow.MailPaid},
		Orders:    []escrow.BankOrder{{Key: id + "-r1-1", Refund: id + "-r1", Amount: 1, Account: escrow.BankAccount{Bank: "004", Number: "1", Holder: "김"}}},
		Lines:     []escrow.Line{{ID: id + "-l2", Kind: escrow.LineSale, Gross: 10, Net: 10, At: Monday, PaidAt: Monday, DueDate: date("2026-03-11")}},
	}
}

// Fill stores a payment that owes one mail, one webhook and one bank order.
func Fill(t testing.TB, s *store.Store) {
	t.Helper()
	d := opening("imp_1")
	write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &d, hook(2)) })
}

// Open stores a payment that owes one of everything; a second one of the same id
// is ErrExists. also runs in the same function, and may be nil.
func Open(s *store.Store, id string, also func(*store.Tx) error) error {
	return s.Write(context.Background(), func(tx *store.Tx) error {
		d := opening(id)
		if err := tx.Apply(0, &d, hook(2)); err != nil || also == nil {
			return err
		}
		return also(tx)
	}, store.OnPayment(Merchant, id))
}

// TakeWebhooks claims up to limit calls of every lane in which some are due, of a
// merchant or of all.
func TakeWebhooks(tx *store.Tx, merchant string, now time.Time, lease time.Duration, limit int, ordered bool) ([]store.Webhook, error) {
	due, err := tx.DueLanes(merchant, now)
	if err != nil {
		return nil, err
	}
	takes := make([]store.Take, len(due))
	for i, l := range due {
		takes[i] = store.Take{Lane: l.Lane, N: limit, Ordered: ordered}
	}
	return tx.ClaimWebhooks(takes, now, lease)
}

// Claims runs only the tests of claiming owed work.
func Claims(t *testing.T, s *store.Store) { workIsClaimedOnce(t, s) }

// CheckLog fails unless the log of the suite's merchant has n events whose
// positions have no gaps.
func CheckLog(t *testing.T, s *store.Store, n int) { checkPositions(t, s, n) }

func hook(seq int64) store.Owed {
	return store.Owed{Webhooks: []store.WebhookOwed{{Seq: seq, Kind: "status", Endpoint: "v1", ID: fmt.Sprintf("-w%d", seq), URL: "https://shop.example/hook", Max: 1}}}
}

// applyIsAllOrNone: whatever part of a decision cannot be stored, nothing of it is.
func applyIsAllOrNone(t *testing.T, s *store.Store) {
	other := opening("imp_0")
	write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &other, hook(2)) })
	for name, spoil := range map[string]func(*escrow.Decision, *store.Owed){
		"event": func(d *escrow.Decision, _ *store.Owed) { d.Events = append(d.Events, d.Events[0]) },
		"transfer": func(d *escrow.Decision, _ *store.Owed) {
			d.Transfers = append(d.Transfers, ledger.Transfer{Debit: "a", Credit: "b"})
		},
		"webhook": func(_ *escrow.Decision, o *store.Owed) {
			o.Webhooks = append(o.Webhooks, store.WebhookOwed{URL: "\xff"})
		},
		"order": func(d *escrow.Decision, _ *store.Owed) { d.Orders = append(d.Orders, d.Orders[0]) },
		"line":  func(d *escrow.Decision, _ *store.Owed) { d.Lines = append(d.Lines, d.Lines[0]) },
		"its caller": func(*escrow.Decision, *store.Owed) {
		},
	} {
		d, owed := opening("imp_1"), hook(2)
		spoil(&d, &owed)
		err := s.Write(context.Background(), func(tx *store.Tx) error {
			if err := tx.Apply(0, &d, owed); err != nil {
				return err
			}
			if name == "webhook" { // no engine has to refuse it, so the test does
				return errNo
			}
			return map[bool]error{true: errNo}[name == "its caller"]
		})
		if err == nil {
			t.Fatalf("a spoilt %s was stored", name)
		}
		nothingOf(t, s, name, "imp_1")
	}
	if got := read(t, s, func(r *store.Reader) (int64, error) { return r.LastPosition(Merchant) }); got != 2 {
		t.Errorf("the log ends at position %d, want 2", got)
	}
	d := opening("imp_1")
	write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &d, hook(2)) })
	if got := read(t, s, func(r *store.Reader) (int64, error) { return r.LastPosition(Merchant) }); got != 4 {
		t.Errorf("the log ends at position %d, want 4", got)
	}
}

func nothingOf(t *testing.T, s *store.Store, name, id string) {
	t.Helper()
	err := s.Read(context.Background(), func(r *store.Reader) error {
		if _, err := r.Payment(Merchant, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after a failed %s: the payment is there (%v)", name, err)
		}
		events, err1 := r.Events(Merchant, id)
		transfers, err2 := r.Transfers(Merchant, id)
		mails, err3 := r.Mails(Merchant, id, 0, 10)
		hooks, err4 := r.Webhooks(Merchant, store.WebhookFilter{Payment: id}, 0, 10)
		orders, err5 := r.BankOrders(Merchant, id, 10)
		lines, err6 := r.Lines(Merchant, id, "", 0, 10)
		if n := len(events) + len(transfers) + len(mails) + len(hooks) + len(orders) + len(lines); n > 0 {
			t.Errorf("after a failed %s: %d rows are left: %d events, %d transfers, %d mails, %d webhooks, %d orders, %d lines",
				name, n, len(events), len(transfers), len(mails), len(hooks), len(orders), len(lines))
		}
		return errors.Join(err1, err2, err3, err4, err5, err6)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// behind holds every writer until release is called, so that what is written
// meanwhile waits and is stored together.
func behind(t testing.TB, s *store.Store) (release func()) {
	t.Helper()
	gate := make(chan struct{})
	n := s.Stats().Writers
	done := make(chan error, n)
	for range n {
		begun := make(chan struct{})
		var once sync.Once // the function may run again
		go func() {
			done <- s.Write(context.Background(), func(*store.Tx) error {
				once.Do(func() { close(begun) })
				<-gate
				return nil
			})
		}()
		<-begun
	}
	return func() {
		close(gate)
		for range n {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
}

// groupCommit: many functions share a commit; those that fail or panic take none
// of their neighbours with them.
func groupCommit(t *testing.T, s *store.Store) {
	before := s.Stats()
	release := behind(t, s)
	const n = 90
	answers := make(chan error, n)
	for i := range n {
		go func() {
			answers <- s.Write(context.Background(), func(tx *store.Tx) error {
				d := opening(fmt.Sprintf("imp_%d", i))
				if err := tx.Apply(0, &d, hook(2)); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					return errNo
				case 2:
					panic("a fault in a rule")
				}
				return nil
			})
		}()
	}
	release()
	var no, panics int
	for range n {
		switch err := <-answers; {
		case errors.Is(err, errNo):
			no++
		case err != nil:
			panics++
		}
	}
	if no != n/3 || panics != n/3 {
		t.Errorf("%d said no and %d panicked, want %d each", no, panics, n/3)
	}
	for i := range n {
		id := fmt.Sprintf("imp_%d", i)
		if i%3 != 0 {
			nothingOf(t, s, "function", id)
			continue
		}
		if got := read(t, s, func(r *store.Reader) ([]store.LoggedEvent, error) { return r.Events(Merchant, id) }); len(got) != 2 {
			t.Errorf("%s has %d events", id, len(got))
		}
	}
	checkPositions(t, s, 2*n/3)
	after := s.Stats()
	if commits := after.Commits - before.Commits; commits < 1 || commits > n/3 {
		t.Errorf("%d commits for %d functions", commits, n/3)
	}
}

func checkPositions(t *testing.T, s *store.Store, want int) {
	t.Helper()
	events := read(t, s, func(r *store.Reader) ([]store.LoggedEvent, error) { return r.EventsAfter(Merchant, 0, 10_000) })
	for i, e := range events {
		if e.Position != int64(i)+1 {
			t.Fatalf("event %d of the log has the position %d", i+1, e.Position)
		}
	}
	if len(events) != want {
		t.Errorf("%d events in the log, want %d", len(events), want)
	}
}

// positionsWithoutGaps: functions fail before, between and after others while
// everybody writes at once.
func positionsWithoutGaps(t *testing.T, s *store.Store) {
	const hands, each = 16, 20
	var wg sync.WaitGroup
	for h := range hands {
		wg.Go(func() {
			for i := range each {
				err := s.Write(context.Background(), func(tx *store.Tx) error {
					d := opening(fmt.Sprintf("imp_%d_%d", h, i))
					if err := tx.Apply(0, &d, hook(2)); err != nil {
						return err
					}
					return map[bool]error{true: errNo}[(h+i)%4 == 0]
				})
				if (err != nil) != ((h+i)%4 == 0) {
					t.Errorf("hand %d, write %d: %v", h, i, err)
				}
			}
		})
	}
	wg.Wait()
	checkPositions(t, s, 2*hands*each*3/4)
}

func cancelledWhileWaiting(t *testing.T, s *store.Store) {
	release := behind(t, s)
	ctx, cancel := context.WithCancel(context.Background())
	answer := make(chan error, 1)
	ran := false
	go func() {
		answer <- s.Write(ctx, func(*store.Tx) error {
			ran = true
			return nil
		})
	}()
	cancel()
	release()
	if err := <-answer; ran != (err == nil) || (err != nil && !errors.Is(err, context.Canceled)) {
		t.Errorf("the function ran: %v; its caller was told %v", ran, err)
	}
}

// tooManyWaiting: the queue has an end, and nothing of what was refused happens.
func tooManyWaiting(t *testing.T, s *store.Store) {
	release := behind(t, s)
	const n = 5_000 // more than may wait
	var wg sync.WaitGroup
	var mu sync.Mutex
	ran, refused := 0, 0
	for range n {
		wg.Go(func() {
			err := s.Write(context.Background(), func(*store.Tx) error {
				mu.Lock()
				defer mu.Unlock()
				ran++
				return nil
			})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, store.ErrUnavailable):
				refused++
				if refused == 1 {
					go release()
				}
			case err != nil:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if refused == 0 || ran+refused != n {
		t.Errorf("%d of %d ran and %d were refused", ran, n, refused)
	}
}

func closedStore(t *testing.T, s *store.Store) {
	d := opening("imp_1")
	write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &d, hook(2)) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err := s.Write(context.Background(), func(*store.Tx) error { return nil })
	if !errors.Is(err, store.ErrClosed) {
		t.Errorf("a write after the end: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func readersSeeWhatIsCommitted(t *testing.T, s *store.Store) {
	seen := func() bool {
		err := s.Read(context.Background(), func(r *store.Reader) error {
			_, err := r.Payment(Merchant, "imp_1")
			return err
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		return err == nil
	}
	d := opening("imp_1")
	write(t, s, func(tx *store.Tx) error {
		if err := tx.Apply(0, &d, hook(2)); err != nil {
			return err
		}
		if _, err := tx.Payment(Merchant, "imp_1"); err != nil {
			t.Errorf("a transaction does not see what it wrote: %v", err)
		}
		if seen() {
			t.Error("a reader sees what is not committed")
		}
		return nil
	})
	if !seen() {
		t.Error("a reader does not see what is committed")
	}
}

func staleVersion(t *testing.T, s *store.Store) {
	d := opening("imp_1")
	write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &d, store.Owed{}) })
	next := young("imp_1")
	for _, was := range []int64{2, 7} {
		next.Version = was + 1
		err := s.Write(context.Background(), func(tx *store.Tx) error { return tx.Apply(was, &escrow.Decision{Next: next}, store.Owed{}) })
		if !errors.Is(err, store.ErrStale) {
			t.Errorf("decided on version %d of a payment at version 1: %v", was, err)
		}
	}
	err := s.Write(context.Background(), func(tx *store.Tx) error { return tx.Apply(0, &escrow.Decision{Next: next}, store.Owed{}) })
	if !errors.Is(err, store.ErrExists) {
		t.Errorf("opened a second time: %v", err)
	}
	next.Version = 2
	write(t, s, func(tx *store.Tx) error { return tx.Apply(1, &escrow.Decision{Next: next}, store.Owed{}) })
}

// searchTakesWordsLiterally: what somebody looks for is a text, not a pattern.
func searchTakesWordsLiterally(t *testing.T, s *store.Store) {
	names := map[string]string{"imp_1": "100% 면", "imp_2": "100 번", "imp_3": "under_score", "imp_4": "underXscore", "imp_5": `back\slash`, "imp_6": "MiXeD", "imp_7": `say "hi"`}
	write(t, s, func(tx *store.Tx) error {
		for id, name := range names {
			p := young(id)
			p.Name = name
			if id == "imp_7" {
				p.Buyer.Phone = "010-2345-6789"
			}
			if err := tx.Apply(0, &escrow.Decision{Next: p}, store.Owed{}); err != nil {
				return err
			}
		}
		return nil
	})
	for text, want := range map[string][]string{
		"100%": {"imp_1"}, "r_s": {"imp_3"}, "mixed": {"imp_6"}, "면": {"imp_1"}, "imp\\_": nil, "%": {"imp_1"}, "order-imp_2": {"imp_2"}, "nowhere": nil,
		"grounds": nil, `"`: {"imp_7"}, // texts are searched, not the names under which they are kept
		"01023456789": {"imp_7"}, "2345-67": {"imp_7"},
	} {
		got := read(t, s, func(r *store.Reader) ([]escrow.Payment, error) {
			return r.Payments(Merchant, store.Filter{Text: text}, store.Order{}, 0, 100)
		})
		ids := make([]string, 0, len(got))
		for _, p := range got {
			ids = append(ids, p.ID)
		}
		if slices.Sort(ids); !slices.Equal(ids, want) && len(ids)+len(want) > 0 {
			t.Errorf("looking for %q finds %v, want %v", text, ids, want)
		}
		if n := read(t, s, func(r *store.Reader) (int64, error) { return r.CountPayments(Merchant, store.Filter{Text: text}) }); n != int64(len(want)) {
			t.Errorf("%q is counted %d times, want %d", text, n, len(want))
		}
	}
}

// textsThatNoEngineKeeps are refused wherever they stand in a payment.
func textsThatNoEngineKeeps(t *testing.T, s *store.Store) {
	for _, bad := range []string{"a\x00b", "\x00", "a\xffb", "\xed\xa0\x80", `\` + "\x00", "끝\xf0\x9f"} {
		for place, put := range map[string]func(*escrow.Payment){
			"id":       func(p *escrow.Payment) { p.ID = bad },
			"order":    func(p *escrow.Payment) { p.OrderID = bad },
			"name":     func(p *escrow.Payment) { p.Name = bad },
			"buyer":    func(p *escrow.Payment) { p.Buyer.Address = bad },
			"product":  func(p *escrow.Payment) { p.Products = []escrow.Product{{Name: "x"}, {Tag: bad}} },
			"delivery": func(p *escrow.Payment) { p.Delivery = &escrow.Delivery{Parcels: []escrow.Parcel{{Number: bad}}} },
		} {
			p := young("imp_1")
			put(&p)
			err := s.Write(context.Background(), func(tx *store.Tx) error { return tx.Apply(0, &escrow.Decision{Next: p}, store.Owed{}) })
			if !errors.Is(err, store.ErrText) {
				t.Errorf("%q as %s: %v", bad, place, err)
			}
		}
		d := opening("imp_1")
		d.Events[1].Reason = bad
		err := s.Write(context.Background(), func(tx *store.Tx) error { return tx.Apply(0, &d, store.Owed{}) })
		if !errors.Is(err, store.ErrText) {
			t.Errorf("%q as the reason of an event: %v", bad, err)
		}
	}
	nothingOf(t, s, "text", "imp_1")
}

// textsThatLookOdd are texts all the same.
func textsThatLookOdd(t *testing.T, s *store.Store) {
	for i, odd := range []string{`\u0000`, `\\u0000`, `\ufffd`, "\ufffd", "\u2028", "<script>&", "👨‍👩‍👧", "\x7f\x01\t\n", `"quoted"`, `\`} {
		p := young(fmt.Sprintf("imp_%d", i))
		p.Name, p.OrderID, p.Buyer.Name = odd, odd+"o", odd
		write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &escrow.Decision{Next: p}, store.Owed{}) })
		got := read(t, s, func(r *store.Reader) (escrow.Payment, error) { return r.Payment(Merchant, p.ID) })
		if got.Name != odd || got.OrderID != odd+"o" || got.Buyer.Name != odd {
			t.Errorf("%q was read back as %q, %q, %q", odd, got.Name, got.OrderID, got.Buyer.Name)
		}
	}
}

// impossibleAmounts: the last door for amounts that no rule lets through.
func impossibleAmounts(t *testing.T, s *store.Store) {
	for name, spoil := range map[string]func(*escrow.Payment){
		"no amount":       func(p *escrow.Payment) { p.Amount = 0 },
		"negative":        func(p *escrow.Payment) { p.Amount = -1 },
		"more than all":   func(p *escrow.Payment) { p.Refunded = p.Amount + 1 },
		"refund below 0":  func(p *escrow.Payment) { p.Refunded = -1 },
		"the least int64": func(p *escrow.Payment) { p.Amount = -1 << 63 },
	} {
		p := young("imp_1")
		spoil(&p)
		if err := s.Write(context.Background(), func(tx *store.Tx) error { return tx.Apply(0, &escrow.Decision{Next: p}, store.Owed{}) }); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
	for _, x := range []ledger.Transfer{{Debit: "a", Credit: "b", Amount: 0}, {Debit: "a", Credit: "b", Amount: -1}, {Debit: "a", Credit: "a", Amount: 1}} {
		err := s.Write(context.Background(), func(tx *store.Tx) error {
			return tx.InsertTransfers(Merchant, "imp_1", 1, 1, []ledger.Transfer{x}, Monday)
		})
		if err == nil {
			t.Errorf("%+v: stored", x)
		}
	}
	p := young("imp_1")
	p.Amount = 1<<63 - 1
	write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &escrow.Decision{Next: p}, store.Owed{}) })
	if got := read(t, s, func(r *store.Reader) (escrow.Payment, error) { return r.Payment(Merchant, "imp_1") }); got.Amount != p.Amount {
		t.Errorf("the greatest amount was read back as %d", got.Amount)
	}
}

// workIsClaimedOnce: what somebody has taken nobody else gets until the lease is
// over; a claim that fails has taken nothing.
func workIsClaimedOnce(t *testing.T, s *store.Store) {
	const n = 40
	write(t, s, func(tx *store.Tx) error {
		for i := range n {
			d := opening(fmt.Sprintf("imp_%d", i))
			d.Next.Merchant = fmt.Sprintf("mrc_%d", i%3+1)
			if err := tx.Apply(0, &d, hook(2)); err != nil {
				return err
			}
		}
		return nil
	})
	claim := func(now time.Time, limit int, fail error) (mails []store.Mail, err error) {
		err = s.Write(context.Background(), func(tx *store.Tx) (err error) {
			if mails, err = tx.ClaimMails("", now, time.Minute, limit); err != nil {
				return err
			}
			return fail
		})
		return mails, err
	}
	if _, err := claim(Monday, n, errNo); !errors.Is(err, errNo) {
		t.Fatal(err)
	}
	var mu sync.Mutex
	taken := map[string]int{}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			mails, err := claim(Monday, 5, nil)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			for _, m := range mails {
				taken[m.ID]++
				if m.Attempts != 1 {
					t.Errorf("mail %s is tried for the %dth time", m.ID, m.Attempts)
				}
			}
		})
	}
	wg.Wait()
	for id, times := range taken {
		if times != 1 {
			t.Errorf("mail %s was taken %d times", id, times)
		}
	}
	if len(taken) != n {
		t.Errorf("%d of %d mails were taken", len(taken), n)
	}
	if again, err := claim(Monday.Add(time.Minute-time.Microsecond), n, nil); err != nil || len(again) != 0 {
		t.Errorf("%d mails were taken out of somebody's hands (%v)", len(again), err)
	}
	if again, err := claim(Monday.Add(time.Minute), n, nil); err != nil || len(again) != n {
		t.Errorf("%d mails are due after the lease, want %d (%v)", len(again), n, err)
	}
	owes := func(at time.Time) bool {
		return len(read(t, s, func(r *store.Reader) ([]store.DueLane, error) { return r.DueLanes(Merchant, at) })) > 0
	}
	hooks := func(merchant string) (n int) {
		write(t, s, func(tx *store.Tx) error {
			claimed, err := TakeWebhooks(tx, merchant, Monday, time.Minute, 10, false)
			n = len(claimed)
			for _, w := range claimed {
				if w.Merchant != merchant {
					t.Errorf("a call of %s was taken for %q", w.Merchant, merchant)
				}
			}
			return err
		})
		return n
	}
	for _, c := range []struct {
		merchant string
		n        int
	}{{"mrc_3", 10}, {"mrc_3", 3}, {"mrc_3", 0}, {"mrc_2", 10}} {
		if got := hooks(c.merchant); got != c.n {
			t.Errorf("%d calls of %s were taken, want %d", got, c.merchant, c.n)
		}
	}
	if !owes(Monday) || owes(Monday.Add(-time.Second)) {
		t.Error("work is owed at the wrong time")
	}
}

// merchantsAreApart: the same ids of two merchants are two payments.
func merchantsAreApart(t *testing.T, s *store.Store) {
	for i, merchant := range []string{Merchant, "mrc_2"} {
		d := opening("imp_1")
		d.Next.Merchant, d.Next.Amount = merchant, money.Won(1_000*(i+1))
		write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &d, hook(2)) })
	}
	for i, merchant := range []string{Merchant, "mrc_2"} {
		p := read(t, s, func(r *store.Reader) (escrow.Payment, error) { return r.Payment(merchant, "imp_1") })
		if p.Merchant != merchant || p.Amount != money.Won(1_000*(i+1)) {
			t.Errorf("%s has a payment of %d won of %s", merchant, p.Amount, p.Merchant)
		}
		if last := read(t, s, func(r *store.Reader) (int64, error) { return r.LastPosition(merchant) }); last != 2 {
			t.Errorf("the log of %s ends at %d", merchant, last)
		}
	}
	err := s.Read(context.Background(), func(r *store.Reader) error {
		_, err := r.Payment("mrc_3", "imp_1")
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a stranger's payment: %v", err)
	}
}
