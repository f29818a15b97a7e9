package escrow

import (
	"slices"
	"strings"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/fault"
)

const (
	// reminderHour is the hour of the Korean day at which reminders are sent.
	reminderHour = 10
	// overdueDays is how many business days a trackable parcel may take before a
	// person has to look for it.
	overdueDays = 10
	// dueSoon is how long before an account's due time its buyer is reminded.
	dueSoon = 3 * time.Hour
	// dueSoonMark stands for that reminder in Payment.Reminded.
	dueSoonMark = -1
)

// setDeadline computes the end of the buyer's time from the facts, with its
// working. It may stop the clock (no deadline), and it never sets a time
// earlier than one already announced.
func (a *act) setDeadline() error {
	old := a.p.Deadline
	d, err := a.deadline()
	if err != nil {
		return err
	}
	a.p.Deadline = d
	if d == nil {
		return nil
	}
	if a.firm() {
		a.announce(d.At)
	}
	if old != nil && old.At.Equal(d.At) {
		return nil
	}
	a.skipPastReminders()
	working, err := a.working(d)
	if err != nil {
		return err
	}
	a.emit(Event{Type: EventDecisionDue, Kind: string(d.Rule), LastDay: d.LastDay, Due: d.At, Working: working})
	return nil
}

// working tells how a deadline was counted, as the calendar is now.
func (a *act) working(d *Deadline) (Working, error) {
	x, err := a.env.Calendar.Explain(d.From, d.Days)
	if err != nil {
		return Working{}, err
	}
	var skipped []string
	for _, day := range x.Days {
		if day.Number == 0 {
			skipped = append(skipped, day.Date.String()+" "+day.Reason())
		}
	}
	return Working{From: d.From, Days: d.Days, Skipped: strings.Join(skipped, "\n")}, nil
}

// announce keeps the latest deadline that the buyer was told.
func (a *act) announce(at time.Time) {
	if at.After(a.p.Announced) {
		a.p.Announced = at
	}
}

// announceLastDay keeps a last day before a letter names it. Between the sending of a
// letter and the record of it the payment may change; what the letter says stands.
func (a *act) announceLastDay(c Announce) error {
	at := c.LastDay.AddDays(1).Start()
	if c.LastDay.IsZero() || a.p.State != Shipped && a.p.State != Delivered || !at.After(a.p.Announced) {
		a.unchanged = true
		return nil
	}
	a.announce(at)
	a.recount = a.p.Deadline != nil
	return nil
}

// firm reports whether a computed deadline is one that the buyer is told. The
// D+6 date of a parcel that may yet be tracked is only a fallback.
func (a *act) firm() bool { return a.p.State == Delivered || !a.p.Delivery.Trackable }

func (a *act) deadline() (*Deadline, error) {
	if a.p.State != Shipped && a.p.State != Delivered || a.p.Hold != nil {
		return nil, nil
	}
	if a.env.Profile.StrictNotice && a.p.Notice != NoticeDelivered {
		return nil, nil
	}
	d := &Deadline{Calendar: a.env.Calendar.Version()}
	del := a.p.Delivery
	switch {
	case a.p.State == Delivered:
		d.From, d.Days, d.Rule = bizday.DateOf(del.DeliveredAt), a.env.Profile.TrackedDays, AfterDelivery
	case !del.Trackable || !del.Seen():
		d.From, d.Days, d.Rule = bizday.DateOf(del.ChangedAt), a.env.Profile.UntrackedDays, AfterRegistration
	default:
		return nil, nil // on its way: the clock waits for the delivery
	}
	a.keepTerms(d)
	days := d.Days
	if fault.Planted(fault.DayShort) {
		days--
	}
	var err error
	if d.LastDay, err = a.env.Calendar.Add(d.From, days); err != nil {
		return nil, err
	}
	if err := a.raise(d); err != nil {
		return nil, err
	}
	d.At = d.LastDay.AddDays(1).Start()
	if d.At.Before(a.p.Announced) {
		d.At = a.p.Announced
		d.LastDay = bizday.DateOf(a.p.Announced).AddDays(-1)
	}
	return d, nil
}

// keepTerms gives a deadline that is counted again from the same fact the days that
// it had: a shop that has shortened its time since does so for later payments only.
func (a *act) keepTerms(d *Deadline) {
	if told := a.p.Deadline; told != nil && told.Rule == d.Rule && told.From == d.From {
		d.Days = max(d.Days, told.Days)
	}
}

// floor is the least time that a fact gives the buyer: so many business days
// after a day that is not counted.
type floor struct {
	from bizday.Date
	days int
	rule DeadlineRule
}

func (a *act) floors() []floor {
	var fs []floor
	if !a.p.Restart.IsZero() {
		fs = append(fs, floor{a.p.Restart, a.p.RestartDays, AfterRelease})
	}
	if a.p.Notice == NoticeDelivered {
		fs = append(fs, floor{bizday.DateOf(a.p.NoticeAt), leastDays, AfterNotice})
	}
	if a.p.State == Delivered {
		fs = append(fs, floor{bizday.DateOf(a.p.Delivery.KnownAt), 1, AfterNotice})
	}
	return fs
}

// raise moves the last day later where a later fact asks for it: a notice that
// reached the buyer after the receipt (Decree art. 28-3), a delivery that
// became known late, or a clock that had been stopped.
func (a *act) raise(d *Deadline) error {
	for _, f := range a.floors() {
		last, err := a.env.Calendar.Add(f.from, f.days)
		if err != nil {
			return err
		}
		if last.After(d.LastDay) {
			d.From, d.Days, d.LastDay, d.Rule = f.from, f.days, last, f.rule
		}
	}
	return nil
}

// Projected is the deadline that a payment would have if its notice reached the
// buyer now; mails that are that notice name it. It is nil while the clock
// waits for something else.
func Projected(p Payment, env Env) (*Deadline, error) {
	a := &act{env: env, p: p.clone()}
	if a.p.Notice != NoticeDelivered {
		a.p.Notice, a.p.NoticeAt = NoticeDelivered, env.Now
	}
	return a.deadline()
}

// recountDeadline applies a changed calendar: later only, and the buyer is told.
func (a *act) recountDeadline() error {
	later, err := a.laterDeadline()
	if err != nil {
		return err
	}
	if later.IsZero() {
		a.unchanged = true
		return nil
	}
	a.recount = true
	a.tellNewLastDay()
	return nil
}

// laterDeadline is when the deadline ends by the calendar as it is now, if that is
// later than was counted; zero if it is not.
func (a *act) laterDeadline() (time.Time, error) {
	old := a.p.Deadline
	if old == nil {
		return time.Time{}, nil
	}
	d, err := a.deadline()
	if err != nil || d == nil || !d.At.After(old.At) {
		return time.Time{}, err
	}
	return d.At, nil
}

// tellNewLastDay owes the buyer a last day that has moved, if one was told.
func (a *act) tellNewLastDay() {
	if a.firm() {
		a.mail(MailNewLastDay)
	}
}

// reminderAt is 10:00 in Korea on the day that is n business days before the last day.
func (a *act) reminderAt(n int) (time.Time, error) {
	day := a.p.Deadline.LastDay
	for left := n; left > 0; {
		day = day.AddDays(-1)
		open, _, err := a.env.Calendar.IsBusiness(day)
		if err != nil {
			return time.Time{}, err
		}
		if open {
			left--
		}
	}
	return day.Start().Add(reminderHour * time.Hour), nil
}

// skipPastReminders leaves out reminders of the day on which a deadline is set,
// and of days before: the mail that announces it says the same.
func (a *act) skipPastReminders() {
	a.p.Reminded = slices.DeleteFunc(a.p.Reminded, func(n int) bool { return n != dueSoonMark })
	for _, n := range a.env.Profile.Reminders {
		at, err := a.reminderAt(n)
		if err == nil && !bizday.DateOf(at).After(today(a.env)) {
			a.p.Reminded = append(a.p.Reminded, n)
		}
	}
}

// timer is one thing that time will do.
type timer struct {
	at time.Time
	do func() error
}

// timers lists everything that time may do to the payment as it is now.
func (a *act) timers() ([]timer, error) {
	switch a.p.State {
	case AwaitingDeposit:
		return a.depositTimers(), nil
	case Held:
		return a.cancelTimers()
	case Shipped, Delivered:
		return a.decisionTimers()
	case Opened, Failed, Paid, Confirmed, Rejected, RejectionAccepted, Cancelled:
		return nil, nil
	}
	return nil, nil
}

func (a *act) depositTimers() []timer {
	due := a.p.Account.Due
	ts := []timer{{due.Add(a.env.Profile.DepositGrace), a.expire}}
	soon := due.Add(-dueSoon)
	if soon.Sub(a.p.Account.IssuedAt) > dueSoon && !slices.Contains(a.p.Reminded, dueSoonMark) {
		ts = append(ts, timer{soon, a.remindDeposit})
	}
	return ts
}

func (a *act) cancelTimers() ([]timer, error) {
	if a.p.CancelAskedAt.IsZero() || a.env.Profile.AutoAgreeDays == 0 || a.p.Hold != nil {
		return nil, nil
	}
	last, err := a.env.Calendar.Add(bizday.DateOf(a.p.CancelAskedAt), a.env.Profile.AutoAgreeDays)
	if err != nil {
		return nil, err
	}
	if !a.p.Restart.IsZero() { // the shop has at least a day after a hold
		floor, err := a.env.Calendar.Add(a.p.Restart, a.p.RestartDays)
		if err != nil {
			return nil, err
		}
		if floor.After(last) {
			last = floor
		}
	}
	return []timer{{last.AddDays(1).Start(), a.agreeBySilence}}, nil
}

func (a *act) decisionTimers() ([]timer, error) {
	var ts []timer
	if d := a.p.Deadline; d != nil {
		ts = append(ts, timer{d.At, a.confirmByTime})
		reminders, err := a.reminderTimers()
		if err != nil {
			return nil, err
		}
		ts = append(ts, reminders...)
	}
	if a.p.State == Shipped && a.p.Delivery.Trackable && !a.p.HasTask(TaskParcelOverdue) {
		since := a.p.Delivery.ChangedAt
		if sought := a.p.Delivery.SoughtAt; sought.After(since) {
			since = sought
		}
		_, at, err := a.env.Calendar.ConfirmAt(since, overdueDays)
		if err != nil {
			return nil, err
		}
		ts = append(ts, timer{at, a.parcelOverdue})
	}
	return ts, nil
}

// reminderTimers lists the reminders to come. Once the buyer's time is over
// there is nothing to remind of.
func (a *act) reminderTimers() ([]timer, error) {
	var ts []timer
	if !a.p.Deadline.At.After(a.env.Now) {
		return nil, nil
	}
	for _, n := range a.env.Profile.Reminders {
		if slices.Contains(a.p.Reminded, n) {
			continue
		}
		at, err := a.reminderAt(n)
		if err != nil {
			return nil, err
		}
		ts = append(ts, timer{at, func() error { return a.remind(n) }})
	}
	return ts, nil
}

// nextWake is the earliest instant at which Tick has something to do.
func (a *act) nextWake() (time.Time, error) {
	ts, err := a.timers()
	if err != nil {
		return time.Time{}, err
	}
	var next time.Time
	for _, t := range ts {
		if next.IsZero() || t.at.Before(next) {
			next = t.at
		}
	}
	return next, nil
}

// maxTicks bounds what one Tick may do; a payment never has more timers.
const maxTicks = 16

// tick does what is due, the earliest first.
func (a *act) tick() error {
	did := false
	for range maxTicks {
		ts, err := a.timers()
		if err != nil {
			return err
		}
		ts = slices.DeleteFunc(ts, func(t timer) bool { return t.at.After(a.env.Now) })
		if len(ts) == 0 {
			break
		}
		due := slices.MinFunc(ts, func(x, y timer) int { return x.at.Compare(y.at) })
		if err := due.do(); err != nil {
			return err
		}
		did = true
	}
	if did {
		return nil
	}
	wake, err := a.nextWake()
	a.unchanged = wake.Equal(a.p.WakeAt)
	return err
}

// expire ends an account whose due time has passed (row 6). Parts that were paid
// go back; where it is not plain to whom, the task asks a person.
func (a *act) expire() error {
	a.p.State, a.p.CancelledAt, a.p.CancelReason = Cancelled, a.env.Now, reasonExpired
	a.emit(Event{Type: EventAccountExpired, Reason: reasonExpired, Notify: true})
	a.mail(MailAccountExpired)
	if a.p.Suspended > 0 && a.suspensePayer().Number != "" {
		return a.returnSuspense(ReturnSuspense{})
	}
	return nil
}

func (a *act) remindDeposit() error {
	a.p.Reminded = append(a.p.Reminded, dueSoonMark)
	a.emit(Event{Type: EventReminded, Kind: "deposit", Due: a.p.Account.Due})
	a.mail(MailDepositDueSoon)
	return nil
}

func (a *act) agreeBySilence() error {
	a.giveBack(a.p.CancelAskedFor, BankAccount{}, true)
	return nil
}

// confirmByTime is the automatic confirmation (row 11). Its guards are those of
// the deadline: no hold, no dispute, no decision, and a delivered notice. A
// deadline that was counted by another calendar is counted anew first: whoever
// changed the calendar may have ended before every deadline was recounted.
func (a *act) confirmByTime() error {
	if a.p.Deadline.Calendar != a.env.Calendar.Version() && !fault.Planted(fault.RecountLost) {
		later, err := a.laterDeadline()
		if err != nil {
			return err
		}
		if later.After(a.env.Now) {
			a.tellNewLastDay()
			return a.setDeadline()
		}
	}
	return a.settleConfirmed(Decided{Verdict: VerdictConfirm, Kind: ByTime, At: a.env.Now})
}

func (a *act) remind(n int) error {
	a.p.Reminded = append(a.p.Reminded, n)
	a.announce(a.p.Deadline.At)
	a.emit(Event{Type: EventReminded, Kind: "decision", LastDay: a.p.Deadline.LastDay, Due: a.p.Deadline.At})
	a.mail(MailReminder)
	return nil
}

func (a *act) parcelOverdue() error {
	a.task(TaskParcelOverdue)
	a.emit(Event{Type: EventParcelOverdue, Ref: a.p.Delivery.Parcels[0].Number})
	return nil
}
