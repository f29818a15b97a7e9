package body

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError says why a body or query could not be read at all. Nothing of it
// may be used then.
type SyntaxError struct {
	// Reason tells the fault in both languages.
	Reason Reason
	// Offset is the byte at which reading stopped, counted from 0.
	Offset int
}

// Error returns the fault in English.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("request at byte %d: %s", e.Offset, e.Reason.English)
}

// ErrEmpty is returned by [Parse] for a body without any content. Calls that
// need no body accept it; all others must refuse, because nothing given is not
// the same as everything left to its default.
var ErrEmpty = errors.New("request: the body is empty")

// Parse reads a request body, JSON or form, into an object. The error is
// [ErrEmpty] or a *[SyntaxError].
func Parse(raw []byte) (Value, error) {
	if len(raw) > BytesMax {
		return Value{}, &SyntaxError{Reason: ReasonTooLarge, Offset: BytesMax}
	}
	src := string(raw)
	if multipart(src) {
		return Value{}, &SyntaxError{Reason: ReasonMultipart}
	}
	if err := checkText(src); err != nil {
		return Value{}, err
	}
	start := 0
	for start < len(src) && isBlank(src[start]) {
		start++
	}
	if start == len(src) {
		return Value{}, ErrEmpty
	}
	if src[start] == '{' || src[start] == '[' {
		return parseJSON(src, start)
	}
	return parseForm(strings.TrimRight(src[start:], " \t\r\n"), bodyForm)
}

// ParseJSON is [Parse] for APIs that take JSON objects alone.
func ParseJSON(raw []byte) (Value, error) {
	v, err := Parse(raw)
	if err == nil && !strings.HasPrefix(strings.TrimLeft(string(raw), " \t\r\n"), "{") {
		return Value{}, &SyntaxError{Reason: ReasonNotDocument}
	}
	return v, err
}

// multipart reports whether a body is one of several parts, by the boundary and
// the header that each part begins with. What it is called is never looked at,
// because clients call their bodies all sorts of things.
func multipart(src string) bool {
	boundary, rest, _ := strings.Cut(src, "\n")
	header, _, _ := strings.Cut(rest, ":")
	return strings.HasPrefix(boundary, "--") && (strings.EqualFold(header, "Content-Disposition") || strings.EqualFold(header, "Content-Type"))
}

// ParseQuery reads a raw query string (what follows the '?') into an object.
// Names without '=' are allowed and mean an empty text. The error is a
// *[SyntaxError].
func ParseQuery(raw string) (Value, error) {
	if len(raw) > BytesMax {
		return Value{}, &SyntaxError{Reason: ReasonTooLarge, Offset: BytesMax}
	}
	if err := checkText(raw); err != nil {
		return Value{}, err
	}
	return parseForm(raw, queryForm)
}

// checkText refuses what is wrong in every kind of text before any of it is
// interpreted.
func checkText(src string) error {
	if strings.HasPrefix(src, "\ufeff") {
		return &SyntaxError{Reason: ReasonBOM}
	}
	if i := strings.IndexByte(src, 0); i >= 0 {
		return &SyntaxError{Reason: ReasonNUL, Offset: i}
	}
	if !utf8.ValidString(src) {
		return &SyntaxError{Reason: ReasonNotUTF8, Offset: firstInvalid(src)}
	}
	return nil
}

func firstInvalid(src string) int {
	for i, r := range src {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(src[i:]); size == 1 {
			return i
		}
	}
	return len(src)
}
