package bizday_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
)

func TestParseDate(t *testing.T) {
	for _, good := range []string{"2026-02-28", "2028-02-29", "0001-01-01", "9999-12-31", "1970-01-01", "2000-02-29"} {
		d, err := bizday.ParseDate(good)
		if err != nil || d.String() != good {
			t.Errorf("ParseDate(%q) = %v, %v", good, d, err)
		}
	}
	for _, bad := range []string{
		"", "2026-2-28", "2026-02-30", "2027-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "0000-01-01",
		"2026/02/28", "20260228", " 2026-02-28", "2026-02-28 ", "2026-02-28T00:00:00Z", "+026-02-28", "2026-+2-28",
		"２０２６-02-28", "today", strings.Repeat("9", 10000),
	} {
		if d, err := bizday.ParseDate(bad); !errors.Is(err, bizday.ErrDate) || !d.IsZero() {
			t.Errorf("ParseDate(%.20q) = %v, %v; want ErrDate", bad, d, err)
		} else if len(err.Error()) > 120 {
			t.Errorf("ParseDate(%.20q) answers with %d bytes", bad, len(err.Error()))
		}
	}
}

func TestDateOf(t *testing.T) {
	cases := []struct{ instant, date string }{
		{"2026-02-13T14:59:59.999999999Z", "2026-02-13"},
		{"2026-02-13T15:00:00Z", "2026-02-14"},
		{"2026-02-14T00:00:00+09:00", "2026-02-14"},
		{"2026-02-13T10:00:00-05:00", "2026-02-14"},
		{"1969-12-31T14:59:59Z", "1969-12-31"},
		{"1969-12-31T15:00:00Z", "1970-01-01"},
	}
	for _, tc := range cases {
		instant, err := time.Parse(time.RFC3339, tc.instant)
		if err != nil {
			t.Fatal(err)
		}
		if got := bizday.DateOf(instant); got.String() != tc.date {
			t.Errorf("DateOf(%s) = %v, want %s", tc.instant, got, tc.date)
		}
	}
}

func TestDateArithmetic(t *testing.T) {
	d := day("2028-02-28")
	if got := d.AddDays(2); got != day("2028-03-01") {
		t.Errorf("two days after %v is %v", d, got)
	}
	if got := d.AddDays(-59); got != day("2027-12-31") {
		t.Errorf("59 days before %v is %v", d, got)
	}
	if got := day("2028-03-01").DaysSince(d); got != 2 {
		t.Errorf("DaysSince = %d, want 2", got)
	}
	if got := d.AddDays(math.MaxInt); got.String() != "9999-12-31" {
		t.Errorf("the far future is %v", got)
	}
	if got := d.AddDays(math.MinInt); got.String() != "0001-01-01" {
		t.Errorf("the far past is %v", got)
	}
	if got := d.Start().Format(time.RFC3339); got != "2028-02-27T15:00:00Z" {
		t.Errorf("%v starts at %s", d, got)
	}
	if !d.Before(d.AddDays(1)) || !d.After(d.AddDays(-1)) || d.Before(d) || d.After(d) ||
		d.Compare(d) != 0 || d.Compare(d.AddDays(1)) != -1 || d.Compare(d.AddDays(-1)) != 1 {
		t.Error("the order of dates is wrong")
	}
}

func TestDateText(t *testing.T) {
	var d bizday.Date
	if err := d.UnmarshalText([]byte("2026-02-31")); err == nil || !d.IsZero() {
		t.Errorf("UnmarshalText took 31 February: %v", d)
	}
	if _, err := d.MarshalText(); err == nil {
		t.Error("MarshalText wrote the zero Date")
	}
	if err := d.UnmarshalText([]byte("2026-02-13")); err != nil {
		t.Fatal(err)
	}
	if text, err := d.MarshalText(); err != nil || string(text) != "2026-02-13" {
		t.Errorf("MarshalText = %s, %v", text, err)
	}
}

// Every day of the calendar agrees with package time.
func TestDatesAgreeWithTime(t *testing.T) {
	at := time.Date(2018, 1, 1, 0, 0, 0, 0, bizday.KST)
	for d := bizday.First; !d.After(bizday.Last); d = d.AddDays(1) {
		if d.String() != at.Format(time.DateOnly) || d.Weekday() != at.Weekday() || !d.Start().Equal(at) ||
			bizday.DateOf(at) != d || bizday.DateOf(at.Add(-1)) != d.AddDays(-1) {
			t.Fatalf("%v does not agree with %v", d, at)
		}
		at = at.AddDate(0, 0, 1)
	}
}
