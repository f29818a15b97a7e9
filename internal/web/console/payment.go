package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/krcarrier"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// Bounds of what the page of one payment shows.
const (
	linesShown = 100
	owedShown  = 100 // mails, and webhooks
)

// paymentPage is one payment with everything that is known of it.
type paymentPage struct {
	P        escrow.Payment
	Now      time.Time
	Form     form            // the form that was sent and has to be filled in again
	Acts     map[string]bool // what the shop may do now
	WhyNot   string          // why the purchase cannot be cancelled now
	Steps    []step
	Deadline *working
	Parcels  []parcelView
	Lines    []app.SettlementLine
	Mails    []app.Mail
	Webhooks []app.Webhook
	Carriers []krcarrier.Carrier
	Banks    []krbank.Bank
	Tasks    []escrow.Task // those that a note closes
	Notes    []escrow.Task // those that the page does not tell of otherwise
}

// notes are the open tasks beside those that the page tells of at length.
func notes(p *escrow.Payment) []escrow.Task {
	return slices.DeleteFunc(slices.Clone(p.Tasks), func(t escrow.Task) bool {
		return t == escrow.TaskCancelAsked || t == escrow.TaskWithdrawal || t == escrow.TaskRejected || t == escrow.TaskDispute
	})
}

// Sheet is the form of an act: the one that was sent, or a fresh one.
func (p *paymentPage) Sheet(act string) sheet {
	if p.Form.Act == act {
		return sheet{form: p.Form, page: p}
	}
	return sheet{form: fresh(act, p.defaults(act)), page: p}
}

// sheet is a form with the page that it stands on.
type sheet struct {
	form
	page *paymentPage
}

// Page is the page around the form.
func (s sheet) Page() *paymentPage { return s.page }

// Open reports whether the form stands open because it was sent.
func (s sheet) Open() bool { return s.page.Form.Act == s.Act }

// Rows are the parcels of a delivery form: those that are registered and some
// empty ones.
func (s sheet) Rows() []string {
	n := parcelRows
	if d := s.page.P.Delivery; d != nil {
		n = max(n, len(d.Parcels))
	}
	rows := make([]string, n)
	for i := range rows {
		rows[i] = strconv.Itoa(i)
	}
	return rows
}

// Shown is how many rows of parcels stand open.
func (s sheet) Shown() int {
	n := 1
	for i := range s.Rows() {
		if s.Value("carrier"+strconv.Itoa(i)) != "" || s.Value("number"+strconv.Itoa(i)) != "" {
			n = max(n, i+1)
		}
	}
	return n
}

// parcelRows is how many parcels a first registration may have here.
const parcelRows = 5

// defaults are what stands in the fields of a fresh form.
func (p *paymentPage) defaults(act string) map[string]string {
	switch act {
	case actRegister:
		return map[string]string{"sent": bizday.DateOf(p.Now).String()}
	case actAmend:
		values := map[string]string{"sent": bizday.DateOf(p.P.Delivery.SentAt).String()}
		for i, parcel := range p.P.Delivery.Parcels {
			values["carrier"+strconv.Itoa(i)], values["number"+strconv.Itoa(i)] = parcel.Carrier, parcel.Number
		}
		return values
	case actCancel:
		return map[string]string{"amount": strconv.FormatInt(int64(p.P.Cancellable()), 10)}
	case actAgree:
		return map[string]string{"reason": p.P.CancelAskedFor}
	}
	return nil
}

// AccountNeeded reports whether a refund has nowhere to go yet.
func (p *paymentPage) AccountNeeded() bool {
	return p.P.Method == escrow.VirtualAccount && p.P.Payer.Number == ""
}

// Part reports whether a part may be given back.
func (p *paymentPage) Part() bool { return p.P.HeldAmount() == 0 }

// Waiting is what the refunds that have nowhere to go come to.
func (p *paymentPage) Waiting() (sum money.Won) {
	for _, r := range p.P.Refunds {
		if r.State == escrow.RefundAccountNeeded || r.State == escrow.RefundFailed {
			sum += r.Amount
		}
	}
	return sum
}

type parcelView struct {
	escrow.Parcel
	Page  string // the carrier's own page for it
	Doubt string // why the number may be mistyped
}

// working is the buyer's time with how it was counted.
type working struct {
	escrow.Deadline
	Projected bool // it would be so if the notice reached the buyer now
	Stays     bool // it was announced to the buyer and is later than the count
	Counted   []dayView
}

type dayView struct {
	Date   bizday.Date
	Number int
	Why    string
}

func (c *console) payment(v *visit) error {
	p, err := c.app.Payment(v.r.Context(), v.m.ID, chi.URLParam(v.r, "payment"))
	if err != nil {
		return err
	}
	return v.paymentPage(http.StatusOK, p, form{})
}

// paymentPage shows a payment, with a form that has to be filled in again.
func (v *visit) paymentPage(status int, p escrow.Payment, f form) error {
	page := &paymentPage{
		P: p, Now: v.now, Form: f, Acts: openActs(&p, &v.m), Carriers: krcarrier.All(), Banks: krbank.All(), Tasks: resolvable(&p), Notes: notes(&p),
	}
	if !page.Acts[actCancel] {
		page.WhyNot = v.whyNoCancel(&p)
	}
	page.Parcels = v.parcels(&p)
	if err := v.load(v.r.Context(), page); err != nil {
		return err
	}
	return v.render(status, "/console/payments", "payment", v.say("payment.title", p.OrderID), page)
}

// load reads what is kept about the payment elsewhere.
func (v *visit) load(ctx context.Context, page *paymentPage) error {
	p := page.P
	events, err := v.c.app.Events(ctx, p.Merchant, p.ID)
	if err != nil {
		return err
	}
	for _, e := range events {
		page.Steps = append(page.Steps, v.step(&p, e.Event))
	}
	if page.Deadline, err = v.deadline(ctx, &p); err != nil {
		return err
	}
	if page.Lines, err = v.c.app.Lines(ctx, p.Merchant, p.ID, "", 0, linesShown); err != nil {
		return err
	}
	if page.Mails, err = v.c.app.Mails(ctx, p.Merchant, p.ID, 0, owedShown); err != nil {
		return err
	}
	page.Webhooks, err = v.c.app.Webhooks(ctx, p.Merchant, app.WebhookFilter{Payment: p.ID}, 0, owedShown)
	return err
}

func (v *visit) parcels(p *escrow.Payment) []parcelView {
	if p.Delivery == nil {
		return nil
	}
	var out []parcelView
	for _, parcel := range p.Delivery.Parcels {
		view := parcelView{Parcel: parcel, Page: krcarrier.Page(parcel.Carrier, parcel.Number)}
		if d := krcarrier.Doubts(parcel.Carrier, parcel.Number); d != nil {
			view.Doubt = d.Korean
			if v.english() {
				view.Doubt = d.English
			}
		}
		out = append(out, view)
	}
	return out
}

// deadline explains the buyer's time by the calendar as it is now.
func (v *visit) deadline(ctx context.Context, p *escrow.Payment) (*working, error) {
	d, err := v.c.app.Projected(ctx, *p)
	if d == nil || err != nil {
		return nil, err
	}
	w := &working{Deadline: *d, Projected: p.Deadline == nil}
	why, err := v.c.app.Calendar().Explain(d.From, d.Days)
	if err != nil {
		return nil, err
	}
	w.Stays = why.Last != d.LastDay
	for _, day := range why.Days {
		view := dayView{Date: day.Date, Number: day.Number, Why: day.KoreanReason()}
		if v.english() {
			view.Why = day.Reason()
		}
		w.Counted = append(w.Counted, view)
	}
	return w, nil
}
