// Package verify is the public page that shows whether a shop has joined the
// escrow service: for which methods, since when, and who provides it.
//
// A shop must show a link to such a page on its start page and where buyers
// choose how to pay (KFTC notice on the display of purchase safety services, in
// force since 2007-09-01; Act on Consumer Protection in Electronic Commerce,
// art. 24). The page takes the shop's public code, the one in IMP.init, and
// says only what a buyer may know. It reads and changes nothing.
package verify

import (
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/letter"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

//go:embed all:pages
var files embed.FS

var site = ui.NewSite(ui.Source{Pages: mustSub(), Words: words})

func mustSub() fs.FS {
	pages, err := fs.Sub(files, "pages")
	if err != nil {
		panic("verify: " + err.Error())
	}
	return pages
}

// Prefix is where the handler is mounted.
const Prefix = "/verify/"

// maxCode bounds a shop's public code, in bytes.
const maxCode = 40

// server answers for the page.
type server struct {
	app      *app.App
	operator letter.Operator
	log      *slog.Logger
}

// New returns the handler of the page; mount it at [Prefix].
func New(a *app.App, operator letter.Operator, log *slog.Logger) http.Handler {
	site.Ready()
	s := &server{app: a, operator: operator, log: log}
	r := chi.NewRouter()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		r.Method(method, Prefix+"{code}", http.HandlerFunc(s.show))
	}
	r.NotFound(s.unknown)
	return r
}

// screen is what the page shows.
type screen struct {
	Shop     string
	Business string // registration number; empty when the shop has not given one
	Joined   []joined
	Operator letter.Operator
	Asked    time.Time
}

// joined is one method of payment that the contract covers.
type joined struct {
	Method escrow.Method
	Since  bizday.Date
}

func (s *server) show(w http.ResponseWriter, r *http.Request) {
	code := chi.URLParam(r, "code")
	if len(code) > maxCode {
		s.unknown(w, r)
		return
	}
	m, err := s.app.ByCode(r.Context(), code)
	var no *escrow.Refusal
	switch {
	case errors.As(err, &no):
		s.unknown(w, r)
		return
	case err != nil:
		s.log.Error("verify a shop", "error", err)
		s.plain(w, r, http.StatusServiceUnavailable, "error.title", "error.again")
		return
	}
	ui.Remember(w, r)
	site.Render(w, r, http.StatusOK, "verify", ui.Page{
		Title: site.Say(ui.Language(r), "title"), Owner: m.Name, Test: m.Mode == merchant.Sandbox,
		Data: screen{Shop: m.Name, Business: m.BusinessNo, Joined: contracts(&m), Operator: s.operator, Asked: s.app.Real()},
	})
}

// contracts lists the methods that are covered, in the order of their names.
func contracts(m *merchant.Merchant) []joined {
	var out []joined
	for method, c := range m.Contracts {
		if c.State == merchant.InForce && m.Offers(method) {
			out = append(out, joined{Method: method, Since: bizday.DateOf(c.Since)})
		}
	}
	slices.SortFunc(out, func(a, b joined) int { return strings.Compare(string(a.Method), string(b.Method)) })
	return out
}

func (s *server) unknown(w http.ResponseWriter, r *http.Request) {
	s.plain(w, r, http.StatusNotFound, "unknown.title", "unknown.say")
}

func (s *server) plain(w http.ResponseWriter, r *http.Request, status int, title, say string) {
	lang := ui.Language(r)
	site.Render(w, r, status, "plain", ui.Page{Title: site.Say(lang, title), Data: []string{site.Say(lang, title), site.Say(lang, say)}})
}
