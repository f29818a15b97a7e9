package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier"
	"github.com/holdfast-pay/holdfast/internal/rail/mail"
	"github.com/holdfast-pay/holdfast/internal/webhook"
)

// fakeCarrier knows what becomes of each parcel.
type fakeCarrier struct {
	w       *world
	parcels map[string]*parcel // by number
}

// parcel is what happens to one, and when the carrier tells of it.
type parcel struct {
	seen, delivered     time.Time // zero: never
	seenTold, deliverTo time.Time // from when on questions are answered with it
}

func newCarrier(w *world) *fakeCarrier { return &fakeCarrier{w, map[string]*parcel{}} }

// takes decides the fate of a new parcel.
func (c *fakeCarrier) takes(number string) {
	w := c.w
	p := &parcel{}
	c.parcels[number] = p
	fate := w.rng.Float64()
	if fate < 0.08 {
		return // never seen
	}
	p.seen = w.now().Add(w.between(time.Hour, 30*time.Hour))
	p.seenTold = p.seen.Add(w.between(0, 10*time.Hour))
	if fate < 0.14 {
		return // lost
	}
	p.delivered = p.seen.Add(w.between(2*time.Hour, 4*24*time.Hour))
	p.deliverTo = p.delivered.Add(w.between(0, 3*time.Hour))
	if fate < 0.3 { // the carrier tells late, also of the delivery before that of the way
		p.deliverTo = p.delivered.Add(w.between(time.Hour, 6*24*time.Hour))
		p.seenTold = p.deliverTo.Add(w.between(-48*time.Hour, time.Hour))
	}
}

// tracker is the carrier as the loops see it.
type tracker struct{ p *process }

// Track tells what the carrier tells by now.
func (t tracker) Track(_ context.Context, _, _, number string, now time.Time) (carrier.Report, error) {
	c := t.p.w.carrier
	if err := t.p.outside("before a carrier is asked"); err != nil {
		return carrier.Report{}, err
	}
	if c.w.faulty && c.w.chance(c.w.rates.carrier) {
		return carrier.Report{}, fmt.Errorf("the carrier does not answer: %w", errInjected)
	}
	p := c.parcels[number]
	if p == nil {
		return carrier.Report{}, nil
	}
	told := func(at time.Time) bool { return !at.IsZero() && !at.After(now) }
	r := carrier.Report{Seen: told(p.seenTold)}
	if told(p.deliverTo) {
		r.Seen, r.DeliveredAt = r.Seen || c.w.chance(0.5), p.delivered
	}
	if c.w.chance(0.2) {
		r.NextAt = now.Add(c.w.between(time.Hour, 20*time.Hour))
	}
	return r, t.p.outside("after a carrier was asked")
}

// fakePost is the mail server and the buyers who read.
type fakePost struct {
	w       *world
	bounces []bounce
}

// bounce is a report of non-delivery to come.
type bounce struct {
	merchant, id string
	at           time.Time
}

func newPost(w *world) *fakePost { return &fakePost{w: w} }

// read is a letter that a buyer has read.
type read struct {
	id      string
	at      time.Time
	tells   bool        // that silence confirms
	lastDay bizday.Date // zero if it names none
}

// postbox is the mail server as the loops see it.
type postbox struct{ p *process }

// Send takes a letter, or does not, or loses its answer.
func (b postbox) Send(ctx context.Context, m mail.Message) error {
	w := b.p.w
	if err := b.p.outside("before a letter is sent"); err != nil {
		return &mail.SendError{Reason: err.Error()}
	}
	if err := m.Check(); err != nil {
		w.fail("a letter that no server takes: %v", err)
	}
	merchant, id, _ := strings.Cut(m.ID, ".")
	trouble := w.faulty && w.chance(w.rates.mail)
	nobody := m.To == mistyped
	switch {
	case nobody && w.chance(0.3):
		w.count("a letter was refused for good", id)
		return &mail.SendError{Permanent: true, Code: 550, Reason: "no such mailbox"}
	case trouble && w.chance(0.5):
		return &mail.SendError{Code: 451, Reason: "try later"}
	case trouble && w.chance(0.3):
		w.count("a letter was refused for good", id)
		return &mail.SendError{Permanent: true, Code: 550, Reason: "no such mailbox"}
	}
	w.post.deliver(ctx, b.p, merchant, id, m)
	if trouble && w.chance(0.5) {
		w.count("a letter was taken and the reply lost", id)
		return &mail.SendError{Reason: "the connection broke"}
	}
	if trouble || nobody {
		w.post.bounces = append(w.post.bounces, bounce{merchant, id, w.now().Add(w.between(time.Minute, 5*24*time.Hour))})
	}
	if err := b.p.outside("after a letter was sent"); err != nil {
		return &mail.SendError{Reason: err.Error()}
	}
	return nil
}

// lastDayIn finds the last day in a letter.
var lastDayIn = regexp.MustCompile(`구매결정 마지막 날: (\d+)년 (\d+)월 (\d+)일`)

// deliver lets the buyer read.
func (f *fakePost) deliver(ctx context.Context, p *process, merchant, id string, m mail.Message) {
	row, err := p.app.Mail(ctx, merchant, id)
	if err != nil {
		if !p.dead {
			f.w.fail("a letter %s that is not recorded: %v", id, err)
		}
		return
	}
	r := read{id: id, at: f.w.now(), tells: row.Kind.Tells() && strings.Contains(m.Text, "기한까지 아무 말씀이 없으시면")}
	if found := lastDayIn.FindStringSubmatch(m.Text); found != nil {
		r.lastDay = parsedDay(found[1:])
	}
	m2 := f.w.byID[row.Payment]
	if m2 == nil {
		f.w.fail("a letter about payment %s, which nobody knows", row.Payment)
		return
	}
	m2.letters = append(m2.letters, r)
	f.w.note("%s reads %s %s, last day %s", m2, row.Kind, id, r.lastDay)
}

func parsedDay(parts []string) bizday.Date {
	n := [3]int{}
	for i, p := range parts {
		n[i], _ = strconv.Atoi(p) // digits, by the pattern
	}
	return bizday.MustParseDate(fmt.Sprintf("%04d-%02d-%02d", n[0], n[1], n[2]))
}

// reportBounces delivers reports of non-delivery, sometimes twice.
func (f *fakePost) reportBounces() {
	w := f.w
	var rest []bounce
	for _, b := range f.bounces {
		if b.at.After(w.now()) {
			rest = append(rest, b)
			continue
		}
		var err error
		w.run("the bounce of "+b.id, func() { err = w.p.app.Bounced(w.ctx, b.merchant, b.id, "mailbox unavailable") })
		w.followAll()
		switch {
		case errors.Is(err, errInjected) || w.faulty && w.chance(0.1):
			b.at = w.now().Add(time.Hour)
			rest = append(rest, b)
		case err != nil:
			w.fail("the bounce of %s: %v", b.id, err)
		default:
			w.bounced(b.id)
		}
	}
	f.bounces = rest
}

// bounced remembers that the program knows that a letter was not read.
func (w *world) bounced(id string) {
	w.count("a letter bounced", id)
	for _, m := range w.pays {
		for i := range m.letters {
			if m.letters[i].id == id {
				m.letters[i].tells, m.letters[i].lastDay = false, bizday.Date{}
			}
		}
	}
}

// caller is the shops' servers as the loops see them.
type caller struct{ p *process }

// Close has nothing to close.
func (caller) Close() {}

// Send calls a shop.
func (c caller) Send(_ context.Context, call webhook.Call) webhook.Attempt {
	w := c.p.w
	a := webhook.Attempt{At: w.now(), URL: call.URL, ContentType: call.ContentType, Request: string(call.Body)}
	if err := c.p.outside("before a shop is called"); err != nil {
		a.Error = err.Error()
		return a
	}
	s := w.shopAt(call.URL)
	if s == nil {
		w.fail("a call to %s, where no shop is", call.URL)
		return a
	}
	return s.called(c.p, call, a)
}

// called answers a call as the shop's server does.
func (s *shop) called(p *process, call webhook.Call, a webhook.Attempt) webhook.Attempt {
	w := s.w
	trouble := w.faulty && (w.now().Before(s.downUntil) || w.chance(w.rates.shops))
	if trouble && w.chance(0.6) {
		a.Status = one(w, 0, 0, 500, 503)
		s.heardOf(call, false)
		return a
	}
	a.Status = one(w, 200, 200, 204)
	if trouble && w.chance(0.1) {
		a.Status = 404
	}
	s.heardOf(call, a.Status < 300)
	if trouble && w.chance(0.5) {
		w.count("a shop was told and its reply lost", call.ID)
		a.Status, a.Error = 0, "no answer in time"
	}
	if err := p.outside("after a shop was called"); err != nil {
		a.Status, a.Error = 0, err.Error()
	}
	return a
}

// heardOf remembers that a call was made, and checks that it says what it is about.
func (s *shop) heardOf(call webhook.Call, took bool) {
	var body struct {
		ImpUID string `json:"imp_uid"`
		Status string `json:"status"`
	}
	payment, _, _ := strings.Cut(call.ID, "-w")
	if err := json.Unmarshal(call.Body, &body); err != nil || body.ImpUID != payment {
		s.w.fail("the call %s has the body %s (%v)", call.ID, call.Body, err)
	}
	h := s.calls[call.ID]
	if h == nil {
		h = &hearing{body: string(call.Body)}
		s.calls[call.ID] = h
	}
	if h.body != string(call.Body) {
		s.w.fail("the call %s says %s and then %s", call.ID, h.body, call.Body)
	}
	h.made++
	h.took = h.took || took
}

// hearing is what a shop has heard by one call.
type hearing struct {
	made int
	took bool
	body string
}
