package pay

import (
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

//go:embed all:pages assets
var files embed.FS

var (
	assets = ui.NewAssets("/pay/assets/", folder("assets"))
	site   = ui.NewSite(ui.Source{Pages: folder("pages"), Words: words, Assets: assets})
)

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic("pay: " + err.Error())
	}
	return sub
}

// Config is what the window needs.
type Config struct {
	App *app.App
	Log *slog.Logger
	// Secret signs the tickets; at least 32 bytes, the same on every node.
	Secret []byte
	// OpensPerMinute bounds how many windows one network address may open at
	// one shop; 0 means 60. Accounts are issued on submit only.
	OpensPerMinute int
}

// The doors: one for each generation of the script.
const (
	openV1 = "/pay/v1/open"
	openV2 = "/pay/v2/open"
)

const (
	defaultOpens = 60
	// anyShop is how many times OpensPerMinute one address may open in all: the
	// Origin that tells shops apart is whatever the caller says.
	anyShop     = 10
	openBodyMax = 256 << 10 // bytes of a request for a window
	formMax     = 16 << 10  // bytes of a form of the window
)

// window answers everything under /pay/.
type window struct {
	Config
}

// New returns the window's handler; mount it at "/pay/". Requests for a window
// and for its end come from other sites by design, so it stands outside of any
// check for cross-origin posts; its forms carry their authority in the address.
func New(c Config) http.Handler {
	if c.OpensPerMinute == 0 {
		c.OpensPerMinute = defaultOpens
	}
	site.Ready()
	h := &window{Config: c}
	r := chi.NewRouter()
	r.Handle("/pay/assets/*", assets)
	r.Get("/pay/terms", h.terms)
	limit := h.limit() // of both doors together
	for _, door := range []string{openV1, openV2} {
		r.Options(door, h.preflight)
		r.With(limit...).Post(door, h.open)
	}
	r.Get("/pay/{ticket}", h.inWindow(h.show))
	r.Post("/pay/{ticket}", h.inWindow(h.choose))
	r.Get("/pay/{ticket}/approve", h.inWindow(h.showApproval))
	r.Post("/pay/{ticket}/approve", h.inWindow(h.approve))
	r.Post("/pay/{ticket}/cancel", h.inWindow(h.cancel))
	r.Post("/pay/{ticket}/close", h.close)
	r.Get("/pay/{ticket}/return", h.goBack)
	r.NotFound(h.notFound)
	return r
}

// limit bounds the windows that one address opens, in all and per shop page.
func (h *window) limit() chi.Middlewares {
	no := httprate.WithLimitHandler(h.tooMany)
	return chi.Middlewares{
		httprate.LimitBy(anyShop*h.OpensPerMinute, time.Minute, address, no),
		httprate.LimitBy(h.OpensPerMinute, time.Minute, opener, no),
	}
}

// address is the network address that a request came from.
func address(r *http.Request) (string, error) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return httprate.CanonicalizeIP(host), nil
}

// opener is who opens windows: a network address at one shop's page.
func opener(r *http.Request) (string, error) {
	from, err := address(r)
	return from + " " + r.Header.Get("Origin"), err
}

func (h *window) notFound(w http.ResponseWriter, r *http.Request) {
	h.message(w, r, http.StatusNotFound, "lost")
}

// message shows a page that knows nothing but its words.
func (h *window) message(w http.ResponseWriter, r *http.Request, status int, name string) {
	lang := ui.Language(r)
	site.Render(w, r, status, "message", ui.Page{
		Title: site.Say(lang, name+".title"), Lang: lang, Bare: true, Class: "window", Styles: []string{assets.Path("pay.css")}, Data: name,
	})
}

// visit is one request inside a window: who may, and what the payment is now.
type visit struct {
	ticket
	text string // the ticket as it stands in the address
	// token is what the buyer's last step gave, if the shop has to approve the payment.
	token string
	shop  merchant.Merchant
	pay   escrow.Payment
	now   time.Time // on the shop's clock
}

// admit reads a ticket and loads what it is for. A ticket that is not ours or
// names what is not there gives false.
func (h *window) admit(r *http.Request) (*visit, bool, error) {
	text := chi.URLParam(r, "ticket")
	t, ours := unseal(h.Secret, text)
	if !ours {
		return nil, false, nil
	}
	shop, err := h.App.Merchant(r.Context(), t.Merchant)
	if err != nil {
		return nil, false, unlessNotFound(err)
	}
	p, err := h.App.Payment(r.Context(), t.Merchant, t.Payment)
	if err != nil {
		return nil, false, unlessNotFound(err)
	}
	return &visit{ticket: t, text: text, shop: shop, pay: p, now: h.App.MerchantNow(&shop)}, true, nil
}

func unlessNotFound(err error) error {
	var no *escrow.Refusal
	if errors.As(err, &no) {
		return nil
	}
	return err
}

// inWindow admits holders of a ticket that has not ended.
func (h *window) inWindow(next func(http.ResponseWriter, *http.Request, *visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, formMax)
		v, found, err := h.admit(r)
		switch {
		case err != nil:
			h.fault(w, r, err)
		case !found:
			h.notFound(w, r)
		case v.over(v.now):
			h.expired(w, r, v)
		default:
			next(w, r, v)
		}
	}
}

// fault logs what went wrong and says only that something did.
func (h *window) fault(w http.ResponseWriter, r *http.Request, err error) {
	// Not the path: it is the authority to pay.
	h.Log.ErrorContext(r.Context(), "a payment window failed", "method", r.Method, "error", err)
	h.message(w, r, http.StatusServiceUnavailable, "broken")
}

// lang is the language that the shop asked for.
func (v *visit) lang() ui.Lang {
	if v.pay.English {
		return ui.English
	}
	return ui.Korean
}

// at is an address inside the window.
func (v *visit) at(tail string) string { return "/pay/" + v.text + tail }

// sandbox reports whether the window may simulate a bank.
func (v *visit) sandbox() bool { return v.shop.Mode == merchant.Sandbox }

// render shows a page of the window. Until the ticket ends the browser is asked
// to look again then, so that a forgotten window says that it is over.
func (h *window) render(w http.ResponseWriter, r *http.Request, v *visit, status int, name string, data any) {
	title := site.Say(v.lang(), "title."+name)
	site.Render(w, r, status, name, ui.Page{
		Title: title, Lang: v.lang(), Bare: true, Class: "window", Policy: v.policy(),
		Styles: []string{assets.Path("pay.css")}, Scripts: []string{assets.Path("pay.js")},
		Data: page{View: v.view(), Body: data},
	})
}

// policy lets the page that opened the window frame it, and nobody else; a
// window that redirects is never framed. Without a named page only a sandbox
// merchant gets here.
func (v *visit) policy() ui.Policy {
	if v.Redirects {
		return ui.Policy{FormActions: originsOf(v.pay.RedirectURL)}
	}
	if v.Origin == "" {
		return ui.Policy{FrameAncestors: []string{"*"}}
	}
	return ui.Policy{FrameAncestors: []string{v.Origin}}
}
