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
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
)

// opened is the answer to a request for a window.
type opened struct {
	URL         string `json:"url"` // relative to this server
	ImpUID      string `json:"imp_uid"`
	MerchantUID string `json:"merchant_uid"`
}

// Limits of what the script adds to the shop's parameters.
const (
	codeMax      = 64
	nonceMax     = 64
	userAgentMax = 255
)

// asked is a request for a window as it was read.
type asked struct {
	code, nonce      string
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
	reply(w, http.StatusTooManyRequests, wirev1.RefusedCallback("", wirev1.ErrorTooMany, site.Say(ui.Language(r), "refused.toomany")))
}

// refused is a request for a window that is answered with no.
type refused struct {
	status int
	code   wirev1.ErrorCode
	key    string // of the sentence that says why
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
		var done opened
		if done, err = h.begin(r, origin, ask); err == nil {
			reply(w, http.StatusOK, done)
			return
		}
	}
	status, code, message := h.explain(r, ask.lang, err)
	reply(w, status, wirev1.RefusedCallback(ask.orderID, code, message))
}

func readAsked(w http.ResponseWriter, r *http.Request) (asked, error) {
	ask := asked{lang: ui.Korean}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, openBodyMax))
	if err != nil {
		return ask, &refused{http.StatusRequestEntityTooLarge, wirev1.ErrorInvalid, "refused.toolarge"}
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
	f.Require("code")
	ask.code, ask.nonce = f.Text("code", codeMax), f.Ident("nonce", nonceMax)
	f.Text("tier", codeMax) // a sub-shop of an agency; Holdfast has none
	ask.mobile, _ = f.Bool("mobile")
	ask.redirect, _ = f.Bool("redirect")
	ask.params = f.Object("params")
	ask.orderID = ask.params.Text("merchant_uid", userAgentMax)
	if language := ask.params.Text("language", codeMax); language != "" && language != string(ui.Korean) {
		ask.lang = ui.English
	}
	return ask, nil
}

func (h *window) begin(r *http.Request, origin string, ask asked) (opened, error) {
	if err := ask.params.Err(); err != nil {
		return opened{}, err
	}
	shop, err := h.App.ByCode(r.Context(), ask.code)
	if err != nil {
		return opened{}, unknownShop(err)
	}
	now := h.App.MerchantNow(&shop)
	request := wirev1.TakeRequestPay(ask.params)
	if err := ask.params.Err(); err != nil {
		return opened{}, err
	}
	if err := mayOpen(&shop, origin, request.RedirectURL); err != nil {
		return opened{}, err
	}
	if !request.Due.IsZero() && !request.Due.After(now) {
		return opened{}, &refused{http.StatusBadRequest, wirev1.ErrorInvalid, "refused.due"}
	}
	begin := ask.opening(request, now, r.UserAgent())
	if !shop.Offers(begin.Method) {
		return opened{}, &refused{http.StatusBadRequest, wirev1.ErrorMethod, "refused.method"}
	}
	p, err := h.App.Open(r.Context(), escrow.Shop, shop.ID, begin)
	if err != nil {
		return opened{}, err
	}
	return h.admitted(&shop, p, request.Due, origin, ask), nil
}

// opening is the command that begins the payment, with the defaults that
// PortOne's script has for what a shop leaves out.
func (a asked) opening(request wirev1.RequestPay, now time.Time, userAgent string) escrow.Open {
	if request.OrderID == "" {
		request.OrderID = wirev1.OrderIDOf(now)
	}
	if request.Method == "" {
		request.Method = escrow.Card
	}
	if request.Name == "" {
		request.Name = request.OrderID
	}
	open := request.Open()
	open.Device, open.UserAgent = "pc", cut(userAgent, userAgentMax)
	if a.mobile {
		open.Device = "mobile"
	}
	return open
}

// admitted hands out the ticket of a new payment.
func (h *window) admitted(shop *merchant.Merchant, p escrow.Payment, due time.Time, origin string, ask asked) opened {
	t := ticket{
		Merchant: shop.ID, Payment: p.ID, Nonce: ask.nonce, Redirects: ask.redirect && p.RedirectURL != "",
		Until: h.App.MerchantNow(shop).Add(windowLife).Unix(),
	}
	if namesPage(origin) {
		t.Origin = origin
	}
	if !due.IsZero() {
		t.Due = due.Unix()
	}
	return opened{URL: "/pay/" + t.sealed(h.Secret), ImpUID: p.ID, MerchantUID: p.OrderID}
}

func unknownShop(err error) error {
	var no *escrow.Refusal
	if errors.As(err, &no) {
		return &refused{http.StatusNotFound, wirev1.ErrorShop, "refused.shop"}
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
		return &refused{http.StatusForbidden, wirev1.ErrorOrigin, "refused.origin"}
	}
	if redirect != "" && !slices.Contains(shop.Origins, strings.Join(originsOf(redirect), "")) {
		return &refused{http.StatusForbidden, wirev1.ErrorOrigin, "refused.redirect"}
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
func (h *window) explain(r *http.Request, lang ui.Lang, err error) (int, wirev1.ErrorCode, string) {
	var (
		plain    *refused
		unread   *unreadable
		problems body.Problems
		no       *escrow.Refusal
	)
	switch {
	case errors.As(err, &plain):
		return plain.status, plain.code, site.Say(lang, plain.key)
	case errors.As(err, &unread):
		return http.StatusBadRequest, wirev1.ErrorInvalid, site.Say(lang, "refused.request", inLang(lang, unread.reason.Korean, unread.reason.English))
	case errors.As(err, &problems):
		return http.StatusBadRequest, wirev1.ErrorInvalid, site.Say(lang, "refused.request", inLang(lang, problems.Korean(), problems.English()))
	case errors.As(err, &no):
		return http.StatusConflict, codeOf(no), sentence(lang, no)
	}
	h.Log.ErrorContext(r.Context(), "payment window not opened", "error", err)
	return http.StatusServiceUnavailable, wirev1.ErrorUnavailable, site.Say(lang, "error.again")
}

func inLang(l ui.Lang, korean, english string) string { return ui.Text{Ko: korean, En: english}.In(l) }

func codeOf(no *escrow.Refusal) wirev1.ErrorCode {
	switch no.Code {
	case escrow.AlreadyPaid:
		return wirev1.ErrorPaid
	case app.PreparedDiffers:
		return wirev1.ErrorPrepared
	case app.MethodNotOffered:
		return wirev1.ErrorMethod
	case escrow.EscrowUnavailable:
		return wirev1.ErrorEscrow
	default:
		return wirev1.ErrorInvalid
	}
}

func cut(s string, limit int) string {
	runes := []rune(strings.ToValidUTF8(s, ""))
	return string(runes[:min(limit, len(runes))])
}
