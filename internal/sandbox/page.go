package sandbox

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/krcarrier"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

//go:embed all:pages assets
var files embed.FS

var (
	assets = ui.NewAssets("/sandbox/assets/", folder("assets"))
	site   = ui.NewSite(ui.Source{Pages: folder("pages"), Words: pageWords, Assets: assets, Funcs: template.FuncMap{"state": stateKey, "when": when}})
)

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic("sandbox: " + err.Error())
	}
	return sub
}

// when shortens an instant of the API for the page, which is in Korean time anyway.
func when(at *string) string {
	if at == nil {
		return ""
	}
	t, err := time.Parse(time.RFC3339, *at)
	if err != nil {
		return *at
	}
	return ui.Stamp(t)
}

// stateKey is the key of a state's word.
func stateKey(state *string) string { return "state." + *state }

const (
	recentPayments = 20
	recentMails    = 20
)

// bench is what the page shows.
type bench struct {
	Said      string // of the last act
	Good      bool
	Now       time.Time
	NextDue   *time.Time
	Payments  []escrow.Payment
	ChosenID  string
	Chosen    escrow.Payment
	Life      *life
	May       may
	Stories   []bank.Story
	Mails     []app.Mail
	Mail      *app.Mail
	Scenarios []scenarioItem
	Played    *played
}

// may says which buttons make sense for a payment. The core decides all the same.
type may struct{ Deposit, Reverse, Ship, Deliver, Decide, Withdraw bool }

func mayOf(p *escrow.Payment) may {
	stays := func(d escrow.Deposit) bool { return d.Outcome == escrow.DepositHeld && !d.Reversed }
	return may{
		Deposit:  p.Account != nil,
		Reverse:  slices.ContainsFunc(p.Deposits, stays),
		Ship:     p.State == escrow.Held,
		Deliver:  p.State == escrow.Shipped && p.Delivery.Trackable,
		Decide:   p.State == escrow.Shipped || p.State == escrow.Delivered,
		Withdraw: p.State == escrow.Rejected,
	}
}

// showPage shows the page with one payment chosen, or none.
func (s *server) showPage(w http.ResponseWriter, r *http.Request) {
	ui.Remember(w, r)
	q := r.URL.Query()
	b := bench{ChosenID: q.Get("imp_uid")}
	if done := q.Get("done"); acts[done] != nil && done != actScenario {
		b.Said, b.Good = site.Say(ui.Language(r), "done."+done), true
	}
	s.render(w, r, http.StatusOK, b, q.Get("mail"))
}

// render fills in what every view of the page has.
func (s *server) render(w http.ResponseWriter, r *http.Request, status int, b bench, mailID string) {
	m := merchantOf(r.Context())
	if err := s.fill(r.Context(), m.ID, &b, mailID); err != nil {
		// What was chosen is not there; the rest of the page is.
		a := s.answerOf(r, err)
		status, b = a.status, bench{Said: a.in(ui.Language(r)).envelope.Message}
		if err := s.fill(r.Context(), m.ID, &b, ""); err != nil {
			s.answerOf(r, err).write(w)
			return
		}
	}
	site.Render(w, r, status, "bench", ui.Page{
		Title: site.Say(ui.Language(r), "sandbox.title"), Wide: true, Test: true, Owner: m.Name,
		Styles: []string{assets.Path("sandbox.css")}, Policy: ui.Policy{OwnFrames: true}, Data: b,
	})
}

func (s *server) fill(ctx context.Context, merchantID string, b *bench, mailID string) (err error) {
	b.Scenarios, b.Stories = scenarioItems(), []bank.Story{bank.Exact, bank.Over, bank.Under, bank.TooLate, bank.PaidTwo, bank.Repeated, bank.TakeBack}
	if b.Now, err = s.app.NowOf(ctx, merchantID); err != nil {
		return err
	}
	next, err := s.app.NextDue(ctx, merchantID)
	if err != nil {
		return err
	}
	if next.After(b.Now) {
		b.NextDue = &next
	}
	if b.Payments, _, err = s.app.Payments(ctx, merchantID, app.Filter{}, app.Order{By: "opened", Desc: true}, 0, recentPayments); err != nil {
		return err
	}
	if b.ChosenID != "" {
		if b.Chosen, err = s.app.Payment(ctx, merchantID, b.ChosenID); err != nil {
			return err
		}
		l, err := s.life(ctx, &b.Chosen)
		if err != nil {
			return err
		}
		b.Life, b.May = &l, mayOf(&b.Chosen)
	}
	if mailID != "" {
		mail, err := s.app.Mail(ctx, merchantID, mailID)
		if err != nil {
			return missingAs(err, "mail", reasonNoMail)
		}
		b.Mail = &mail
	}
	b.Mails, err = s.mails(ctx, merchantID, b.ChosenID, 0, recentMails)
	return err
}

// The acts of the page. Each is an operation of the API, given a form; shipping
// alone is the shop's own, which has its operation in the V1 API.
const (
	actPay      = "pay"
	actScenario = "scenario"
)

var acts = map[string]func(*server, context.Context, *call) (any, error){
	actPay: (*server).pay, "deposit": (*server).deposit, "reverse": (*server).reverse, "ship": (*server).ship, "deliver": (*server).directParcel,
	"decide": (*server).decide, "advance": (*server).advance, "bounce": (*server).bounce, actScenario: (*server).runScenario,
}

// actOnPage does what a button says and shows the page again.
func (s *server) actOnPage(w http.ResponseWriter, r *http.Request) {
	fields, err := readForm(w, r)
	if err != nil {
		s.sayNo(w, r, bench{}, unreadable(err))
		return
	}
	b := bench{ChosenID: fields.Ident("imp_uid", idMax)}
	name := fields.Text("act", idMax)
	act, known := acts[name]
	if !known {
		reason := body.NotOneOf(slices.Sorted(maps.Keys(acts))...)
		s.sayNo(w, r, b, said(http.StatusBadRequest, led("act", reason.Korean), led("act", reason.English)))
		return
	}
	unhurried(w)
	out, err := act(s, r.Context(), &call{r: r, m: merchantOf(r.Context()), f: fields})
	if err != nil {
		s.sayNo(w, r, b, s.answerOf(r, err))
		return
	}
	switch done := out.(type) {
	case played:
		b.Played = &done
		s.render(w, r, http.StatusOK, b, "")
		return
	case wirev1.Payment:
		b.ChosenID = done.ImpUID
	}
	to := url.Values{"done": {name}}
	if b.ChosenID != "" {
		to.Set("imp_uid", b.ChosenID)
	}
	http.Redirect(w, r, "/sandbox?"+to.Encode(), http.StatusSeeOther)
}

// sayNo shows the page with a refusal. A payment that does not exist is not chosen.
func (s *server) sayNo(w http.ResponseWriter, r *http.Request, b bench, a answer) {
	b.Said = a.in(ui.Language(r)).envelope.Message
	var no *escrow.Refusal
	if _, err := s.app.Payment(r.Context(), merchantOf(r.Context()).ID, b.ChosenID); errors.As(err, &no) {
		b.ChosenID = ""
	}
	s.render(w, r, a.status, b, "")
}

// readForm reads a form of the page. Fields left empty were not filled in.
func readForm(w http.ResponseWriter, r *http.Request) (*body.Fields, error) {
	v, err := read(w, r)
	if err != nil {
		return nil, err
	}
	return v.WithoutBlanks().Fields(), nil
}

// ship registers a delivery with an invented number, so that the page can play
// a whole life without the shop.
func (s *server) ship(ctx context.Context, c *call) (any, error) {
	company := c.f.OneOf("company", "CJGLS", wirev1.CarrierETC)
	p, err := s.payment(ctx, c)
	if err != nil {
		return nil, err
	}
	now, err := s.app.NowOf(ctx, c.m.ID)
	if err != nil {
		return nil, err
	}
	code := wirev1.CarrierOf(company)
	res, err := s.app.Do(ctx, escrow.Shop, c.m.ID, p.ID, escrow.RegisterDelivery{
		Parcels: []escrow.Parcel{{Carrier: code, Number: ident.Digits(12)}}, Trackable: krcarrier.Trackable(code), SentAt: now, SendEmail: true,
	})
	return res, err
}
