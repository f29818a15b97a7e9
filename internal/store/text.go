package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// document is a value as JSON. A text in it that no engine is sure to keep as it
// is, because it is not UTF-8 or has a NUL, is ErrText.
func document(v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	doc := string(raw)
	// The encoder writes a NUL as \u0000, and \ufffd for bytes that are not UTF-8;
	// a replacement character that somebody wrote stays as it is.
	for _, escape := range []string{`\u0000`, `\ufffd`} {
		if escapes(doc, escape) {
			return "", ErrText
		}
	}
	return doc, nil
}

// escapes reports whether a JSON text has an escape sequence, and not only a
// backslash that somebody wrote with the same letters behind it.
func escapes(doc, sequence string) bool {
	for at := strings.Index(doc, sequence); at >= 0; {
		before := len(doc[:at]) - len(strings.TrimRight(doc[:at], `\`))
		if before%2 == 0 {
			return true
		}
		next := strings.Index(doc[at+1:], sequence)
		if next < 0 {
			return false
		}
		at += 1 + next
	}
	return false
}

// checkTexts is ErrText for texts that stand in columns of their own.
func checkTexts(texts ...string) error {
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return fmt.Errorf("%w: %q", ErrText, s)
		}
	}
	return nil
}
