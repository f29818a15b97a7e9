package work_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/serve/servetest"
	"github.com/holdfast-pay/holdfast/internal/work"
)

// TestEverythingAtItsOwnInstant: one long step of the clock does each thing when
// it is due, in order, as many short ones would.
func TestEverythingAtItsOwnInstant(t *testing.T) {
	one, many := newWorld(t), newWorld(t)
	var logs [2][]string
	for i, w := range []*world{one, many} {
		p := w.delivered()
		unpaid := w.issued()
		end := servetest.Start.AddDate(0, 0, 14)
		if w == one {
			w.until(end)
		} else {
			for w.Now().Before(end) {
				w.pass(time.Hour)
			}
		}
		for _, id := range []string{p.ID, unpaid.ID} {
			logs[i] = append(logs[i], w.diary(id)...)
		}
		w.CheckBooks()
	}
	if fmt.Sprint(logs[0]) != fmt.Sprint(logs[1]) {
		t.Errorf("in one step:\n%v\nin many:\n%v", logs[0], logs[1])
	}
	for _, want := range []string{
		"03-11 10:00 Reminded decision", "03-13 00:00 Confirmed auto", // after Thursday, the last day
		"03-12 06:00 Reminded deposit", "03-12 09:10 AccountExpired ", // three hours before the due time, and ten minutes after it
	} {
		if !slices.Contains(logs[0], want) {
			t.Errorf("%q is missing in %q", want, logs[0])
		}
	}
	payouts, err := one.App.Payouts(t.Context(), one.Merchant, 0, 10)
	if err != nil || len(payouts) != 1 || payouts[0].OrderAt.In(bizday.KST).Format("01-02 15:04") != "03-17 10:00" {
		t.Errorf("payouts %+v, %v", payouts, err)
	}
}

// diary are the events of a payment with their instants, and the order of the log
// must be that of time.
func (w *world) diary(id string) (out []string) {
	w.T.Helper()
	events, err := w.App.Events(w.T.Context(), w.Merchant, id)
	if err != nil {
		w.T.Fatal(err)
	}
	var last time.Time
	for _, e := range events {
		if e.At.Before(last) {
			w.T.Errorf("event %d of %s lies before the one before it", e.Seq, id)
		}
		last = e.At
		out = append(out, e.At.In(bizday.KST).Format("01-02 15:04 ")+string(e.Type)+" "+e.Kind)
	}
	return out
}

// stuck is a mail server that holds every letter until it is let go.
type stuck struct {
	reached chan struct{}
	release chan struct{}
}

// Send implements work.Post.
func (s stuck) Send(context.Context, *app.Mail) (bool, error) {
	s.reached <- struct{}{}
	<-s.release
	return false, nil
}

// TestOneAdvanceAtATime: a second hand on the clock is told to wait, and the
// first is not disturbed.
func TestOneAdvanceAtATime(t *testing.T) {
	post := stuck{make(chan struct{}, 100), make(chan struct{})}
	w := newWorld(t).with(replaced{post: post})
	w.issued()
	to := w.Now().Add(time.Hour)
	first := make(chan error, 1)
	go func() { first <- w.loops.Advance(context.Background(), w.Merchant, to) }()
	<-post.reached
	if err := w.loops.Advance(t.Context(), w.Merchant, to.Add(time.Hour)); !errors.Is(err, work.ErrAdvancing) {
		t.Errorf("a second advance: %v", err)
	}
	close(post.release)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if !w.Now().Equal(to) {
		t.Errorf("the clock stands at %s, want %s", w.Now(), to)
	}
	w.until(to.Add(time.Minute))
}

// TestClocksDoNotGoBack, and a live merchant has none to move.
func TestClocksDoNotGoBack(t *testing.T) {
	w := newWorld(t)
	w.pass(time.Hour)
	now := w.Now()
	var no *escrow.Refusal
	if err := w.loops.Advance(t.Context(), w.Merchant, now.Add(-time.Second)); !errors.As(err, &no) || no.Field != "to" {
		t.Errorf("back by a second: %v", err)
	}
	if !w.Now().Equal(now) {
		t.Errorf("the clock moved to %s", w.Now())
	}
	if err := w.loops.Advance(t.Context(), "mrc_nobody", now.Add(time.Hour)); !errors.As(err, &no) || no.Code != escrow.NotFound {
		t.Errorf("the clock of nobody: %v", err)
	}
}

// TestAdvanceEndsWithItsCaller: somebody who hangs up stops the clock where it is.
func TestAdvanceEndsWithItsCaller(t *testing.T) {
	w := newWorld(t)
	w.issued()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.loops.Advance(ctx, w.Merchant, w.Now().AddDate(0, 0, 10)); !errors.Is(err, context.Canceled) {
		t.Errorf("an advance for nobody: %v", err)
	}
	w.pass(time.Hour) // and it can be moved again
}

// TestOneStepAtATime: with AtOnce 1 a step does one thing of its kind, the one
// that fell due first, and says when there is nothing.
func TestOneStepAtATime(t *testing.T) {
	w := newWorld(t)
	w.issued()
	w.Clock.Advance(time.Second)
	w.issued()
	c := w.Server.Loops.Config
	c.AtOnce = 1
	w.loops = work.New(c)
	t.Cleanup(w.loops.Close)
	for done, want := range []int{1, 1, 0} {
		got, err := w.loops.Step(t.Context(), app.WorkMail, w.Merchant)
		if got != want || err != nil {
			t.Fatalf("step %d did %d, %v, want %d", done+1, got, err, want)
		}
		mails, err := w.App.Mails(t.Context(), w.Merchant, "", 0, 10) // newest first
		if err != nil || len(mails) != 2 {
			t.Fatalf("%d mails, %v", len(mails), err)
		}
		if mails[1].State != app.MailSent || (mails[0].State == app.MailSent) != (done >= 1) {
			t.Fatalf("after step %d the older mail is %s, the newer %s", done+1, mails[1].State, mails[0].State)
		}
	}
	if _, err := w.loops.Step(t.Context(), "sleep", w.Merchant); err == nil {
		t.Error("there is a loop for sleep")
	}
}

// TestAdvanceEnds: a clock that is being moved does not keep a node from stopping.
func TestAdvanceEnds(t *testing.T) {
	w := newWorld(t)
	w.loops.End()
	if err := w.loops.Advance(t.Context(), w.Merchant, w.Now().Add(time.Hour)); !errors.Is(err, app.ErrEnding) || !app.IsUnavailable(err) {
		t.Errorf("moving the clock ends with %v", err)
	}
}
