package bizday

import "strings"

// Kind says why a day is special.
type Kind uint8

// The kinds of cause. All of them close the banks except an override that opens a day.
const (
	Weekend        Kind = iota + 1 // Saturday or Sunday
	Statutory                      // a holiday named in the decree, article 2
	Substitute                     // stands in for a holiday lost to a weekend or another holiday (대체공휴일)
	Election                       // an election at the end of a term
	AdHoc                          // declared by the Cabinet for one occasion (임시공휴일)
	BankHoliday                    // banks are shut although it is no public holiday: 1 May before 2026
	OverrideClosed                 // an operator closed the day
	OverrideOpen                   // an operator opened the day
)

var kindNames = [...]string{
	Weekend: "weekend", Statutory: "statutory", Substitute: "substitute", Election: "election",
	AdHoc: "adhoc", BankHoliday: "bank", OverrideClosed: "override-closed", OverrideOpen: "override-open",
}

// String returns the lower-case name of k, as facts.tsv spells it.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k > 0 {
		return kindNames[k]
	}
	return "unknown"
}

// Cause is one reason why a day is special, with its name in both languages. An
// override has one reason, in whatever language its author wrote, in both names.
type Cause struct {
	Kind     Kind
	Korean   string
	English  string
	For      Date // the holiday that a Substitute stands for; zero otherwise
	Gazetted bool // the official almanac says so; false for computed days
}

// String returns the English name followed by the Korean one in parentheses, or
// the one name there is.
func (c Cause) String() string {
	if c.Kind == Weekend || c.Kind == OverrideClosed || c.Kind == OverrideOpen {
		return c.English
	}
	return c.English + " (" + c.Korean + ")"
}

// Day is what a calendar knows of one date: whether the banks are open, and every
// cause that bears on it, the deciding one first. An ordinary business day has none.
type Day struct {
	Date   Date
	Open   bool
	Causes []Cause
}

// Reason returns the causes of d in one line, separated by "; ", or "" for an
// ordinary business day. A weekend is "Saturday" or "Sunday".
func (d Day) Reason() string {
	parts := make([]string, len(d.Causes))
	for i, c := range d.Causes {
		parts[i] = c.String()
	}
	return strings.Join(parts, "; ")
}

// KoreanReason is [Day.Reason] with the Korean names alone.
func (d Day) KoreanReason() string {
	parts := make([]string, len(d.Causes))
	for i, c := range d.Causes {
		parts[i] = c.Korean
	}
	return strings.Join(parts, ", ")
}

var weekdaysKorean = [7]string{"일요일", "월요일", "화요일", "수요일", "목요일", "금요일", "토요일"}
