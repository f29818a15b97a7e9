package ui

import (
	"net/http"
	"strconv"
	"strings"
)

// Lang is a language of the pages.
type Lang string

// The languages. Korean is the default.
const (
	Korean  Lang = "ko"
	English Lang = "en"
)

// Langs lists the languages, the default first.
func Langs() []Lang { return []Lang{Korean, English} }

// Other is the language that a page offers to switch to.
func (l Lang) Other() Lang {
	if l == Korean {
		return English
	}
	return Korean
}

const (
	langCookie       = "lang"
	langCookieMaxAge = 365 * 24 * 60 * 60 // seconds
	acceptedMax      = 20                 // parts of Accept-Language that are looked at
)

// ParseLang reads "ko", "en" or a longer tag such as "en-US".
func ParseLang(tag string) (Lang, bool) {
	primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	switch Lang(primary) {
	case Korean, English:
		return Lang(primary), true
	}
	return Korean, false
}

// Language chooses the language of an answer: ?lang= first, then the cookie of
// an earlier choice, then Accept-Language, else Korean.
func Language(r *http.Request) Lang {
	if l, ok := ParseLang(r.URL.Query().Get("lang")); ok {
		return l
	}
	if c, err := r.Cookie(langCookie); err == nil {
		if l, ok := ParseLang(c.Value); ok {
			return l
		}
	}
	return accepted(r.Header.Get("Accept-Language"))
}

// Remember keeps a choice made by ?lang= for later requests. Pages that live in
// another site's frame do not call it: they set no cookies.
func Remember(w http.ResponseWriter, r *http.Request) {
	l, ok := ParseLang(r.URL.Query().Get("lang"))
	if !ok {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: langCookie, Value: string(l), Path: "/", MaxAge: langCookieMaxAge,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
}

// accepted picks the language with the highest weight; the first wins a tie.
func accepted(header string) Lang {
	best, weight := Korean, 0.0
	for _, part := range strings.SplitN(header, ",", acceptedMax) {
		tag, params, _ := strings.Cut(part, ";")
		l, ok := ParseLang(tag)
		if q := quality(params); ok && q > weight {
			best, weight = l, q
		}
	}
	return best
}

func quality(params string) float64 {
	value, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(value, 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}
