package bizday

import (
	"fmt"
	"strings"
)

const (
	icsBegin      = "BEGIN:VCALENDAR"
	icsDateLength = len("20060102")
	icsDepthMax   = 4 // components within each other
)

// icsProperty is one content line of an iCalendar file (RFC 5545, section 3.1), with
// its folded lines joined.
type icsProperty struct {
	line       int // where it begins
	name       string
	parameters string // what stands between name and value, upper-cased
	value      string
}

// icsEvent is a VEVENT as far as overrides need it.
type icsEvent struct {
	line        int
	start, end  Date // end is the first day after the event; zero: the event has one day
	summary     string
	open        bool
	cancelled   bool
	faultsSoFar int
}

// icsFile reads the events of an iCalendar file.
type icsFile struct {
	*importing
	components []string // the components that are open, outermost first
	event      *icsEvent
}

func importICS(text string) ([]Override, error) {
	f := &icsFile{importing: newImporting()}
	if err := f.properties(text); err == nil && len(f.components) > 0 {
		_ = f.fault(0, "", "%s is never ended", f.components[len(f.components)-1])
	}
	return f.result()
}

func (f *icsFile) properties(text string) error {
	for _, p := range unfold(text) {
		name, value, ok := cutProperty(p.value)
		if !ok {
			if err := f.fault(p.line, "", "want NAME:VALUE"); err != nil {
				return err
			}
			continue
		}
		p.value = value
		p.name, p.parameters, _ = strings.Cut(strings.ToUpper(name), ";")
		if err := f.property(p); err != nil {
			return err
		}
	}
	return nil
}

// unfold joins lines that begin with a blank to the line before them, and drops
// empty ones. The whole line is in value.
func unfold(text string) []icsProperty {
	var lines []icsProperty
	var parts []string // of the last of lines
	number := 0
	finish := func() {
		if len(lines) > 0 {
			lines[len(lines)-1].value = strings.Join(parts, "")
		}
	}
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.TrimSpace(line) == "":
		case (line[0] == ' ' || line[0] == '\t') && len(lines) > 0:
			parts = append(parts, line[1:])
		default:
			finish()
			lines = append(lines, icsProperty{line: number})
			parts = []string{line}
		}
	}
	finish()
	return lines
}

// cutProperty splits a content line at the colon that is not within quotes.
func cutProperty(line string) (name, value string, ok bool) {
	quoted := false
	for i, c := range []byte(line) {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ':' && !quoted:
			return line[:i], line[i+1:], i > 0
		}
	}
	return "", "", false
}

func (f *icsFile) property(p icsProperty) error {
	switch p.name {
	case "BEGIN":
		return f.begin(p)
	case "END":
		return f.endComponent(p)
	}
	if n := len(f.components); n == 0 {
		return f.fault(p.line, "", "%.40q stands outside VCALENDAR", p.name)
	} else if f.event != nil && f.components[n-1] == "VEVENT" {
		return f.eventProperty(p)
	}
	return nil
}

// begin opens a component. VCALENDAR is the outermost, and events stand directly in it.
func (f *icsFile) begin(p icsProperty) error {
	name := strings.ToUpper(strings.TrimSpace(p.value))
	depth := len(f.components)
	if depth >= icsDepthMax || (depth == 0) != (name == "VCALENDAR") || (name == "VEVENT" && depth != 1) {
		_ = f.fault(p.line, p.name, "%.40q may not stand here", name)
		return errEnough // what follows cannot be understood
	}
	f.components = append(f.components, name)
	if name == "VEVENT" {
		f.event = &icsEvent{line: p.line, faultsSoFar: len(f.faults)}
	}
	return nil
}

func (f *icsFile) endComponent(p icsProperty) error {
	name := strings.ToUpper(strings.TrimSpace(p.value))
	n := len(f.components)
	if n == 0 || f.components[n-1] != name {
		_ = f.fault(p.line, p.name, "%.40q was not begun", name)
		return errEnough // what follows cannot be understood
	}
	f.components = f.components[:n-1]
	if name != "VEVENT" {
		return nil
	}
	event := f.event
	f.event = nil
	return f.addEvent(event)
}

func (f *icsFile) eventProperty(p icsProperty) (err error) {
	e := f.event
	switch p.name {
	case "DTSTART":
		e.start, err = f.wholeDay(p)
	case "DTEND":
		e.end, err = f.wholeDay(p)
	case "SUMMARY":
		e.summary = unescapeText(p.value)
		err = f.checkReason(p.line, p.name, e.summary)
	case "STATUS":
		e.cancelled = strings.EqualFold(strings.TrimSpace(p.value), "CANCELLED")
	case "X-HOLDFAST-OPEN":
		e.open = strings.EqualFold(strings.TrimSpace(p.value), "TRUE")
	case "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID":
		err = f.fault(p.line, p.name, "recurring events are not read; write out each day as an event")
	case "DURATION":
		err = f.fault(p.line, p.name, "is not read; give DTEND, the first day after the event")
	}
	return err
}

// wholeDay reads the date of a whole-day event.
func (f *icsFile) wholeDay(p icsProperty) (Date, error) {
	v := strings.TrimSpace(p.value)
	if len(v) != icsDateLength || strings.Contains(p.parameters, "VALUE=DATE-TIME") {
		return Date{}, f.fault(p.line, p.name, "%.40q is not a whole day; want VALUE=DATE and YYYYMMDD", v)
	}
	d, err := ParseDate(v[:4] + "-" + v[4:6] + "-" + v[6:])
	if err != nil {
		return Date{}, f.fault(p.line, p.name, "%v", err)
	}
	return d, nil
}

var textEscapes = strings.NewReplacer(`\\`, `\`, `\;`, ";", `\,`, ",", `\n`, " ", `\N`, " ")

func unescapeText(s string) string { return strings.TrimSpace(textEscapes.Replace(s)) }

// addEvent takes the days of an event that has come to its end.
func (f *icsFile) addEvent(e *icsEvent) error {
	if len(f.faults) > e.faultsSoFar || e.cancelled {
		return nil
	}
	if e.start.IsZero() {
		return f.fault(e.line, "DTSTART", "is missing")
	}
	if e.end.IsZero() {
		e.end = e.start.AddDays(1)
	}
	if !e.end.After(e.start) {
		return f.fault(e.line, "DTEND", "%v is not after DTSTART, %v", e.end, e.start)
	}
	if err := f.checkDate(e.line, "DTSTART", e.start); err != nil || e.start.Before(First) || e.start.After(Last) {
		return err
	}
	if last := e.end.AddDays(-1); last.After(Last) {
		return f.fault(e.line, "DTEND", "%v is not within %v to %v", last, First, Last)
	}
	for d := e.start; d.Before(e.end); d = d.AddDays(1) {
		if err := f.addDay(e, d); err != nil {
			return err
		}
	}
	return nil
}

// addDay takes one day of an event. Two events that close or open the same day are
// both its reason, as when two holidays meet.
func (f *icsFile) addDay(e *icsEvent, d Date) error {
	earlier, twice := f.days[d]
	if !twice {
		if err := f.full(e.line); err != nil {
			return err
		}
		f.days[d] = Override{Date: d, Closed: !e.open, Reason: e.summary}
		f.lines[d] = e.line
		return nil
	}
	if earlier.Closed == e.open {
		return f.fault(e.line, "X-HOLDFAST-OPEN", "%v is both opened and closed, see line %d", d, f.lines[d])
	}
	if e.summary == "" || e.summary == earlier.Reason {
		return nil
	}
	earlier.Reason = strings.TrimPrefix(fmt.Sprintf("%s; %s", earlier.Reason, e.summary), "; ")
	f.days[d] = earlier
	return f.checkReason(e.line, "SUMMARY", earlier.Reason)
}
