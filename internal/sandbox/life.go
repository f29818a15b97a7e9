package sandbox

import (
	"context"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// life is all that the core knows of a payment: what the V1 shape leaves out.
type life struct {
	ImpUID      string         `json:"imp_uid"`
	MerchantUID string         `json:"merchant_uid"`
	Status      wirev1.Status  `json:"status"`
	State       escrow.State   `json:"state"`
	PayMethod   *string        `json:"pay_method"`
	Escrow      bool           `json:"escrow"`
	Grounds     *string        `json:"grounds"`
	Amount      int64          `json:"amount"`
	Held        int64          `json:"held"`
	Refunded    int64          `json:"refunded"`
	Suspended   int64          `json:"suspended"`
	Account     *lifeAccount   `json:"account"`
	Deposits    []lifeDeposit  `json:"deposits"`
	Delivery    *lifeDelivery  `json:"delivery"`
	Notice      *string        `json:"notice"`
	Deadline    *lifeDeadline  `json:"deadline"`
	Decision    *lifeDecision  `json:"decision"`
	Return      *string        `json:"return"`
	Hold        *string        `json:"hold"`
	Refunds     []lifeRefund   `json:"refunds"`
	Tasks       []escrow.Task  `json:"tasks"`
	DecisionURL *string        `json:"decision_url"`
	NextAt      *string        `json:"next_at"`
	Events      []happenedItem `json:"events"`
}

type lifeAccount struct {
	VbankCode   string  `json:"vbank_code"`
	VbankName   string  `json:"vbank_name"`
	VbankNum    string  `json:"vbank_num"`
	VbankHolder string  `json:"vbank_holder"`
	IssuedAt    *string `json:"issued_at"`
	Due         *string `json:"due"`
}

type lifeDeposit struct {
	BankTx   string                `json:"bank_tx"`
	Amount   int64                 `json:"amount"`
	At       *string               `json:"at"`
	Outcome  escrow.DepositOutcome `json:"outcome"`
	Reversed bool                  `json:"reversed"`
	Payer    string                `json:"payer"`
}

type lifeDelivery struct {
	Parcels      []lifeParcel `json:"parcels"`
	Trackable    bool         `json:"trackable"`
	SentAt       *string      `json:"sent_at"`
	RegisteredAt *string      `json:"registered_at"`
	DeliveredAt  *string      `json:"delivered_at"`
}

type lifeParcel struct {
	Company     string  `json:"company"`
	Invoice     string  `json:"invoice"`
	SeenAt      *string `json:"seen_at"`
	DeliveredAt *string `json:"delivered_at"`
}

// lifeDeadline is the end of the buyer's time. Projected says that it is not
// set yet and would be so if the buyer's notice arrived now.
type lifeDeadline struct {
	At        *string             `json:"at"`
	LastDay   bizday.Date         `json:"last_day"`
	From      bizday.Date         `json:"from"`
	Days      int                 `json:"days"`
	Rule      escrow.DeadlineRule `json:"rule"`
	Calendar  string              `json:"calendar"`
	Projected bool                `json:"projected"`
}

type lifeDecision struct {
	Verdict escrow.Verdict `json:"verdict"`
	Kind    *string        `json:"kind"`
	Reason  *string        `json:"reason"`
	At      *string        `json:"at"`
}

type lifeRefund struct {
	ID        string             `json:"id"`
	Amount    int64              `json:"amount"`
	State     escrow.RefundState `json:"state"`
	Reason    string             `json:"reason"`
	FailedFor *string            `json:"failed_for"`
	At        *string            `json:"at"`
	SentAt    *string            `json:"sent_at"`
}

// showLife answers with a payment's whole life.
func (s *server) showLife(ctx context.Context, c *call) (any, error) {
	p, err := s.payment(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.life(ctx, &p)
}

// life gathers a payment's whole life so far.
func (s *server) life(ctx context.Context, p *escrow.Payment) (life, error) {
	events, err := s.app.Events(ctx, p.Merchant, p.ID)
	if err != nil {
		return life{}, err
	}
	projected, err := s.app.Projected(ctx, *p)
	if err != nil {
		return life{}, err
	}
	l := newLife(p)
	l.DecisionURL = text(s.app.DecisionURL(*p))
	if projected != nil {
		l.Deadline = newDeadline(projected, p.Deadline == nil)
	}
	for _, e := range events {
		l.Events = append(l.Events, eventItem(e))
	}
	return l, nil
}

func newLife(p *escrow.Payment) life {
	l := life{
		ImpUID: p.ID, MerchantUID: p.OrderID, Status: wirev1.StatusOf(p), State: p.State, PayMethod: text(wirev1.PayMethod(p.Method)),
		Escrow: p.Escrow, Grounds: text(string(p.Grounds)), Amount: int64(p.Amount), Held: int64(p.HeldAmount()), Refunded: int64(p.Refunded),
		Suspended: int64(p.Suspended), Account: newAccount(p.Account), Deposits: []lifeDeposit{}, Delivery: newDelivery(p.Delivery),
		Notice: text(string(p.Notice)), Return: text(string(p.Return)), Refunds: []lifeRefund{}, Tasks: []escrow.Task{},
		NextAt: instant(p.WakeAt), Events: []happenedItem{},
	}
	for _, d := range p.Deposits {
		l.Deposits = append(l.Deposits, newDeposit(d))
	}
	for _, r := range p.Refunds {
		l.Refunds = append(l.Refunds, lifeRefund{r.ID, int64(r.Amount), r.State, r.Reason, text(r.FailedFor), instant(r.At), instant(r.SentAt)})
	}
	l.Tasks = append(l.Tasks, p.Tasks...)
	if d := p.Decided; d != nil {
		l.Decision = &lifeDecision{d.Verdict, text(string(d.Kind)), text(d.Reason), instant(d.At)}
	}
	if p.Hold != nil {
		l.Hold = &p.Hold.Reason
	}
	return l
}

func newAccount(a *escrow.Account) *lifeAccount {
	if a == nil {
		return nil
	}
	return &lifeAccount{a.Bank, krbank.Name(a.Bank, false), a.Number, a.Holder, instant(a.IssuedAt), instant(a.Due)}
}

func newDeposit(d escrow.Deposit) lifeDeposit {
	return lifeDeposit{d.BankTx, int64(d.Amount), instant(d.At), d.Outcome, d.Reversed, d.Payer.Holder}
}

func newDelivery(d *escrow.Delivery) *lifeDelivery {
	if d == nil {
		return nil
	}
	out := &lifeDelivery{
		Parcels: []lifeParcel{}, Trackable: d.Trackable, SentAt: instant(d.SentAt), RegisteredAt: instant(d.RegisteredAt), DeliveredAt: instant(d.DeliveredAt),
	}
	for _, p := range d.Parcels {
		out.Parcels = append(out.Parcels, lifeParcel{wirev1.CompanyOf(p.Carrier), p.Number, instant(p.Seen), instant(p.DeliveredAt)})
	}
	return out
}

func newDeadline(d *escrow.Deadline, projected bool) *lifeDeadline {
	return &lifeDeadline{instant(d.At), d.LastDay, d.From, d.Days, d.Rule, d.Calendar, projected}
}

// shown gives a payment the V1 shape.
func (s *server) shown(ctx context.Context, c *call, p *escrow.Payment) (wirev1.Payment, error) {
	receipts, err := s.app.ReceiptsInForce(ctx, c.m.ID, []escrow.Payment{*p})
	return wirev1.NewPayment(p, wirev1.Circumstances{
		Sandbox: true, PGProvider: p.Provider, PGID: c.m.Code, CashReceipt: receipts[p.ID],
	}), err
}

// happenedItem is one thing that happened: a step of a payment, a letter to a
// buyer, or a payout.
type happenedItem struct {
	At     *string `json:"at"`
	What   string  `json:"what"` // event, mail or payout
	ImpUID *string `json:"imp_uid"`
	// Type is the step, the kind of letter, or the state of the payout.
	Type   string  `json:"type"`
	Actor  *string `json:"actor"`
	Amount *int64  `json:"amount"`
	// Detail is the reason, kind or reference that belongs to it.
	Detail *string `json:"detail"`
}

// What a happenedItem is.
const (
	whatEvent  = "event"
	whatMail   = "mail"
	whatPayout = "payout"
)

func eventItem(e app.LoggedEvent) happenedItem {
	item := happenedItem{At: instant(e.At), What: whatEvent, ImpUID: text(e.Payment), Type: string(e.Type), Actor: text(string(e.Actor))}
	if e.Amount != 0 {
		amount := int64(e.Amount)
		item.Amount = &amount
	}
	for _, detail := range []string{e.Reason, e.Kind, e.Ref} {
		if item.Detail == nil {
			item.Detail = text(detail)
		}
	}
	return item
}

// instant is a time as this API writes it: Korean time in RFC 3339, or null for
// one that has not come.
func instant(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return text(t.In(bizday.KST).Format(time.RFC3339))
}

// text is null for what is not known.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
