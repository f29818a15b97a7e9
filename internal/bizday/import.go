package bizday

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of a file of overrides.
const (
	MaxImportBytes  = 1 << 20 // the size of a file
	MaxImportDays   = 2000    // the days a file may name, those of a several-day event counted singly
	MaxReasonRunes  = 200     // the length of a reason
	MaxImportErrors = 20      // the faults named in one answer
)

// ImportError is one fault of a file of overrides.
type ImportError struct {
	Line   int    // counted from 1; 0 when the fault is the file's as a whole
	Field  string // the field or property at fault, or ""
	Reason string
}

// Error names the line, the field and the reason.
func (e ImportError) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", e.Line)
	}
	if e.Field != "" {
		fmt.Fprintf(&b, "%s: ", e.Field)
	}
	b.WriteString(e.Reason)
	return b.String()
}

// Import reads a file of overrides, in JSON if its first character is an opening
// bracket and in iCalendar form if it begins with BEGIN:VCALENDAR. The days come back
// in the order of their dates, each once.
//
// A JSON file is one array of objects with the fields date (YYYY-MM-DD), closed
// (true or false) and, if wanted, reason:
//
//	[{"date": "2026-12-01", "closed": true, "reason": "임시공휴일"}]
//
// An iCalendar file closes every day of each of its events, which must be whole-day
// events; SUMMARY is the reason. An event with X-HOLDFAST-OPEN:TRUE opens its days
// instead, and one with STATUS:CANCELLED counts for nothing. Recurring events are
// refused: write out their days.
//
// A file with any fault gives no override at all; the error then joins an
// [ImportError] for each fault, up to MaxImportErrors.
func Import(file []byte) ([]Override, error) {
	if len(file) > MaxImportBytes {
		return nil, ImportError{Reason: fmt.Sprintf("the file has %d bytes, more than %d", len(file), MaxImportBytes)}
	}
	if !utf8.Valid(file) {
		return nil, ImportError{Reason: "the file is not UTF-8 text"}
	}
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	text := bytes.TrimSpace(file)
	switch {
	case bytes.HasPrefix(text, []byte("[")):
		return importJSON(file)
	case len(text) >= len(icsBegin) && strings.EqualFold(string(text[:len(icsBegin)]), icsBegin):
		return importICS(string(file))
	}
	return nil, ImportError{Reason: "the file is neither a JSON array nor an iCalendar file (BEGIN:VCALENDAR)"}
}

// importing gathers the overrides and the faults of a file.
type importing struct {
	days   map[Date]Override
	lines  map[Date]int // where a day was first named
	faults []error
}

func newImporting() *importing {
	return &importing{days: map[Date]Override{}, lines: map[Date]int{}}
}

// errEnough ends an import that has found more faults or days than it may.
var errEnough = errors.New("enough")

// fault notes a fault, and fails with errEnough at the last that may be noted.
func (im *importing) fault(line int, field, format string, args ...any) error {
	im.faults = append(im.faults, ImportError{Line: line, Field: field, Reason: fmt.Sprintf(format, args...)})
	if len(im.faults) >= MaxImportErrors {
		return errEnough
	}
	return nil
}

// checkDate complains of a date that no calendar answers for.
func (im *importing) checkDate(line int, field string, d Date) error {
	if d.Before(First) || d.After(Last) {
		return im.fault(line, field, "%v is not within %v to %v", d, First, Last)
	}
	return nil
}

// checkReason complains of a reason that is too long or holds control characters.
func (im *importing) checkReason(line int, field, reason string) error {
	if n := utf8.RuneCountInString(reason); n > MaxReasonRunes {
		return im.fault(line, field, "has %d characters, more than %d", n, MaxReasonRunes)
	}
	if strings.ContainsFunc(reason, unicode.IsControl) {
		return im.fault(line, field, "contains a control character")
	}
	return nil
}

// full reports whether no further day fits, and notes it as a fault.
func (im *importing) full(line int) error {
	if len(im.days) < MaxImportDays {
		return nil
	}
	im.faults = append(im.faults, ImportError{Line: line, Reason: fmt.Sprintf("the file names more than %d days", MaxImportDays)})
	return errEnough
}

// result returns the overrides in the order of their dates, or all faults.
func (im *importing) result() ([]Override, error) {
	if len(im.faults) > 0 {
		return nil, errors.Join(im.faults...)
	}
	if len(im.days) == 0 {
		return nil, ImportError{Reason: "the file names no day"}
	}
	return slices.Clip(sortedOverrides(im.days)), nil
}
