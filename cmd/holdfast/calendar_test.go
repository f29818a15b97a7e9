package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// runCalendar runs one command line and returns what it printed and its error, as a
// shell would see both.
func runCalendar(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var cli struct {
		Calendar calendarCmd `cmd:""`
	}
	var out, errOut bytes.Buffer
	parser, err := kong.New(&cli, kong.Name("holdfast"), kong.Writers(&out, &errOut), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := parser.Parse(append([]string{"calendar"}, args...))
	if err == nil {
		err = ctx.Run()
	}
	return out.String(), err
}

func TestCalendarAnswers(t *testing.T) {
	cases := []struct{ line, want string }{
		{"add 2026-02-13 3", "2026-02-23"},
		{"add 2026-02-14 0", "2026-02-14"},
		{"add 2026-11-27 3 --closed 2026-12-01", "2026-12-03"},
		{"add --closed=2026-12-01 --closed 2026-12-02 2026-11-27 3", "2026-12-04"},
		{"add 2026-04-30 1 --open 2026-05-01", "2026-05-01"},
		{"is 2026-02-12", "business"},
		{"is 2026-02-14", "closed Saturday"},
		{"is 2026-02-15", "closed Sunday"},
		{"is 2026-02-17", "closed Seollal (설날)"},
		{"is 2026-03-10 --closed 2026-03-10", "closed override"},
		{"is 2026-02-14 --open 2026-02-14", "business"},
		{"between 2025-10-01 2025-10-13", "3"},
		{"between 2025-10-01 2025-10-13 --open 2025-10-09", "4"},
		{"between 2025-10-13 2025-10-01", "0"},
		{"confirm-at 2026-02-13T14:59:59Z 3", "2026-02-23T15:00:00Z"},
		{"confirm-at 2026-03-10T12:00:00+09:00 3 --closed 2026-03-13", "2026-03-16T15:00:00Z"},
		{"roll 2026-02-16 before", "2026-02-13"},
		{"roll 2026-02-16 after", "2026-02-19"},
		{"roll 2026-02-16 after --open 2026-02-16", "2026-02-16"},
	}
	for _, tc := range cases {
		got, err := runCalendar(t, strings.Fields(tc.line)...)
		if err != nil || got != tc.want+"\n" {
			t.Errorf("calendar %s: %q, %v; want %q", tc.line, got, err, tc.want)
		}
	}
}

// What cannot be answered leaves standard output empty and ends with exit code 2.
func TestCalendarRefuses(t *testing.T) {
	cases := []struct{ line, want string }{
		{"add 2026-02-13 -1", `N: "-1" is negative`},
		{"add 2026-02-13 --closed 2026-02-16 -3", `N: "-3" is negative`},
		{"confirm-at 2026-02-13T14:59:59Z -3", `N: "-3" is negative`},
		{"explain 2026-02-13 -3", `N: "-3" is negative`},
		{"explain 2026-02-13 -3 --json", `N: "-3" is negative`},
		{"add 2026-02-13 1.5", `N: "1.5" is no number`},
		{"add 2026-02-13 three", `N: "three" is no number`},
		{"add 2026-02-13 99999999999", `N: "99999999999" is no number`},
		{"add 2026-02-30 3", "DATE: not a date: 2026-02-30 does not exist"},
		{"add 26-2-3 3", `DATE: not a date: "26-2-3"`},
		{"add 2017-12-31 3", "2017-12-31 is not within 2018-01-01 to 2050-12-31"},
		{"add 2050-12-29 3", "later than 2050-12-31"},
		{"is 2051-01-01", "2051-01-01 is not within"},
		{"between 2026-01-01 -5", `B: not a date: "-5"`},
		{"between x 2026-01-01", "A: not a date"},
		{"confirm-at 2026-02-13 3", `INSTANT: "2026-02-13" is no instant`},
		{"confirm-at 2026-02-13T10:00:00 3", "is no instant"},
		{"roll 2026-02-16 sideways", `"sideways" is no direction`},
		{"is 2026-02-16 --closed tomorrow", "--closed: not a date"},
		{"is 2026-02-16 --open 2051-01-01", "--open: 2051-01-01 is not within"},
		{"is 2026-02-16 --open 2026-02-16 --closed 2026-02-16", "--open: 2026-02-16 is closed by --closed"},
		{"import no-such-file.json", "no-such-file.json"},
	}
	for _, tc := range cases {
		out, err := runCalendar(t, strings.Fields(tc.line)...)
		var exit kong.ExitCoder
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(err.Error(), tc.want) || out != "" {
			t.Errorf("calendar %s: printed %q, error %v; want exit code 2 and %q", tc.line, out, err, tc.want)
		}
	}
}

func TestCalendarExplain(t *testing.T) {
	got, err := runCalendar(t, "explain", "2026-04-30", "1")
	want := "Business day 1 after Thu 2026-04-30 (not counted):\n" +
		"  Fri 2026-05-01  skipped: Labour Day (노동절)\n" +
		"  Sat 2026-05-02  skipped: Saturday\n" +
		"  Sun 2026-05-03  skipped: Sunday\n" +
		"  Mon 2026-05-04  1\n" +
		"Last day: Mon 2026-05-04\n" +
		"Calendar: "
	if err != nil || !strings.HasPrefix(got, want) {
		t.Errorf("explain: %v, printed\n%s", err, got)
	}
	got, err = runCalendar(t, "explain", "2028-04-11", "1")
	if err != nil || !strings.Contains(got, "National Assembly election") || !strings.Contains(got, "after 2027-12-31 are computed") {
		t.Errorf("explain a computed day: %v, printed\n%s", err, got)
	}
}

func TestCalendarExplainJSON(t *testing.T) {
	text, err := runCalendar(t, "explain", "2026-09-30", "2", "--json", "--closed", "2026-10-02")
	if err != nil {
		t.Fatal(err)
	}
	var got explanationJSON
	dec := json.NewDecoder(strings.NewReader(text))
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.LastDay.String() != "2026-10-06" || got.Base.String() != "2026-09-30" || got.N != 2 || len(got.Days) != 6 ||
		!strings.Contains(got.Version, "+1.") || got.Days[0].Number != 1 || got.Days[1].Causes[0].Kind != "override-closed" {
		t.Errorf("explain --json printed\n%s", text)
	}
	monday := got.Days[4]
	if monday.Open || len(monday.Causes) != 1 || monday.Causes[0].Kind != "substitute" || monday.Causes[0].For.String() != "2026-10-03" ||
		monday.Causes[0].Korean != "대체공휴일(개천절)" || !monday.Causes[0].Gazetted {
		t.Errorf("the substitute is %+v", monday)
	}
}

const importFile = `[
 {"date": "2026-12-01", "closed": true, "reason": "임시공휴일"},
 {"date": "2026-12-05", "closed": true},
 {"date": "2026-12-07", "closed": false, "reason": "banks work"}
]`

func writeImportFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "days.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestCalendarImportChecks(t *testing.T) {
	got, err := runCalendar(t, "import", writeImportFile(t, importFile))
	want := "would add 2026-12-01 closed 임시공휴일\n" +
		"would add 2026-12-05 closed (closed anyway: Saturday)\n" +
		"would add 2026-12-07 open banks work (open anyway)\n"
	if err != nil || got != want {
		t.Errorf("import: %v, printed\n%s", err, got)
	}
	name := writeImportFile(t, "[\n{\"date\": \"2026-12-01\"}]")
	got, err = runCalendar(t, "import", name, "--server", "http://127.0.0.1:1", "--token", "t")
	var exit kong.ExitCoder
	if got != "" || !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(err.Error(), "days.json: line 2: closed: is missing") {
		t.Errorf("import of a faulty file: printed %q, %v", got, err)
	}
}

func TestCalendarImportStores(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)}, " "))
		if strings.Contains(string(body), "12-07") {
			http.Error(w, "the reason is missing", http.StatusUnprocessableEntity)
		}
	}))
	defer server.Close()
	out, err := runCalendar(t, "import", writeImportFile(t, importFile), "--server", server.URL+"/", "--token", "secret")
	head := "POST /admin/v1/calendar/overrides Bearer secret application/json "
	want := []string{
		head + `{"date":"2026-12-01","closed":true,"reason":"임시공휴일"}`,
		head + `{"date":"2026-12-05","closed":true,"reason":""}`,
		head + `{"date":"2026-12-07","closed":false,"reason":"banks work"}`,
	}
	if !slices.Equal(asked, want) {
		t.Errorf("the server was asked\n%s", strings.Join(asked, "\n"))
	}
	if strings.Count(out, "added ") != 2 || err == nil ||
		!strings.Contains(err.Error(), `2026-12-07: the server answered 422 Unprocessable Entity: "the reason is missing" (2 of 3 days were stored before)`) {
		t.Errorf("printed\n%s, error %v", out, err)
	}
}

func TestCalendarImportNeedsServerAndToken(t *testing.T) {
	name := writeImportFile(t, importFile)
	t.Setenv("HOLDFAST_ADMIN_TOKEN", "")
	for want, args := range map[string][]string{
		"--token: is missing":                   {"--server", "https://pay.example"},
		`"pay.example:8080" is no http`:         {"--server", "pay.example:8080", "--token", "t"},
		`"ftp://pay.example" is no http`:        {"--server", "ftp://pay.example", "--token", "t"},
		`--server: "https://" is no http or ht`: {"--server", "https://", "--token", "t"},
	} {
		out, err := runCalendar(t, append([]string{"import", name}, args...)...)
		if out != "" || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("import %v: printed %q, %v; want %q", args, out, err, want)
		}
	}
}
