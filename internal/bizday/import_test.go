package bizday_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/bizday"
)

func TestImport(t *testing.T) {
	cases := []struct {
		name, file string
		want       []bizday.Override
	}{
		{"JSON", "[\n" +
			`{"date": "2026-12-02", "closed": false, "reason": "banks work"},` + "\n" +
			`{"closed": true, "date": "2026-12-01", "reason": "임시공휴일"}, {"date":"2026-12-04","closed":true}]` + "\n",
			[]bizday.Override{
				{Date: day("2026-12-01"), Closed: true, Reason: "임시공휴일"},
				{Date: day("2026-12-02"), Closed: false, Reason: "banks work"},
				{Date: day("2026-12-04"), Closed: true},
			}},
		{"JSON with a byte order mark", "\ufeff" + `[{"date":"2026-12-01","closed":true}]`,
			[]bizday.Override{{Date: day("2026-12-01"), Closed: true}}},
		{"one event of one day", calendar("BEGIN:VEVENT", "UID:1", "DTSTART;VALUE=DATE:20261201", "SUMMARY:임시공휴일", "END:VEVENT"),
			[]bizday.Override{{Date: day("2026-12-01"), Closed: true, Reason: "임시공휴일"}}},
		{"an event of three days, with an alarm", calendar("BEGIN:VEVENT", "DTSTART:20261230", "DTEND;VALUE=DATE:20270102",
			"BEGIN:VALARM", "TRIGGER:-PT15M", "SUMMARY:not this one", "END:VALARM", "summary;LANGUAGE=en:Bank move", "END:VEVENT"),
			[]bizday.Override{
				{Date: day("2026-12-30"), Closed: true, Reason: "Bank move"},
				{Date: day("2026-12-31"), Closed: true, Reason: "Bank move"},
				{Date: day("2027-01-01"), Closed: true, Reason: "Bank move"},
			}},
		{"folded and escaped text", calendar("BEGIN:VEVENT", "DTSTART:20261201", `SUMMARY:Ad hoc\, by`, "  the Cabinet", `X-NOTE;ALTREP="http://a:b":x`, "END:VEVENT"),
			[]bizday.Override{{Date: day("2026-12-01"), Closed: true, Reason: "Ad hoc, by the Cabinet"}}},
		{"opened and cancelled", calendar("BEGIN:VEVENT", "DTSTART:20261205", "X-HOLDFAST-OPEN:TRUE", "END:VEVENT",
			"BEGIN:VEVENT", "DTSTART:20261207", "STATUS:CANCELLED", "END:VEVENT"),
			[]bizday.Override{{Date: day("2026-12-05")}}},
		{"two events meet", calendar("BEGIN:VEVENT", "DTSTART:20261201", "SUMMARY:one", "END:VEVENT",
			"BEGIN:VEVENT", "DTSTART:20261201", "SUMMARY:two", "END:VEVENT"),
			[]bizday.Override{{Date: day("2026-12-01"), Closed: true, Reason: "one; two"}}},
	}
	for _, tc := range cases {
		got, err := bizday.Import([]byte(tc.file))
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %+v, %v; want %+v", tc.name, got, err, tc.want)
		}
	}
}

// calendar wraps lines into an iCalendar file.
func calendar(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCALENDAR\r\n"
}

func event(lines ...string) string {
	return calendar(slices.Concat([]string{"BEGIN:VEVENT"}, lines, []string{"END:VEVENT"})...)
}

// A file with a fault gives nothing, and says where and why.
func TestImportRefuses(t *testing.T) {
	long := strings.Repeat("가", bizday.MaxReasonRunes+1)
	cases := []struct{ name, file, want string }{
		{"empty", "", "neither a JSON array nor an iCalendar file"},
		{"an object", `{"date":"2026-12-01"}`, "neither a JSON array"},
		{"not UTF-8", "[\xff]", "not UTF-8"},
		{"too large", "[" + strings.Repeat(" ", bizday.MaxImportBytes), "more than 1048576"},
		{"no rows", "[]", "names no day"},
		{"no events", calendar(), "names no day"},
		{"cut off", "[\n{\"date\":\n", "line 2: the JSON text ends too early"},
		{"bad JSON", "[\n{\"date\": nope}]", "line 2: invalid character"},
		{"something behind", "[{\"date\":\"2026-12-01\",\"closed\":true}]\n[]", "line 2: something follows the array"},
		{"a row that is no object", "[1]", "line 1: want an object"},
		{"a nested field", `[{"date":{}}]`, "holds an object or an array"},
		{"date missing", "[\n\n{\"closed\":true}]", "line 3: date: is missing"},
		{"closed missing", `[{"date":"2026-12-01"}]`, "line 1: closed: is missing"},
		{"closed is text", `[{"date":"2026-12-01","closed":"yes"}]`, "line 1: closed: want true or false"},
		{"date is a number", `[{"date":20261201,"closed":true}]`, "line 1: date: want a text"},
		{"a day that does not exist", `[{"date":"2026-11-31","closed":true}]`, "line 1: date: not a date: 2026-11-31 does not exist"},
		{"a day out of range", `[{"date":"2051-01-01","closed":true}]`, "line 1: date: 2051-01-01 is not within 2018-01-01 to 2050-12-31"},
		{"reason is null", `[{"date":"2026-12-01","closed":true,"reason":null}]`, "line 1: reason: want a text"},
		{"a long reason", `[{"date":"2026-12-01","closed":true,"reason":"` + long + `"}]`, "line 1: reason: has 201 characters, more than 200"},
		{"a control character", `[{"date":"2026-12-01","closed":true,"reason":"a\u0007b"}]`, "line 1: reason: contains a control character"},
		{"an unknown field", `[{"date":"2026-12-01","closed":true,"Reason":"x"}]`, `line 1: "Reason": is no field`},
		{"a field twice", `[{"date":"2026-12-01","closed":true,"closed":false}]`, "line 1: closed: stands twice"},
		{"a day twice", "[{\"date\":\"2026-12-01\",\"closed\":true},\n{\"date\":\"2026-12-01\",\"closed\":false}]", "line 2: date: 2026-12-01 stands already in line 1"},

		{"no DTSTART", event("SUMMARY:x"), "line 3: DTSTART: is missing"},
		{"a time of day", event("DTSTART;TZID=Asia/Seoul:20261201T090000"), `line 4: DTSTART: "20261201T090000" is not a whole day`},
		{"an event day that does not exist", event("DTSTART:20261131"), "line 4: DTSTART: not a date: 2026-11-31 does not exist"},
		{"an event that ends before it starts", event("DTSTART:20261202", "DTEND:20261202"), "line 3: DTEND: 2026-12-02 is not after DTSTART"},
		{"an event out of range", event("DTSTART:20171231"), "line 3: DTSTART: 2017-12-31 is not within"},
		{"an event that runs out of range", event("DTSTART:20501231", "DTEND:20510102"), "line 3: DTEND: 2051-01-01 is not within"},
		{"a recurring event", event("DTSTART:20261201", "RRULE:FREQ=YEARLY"), "line 5: RRULE: recurring events are not read"},
		{"a duration", event("DTSTART:20261201", "DURATION:P2D"), "line 5: DURATION: is not read"},
		{"a long summary", event("DTSTART:20261201", "SUMMARY:"+long), "line 5: SUMMARY: has 201 characters"},
		{"opened and closed", calendar("BEGIN:VEVENT", "DTSTART:20261201", "END:VEVENT", "BEGIN:VEVENT", "DTSTART:20261201", "X-HOLDFAST-OPEN:TRUE", "END:VEVENT"),
			"line 6: X-HOLDFAST-OPEN: 2026-12-01 is both opened and closed, see line 3"},
		{"no end", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261201\n", "VEVENT is never ended"},
		{"a wrong end", "BEGIN:VCALENDAR\nEND:VEVENT\n", `line 2: END: "VEVENT" was not begun`},
		{"an event in an event", event("BEGIN:VEVENT", "END:VEVENT"), `line 4: BEGIN: "VEVENT" may not stand here`},
		{"no colon", calendar("BEGIN:VEVENT", "DTSTART", "END:VEVENT"), "line 4: want NAME:VALUE"},
		{"behind the calendar", event("DTSTART:20261201") + "X:1\n", `"X" stands outside VCALENDAR`},
	}
	for _, tc := range cases {
		got, err := bizday.Import([]byte(tc.file))
		if err == nil || got != nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, %v; want %q", tc.name, got, err, tc.want)
		}
	}
}

// The bounds hold: days are counted, also within one event, and faults too.
func TestImportBounds(t *testing.T) {
	rows := func(n int, closed string) string {
		var parts []string
		for i := range n {
			parts = append(parts, fmt.Sprintf("{\"date\":\"%v\",\"closed\":%s}", bizday.First.AddDays(i), closed))
		}
		return "[" + strings.Join(parts, ",\n") + "]"
	}
	if got, err := bizday.Import([]byte(rows(bizday.MaxImportDays, "true"))); err != nil || len(got) != bizday.MaxImportDays {
		t.Errorf("%d days: %d, %v", bizday.MaxImportDays, len(got), err)
	}
	for name, file := range map[string]string{
		"rows":  rows(bizday.MaxImportDays+1, "true"),
		"event": event("DTSTART:20260101", "DTEND:20500101"),
	} {
		if _, err := bizday.Import([]byte(file)); err == nil || !strings.Contains(err.Error(), "more than 2000 days") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := bizday.Import([]byte(rows(500, "1")))
	if err == nil || strings.Count(err.Error(), "\n")+1 != bizday.MaxImportErrors {
		t.Errorf("500 faults are answered with %v", err)
	}
}

// Whatever the bytes, Import ends, and gives either overrides in order or an error.
func FuzzImport(f *testing.F) {
	f.Add([]byte(`[{"date":"2026-12-01","closed":true,"reason":"x"}]`))
	f.Add([]byte(event("DTSTART;VALUE=DATE:20261201", "DTEND:20261203", "SUMMARY:x")))
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VALARM\n \n\tx\nEND:VALARM"))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := bizday.Import(file)
		if (err == nil) != (len(got) > 0) {
			t.Fatalf("%d overrides with error %v", len(got), err)
		}
		for i, o := range got {
			if o.Date.Before(bizday.First) || o.Date.After(bizday.Last) || (i > 0 && !got[i-1].Date.Before(o.Date)) {
				t.Fatalf("override %d is %+v", i, o)
			}
		}
	})
}
