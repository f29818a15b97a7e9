// Package decide is the page on which a buyer decides: the link in every mail
// leads to it.
//
// # What is always true
//
//   - GET and HEAD show and change nothing, however often they come: mail
//     scanners, previews and prefetching cannot decide, and cannot spend the
//     link. Only POST decides, and only from this page itself
//     (http.CrossOriginProtection).
//   - The link is the buyer's key. It is looked up by its hash, it is told to
//     no other site as a referrer, no store keeps the page, no frame may show
//     it, and nothing of it is logged here. Who logs paths leaves it out.
//   - Where the shop's policy asks for it, every decision also wants the last
//     four digits of the buyer's phone number, with a bounded number of tries.
//   - A decision that stands is shown with its time; the opposite one is
//     refused with 409 and the same page. The same one again is a success that
//     changes nothing.
//   - A link that is unknown, mistyped or replaced shows one page, status 404,
//     and offers to mail the newest link; the answer to that offer is the same
//     whether or not there is anything to send. A link whose purchase has been
//     over for thirty days shows 410.
//   - The page works without scripts.
package decide

import (
	"embed"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/letter"
	"github.com/holdfast-pay/holdfast/internal/web/ui"
)

//go:embed all:pages
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

var (
	assets = ui.NewAssets("/d/assets/", sub(assetFiles, "assets"))
	site   = ui.NewSite(ui.Source{Pages: sub(pageFiles, "pages"), Words: words, Assets: assets})
)

func sub(files embed.FS, folder string) fs.FS {
	in, err := fs.Sub(files, folder)
	if err != nil {
		panic("decide: " + err.Error())
	}
	return in
}

// Prefix is where the handler is mounted.
const Prefix = "/d/"

const (
	// maxBody bounds a form, in bytes; the longest field is maxDetail characters.
	maxBody = 16 << 10
	// keep is how long the page stays after the purchase is over.
	keep = 30 * 24 * time.Hour
)

// The limits. They protect the database and the buyer's mailbox; the link
// itself has 256 bits and is not to be guessed.
var (
	readsByAddress  = limit{600, time.Minute}
	actsByAddress   = limit{120, time.Minute}
	actsByLink      = limit{60, 10 * time.Minute}
	resendsByAddr   = limit{20, time.Hour}
	resendsByLink   = limit{3, time.Hour}
	triesOfPhone    = limit{5, time.Hour}
	limitersEntries = 50_000 // addresses and links that are counted at once
)

// server answers for the decision pages.
type server struct {
	app      *app.App
	operator letter.Operator
	log      *slog.Logger
	limits   *limiter
}

// New returns the handler of the decision pages; mount it at [Prefix]. The
// operator's words stand on every page, as they do in every mail.
func New(a *app.App, operator letter.Operator, log *slog.Logger) http.Handler {
	site.Ready()
	s := &server{app: a, operator: operator, log: log, limits: newLimiter(a.Real, limitersEntries)}
	r := chi.NewRouter()
	r.Handle("/d/assets/*", assets)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		r.Method(method, "/d/{token}", http.HandlerFunc(s.show))
	}
	r.Post("/d/{token}/resend", s.resend)
	for name, act := range acts {
		r.Post("/d/{token}/"+name, s.decide(name, act))
	}
	r.NotFound(s.unknown)
	r.MethodNotAllowed(s.unknown)
	return s.guarded(r)
}

// guarded puts what holds for every answer around the routes.
func (s *server) guarded(next http.Handler) http.Handler {
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(http.HandlerFunc(s.foreign))
	protected := csrf.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Robots-Tag", "noindex, nofollow")
		rate := readsByAddress
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			rate = actsByAddress
		}
		if !s.limits.take("address "+rate.kind()+" "+address(r), rate) {
			s.busy(w, r, rate)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		protected.ServeHTTP(w, r)
	})
}

// address is the network address of the caller, without its port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// tokenLength is that of 256 bits in URL-safe base64.
const tokenLength = 43

// tokenOf returns the link's secret, if it has the form of one.
func tokenOf(r *http.Request) (string, bool) {
	token := chi.URLParam(r, "token")
	if len(token) != tokenLength {
		return "", false
	}
	for _, c := range []byte(token) {
		if !strings.ContainsRune(tokenLetters, rune(c)) {
			return "", false
		}
	}
	return token, true
}

const tokenLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
