package body

import (
	"encoding/json"
	"sort"
)

// Bounds of one request. They are generous for every known client and small
// enough that the worst request costs a few milliseconds.
const (
	// BytesMax is the largest body that is read at all.
	BytesMax = 1 << 20
	// DepthMax is how many objects and lists may be inside one another.
	DepthMax = 32
	// FieldsMax is how many members one object may have.
	FieldsMax = 500
	// ItemsMax is how many entries one list may have.
	ItemsMax = 1000
)

// Kind says what a [Value] is.
type Kind uint8

// The kinds of a value. A form has only String, List and Object.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	List
	Object
)

// Value is one node of the tree. The zero Value is absent. Values are never
// changed after reading, so they may be shared freely.
type Value struct {
	kind   Kind
	text   string           // String: its characters. Number, Bool: the literal as sent.
	raw    string           // List, Object from JSON: the source text.
	items  []Value          // List.
	fields map[string]Value // Object.
}

// Kind returns what v is.
func (v Value) Kind() Kind { return v.kind }

// Named builds an object from alternating names and texts. It lets values that
// arrive in a path be taken with the same getters and the same refusals as
// values that arrive in a body.
func Named(pairs ...string) Value {
	fields := make(map[string]Value, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		fields[pairs[i]] = Value{kind: String, text: pairs[i+1]}
	}
	return Value{kind: Object, fields: fields}
}

// WithoutBlanks returns the object v without its members that are empty texts:
// an HTML form sends every field, filled in or not. Nested objects stay as they are.
func (v Value) WithoutBlanks() Value {
	fields := make(map[string]Value, len(v.fields))
	for name, member := range v.fields {
		if member.kind != String || member.text != "" {
			fields[name] = member
		}
	}
	return Value{kind: v.kind, raw: v.raw, items: v.items, fields: fields}
}

// compactJSON returns v as JSON text without blanks between tokens. What came as
// JSON keeps its own spelling of numbers, escapes and key order; what came as a
// form is written with sorted keys.
func (v Value) compactJSON() string {
	switch v.kind {
	case Absent, Null:
		return "null"
	case Bool, Number:
		return v.text
	case String:
		return quote(v.text)
	case List, Object:
	}
	if v.raw != "" {
		return stripBlanks(v.raw)
	}
	return string(v.appendJSON(nil))
}

// appendJSON writes a tree that came from a form. Its depth is bounded by
// [DepthMax] because the tree was.
func (v Value) appendJSON(b []byte) []byte {
	switch v.kind {
	case List:
		b = append(b, '[')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.appendJSON(b)
		}
		return append(b, ']')
	case Object:
		names := make([]string, 0, len(v.fields))
		for name := range v.fields {
			names = append(names, name)
		}
		sort.Strings(names)
		b = append(b, '{')
		for i, name := range names {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, quote(name)...), ':')
			b = v.fields[name].appendJSON(b)
		}
		return append(b, '}')
	default:
		return append(b, v.compactJSON()...)
	}
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // Marshalling a string cannot fail.
		panic(err)
	}
	return string(b)
}

// stripBlanks removes the blanks between the tokens of valid JSON text and
// leaves every other byte as it is.
func stripBlanks(src string) string {
	out := make([]byte, 0, len(src))
	inString := false
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case inString && c == '\\':
			out = append(out, c, src[i+1])
			i++
			continue
		case c == '"':
			inString = !inString
		case !inString && isBlank(c):
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
