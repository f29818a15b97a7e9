package console

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/password"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

//go:embed all:pages assets
var files embed.FS

var assets = ui.NewAssets("/console/assets/", folder("assets"))

var site = ui.NewSite(ui.Source{Pages: folder("pages"), Words: words, Assets: assets, Funcs: funcs})

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic("console: " + err.Error()) // the folder is part of the program
	}
	return sub
}

// Config is how the console is served.
type Config struct {
	// Secure says that browsers reach the server by https, so that cookies are
	// bound to it.
	Secure bool
}

// HashPassword returns what app.AddStaff stores of a password.
func HashPassword(text string) (string, error) { return password.Hash(text) }

// Bounds on tries to sign in. They are counted per process.
const (
	triesPerPerson  = 10
	triesPerAddress = 60
	triesWindow     = 5 * time.Minute
)

type console struct {
	app      *app.App
	log      *slog.Logger
	sessions *scs.SessionManager
	persons  tries
	origins  tries
}

// tries bounds failed sign-ins by key. A try counts from its beginning, so that
// many at once are bounded too, and is given back when it succeeds.
type tries struct{ *httprate.RateLimiter }

func newTries(most int) tries {
	return tries{httprate.NewRateLimiter(most, triesWindow, httprate.WithLimitCounter(httprate.NewLocalLimitCounter(triesWindow)))}
}

// giveBack takes back a try that succeeded.
func (t tries) giveBack(key string) error {
	// A counter that is handed in has its windows on the wall clock.
	return t.Counter().IncrementBy(key, time.Now().UTC().Truncate(triesWindow), -1) //nolint:forbidigo // a limit's window, not a business instant
}

// New returns the pages. They route by whole paths that begin with /console.
func New(a *app.App, config Config, log *slog.Logger) http.Handler {
	site.Ready()
	c := &console{
		app: a, log: log, sessions: newSessions(a, config, log),
		persons: newTries(triesPerPerson), origins: newTries(triesPerAddress),
	}
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(c.crossOrigin))
	return alone(guard.Handler(c.router()))
}

// alone lets the routes see the whole path under whatever router they are mounted.
func alone(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, (*chi.Context)(nil))))
	})
}

func (c *console) router() chi.Router {
	r := chi.NewRouter()
	r.Handle("/console/assets/*", assets)
	r.Group(func(r chi.Router) {
		r.Use(c.sessions.LoadAndSave)
		r.NotFound(c.page(func(*visit) error { return errNotFound }))
		r.MethodNotAllowed(c.page(func(*visit) error { return errNotFound }))
		r.Get("/console/sign-in", c.open(c.showSignIn))
		r.Post("/console/sign-in", c.open(c.signIn))
		r.Post("/console/sign-out", c.open(c.signOut))
		c.routes(r)
	})
	return r
}

// routes are the pages behind the sign-in.
func (c *console) routes(r chi.Router) {
	r.Get("/console", c.page(c.overview))
	r.Get("/console/", c.page(func(v *visit) error { return v.to("/console") }))
	r.Get("/console/contracts/{method}", c.page(c.showContract))
	r.Post("/console/contracts/{method}", c.page(c.applyContract))
	r.Get("/console/payments", c.page(c.payments))
	r.Get("/console/payments/{payment}", c.page(c.payment))
	r.Post("/console/payments/{payment}/{act}", c.page(c.act))
	r.Get("/console/payments/{payment}/mails/{mail}", c.page(c.mail))
	r.Get("/console/settlements", c.page(c.settlements))
	r.Get("/console/settlements/{payout}", c.page(c.payout))
	r.Get("/console/webhooks", c.page(c.webhooks))
	r.Get("/console/webhooks/{webhook}", c.page(c.webhook))
	r.Post("/console/webhooks/{webhook}/resend", c.page(c.resendWebhook))
	r.Post("/console/endpoints", c.page(c.addEndpoint))
	r.Post("/console/endpoints/{endpoint}/{act}", c.page(c.actOnEndpoint))
}

// errNotFound is a page that is not there, or not for this person.
var errNotFound = errors.New("console: no such page")
