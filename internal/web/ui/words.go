package ui

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Text is one text in every language. Placeholders are fmt's; where the order
// of words differs they carry an index, as in %[2]s.
type Text struct{ Ko, En string }

// In returns the text in a language.
func (t Text) In(l Lang) string {
	if l == English {
		return t.En
	}
	return t.Ko
}

// Words is a catalogue: texts by key. Keys are lower case words joined by dots.
type Words map[string]Text

// In returns the text of a key in a language with its placeholders filled. A
// key that is not in the catalogue panics: keys are part of the program.
func (ws Words) In(l Lang, key string, args ...any) string {
	text, ok := ws[key]
	if !ok {
		panic("ui: no text for " + key)
	}
	if len(args) == 0 {
		return text.In(l)
	}
	return fmt.Sprintf(text.In(l), args...)
}

// join returns the catalogue with others added; a key may stand only once.
func (ws Words) join(others Words) (Words, error) {
	all := maps.Clone(ws)
	for key, text := range others {
		if _, twice := all[key]; twice {
			return nil, fmt.Errorf("the text %q stands twice", key)
		}
		all[key] = text
	}
	return all, nil
}

// problems lists what is wrong with the texts themselves, in order of keys.
func (ws Words) problems() []string {
	var found []string
	for _, key := range slices.Sorted(maps.Keys(ws)) {
		text := ws[key]
		switch {
		case strings.TrimSpace(text.Ko) == "":
			found = append(found, key+": no Korean text")
		case strings.TrimSpace(text.En) == "":
			found = append(found, key+": no English text")
		case !slices.Equal(placeholders(text.Ko), placeholders(text.En)):
			found = append(found, fmt.Sprintf("%s: placeholders differ: %v in Korean, %v in English", key, placeholders(text.Ko), placeholders(text.En)))
		}
	}
	return found
}

// placeholders lists the arguments that a text uses, sorted: "1s" is the first
// argument as a string.
func placeholders(text string) []string {
	var found []string
	next := 1
	for i := 0; i < len(text); i++ {
		if text[i] != '%' || i+1 == len(text) {
			continue
		}
		i++
		if text[i] == '%' {
			continue
		}
		n := next
		if end := strings.IndexByte(text[i:], ']'); text[i] == '[' && end > 0 {
			_, _ = fmt.Sscanf(text[i:], "[%d]", &n)
			i += end + 1
		}
		if i < len(text) {
			found = append(found, fmt.Sprintf("%d%c", n, text[i]))
		}
		next = n + 1
	}
	slices.Sort(found)
	return slices.Compact(found)
}
