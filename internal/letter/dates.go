package letter

import (
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/money"
)

var weekdays = [7]string{"일요일", "월요일", "화요일", "수요일", "목요일", "금요일", "토요일"}

// day prints a Korean date with its weekday: 2026년 3월 13일(금요일), or
// Friday, 13 March 2026. No date prints as nothing.
func day(d bizday.Date, english bool) string {
	if d.IsZero() {
		return ""
	}
	year, month, dom := d.YMD()
	if english {
		return fmt.Sprintf("%s, %d %s %d", d.Weekday(), dom, month, year)
	}
	return fmt.Sprintf("%d년 %d월 %d일(%s)", year, int(month), dom, weekdays[d.Weekday()])
}

// minute prints an instant as Korean clocks show it, to the minute. A zero
// instant prints as nothing.
func minute(t time.Time, english bool) string {
	if t.IsZero() {
		return ""
	}
	local := t.In(bizday.KST)
	if english {
		return day(bizday.DateOf(t), true) + local.Format(", 15:04 KST")
	}
	return day(bizday.DateOf(t), false) + local.Format(" 15:04")
}

// won prints an amount as its readers write it.
func won(w money.Won, english bool) string {
	if english {
		return "KRW " + w.Digits()
	}
	return w.String()
}
