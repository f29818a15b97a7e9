package console

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

// visit is one request of one person.
type visit struct {
	c     *console
	w     http.ResponseWriter
	r     *http.Request
	lang  ui.Lang
	staff *app.Staff
	m     merchant.Merchant
	now   time.Time // the merchant's clock
}

func (v *visit) say(key string, args ...any) string { return site.Say(v.lang, key, args...) }

func (v *visit) english() bool { return v.lang == ui.English }

// open serves a page that needs no sign-in.
func (c *console) open(h func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ui.Remember(w, r)
		v := &visit{c: c, w: w, r: r, lang: ui.Language(r)}
		if err := h(v); err != nil {
			v.fail(err)
		}
	}
}

// page serves a page to a person who is signed in, and leads others to the
// sign-in and back.
func (c *console) page(h func(*visit) error) http.HandlerFunc {
	return c.open(func(v *visit) error {
		staff, err := c.person(v.r.Context())
		if err != nil {
			return err
		}
		if staff == nil {
			return v.toSignIn()
		}
		v.staff = staff
		if v.m, err = c.app.Merchant(v.r.Context(), staff.Merchant); err != nil {
			return err
		}
		v.now = c.app.MerchantNow(&v.m)
		return h(v)
	})
}

func (v *visit) toSignIn() error {
	if v.r.Method != http.MethodGet && v.r.Method != http.MethodHead {
		return v.to("/console/sign-in")
	}
	return v.to("/console/sign-in?next=" + url.QueryEscape(v.r.URL.RequestURI()))
}

// to leads to another page, which is then asked for by GET.
func (v *visit) to(path string) error {
	ui.Policy{}.Set(v.w.Header())
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// done leads to a page that says, once, what has been done.
func (v *visit) done(path, key string) error {
	v.c.sessions.Put(v.r.Context(), keyFlash, key)
	return v.to(path)
}

// frame is what every page behind the sign-in shows around its data.
type frame struct {
	Flash string // what has just been done
	Data  any
}

// tabs are the pages in the header.
var tabs = []struct{ key, to string }{
	{"nav.overview", "/console"}, {"nav.payments", "/console/payments"}, {"nav.settlements", "/console/settlements"}, {"nav.webhooks", "/console/webhooks"},
}

// render shows a page; here is the address of the tab that it belongs to.
func (v *visit) render(status int, here, page, title string, data any) error {
	p := ui.Page{
		Title: title, Wide: true, Test: v.m.Mode == merchant.Sandbox, Owner: v.m.Name, SignOut: "/console/sign-out",
		Styles: []string{assets.Path("console.css")}, Class: "console",
	}
	for _, t := range tabs {
		p.Nav = append(p.Nav, ui.Link{Text: v.say(t.key), To: t.to, Here: t.to == here})
	}
	f := frame{Data: data}
	if key := v.c.sessions.PopString(v.r.Context(), keyFlash); key != "" {
		f.Flash = v.say(key)
	}
	p.Data = f
	site.Render(v.w, v.r, status, page, p)
	return nil
}

// fail shows what a page that could not be shown comes to.
func (v *visit) fail(err error) {
	var no *escrow.Refusal
	switch {
	case errors.Is(err, errNotFound), errors.As(err, &no) && no.Code == escrow.NotFound:
		v.trouble(http.StatusNotFound, "error.notfound", "error.notfound.say")
	case errors.Is(err, errBadForm):
		v.trouble(http.StatusBadRequest, "error.form", "error.form.say")
	case app.IsUnavailable(err):
		v.c.log.ErrorContext(v.r.Context(), "a console page met a database that is not available", "path", v.r.URL.Path, "error", err)
		v.w.Header().Set("Retry-After", "1")
		v.trouble(http.StatusServiceUnavailable, "error.busy", "error.busy.say")
	default:
		v.c.log.ErrorContext(v.r.Context(), "a console page failed", "path", v.r.URL.Path, "error", err)
		v.trouble(http.StatusInternalServerError, "error.title", "error.console")
	}
}

// troublePage names a fault and what to do.
type troublePage struct{ Title, Say string }

func (v *visit) trouble(status int, title, say string) {
	site.Render(v.w, v.r, status, "trouble", ui.Page{Title: v.say(title), Data: troublePage{v.say(title), v.say(say)}, Styles: []string{assets.Path("console.css")}})
}

// crossOrigin answers a form that another site's page sent.
func (c *console) crossOrigin(w http.ResponseWriter, r *http.Request) {
	v := &visit{c: c, w: w, r: r, lang: ui.Language(r)}
	c.log.WarnContext(r.Context(), "a form from another site was refused", "path", r.URL.Path, "origin", r.Header.Get("Origin"))
	v.trouble(http.StatusForbidden, "error.cross", "error.cross.say")
}
