package work_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/rail/carrier"
	"github.com/holdfast-pay/holdfast/internal/rail/mail"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/internal/work"
)

// postOffice is a mail server that answers as it is told.
type postOffice struct {
	mu sync.Mutex
	// answers are used one after the other; the last stays, and none is nil.
	answers []error
	sent    []mail.Message
}

var (
	laterPlease = &mail.SendError{Code: 451, Reason: "greylisted, try again"}
	nobody      = &mail.SendError{Code: 550, Permanent: true, Reason: "no such user \xff\x00here"}
)

// Send implements mail.Sender.
func (p *postOffice) Send(_ context.Context, m mail.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	if n := len(p.answers); n > 0 {
		err = p.answers[min(len(p.sent), n-1)]
	}
	p.sent = append(p.sent, m)
	return err
}

// telling is a world whose payments are shipped with a mail that tells the buyer,
// over a mail server that answers so.
func telling(t *testing.T, answers ...error) (*world, escrow.Payment) {
	t.Helper()
	office := &postOffice{}
	w := newWorld(t, servetest.Sender(office))
	p := w.held()
	w.drain() // the mails before are nobody's notice
	office.mu.Lock()
	office.sent, office.answers = nil, answers
	office.mu.Unlock()
	p = w.do(escrow.Shop, p.ID, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: escrow.SelfDelivery}}, SentAt: w.Now()})
	return w, p
}

// told are the mails of a payment that tell what silence means.
func (w *world) told(id string) (out []app.Mail) {
	w.T.Helper()
	mails, err := w.App.Mails(w.T.Context(), w.Merchant, id, 0, 100)
	if err != nil {
		w.T.Fatal(err)
	}
	for _, m := range slices.Backward(mails) {
		if m.Kind.Tells() {
			out = append(out, m)
		}
	}
	return out
}

func lastDay(t *testing.T, p escrow.Payment) string {
	t.Helper()
	if p.Deadline == nil {
		t.Fatalf("the clock of a payment that is %s does not run", p.State)
	}
	return p.Deadline.LastDay.String()
}

// TestMailPutOff: a server that asks for patience gets it, and the notice counts
// from when it was taken.
func TestMailPutOff(t *testing.T) {
	w, p := telling(t, laterPlease, laterPlease, nil)
	w.drain()
	if p = w.payment(p.ID); p.Notice != escrow.NoticePending || p.Deadline != nil {
		t.Fatalf("after a 451 the notice is %q", p.Notice)
	}
	if m := w.told(p.ID)[0]; m.State != app.MailPending || m.Error == "" {
		t.Fatalf("the mail is %s: %q", m.State, m.Error)
	}
	w.pass(2 * time.Minute)
	p = w.payment(p.ID)
	if m := w.told(p.ID)[0]; m.State != app.MailSent || m.Attempts != 3 || p.Notice != escrow.NoticeDelivered {
		t.Fatalf("the mail is %s after %d tries, the notice %q", m.State, m.Attempts, p.Notice)
	}
	if got := lastDay(t, p); got != "2026-03-17" { // six business days after Monday the 9th
		t.Errorf("last day %s", got)
	}
}

// TestMailPutOffForEver is given up in the end, and a person is told.
func TestMailPutOffForEver(t *testing.T) {
	w, p := telling(t, laterPlease)
	w.pass(3 * 24 * time.Hour)
	if m := w.told(p.ID)[0]; m.State != app.MailFailed || m.Attempts != 8 {
		t.Errorf("the mail is %s after %d tries", m.State, m.Attempts)
	}
	if p = w.payment(p.ID); !p.HasTask(escrow.TaskNoticeFailed) || p.Deadline != nil {
		t.Errorf("tasks %v, deadline %v", p.Tasks, p.Deadline)
	}
}

// TestAddressRefused: without a notice time confirms nothing, however long it
// takes; a person who tells the buyer starts three business days.
func TestAddressRefused(t *testing.T) {
	w, p := telling(t, nobody)
	w.pass(40 * 24 * time.Hour)
	p = w.payment(p.ID)
	if p.State != escrow.Shipped || p.Notice != escrow.NoticeFailed || !p.HasTask(escrow.TaskNoticeFailed) || p.Deadline != nil {
		t.Fatalf("after forty days it is %s, the notice %q, tasks %v", p.State, p.Notice, p.Tasks)
	}
	if m := w.told(p.ID)[0]; m.State != app.MailFailed || m.Attempts != 1 {
		t.Errorf("the mail is %s after %d tries", m.State, m.Attempts)
	}
	p = w.do(escrow.Operator, p.ID, escrow.NoticeResult{Delivered: true, Reason: "전화로 안내하였습니다."})
	if p.HasTask(escrow.TaskNoticeFailed) || p.Deadline.Rule != escrow.AfterNotice {
		t.Errorf("tasks %v, rule %s", p.Tasks, p.Deadline.Rule)
	}
	want, err := w.App.Calendar().Add(bizday.DateOf(w.Now()), 3)
	if err != nil || p.Deadline.LastDay != want {
		t.Fatalf("last day %s, want %s (%v)", p.Deadline.LastDay, want, err)
	}
	w.until(p.Deadline.At.Add(-time.Second))
	if p = w.payment(p.ID); p.State != escrow.Shipped {
		t.Fatalf("confirmed too early: %s", p.State)
	}
	w.until(p.Deadline.At)
	if p = w.payment(p.ID); p.State != escrow.Confirmed {
		t.Errorf("%s at the deadline", p.State)
	}
}

// TestBounceStopsTheClock: a mail that came back was no notice after all.
func TestBounceStopsTheClock(t *testing.T) {
	w, p := telling(t)
	w.drain()
	lastDay(t, w.payment(p.ID))
	m := w.told(p.ID)[0]
	for range 2 { // mail servers report twice
		if err := w.App.Bounced(t.Context(), w.Merchant, m.ID, "5.1.1 user unknown"); err != nil {
			t.Fatal(err)
		}
	}
	w.pass(30 * 24 * time.Hour)
	p = w.payment(p.ID)
	if p.State != escrow.Shipped || p.Deadline != nil || !p.HasTask(escrow.TaskNoticeFailed) || w.told(p.ID)[0].State != app.MailBounced {
		t.Errorf("%s, deadline %v, tasks %v, mail %s", p.State, p.Deadline, p.Tasks, w.told(p.ID)[0].State)
	}
	events, err := w.App.Events(t.Context(), w.Merchant, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, e := range events {
		if e.Type == escrow.EventNoticeFailed {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("the notice failed %d times", failed)
	}
	var no *escrow.Refusal
	if err := w.App.Bounced(t.Context(), w.Merchant, "nothing", "x"); !errors.As(err, &no) || no.Code != escrow.NotFound {
		t.Errorf("a bounce of no mail: %v", err)
	}
}

// TestBounceAfterTheDecision changes nothing that was decided.
func TestBounceAfterTheDecision(t *testing.T) {
	w, p := telling(t)
	w.drain()
	w.do(escrow.Buyer, p.ID, escrow.Confirm{Kind: escrow.ByBuyer})
	if err := w.App.Bounced(t.Context(), w.Merchant, w.told(p.ID)[0].ID, "full"); err != nil {
		t.Fatal(err)
	}
	if p = w.payment(p.ID); p.State != escrow.Confirmed || len(p.Tasks) != 0 {
		t.Errorf("%s, tasks %v", p.State, p.Tasks)
	}
	w.CheckBooks()
}

// deadLine is a carrier that cannot be asked until it is told to answer.
type deadLine struct {
	mu     sync.Mutex
	asked  int
	report *carrier.Report
}

// Track implements carrier.Tracker.
func (d *deadLine) Track(context.Context, string, string, string, time.Time) (carrier.Report, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if d.report == nil {
		return carrier.Report{}, errLine
	}
	return *d.report, nil
}

// busyLine is a carrier who takes so long that something else happens meanwhile.
type busyLine struct {
	asked     int
	meanwhile func()
}

// Track implements carrier.Tracker.
func (b *busyLine) Track(context.Context, string, string, string, time.Time) (carrier.Report, error) {
	if b.asked++; b.asked == 1 {
		b.meanwhile()
	}
	return carrier.Report{Seen: true}, nil
}

// TestOneNodeAsksACarrier: while one node asks about a parcel no other one does,
// and what it hears plans the next question.
func TestOneNodeAsksACarrier(t *testing.T) {
	line := &busyLine{}
	w := newWorld(t).with(replaced{tracker: line})
	other := work.New(w.loops.Config)
	t.Cleanup(other.Close)
	line.meanwhile = func() {
		if err := other.Drain(t.Context(), w.Merchant); err != nil {
			t.Error(err)
		}
	}
	p := w.shipped()
	w.Clock.Advance(24 * time.Hour)
	w.drain()
	if line.asked != 1 {
		t.Errorf("two nodes asked %d times", line.asked)
	}
	next := w.payment(p.ID).TrackAt
	if wait := next.Sub(w.Now()); wait <= w.loops.Lease {
		t.Errorf("the next question is due in %s", wait)
	}
	w.Clock.Advance(next.Sub(w.Now()))
	w.drain()
	if line.asked != 2 {
		t.Errorf("asked %d times when the next question was due", line.asked)
	}
}

// TestCarrierDown: no news is no delivery; the carrier is asked again, at a
// bounded pace, and what it says at last counts from when it was known.
func TestCarrierDown(t *testing.T) {
	line := &deadLine{}
	w := newWorld(t).with(replaced{tracker: line})
	p := w.shipped()
	arrived := w.Now().Add(2 * time.Hour)
	w.pass(24 * time.Hour)
	if p = w.payment(p.ID); p.State != escrow.Shipped || line.asked < 10 || line.asked > 60 {
		t.Fatalf("%s after %d questions in a day", p.State, line.asked)
	}
	line.mu.Lock()
	line.report = &carrier.Report{Seen: true, DeliveredAt: arrived}
	line.mu.Unlock()
	w.pass(time.Hour)
	p = w.payment(p.ID)
	if p.State != escrow.Delivered || !p.Delivery.DeliveredAt.Equal(arrived) {
		t.Fatalf("%s, delivered at %s", p.State, p.Delivery.DeliveredAt)
	}
	if got := lastDay(t, p); got != "2026-03-12" { // Monday's delivery, and at least a day after it was known
		t.Errorf("last day %s", got)
	}
}

// TestCarrierTalksNonsense: an impossible report changes nothing and stops nobody.
func TestCarrierTalksNonsense(t *testing.T) {
	line := &deadLine{report: &carrier.Report{Seen: true, DeliveredAt: servetest.Start.AddDate(-1, 0, 0)}}
	w := newWorld(t).with(replaced{tracker: line})
	p := w.shipped()
	w.pass(6 * time.Hour)
	if p = w.payment(p.ID); p.State != escrow.Shipped || p.TrackAt.IsZero() || line.asked < 3 {
		t.Errorf("%s, asked %d times, next at %s", p.State, line.asked, p.TrackAt)
	}
}

// onItsWay is a mail server at which something happens while it has the first letter
// that asks for a decision, and whose answer to that letter is lost.
type onItsWay struct {
	mu        sync.Mutex
	meanwhile func()
}

// then is what happens meanwhile, once.
func (s *onItsWay) then() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.meanwhile
	s.meanwhile = nil
	return f
}

// Send takes a letter.
func (s *onItsWay) Send(_ context.Context, m mail.Message) error {
	if !strings.Contains(m.Text, "구매결정 마지막 날") {
		return nil
	}
	then := s.then()
	if then == nil {
		return nil
	}
	then()
	return &mail.SendError{Reason: "the connection broke"}
}

// TestALetterOnItsWayNamesTheLastDay: the parcel is marked as delivered while the
// letter that names the later last day is with the mail server.
func TestALetterOnItsWayNamesTheLastDay(t *testing.T) {
	server := &onItsWay{}
	w := newWorld(t, servetest.Sender(server))
	p := w.held()
	server.mu.Lock()
	server.meanwhile = func() { w.do(escrow.Operator, p.ID, escrow.MarkDelivered{At: w.Now(), Reason: "전화"}) }
	server.mu.Unlock()
	w.do(escrow.Shop, p.ID, escrow.RegisterDelivery{Parcels: []escrow.Parcel{{Carrier: escrow.SelfDelivery}}, SentAt: w.Now()})
	w.drain()
	w.pass(time.Hour)
	p = w.payment(p.ID)
	if d := p.Deadline; server.then() != nil || p.State != escrow.Delivered || d == nil || d.LastDay.String() != "2026-03-17" {
		t.Errorf("the payment is %s, its deadline is %+v; the first letter named 17 March", p.State, p.Deadline)
	}
}
