package ui

import (
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/money"
)

var (
	weekdaysKo = [...]string{"일", "월", "화", "수", "목", "금", "토"}
	weekdaysEn = [...]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
)

// Won prints an amount as people of the language read it: 1,250,000원 in
// Korean, ₩1,250,000 in English.
func Won(l Lang, amount money.Won) string {
	if l == Korean {
		return amount.String()
	}
	if amount < 0 {
		return "-₩" + amount.Digits()[1:]
	}
	return "₩" + amount.Digits()
}

// Day prints a Korean date with its weekday: 2026년 11월 26일(목) or
// Thu, 26 November 2026. The zero date is empty.
func Day(l Lang, d bizday.Date) string {
	if d.IsZero() {
		return ""
	}
	year, month, day := d.YMD()
	if l == Korean {
		return fmt.Sprintf("%d년 %d월 %d일(%s)", year, int(month), day, weekdaysKo[d.Weekday()])
	}
	return fmt.Sprintf("%s, %d %s %d", weekdaysEn[d.Weekday()], day, month, year)
}

// Instant prints an instant in Korean time, to the minute:
// 2026년 11월 26일(목) 14:05 or Thu, 26 November 2026, 14:05 KST. The zero
// instant is empty.
func Instant(l Lang, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	clock := t.In(bizday.KST).Format("15:04")
	if l == Korean {
		return Day(l, bizday.DateOf(t)) + " " + clock
	}
	return Day(l, bizday.DateOf(t)) + ", " + clock + " KST"
}

// Stamp prints an instant in Korean time for tables: 2026-11-26 14:05. The zero
// instant is a dash.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(bizday.KST).Format("2006-01-02 15:04")
}

// ISO prints an instant for machines, as <time datetime> wants it.
func ISO(t time.Time) string { return t.In(bizday.KST).Format(time.RFC3339) }
