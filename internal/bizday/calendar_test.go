package bizday_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
)

func day(s string) bizday.Date { return bizday.MustParseDate(s) }

// TestSums asks every question of testdata/sums.tsv.
func TestSums(t *testing.T) {
	text, err := os.ReadFile("testdata/sums.tsv")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 5 {
			t.Fatalf("line %d has %d columns, want 5", i+1, len(f))
		}
		got, err := answer(f[0], f[1], f[2])
		if err != nil || got != f[3] {
			t.Errorf("line %d, %s: %s %s %s = %s, %v; want %s", i+1, f[4], f[0], f[1], f[2], got, err, f[3])
		}
		asked++
	}
	if asked < 80 {
		t.Errorf("only %d sums found", asked)
	}
}

// answer answers one question of testdata/sums.tsv.
func answer(question, first, second string) (string, error) {
	words := strings.Fields(question)
	n, _ := strconv.Atoi(second)
	switch words[0] {
	case "add":
		date, err := bizday.Korea().With(parseOverrides(words[1:])...).Add(day(first), n)
		return date.String(), err
	case "is":
		open, reason, err := bizday.Korea().IsBusiness(day(first))
		if open != (reason == "") {
			return "", fmt.Errorf("open is %t with reason %q", open, reason)
		}
		return map[bool]string{true: "open", false: "closed"}[open], err
	case "roll":
		date, err := bizday.Korea().Roll(day(first), map[string]bizday.Direction{"before": bizday.Before, "after": bizday.After}[second])
		return date.String(), err
	case "confirm":
		received, err := time.Parse(time.RFC3339, first)
		if err != nil {
			return "", err
		}
		lastDay, at, err := bizday.Korea().ConfirmAt(received, n)
		return lastDay.String() + " " + at.Format(time.RFC3339), err
	case "lag":
		policy := map[string]bizday.DatePolicy{
			"HOLIDAY_BEFORE": bizday.HolidayBefore, "HOLIDAY_AFTER": bizday.HolidayAfter, "CALENDAR_DAY": bizday.CalendarDay,
		}[words[1]]
		date, err := bizday.Korea().LagThenRoll(day(first), n, policy)
		return date.String(), err
	case "between":
		n, err := bizday.Korea().Between(day(first), day(second))
		return strconv.Itoa(n), err
	}
	return "", fmt.Errorf("no question %q", question)
}

func parseOverrides(words []string) []bizday.Override {
	var overrides []bizday.Override
	for _, w := range words {
		verb, date, _ := strings.Cut(w, "=")
		overrides = append(overrides, bizday.Override{Date: day(date), Closed: verb == "closed"})
	}
	return overrides
}

func TestReasons(t *testing.T) {
	c := bizday.Korea().With(
		bizday.Override{Date: day("2026-12-01"), Closed: true, Reason: "임시공휴일 (국무회의 의결)"},
		bizday.Override{Date: day("2026-12-02"), Closed: true},
		bizday.Override{Date: day("2026-12-05"), Closed: true, Reason: "bank move"},
	)
	cases := []struct{ date, english, korean string }{
		{"2026-02-14", "Saturday", "토요일"},
		{"2026-02-15", "Sunday", "일요일"},
		{"2026-02-17", "Seollal (설날)", "설날"},
		{"2026-09-26", "Saturday; Day after Chuseok (추석 다음 날)", "토요일, 추석 다음 날"},
		{"2025-05-05", "Buddha's Birthday (부처님 오신 날); Children's Day (어린이날)", "부처님 오신 날, 어린이날"},
		{"2025-05-06", "Substitute holiday for Buddha's Birthday (대체공휴일(부처님 오신 날))", "대체공휴일(부처님 오신 날)"},
		{"2025-05-01", "Workers' Day, banks closed (근로자의 날)", "근로자의 날"},
		{"2026-12-01", "임시공휴일 (국무회의 의결)", "임시공휴일 (국무회의 의결)"},
		{"2026-12-02", "override", "운영자 지정"},
		{"2026-12-05", "bank move; Saturday", "bank move, 토요일"},
	}
	for _, tc := range cases {
		d, err := c.Day(day(tc.date))
		if err != nil || d.Open || d.Reason() != tc.english || d.KoreanReason() != tc.korean {
			t.Errorf("%s: open %t, %q, %q, %v; want closed, %q, %q", tc.date, d.Open, d.Reason(), d.KoreanReason(), err, tc.english, tc.korean)
		}
	}
}

// A deadline near the edges of the calendar fails rather than being wrong.
func TestOutOfRange(t *testing.T) {
	c := bizday.Korea()
	early, late := bizday.First.AddDays(-1), bizday.Last.AddDays(1)
	cases := map[string]func() error{
		"a day too early":        func() error { _, _, err := c.IsBusiness(early); return err },
		"a day too late":         func() error { _, _, err := c.IsBusiness(late); return err },
		"no date":                func() error { _, err := c.Day(bizday.Date{}); return err },
		"add from too early":     func() error { _, err := c.Add(early, 3); return err },
		"add nothing, too late":  func() error { _, err := c.Add(late, 0); return err },
		"add beyond the end":     func() error { _, err := c.Add(day("2050-12-29"), 3); return err },
		"add more than there is": func() error { _, err := c.Add(bizday.First, 1<<40); return err },
		"explain beyond the end": func() error { _, err := c.Explain(day("2050-12-29"), 3); return err },
		"between from too early": func() error { _, err := c.Between(early, bizday.Last); return err },
		"between to too late":    func() error { _, err := c.Between(bizday.First, late); return err },
		"roll off the start":     func() error { _, err := c.Roll(bizday.First, bizday.Before); return err },
		"roll off the end":       func() error { _, err := c.Roll(bizday.Last, bizday.After); return err },
		"lag beyond the end":     func() error { _, err := c.LagThenRoll(bizday.Last, 1, bizday.CalendarDay); return err },
		"lag far beyond the end": func() error { _, err := c.LagThenRoll(bizday.Last, 1<<40, bizday.HolidayAfter); return err },
		"holidays of 2051":       func() error { _, err := c.Holidays(2051); return err },
		"holidays of 20000":      func() error { _, err := c.Holidays(20000); return err },
		"an instant in 1970":     func() error { _, _, err := c.ConfirmAt(time.Unix(0, 0), 3); return err },
		"the zero calendar":      func() error { _, err := bizday.Calendar{}.Add(day("2026-03-10"), 1); return err },
	}
	for name, ask := range cases {
		if err := ask(); !errors.Is(err, bizday.ErrOutOfRange) {
			t.Errorf("%s: %v, want ErrOutOfRange", name, err)
		}
	}
	if got, err := c.Add(day("2050-12-28"), 2); err != nil || got != day("2050-12-30") {
		t.Errorf("the last business day is %v, %v; want 2050-12-30", got, err)
	}
}

func TestNegative(t *testing.T) {
	c := bizday.Korea()
	if _, err := c.Add(day("2026-03-10"), -1); !errors.Is(err, bizday.ErrNegative) {
		t.Errorf("Add: %v, want ErrNegative", err)
	}
	if _, _, err := c.ConfirmAt(day("2026-03-10").Start(), -1); !errors.Is(err, bizday.ErrNegative) {
		t.Errorf("ConfirmAt: %v, want ErrNegative", err)
	}
	if _, err := c.LagThenRoll(day("2026-03-10"), -1, bizday.HolidayAfter); !errors.Is(err, bizday.ErrNegative) {
		t.Errorf("LagThenRoll: %v, want ErrNegative", err)
	}
}

func TestUnknownChoices(t *testing.T) {
	c := bizday.Korea()
	if _, err := c.Roll(day("2026-02-14"), 0); err == nil {
		t.Error("Roll took a direction that does not exist")
	}
	if _, err := c.LagThenRoll(day("2026-02-14"), 1, 0); err == nil {
		t.Error("LagThenRoll took a policy that does not exist")
	}
}

func TestVersion(t *testing.T) {
	base := bizday.Korea()
	dec1 := bizday.Override{Date: day("2026-12-01"), Closed: true, Reason: "ad hoc"}
	dec2 := bizday.Override{Date: day("2026-12-02"), Closed: true, Reason: "ad hoc"}
	other := dec1
	other.Reason = "by-election"
	opened := dec1
	opened.Closed = false
	seen := map[string]string{}
	for name, c := range map[string]bizday.Calendar{
		"base": base, "1 Dec": base.With(dec1), "other reason": base.With(other),
		"opened": base.With(opened), "both": base.With(dec1, dec2), "2 Dec": base.With(dec2),
	} {
		if earlier, taken := seen[c.Version()]; taken {
			t.Errorf("%s and %s share the version %s", name, earlier, c.Version())
		}
		seen[c.Version()] = name
	}
	for name, c := range map[string]bizday.Calendar{
		"order":    base.With(dec2, dec1),
		"steps":    base.With(dec1).With(dec2),
		"replaced": base.With(other, dec2).With(dec1),
	} {
		if want := base.With(dec1, dec2).Version(); c.Version() != want {
			t.Errorf("%s: version %s, want %s", name, c.Version(), want)
		}
	}
	if v := base.With().Version(); v != base.Version() {
		t.Errorf("no override changed the version to %s", v)
	}
}

// With leaves its receiver alone, and what it returns remembers the overrides.
func TestWith(t *testing.T) {
	base := bizday.Korea()
	saturday := bizday.Override{Date: day("2026-03-14"), Reason: "banks work this Saturday"}
	changed := base.With(saturday)
	if open, _, _ := base.IsBusiness(saturday.Date); open {
		t.Error("With changed the calendar it was called on")
	}
	if open, reason, err := changed.IsBusiness(saturday.Date); !open || reason != "" || err != nil {
		t.Errorf("an opened Saturday: %t, %q, %v", open, reason, err)
	}
	if got, _ := changed.Add(day("2026-03-13"), 1); got != saturday.Date {
		t.Errorf("the business day after Friday is %v, want the opened Saturday", got)
	}
	if got := changed.Overrides(); len(got) != 1 || got[0] != saturday {
		t.Errorf("Overrides() = %v", got)
	}
	if got := base.Overrides(); len(got) != 0 {
		t.Errorf("the calendar without overrides has %v", got)
	}
}

func TestHolidays(t *testing.T) {
	days, err := bizday.Korea().Holidays(2028)
	if err != nil {
		t.Fatal(err)
	}
	var weekdays []string
	for _, d := range days {
		if d.Open {
			t.Errorf("%v is open", d.Date)
		}
		if d.Causes[0].Kind != bizday.Weekend {
			weekdays = append(weekdays, d.Date.String()[5:])
		}
	}
	got := strings.Join(weekdays, " ")
	want := "01-26 01-27 01-28 03-01 04-12 05-01 05-02 05-05 06-06 07-17 08-15 10-02 10-03 10-04 10-05 10-09 12-25"
	if got != want {
		t.Errorf("the weekdays closed in 2028 are\n%s, want\n%s", got, want)
	}
}

// The almanac is out through 2027; whatever comes after is marked as computed.
func TestGazetted(t *testing.T) {
	for year := bizday.First.Year(); year <= bizday.Last.Year(); year++ {
		days, err := bizday.Korea().Holidays(year)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range days {
			for _, cause := range d.Causes {
				if want := !d.Date.After(bizday.GazettedThrough()); cause.Kind != bizday.Weekend && cause.Gazetted != want {
					t.Errorf("%v %v: gazetted is %t", d.Date, cause, cause.Gazetted)
				}
			}
		}
	}
}

func TestExplain(t *testing.T) {
	c := bizday.Korea().With(
		bizday.Override{Date: day("2026-05-02"), Reason: "Saturday counter"},
		bizday.Override{Date: day("2026-05-04"), Closed: true, Reason: "system move"},
	)
	e, err := c.Explain(day("2026-04-30"), 2)
	if err != nil {
		t.Fatal(err)
	}
	english := `Business day 2 after Thu 2026-04-30 (not counted):
  Fri 2026-05-01  skipped: Labour Day (노동절)
  Sat 2026-05-02  1 (opened: Saturday counter)
  Sun 2026-05-03  skipped: Sunday
  Mon 2026-05-04  skipped: system move
  Tue 2026-05-05  skipped: Children's Day (어린이날)
  Wed 2026-05-06  2
Last day: Wed 2026-05-06
`
	if e.String() != english {
		t.Errorf("String() =\n%s\nwant\n%s", e, english)
	}
	korean := `2026-04-30(목) 다음 날부터 영업일 2일을 셉니다.
  2026-05-01(금)  제외: 노동절
  2026-05-02(토)  1일째 (영업일로 지정: Saturday counter)
  2026-05-03(일)  제외: 일요일
  2026-05-04(월)  제외: system move
  2026-05-05(화)  제외: 어린이날
  2026-05-06(수)  2일째
마지막 날은 2026-05-06(수)입니다.
`
	if e.KoreanString() != korean {
		t.Errorf("KoreanString() =\n%s\nwant\n%s", e.KoreanString(), korean)
	}
	if e.Version != c.Version() {
		t.Errorf("the explanation names version %s, want %s", e.Version, c.Version())
	}
}
