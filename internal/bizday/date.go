package bizday

import (
	"errors"
	"fmt"
	"time"
)

// Date is a civil date in Korea, without a time of day. Dates are compared with
// ==, ordered with [Date.Compare], and may be map keys. The zero Date means "no
// date"; every other Date lies in the years 1 to 9999.
type Date struct {
	day int32 // days since 31 December of the year 0; 1 is 0001-01-01, a Monday
}

const (
	unixEpochDay  = 719163  // the day number of 1970-01-01
	maxDay        = 3652059 // the day number of 9999-12-31
	secondsPerDay = 24 * 60 * 60
	kstOffset     = 9 * 60 * 60 // seconds east of UTC
	isoDateLength = len("2006-01-02")
)

// KST is Korean standard time, UTC+9, for printing instants. It is a fixed zone:
// Korea has kept UTC+9 without summer time since October 1988, and earlier
// instants do not occur here.
var KST = time.FixedZone("KST", kstOffset)

// ErrDate is wrapped by every failure to read a date.
var ErrDate = errors.New("not a date")

// NewDate returns the date of a year, a month and a day of the month, and refuses
// those that do not exist, such as 30 February.
func NewDate(year int, month time.Month, day int) (Date, error) {
	t := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	y, m, d := t.Date()
	if y != year || m != month || d != day || year < 1 || year > 9999 {
		return Date{}, fmt.Errorf("%w: %04d-%02d-%02d does not exist", ErrDate, year, int(month), day)
	}
	return dateOfUnix(t.Unix()), nil
}

// ParseDate reads an ISO date, exactly YYYY-MM-DD, and refuses dates that do not
// exist. Nothing may stand before or after it.
func ParseDate(s string) (Date, error) {
	if len(s) != isoDateLength || s[4] != '-' || s[7] != '-' {
		return Date{}, fmt.Errorf("%w: %.40q, want YYYY-MM-DD", ErrDate, s)
	}
	year, okYear := digits(s[0:4])
	month, okMonth := digits(s[5:7])
	day, okDay := digits(s[8:10])
	if !okYear || !okMonth || !okDay {
		return Date{}, fmt.Errorf("%w: %q, want YYYY-MM-DD", ErrDate, s)
	}
	return NewDate(year, time.Month(month), day)
}

// MustParseDate is [ParseDate] for dates written in the program's own text; it
// panics when s is not a date.
func MustParseDate(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic("bizday: " + err.Error())
	}
	return d
}

// digits reads a short run of ASCII digits.
func digits(s string) (int, bool) {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// DateOf returns the date on Korean calendars at the instant t, whatever the zone
// t is expressed in. Instants outside the years 1 to 9999 give the nearest date.
func DateOf(t time.Time) Date {
	return dateOfUnix(t.Unix() + kstOffset)
}

// dateOfUnix returns the date of a count of seconds since 1970-01-01 00:00,
// counted on the same clock as the date.
func dateOfUnix(seconds int64) Date {
	day := seconds / secondsPerDay
	if seconds%secondsPerDay < 0 {
		day--
	}
	return clampDay(day + unixEpochDay)
}

// clampDay returns the date of a day number, kept within the years 1 to 9999.
func clampDay(day int64) Date {
	return Date{day: int32(min(max(day, 1), maxDay))}
}

// IsZero reports whether d is the zero Date, "no date".
func (d Date) IsZero() bool { return d.day == 0 }

// Start returns the instant at which d begins in Korea, 00:00 KST, in UTC.
func (d Date) Start() time.Time {
	return time.Unix(d.unix()-kstOffset, 0).UTC()
}

func (d Date) unix() int64 { return (int64(d.day) - unixEpochDay) * secondsPerDay }

// YMD returns the year, the month and the day of the month.
func (d Date) YMD() (year int, month time.Month, day int) {
	return time.Unix(d.unix(), 0).UTC().Date()
}

// Year returns the year of d.
func (d Date) Year() int {
	year, _, _ := d.YMD()
	return year
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return time.Weekday(d.day % 7) }

// AddDays returns the date n calendar days after d, or before it when n is
// negative. A result beyond the years 1 to 9999 is kept at their edge, where every
// [Calendar] answers [ErrOutOfRange].
func (d Date) AddDays(n int) Date {
	return clampDay(int64(d.day) + min(max(int64(n), -maxDay), maxDay))
}

// DaysSince returns the number of calendar days from e to d.
func (d Date) DaysSince(e Date) int { return int(d.day) - int(e.day) }

// Compare returns -1, 0 or 1 when d is before, the same as, or after e.
func (d Date) Compare(e Date) int {
	switch {
	case d.day < e.day:
		return -1
	case d.day > e.day:
		return 1
	}
	return 0
}

// Before reports whether d is before e.
func (d Date) Before(e Date) bool { return d.day < e.day }

// After reports whether d is after e.
func (d Date) After(e Date) bool { return d.day > e.day }

// String returns d as YYYY-MM-DD, or "no date" for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return "no date"
	}
	year, month, day := d.YMD()
	return fmt.Sprintf("%04d-%02d-%02d", year, int(month), day)
}

// MarshalText writes d as YYYY-MM-DD. The zero Date is refused.
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, fmt.Errorf("%w: the date is not set", ErrDate)
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what [ParseDate] reads.
func (d *Date) UnmarshalText(text []byte) error {
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
