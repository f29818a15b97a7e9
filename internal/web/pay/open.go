package pay

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

// Limits of what the script adds to the shop's parameters.
const (
	codeMax      = 64
	nonceMax     = 64
	userAgentMax = 255
)

// asked is a request for a window as it was read.
type asked struct {
	dialect          dialect
	shop, nonce      string // shop is its public code
	mobile, redirect bool
	params           *body.Fields
	orderID          string // as it was sent, for the answer
	lang             ui.Lang
}

// preflight allows pages of other origins to post here. The script itself needs
// no permission; a shop's own code may.
func (h *window) preflight(w http.ResponseWriter, r *http.Request) {
	allowOrigin(w, r.Header.Get("Origin"))
	w.Header().Set("Access-Control-Allow-Methods", "POST")
	w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
	w.WriteHeader(http.StatusNoContent)
}

// allowOrigin lets the page that asked read the answer. No cookies are involved.
func allowOrigin(w http.ResponseWriter, origin string) {
	w.Header().Add("Vary", "Origin")
	if origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
}

// reply writes an answer to a script.
func reply(w http.ResponseWriter, status int, answer any) {
	raw, err := json.Marshal(answer)
	if err != nil {
		panic("pay: an answer is always JSON: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the reader has gone; nobody is left to tell
}

func (h *window) tooMany(w http.ResponseWriter, r *http.Request) {
	allowOrigin(w, r.Header.Get("Origin"))
	reply(w, http.StatusTooManyRequests, spoken(r).refused("", tooOften, site.Say(ui.Language(r), "refused.toomany")))
}

// refused is a request for a window that is answered with no.
type refused struct {
	status int
	why    trouble
	key    string // of the sentence that says why
	field  string // at fault, in V1's name; empty if the sentence has no place for one
}

// Error returns the sentence's key.
func (r *refused) Error() string { return r.key }

// unreadable is a request that could not be read at all.
type unreadable struct{ reason body.Reason }

// Error returns the reason.
func (u *unreadable) Error() string { return u.reason.English }

// open begins a payment and answers with the address of its window.
func (h *window) open(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	allowOrigin(w, origin)
	ask, err := readAsked(w, r)
	if err == nil {
		var done any
		if done, err = h.begin(r, origin, ask); err == nil {
			reply(w, http.StatusOK, done)
			return
		}
	}
	status, why, message := h.explain(r, ask, err)
	reply(w, status, ask.dialect.refused(ask.orderID, why, message))
}

func readAsked(w http.ResponseWriter, r *http.Request) (asked, error) {
	ask := asked{dialect: spoken(r), lang: ui.Korean}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, openBodyMax))
	if err != nil {
		return ask, &refused{http.StatusRequestEntityTooLarge, badRequest, "refused.toolarge", ""}
	}
	value, err := body.Parse(raw)
	var syntax *body.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return ask, &unreadable{syntax.Reason}
	case err != nil:
		return ask, &unreadable{body.ReasonNotDocument}
	}
	f := value.Fields()
	ask.nonce = f.Ident("nonce", nonceMax)
	ask.mobile, _ = f.Bool("mobile")
	ask.redirect, _ = f.Bool("redirect")
	ask.params = f.Object("params")
	ask.dialect.about(f, ask.params, &ask)
	return ask, nil
}

func (h *window) begin(r *http.Request, origin string, ask asked) (any, error) {
	if err := ask.params.Err(); err != nil {
		return nil, err
	}
	shop, err := ask.dialect.shop(r.Context(), h.App, ask.shop)
	if err != nil {
		return nil, unknownShop(err)
	}
	now := h.App.MerchantNow(&shop)
	want := ask.dialect.take(ask.params, now)
	if err := ask.params.Err(); err != nil {
		return nil, err
	}
	if err := mayOpen(&shop, origin, want.open.RedirectURL); err != nil {
		return nil, err
	}
	if err := possible(&shop, want, now); err != nil {
		return nil, err
	}
	want.open.Device, want.open.UserAgent = "pc", cut(r.UserAgent(), userAgentMax)
	if ask.mobile {
		want.open.Device = "mobile"
	}
	p, err := h.App.Open(r.Context(), escrow.Shop, shop.ID, want.open)
	if err != nil {
		return nil, err
	}
	return ask.dialect.opened("/pay/"+h.admitted(&shop, &p, want.terms, origin, ask), &p), nil
}

// possible refuses what the shop itself could not be paid by.
func possible(shop *merchant.Merchant, want wanted, now time.Time) error {
	switch {
	case want.terms.Due != 0 && want.terms.Due <= now.Unix():
		return &refused{http.StatusBadRequest, badRequest, "refused.due", "vbank_due"}
	case want.channel != "" && want.channel != shop.ChannelKey:
		return &refused{http.StatusNotFound, badChannel, "refused.channel", ""}
	case !shop.Offers(want.open.Method):
		return &refused{http.StatusBadRequest, badMethod, "refused.method", "pay_method"}
	}
	return nil
}

// admitted is the ticket of a new payment.
func (h *window) admitted(shop *merchant.Merchant, p *escrow.Payment, agreed terms, origin string, ask asked) string {
	t := ticket{
		Merchant: shop.ID, Payment: p.ID, Nonce: ask.nonce, Redirects: ask.redirect && p.RedirectURL != "",
		Manual: p.V2 && shop.Profile.ManualApproval,
		Until:  h.App.MerchantNow(shop).Add(windowLife).Unix(), terms: agreed,
	}
	if namesPage(origin) {
		t.Origin = origin
	}
	return t.sealed(h.Secret)
}

func unknownShop(err error) error {
	var no *escrow.Refusal
	if errors.As(err, &no) {
		return &refused{http.StatusNotFound, badShop, "refused.shop", "code"}
	}
	return err
}

// mayOpen refuses pages, and return addresses, that the shop has not
// registered. A sandbox shop that registered none may open from anywhere.
func mayOpen(shop *merchant.Merchant, origin, redirect string) error {
	if len(shop.Origins) == 0 && shop.Mode == merchant.Sandbox {
		return nil
	}
	if !slices.Contains(shop.Origins, origin) {
		return &refused{http.StatusForbidden, badOrigin, "refused.origin", ""}
	}
	if redirect != "" && !slices.Contains(shop.Origins, strings.Join(originsOf(redirect), "")) {
		return &refused{http.StatusForbidden, badOrigin, "refused.redirect", "m_redirect_url"}
	}
	return nil
}

// namesPage reports whether an Origin header names a page; "null" does not.
func namesPage(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Path == "" && !strings.ContainsAny(origin, " ;,'")
}

// explain turns a refusal into an answer for the shop's page; a fault is logged
// and only said to have happened.
func (h *window) explain(r *http.Request, ask asked, err error) (int, trouble, string) {
	var (
		plain    *refused
		unread   *unreadable
		problems body.Problems
		no       *escrow.Refusal
	)
	lang := ask.lang
	switch {
	case errors.As(err, &plain) && plain.field != "":
		return plain.status, plain.why, site.Say(lang, plain.key, ask.dialect.field(plain.field))
	case errors.As(err, &plain):
		return plain.status, plain.why, site.Say(lang, plain.key)
	case errors.As(err, &unread):
		return http.StatusBadRequest, badRequest, site.Say(lang, "refused.request", inLang(lang, unread.reason.Korean, unread.reason.English))
	case errors.As(err, &problems):
		return http.StatusBadRequest, badRequest, site.Say(lang, "refused.request", inLang(lang, problems.Korean(), problems.English()))
	case errors.As(err, &no):
		return http.StatusConflict, troubleOf(no), sentence(ask.dialect, lang, no)
	}
	h.Log.ErrorContext(r.Context(), "payment window not opened", "error", err)
	return http.StatusServiceUnavailable, unavailable, site.Say(lang, "error.again")
}

func inLang(l ui.Lang, korean, english string) string { return ui.Text{Ko: korean, En: english}.In(l) }

func troubleOf(no *escrow.Refusal) trouble {
	switch no.Code {
	case escrow.AlreadyPaid:
		return paidAlready
	case app.PreparedDiffers:
		return notPrepared
	case app.MethodNotOffered:
		return badMethod
	case escrow.EscrowUnavailable:
		return noEscrow
	default:
		return badRequest
	}
}

func cut(s string, limit int) string {
	runes := []rune(strings.ToValidUTF8(s, ""))
	return string(runes[:min(limit, len(runes))])
}
