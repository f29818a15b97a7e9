package bizday

import (
	"fmt"
	"strings"
)

// ExplainedDay is one day of an [Explanation].
type ExplainedDay struct {
	Day
	Number int // 1 for the first business day counted, and so on; 0 for a day skipped
}

// Explanation is the working of [Calendar.Add]: every day after Base through Last,
// each counted or skipped, with the causes. Days is empty when N is 0.
type Explanation struct {
	Base    Date
	N       int
	Last    Date // what Add returns
	Days    []ExplainedDay
	Version string // of the calendar that explains
}

// Explain returns the working of Add(d, n) and fails as Add does. The list is as long
// as the days are many: at most from [First] to [Last].
func (c Calendar) Explain(d Date, n int) (Explanation, error) {
	last, err := c.Add(d, n)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Base: d, N: n, Last: last, Version: c.Version()}
	number := 0
	for date := d.AddDays(1); !date.After(last); date = date.AddDays(1) {
		day, err := c.Day(date)
		if err != nil {
			return Explanation{}, err
		}
		explained := ExplainedDay{Day: day}
		if day.Open {
			number++
			explained.Number = number
		}
		e.Days = append(e.Days, explained)
	}
	return e, nil
}

// String returns the working as English text, one line for each day:
//
//	Business day 2 after Thu 2026-04-30 (not counted):
//	  Fri 2026-05-01  skipped: Labour Day (노동절)
//	  Sat 2026-05-02  skipped: Saturday
//	  Sun 2026-05-03  skipped: Sunday
//	  Mon 2026-05-04  1
//	  Tue 2026-05-05  skipped: Children's Day (어린이날)
//	  Wed 2026-05-06  2
//	Last day: Wed 2026-05-06
func (e Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Business day %d after %s (not counted):\n", e.N, withWeekday(e.Base))
	for _, d := range e.Days {
		fmt.Fprintf(&b, "  %s  ", withWeekday(d.Date))
		switch {
		case !d.Open:
			fmt.Fprintf(&b, "skipped: %s\n", d.Reason())
		case len(d.Causes) > 0:
			fmt.Fprintf(&b, "%d (opened: %s)\n", d.Number, d.Reason())
		default:
			fmt.Fprintf(&b, "%d\n", d.Number)
		}
	}
	fmt.Fprintf(&b, "Last day: %s\n", withWeekday(e.Last))
	return b.String()
}

// KoreanString returns the working as Korean text, shaped as [Explanation.String] is.
func (e Explanation) KoreanString() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s 다음 날부터 영업일 %d일을 셉니다.\n", withKoreanWeekday(e.Base), e.N)
	for _, d := range e.Days {
		fmt.Fprintf(&b, "  %s  ", withKoreanWeekday(d.Date))
		switch {
		case !d.Open:
			fmt.Fprintf(&b, "제외: %s\n", d.KoreanReason())
		case len(d.Causes) > 0:
			fmt.Fprintf(&b, "%d일째 (영업일로 지정: %s)\n", d.Number, d.KoreanReason())
		default:
			fmt.Fprintf(&b, "%d일째\n", d.Number)
		}
	}
	fmt.Fprintf(&b, "마지막 날은 %s입니다.\n", withKoreanWeekday(e.Last))
	return b.String()
}

func withWeekday(d Date) string { return d.Weekday().String()[:3] + " " + d.String() }

func withKoreanWeekday(d Date) string {
	return d.String() + "(" + string([]rune(weekdaysKorean[d.Weekday()])[:1]) + ")"
}
