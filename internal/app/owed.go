package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// Ref names a payment of a merchant.
type Ref = store.Ref

// States of owed work.
const (
	MailPending      = store.MailPending
	MailSent         = store.MailSent
	MailFailed       = store.MailFailed
	MailBounced      = store.MailBounced
	WebhookPending   = store.WebhookPending
	WebhookDelivered = store.WebhookDelivered
	WebhookFailed    = store.WebhookFailed
	OrderPending     = store.OrderPending
	OrderAsked       = store.OrderAsked
	OrderSent        = store.OrderSent
	OrderFailed      = store.OrderFailed
	OrderRefund      = store.OrderRefund
	OrderPayout      = store.OrderPayout
)

// claim runs a claiming statement by the right clock: the merchant's own, or
// the machine's when merchantID is empty and all merchants are meant.
func claim[T any](ctx context.Context, a *App, merchantID string, fn func(tx *store.Tx, now time.Time) ([]T, error)) (out []T, err error) {
	now, err := a.NowOf(ctx, merchantID)
	if err != nil {
		return nil, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		out, err = fn(tx, now)
		return err
	})
	return out, err
}

// NowOf is the present of a merchant's clock, or the machine's for an empty id.
func (a *App) NowOf(ctx context.Context, merchantID string) (time.Time, error) {
	now := a.clock.Now()
	if merchantID == "" {
		return now, nil
	}
	m, err := a.Merchant(ctx, merchantID)
	return m.Now(now), err
}

// OwesMails reports whether any mail is due. For one merchant its own clock
// counts, for all (empty) the machine's.
func (a *App) OwesMails(ctx context.Context, merchantID string) (bool, error) {
	return a.owes(ctx, merchantID, (*store.Reader).OwesMails)
}

// OwesBankOrders reports whether any order at the bank is due.
func (a *App) OwesBankOrders(ctx context.Context, merchantID string) (bool, error) {
	return a.owes(ctx, merchantID, (*store.Reader).OwesBankOrders)
}

func (a *App) owes(ctx context.Context, merchantID string, ask func(*store.Reader, string, time.Time) (bool, error)) (bool, error) {
	now, err := a.NowOf(ctx, merchantID)
	if err != nil {
		return false, err
	}
	return read(ctx, a, func(r *store.Reader) (bool, error) { return ask(r, merchantID, now) })
}

// AtWork reports whether somebody has taken work of a merchant and is at it.
func (a *App) AtWork(ctx context.Context, merchantID string) (bool, error) {
	return read(ctx, a, func(r *store.Reader) (bool, error) { return r.Leased(merchantID) })
}

// ClaimMails leases pending mails that are due.
func (a *App) ClaimMails(ctx context.Context, merchantID string, lease time.Duration, limit int) ([]Mail, error) {
	return claim(ctx, a, merchantID, func(tx *store.Tx, now time.Time) ([]Mail, error) { return tx.ClaimMails(merchantID, now, lease, limit) })
}

// overtaken reports whether work was taken by another since, or is at its end.
// What was brought to it came too late and changed nothing; that is no fault.
func (a *App) overtaken(err error, kind Work, merchantID, id string) bool {
	if !errors.Is(err, store.ErrOvertaken) {
		return false
	}
	a.log.Warn("what came of an attempt came too late: the work was taken by another since", "kind", kind, "merchant", merchantID, "id", id)
	return true
}

// MailDone records what came of an attempt at a mail, together with what it
// means for its payment: a notice that was delivered, or could not be, feeds the
// notice guard. An attempt that another one has overtaken decides nothing.
func (a *App) MailDone(ctx context.Context, m Mail) error {
	m.Error = theirs(m.Error)
	err := a.mailFate(ctx, m, func(tx *store.Tx) error { return tx.MailDone(&m) })
	if a.overtaken(err, WorkMail, m.Merchant, m.ID) {
		return nil
	}
	return err
}

// mailFate records a mail's fate by keep and tells its payment of it.
func (a *App) mailFate(ctx context.Context, m Mail, keep func(*store.Tx) error) error {
	if err := a.acquaint(ctx, m.Merchant); err != nil {
		return err
	}
	var res Result
	_, err := a.write(ctx, "mail."+m.State+" "+m.ID, func(tx *store.Tx) error {
		if err := keep(tx); err != nil {
			return err
		}
		if m.State == MailPending || !m.Kind.Tells() {
			return nil
		}
		p, err := tx.Payment(m.Merchant, m.Payment)
		if errors.Is(err, store.ErrNotFound) {
			return nil // a letter about nothing feeds no guard
		}
		if err != nil {
			return err
		}
		settings, err := a.settings(tx, m.Merchant)
		if err != nil {
			return err
		}
		res, err = a.decide(tx, &settings, p, []step{{escrow.System, escrow.NoticeResult{Delivered: m.State == MailSent, Reason: m.Error}}})
		return err
	}, store.OnPayment(m.Merchant, m.Payment))
	if err == nil {
		a.wake(&res)
	}
	return err
}

// Bounced records that a mail which the first server took came back. A mail
// that is unknown is NotFound; a second report changes nothing.
func (a *App) Bounced(ctx context.Context, merchantID, mailID, reason string) error {
	m, err := a.Mail(ctx, merchantID, mailID)
	if err != nil {
		return err
	}
	if m.State == MailBounced {
		return nil
	}
	m.State, m.Error = MailBounced, theirs(reason)
	now, err := a.NowOf(ctx, m.Merchant)
	if err != nil {
		return err
	}
	return a.mailFate(ctx, m, func(tx *store.Tx) error { return tx.MailBack(m.Merchant, m.ID, m.Error, now) })
}

// ClaimBankOrders leases open orders that are due.
func (a *App) ClaimBankOrders(ctx context.Context, merchantID string, lease time.Duration, limit int) ([]BankOrder, error) {
	return claim(ctx, a, merchantID, func(tx *store.Tx, now time.Time) ([]BankOrder, error) {
		return tx.ClaimBankOrders(merchantID, now, lease, limit)
	})
}

// MarkAsked makes durable that the bank may have been asked, and reports whether
// the order is still the caller's. Only then may the bank be called.
func (a *App) MarkAsked(ctx context.Context, o BankOrder) (ours bool, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error { return tx.MarkAsked(&o) }, store.OnRow(o.Merchant, o.Key))
	if a.overtaken(err, WorkBank, o.Merchant, o.Key) {
		return false, nil
	}
	return err == nil, err
}

// OrderUnknown says that the bank gave no definite answer; it is asked again,
// under the same key, at the given instant of the merchant's clock. An attempt
// that another one, or an answer, has overtaken changes nothing.
func (a *App) OrderUnknown(ctx context.Context, o BankOrder, detail string, again time.Time) error {
	o.Detail, o.DueAt = theirs(detail), again
	err := a.store.Write(ctx, func(tx *store.Tx) error { return tx.OrderUnknown(&o) }, store.OnRow(o.Merchant, o.Key))
	if a.overtaken(err, WorkBank, o.Merchant, o.Key) {
		return nil
	}
	return err
}

// OrderAnswered books the bank's definite answer to an order: first the
// payment or payout, then the order itself, so that a crash between them asks
// the bank again, which changes nothing. A definite answer is true whoever heard
// it, and however late.
func (a *App) OrderAnswered(ctx context.Context, o BankOrder, sent bool, reason string) error {
	reason = theirs(reason)
	var err error
	if o.Kind == OrderPayout {
		err = a.PayoutResult(ctx, o.Merchant, o.Ref, sent, reason)
	} else {
		_, err = a.Do(ctx, escrow.Bank, o.Merchant, o.Ref, escrow.RefundResult{Key: o.Key, Sent: sent, Reason: reason})
	}
	if err != nil {
		return err
	}
	o.State, o.Detail = OrderSent, reason
	if o.DoneAt, err = a.NowOf(ctx, o.Merchant); err != nil {
		return err
	}
	if !sent {
		o.State = OrderFailed
	}
	return a.store.Write(ctx, func(tx *store.Tx) error { return tx.OrderDone(&o) }, store.OnRow(o.Merchant, o.Key))
}

// maxTheirs bounds the words of a bank or a mail server, in bytes.
const maxTheirs = 1_000

// theirs is the words of a bank or a mail server as they can be kept: bounded,
// valid UTF-8, without NULs. An answer is never lost for the sake of its words.
func theirs(words string) string {
	words = words[:min(len(words), maxTheirs)]
	return strings.ToValidUTF8(strings.ReplaceAll(words, "\x00", ""), "")
}

// OrderByKey returns an order, or NotFound.
func (a *App) OrderByKey(ctx context.Context, merchantID, key string) (BankOrder, error) {
	o, err := read(ctx, a, func(r *store.Reader) (BankOrder, error) { return r.BankOrder(merchantID, key) })
	return o, notFound(err, "bank order")
}

// TrackPayments returns payments whose carrier should be asked.
func (a *App) TrackPayments(ctx context.Context, merchantID string, limit int) ([]Ref, error) {
	return a.dueRefs(ctx, merchantID, limit, (*store.Reader).TrackPayments)
}

func (a *App) dueRefs(ctx context.Context, merchantID string, limit int, find func(*store.Reader, string, time.Time, int) ([]Ref, error)) ([]Ref, error) {
	now, err := a.NowOf(ctx, merchantID)
	if err != nil {
		return nil, err
	}
	return read(ctx, a, func(r *store.Reader) ([]Ref, error) { return find(r, merchantID, now, limit) })
}

// TickDue lets time act on up to limit payments for which it has something to do,
// and returns how many it found and how many changed. For one merchant its own
// clock counts, for all (empty) the machine's.
//
// The payments are read at once and decided side by side; the decisions wait
// together, so that they share commits. A payment whose rule fails does not stop
// the others.
func (a *App) TickDue(ctx context.Context, merchantID string, limit int) (found, changed int, err error) {
	due, err := a.duePayments(ctx, merchantID, limit)
	if err != nil {
		return 0, 0, err
	}
	changed, err = together(due, func(s store.Stored) (bool, error) { return a.tick(ctx, s) })
	return len(due), changed, err
}

func (a *App) duePayments(ctx context.Context, merchantID string, limit int) ([]store.Stored, error) {
	now, err := a.NowOf(ctx, merchantID)
	if err != nil {
		return nil, err
	}
	return read(ctx, a, func(r *store.Reader) ([]store.Stored, error) { return r.DuePayments(merchantID, now, limit) })
}

// DuePayments names up to limit payments for which time has something to do. For
// one merchant its own clock counts, for all (empty) the machine's.
func (a *App) DuePayments(ctx context.Context, merchantID string, limit int) (refs []Ref, err error) {
	due, err := a.duePayments(ctx, merchantID, limit)
	for _, p := range due {
		refs = append(refs, p.Ref())
	}
	return refs, err
}

// tick lets time act on a payment as it was read, and reports whether it changed.
// Time asks for nothing but the payment, so that it is decided before its turn in
// the database has come. There it is stored if the settings and the calendar are
// still those by which it was decided, else decided again; a version that is not
// the newest any more is not stored, and whoever looks again finds what is left.
// A row that is not the one that was written is decided in the database, where that
// is recorded.
func (a *App) tick(ctx context.Context, s store.Stored) (changed bool, err error) {
	if !s.Sound() {
		ref := s.Ref()
		return a.tickThere(ctx, ref.Merchant, ref.ID)
	}
	p, err := s.Payment()
	if err != nil {
		return false, err
	}
	m, err := a.Merchant(ctx, p.Merchant)
	if err != nil {
		return false, err
	}
	cal := a.calendar.Load()
	d, err := escrow.Decide(p, escrow.Tick{}, a.circumstances(&m, cal.Calendar, &p, escrow.System))
	if err != nil || d.Unchanged {
		return false, err
	}
	ready, err := store.MakeReady(&d.Next)
	if err != nil {
		return false, err
	}
	var res Result
	err = a.store.Write(ctx, func(tx *store.Tx) (err error) {
		if err := errors.Join(a.settingsAs(tx, &m), a.calendarAs(tx, cal)); err != nil {
			return err
		}
		res, err = a.keepSound(tx, &m, &p, &d, func(was int64, d *escrow.Decision, owed store.Owed) error {
			return tx.ApplyReady(was, d, ready, owed)
		})
		return err
	}, store.OnPayment(p.Merchant, p.ID))
	switch {
	case errors.Is(err, store.ErrStale):
		return true, nil
	case errors.Is(err, errOutrun):
		return a.tickThere(ctx, p.Merchant, p.ID)
	case err == nil:
		a.after(&res)
	}
	return err == nil, err
}

// tickThere is tick for a payment that is read and decided in the transaction.
func (a *App) tickThere(ctx context.Context, merchantID, paymentID string) (changed bool, err error) {
	res, err := a.Do(ctx, escrow.System, merchantID, paymentID, escrow.Tick{})
	return err == nil && !res.Unchanged, err
}

// TakeTracking takes the question to a carrier that is due by now, an instant of
// the merchant's clock, and reports false if somebody else has it, or it is not to
// be asked any more. For the time of the lease nobody else asks.
func (a *App) TakeTracking(ctx context.Context, ref Ref, now time.Time, lease time.Duration) (bool, error) {
	err := a.store.Write(ctx, func(tx *store.Tx) error { return tx.TakeTracking(ref.Merchant, ref.ID, now, now.Add(lease)) }, store.OnPayment(ref.Merchant, ref.ID))
	if errors.Is(err, store.ErrOvertaken) {
		return false, nil
	}
	return err == nil, err
}

// PostponeTracking moves the next question to a carrier that gave no answer.
func (a *App) PostponeTracking(ctx context.Context, ref Ref, pause time.Duration) error {
	m, err := a.Merchant(ctx, ref.Merchant)
	if err != nil {
		return err
	}
	at := m.Now(a.clock.Now()).Add(pause)
	return a.store.Write(ctx, func(tx *store.Tx) error { return tx.PostponeTracking(ref.Merchant, ref.ID, at) }, store.OnPayment(ref.Merchant, ref.ID))
}

// DueSettlements returns, in the order of their ids, merchants after one that may
// have something to be paid out by the machine's date.
func (a *App) DueSettlements(ctx context.Context, after string, limit int) ([]string, error) {
	day := bizday.DateOf(a.clock.Now())
	return read(ctx, a, func(r *store.Reader) ([]string, error) { return r.DueSettlements(day, after, limit) })
}

// AheadMerchants returns merchants whose test clock runs ahead.
func (a *App) AheadMerchants(ctx context.Context) ([]string, error) {
	return read(ctx, a, func(r *store.Reader) ([]string, error) { return r.AheadMerchants() })
}

// NextDue is the next instant of a merchant's clock at which something falls
// due after now, or zero; see DueAfter.
func (a *App) NextDue(ctx context.Context, merchantID string) (time.Time, error) {
	now, err := a.NowOf(ctx, merchantID)
	if err != nil {
		return time.Time{}, err
	}
	return a.DueAfter(ctx, merchantID, now)
}

// DueAfter is the first instant of a merchant's clock after another one at which
// something falls due, or zero: a payment, a question to a carrier, owed work that
// waits for its next try, or the payout hour of a business day on which lines are
// due. It may have passed by now. What was due before waits for something else than
// time.
func (a *App) DueAfter(ctx context.Context, merchantID string, after time.Time) (time.Time, error) {
	m, err := a.Merchant(ctx, merchantID)
	if err != nil {
		return time.Time{}, err
	}
	var day string
	next, err := read(ctx, a, func(r *store.Reader) (at time.Time, err error) {
		at, day, err = r.NextDue(merchantID, after)
		return at, err
	})
	if err != nil || day == "" || m.Account.Number == "" {
		return next, err
	}
	run, err := a.nextRun(ctx, after, merchantID, day)
	if err != nil {
		return time.Time{}, err
	}
	if next.IsZero() || run.Before(next) {
		return run, nil
	}
	return next, nil
}

// nextRun is the payout hour, after an instant, of the first business day on or
// after the due date on which the merchant has not been settled.
func (a *App) nextRun(ctx context.Context, after time.Time, merchantID, due string) (time.Time, error) {
	day, err := bizday.ParseDate(due)
	if err != nil {
		return time.Time{}, err
	}
	if today := bizday.DateOf(after); day.Before(today) {
		day = today
	}
	for {
		if day, err = a.Calendar().Roll(day, bizday.After); err != nil {
			return time.Time{}, err
		}
		settled, err := read(ctx, a, func(r *store.Reader) (bool, error) { return r.HasPayoutOn(merchantID, day) })
		at := day.Start().Add(payoutHour * time.Hour)
		if err != nil || (!settled && at.After(after)) {
			return at, err
		}
		day = day.AddDays(1)
	}
}

// TakeOver makes due again what nodes had taken that have ended without an outcome.
func (a *App) TakeOver(ctx context.Context) error { return a.store.FreeLeases(ctx) }

// Maintain forgets what has expired.
func (a *App) Maintain(ctx context.Context) error {
	err := a.store.Write(ctx, func(tx *store.Tx) error { return tx.DropExpiredSessions(a.clock.Now()) })
	return errors.Join(err, a.forgetOnces(ctx))
}
