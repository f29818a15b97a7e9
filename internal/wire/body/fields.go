package body

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// WonMax is the largest amount of money a request may name: ten thousand million
// won.
const WonMax int64 = 10_000_000_000

// secondsMax is the last accepted instant, 2100-01-01T00:00:00Z. Any date of
// this century written in milliseconds is far above it.
const secondsMax int64 = 4_102_444_800

// Fields takes typed values out of one object. It is made by [Value.Fields],
// used by one goroutine, and done with when [Fields.Err] has been asked.
type Fields struct {
	value Value
	path  string
	asked []string
	notes *notes
}

// notes gathers what one request did wrong; all Fields of it share one.
type notes struct {
	problems Problems
	opened   []*Fields
}

// Fields begins taking values out of v, which must be an object; of anything
// else every member is absent.
func (v Value) Fields() *Fields { return (&notes{}).open(v, "") }

func (n *notes) open(v Value, path string) *Fields {
	f := &Fields{value: v, path: path, notes: n}
	n.opened = append(n.opened, f)
	return f
}

// Err returns nil or [Problems] with every fault of the whole request noted so
// far, those of nested objects included.
func (f *Fields) Err() error {
	for _, o := range f.notes.opened {
		o.noteMisspelt()
	}
	f.notes.opened = nil
	if len(f.notes.problems) == 0 {
		return nil
	}
	return f.notes.problems
}

// ErrStrict is [Fields.Err] for our own APIs, which refuse members that nobody
// asked for instead of ignoring them. A member that was looked at by
// [Fields.IsNull] alone counts as not asked for.
func (f *Fields) ErrStrict() error {
	for _, o := range f.notes.opened {
		o.noteUnknown()
	}
	return f.Err()
}

// noteUnknown refuses keys that nobody asked for, except those that noteMisspelt
// has closer words for.
func (f *Fields) noteUnknown() {
	for _, name := range slices.Sorted(maps.Keys(f.value.fields)) {
		known := slices.ContainsFunc(f.asked, func(asked string) bool { return strings.EqualFold(asked, name) })
		if !known {
			f.Refuse(name, ReasonUnknown)
		}
	}
}

// noteMisspelt refuses keys that nobody asked for but that are an asked name in
// other letter case.
func (f *Fields) noteMisspelt() {
	var wrong []string
	for name := range f.value.fields {
		if !slices.Contains(f.asked, name) {
			wrong = append(wrong, name)
		}
	}
	sort.Strings(wrong)
	for _, name := range wrong {
		for _, asked := range f.asked {
			if strings.EqualFold(asked, name) {
				f.Refuse(name, misspelt(asked))
				break
			}
		}
	}
}

// Refuse notes a fault of a member that only the caller could find.
func (f *Fields) Refuse(name string, reason Reason) {
	f.notes.problems = append(f.notes.problems, Problem{Field: f.at(name), Reason: reason})
}

func (f *Fields) at(name string) string {
	if f.path == "" {
		return name
	}
	return f.path + "." + name
}

// take returns the member; null comes back as absent.
func (f *Fields) take(name string) Value {
	if !slices.Contains(f.asked, name) {
		f.asked = append(f.asked, name)
	}
	v := f.value.fields[name]
	if v.kind == Null {
		return Value{}
	}
	return v
}

// Has reports whether the member is there and not null.
func (f *Fields) Has(name string) bool { return f.take(name).kind != Absent }

// IsNull reports whether the member is there and null.
func (f *Fields) IsNull(name string) bool { return f.value.fields[name].kind == Null }

// Given reports whether the object itself was sent; it is false for the Fields
// of an absent member.
func (f *Fields) Given() bool { return f.value.kind == Object }

// Require notes each named member that is absent, null or an empty text.
func (f *Fields) Require(names ...string) {
	for _, name := range names {
		v := f.take(name)
		if v.kind == Absent || (v.kind == String && v.text == "") {
			f.Refuse(name, ReasonMissing)
		}
	}
}

// Text takes one line of text of at most limit characters: no line break, no
// control character, no character that reverses the direction of writing. It is
// "" if the member is absent.
func (f *Fields) Text(name string, limit int) string {
	return f.text(name, limit, lineFault)
}

// Lines takes text of at most limit characters that may have line breaks and
// tabs.
func (f *Fields) Lines(name string, limit int) string {
	return f.text(name, limit, func(s string) Reason {
		return lineFault(strings.NewReplacer("\r\n", "", "\n", "", "\t", "").Replace(s))
	})
}

// Ident takes an identifier of at most limit characters: a text that has no
// invisible characters and no blank at either end, so that two identifiers which
// look the same are the same.
func (f *Fields) Ident(name string, limit int) string {
	return f.text(name, limit, identFault)
}

// OneOf takes a text that must be one of the allowed ones. It is "" if the
// member is absent or empty.
func (f *Fields) OneOf(name string, allowed ...string) string {
	s := f.text(name, BytesMax, func(string) Reason { return Reason{} })
	if s != "" && !slices.Contains(allowed, s) {
		f.Refuse(name, NotOneOf(allowed...))
		return ""
	}
	return s
}

func (f *Fields) text(name string, limit int, fault func(string) Reason) string {
	v := f.take(name)
	s, reason := v.checkedText(limit, fault)
	if reason.Code != "" {
		f.Refuse(name, reason)
	}
	return s
}

// checkedText is the text of v, or why it is refused. A number is taken as its
// literal, because clients send account and phone numbers without quotes.
func (v Value) checkedText(limit int, fault func(string) Reason) (string, Reason) {
	switch v.kind {
	case Absent:
		return "", Reason{}
	case String, Number:
	default:
		return "", ReasonNotText
	}
	s := norm.NFC.String(v.text)
	if utf8.RuneCountInString(s) > limit {
		return "", TooLong(limit)
	}
	if reason := fault(s); reason.Code != "" {
		return "", reason
	}
	return s, Reason{}
}

func lineFault(s string) Reason {
	for _, r := range s {
		switch {
		case unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp):
			return ReasonControl
		case unicode.Is(unicode.Bidi_Control, r):
			return ReasonInvisible
		}
	}
	return Reason{}
}

func identFault(s string) Reason {
	if reason := lineFault(s); reason.Code != "" {
		return reason
	}
	for _, r := range s {
		if unicode.Is(unicode.Cf, r) || (unicode.IsSpace(r) && r != ' ') || isFiller(r) {
			return ReasonInvisible
		}
	}
	if strings.TrimSpace(s) != s {
		return ReasonOuterBlank
	}
	return Reason{}
}

// isFiller reports the letters that are drawn as nothing: Hangul fillers, the
// Braille blank and variation selectors.
func isFiller(r rune) bool {
	switch r {
	case 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x034F:
		return true
	}
	return unicode.Is(unicode.Variation_Selector, r)
}

// Won takes an amount of money in whole won from 0 to [WonMax]. It takes a
// number or a text in any notation whose value is whole, and reports whether the
// member was there and right.
func (f *Fields) Won(name string) (int64, bool) { return f.whole(name, WonMax) }

// Int takes a whole number from low (at least 0) to high, and reports whether
// the member was there and right.
func (f *Fields) Int(name string, low, high int64) (int64, bool) {
	n, ok := f.whole(name, high)
	if ok && n < low {
		f.Refuse(name, AtLeast(low))
		return 0, false
	}
	return n, ok
}

// UnixSeconds takes an instant after 1970 in seconds, and reports whether the
// member was there and right. Milliseconds are refused by name.
func (f *Fields) UnixSeconds(name string) (int64, bool) {
	v := f.take(name)
	if v.kind == Absent {
		return 0, false
	}
	n, reason := v.wholeNumber(secondsMax)
	switch {
	case reason == AtMost(secondsMax):
		reason = ReasonMilliseconds
	case reason.Code == "" && n == 0:
		reason = AtLeast(1)
	}
	if reason.Code != "" {
		f.Refuse(name, reason)
		return 0, false
	}
	return n, true
}

// instantMax is the length of an instant's text, in characters.
const instantMax = 40

// Instant takes an instant as RFC 3339 writes it, with an offset or Z, after 1970 and
// before 2100, and reports whether the member was there and right. It comes back in
// UTC.
func (f *Fields) Instant(name string) (time.Time, bool) {
	s := f.Text(name, instantMax)
	if s == "" {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || at.Unix() < 1 || at.Unix() > secondsMax {
		f.Refuse(name, ReasonNotInstant)
		return time.Time{}, false
	}
	return at.UTC(), true
}

// Spelt takes a text of at most limit characters that read understands, in the
// spelling that read gives it; the reason refuses every other one.
func (f *Fields) Spelt(name string, limit int, reason Reason, read func(string) (string, bool)) string {
	sent := f.Text(name, limit)
	if sent == "" {
		return ""
	}
	spelt, ok := read(sent)
	if !ok {
		f.Refuse(name, reason)
		return ""
	}
	return spelt
}

func (f *Fields) whole(name string, limit int64) (int64, bool) {
	v := f.take(name)
	if v.kind == Absent {
		return 0, false
	}
	n, reason := v.wholeNumber(limit)
	if reason.Code != "" {
		f.Refuse(name, reason)
		return 0, false
	}
	return n, true
}

func (v Value) wholeNumber(limit int64) (int64, Reason) {
	if v.kind != Number && v.kind != String {
		return 0, ReasonNotNumber
	}
	return parseWhole(v.text, limit)
}

// Bool takes a switch: true, false, 1 or 0, as JSON or as text in any letter
// case. It reports whether the member was there and right.
func (f *Fields) Bool(name string) (value, ok bool) {
	v := f.take(name)
	switch v.kind {
	case Absent:
		return false, false
	case Bool, Number, String:
		switch strings.ToLower(v.text) {
		case "true", "1":
			return true, true
		case "false", "0":
			return false, true
		}
	case Null, List, Object: // None of them is a switch.
	}
	f.Refuse(name, ReasonNotBool)
	return false, false
}

// Object takes a nested object. If it is absent, or an empty text as forms send
// for nothing, the result has no members and [Fields.Given] is false.
func (f *Fields) Object(name string) *Fields {
	v := f.take(name)
	switch {
	case v.kind == Object:
		return f.notes.open(v, f.at(name))
	case v.kind != Absent && (v.kind != String || v.text != ""):
		f.Refuse(name, ReasonNotObject)
	}
	return f.notes.open(Value{}, f.at(name))
}

// Objects takes a list of at most limit objects.
func (f *Fields) Objects(name string, limit int) []*Fields {
	items, ok := f.list(name, limit)
	if !ok {
		return nil
	}
	objects := make([]*Fields, 0, len(items))
	for i, item := range items {
		path := fmt.Sprintf("%s[%d]", f.at(name), i)
		if item.kind != Object {
			f.notes.problems = append(f.notes.problems, Problem{Field: path, Reason: ReasonNotObject})
			continue
		}
		objects = append(objects, f.notes.open(item, path))
	}
	return objects
}

// Texts takes a list of at most limit lines of text, each of at most length
// characters. A single text is a list of one; empty texts are left out.
func (f *Fields) Texts(name string, limit, length int) []string {
	return f.texts(name, limit, length, lineFault)
}

// Idents is [Fields.Texts] for identifiers.
func (f *Fields) Idents(name string, limit, length int) []string {
	return f.texts(name, limit, length, identFault)
}

func (f *Fields) texts(name string, limit, length int, fault func(string) Reason) []string {
	items := []Value{f.take(name)}
	if items[0].kind != String {
		var ok bool
		if items, ok = f.list(name, limit); !ok {
			return nil
		}
	}
	texts := make([]string, 0, len(items))
	for i, item := range items {
		s, reason := item.checkedText(length, fault)
		if reason.Code != "" {
			f.notes.problems = append(f.notes.problems, Problem{Field: fmt.Sprintf("%s[%d]", f.at(name), i), Reason: reason})
			continue
		}
		if s != "" {
			texts = append(texts, s)
		}
	}
	return texts
}

// list returns the entries of a list; ok is false if there is none to use.
func (f *Fields) list(name string, limit int) (items []Value, ok bool) {
	v := f.take(name)
	switch {
	case v.kind == Absent:
		return nil, false
	case v.kind != List:
		f.Refuse(name, ReasonNotList)
		return nil, false
	case len(v.items) > limit:
		f.Refuse(name, TooMany(limit))
		return nil, false
	}
	return v.items, true
}

// JSONText takes any value as text of at most limit characters: a text as it is,
// anything else as JSON without blanks between its tokens, otherwise byte for
// byte as it was sent. It reports whether the member was there and right.
func (f *Fields) JSONText(name string, limit int) (string, bool) {
	v := f.take(name)
	if v.kind == Absent {
		return "", false
	}
	s := v.text
	if v.kind != String {
		s = v.compactJSON()
	}
	if utf8.RuneCountInString(s) > limit {
		f.Refuse(name, TooLong(limit))
		return "", false
	}
	return s, true
}
