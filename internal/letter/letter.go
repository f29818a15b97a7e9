// Package letter composes the mails that a buyer gets: subject, plain text and
// HTML, in Korean or English, for every kind in [escrow.Mails].
//
// It is pure: a letter is a function of the payment, the merchant, the
// operator's words and an instant. It sends nothing and knows no mail server.
//
// What is always true of a letter:
//   - Text and HTML say the same; neither carries what the other leaves out.
//   - A kind of which [escrow.Mail.Tells] is true carries the notice that the
//     law asks for while the buyer may still decide: until when, and that
//     silence pays the shop (Enforcement Decree of the Act on Consumer
//     Protection in Electronic Commerce, art. 28-3). Without a decision link
//     such a letter is refused.
//   - Only the decision page, the carrier's tracking page and the operator's
//     own address are links. Text that a shop or a buyer wrote is escaped, is
//     cut to a bound, stands on one line, and is broken where a mail client
//     would turn it into a link.
//   - A subject has no line break and at most maxSubject characters.
//   - Account numbers of the buyer show their last four digits alone.
package letter

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

// Operator is the escrow agent in its own words, as the law has it shown:
// name, registration number, a contact that answers, and its web address.
// URL may be empty; the others belong in every letter of a live operator.
type Operator struct {
	Name         string
	Registration string
	Contact      string
	URL          string
}

// View is everything that a letter may say.
type View struct {
	Payment  escrow.Payment
	Merchant merchant.Merchant
	Operator Operator
	English  bool
	// DecisionURL is the buyer's link to the decision page; empty while there is none.
	DecisionURL string
	// Projected is the deadline that counts if this letter reaches the buyer
	// now, see [escrow.Projected]; nil while the clock waits for something else.
	Projected *escrow.Deadline
	// Now is the merchant's present instant, printed as the time of sending.
	Now time.Time
	// ID names this one letter, so that the buyer and a person at the desk can
	// speak of the same.
	ID string
}

// Letter is a composed mail.
type Letter struct {
	Subject string
	Text    string
	HTML    string
	// LastDay is the last day of deciding that it names without condition; zero if none.
	LastDay bizday.Date
}

// maxSubject bounds a subject, in characters; longer ones are cut by mail
// clients anyway.
const maxSubject = 120

//go:embed letter.html.tmpl letter.txt.tmpl
var templates embed.FS

var (
	htmlLayout = htmltemplate.Must(htmltemplate.New("letter.html.tmpl").ParseFS(templates, "letter.html.tmpl"))
	textLayout = texttemplate.Must(texttemplate.New("letter.txt.tmpl").ParseFS(templates, "letter.txt.tmpl"))
)

// What most letters fit in, in bytes, so that they are written into one piece of memory.
const (
	usualText = 4 << 10
	usualHTML = 14 << 10
)

// Compose writes the letter of one kind. It fails when the kind is unknown,
// when a link is not an absolute http or https address, and when a letter that
// asks for a decision has no link to decide by.
func Compose(kind escrow.Mail, v View) (Letter, error) {
	c, err := newComposer(kind, v)
	if err != nil {
		return Letter{}, err
	}
	p := c.page()
	if c.err != nil {
		return Letter{}, fmt.Errorf("letter %s: %w", kind, c.err)
	}
	var text, html strings.Builder
	text.Grow(usualText)
	html.Grow(usualHTML)
	if err := textLayout.Execute(&text, p); err != nil {
		return Letter{}, fmt.Errorf("letter %s: %w", kind, err)
	}
	if err := htmlLayout.Execute(&html, p); err != nil {
		return Letter{}, fmt.Errorf("letter %s: %w", kind, err)
	}
	return Letter{Subject: p.Subject, Text: text.String(), HTML: html.String(), LastDay: c.lastDay(p.Notice)}, nil
}

// newComposer checks what a letter is made of.
func newComposer(kind escrow.Mail, v View) (*composer, error) {
	w := &korean
	if v.English {
		w = &english
	}
	if w.Subjects[kind] == "" {
		return nil, fmt.Errorf("letter: no words for the kind %q", kind)
	}
	for name, link := range map[string]string{"decision link": v.DecisionURL, "operator's address": v.Operator.URL} {
		if link != "" && !isWeb(link) {
			return nil, fmt.Errorf("letter %s: the %s must be an absolute http or https address", kind, name)
		}
	}
	c := &composer{kind: kind, v: v, p: &v.Payment, w: w}
	if c.asks() && v.DecisionURL == "" {
		return nil, fmt.Errorf("letter %s: the buyer is asked to decide, and there is no decision link", kind)
	}
	return c, nil
}

func isWeb(link string) bool {
	u, err := url.Parse(link)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && !strings.ContainsAny(link, " \r\n\t")
}
