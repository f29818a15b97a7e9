package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/bizday"
)

// calendarCmd answers questions about Korean bank business days. The answers stand
// alone on standard output so that scripts can rely on them; what cannot be answered
// is said on standard error, with exit code 2.
type calendarCmd struct {
	Add       calendarAddCmd       `cmd:"" help:"Print the N-th business day after DATE."`
	Is        calendarIsCmd        `cmd:"" help:"Print whether DATE is a business day: \"business\", or \"closed\" and why."`
	Between   calendarBetweenCmd   `cmd:"" help:"Print the number of business days after date A, through date B."`
	ConfirmAt calendarConfirmAtCmd `cmd:"" help:"Print the instant at which silence since INSTANT becomes consent: 00:00 in Korea after N business days."`
	Roll      calendarRollCmd      `cmd:"" help:"Print DATE if it is a business day, else the nearest one before or after it."`
	Explain   calendarExplainCmd   `cmd:"" help:"Print the N-th business day after DATE with the days counted and skipped."`
	Import    calendarImportCmd    `cmd:"" help:"Check a JSON or iCalendar file of days to close or open, and store it in a running server if one is named."`
}

// calendarRefusal is a question that cannot be answered, or a file that cannot be
// taken: the fault is in what was asked.
type calendarRefusal struct{ error }

// ExitCode is the exit code of the program.
func (calendarRefusal) ExitCode() int { return 2 }

// Unwrap returns the cause.
func (r calendarRefusal) Unwrap() error { return r.error }

// refuse marks err, if there is one, as a fault of the question.
func refuse(err error) error {
	if err == nil {
		return nil
	}
	return calendarRefusal{err}
}

func refusef(format string, args ...any) error { return refuse(fmt.Errorf(format, args...)) }

// operand is an argument as it was typed. It is read when the command runs, so that
// every fault of it is a calendarRefusal. An operand also claims a negative number
// that follows it, which would else be taken for a flag.
type operand string

// Decode takes the next argument.
func (o *operand) Decode(ctx *kong.DecodeContext) error {
	if err := ctx.Scan.PopValueInto("value", (*string)(o)); err != nil {
		return err
	}
	next := ctx.Scan.Peek()
	if text, ok := next.Value.(string); ok && next.Type == kong.UntypedToken && isNegative(text) {
		ctx.Scan.Pop()
		ctx.Scan.PushTyped(text, kong.PositionalArgumentToken)
	}
	return nil
}

// operands are the operands of a flag that may be repeated.
type operands []operand

// Decode takes the next argument in addition to earlier ones.
func (o *operands) Decode(ctx *kong.DecodeContext) error {
	var next operand
	if err := next.Decode(ctx); err != nil {
		return err
	}
	*o = append(*o, next)
	return nil
}

func isNegative(s string) bool { return len(s) > 1 && s[0] == '-' && s[1] >= '0' && s[1] <= '9' }

func (o operand) date(name string) (bizday.Date, error) {
	d, err := bizday.ParseDate(string(o))
	if err != nil {
		return bizday.Date{}, refusef("%s: %w", name, err)
	}
	return d, nil
}

func (o operand) instant(name string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, string(o))
	if err != nil {
		return time.Time{}, refusef("%s: %.40q is no instant; want RFC 3339 such as 2026-02-13T18:00:00+09:00", name, string(o))
	}
	return t, nil
}

// count reads a number of business days.
func (o operand) count(name string) (int, error) {
	if isNegative(string(o)) {
		return 0, refusef("%s: %.40q is negative; a number of business days cannot be", name, string(o))
	}
	n, err := strconv.ParseUint(string(o), 10, 31)
	if err != nil {
		return 0, refusef("%s: %.40q is no number of business days", name, string(o))
	}
	return int(n), nil
}

// calendarOverrides are the flags that try an override without storing it.
type calendarOverrides struct {
	Closed operands `placeholder:"DATE" help:"Answer as if banks were shut on DATE. May be repeated."`
	Open   operands `placeholder:"DATE" help:"Answer as if banks were open on DATE. May be repeated."`
}

// calendar returns the Korean calendar with the overrides of the flags.
func (f calendarOverrides) calendar() (bizday.Calendar, error) {
	closed, err := overridesOf("--closed", f.Closed, true)
	if err != nil {
		return bizday.Calendar{}, err
	}
	opened, err := overridesOf("--open", f.Open, false)
	if err != nil {
		return bizday.Calendar{}, err
	}
	for _, o := range opened {
		for _, c := range closed {
			if o.Date == c.Date {
				return bizday.Calendar{}, refusef("--open: %v is closed by --closed", o.Date)
			}
		}
	}
	return bizday.Korea().With(closed...).With(opened...), nil
}

func overridesOf(flag string, dates operands, closed bool) ([]bizday.Override, error) {
	overrides := make([]bizday.Override, len(dates))
	for i, text := range dates {
		date, err := text.date(flag)
		if err != nil {
			return nil, err
		}
		if date.Before(bizday.First) || date.After(bizday.Last) {
			return nil, refusef("%s: %v is not within %v to %v", flag, date, bizday.First, bizday.Last)
		}
		overrides[i] = bizday.Override{Date: date, Closed: closed}
	}
	return overrides, nil
}

// calendarSum is a date and a number of business days to count from it.
type calendarSum struct {
	Date operand `arg:"" help:"A date, YYYY-MM-DD. It is not counted itself."`
	N    operand `arg:"" help:"The number of business days."`
	calendarOverrides
}

// read returns the operands and the calendar.
func (s calendarSum) read() (bizday.Calendar, bizday.Date, int, error) {
	date, errDate := s.Date.date("DATE")
	n, errN := s.N.count("N")
	cal, errCalendar := s.calendar()
	return cal, date, n, cmp.Or(errDate, errN, errCalendar)
}

type calendarAddCmd struct{ calendarSum }

// Run prints one date.
func (c *calendarAddCmd) Run(k *kong.Context) error {
	cal, date, n, err := c.read()
	if err != nil {
		return err
	}
	due, err := cal.Add(date, n)
	return printAnswer(k.Stdout, due, err)
}

// printAnswer prints one line, or passes the refusal on.
func printAnswer(out io.Writer, answer any, err error) error {
	if err != nil {
		return refuse(err)
	}
	_, err = fmt.Fprintln(out, answer)
	return err
}

type calendarIsCmd struct {
	Date operand `arg:"" help:"A date, YYYY-MM-DD."`
	calendarOverrides
}

// Run prints "business", or "closed" and the reason.
func (c *calendarIsCmd) Run(k *kong.Context) error {
	date, err := c.Date.date("DATE")
	if err != nil {
		return err
	}
	cal, err := c.calendar()
	if err != nil {
		return err
	}
	open, reason, err := cal.IsBusiness(date)
	if open {
		return printAnswer(k.Stdout, "business", err)
	}
	return printAnswer(k.Stdout, "closed "+reason, err)
}

type calendarBetweenCmd struct {
	A operand `arg:"" help:"A date, YYYY-MM-DD. It is not counted itself."`
	B operand `arg:"" help:"A date, YYYY-MM-DD. It is counted if it is a business day."`
	calendarOverrides
}

// Run prints one number, 0 when B is not after A.
func (c *calendarBetweenCmd) Run(k *kong.Context) error {
	a, err := c.A.date("A")
	if err != nil {
		return err
	}
	b, err := c.B.date("B")
	if err != nil {
		return err
	}
	cal, err := c.calendar()
	if err != nil {
		return err
	}
	n, err := cal.Between(a, b)
	return printAnswer(k.Stdout, n, err)
}

type calendarConfirmAtCmd struct {
	Instant operand `arg:"" help:"The instant of receipt, RFC 3339, such as 2026-02-13T18:00:00+09:00."`
	N       operand `arg:"" help:"The number of business days."`
	calendarOverrides
}

// Run prints one instant in UTC.
func (c *calendarConfirmAtCmd) Run(k *kong.Context) error {
	received, err := c.Instant.instant("INSTANT")
	if err != nil {
		return err
	}
	n, err := c.N.count("N")
	if err != nil {
		return err
	}
	cal, err := c.calendar()
	if err != nil {
		return err
	}
	_, at, err := cal.ConfirmAt(received, n)
	return printAnswer(k.Stdout, at.Format(time.RFC3339), err)
}

type calendarRollCmd struct {
	Date operand `arg:"" help:"A date, YYYY-MM-DD."`
	Way  operand `arg:"" name:"before|after" help:"Where to look for a business day when DATE is none."`
	calendarOverrides
}

// Run prints one date.
func (c *calendarRollCmd) Run(k *kong.Context) error {
	date, err := c.Date.date("DATE")
	if err != nil {
		return err
	}
	way, ok := map[operand]bizday.Direction{"before": bizday.Before, "after": bizday.After}[c.Way]
	if !ok {
		return refusef("%.40q is no direction; want before or after", string(c.Way))
	}
	cal, err := c.calendar()
	if err != nil {
		return err
	}
	rolled, err := cal.Roll(date, way)
	return printAnswer(k.Stdout, rolled, err)
}

type calendarExplainCmd struct {
	calendarSum
	JSON bool `name:"json" help:"Print the working as JSON."`
}

// Run prints the working, as text or as JSON.
func (c *calendarExplainCmd) Run(k *kong.Context) error {
	cal, date, n, err := c.read()
	if err != nil {
		return err
	}
	e, err := cal.Explain(date, n)
	if err != nil {
		return refuse(err)
	}
	if c.JSON {
		return printJSON(k.Stdout, explanationJSONOf(e))
	}
	text := e.String() + "Calendar: " + e.Version + "\n"
	if e.Last.After(bizday.GazettedThrough()) {
		text += fmt.Sprintf("Holidays after %v are computed; the official almanac for them is not out.\n", bizday.GazettedThrough())
	}
	_, err = io.WriteString(k.Stdout, text)
	return err
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// explanationJSON is a bizday.Explanation as scripts read it.
type explanationJSON struct {
	Base    bizday.Date        `json:"base"`
	N       int                `json:"n"`
	LastDay bizday.Date        `json:"lastDay"`
	Version string             `json:"version"`
	Days    []explainedDayJSON `json:"days"`
}

type explainedDayJSON struct {
	Date    bizday.Date `json:"date"`
	Weekday string      `json:"weekday"`
	Open    bool        `json:"open"`
	Number  int         `json:"number,omitempty"` // only of a day that is counted
	Causes  []causeJSON `json:"causes,omitempty"`
}

type causeJSON struct {
	Kind     string      `json:"kind"`
	Korean   string      `json:"ko"`
	English  string      `json:"en"`
	For      bizday.Date `json:"for,omitzero"`
	Gazetted bool        `json:"gazetted"`
}

func explanationJSONOf(e bizday.Explanation) explanationJSON {
	out := explanationJSON{Base: e.Base, N: e.N, LastDay: e.Last, Version: e.Version, Days: make([]explainedDayJSON, len(e.Days))}
	for i, d := range e.Days {
		day := explainedDayJSON{Date: d.Date, Weekday: d.Date.Weekday().String(), Open: d.Open, Number: d.Number}
		for _, c := range d.Causes {
			day.Causes = append(day.Causes, causeJSON{c.Kind.String(), c.Korean, c.English, c.For, c.Gazetted})
		}
		out.Days[i] = day
	}
	return out
}

type calendarImportCmd struct {
	File   string `arg:"" help:"A JSON or iCalendar file, or - for standard input."`
	Server string `placeholder:"URL" help:"Store the days in the server at URL. Without it the file is only checked."`
	Token  string `placeholder:"T" env:"HOLDFAST_ADMIN_TOKEN" help:"The operator's token for the server."`
}

// Bounds of a conversation with the server.
const (
	importTimeout   = 10 * time.Second // for each day
	importReplyMax  = 4 << 10          // bytes read of a refusal
	importReasonMax = 300              // bytes shown of a refusal
)

// Run checks the whole file before anything is stored, then prints each day that
// the file adds, and with a server stores it first.
func (c *calendarImportCmd) Run(k *kong.Context) error {
	file, err := readBounded(c.File)
	if err != nil {
		return err
	}
	overrides, err := bizday.Import(file)
	if err != nil {
		name := c.File
		if name == "-" {
			name = "standard input"
		}
		return refusef("%s: %w", name, err)
	}
	if c.Server == "" {
		for _, o := range overrides {
			if err := printOverride(k.Stdout, "would add", o); err != nil {
				return err
			}
		}
		return nil
	}
	endpoint, err := overridesEndpoint(c.Server)
	if err != nil {
		return err
	}
	if c.Token == "" {
		return refusef("--token: is missing; the server stores overrides of operators only")
	}
	client := &http.Client{Timeout: importTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for i, o := range overrides {
		if err := storeOverride(client, endpoint, c.Token, o); err != nil {
			return fmt.Errorf("%v: %w (%d of %d days were stored before)", o.Date, err, i, len(overrides))
		}
		if err := printOverride(k.Stdout, "added", o); err != nil {
			return err
		}
	}
	return nil
}

// readBounded reads a file, or standard input for "-", up to one byte more than
// bizday.Import takes.
func readBounded(name string) ([]byte, error) {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, refuse(err)
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, bizday.MaxImportBytes+1))
}

// printOverride prints what is added, and says so when it changes no answer.
func printOverride(out io.Writer, verb string, o bizday.Override) error {
	line := fmt.Sprintf("%s %v %s", verb, o.Date, map[bool]string{true: "closed", false: "open"}[o.Closed])
	if o.Reason != "" {
		line += " " + o.Reason
	}
	day, err := bizday.Korea().Day(o.Date)
	switch {
	case err != nil:
		return err
	case o.Closed && !day.Open:
		line += " (closed anyway: " + day.Reason() + ")"
	case !o.Closed && day.Open:
		line += " (open anyway)"
	}
	_, err = fmt.Fprintln(out, line)
	return err
}

func overridesEndpoint(server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", refusef("--server: %.80q is no http or https URL", server)
	}
	return u.JoinPath("admin", "v1", "calendar", "overrides").String(), nil
}

// storeOverride posts one day. Any answer but success is an error with its text.
func storeOverride(client *http.Client, endpoint, token string, o bizday.Override) error {
	body, err := json.Marshal(struct {
		Date   bizday.Date `json:"date"`
		Closed bool        `json:"closed"`
		Reason string      `json:"reason"`
	}{o.Date, o.Closed, o.Reason})
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, importReplyMax))
	if resp.StatusCode/100 == 2 {
		return nil
	}
	return errors.Join(fmt.Errorf("the server answered %s: %.*q", resp.Status, importReasonMax, strings.TrimSpace(string(reply))), err)
}
