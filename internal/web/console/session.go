package console

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/ident"
	"github.com/holdfast-pay/holdfast/internal/password"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

const (
	// signedInFor is how long a sign-in lasts at most.
	signedInFor = 12 * time.Hour
	// idleFor is how long it lasts without a page being asked for.
	idleFor = 2 * time.Hour
	// noteEvery is how often a sign-in that is used is noted; a page view in
	// between writes nothing.
	noteEvery = 5 * time.Minute
)

// Members of a session.
const (
	keyEmail = "email"
	keyStamp = "stamp" // changes with the password
	keySince = "since" // unix seconds
	keySeen  = "seen"  // unix seconds
	keyFlash = "flash" // a message for the next page
)

// sessionStore keeps sign-ins by the server's clock, whatever the library's
// own says.
type sessionStore struct {
	app.Session
}

// Commit records a session until it has been idle too long.
func (s sessionStore) Commit(token string, data []byte, _ time.Time) error {
	return s.Session.Commit(token, data, s.App.Real().Add(idleFor))
}

func newSessions(a *app.App, config Config, log *slog.Logger) *scs.SessionManager {
	// Not scs.New: it starts a store in memory that nobody uses and nothing ends.
	m := &scs.SessionManager{
		Store: sessionStore{app.Session{App: a}}, HashTokenInStore: true, Lifetime: signedInFor, Codec: scs.GobCodec{},
		Cookie: scs.SessionCookie{
			Name: "holdfast_console", HttpOnly: true, Path: "/", SameSite: http.SameSiteLaxMode, Secure: config.Secure,
		},
	}
	if config.Secure {
		m.Cookie.Name = "__Host-holdfast_console"
	}
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		log.ErrorContext(r.Context(), "a console session failed", "error", err)
		ui.Policy{}.Set(w.Header())
		http.Error(w, site.Say(ui.Language(r), "error.title"), http.StatusServiceUnavailable)
	}
	return m
}

// person finds who is signed in. It is nil when nobody is, or no longer.
func (c *console) person(ctx context.Context) (*app.Staff, error) {
	email := c.sessions.GetString(ctx, keyEmail)
	if email == "" {
		return nil, nil
	}
	now := c.app.Real()
	since, seen := time.Unix(c.sessions.GetInt64(ctx, keySince), 0), time.Unix(c.sessions.GetInt64(ctx, keySeen), 0)
	if now.Sub(since) >= signedInFor || now.Sub(seen) >= idleFor {
		return nil, c.sessions.Destroy(ctx)
	}
	staff, err := c.app.StaffByEmail(ctx, email)
	var no *escrow.Refusal
	if errors.As(err, &no) || (err == nil && stampOf(staff.PasswordHash) != c.sessions.GetString(ctx, keyStamp)) {
		return nil, c.sessions.Destroy(ctx)
	}
	if err != nil {
		return nil, err
	}
	if now.Sub(seen) >= noteEvery {
		c.sessions.Put(ctx, keySeen, now.Unix())
	}
	return &staff, nil
}

// stampOf ends a sign-in when the password changes.
func stampOf(passwordHash string) string { return ident.Hash(passwordHash)[:16] }

type signInPage struct {
	Form form
	Next string
}

func (c *console) showSignIn(v *visit) error {
	staff, err := c.person(v.r.Context())
	if err != nil {
		return err
	}
	next := localPath(v.r.URL.Query().Get("next"))
	if staff != nil {
		return v.to(next)
	}
	return v.signInPage(http.StatusOK, signInPage{Next: next})
}

func (v *visit) signInPage(status int, data signInPage) error {
	site.Render(v.w, v.r, status, "sign-in", ui.Page{Title: v.say("signin.title"), Data: data, Styles: []string{assets.Path("console.css")}})
	return nil
}

// localPath accepts a page of the console to go to after the sign-in; anything
// else leads to the overview.
func localPath(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || path.Clean(u.Path) != u.Path || !strings.HasPrefix(u.Path+"/", "/console/") {
		return "/console"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}

// signIn lets a person in. Whatever is wrong with what they gave, the answer is
// the same.
func (c *console) signIn(v *visit) error {
	f, err := v.form("")
	if err != nil {
		return err
	}
	email := strings.ToLower(strings.TrimSpace(f.Fields.Text("email", 300)))
	secret := f.Fields.Text("password", password.Most)
	next := localPath(f.Fields.Text("next", 2000))
	if c.origins.OnLimit(v.w, v.r, addressOf(v.r)) || c.persons.OnLimit(v.w, v.r, email) {
		f.Fault = v.say("signin.toomany")
		return v.signInPage(http.StatusTooManyRequests, signInPage{Form: f, Next: next})
	}
	staff, err := c.app.StaffByEmail(v.r.Context(), email)
	var no *escrow.Refusal
	if err != nil && !errors.As(err, &no) {
		return err
	}
	right, err := password.Match(v.r.Context(), secret, staff.PasswordHash)
	if err != nil {
		return err
	}
	if !right || f.Fields.Err() != nil {
		c.log.WarnContext(v.r.Context(), "a console sign-in was refused", "address", addressOf(v.r))
		f.Fault = v.say("signin.wrong")
		return v.signInPage(http.StatusUnprocessableEntity, signInPage{Form: f, Next: next})
	}
	if err := errors.Join(c.origins.giveBack(addressOf(v.r)), c.persons.giveBack(email)); err != nil {
		return err
	}
	return c.letIn(v, &staff, next)
}

// letIn begins a session under a new token, so that one planted before is worth nothing.
func (c *console) letIn(v *visit, staff *app.Staff, next string) error {
	ctx := v.r.Context()
	if err := c.sessions.RenewToken(ctx); err != nil {
		return err
	}
	now := c.app.Real().Unix()
	c.sessions.Put(ctx, keyEmail, staff.Email)
	c.sessions.Put(ctx, keyStamp, stampOf(staff.PasswordHash))
	c.sessions.Put(ctx, keySince, now)
	c.sessions.Put(ctx, keySeen, now)
	return v.to(next)
}

func (c *console) signOut(v *visit) error {
	if err := c.sessions.Destroy(v.r.Context()); err != nil {
		return err
	}
	return v.to("/console/sign-in")
}

// addressOf is the network address of the caller, without the port.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
