package work

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
)

// mailPauses are the pauses between tries of a letter that a server put off.
var mailPauses = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour}

func (l *Loops) mails(ctx context.Context, merchantID string) (int, error) {
	if owed, err := l.App.OwesMails(ctx, merchantID); !owed || err != nil {
		return 0, err
	}
	claimed, err := l.App.ClaimMails(ctx, merchantID, l.Lease, l.page())
	if err != nil {
		return 0, err
	}
	return each(ctx, l, claimed, func(m app.Mail) error { return l.mail(ctx, m) })
}

func (l *Loops) mail(ctx context.Context, m app.Mail) error {
	permanent, err := l.Post.Send(ctx, &m)
	now, clockErr := l.App.NowOf(ctx, m.Merchant)
	if clockErr != nil {
		return clockErr
	}
	switch tries := int(m.Attempts); {
	case err == nil:
		m.State, m.Error, m.DoneAt = app.MailSent, "", now
	case permanent || tries > len(mailPauses):
		m.State, m.Error, m.DoneAt = app.MailFailed, err.Error(), now
	default:
		m.Error, m.DueAt = err.Error(), now.Add(mailPauses[tries-1])
	}
	return l.kept(ctx, func() error { return l.App.MailDone(ctx, m) })
}

// orderPauses are the pauses between questions after an order without an answer.
var orderPauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}

func (l *Loops) orders(ctx context.Context, merchantID string) (int, error) {
	noticed, told := l.notices(ctx, merchantID)
	done, err := l.askBank(ctx, merchantID)
	return noticed + done, errors.Join(told, err)
}

func (l *Loops) askBank(ctx context.Context, merchantID string) (int, error) {
	if owed, err := l.App.OwesBankOrders(ctx, merchantID); !owed || err != nil {
		return 0, err
	}
	claimed, err := l.App.ClaimBankOrders(ctx, merchantID, l.Lease, l.page())
	if err != nil {
		return 0, err
	}
	return each(ctx, l, claimed, func(o app.BankOrder) error { return l.order(ctx, o) })
}

// order asks the bank. The first question of an order sends it; every later one
// inquires, and sends only what the bank says it never got.
func (l *Loops) order(ctx context.Context, o app.BankOrder) error {
	first := o.State == app.OrderPending
	if ours, err := l.App.MarkAsked(ctx, o); err != nil || !ours {
		return err
	}
	asked := bankOrder(o)
	var res bank.Result
	var err error
	if !first {
		res, err = l.Bank.Inquire(ctx, o.Merchant, asked.Key)
	}
	if first || errors.Is(err, bank.ErrNoOrder) {
		if stopped, why := l.stopped(ctx, &o); stopped || why != nil {
			return errors.Join(why, l.unknown(ctx, o, "payouts are stopped; the bank was not asked"))
		}
		res, err = l.Bank.Send(ctx, o.Merchant, asked)
	}
	if errors.Is(err, bank.ErrDuplicate) {
		res, err = l.Bank.Inquire(ctx, o.Merchant, asked.Key)
	}
	return l.kept(ctx, func() error { return l.heard(ctx, o, res, err) })
}

// heard books what the bank said, or that it said nothing.
func (l *Loops) heard(ctx context.Context, o app.BankOrder, res bank.Result, err error) error {
	var no *bank.Invalid
	switch {
	case errors.As(err, &no):
		return l.App.OrderAnswered(ctx, o, false, no.Error())
	case err != nil:
		return l.unknown(ctx, o, err.Error())
	}
	return l.answered(ctx, o, res)
}

// kept records an outcome, and goes on trying while the database is away, for as
// long as the work is ours: an outcome that is forgotten is work done twice. A
// step that is driven by hand tells at once.
func (l *Loops) kept(ctx context.Context, record func() error) error {
	for end := time.After(l.Lease); ; {
		err := record()
		if (!app.IsUnavailable(err) && !app.IsUnknown(err)) || l.stop == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-end:
			return err
		case <-time.After(rest):
		}
	}
}

// stopped reports whether an order may not leave, because the books do not agree.
// Money on its way back to a buyer is never stopped.
func (l *Loops) stopped(ctx context.Context, o *app.BankOrder) (bool, error) {
	if o.Kind != app.OrderPayout {
		return false, nil
	}
	return l.App.PayoutHeld(ctx, o)
}

func bankOrder(o app.BankOrder) bank.Order {
	kind := bank.Refund
	if o.Kind == app.OrderPayout {
		kind = bank.Payout
	}
	if fault.Planted(fault.NewBankKey) && o.Attempts > 1 {
		o.Key = fmt.Sprintf("%s-%d", o.Key, o.Attempts)
	}
	return bank.Order{Key: o.Key, Kind: kind, Amount: o.Amount, Bank: o.Account.Bank, Number: o.Account.Number, Holder: o.Account.Holder, Card: o.Card, Memo: o.Ref}
}

func (l *Loops) unknown(ctx context.Context, o app.BankOrder, detail string) error {
	pause := orderPauses[min(int(o.Attempts), len(orderPauses))-1]
	now, err := l.App.NowOf(ctx, o.Merchant)
	if err != nil {
		return err
	}
	return l.App.OrderUnknown(ctx, o, detail, now.Add(pause))
}

func (l *Loops) answered(ctx context.Context, o app.BankOrder, res bank.Result) error {
	switch res.State {
	case bank.Sent:
		return l.App.OrderAnswered(ctx, o, true, res.Reason)
	case bank.Failed:
		return l.App.OrderAnswered(ctx, o, false, res.Reason)
	case bank.Returned: // it went and came back: both are booked
		if err := l.App.OrderAnswered(ctx, o, true, ""); err != nil {
			return err
		}
		return l.App.OrderAnswered(ctx, o, false, res.Reason)
	case bank.Unknown:
	}
	return l.unknown(ctx, o, res.Reason)
}

// notices books answers that came by themselves: late, twice, or of money that
// came back. The bank goes on telling what could not be booked.
func (l *Loops) notices(ctx context.Context, merchantID string) (int, error) {
	if l.Notices == nil || merchantID == "" {
		return 0, nil
	}
	waiting, err := l.Notices.PendingNotices(ctx, merchantID)
	if err != nil {
		return 0, err
	}
	if fault.Planted(fault.NoticeForgotten) && len(waiting) > 0 {
		err = l.Notices.NoticesHeard(ctx, merchantID, waiting)
	}
	var heard []bank.Notice
	errs := []error{err}
	for _, n := range waiting {
		if err := l.notice(ctx, merchantID, n); err != nil {
			errs = append(errs, err)
			continue
		}
		heard = append(heard, n)
	}
	if len(heard) > 0 {
		errs = append(errs, l.Notices.NoticesHeard(ctx, merchantID, heard))
	}
	return len(heard), errors.Join(errs...)
}

// notice books one. One about an order that nobody gave is not of interest.
func (l *Loops) notice(ctx context.Context, merchantID string, n bank.Notice) error {
	o, err := l.App.OrderByKey(ctx, merchantID, n.Key)
	var no *escrow.Refusal
	if errors.As(err, &no) {
		l.Log.Warn("the bank tells of an order that nobody gave", "merchant", merchantID, "key", n.Key)
		return nil
	}
	if err != nil {
		return err
	}
	return l.answered(ctx, o, n.Result)
}
