package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// try runs a function in a transaction of its own and returns its error.
func try(s *store.Store, fn func(*store.Tx) error) error { return s.Write(context.Background(), fn) }

// lateAnswers: whoever lost work to another cannot change what the other made of it.
func lateAnswers(t *testing.T, s *store.Store) {
	Fill(t, s)
	var mails [2][]store.Mail
	var orders [2][]store.BankOrder
	for i, at := range []time.Time{Monday, Monday.Add(time.Hour)} { // the second takes what the first let run out
		write(t, s, func(tx *store.Tx) (err error) {
			if mails[i], err = tx.ClaimMails("", at, time.Minute, 1); err != nil {
				return err
			}
			orders[i], err = tx.ClaimBankOrders("", at, time.Minute, 1)
			return err
		})
		if len(mails[i]) != 1 || len(orders[i]) != 1 {
			t.Fatalf("%d mails and %d orders were taken", len(mails[i]), len(orders[i]))
		}
	}
	late, mail := mails[0][0], mails[1][0]
	lateOrder, order := orders[0][0], orders[1][0]
	overtaken := func(what string, fn func(*store.Tx) error) {
		t.Helper()
		if err := try(s, fn); !errors.Is(err, store.ErrOvertaken) {
			t.Errorf("%s: %v, want ErrOvertaken", what, err)
		}
	}
	late.State, late.Error = store.MailFailed, "late"
	mail.State = store.MailSent
	overtaken("a late answer while another is at the mail", func(tx *store.Tx) error { return tx.MailDone(&late) })
	overtaken("a late question to the bank", func(tx *store.Tx) error { return tx.MarkAsked(&lateOrder) })
	overtaken("a late silence of the bank", func(tx *store.Tx) error { return tx.OrderUnknown(&lateOrder) })
	write(t, s, func(tx *store.Tx) error { return errors.Join(tx.MailDone(&mail), tx.MarkAsked(&order)) })
	overtaken("a second answer of the same attempt", func(tx *store.Tx) error { return tx.MailDone(&mail) })

	state := func() string {
		return read(t, s, func(r *store.Reader) (store.BankOrder, error) { return r.BankOrder(Merchant, order.Key) }).State
	}
	for _, step := range []struct{ answer, want string }{
		{store.OrderSent, store.OrderSent}, {store.OrderFailed, store.OrderFailed}, {store.OrderSent, store.OrderFailed},
	} {
		lateOrder.State, lateOrder.DoneAt = step.answer, Monday
		write(t, s, func(tx *store.Tx) error { return tx.OrderDone(&lateOrder) })
		if got := state(); got != step.want {
			t.Errorf("after the answer %s the order is %s, want %s", step.answer, got, step.want)
		}
	}
	overtaken("a silence after the answer", func(tx *store.Tx) error { return tx.OrderUnknown(&order) })
	write(t, s, func(tx *store.Tx) error { return tx.MailBack(Merchant, mail.ID, "came back", Monday) })
	if m := read(t, s, func(r *store.Reader) (store.Mail, error) { return r.Mail(Merchant, mail.ID) }); m.State != store.MailBounced || m.Error != "came back" {
		t.Errorf("a mail that came back is %s (%s)", m.State, m.Error)
	}
}

// recordsAreChangedFromWhatTheyWere: a record is changed only by who knows what
// stands there, and nothing else of the function remains if it is not.
func recordsAreChangedFromWhatTheyWere(t *testing.T, s *store.Store) {
	write(t, s, func(tx *store.Tx) error { return tx.AddSandboxRecord(Merchant, "kind", "a", `{"n":1}`) })
	for _, step := range []struct {
		key, was, will string
		want           error
		stands         string
	}{
		{"a", `{"n":1}`, `{"n":2}`, nil, `{"n":2}`},
		{"a", `{"n":1}`, `{"n":3}`, store.ErrStale, `{"n":2}`},
		{"a", `{"n": 2}`, `{"n":3}`, store.ErrStale, `{"n":2}`}, // to the byte
		{"b", `{"n":2}`, `{"n":3}`, store.ErrStale, ""},
	} {
		err := try(s, func(tx *store.Tx) error {
			return errors.Join(tx.AddSandboxRecord(Merchant, "tries", step.will, "{}"), tx.ChangeSandboxRecord(Merchant, "kind", step.key, step.was, step.will))
		})
		if !errors.Is(err, step.want) {
			t.Errorf("%s from %s: %v, want %v", step.key, step.was, err, step.want)
		}
		if got := read(t, s, func(r *store.Reader) (map[string]string, error) { return r.SandboxRecords(Merchant, "kind") })[step.key]; got != step.stands {
			t.Errorf("after %s from %s there stands %q, want %q", step.key, step.was, got, step.stands)
		}
	}
	if tries := read(t, s, func(r *store.Reader) (map[string]string, error) { return r.SandboxRecords(Merchant, "tries") }); len(tries) != 1 {
		t.Errorf("of what came to nothing remains %v", tries)
	}
}

// questionsAreTakenOnce: of several that ask a carrier about a parcel one does,
// until the time that was left to it is over.
func questionsAreTakenOnce(t *testing.T, s *store.Store) {
	d := opening("imp_1")
	d.Next.TrackAt = Monday
	write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &d, hook(2)) })
	until := Monday.Add(time.Minute)
	var wg sync.WaitGroup
	var taken atomic.Int64
	for range 8 {
		wg.Go(func() {
			switch err := try(s, func(tx *store.Tx) error { return tx.TakeTracking(Merchant, "imp_1", Monday, until) }); {
			case err == nil:
				taken.Add(1)
			case !errors.Is(err, store.ErrOvertaken):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if taken.Load() != 1 {
		t.Errorf("taken %d times", taken.Load())
	}
	for at, want := range map[time.Time]int{until.Add(-time.Microsecond): 0, until: 1} {
		if due := read(t, s, func(r *store.Reader) ([]store.Ref, error) { return r.TrackPayments("", at, 10) }); len(due) != want {
			t.Errorf("at %s %d questions are due, want %d", at, len(due), want)
		}
	}
	d.Next.TrackAt, d.Next.Version, d.Next.Seq = time.Time{}, 2, 2
	write(t, s, func(tx *store.Tx) error {
		return tx.Apply(1, &escrow.Decision{Next: d.Next}, store.Owed{})
	})
	if err := try(s, func(tx *store.Tx) error { return tx.TakeTracking(Merchant, "imp_1", until, until) }); !errors.Is(err, store.ErrOvertaken) {
		t.Errorf("a question that is not to be asked any more: %v", err)
	}
}

// leases: one holder at a time, until it ends or is given back.
func leases(t *testing.T, s *store.Store) {
	take := func(holder string, now time.Time) error {
		return try(s, func(tx *store.Tx) error { return tx.TakeLease(Merchant, "clock", holder, now, now.Add(time.Minute)) })
	}
	drop := func(holder string) {
		write(t, s, func(tx *store.Tx) error { return tx.DropLease(Merchant, "clock", holder) })
	}
	for _, step := range []struct {
		what, holder string
		after        time.Duration
		drops        bool
		want         error
	}{
		{"the first", "a", 0, false, nil},
		{"another meanwhile", "b", 30 * time.Second, false, store.ErrLeased},
		{"the holder again", "a", 30 * time.Second, false, nil},
		{"another after it was prolonged", "b", 80 * time.Second, false, store.ErrLeased},
		{"another when it has run out", "b", 90 * time.Second, false, nil},
		{"the first holder, who slept", "a", 91 * time.Second, true, store.ErrLeased},
	} {
		if step.drops {
			drop(step.holder) // is not his any more
		}
		if err := take(step.holder, Monday.Add(step.after)); !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.what, err, step.want)
		}
	}
	drop("b")
	if err := take("a", Monday.Add(92*time.Second)); err != nil {
		t.Errorf("what was given back cannot be taken: %v", err)
	}
	if err := take("a", Monday.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if err := take("b", Monday.Add(94*time.Second)); err != nil {
		t.Errorf("a clock that was a year ahead holds the others back: %v", err)
	}
	for _, step := range []struct {
		after time.Duration
		taken bool
	}{{0, true}, {30 * time.Second, false}, {time.Minute, true}, {-365 * 24 * time.Hour, true}, {30*time.Second - 365*24*time.Hour, false}} {
		now := Monday.Add(step.after)
		write(t, s, func(tx *store.Tx) error {
			_, taken, err := tx.LeaseLap(now, now.Add(time.Minute))
			if taken != step.taken {
				t.Errorf("the walk, after %s: taken %t", step.after, taken)
			}
			return err
		})
	}
}

// agreements: the first word stands until it is replaced.
func agreements(t *testing.T, s *store.Store) {
	agree := func(value string) (out string) {
		write(t, s, func(tx *store.Tx) (err error) {
			out, err = tx.Agree("secret", value)
			return err
		})
		return out
	}
	if a, b := agree("one"), agree("two"); a != "one" || b != "one" {
		t.Errorf("agreed on %s, then on %s", a, b)
	}
	write(t, s, func(tx *store.Tx) error { return tx.Reagree("secret", "two") })
	if got := agree("three"); got != "two" {
		t.Errorf("replaced by two, agreed on %s", got)
	}
}

// versionsInATransaction: a function sees what it has changed itself, and not
// what another one changed that came to nothing.
func versionsInATransaction(t *testing.T, s *store.Store) {
	m := merchant.New("mrc_7", "imp7", "상점", merchant.Sandbox, Monday)
	day := bizday.Override{Date: date("2026-03-12"), Closed: true, Reason: "임시공휴일"}
	write(t, s, func(tx *store.Tx) error { return tx.InsertMerchant(&m) })
	seen := func(tx *store.Tx, version, revision int64) error {
		v, err := tx.MerchantVersion(m.ID)
		r, err2 := tx.CalendarRevision()
		if v != version || r != revision {
			t.Errorf("version %d and revision %d, want %d and %d", v, r, version, revision)
		}
		return errors.Join(err, err2)
	}
	change := func(fail error) error {
		return s.Write(context.Background(), func(tx *store.Tx) error {
			have, err := tx.Merchant(m.ID)
			if err != nil {
				return err
			}
			version, revision := have.Version, have.Version-1 // one change of each at a time
			if err := errors.Join(seen(tx, version, revision), tx.UpdateMerchant(&have), tx.PutOverride(day, Monday), seen(tx, version+1, revision+1)); err != nil {
				return err
			}
			return fail
		}, store.OnSettings(m.ID, "test"))
	}
	look := func(version, revision int64) {
		if err := s.Write(context.Background(), func(tx *store.Tx) error { return seen(tx, version, revision) }, store.OnSettings(m.ID, "test")); err != nil {
			t.Fatal(err)
		}
	}
	look(1, 0)
	if err := change(nil); err != nil {
		t.Fatal(err)
	}
	look(2, 1)
	if err := change(errNo); !errors.Is(err, errNo) {
		t.Fatal(err)
	}
	look(2, 1)
}

// calendarWaits: a change of the calendar waits for those who decide by the old
// one, so that whoever looks after the change for what they did finds it.
func calendarWaits(t *testing.T, s *store.Store) {
	deciding, decide := make(chan struct{}), make(chan struct{})
	decided, changed := make(chan error, 1), make(chan error, 1)
	var over atomic.Bool
	go func() {
		decided <- try(s, func(tx *store.Tx) error {
			if _, err := tx.CalendarRevision(); err != nil {
				return err
			}
			close(deciding)
			<-decide
			over.Store(true)
			return tx.PutDirectory("test", "decided", Merchant, "x")
		})
	}()
	<-deciding
	go func() {
		err := try(s, func(tx *store.Tx) error {
			return tx.PutOverride(bizday.Override{Date: date("2026-03-12"), Closed: true, Reason: "임시공휴일"}, Monday)
		})
		if err == nil && !over.Load() {
			err = errors.New("the calendar changed under a decision")
		}
		changed <- err
	}()
	for range 200 { // time enough for a change that does not wait
		_ = read(t, s, func(r *store.Reader) (int64, error) { return r.CalendarRevision() })
	}
	close(decide)
	if err := errors.Join(<-decided, <-changed); err != nil {
		t.Fatal(err)
	}
	_ = read(t, s, func(r *store.Reader) (store.Ref, error) { return r.Lookup("test", "decided") })
}
