package admin

import (
	"net/http"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/api/own"
	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// reasonMax bounds a reason, in characters.
const reasonMax = 1000

// readAct takes an act's fields and returns its command and the words for the
// audit log.
type readAct func(*body.Fields) (escrow.Command, string)

// acts are the operator's acts on a payment, by the last part of their address.
var acts = map[string]readAct{
	"mark-delivered": func(f *body.Fields) (escrow.Command, string) {
		f.Require("reason", "at")
		at, _ := f.Instant("at")
		c := escrow.MarkDelivered{At: at, Reason: f.Lines("reason", reasonMax)}
		return c, c.Reason
	},
	"force-confirm": func(f *body.Fields) (escrow.Command, string) {
		f.Require("reason")
		c := escrow.Confirm{Kind: escrow.Forced, Reason: f.Lines("reason", reasonMax)}
		return c, c.Reason
	},
	"rule": func(f *body.Fields) (escrow.Command, string) {
		f.Require("refund", "reason")
		refund, _ := f.Won("refund")
		c := escrow.DecideDispute{Refund: money.Won(refund), Reason: f.Lines("reason", reasonMax)}
		return c, c.Reason
	},
	"hold": func(f *body.Fields) (escrow.Command, string) {
		f.Require("reason")
		c := escrow.PlaceHold{Reason: f.Lines("reason", reasonMax)}
		return c, c.Reason
	},
	"release":     func(*body.Fields) (escrow.Command, string) { return escrow.ReleaseHold{}, "" },
	"accept-late": func(*body.Fields) (escrow.Command, string) { return escrow.AcceptLate{}, "" },
	"resolve-task": func(f *body.Fields) (escrow.Command, string) {
		f.Require("task", "note")
		c := escrow.ResolveTask{Task: escrow.Task(f.Text("task", textMax)), Note: f.Lines("note", reasonMax)}
		return c, c.Note
	},
	"return-suspense": func(f *body.Fields) (escrow.Command, string) {
		c := escrow.ReturnSuspense{}
		if f.Has("account") {
			c.Account = readAccount(f.Object("account"))
		}
		return c, ""
	},
	"notice-told": func(f *body.Fields) (escrow.Command, string) {
		f.Require("reason")
		c := escrow.NoticeResult{Delivered: true, Reason: f.Lines("reason", reasonMax)}
		return c, c.Reason
	},
}

// act gives one of the acts to the payment of the path. It answers with the
// payment as it is then, and whether the act changed it.
func (s *api) act(read readAct) own.Handler {
	return func(r *http.Request) (own.Reply, error) {
		m, err := s.merchant(r)
		if err != nil {
			return own.Reply{}, err
		}
		f, err := own.ReadBody(r)
		if err != nil {
			return own.Reply{}, err
		}
		version, _ := f.Int("version", 1, 1<<53)
		cmd, detail := read(f)
		if err := f.ErrStrict(); err != nil {
			return own.Reply{}, err
		}
		res, err := s.App.DoFor(r.Context(), by(version, strings.TrimSpace(detail)), m.ID, inPath(r, "payment"), cmd)
		if err != nil {
			return own.Reply{}, err
		}
		return own.OK(actView{Changed: !res.Unchanged, Payment: viewPayment(res.Payment)})
	}
}

func (s *api) listPayments(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	var filter app.Filter
	return own.Answer(own.List(r, func(f *body.Fields) {
		filter.Text = strings.TrimSpace(f.Text("text", nameMax))
		filter.OrderID = f.Text("orderId", textMax)
		filter.State = escrow.State(f.OneOf("state", stateNames()...))
		filter.Method = escrow.Method(f.OneOf("method", methodNames()...))
		filter.Task, _ = f.Bool("task")
		if only, given := f.Bool("escrow"); given {
			filter.Escrow = &only
		}
	}, func(offset, limit int) ([]escrow.Payment, error) {
		rows, _, err := s.App.Payments(r.Context(), m.ID, filter, app.Order{By: "opened", Desc: true}, offset, limit)
		return rows, err
	}, viewPayment))
}

func stateNames() []string {
	var names []string
	for _, s := range escrow.States() {
		names = append(names, string(s))
	}
	return names
}

func (s *api) showPayment(r *http.Request) (own.Reply, error) {
	m, err := s.merchant(r)
	if err != nil {
		return own.Reply{}, err
	}
	p, err := s.App.Payment(r.Context(), m.ID, inPath(r, "payment"))
	if err != nil {
		return own.Reply{}, err
	}
	return own.OK(viewPayment(p))
}

// bounceMail records that a mail which a server took came back: its reader was
// not told. A mail is named as in its Message-ID, by merchant and mail with a
// dot between them.
func (s *api) bounceMail(r *http.Request) (own.Reply, error) {
	f, err := own.ReadBody(r)
	if err != nil {
		return own.Reply{}, err
	}
	f.Require("reason")
	reason := f.Lines("reason", reasonMax)
	if err := f.ErrStrict(); err != nil {
		return own.Reply{}, err
	}
	id := inPath(r, "mail")
	merchantID, mailID, _ := strings.Cut(id, ".")
	if err := s.App.Bounced(r.Context(), merchantID, mailID, reason); err != nil {
		return own.Reply{}, err
	}
	return own.OK(mailView{ID: id, State: app.MailBounced})
}

type mailView struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

type actView struct {
	Changed bool        `json:"changed"`
	Payment paymentView `json:"payment"`
}

type buyerView struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
}

type deadlineView struct {
	At       *string             `json:"at"`
	LastDay  bizday.Date         `json:"lastDay"`
	From     bizday.Date         `json:"from"`
	Days     int                 `json:"days"`
	Rule     escrow.DeadlineRule `json:"rule"`
	Calendar string              `json:"calendar"`
}

type decidedView struct {
	Verdict escrow.Verdict `json:"verdict"`
	Kind    string         `json:"kind"`
	Reason  string         `json:"reason"`
	At      *string        `json:"at"`
}

type holdView struct {
	By     escrow.Actor `json:"by"`
	Reason string       `json:"reason"`
	At     *string      `json:"at"`
}

type disputeView struct {
	Evidence string  `json:"evidence"`
	At       *string `json:"at"`
}

type parcelView struct {
	Carrier     string  `json:"carrier"`
	Number      string  `json:"number"`
	SeenAt      *string `json:"seenAt"`
	DeliveredAt *string `json:"deliveredAt"`
}

type deliveryView struct {
	Parcels      []parcelView `json:"parcels"`
	Trackable    bool         `json:"trackable"`
	SentAt       *string      `json:"sentAt"`
	RegisteredAt *string      `json:"registeredAt"`
	DeliveredAt  *string      `json:"deliveredAt"`
}

type depositView struct {
	BankTx   string                `json:"bankTx"`
	Amount   money.Won             `json:"amount"`
	At       *string               `json:"at"`
	Outcome  escrow.DepositOutcome `json:"outcome"`
	Reversed bool                  `json:"reversed"`
}

type refundView struct {
	ID        string             `json:"id"`
	Amount    money.Won          `json:"amount"`
	State     escrow.RefundState `json:"state"`
	Reason    string             `json:"reason"`
	At        *string            `json:"at"`
	SentAt    *string            `json:"sentAt"`
	FailedFor string             `json:"failedFor"`
}

type paymentView struct {
	ID          string         `json:"id"`
	OrderID     string         `json:"orderId"`
	Name        string         `json:"name"`
	State       escrow.State   `json:"state"`
	Status      escrow.Status  `json:"status"`
	Escrow      bool           `json:"escrow"`
	Grounds     escrow.Grounds `json:"grounds"`
	Method      escrow.Method  `json:"method"`
	Amount      money.Won      `json:"amount"`
	Refunded    money.Won      `json:"refunded"`
	Held        money.Won      `json:"held"`
	Suspended   money.Won      `json:"suspended"`
	Buyer       buyerView      `json:"buyer"`
	OpenedAt    *string        `json:"openedAt"`
	PaidAt      *string        `json:"paidAt"`
	ConfirmedAt *string        `json:"confirmedAt"`
	CancelledAt *string        `json:"cancelledAt"`
	UpdatedAt   *string        `json:"updatedAt"`
	Notice      string         `json:"notice"`
	Deadline    *deadlineView  `json:"deadline"`
	Decided     *decidedView   `json:"decided"`
	Hold        *holdView      `json:"hold"`
	Dispute     *disputeView   `json:"dispute"`
	Delivery    *deliveryView  `json:"delivery"`
	Deposits    []depositView  `json:"deposits"`
	Refunds     []refundView   `json:"refunds"`
	Tasks       []escrow.Task  `json:"tasks"`
	Version     int64          `json:"version"`
}

func viewPayment(p escrow.Payment) paymentView {
	v := paymentView{
		ID: p.ID, OrderID: p.OrderID, Name: p.Name, State: p.State, Status: p.Status(), Escrow: p.Escrow, Grounds: p.Grounds, Method: p.Method,
		Amount: p.Amount, Refunded: p.Refunded, Held: p.HeldAmount(), Suspended: p.Suspended, Buyer: buyerView{p.Buyer.Name, p.Buyer.Email, p.Buyer.Phone},
		OpenedAt: moment(p.OpenedAt), PaidAt: moment(p.PaidAt), ConfirmedAt: moment(p.ConfirmedAt), CancelledAt: moment(p.CancelledAt),
		UpdatedAt: moment(p.UpdatedAt), Notice: string(p.Notice), Delivery: viewDelivery(p.Delivery), Deposits: []depositView{}, Refunds: []refundView{},
		Tasks: append([]escrow.Task{}, p.Tasks...), Version: p.Version,
	}
	if d := p.Deadline; d != nil {
		v.Deadline = &deadlineView{moment(d.At), d.LastDay, d.From, d.Days, d.Rule, d.Calendar}
	}
	if d := p.Decided; d != nil {
		v.Decided = &decidedView{d.Verdict, string(d.Kind), d.Reason, moment(d.At)}
	}
	if h := p.Hold; h != nil {
		v.Hold = &holdView{h.By, h.Reason, moment(h.At)}
	}
	if d := p.Dispute; d != nil {
		v.Dispute = &disputeView{d.Evidence, moment(d.At)}
	}
	for _, d := range p.Deposits {
		v.Deposits = append(v.Deposits, depositView{d.BankTx, d.Amount, moment(d.At), d.Outcome, d.Reversed})
	}
	for _, r := range p.Refunds {
		v.Refunds = append(v.Refunds, refundView{r.ID, r.Amount, r.State, r.Reason, moment(r.At), moment(r.SentAt), r.FailedFor})
	}
	return v
}

func viewDelivery(d *escrow.Delivery) *deliveryView {
	if d == nil {
		return nil
	}
	v := &deliveryView{Parcels: []parcelView{}, Trackable: d.Trackable, SentAt: moment(d.SentAt), RegisteredAt: moment(d.RegisteredAt), DeliveredAt: moment(d.DeliveredAt)}
	for _, p := range d.Parcels {
		v.Parcels = append(v.Parcels, parcelView{p.Carrier, p.Number, moment(p.Seen), moment(p.DeliveredAt)})
	}
	return v
}
