package bizday

import (
	"slices"
	"time"
)

// This file computes the holidays of a year from the decree on public holidays of
// public offices (관공서의 공휴일에 관한 규정, no. 36290 of 2026-04-30, and its earlier
// forms) and article 34 of the Public Official Election Act.

// substitution says on which weekend days a holiday is lost and given back (decree,
// article 3). A holiday that may be given back at all is also given back when it
// meets another on a weekday.
type substitution uint8

const (
	neverGiven   substitution = iota // 1 January, Memorial Day
	weekendGiven                     // national days, Buddha's Birthday, Labour Day, Children's Day, Christmas
	sundayGiven                      // the three days each of Seollal and Chuseok
)

// rule describes one statutory holiday, or for a feast one of its three days.
type rule struct {
	korean, english string
	date            func(year int) Date
	since           Date         // the first day on which it is a public holiday; zero: always, here
	given           substitution // whether it is given back
	givenSince      Date         // the day from which it is given back
	feast           *feast       // the feast whose substitute it shares; nil: its own
	lunar           bool         // names the substitute where two holidays meet
}

// feast is the name that the substitutes for the three days of a feast share.
type feast struct{ korean, english string }

var (
	seollal = &feast{"설날", "Seollal"}
	chuseok = &feast{"추석", "Chuseok"}

	// The days from which lost holidays are given back.
	feastsGiven   = MustParseDate("2013-11-05")
	nationalGiven = MustParseDate("2021-08-04")
	buddhaGiven   = MustParseDate("2023-05-04")

	// The acts of 2026 that made 1 May and 17 July public holidays (again).
	labourSince       = MustParseDate("2026-05-01")
	constitutionSince = MustParseDate("2026-05-11")
)

var rules = []rule{
	{korean: "1월 1일", english: "New Year's Day", date: solar(101)},
	{korean: "설날 전날", english: "Day before Seollal", date: onSeollal(-1), given: sundayGiven, givenSince: feastsGiven, feast: seollal, lunar: true},
	{korean: "설날", english: "Seollal", date: onSeollal(0), given: sundayGiven, givenSince: feastsGiven, feast: seollal, lunar: true},
	{korean: "설날 다음 날", english: "Day after Seollal", date: onSeollal(1), given: sundayGiven, givenSince: feastsGiven, feast: seollal, lunar: true},
	{korean: "3·1절", english: "Independence Movement Day", date: solar(301), given: weekendGiven, givenSince: nationalGiven},
	{korean: "노동절", english: "Labour Day", date: solar(501), since: labourSince, given: weekendGiven, givenSince: labourSince},
	{korean: "부처님 오신 날", english: "Buddha's Birthday", date: onBuddha, given: weekendGiven, givenSince: buddhaGiven, lunar: true},
	{korean: "어린이날", english: "Children's Day", date: solar(505), given: weekendGiven, givenSince: feastsGiven},
	{korean: "현충일", english: "Memorial Day", date: solar(606)},
	{korean: "제헌절", english: "Constitution Day", date: solar(717), since: constitutionSince, given: weekendGiven, givenSince: constitutionSince},
	{korean: "광복절", english: "Liberation Day", date: solar(815), given: weekendGiven, givenSince: nationalGiven},
	{korean: "추석 전날", english: "Day before Chuseok", date: onChuseok(-1), given: sundayGiven, givenSince: feastsGiven, feast: chuseok, lunar: true},
	{korean: "추석", english: "Chuseok", date: onChuseok(0), given: sundayGiven, givenSince: feastsGiven, feast: chuseok, lunar: true},
	{korean: "추석 다음 날", english: "Day after Chuseok", date: onChuseok(1), given: sundayGiven, givenSince: feastsGiven, feast: chuseok, lunar: true},
	{korean: "개천절", english: "National Foundation Day", date: solar(1003), given: weekendGiven, givenSince: nationalGiven},
	{korean: "한글날", english: "Hangul Day", date: solar(1009), given: weekendGiven, givenSince: nationalGiven},
	{korean: "기독탄신일", english: "Christmas Day", date: solar(1225), given: weekendGiven, givenSince: buddhaGiven},
}

func solar(monthDay int) func(int) Date {
	return func(year int) Date { return dateIn(year, monthDay) }
}

func onSeollal(offset int) func(int) Date {
	return func(year int) Date { return dateIn(year, lunarTable[year-lunarFirstYear].seollal).AddDays(offset) }
}

func onChuseok(offset int) func(int) Date {
	return func(year int) Date { return dateIn(year, lunarTable[year-lunarFirstYear].chuseok).AddDays(offset) }
}

func onBuddha(year int) Date { return dateIn(year, lunarTable[year-lunarFirstYear].buddha) }

// observed is one statutory holiday of one year with its rule.
type observed struct {
	date Date
	rule *rule
}

// computeYear returns the holidays of a year of the lunar table that follow from
// rules, in the order of their dates. Ad-hoc holidays are not among them.
func computeYear(year int) []holiday {
	var holidays []holiday
	var statutory []observed
	public := map[Date]bool{}
	for i := range rules {
		r := &rules[i]
		date := r.date(year)
		if date.Before(r.since) {
			continue
		}
		statutory = append(statutory, observed{date, r})
		public[date] = true
		holidays = append(holidays, holiday{date, Cause{Kind: Statutory, Korean: r.korean, English: r.english}})
	}
	if mayDay := dateIn(year, 501); mayDay.Before(labourSince) {
		holidays = append(holidays, holiday{mayDay, Cause{Kind: BankHoliday, Korean: "근로자의 날", English: "Workers' Day, banks closed"}})
	}
	for _, e := range electionsIn(year, public) {
		public[e.date] = true
		holidays = append(holidays, e)
	}
	holidays = append(holidays, substitutes(statutory, public)...)
	slices.SortStableFunc(holidays, func(a, b holiday) int { return a.date.Compare(b.date) })
	return holidays
}

// substitutes returns the substitute holidays of a year, and adds them to public.
// Each falls on the first day after the lost holiday that is no Saturday, no Sunday
// and no holiday; where two would meet, the later takes the next such day (decree,
// article 3, paragraphs 1 to 3).
func substitutes(statutory []observed, public map[Date]bool) []holiday {
	var given []holiday
	for _, lost := range lostHolidays(statutory) {
		date := lost.date.AddDays(1)
		for public[date] || isWeekend(date) {
			date = date.AddDays(1)
		}
		public[date] = true
		name := feast{lost.rule.korean, lost.rule.english}
		if lost.rule.feast != nil {
			name = *lost.rule.feast
		}
		given = append(given, holiday{date, Cause{
			Kind: Substitute, For: lost.date,
			Korean: "대체공휴일(" + name.korean + ")", English: "Substitute holiday for " + name.english,
		}})
	}
	return given
}

// lostHolidays returns the holidays that are given back, in the order of their dates.
func lostHolidays(statutory []observed) []observed {
	sorted := slices.Clone(statutory)
	slices.SortStableFunc(sorted, func(a, b observed) int { return a.date.Compare(b.date) })
	var lost []observed
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].date == sorted[0].date {
			n++
		}
		lost = append(lost, lostOn(sorted[:n])...)
		sorted = sorted[n:]
	}
	return lost
}

// lostOn returns those holidays of one date that are given back. On a weekend each
// counts for itself. Holidays that meet on a weekday cost one day and give one back,
// as the almanac shows for 5 May 2025; it is named after the lunar holiday.
func lostOn(sameDate []observed) []observed {
	date := sameDate[0].date
	var lost []observed
	for _, h := range sameDate {
		if h.rule.given == neverGiven || date.Before(h.rule.givenSince) {
			continue
		}
		switch date.Weekday() {
		case time.Sunday:
			lost = append(lost, h)
		case time.Saturday:
			if h.rule.given == weekendGiven {
				lost = append(lost, h)
			}
		default:
			if len(sameDate) > 1 && (len(lost) == 0 || h.rule.lunar) {
				lost = []observed{h}
			}
		}
	}
	return lost
}

func isWeekend(d Date) bool {
	return d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
}

// office is an elected office whose term ends by the calendar. The election is on
// the first Wednesday from daysBefore days before the end of the term.
type office struct {
	korean, english string
	termEnds        func(year int) (Date, bool) // the end of the term that is followed by an election in that year
	daysBefore      int
}

var offices = []office{
	{"대통령선거", "Presidential election", presidentialTermEnds, 70},
	{"국회의원선거", "National Assembly election", everyFourYears(2020, 529), 50},
	{"전국동시지방선거", "Local elections", everyFourYears(2018, 630), 30},
}

func everyFourYears(first, monthDay int) func(int) (Date, bool) {
	return func(year int) (Date, bool) {
		return dateIn(year, monthDay), year >= first && (year-first)%4 == 0
	}
}

// presidentialTermEnds knows the term that ended in 2022, and the one that began
// after the by-election of 3 June 2025 and ends every fifth year on 3 June. A term
// that is cut short again is an ad-hoc holiday, and a new rule here.
func presidentialTermEnds(year int) (Date, bool) {
	if year == 2022 {
		return dateIn(year, 509), true
	}
	return dateIn(year, 603), year >= 2030 && (year-2030)%5 == 0
}

// electionsIn returns the elections of a year. An election that would fall on a
// holiday or beside one is held a week later (Public Official Election Act, article
// 34, paragraph 2).
func electionsIn(year int, public map[Date]bool) []holiday {
	var elections []holiday
	for _, o := range offices {
		end, held := o.termEnds(year)
		if !held {
			continue
		}
		date := end.AddDays(-o.daysBefore)
		for date.Weekday() != time.Wednesday {
			date = date.AddDays(1)
		}
		for public[date] || public[date.AddDays(-1)] || public[date.AddDays(1)] {
			date = date.AddDays(7)
		}
		elections = append(elections, holiday{date, Cause{Kind: Election, Korean: o.korean, English: o.english}})
	}
	return elections
}
