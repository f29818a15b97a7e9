package bizday

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// jsonFile reads an array of flat objects token by token, so that every fault has its
// line and a repeated or unknown field is seen.
type jsonFile struct {
	*importing
	text []byte
	dec  *json.Decoder
}

func importJSON(text []byte) ([]Override, error) {
	f := &jsonFile{importing: newImporting(), text: text, dec: json.NewDecoder(bytes.NewReader(text))}
	if err := f.array(); err != nil && !errors.Is(err, errEnough) {
		f.faults = append(f.faults, ImportError{Line: f.lineOf(err), Reason: jsonReason(err)})
	}
	return f.result()
}

// line returns the line of the token read last.
func (f *jsonFile) line() int { return f.lineAt(f.dec.InputOffset()) }

func (f *jsonFile) lineAt(offset int64) int {
	return 1 + bytes.Count(f.text[:min(max(0, offset), int64(len(f.text)))], []byte("\n"))
}

// lineOf returns the line of a syntax error, or of the token read last.
func (f *jsonFile) lineOf(err error) int {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return f.lineAt(syntax.Offset)
	}
	return f.line()
}

func jsonReason(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the JSON text ends too early"
	}
	return err.Error()
}

// array reads the whole file. Its error is a fault of the JSON itself, or errEnough.
func (f *jsonFile) array() error {
	if _, err := f.dec.Token(); err != nil { // the bracket that Import saw
		return err
	}
	for f.dec.More() {
		if err := f.row(); err != nil {
			return err
		}
	}
	if _, err := f.dec.Token(); err != nil {
		return err
	}
	if _, err := f.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the array")
	}
	return nil
}

// row reads one object of the array.
func (f *jsonFile) row() error {
	open, err := f.dec.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') {
		return errors.New("want an object with date, closed and reason")
	}
	line := f.line()
	before := len(f.faults)
	var o Override
	var seen []string
	for f.dec.More() {
		name, err := f.field(&o, seen)
		if err != nil {
			return err
		}
		seen = append(seen, name)
	}
	if _, err := f.dec.Token(); err != nil {
		return err
	}
	for _, name := range []string{"date", "closed"} {
		if !slices.Contains(seen, name) {
			if err := f.fault(line, name, "is missing"); err != nil {
				return err
			}
		}
	}
	if len(f.faults) > before {
		return nil
	}
	return f.add(line, o)
}

// field reads one field of a row into o and returns its name.
func (f *jsonFile) field(o *Override, seen []string) (name string, err error) {
	key, err := f.dec.Token()
	if err != nil {
		return "", err
	}
	name = fmt.Sprint(key)
	value, err := f.dec.Token()
	if err != nil {
		return "", err
	}
	line := f.line()
	if _, nested := value.(json.Delim); nested {
		return "", fmt.Errorf("the field %.40q holds an object or an array", name)
	}
	if slices.Contains(seen, name) {
		return name, f.fault(line, name, "stands twice in one object")
	}
	switch name {
	case "date":
		return name, f.date(o, line, value)
	case "closed":
		closed, ok := value.(bool)
		if !ok {
			return name, f.fault(line, name, "want true or false")
		}
		o.Closed = closed
		return name, nil
	case "reason":
		reason, ok := value.(string)
		if !ok {
			return name, f.fault(line, name, "want a text")
		}
		o.Reason = reason
		return name, f.checkReason(line, name, reason)
	}
	return name, f.fault(line, fmt.Sprintf("%.40q", name), "is no field of an override; want date, closed and reason")
}

func (f *jsonFile) date(o *Override, line int, value json.Token) error {
	text, ok := value.(string)
	if !ok {
		return f.fault(line, "date", "want a text, YYYY-MM-DD")
	}
	date, err := ParseDate(text)
	if err != nil {
		return f.fault(line, "date", "%v", err)
	}
	o.Date = date
	return f.checkDate(line, "date", date)
}

// add takes a faultless row.
func (f *jsonFile) add(line int, o Override) error {
	if earlier, twice := f.lines[o.Date]; twice {
		return f.fault(line, "date", "%v stands already in line %d", o.Date, earlier)
	}
	if err := f.full(line); err != nil {
		return err
	}
	f.days[o.Date] = o
	f.lines[o.Date] = line
	return nil
}
