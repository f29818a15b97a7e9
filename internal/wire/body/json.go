package body

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner walks once over JSON text that is already known to be valid UTF-8
// without NUL. It is written by hand because encoding/json folds letter case,
// keeps the last of duplicate keys and repairs broken surrogates silently.
type scanner struct {
	src string
	pos int
}

func parseJSON(src string, start int) (Value, error) {
	s := &scanner{src: src, pos: start}
	v, err := s.value(1)
	if err != nil {
		return Value{}, err
	}
	s.skipBlanks()
	if s.pos < len(s.src) {
		return Value{}, s.fail(ReasonTrailing)
	}
	if v.kind != Object {
		return Value{}, &SyntaxError{Reason: ReasonNotDocument, Offset: start}
	}
	return v, nil
}

func (s *scanner) fail(r Reason) error { return &SyntaxError{Reason: r, Offset: s.pos} }

func (s *scanner) skipBlanks() {
	for s.pos < len(s.src) && isBlank(s.src[s.pos]) {
		s.pos++
	}
}

// peek returns the byte at the position, or 0 at the end; NUL cannot occur in
// the text itself.
func (s *scanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

func (s *scanner) value(depth int) (Value, error) {
	if depth > DepthMax {
		return Value{}, s.fail(ReasonTooDeep)
	}
	s.skipBlanks()
	switch c := s.peek(); {
	case c == '{':
		return s.object(depth)
	case c == '[':
		return s.list(depth)
	case c == '"':
		text, err := s.str()
		return Value{kind: String, text: text}, err
	case c == '-' || isDigit(c):
		return s.number()
	case c == 'n':
		return s.word("null", Null)
	case c == 't':
		return s.word("true", Bool)
	case c == 'f':
		return s.word("false", Bool)
	default:
		return Value{}, s.fail(ReasonMalformed)
	}
}

func (s *scanner) word(word string, kind Kind) (Value, error) {
	if !strings.HasPrefix(s.src[s.pos:], word) {
		return Value{}, s.fail(ReasonMalformed)
	}
	s.pos += len(word)
	return Value{kind: kind, text: word}, nil
}

func (s *scanner) object(depth int) (Value, error) {
	start := s.pos
	s.pos++ // '{'
	fields := map[string]Value{}
	for first := true; ; first = false {
		done, err := s.next('}', first)
		if err != nil {
			return Value{}, err
		}
		if done {
			return Value{kind: Object, fields: fields, raw: s.src[start:s.pos]}, nil
		}
		if len(fields) == FieldsMax {
			return Value{}, s.fail(ReasonTooManyFields)
		}
		if err := s.member(fields, depth); err != nil {
			return Value{}, err
		}
	}
}

func (s *scanner) member(fields map[string]Value, depth int) error {
	at := s.pos
	if s.peek() != '"' {
		return s.fail(ReasonMalformed)
	}
	name, err := s.str()
	if err != nil {
		return err
	}
	if _, twice := fields[name]; twice {
		s.pos = at
		return s.fail(reasonDuplicate(name))
	}
	s.skipBlanks()
	if s.peek() != ':' {
		return s.fail(ReasonMalformed)
	}
	s.pos++
	v, err := s.value(depth + 1)
	if err != nil {
		return err
	}
	fields[name] = v
	return nil
}

func (s *scanner) list(depth int) (Value, error) {
	start := s.pos
	s.pos++ // '['
	var items []Value
	for first := true; ; first = false {
		done, err := s.next(']', first)
		if err != nil {
			return Value{}, err
		}
		if done {
			return Value{kind: List, items: items, raw: s.src[start:s.pos]}, nil
		}
		if len(items) == ItemsMax {
			return Value{}, s.fail(ReasonTooManyItems)
		}
		v, err := s.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		items = append(items, v)
	}
}

// next steps over what stands before a member: nothing before the first, a
// comma before the others. It reports true, after stepping over it, if the
// closing byte is there instead.
func (s *scanner) next(closing byte, first bool) (bool, error) {
	s.skipBlanks()
	if s.peek() == closing {
		s.pos++
		return true, nil
	}
	if first {
		return false, nil
	}
	if s.peek() != ',' {
		return false, s.fail(ReasonMalformed)
	}
	s.pos++
	s.skipBlanks()
	if s.peek() == closing { // A comma before the end.
		return false, s.fail(ReasonMalformed)
	}
	return false, nil
}

// number keeps the literal; [parseDecimal] interprets it when it is asked for.
func (s *scanner) number() (Value, error) {
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	whole := s.digits()
	if whole == 0 || (whole > 1 && s.src[s.pos-whole] == '0') {
		return Value{}, s.fail(ReasonMalformed)
	}
	if s.peek() == '.' {
		s.pos++
		if s.digits() == 0 {
			return Value{}, s.fail(ReasonMalformed)
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if s.digits() == 0 {
			return Value{}, s.fail(ReasonMalformed)
		}
	}
	return Value{kind: Number, text: s.src[start:s.pos]}, nil
}

func (s *scanner) digits() int {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos - start
}

// str reads a string. One without escapes shares the memory of the source.
func (s *scanner) str() (string, error) {
	s.pos++ // '"'
	start := s.pos
	for {
		switch c := s.peek(); {
		case c == '"':
			s.pos++
			return s.src[start : s.pos-1], nil
		case c == '\\':
			return s.escaped(start)
		case c < 0x20: // A control character, or the end.
			return "", s.fail(ReasonMalformed)
		}
		s.pos++
	}
}

func (s *scanner) escaped(start int) (string, error) {
	var b strings.Builder
	b.WriteString(s.src[start:s.pos])
	for {
		c := s.peek()
		switch {
		case c == '"':
			s.pos++
			return b.String(), nil
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
		case c < 0x20:
			return "", s.fail(ReasonMalformed)
		default:
			b.WriteByte(c)
			s.pos++
		}
	}
}

func (s *scanner) escape() (rune, error) {
	s.pos++ // '\'
	c := s.peek()
	if c == 'u' {
		return s.unicodeEscape()
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if c == 0 || i < 0 {
		return 0, s.fail(ReasonMalformed)
	}
	s.pos++
	return rune("\"\\/\b\f\n\r\t"[i]), nil
}

func (s *scanner) unicodeEscape() (rune, error) {
	at := s.pos
	r, err := s.hex4()
	if err != nil {
		return 0, err
	}
	if r == 0 {
		s.pos = at
		return 0, s.fail(ReasonNUL)
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if strings.HasPrefix(s.src[s.pos:], `\u`) {
		s.pos++
		low, err := s.hex4()
		if err != nil {
			return 0, err
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, nil
		}
	}
	s.pos = at
	return 0, s.fail(ReasonNotUTF8)
}

// hex4 reads the 'u' at the position and the four hexadecimal digits after it.
func (s *scanner) hex4() (rune, error) {
	s.pos++ // 'u'
	var r rune
	for range 4 {
		d := hexDigit(s.peek())
		if d < 0 {
			return 0, s.fail(ReasonMalformed)
		}
		r = r<<4 | rune(d)
		s.pos++
	}
	return r, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
