package letter

import (
	"regexp"
	"strings"
	"unicode"
)

const (
	maxLine   = 200  // characters of a name, a number, an address
	maxQuoted = 1000 // characters of a reason that a person gave
	maxShort  = 40   // characters of a shop's name in a subject
)

// linkable is what mail clients turn into links by themselves: a scheme, and a
// dot with a word of letters behind it, as in a host name or a mail address.
var linkable = regexp.MustCompile(`(?i)([a-z][a-z0-9+.-]*:)(//)|\.(\p{L}{2,})`)

// breaker is a zero-width space: it is not seen, and it ends a host name.
const breaker = "\u200b"

// plain makes text that a shop or a buyer wrote safe to stand in a letter: one
// line, no control or direction marks, no longer than most characters, and
// nothing that turns into a link.
func plain(s string, most int) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, s)
	s = cut(strings.Join(strings.Fields(s), " "), most)
	if !strings.ContainsAny(s, "./") {
		return s // nothing linkable is without one of them
	}
	return linkable.ReplaceAllStringFunc(s, func(found string) string {
		if strings.HasSuffix(found, "//") {
			return strings.TrimSuffix(found, "//") + breaker + "/" + breaker + "/"
		}
		dot := strings.IndexByte(found, '.')
		return found[:dot+1] + breaker + found[dot+1:]
	})
}

// cut shortens s to most characters and says so with an ellipsis.
func cut(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return strings.TrimSpace(string(runes[:most-1])) + "…"
}

// tail is how many digits of a buyer's account number are shown.
const tail = 4

// masked hides all but the last digits of an account number.
func masked(number string) string {
	var digits []rune
	for _, r := range number {
		if r >= '0' && r <= '9' {
			digits = append(digits, r)
		}
	}
	if len(digits) <= tail {
		return "****"
	}
	return "****" + string(digits[len(digits)-tail:])
}
