package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/settle"
	"github.com/holdfast-pay/holdfast/internal/wire/body"
)

const (
	// advanceMax is the farthest that one call moves a clock.
	advanceMax = 400 * 24 * time.Hour
	// businessDaysMax is the most business days that one call moves a clock.
	businessDaysMax = 250
	// advanceTime bounds how long a call may work, whether or not its caller waits.
	advanceTime = 10 * time.Minute
	// happenedMax is the most things that one answer lists; the rest are counted.
	happenedMax = 500
	// eventsPage is how many events are read at once.
	eventsPage = 500
)

// clockLast is the last day to which a clock may be moved: the calendar of
// business days ends in 2050, and deadlines must still be found after it.
var clockLast = bizday.MustParseDate("2049-12-31")

// clockState is where a merchant's clock stands.
type clockState struct {
	Now          *string `json:"now"`
	Real         *string `json:"real"`
	AheadSeconds int64   `json:"ahead_seconds"`
	// NextDue is the next instant at which something falls due; null if nothing does.
	NextDue *string `json:"next_due"`
}

// advanced is what an advance did.
type advanced struct {
	clockState
	From     *string        `json:"from"`
	Happened []happenedItem `json:"happened"`
	// Count is how many events happened, with the letters and payouts that belong
	// to the listed ones; Truncated says that not all is listed.
	Count     int  `json:"count"`
	Truncated bool `json:"truncated"`
}

func (s *server) showClock(ctx context.Context, c *call) (any, error) {
	if err := c.f.Err(); err != nil {
		return nil, err
	}
	return s.clock(ctx, c.m.ID)
}

func (s *server) clock(ctx context.Context, merchantID string) (clockState, error) {
	m, err := s.app.MerchantNew(ctx, merchantID)
	if err != nil {
		return clockState{}, err
	}
	due, err := s.app.NextDue(ctx, merchantID)
	real := s.app.Real()
	return clockState{instant(m.Now(real)), instant(real), int64(m.Now(real).Sub(real).Round(time.Second) / time.Second), instant(due)}, err
}

// advance moves the merchant's clock and lists what happened on the way.
func (s *server) advance(ctx context.Context, c *call) (any, error) {
	var to time.Time
	var err error
	if !app.Acted(ctx) { // else the clock may stand there already
		if to, err = s.takeTarget(ctx, c); err != nil {
			return nil, err
		}
	}
	done, err := s.hold(c.m.ID)
	if err != nil {
		return nil, err
	}
	defer done()
	if to, err = app.Note(ctx, s.app, "target", to); err != nil {
		return nil, err
	}
	// A caller who hangs up must not leave a clock half way.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), advanceTime)
	defer cancel()
	return s.advanceTo(ctx, c.m.ID, to)
}

var reasonBusy = body.Reason{Code: "busy", English: "the clock is being moved by another call; wait for it to end", Korean: "다른 요청이 시계를 옮기는 중입니다. 끝난 뒤 다시 시도해 주세요"}

// hold makes the caller the only one who moves the merchant's clock, until the
// function that it returns is called.
func (s *server) hold(merchantID string) (done func(), err error) {
	if _, busy := s.moving.LoadOrStore(merchantID, struct{}{}); busy {
		return nil, app.ErrClockTaken
	}
	return func() { s.moving.Delete(merchantID) }, nil
}

// mark is a point in a merchant's history from which on is listed what happened.
type mark struct {
	at       time.Time
	position int64
	payouts  []settle.Payout
}

func (s *server) mark(ctx context.Context, merchantID string) (mark, error) {
	now, err := s.app.NowOf(ctx, merchantID)
	if err != nil {
		return mark{}, err
	}
	position, err := s.app.LastPosition(ctx, merchantID)
	if err != nil {
		return mark{}, err
	}
	payouts, err := s.app.Payouts(ctx, merchantID, 0, happenedMax)
	return mark{now, position, payouts}, err
}

// advanceTo moves a clock that the caller holds.
func (s *server) advanceTo(ctx context.Context, merchantID string, to time.Time) (advanced, error) {
	before, err := s.mark(ctx, merchantID)
	if err != nil {
		return advanced{}, err
	}
	if err := s.loops.Advance(ctx, merchantID, to); err != nil {
		return advanced{}, err
	}
	out := advanced{From: instant(before.at)}
	if out.Happened, out.Count, err = s.happenedSince(ctx, merchantID, before); err != nil {
		return advanced{}, err
	}
	out.Truncated = out.Count > len(out.Happened)
	out.clockState, err = s.clock(ctx, merchantID)
	return out, err
}

// timed orders what happened.
type timed struct {
	at   time.Time
	item happenedItem
}

// happenedSince lists what happened after a mark in the order of time, and
// counts it.
func (s *server) happenedSince(ctx context.Context, merchantID string, before mark) ([]happenedItem, int, error) {
	events, count, err := s.eventsSince(ctx, merchantID, before.position)
	if err != nil {
		return nil, 0, err
	}
	mails, err := s.mailsOf(ctx, merchantID, events)
	if err != nil {
		return nil, 0, err
	}
	payouts, err := s.payoutsSince(ctx, merchantID, before.payouts)
	if err != nil {
		return nil, 0, err
	}
	count += len(mails) + len(payouts)
	var all []timed
	for _, e := range events {
		all = append(all, timed{e.At, eventItem(e)})
	}
	all = append(append(all, mails...), payouts...)
	slices.SortStableFunc(all, func(a, b timed) int { return a.at.Compare(b.at) })
	items := make([]happenedItem, 0, min(len(all), happenedMax))
	for _, t := range all[:min(len(all), happenedMax)] {
		items = append(items, t.item)
	}
	return items, count, nil
}

// eventsSince returns the first events of payments after a position and counts all
// of them. Events of payouts are left out, because payouts are listed themselves;
// those beyond a page are counted all the same.
func (s *server) eventsSince(ctx context.Context, merchantID string, position int64) ([]app.LoggedEvent, int, error) {
	events, err := s.app.EventsAfter(ctx, merchantID, position, eventsPage)
	if err != nil {
		return nil, 0, err
	}
	all := len(events)
	events = slices.DeleteFunc(events, func(e app.LoggedEvent) bool { return e.Payout != nil })
	last, err := s.app.LastPosition(ctx, merchantID)
	return events, int(last-position) - (all - len(events)), err
}

// mailsOf lists the letters that the listed events caused.
func (s *server) mailsOf(ctx context.Context, merchantID string, events []app.LoggedEvent) ([]timed, error) {
	type cause struct {
		payment string
		seq     int64
	}
	caused := map[cause]bool{}
	for _, e := range events {
		caused[cause{e.Payment, e.Seq}] = true
	}
	mails, err := s.mails(ctx, merchantID, "", 0, happenedMax)
	var out []timed
	for _, m := range slices.Backward(mails) {
		if caused[cause{m.Payment, m.Seq}] {
			out = append(out, timed{m.CreatedAt, happenedItem{At: instant(m.CreatedAt), What: whatMail, ImpUID: text(m.Payment), Type: string(m.Kind), Detail: text(m.Recipient)}})
		}
	}
	return out, err
}

// payoutsSince lists the payouts that are new or stand otherwise than before.
func (s *server) payoutsSince(ctx context.Context, merchantID string, before []settle.Payout) ([]timed, error) {
	after, err := s.app.Payouts(ctx, merchantID, 0, happenedMax)
	var out []timed
	for _, p := range after {
		same := slices.ContainsFunc(before, func(b settle.Payout) bool { return b.ID == p.ID && b.State == p.State })
		if same {
			continue
		}
		at, amount := p.OrderAt, int64(p.Amount)
		if !p.DoneAt.IsZero() {
			at = p.DoneAt
		}
		out = append(out, timed{at, happenedItem{At: instant(at), What: whatPayout, Type: string(p.State), Amount: &amount, Detail: text(p.ID)}})
	}
	return out, err
}

var (
	reasonOneTarget = body.Reason{Code: "target", English: "give exactly one of to, by and business_days", Korean: "to, by, business_days 중 하나만 입력해야 합니다"}
	reasonBackwards = body.Reason{Code: "backwards", English: "a test clock moves only forward", Korean: "테스트 시계는 앞으로만 옮길 수 있습니다"}
	reasonTooFar    = body.Reason{Code: "too_far", English: fmt.Sprintf("one call moves a clock by at most %d days, and never beyond %s", advanceMax/(24*time.Hour), clockLast), Korean: fmt.Sprintf("한 번에 최대 %d일까지, %s 이전으로만 옮길 수 있습니다", advanceMax/(24*time.Hour), clockLast)}
	reasonNoSpan    = body.Reason{Code: "no_span", English: "must be longer than no time at all", Korean: "0보다 긴 기간이어야 합니다"}
	reasonSpan      = body.Reason{Code: "span", English: "must be a time span such as 36h, 90m or 3d", Korean: "36h, 90m, 3d와 같은 기간이어야 합니다"}
)

// takeTarget takes the instant to which the clock is to be moved.
func (s *server) takeTarget(ctx context.Context, c *call) (time.Time, error) {
	now, err := s.app.NowOf(ctx, c.m.ID)
	if err != nil {
		return time.Time{}, err
	}
	to, given := takeInstant(c.f, "to"), 0
	for _, name := range []string{"to", "by", "business_days"} {
		if c.f.Has(name) {
			given++
		}
	}
	if given != 1 {
		c.f.Refuse("to", reasonOneTarget)
	}
	if c.f.Has("by") {
		to = now.Add(takeSpan(c.f, "by"))
	}
	if n, ok := c.f.Int("business_days", 1, businessDaysMax); ok {
		// As the law counts silence: until so many business days have passed.
		if _, to, err = s.app.Calendar().ConfirmAt(now, int(n)); err != nil {
			return time.Time{}, err
		}
	}
	if err := c.f.Err(); err != nil {
		return time.Time{}, err
	}
	return to, checkTarget(now, to)
}

func checkTarget(now, to time.Time) error {
	switch {
	case to.Before(now):
		return &refusal{http.StatusBadRequest, "to", reasonBackwards}
	case to.Sub(now) > advanceMax || bizday.DateOf(to).After(clockLast):
		return &refusal{http.StatusBadRequest, "to", reasonTooFar}
	}
	return nil
}

// spans are the notations of a time span: days, and what Go calls a duration.
var spans = regexp.MustCompile(`^(?:(\d{1,4})d)?((?:\d{1,6}[hms])*)$`)

func takeSpan(f *body.Fields, name string) time.Duration {
	raw := f.Text(name, 40)
	parts := spans.FindStringSubmatch(raw)
	if raw == "" || parts == nil {
		f.Refuse(name, reasonSpan)
		return 0
	}
	days, _ := strconv.Atoi("0" + parts[1])
	rest, err := time.ParseDuration("0s" + parts[2])
	if err != nil {
		f.Refuse(name, reasonSpan)
	}
	span := time.Duration(days)*24*time.Hour + rest
	if err == nil && span == 0 {
		f.Refuse(name, reasonNoSpan)
	}
	return span
}
