package decide

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

// visit is one request of a buyer whose link is good.
type visit struct {
	r     *http.Request // in the buyer's language
	token string
	lang  ui.Lang
	p     escrow.Payment
	m     merchant.Merchant
	now   time.Time // the merchant's clock
}

// errGone says that the purchase has been over for longer than keep.
var errGone = errors.New("the link has run out")

// visit finds the payment of the request's link.
func (s *server) visit(r *http.Request) (visit, error) {
	token, ok := tokenOf(r)
	if !ok {
		return visit{}, &escrow.Refusal{Code: escrow.NotFound, Reason: "there is no such link"}
	}
	p, err := s.app.ByDecisionToken(r.Context(), token)
	if err != nil {
		return visit{}, err
	}
	return s.visitOf(r, token, p)
}

func (s *server) visitOf(r *http.Request, token string, p escrow.Payment) (visit, error) {
	m, err := s.app.Merchant(r.Context(), p.Merchant)
	if err != nil {
		return visit{}, err
	}
	r = speaking(r, p.English)
	v := visit{r: r, token: token, lang: ui.Language(r), p: p, m: m, now: s.app.MerchantNow(&m)}
	if over := overSince(&p); !over.IsZero() && v.now.After(over.Add(keep)) {
		return visit{}, errGone
	}
	return v, nil
}

// speaking puts the payment's language into a request that asks for none.
func speaking(r *http.Request, english bool) *http.Request {
	query := r.URL.Query()
	if _, asked := ui.ParseLang(query.Get("lang")); asked {
		return r
	}
	query.Set("lang", string(ui.Korean))
	if english {
		query.Set("lang", string(ui.English))
	}
	r = r.Clone(r.Context())
	r.URL.RawQuery = query.Encode()
	return r
}

// overSince is when nothing was left to do for the buyer; zero while there is.
func overSince(p *escrow.Payment) time.Time {
	if waitingRefund(p) != nil || p.HasTask(escrow.TaskWithdrawal) {
		return time.Time{}
	}
	switch p.State {
	case escrow.Confirmed:
		return p.ConfirmedAt
	case escrow.Cancelled, escrow.RejectionAccepted: // accepted ones are over once the money is the buyer's
		return p.CancelledAt
	case escrow.Failed:
		return p.FailedAt
	case escrow.Opened, escrow.AwaitingDeposit, escrow.Paid, escrow.Held, escrow.Shipped, escrow.Delivered, escrow.Rejected:
	}
	return time.Time{}
}

// at is the address of the page, or of one of its acts, in the visit's language.
func (v *visit) at(act string, more ...string) string {
	path := Prefix + v.token
	if act != "" {
		path += "/" + act
	}
	query := url.Values{"lang": {string(v.lang)}}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return path + "?" + query.Encode()
}

// show answers GET and HEAD: the page as it is.
func (s *server) show(w http.ResponseWriter, r *http.Request) {
	v, err := s.visit(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.page(w, &v, http.StatusOK, &form{}, s.done(&v))
}

// page renders a payment's page.
func (s *server) page(w http.ResponseWriter, v *visit, status int, f *form, said *flash) {
	scr, err := s.screen(v.r.Context(), v, f)
	if err != nil {
		s.failed(w, v.r, err)
		return
	}
	scr.Flash = said
	site.Render(w, v.r, status, "decide", ui.Page{
		Title: scr.Title, Owner: v.m.Name, Test: v.m.Mode == merchant.Sandbox, Styles: []string{assets.Path("decide.css")}, Data: scr,
	})
}

// failed answers a request that came to no page.
func (s *server) failed(w http.ResponseWriter, r *http.Request, err error) {
	var no *escrow.Refusal
	switch {
	case errors.Is(err, errGone):
		s.plain(w, r, http.StatusGone, "gone")
	case errors.As(err, &no) && no.Code == escrow.NotFound:
		s.unknown(w, r)
	case app.IsUnavailable(err), errors.Is(err, context.DeadlineExceeded):
		w.Header().Set("Retry-After", "5")
		s.plain(w, r, http.StatusServiceUnavailable, "unavailable")
	case errors.Is(err, context.Canceled): // the buyer has gone
	default:
		s.log.ErrorContext(r.Context(), "decision page failed", "error", err)
		s.plain(w, r, http.StatusInternalServerError, "fault")
	}
}

// plain renders a page that only says something: a heading and a text.
func (s *server) plain(w http.ResponseWriter, r *http.Request, status int, key string) {
	lang := ui.Language(r)
	site.Render(w, r, status, "plain", ui.Page{Title: site.Say(lang, key+".title"), Data: map[string]any{
		"Title": site.Say(lang, key+".title"), "Text": site.Say(lang, key+".text"), "Operator": s.operator,
	}})
}

// unknown is the page of a link that opens nothing.
func (s *server) unknown(w http.ResponseWriter, r *http.Request) {
	lang := ui.Language(r)
	action := ""
	if token, ok := tokenOf(r); ok {
		action = Prefix + token + "/resend?lang=" + string(lang)
	}
	site.Render(w, r, http.StatusNotFound, "unknown", ui.Page{Title: site.Say(lang, "unknown.title"), Data: map[string]any{
		"Action": action, "Operator": s.operator,
	}})
}

// foreign refuses a form that came from another site.
func (s *server) foreign(w http.ResponseWriter, r *http.Request) {
	s.plain(w, r, http.StatusForbidden, "foreign")
}

// busy refuses what exceeds a limit.
func (s *server) busy(w http.ResponseWriter, r *http.Request, of limit) {
	w.Header().Set("Retry-After", strconv.Itoa(int(of.window.Seconds())))
	s.plain(w, r, http.StatusTooManyRequests, "busy")
}

// resend mails the newest link to the buyer's own address. What it answers
// does not depend on whether there is one.
func (s *server) resend(w http.ResponseWriter, r *http.Request) {
	token, ok := tokenOf(r)
	allowed := s.limits.take("resend address "+address(r), resendsByAddr) && s.limits.take("resend link "+token, resendsByLink)
	if !allowed {
		s.busy(w, r, resendsByLink)
		return
	}
	if ok {
		var no *escrow.Refusal
		if err := s.app.RenewByToken(r.Context(), token); err != nil && !errors.As(err, &no) {
			s.failed(w, r, err)
			return
		}
	}
	s.plain(w, r, http.StatusOK, "resent")
}
