package sandbox

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

const (
	mailsPage    = 50
	mailsPageMax = 1000 // the last page
	// bounceReason is the receiving server's word when the caller gives none.
	bounceReason = "550 5.1.1 mailbox unavailable"
)

// mailItem is a letter to a buyer without its text.
type mailItem struct {
	ID        string      `json:"id"`
	ImpUID    string      `json:"imp_uid"`
	Kind      escrow.Mail `json:"kind"`
	To        string      `json:"to"`
	State     string      `json:"state"`
	Subject   string      `json:"subject"` // empty until it was composed
	Error     *string     `json:"error"`
	CreatedAt *string     `json:"created_at"`
	DoneAt    *string     `json:"done_at"`
}

// mailWhole is a letter with its text.
type mailWhole struct {
	mailItem
	Text string `json:"text"`
	HTML string `json:"html"`
}

func newMail(m app.Mail) mailItem {
	return mailItem{m.ID, m.Payment, m.Kind, m.Recipient, m.State, m.Subject, text(m.Error), instant(m.CreatedAt), instant(m.DoneAt)}
}

// listMails lists letters, the newest first.
func (s *server) listMails(ctx context.Context, c *call) (any, error) {
	payment := c.f.Ident("imp_uid", idMax)
	page, given := c.f.Int("page", 1, mailsPageMax)
	if !given {
		page = 1
	}
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	if payment != "" { // another merchant's payment does not exist
		if _, err := s.app.Payment(ctx, c.m.ID, payment); err != nil {
			return nil, err
		}
	}
	mails, err := s.mails(ctx, c.m.ID, payment, int(page-1)*mailsPage, mailsPage)
	out := []mailItem{}
	for _, m := range mails {
		out = append(out, newMail(m))
	}
	return out, err
}

// mails lists letters, the newest first. Where the clock stood still between two
// of a payment, the later step comes first.
func (s *server) mails(ctx context.Context, merchantID, payment string, offset, limit int) ([]app.Mail, error) {
	mails, err := s.app.Mails(ctx, merchantID, payment, offset, limit)
	slices.SortStableFunc(mails, func(a, b app.Mail) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.Seq, a.Seq)) })
	return mails, err
}

// mail returns the letter that the call names.
func (s *server) mail(ctx context.Context, c *call) (app.Mail, error) {
	id := c.id("id")
	if err := c.f.Err(); err != nil {
		return app.Mail{}, err
	}
	m, err := s.app.Mail(ctx, c.m.ID, id)
	return m, missingAs(err, "id", reasonNoMail)
}

var reasonNoMail = body.Reason{Code: "no_mail", English: "there is no such mail", Korean: "존재하지 않는 메일입니다"}

func (s *server) showMail(ctx context.Context, c *call) (any, error) {
	m, err := s.mail(ctx, c)
	if err != nil {
		return nil, err
	}
	return mailWhole{newMail(m), m.Text, m.HTML}, nil
}

// bounce plays the receiving mail server that sends a letter back.
func (s *server) bounce(ctx context.Context, c *call) (any, error) {
	reason := c.f.Text("reason", 200)
	m, err := s.mail(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := s.app.Bounced(ctx, c.m.ID, m.ID, cmp.Or(reason, bounceReason)); err != nil {
		return nil, err
	}
	if m, err = s.app.Mail(ctx, c.m.ID, m.ID); err != nil {
		return nil, err
	}
	return mailWhole{newMail(m), m.Text, m.HTML}, nil
}

// mailPolicy lets a letter be looked at and nothing else: it may not run a
// script, load anything, or act in this server's name. Its links open elsewhere.
const mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"

// serveMailBody serves a letter's HTML for the frame on the page.
func (s *server) serveMailBody(w http.ResponseWriter, r *http.Request) {
	v, err := read(w, r)
	if err != nil {
		unreadable(err).write(w)
		return
	}
	m, err := s.mail(r.Context(), &call{r: r, m: merchantOf(r.Context()), f: v.Fields()})
	if err != nil {
		s.answerOf(r, err).write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", mailPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	// The reader of the letter stays on the page.
	_, _ = w.Write([]byte(strings.Replace(m.HTML, "<head>", `<head><base target="_blank">`, 1)))
}
