package bizday_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-pay/holdfast/internal/bizday"
)

// drawDate draws a date that leaves room for the sums of these tests on both sides.
func drawDate(t *rapid.T, name string) bizday.Date {
	room := bizday.Last.DaysSince(bizday.First) - 800
	return bizday.First.AddDays(rapid.IntRange(30, room).Draw(t, name))
}

// drawCalendar draws the Korean calendar with up to a dozen overrides.
func drawCalendar(t *rapid.T) bizday.Calendar {
	overrides := make([]bizday.Override, rapid.IntRange(0, 12).Draw(t, "overrides"))
	for i := range overrides {
		overrides[i] = bizday.Override{Date: drawDate(t, "override"), Closed: rapid.Bool().Draw(t, "closed")}
	}
	return bizday.Korea().With(overrides...)
}

func isOpen(t *rapid.T, c bizday.Calendar, d bizday.Date) bool {
	open, _, err := c.IsBusiness(d)
	if err != nil {
		t.Fatal(err)
	}
	return open
}

func must[T any](t *rapid.T) func(T, error) T {
	return func(v T, err error) T {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Add and Between are each other's inverse, and agree with counting day by day.
func TestAddCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d := drawCalendar(t), drawDate(t, "date")
		n := rapid.IntRange(1, 200).Draw(t, "n")
		got := must[bizday.Date](t)(c.Add(d, n))
		slow := d
		for left := n; left > 0; {
			slow = slow.AddDays(1)
			if isOpen(t, c, slow) {
				left--
			}
		}
		if got != slow {
			t.Fatalf("Add(%v, %d) = %v; counting gives %v", d, n, got, slow)
		}
		if between := must[int](t)(c.Between(d, got)); between != n {
			t.Fatalf("Between(%v, Add(%v, %d)) = %d", d, d, n, between)
		}
	})
}

// More days or a later base never give an earlier date, and adding twice is adding once.
func TestAddIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d := drawCalendar(t), drawDate(t, "date")
		n, m := rapid.IntRange(0, 60).Draw(t, "n"), rapid.IntRange(0, 60).Draw(t, "m")
		add := must[bizday.Date](t)
		first := add(c.Add(d, n))
		both := add(c.Add(d, n+m))
		if both.Before(first) || add(c.Add(first, m)) != both {
			t.Fatalf("Add(%v, %d) = %v, and %d more = %v", d, n, first, m, both)
		}
		if later := add(c.Add(d.AddDays(m), n)); later.Before(first) {
			t.Fatalf("Add(%v, %d) = %v, but Add(%v, %d) = %v", d, n, first, d.AddDays(m), n, later)
		}
	})
}

// Closing a day never makes a sum end earlier; deadlines only move later.
func TestClosingADayMovesLater(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d := drawCalendar(t), drawDate(t, "date")
		n := rapid.IntRange(0, 30).Draw(t, "n")
		closed := c.With(bizday.Override{Date: d.AddDays(rapid.IntRange(-5, 60).Draw(t, "closed")), Closed: true})
		add := must[bizday.Date](t)
		if before, after := add(c.Add(d, n)), add(closed.Add(d, n)); after.Before(before) {
			t.Fatalf("closing a day moved Add(%v, %d) from %v to %v", d, n, before, after)
		}
	})
}

// Rolling lands on a business day with none in between, and rolling again stays.
func TestRoll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d := drawCalendar(t), drawDate(t, "date")
		way := rapid.SampledFrom([]bizday.Direction{bizday.Before, bizday.After}).Draw(t, "way")
		got := must[bizday.Date](t)(c.Roll(d, way))
		if !isOpen(t, c, got) {
			t.Fatalf("Roll(%v, %d) = %v, which is closed", d, way, got)
		}
		for e := d; e != got; e = e.AddDays(int(way)) {
			if isOpen(t, c, e) {
				t.Fatalf("Roll(%v, %d) = %v passes over %v", d, way, got, e)
			}
		}
		if again := must[bizday.Date](t)(c.Roll(got, way)); again != got {
			t.Fatalf("rolling %v again gives %v", got, again)
		}
	})
}

// An explanation accounts for every day, and counts exactly the open ones.
func TestExplainAccountsForEveryDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d := drawCalendar(t), drawDate(t, "date")
		n := rapid.IntRange(0, 40).Draw(t, "n")
		e := must[bizday.Explanation](t)(c.Explain(d, n))
		if e.Last != must[bizday.Date](t)(c.Add(d, n)) || len(e.Days) != e.Last.DaysSince(d) {
			t.Fatalf("Explain(%v, %d) has %d days and ends on %v", d, n, len(e.Days), e.Last)
		}
		counted := 0
		for i, x := range e.Days {
			if x.Open {
				counted++
			}
			if x.Date != d.AddDays(i+1) || x.Open != isOpen(t, c, x.Date) || (x.Number > 0) != x.Open ||
				(x.Open && x.Number != counted) || (!x.Open && x.Reason() == "") {
				t.Fatalf("Explain(%v, %d): day %d is %+v", d, n, i, x)
			}
		}
		if counted != n {
			t.Fatalf("Explain(%v, %d) counts %d days", d, n, counted)
		}
	})
}

// Silence becomes consent as the last day ends in Korea, whatever the hour of receipt.
func TestConfirmAtIsMidnight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d := drawCalendar(t), drawDate(t, "date")
		n := rapid.IntRange(0, 30).Draw(t, "n")
		received := d.Start().Add(time.Duration(rapid.Int64Range(0, int64(24*time.Hour)-1).Draw(t, "hour")))
		lastDay, at, err := c.ConfirmAt(received, n)
		if err != nil {
			t.Fatal(err)
		}
		if lastDay != must[bizday.Date](t)(c.Add(d, n)) || bizday.DateOf(at) != lastDay.AddDays(1) ||
			bizday.DateOf(at.Add(-1)) != lastDay || at.Location() != time.UTC {
			t.Fatalf("ConfirmAt(%v, %d) = %v, %v", received, n, lastDay, at)
		}
	})
}
