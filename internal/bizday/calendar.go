package bizday

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrOutOfRange is wrapped by the answer to every question that touches a day before
// [First] or after [Last], or that is asked of the zero [Calendar].
var ErrOutOfRange = errors.New("outside the calendar")

// ErrNegative is wrapped by the answer to a question about a negative number of days.
var ErrNegative = errors.New("negative number of days")

// First and Last are the days between which every [Calendar] answers.
var (
	First = MustParseDate("2018-01-01")
	Last  = MustParseDate("2050-12-31")
)

// Override is an operator's word about one day, stronger than facts and rules.
// Closed makes it a day on which banks are shut; otherwise banks are open on it,
// even if it is a weekend. Reason may be empty.
type Override struct {
	Date   Date
	Closed bool
	Reason string
}

// Calendar answers for business days. It is an immutable value, cheap to copy and
// safe to share. The zero Calendar knows no day. Start from [Korea].
type Calendar struct{ *table }

// table is the worked-out form of a calendar. Index i of upTo stands for the i-th
// day after First.
type table struct {
	holidays  map[Date][]Cause
	overrides map[Date]Override
	upTo      []int32 // business days from First through this day
	business  []Date  // all business days, ascending
	version   string
}

// Korea returns the calendar of Korean bank business days, without overrides.
func Korea() Calendar { return korea() }

var korea = sync.OnceValue(func() Calendar {
	facts, err := parseFacts(factsFile)
	if err != nil {
		panic("bizday: the embedded facts are damaged: " + err.Error())
	}
	holidays := map[Date][]Cause{}
	for _, h := range facts {
		holidays[h.date] = append(holidays[h.date], h.cause)
	}
	for year := factsLastYear + 1; year <= Last.Year(); year++ {
		for _, h := range computeYear(year) {
			holidays[h.date] = append(holidays[h.date], h.cause)
		}
	}
	return Calendar{newTable(holidays, nil)}
})

func newTable(holidays map[Date][]Cause, overrides map[Date]Override) *table {
	t := &table{holidays: holidays, overrides: overrides, version: versionOf(overrides)}
	days := Last.DaysSince(First) + 1
	t.upTo = make([]int32, days)
	t.business = make([]Date, 0, days)
	for i := range t.upTo {
		if date := First.AddDays(i); t.open(date) {
			t.business = append(t.business, date)
		}
		t.upTo[i] = int32(len(t.business))
	}
	return t
}

func (t *table) open(d Date) bool {
	if o, ok := t.overrides[d]; ok {
		return !o.Closed
	}
	return !isWeekend(d) && len(t.holidays[d]) == 0
}

// versionOf names the facts and the overrides. The hash covers every field of every
// override, in the order of their dates, so that equal overrides give equal names.
func versionOf(overrides map[Date]Override) string {
	if len(overrides) == 0 {
		return factsVersion
	}
	h := sha256.New()
	for _, o := range sortedOverrides(overrides) {
		fmt.Fprintf(h, "%v %t %q\n", o.Date, o.Closed, o.Reason)
	}
	return fmt.Sprintf("%s+%d.%s", factsVersion, len(overrides), hex.EncodeToString(h.Sum(nil)[:6]))
}

func sortedOverrides(overrides map[Date]Override) []Override {
	return slices.SortedFunc(maps.Values(overrides), func(a, b Override) int { return a.Date.Compare(b.Date) })
}

// With returns c with overrides added. Of several for one date the last counts, and a
// new one replaces what c had for its date; to take one back, start again from [Korea].
// Overrides of days outside the calendar change no answer. c itself stays as it is.
func (c Calendar) With(overrides ...Override) Calendar {
	if c.table == nil || len(overrides) == 0 {
		return c
	}
	all := maps.Clone(c.overrides)
	if all == nil {
		all = make(map[Date]Override, len(overrides))
	}
	for _, o := range overrides {
		all[o.Date] = o
	}
	return Calendar{newTable(c.holidays, all)}
}

// Version names the facts, rules and overrides that c answers by. Two calendars with
// the same version give the same answers; store it with each computed deadline.
func (c Calendar) Version() string {
	if c.table == nil {
		return ""
	}
	return c.version
}

// Overrides returns the overrides of c in the order of their dates.
func (c Calendar) Overrides() []Override {
	if c.table == nil {
		return nil
	}
	return sortedOverrides(c.overrides)
}

// GazettedThrough returns the last day for which the official almanac has been
// published and taken over. Days after it are computed, and may yet change.
func GazettedThrough() Date { return gazettedThrough }

var gazettedThrough = MustParseDate("2027-12-31")

// index returns the place of d in upTo.
func (c Calendar) index(d Date) (int, error) {
	if c.table == nil {
		return 0, fmt.Errorf("%w: it is empty", ErrOutOfRange)
	}
	if d.Before(First) || d.After(Last) {
		return 0, fmt.Errorf("%w: %v is not within %v to %v", ErrOutOfRange, d, First, Last)
	}
	return d.DaysSince(First), nil
}

// Day returns what is known of d.
func (c Calendar) Day(d Date) (Day, error) {
	if _, err := c.index(d); err != nil {
		return Day{}, err
	}
	day := Day{Date: d, Open: c.open(d)}
	if o, ok := c.overrides[d]; ok {
		day.Causes = append(day.Causes, overrideCause(o))
		if day.Open {
			return day, nil
		}
	}
	if isWeekend(d) {
		day.Causes = append(day.Causes, Cause{
			Kind: Weekend, Korean: weekdaysKorean[d.Weekday()], English: d.Weekday().String(), Gazetted: true,
		})
	}
	day.Causes = append(day.Causes, c.holidays[d]...)
	return day, nil
}

func overrideCause(o Override) Cause {
	cause := Cause{Kind: OverrideOpen, Korean: o.Reason, English: o.Reason}
	if o.Closed {
		cause.Kind = OverrideClosed
	}
	if strings.TrimSpace(o.Reason) == "" {
		cause.Korean, cause.English = "운영자 지정", "override"
	}
	return cause
}

// Holidays returns the days of a year that have a cause other than the weekend:
// holidays, also those on a weekend, and overrides, in the order of their dates.
func (c Calendar) Holidays(year int) ([]Day, error) {
	if year < First.Year() || year > Last.Year() {
		return nil, fmt.Errorf("%w: the year %d is not within %v to %v", ErrOutOfRange, year, First, Last)
	}
	var days []Day
	for d := dateIn(year, 101); d.Year() == year; d = d.AddDays(1) {
		day, err := c.Day(d)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(day.Causes, func(c Cause) bool { return c.Kind != Weekend }) {
			days = append(days, day)
		}
	}
	return days, nil
}

// IsBusiness reports whether banks are open on d, and if they are not, why, in the
// words of [Day.Reason].
func (c Calendar) IsBusiness(d Date) (open bool, reason string, err error) {
	day, err := c.Day(d)
	if err != nil || day.Open {
		return day.Open, "", err
	}
	return false, day.Reason(), nil
}

// Add returns the n-th business day after d. d itself is never counted, whether it
// is a business day or not; n = 0 gives d back. A negative n fails with [ErrNegative].
func (c Calendar) Add(d Date, n int) (Date, error) {
	i, err := c.index(d)
	if err != nil {
		return Date{}, err
	}
	if n < 0 {
		return Date{}, fmt.Errorf("%w: %d", ErrNegative, n)
	}
	if n == 0 {
		return d, nil
	}
	before := int(c.upTo[i])
	if n > len(c.business)-before {
		return Date{}, fmt.Errorf("%w: business day %d after %v is later than %v", ErrOutOfRange, n, d, Last)
	}
	return c.business[before+n-1], nil
}

// Between counts the business days after a, through b. It is 0 when b is not after a.
func (c Calendar) Between(a, b Date) (int, error) {
	from, err := c.index(a)
	if err != nil {
		return 0, err
	}
	to, err := c.index(b)
	if err != nil {
		return 0, err
	}
	return int(max(0, c.upTo[to]-c.upTo[from])), nil
}

// Direction is the way in which [Calendar.Roll] looks for a business day.
type Direction int8

// The directions.
const (
	Before Direction = -1 // the same day or the last business day before it
	After  Direction = 1  // the same day or the first business day after it
)

// Roll returns d if it is a business day, and otherwise the nearest one in the
// given direction.
func (c Calendar) Roll(d Date, way Direction) (Date, error) {
	i, err := c.index(d)
	if err != nil {
		return Date{}, err
	}
	through := int(c.upTo[i])
	if c.open(d) {
		return d, nil
	}
	switch {
	case way == Before && through > 0:
		return c.business[through-1], nil
	case way == After && through < len(c.business):
		return c.business[through], nil
	case way != Before && way != After:
		return Date{}, fmt.Errorf("bizday: no direction %d", way)
	}
	return Date{}, fmt.Errorf("%w: the business day nearest to %v is not within %v to %v", ErrOutOfRange, d, First, Last)
}

// ConfirmAt returns when silence becomes consent: lastDay is the n-th business day
// after the Korean date of the instant received, and at is 00:00 KST of the calendar
// day that follows it, when lastDay has passed entirely. at is in UTC.
func (c Calendar) ConfirmAt(received time.Time, n int) (lastDay Date, at time.Time, err error) {
	lastDay, err = c.Add(DateOf(received), n)
	if err != nil {
		return Date{}, time.Time{}, err
	}
	return lastDay, lastDay.AddDays(1).Start(), nil
}

// DatePolicy says what becomes of a settlement date that is no business day.
type DatePolicy uint8

// The date policies of PortOne's settlement contracts.
const (
	HolidayBefore DatePolicy = iota + 1 // the last business day before
	HolidayAfter                        // the first business day after
	CalendarDay                         // the date stays
)

// LagThenRoll returns the date that is lagDays calendar days after d, moved to a
// business day as policy says. A negative lagDays fails with [ErrNegative].
func (c Calendar) LagThenRoll(d Date, lagDays int, policy DatePolicy) (Date, error) {
	if lagDays < 0 {
		return Date{}, fmt.Errorf("%w: %d", ErrNegative, lagDays)
	}
	if _, err := c.index(d); err != nil {
		return Date{}, err
	}
	due := d.AddDays(lagDays)
	switch policy {
	case HolidayBefore:
		return c.Roll(due, Before)
	case HolidayAfter:
		return c.Roll(due, After)
	case CalendarDay:
		_, err := c.index(due)
		if err != nil {
			return Date{}, err
		}
		return due, nil
	}
	return Date{}, fmt.Errorf("bizday: no date policy %d", policy)
}
