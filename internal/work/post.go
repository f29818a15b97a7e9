package work

import (
	"context"
	"errors"
	"sync"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/letter"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/rail/mail"
)

// Letters composes the mails that are owed and hands them to a mail server. It
// implements Post.
type Letters struct {
	App      *app.App
	Sender   mail.Sender // nil keeps letters in the mailbox alone
	Operator letter.Operator
	From     string // address
	FromName string

	// desk is where letters are composed, one at a time: that is work for the
	// processor alone, and people who wait for an answer come first.
	desk sync.Mutex
}

// Send composes a letter from the payment as it is now and sends it. What was
// composed is left in the mail, for the mailbox and as evidence. A last day that
// it names is kept before it leaves.
func (l *Letters) Send(ctx context.Context, m *app.Mail) (permanent bool, err error) {
	composed, p, permanent, err := l.compose(ctx, m)
	if err != nil {
		return permanent, err
	}
	if day := composed.LastDay; !day.IsZero() && day.AddDays(1).Start().After(p.Announced) {
		if _, err := l.App.Do(ctx, escrow.System, m.Merchant, m.Payment, escrow.Announce{LastDay: day}); err != nil {
			return false, err
		}
	}
	m.Subject, m.Text, m.HTML = composed.Subject, composed.Text, composed.HTML
	if l.Sender == nil {
		return false, nil
	}
	err = l.Sender.Send(ctx, mail.Message{
		ID: MessageID(m), From: l.From, FromName: l.FromName, To: m.Recipient, ToName: p.Buyer.Name,
		Subject: composed.Subject, Text: composed.Text, HTML: composed.HTML,
		Headers: map[string]string{"Auto-Submitted": "auto-generated"},
	})
	var failed *mail.SendError
	return errors.As(err, &failed) && failed.Permanent, err
}

// compose writes a letter and returns the payment that it is about. The error is permanent when no later
// try can do better.
func (l *Letters) compose(ctx context.Context, m *app.Mail) (composed letter.Letter, p escrow.Payment, permanent bool, err error) {
	l.desk.Lock()
	defer l.desk.Unlock()
	if m.Kind == app.MailEndpointOff {
		shop, e, err := l.App.EndpointOff(ctx, m)
		if err != nil {
			var no *escrow.Refusal
			return composed, p, errors.As(err, &no), err
		}
		gone := e.Off != nil && e.Off.Why == merchant.OffGone
		return letter.EndpointOff(shop.Name, e.URL, gone, l.App.BaseURL()+"/console/webhooks"), p, false, nil
	}
	view, err := l.view(ctx, m)
	if err != nil {
		var no *escrow.Refusal
		return composed, p, errors.As(err, &no), err // what is not there will not be there later
	}
	composed, err = letter.Compose(m.Kind, view)
	return composed, view.Payment, err != nil, err
}

// MessageID names a mail over all merchants, so that a report of non-delivery
// leads back to it.
func MessageID(m *app.Mail) string { return m.Merchant + "." + m.ID }

func (l *Letters) view(ctx context.Context, m *app.Mail) (letter.View, error) {
	p, err := l.App.Payment(ctx, m.Merchant, m.Payment)
	if err != nil {
		return letter.View{}, err
	}
	settings, err := l.App.Merchant(ctx, m.Merchant)
	if err != nil {
		return letter.View{}, err
	}
	projected, err := l.App.Projected(ctx, p)
	if err != nil {
		return letter.View{}, err
	}
	return letter.View{
		Payment: p, Merchant: settings, Operator: l.Operator, English: p.English, DecisionURL: l.App.DecisionURL(p),
		Projected: projected, Now: l.App.MerchantNow(&settings), ID: MessageID(m),
	}, nil
}
