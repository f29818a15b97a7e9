package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/escrow"
	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/merchant"
	"github.com/holdfast-pay/holdfast/internal/webhook"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev1"
	"github.com/holdfast-pay/holdfast/internal/wire/wirev2"
)

// hookLeases is how many times longer than other work a call is left to whoever
// took it: it may have waited for a page of others.
const hookLeases = 5

// webhooks makes the calls that a merchant is owed and waits for their ends, for
// each no longer than CallLimit. Somebody who moves a clock waits for them, so
// that no endpoint is left alone for failing.
func (l *Loops) webhooks(ctx context.Context, merchantID string) (int, error) {
	due, err := l.App.DueLanes(ctx, merchantID)
	var claimed []app.Webhook
	for len(due) > 0 && len(claimed) < l.page() && err == nil {
		var takes []app.Take
		var some []app.Webhook
		takes, due = share(due, l.page()-len(claimed))
		some, err = l.claimHooks(ctx, merchantID, takes)
		claimed = append(claimed, some...)
	}
	done, failed := each(ctx, l, claimed, func(w app.Webhook) error {
		_, err := l.webhook(ctx, w, l.CallLimit)
		return err
	})
	return done, errors.Join(err, failed)
}

// share shares n calls among lanes, to the first as many as are due there, and
// returns the lanes for which none is left: their turn comes when a claim from the
// first brings less, because calls there wait for an earlier one of their payment.
func share(due []app.DueLane, n int) (takes []app.Take, rest []app.DueLane) {
	for ; n > 0 && len(due) > 0; due = due[1:] {
		some := min(n, due[0].N)
		takes = append(takes, app.Take{Lane: due[0].Lane, N: some})
		n -= some
	}
	return takes, due
}

// claimHooks claims calls from lanes, of which it says which keep an order.
func (l *Loops) claimHooks(ctx context.Context, merchantID string, takes []app.Take) ([]app.Webhook, error) {
	for i := range takes {
		m, err := l.App.Merchant(ctx, takes[i].Merchant)
		if err != nil {
			return nil, err
		}
		id, _ := merchant.Lane(takes[i].Endpoint)
		e, _ := m.Endpoint(id)
		takes[i].Ordered = e.Ordered && !fault.Planted(fault.OrderIgnored)
	}
	return l.App.ClaimWebhooks(ctx, merchantID, takes, hookLeases*l.Lease)
}

// startWebhooks begins calls that are due and does not wait for their ends; the
// loop looks on for those of other endpoints. The machine's clock counts, and for
// a merchant whose test clock runs ahead its own.
func (l *Loops) startWebhooks(ctx context.Context) (int, error) {
	var errs []error
	l.lanes.due(l.App.ReadyLanes()...)
	if l.lookDue() {
		errs = append(errs, l.look(ctx))
	}
	ahead := map[string][]app.Take{}
	for _, t := range l.lanes.take(l.App.Real(), func(n app.Lane) bool {
		_, moving := l.advancing.Load(n.Merchant)
		return !moving // Advance is doing it, at its own instants
	}) {
		m, err := l.App.Merchant(ctx, t.Merchant)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		clock := ""
		if m.Ahead > 0 {
			clock = m.ID
		}
		ahead[clock] = append(ahead[clock], t)
	}
	begun := 0
	for clock, takes := range ahead {
		n, err := l.begin(ctx, clock, takes)
		begun += n
		errs = append(errs, err)
	}
	return begun, errors.Join(errs...)
}

// begin claims from lanes and begins the calls.
func (l *Loops) begin(ctx context.Context, clock string, takes []app.Take) (int, error) {
	claimed, err := l.claimHooks(ctx, clock, takes)
	if err != nil {
		for _, t := range takes {
			l.lanes.due(t.Lane)
		}
		return 0, err
	}
	count := map[app.Lane]int{}
	for _, w := range claimed {
		count[laneOf(&w)]++
	}
	for _, t := range takes {
		l.lanes.taken(t, count[t.Lane])
	}
	for _, w := range claimed {
		l.wg.Go(func() {
			var end ending
			defer func() { l.lanes.end(laneOf(&w), end) }()
			var err error
			if end, err = l.webhook(ctx, w, 0); err != nil && ctx.Err() == nil {
				l.Log.Error("a call to a shop was not recorded; it is made again", "webhook", w.ID, "error", err)
			}
		})
	}
	return len(claimed), nil
}

func laneOf(w *app.Webhook) app.Lane { return app.Lane{Merchant: w.Merchant, Endpoint: w.Endpoint} }

// lookDue reports, at most once in a rest, that it is time to look for what has
// fallen due by itself or on other nodes.
func (l *Loops) lookDue() bool {
	now := time.Now() //nolint:forbidigo // a pause of this loop, not a business instant
	if now.Sub(l.looked) < rest {
		return false
	}
	l.looked = now
	return true
}

// look finds lanes in which something has fallen due, and the endpoints that fail.
func (l *Loops) look(ctx context.Context) error {
	failing, err := l.App.Failing(ctx, "")
	if err != nil {
		return err
	}
	l.lanes.failing(failing)
	ahead, err := l.App.AheadMerchants(ctx)
	if err != nil {
		return err
	}
	for _, id := range append(ahead, "") {
		due, err := l.App.DueLanes(ctx, id)
		if err != nil {
			return err
		}
		for _, d := range due {
			l.lanes.due(d.Lane)
		}
	}
	return nil
}

// unsayable, unsigned and switchedOff are what a shop's log says of a call that is not made.
const (
	unsayable   = "the event of this call cannot be told: its record is missing or damaged; nothing was sent"
	unsigned    = "the signing secret of the endpoint cannot be read since the server's own was replaced: rotate it and replay what failed; nothing was sent"
	switchedOff = "the endpoint is switched off or deleted; nothing was sent"
)

// ending is how a call ended: whether the shop took it, and until when the endpoint
// is to be left alone, by the machine's clock; zero says nothing of that.
type ending struct {
	took bool
	rest time.Time
}

// addressOf is where a call goes now; empty if the endpoint wants no calls. What an
// endpoint is owed goes to its present URL, so that a corrected one counts for
// repetitions too. A notice goes to the URL that the payment was given, also when
// the endpoint whose format and secrets it uses is switched off.
func addressOf(w *app.Webhook, e *merchant.Endpoint, notice bool) string {
	switch {
	case notice:
		return w.URL
	case e.Off != nil:
		return ""
	}
	return e.URL
}

// webhook makes one call, of at most the given time (0: what the call itself
// allows), and records what became of it. What cannot be said is not called and not
// tried again: its log tells why.
func (l *Loops) webhook(ctx context.Context, w app.Webhook, limit time.Duration) (end ending, err error) {
	m, err := l.App.Merchant(ctx, w.Merchant)
	if err != nil {
		return end, err
	}
	id, notice := merchant.Lane(w.Endpoint)
	e, known := m.Endpoint(id)
	url := addressOf(&w, &e, notice)
	if !known || url == "" {
		return end, l.undone(ctx, &m, w, switchedOff)
	}
	call := webhook.Call{
		ID: w.ID, URL: url, ContentType: e.Format.ContentType(), Repeated: w.Attempts > 1 && e.Format.IsV1(),
		Private: m.Mode == merchant.Sandbox, Limit: limit, Standard: !e.Format.IsV1(),
	}
	call.Body, err = l.body(ctx, &m, &e, &w)
	if err == nil {
		call.Keys, err = l.App.SigningKeys(m.ID, &e)
	}
	switch {
	case app.IsUnavailable(err), err != nil && ctx.Err() != nil:
		return end, err // the lease runs out and the call is made then
	case err != nil:
		l.Log.Error("a call to a shop cannot be made", "webhook", w.ID, "payment", w.Payment, "error", err)
		why := unsayable
		if errors.Is(err, app.ErrNoSigningKey) {
			why = unsigned
		}
		return end, l.undone(ctx, &m, w, why)
	}
	a := l.Hooks.Send(ctx, call)
	told := app.Told{Measured: !notice && m.Kept(id), Took: a.Delivered(), Gone: !e.Format.IsV1() && a.Status == gone}
	end.took = a.Delivered()
	end.rest, err = l.logged(ctx, called(w, &e, a, l.App.MerchantNow(&m)), a, told)
	return end, err
}

// gone is the answer of an endpoint that wants to hear nothing any more.
const gone = 410

// undone records a call that was not made.
func (l *Loops) undone(ctx context.Context, m *merchant.Merchant, w app.Webhook, why string) error {
	w.State, w.DoneAt = app.WebhookFailed, l.App.MerchantNow(m)
	_, err := l.logged(ctx, w, webhook.Attempt{At: l.App.Real(), URL: w.URL, Error: why}, app.Told{})
	return err
}

// logged records what became of a call, and returns until when its endpoint rests.
func (l *Loops) logged(ctx context.Context, w app.Webhook, a webhook.Attempt, told app.Told) (rest time.Time, err error) {
	raw, err := json.Marshal(a)
	if err != nil {
		return rest, err
	}
	err = l.kept(ctx, func() error {
		rest, err = l.App.WebhookDone(ctx, w, raw, told)
		return err
	})
	return rest, err
}

// called decides after an attempt whether there will be another.
func called(w app.Webhook, e *merchant.Endpoint, a webhook.Attempt, now time.Time) app.Webhook {
	ends := a.Delivered() || a.Status == gone
	if e.Format.IsV1() {
		ends = a.Final()
	}
	switch {
	case a.Delivered():
		w.State, w.DoneAt = app.WebhookDelivered, now
	case ends || w.Attempts >= w.Max:
		w.State, w.DoneAt = app.WebhookFailed, now
	default:
		w.DueAt = now.Add(max(e.Pause(w.ID, int(w.Max-w.Attempts)), time.Duration(a.RetryAfter)*time.Second))
	}
	return w
}

// form is a webhook body in both of its encodings.
type form interface {
	JSON() ([]byte, error)
	Form() string
}

// body is the text that the event's step has, in the endpoint's format. It is
// the same at every repetition.
func (l *Loops) body(ctx context.Context, m *merchant.Merchant, e *merchant.Endpoint, w *app.Webhook) ([]byte, error) {
	if w.Kind == merchant.TellTest {
		return encoded(e, testNotice(m, e, w))
	}
	logged, err := l.App.Event(ctx, w.Merchant, w.Payment, w.Seq)
	if err != nil {
		return nil, err
	}
	var p escrow.Payment
	if logged.Payout == nil {
		if p, err = l.App.Payment(ctx, w.Merchant, w.Payment); err != nil {
			return nil, err
		}
	}
	return Body(m, e, w.Kind, &p, &logged)
}

// Body is what an endpoint is told of an event under a name. It is the same at
// every repetition. p is the payment that the event is about, unused of a payout.
func Body(m *merchant.Merchant, e *merchant.Endpoint, name string, p *escrow.Payment, logged *app.LoggedEvent) ([]byte, error) {
	notice, told := noticeOf(m, e.Format, name, p, logged)
	if !told {
		return nil, fmt.Errorf("work: event %s of %s has no webhook body", logged.Type, logged.Payment)
	}
	return encoded(e, notice)
}

// Question is what a shop is asked at a payment's confirmUrl, in the words of the
// dialect that opened the payment and, of V2, in the endpoint's format. at is the
// merchant's present instant.
func Question(m *merchant.Merchant, e *merchant.Endpoint, p *escrow.Payment, at time.Time) ([]byte, error) {
	switch {
	case !p.V2:
		return wirev1.ConfirmQuestion(p).JSON()
	case e.Format.IsOld():
		return encoded(e, wirev2.OldConfirmQuestion(p))
	}
	return wirev2.ConfirmQuestion(m.Code, p, at).JSON()
}

func encoded(e *merchant.Endpoint, notice form) ([]byte, error) {
	if e.Format.IsForm() {
		return []byte(notice.Form()), nil
	}
	return notice.JSON()
}

// noticeOf is what is told of an event under a name, in a format; false if the
// event is not told so.
func noticeOf(m *merchant.Merchant, f merchant.Format, name string, p *escrow.Payment, e *app.LoggedEvent) (notice form, told bool) {
	switch {
	case e.Payout != nil:
		if f != merchant.V2 || !slices.Contains(merchant.ToldOfPayout(e.Type), name) {
			return nil, false
		}
		return wirev2.PayoutNotice(m.Code, name, e.Payment, e.Event, *e.Payout, e.Position), true
	case name == merchant.TellEscrow:
		return wirev1.EscrowNoticeOf(p, e.Event)
	case name == merchant.TellStatus:
		return wirev1.NoticeOf(p, e.Event)
	case f.IsOld():
		return wirev2.OldNoticeOf(name, p)
	}
	return wirev2.NoticeOf(m.Code, name, p, e.Event, e.Position)
}

// testNotice is a test call's, which is about no payment.
func testNotice(m *merchant.Merchant, e *merchant.Endpoint, w *app.Webhook) form {
	switch {
	case e.Format.IsV1():
		return wirev1.TestNotice()
	case e.Format != merchant.V2:
		return wirev2.OldTestNotice()
	}
	return wirev2.TestNotice(m.Code, w.CreatedAt)
}
