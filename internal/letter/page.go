package letter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/merchant"
)

// page is a letter before it becomes text or HTML. Its strings are final:
// values are filled in, and nothing in them is markup.
type page struct {
	Lang, Subject, Preview string
	Brand, Agent, AgentURL string
	Title, Greeting        string
	Sandbox                string
	Body                   []string
	Notice                 *Notice
	Choices                []link
	ChoiceURL              string // for those who read plain text
	ChoicePlain, Hint      string
	Tables                 []table
	Foot                   []string
}

// Notice is the box that says until when the buyer may decide, and what
// silence means. Its words are those of the law's notice wherever they stand,
// in a letter or on a page.
type Notice struct {
	Head  string
	Big   string // the last day, or the term while it has no date yet
	Lines []string
	Law   string
}

// NoticeOf returns the notice for a payment that the buyer may still decide;
// false for any other.
func NoticeOf(v View) (Notice, bool) {
	c, err := newComposer(escrow.MailLink, v)
	if err != nil || !c.decidable() {
		return Notice{}, false
	}
	c.vals = c.values()
	n := c.notice()
	return *n, c.err == nil
}

// link is a button.
type link struct {
	Label, URL string
	Strong     bool
}

type table struct {
	Head string
	Rows []row
}

// row is a line of a table; with a URL the value is a link.
type row struct {
	Label, Value, URL string
	Strong            bool
}

// composer makes one letter.
type composer struct {
	kind escrow.Mail
	v    View
	p    *escrow.Payment
	w    *words
	vals map[string]string
	err  error
}

func (c *composer) page() page {
	c.vals = c.values()
	p := page{
		Lang: c.w.Lang, Subject: c.subject(), Title: c.say(c.w.Titles[c.kind]),
		Brand: c.w.Brand, Agent: plain(c.v.Operator.Name, maxLine), AgentURL: c.v.Operator.URL,
		Greeting: c.first(c.w.Greeting, c.w.Guest), Body: c.body(), Notice: c.notice(), Tables: c.tables(), Foot: c.foot(),
	}
	p.Choices, p.ChoicePlain, p.Hint = c.choices()
	p.ChoiceURL = c.v.DecisionURL
	if c.v.Merchant.Mode == merchant.Sandbox {
		p.Sandbox = c.w.Sandbox
	}
	p.Preview = p.Title
	if len(p.Body) > 0 {
		p.Preview = p.Body[0]
	}
	if p.Notice != nil {
		p.Preview = p.Notice.Head + ": " + p.Notice.Big
	}
	return p
}

func (c *composer) subject() string {
	subject := c.w.Subjects[c.kind]
	if dated := c.w.Dated[c.kind]; dated != "" && c.asks() && c.firm() {
		subject = dated
	}
	return cut(c.first(subject, "[{shopShort}] "+c.w.Titles[c.kind], c.w.Titles[c.kind]), maxSubject)
}

// values are what texts may name in braces. An empty value is one that is not known.
func (c *composer) values() map[string]string {
	p, en := c.p, c.v.English
	line := func(s string) string { return plain(s, maxLine) }
	vals := map[string]string{
		"shop": line(c.v.Merchant.Name), "shopShort": plain(c.v.Merchant.Name, maxShort), "shopPhone": line(c.v.Merchant.Phone), "buyer": line(p.Buyer.Name),
		"contact": line(c.v.Operator.Contact), "id": line(c.v.ID), "sent": minute(c.v.Now, en),
		"amount": won(p.Amount, en), "sale": won(p.Amount-p.Refunded, en), "suspended": won(p.Suspended, en),
		"trackedDays": fmt.Sprint(c.v.Merchant.Profile.TrackedDays), "confirmed": minute(p.ConfirmedAt, en),
		"due": "", "arrived": "", "lastDay": "", "from": "", "days": "", "decision": "", "evidence": "", "holdReason": "",
		"cancelReason": plain(p.CancelReason, maxQuoted), "refund": "", "back": "", "failedFor": "", "deposit": "",
	}
	if p.Account != nil {
		vals["due"] = minute(p.Account.Due, en)
	}
	if p.Delivery != nil {
		vals["arrived"] = minute(p.Delivery.DeliveredAt, en)
	}
	if d := c.deadline(); d != nil {
		vals["lastDay"], vals["from"], vals["days"] = day(d.LastDay, en), day(d.From, en), fmt.Sprint(d.Days)
	}
	if p.Decided != nil {
		vals["decision"] = plain(p.Decided.Reason, maxQuoted)
	}
	if p.Dispute != nil {
		vals["evidence"] = plain(p.Dispute.Evidence, maxQuoted)
	}
	if p.Hold != nil {
		vals["holdReason"] = plain(p.Hold.Reason, maxQuoted)
	}
	if r := c.refund(); r != nil {
		vals["refund"], vals["failedFor"] = won(r.Amount, en), plain(r.FailedFor, maxQuoted)
		vals["back"] = won(r.Amount, en)
	}
	if d := c.lastDeposit(); d != nil {
		vals["deposit"] = won(d.Amount, en)
	}
	return vals
}

// say fills a text in one pass, so that braces inside a value stay what they
// are. It returns nothing when a value is not known. A name that no value has
// is a fault in the catalogue.
func (c *composer) say(text string) string {
	var b strings.Builder
	for rest := text; ; {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, tail, closed := strings.Cut(after, "}")
		value, known := c.vals[name]
		if !closed || !known {
			c.err = fmt.Errorf("the text %q names the unknown value %q", text, name)
			return ""
		}
		if value == "" {
			return ""
		}
		b.WriteString(value)
		rest = tail
	}
}

// all fills texts and leaves out those with an unknown value.
func (c *composer) all(texts ...string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		if s := c.say(t); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// first is the first of several texts whose values are all known.
func (c *composer) first(texts ...string) string {
	if said := c.all(texts...); len(said) > 0 {
		return said[0]
	}
	return ""
}

// asks reports whether the letter asks for the purchase decision.
func (c *composer) asks() bool {
	return c.kind.Tells() && c.decidable()
}

func (c *composer) decidable() bool {
	return c.p.State == escrow.Shipped || c.p.State == escrow.Delivered
}

// deadline is what the letter may name as the last day.
func (c *composer) deadline() *escrow.Deadline {
	if c.v.Projected != nil {
		return c.v.Projected
	}
	return c.p.Deadline
}

// firm reports whether the last day is more than a fallback: a parcel on its
// way that can be tracked gets its own when it arrives.
func (c *composer) firm() bool {
	return c.deadline() != nil && (c.p.State == escrow.Delivered || !c.p.Delivery.Trackable)
}

// notice is what Decree art. 28-3 asks to be said.
func (c *composer) notice() *Notice {
	if !c.asks() && (c.kind != escrow.MailHoldReleased || !c.decidable() || c.deadline() == nil) {
		return nil
	}
	w := c.w
	n := &Notice{Head: w.TermHead, Big: c.say(w.Term), Law: w.NoticeLaw}
	switch {
	case c.p.Hold != nil:
		n.Lines = c.all(w.NoticeStopped, w.NoticeSilence)
	case c.firm():
		n.Head, n.Big = w.LastDayHead, c.say("{lastDay}")
		n.Lines = c.all(w.NoticeAsk, w.NoticeSilence, w.Rules[c.deadline().Rule], w.NoticeBizDays)
	case c.p.State == escrow.Delivered:
		n.Lines = c.all(w.NoticeSilence, w.NoticeBizDays)
	case c.deadline() != nil:
		n.Lines = c.all(w.NoticeSilence, w.NoticeLater, w.NoticeUntraced, w.NoticeBizDays)
	default:
		n.Lines = c.all(w.NoticeSilence, w.NoticeLater, w.NoticeBizDays)
	}
	return n
}

// lastDay is the day that a letter with a notice names as the last one.
func (c *composer) lastDay(n *Notice) bizday.Date {
	if n == nil || !c.firm() {
		return bizday.Date{}
	}
	return c.deadline().LastDay
}

// choices are the buttons. Both ways of deciding lead to the same page, each
// to its part of it; the link itself decides nothing.
func (c *composer) choices() (buttons []link, plainLabel, hint string) {
	at := c.v.DecisionURL
	if at == "" {
		return nil, "", ""
	}
	if c.asks() || (c.kind == escrow.MailHoldReleased && c.decidable()) {
		return []link{{c.w.Received, at + "#received", true}, {c.w.Problem, at + "#problem", false}}, c.w.ChoicePlain, c.w.ChoiceHint
	}
	label := c.w.SeeDecision
	switch c.kind {
	case escrow.MailAutoConfirmed:
		label = c.w.SeeWithdraw
	case escrow.MailRefundAccount, escrow.MailRefundFailed:
		label = c.w.SeeAccount
	default:
	}
	return []link{{label, at, true}}, label, ""
}

func (c *composer) foot() []string {
	return c.all(c.w.SendOnly, c.w.SentNote)
}

// refund is the refund that the letter is about: the newest in the state that
// its kind tells of. For a cancel, and when the refund has moved on before the
// letter was written, it is the newest of all.
func (c *composer) refund() *escrow.Refund {
	var state escrow.RefundState
	switch c.kind {
	case escrow.MailRefundSent:
		state = escrow.RefundSent
	case escrow.MailRefundFailed:
		state = escrow.RefundFailed
	case escrow.MailRefundAccount:
		state = escrow.RefundAccountNeeded
	case escrow.MailCancelled:
	default:
		return nil
	}
	var newest *escrow.Refund
	for i := range slices.Backward(c.p.Refunds) {
		r := &c.p.Refunds[i]
		if r.State == state {
			return r
		}
		if newest == nil && !r.Suspense {
			newest = r
		}
	}
	return newest
}
