package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/store"
)

func date(s string) bizday.Date { return bizday.MustParseDate(s) }

// filler sets every exported field of a value, whatever its type. A field that
// is new is filled too, so that a store that does not keep it is found out.
type filler struct {
	n int
	// skip decides whether a pointer, a slice or a plain value is left empty; nil leaves nothing out.
	skip func() bool
}

func (f *filler) next() int { f.n++; return f.n }

func (f *filler) fill(v reflect.Value) {
	if f.skip != nil && v.Kind() != reflect.Struct && f.skip() {
		return
	}
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.UnixMicro(1_700_000_000_000_000 + 1_234_567*int64(f.next())).UTC()))
		return
	case bizday.Date:
		v.Set(reflect.ValueOf(date("2026-01-01").AddDays(f.next())))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("글 %d \"'%%_\\", f.next()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.next()))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	default:
		panic(fmt.Sprintf("storetest: nobody knows how to fill a %s", v.Type()))
	}
}

// full is a payment with every field filled.
func full(f *filler) escrow.Payment {
	var p escrow.Payment
	f.fill(reflect.ValueOf(&p).Elem())
	p.Merchant, p.ID, p.Version = Merchant, "imp_1", 1
	// What the columns ask for: an amount, no more refunded than that, and tasks
	// whose names are words.
	p.Amount, p.Refunded = max(p.Amount, 1)+1_000, min(p.Refunded, 1_000)
	for i := range p.Tasks {
		p.Tasks[i] = escrow.Task(fmt.Sprintf("task_%d", i))
	}
	for _, at := range []*time.Time{&p.OpenedAt, &p.UpdatedAt} {
		if at.IsZero() {
			*at = Monday
		}
	}
	return p
}

// holes lists the fields that are zero, in a value that should have none.
func holes(path string, v reflect.Value) (out []string) {
	if v.IsZero() {
		return []string{path}
	}
	switch v.Kind() {
	case reflect.Pointer:
		return holes(path, v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			out = append(out, holes(fmt.Sprintf("%s[%d]", path, i), v.Index(i))...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				out = append(out, holes(path+"."+field.Name, v.Field(i))...)
			}
		}
	default:
	}
	return out
}

// differ names the fields in which two values differ.
func differ(path string, got, want reflect.Value) (out []string) {
	if reflect.DeepEqual(got.Interface(), want.Interface()) {
		return nil
	}
	if got.Kind() == reflect.Pointer && !got.IsNil() && !want.IsNil() {
		return differ(path, got.Elem(), want.Elem())
	}
	if _, isTime := got.Interface().(time.Time); got.Kind() != reflect.Struct || isTime {
		return []string{fmt.Sprintf("%s: got %v, want %v", path, got.Interface(), want.Interface())}
	}
	for i := range got.NumField() {
		if field := got.Type().Field(i); field.IsExported() {
			out = append(out, differ(path+"."+field.Name, got.Field(i), want.Field(i))...)
		}
	}
	return out
}

func same(t interface{ Errorf(string, ...any) }, what string, got, want any) {
	for _, d := range differ(what, reflect.ValueOf(got), reflect.ValueOf(want)) {
		t.Errorf("%s", d)
	}
}

// paymentRoundTrip: every field of a payment comes back, filled or empty.
func paymentRoundTrip(t *testing.T, s *store.Store) {
	p := full(&filler{})
	if zero := holes("Payment", reflect.ValueOf(p)); len(zero) > 0 {
		t.Fatalf("these fields are not filled: %v", zero)
	}
	write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &escrow.Decision{Next: p}, store.Owed{}) })
	same(t, "Payment", read(t, s, func(r *store.Reader) (escrow.Payment, error) { return r.Payment(Merchant, "imp_1") }), p)
	write(t, s, func(tx *store.Tx) error {
		got, err := tx.Payment(Merchant, "imp_1")
		same(t, "Payment in a transaction", got, p)
		return err
	})
	drawn := 0
	rapid.Check(t, func(rt *rapid.T) {
		f := &filler{n: rapid.IntRange(0, 1_000).Draw(rt, "seed"), skip: func() bool { return rapid.Bool().Draw(rt, "empty") }}
		p := full(f)
		drawn++
		p.ID = fmt.Sprintf("drawn_%d", drawn)
		write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &escrow.Decision{Next: p}, store.Owed{}) })
		same(rt, "Payment", read(t, s, func(r *store.Reader) (escrow.Payment, error) { return r.Payment(Merchant, p.ID) }), p)
	})
}

// paymentUpdate: a stored change replaces every field but those that never change.
func paymentUpdate(t *testing.T, s *store.Store) {
	old := full(&filler{})
	write(t, s, func(tx *store.Tx) error { return tx.Apply(0, &escrow.Decision{Next: old}, store.Owed{}) })
	for _, next := range []escrow.Payment{full(&filler{n: 500}), young("imp_1")} {
		next.Version, next.OrderID, next.OpenedAt = old.Version+1, old.OrderID, old.OpenedAt
		write(t, s, func(tx *store.Tx) error { return tx.Apply(old.Version, &escrow.Decision{Next: next}, store.Owed{}) })
		same(t, "Payment", read(t, s, func(r *store.Reader) (escrow.Payment, error) { return r.Payment(Merchant, "imp_1") }), next)
		old = next
	}
}

// filled is a value with every field filled.
func filled[T any](n int) (v T) {
	(&filler{n: n}).fill(reflect.ValueOf(&v).Elem())
	return v
}

// rowsRoundTrip: what stands beside a payment comes back whole too.
func rowsRoundTrip(t *testing.T, s *store.Store) {
	p := young("imp_1")
	p.Seq = 1
	event, line := filled[escrow.Event](10), filled[escrow.Line](20)
	event.Seq = 1
	order := filled[escrow.BankOrder](30)
	payout := filled[settle.Payout](40)
	payout.Merchant = Merchant
	d := escrow.Decision{Next: p, Events: []escrow.Event{event}, Lines: []escrow.Line{line}, Orders: []escrow.BankOrder{order}, Mails: []escrow.Mail{escrow.MailPaid}}
	mail, hooked := filled[store.Mail](60), filled[store.Webhook](80)
	write(t, s, func(tx *store.Tx) error {
		if err := tx.Apply(0, &d, hook(1)); err != nil {
			return err
		}
		return tx.InsertPayout(payout)
	})
	err := s.Read(context.Background(), func(r *store.Reader) error {
		got, err := r.Event(Merchant, "imp_1", 1)
		same(t, "Event", got, store.LoggedEvent{Event: event, Payment: "imp_1", Position: 1})
		if err != nil {
			return err
		}
		lines, err := r.Lines(Merchant, "imp_1", "", 0, 10)
		if err != nil || len(lines) != 1 {
			return fmt.Errorf("%d lines: %w", len(lines), err)
		}
		same(t, "Line", lines[0], store.SettlementLine{Line: line, Merchant: Merchant, Payment: "imp_1"})
		paid, err := r.Payout(Merchant, payout.ID)
		same(t, "Payout", paid, payout)
		if err != nil {
			return err
		}
		o, err := r.BankOrder(Merchant, order.Key)
		same(t, "BankOrder", o, store.BankOrder{
			Merchant: Merchant, Key: order.Key, Kind: store.OrderRefund, Ref: "imp_1", Amount: order.Amount, Account: order.Account, Card: true,
			State: store.OrderPending, DueAt: Monday, CreatedAt: Monday,
		})
		if err != nil {
			return err
		}
		mails, err := r.Mails(Merchant, "imp_1", 0, 10)
		if err != nil || len(mails) != 1 {
			return fmt.Errorf("%d mails: %w", len(mails), err)
		}
		hooks, err := r.Webhooks(Merchant, store.WebhookFilter{Payment: "imp_1"}, 0, 10)
		if err != nil || len(hooks) != 1 {
			return fmt.Errorf("%d webhooks: %w", len(hooks), err)
		}
		// What is decided at the beginning stays; what becomes of it is replaced.
		mail.Merchant, mail.ID, mail.Payment, mail.Seq, mail.Kind, mail.Recipient = Merchant, mails[0].ID, "imp_1", 1, escrow.MailPaid, p.Buyer.Email
		mail.Attempts, mail.CreatedAt = 0, Monday
		w := hooks[0]
		hooked.Merchant, hooked.ID, hooked.Payment, hooked.Seq, hooked.Kind, hooked.Endpoint, hooked.URL = w.Merchant, w.ID, w.Payment, w.Seq, w.Kind, w.Endpoint, w.URL
		hooked.Attempts, hooked.CreatedAt = 0, Monday
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	payout.Attempt, payout.Reason, payout.State, payout.DoneAt = 9, "", settle.PayoutFailed, time.Time{}
	write(t, s, func(tx *store.Tx) error {
		if err := tx.MailDone(&mail); err != nil {
			return err
		}
		late := hooked
		late.Attempts, late.State = 7, store.WebhookFailed
		if err := tx.WebhookDone(&late); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the end of a call that was begun again: %v", err)
		}
		if err := tx.WebhookDone(&hooked); err != nil {
			return err
		}
		hooked.Log = `[{"at":"2026-03-09T00:00:00Z"}]`
		if err := tx.WebhookLog(Merchant, hooked.ID, hooked.Log); err != nil {
			return err
		}
		return tx.UpdatePayout(payout)
	})
	same(t, "Mail", read(t, s, func(r *store.Reader) (store.Mail, error) { return r.Mail(Merchant, mail.ID) }), mail)
	same(t, "Webhook", read(t, s, func(r *store.Reader) (store.Webhook, error) { return r.Webhook(Merchant, hooked.ID) }), hooked)
	same(t, "Payout", read(t, s, func(r *store.Reader) (settle.Payout, error) { return r.Payout(Merchant, payout.ID) }), payout)
	merchantRoundTrip(t, s)
}

func merchantRoundTrip(t *testing.T, s *store.Store) {
	t.Helper()
	m := merchant.New("mrc_9", "imp00000009", "상점", merchant.Sandbox, Monday)
	m.Ahead = 36 * time.Hour
	write(t, s, func(tx *store.Tx) error { return tx.InsertMerchant(&m) })
	get := func() merchant.Merchant {
		return read(t, s, func(r *store.Reader) (merchant.Merchant, error) { return r.Merchant("mrc_9") })
	}
	same(t, "Merchant", get(), m)
	m.Name, m.Ahead, m.Phone = "다른 상점", 48*time.Hour, "02-000-0000"
	write(t, s, func(tx *store.Tx) error { return tx.UpdateMerchant(&m) })
	same(t, "Merchant", get(), m)
	if ahead := read(t, s, func(r *store.Reader) ([]string, error) { return r.AheadMerchants() }); len(ahead) != 1 || ahead[0] != "mrc_9" {
		t.Errorf("merchants ahead: %v", ahead)
	}
}
