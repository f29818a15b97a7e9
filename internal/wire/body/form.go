package body

import (
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// formStyle is where a form stands.
type formStyle bool

const (
	bodyForm  formStyle = false // Every pair needs '=': text without it is no form.
	queryForm formStyle = true  // A bare name is an empty text.
)

// node is a form value while it is being gathered. A finished form uses a name
// in one way only: as one or more texts, as a list or as an object.
type node struct {
	texts   []string         // name=text, once or more.
	items   []*node          // name[]=…
	indexed map[int]*node    // name[0]=…
	named   map[string]*node // name[sub]=…
}

func parseForm(src string, style formStyle) (Value, error) {
	root := &node{}
	for at := 0; at < len(src); {
		pair := src[at:]
		if end := strings.IndexByte(pair, '&'); end >= 0 {
			pair = pair[:end]
		}
		if fault := root.addPair(pair, style); fault.Code != "" {
			return Value{}, &SyntaxError{Reason: fault, Offset: at}
		}
		at += len(pair) + 1
	}
	v, fault := root.value()
	if fault.Code != "" {
		return Value{}, &SyntaxError{Reason: fault}
	}
	if v.kind != Object {
		v = Value{kind: Object}
	}
	return v, nil
}

// addPair returns the zero Reason when the pair was taken.
func (n *node) addPair(pair string, style formStyle) Reason {
	if pair == "" {
		return Reason{}
	}
	name, text, assigned := strings.Cut(pair, "=")
	if !assigned && style == bodyForm {
		return ReasonNeither
	}
	if strings.IndexByte(pair, ';') >= 0 {
		return ReasonSemicolon
	}
	name, fault := unescape(name)
	if fault.Code != "" {
		return fault
	}
	text, fault = unescape(text)
	if fault.Code != "" {
		return fault
	}
	// Some clients write "a=1& b=2".
	path, ok := splitName(strings.TrimLeft(name, " \t\r\n"))
	if !ok {
		return reasonName(name)
	}
	return n.add(path, text)
}

// unescape undoes percent-encoding and '+'.
func unescape(s string) (string, Reason) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, Reason{}
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			b = append(b, ' ')
		case '%':
			if i+2 >= len(s) || hexDigit(s[i+1]) < 0 || hexDigit(s[i+2]) < 0 {
				return "", ReasonEscape
			}
			b = append(b, byte(hexDigit(s[i+1])<<4|hexDigit(s[i+2])))
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	out := string(b)
	switch {
	case strings.IndexByte(out, 0) >= 0:
		return "", ReasonNUL
	case !utf8.ValidString(out):
		return "", ReasonNotUTF8
	}
	return out, Reason{}
}

// splitName turns a[b][0][] into its segments. It refuses an empty first
// segment, brackets that do not close and anything between "]" and "[".
func splitName(name string) ([]string, bool) {
	open := strings.IndexByte(name, '[')
	if open < 0 {
		return []string{name}, name != "" && !strings.Contains(name, "]")
	}
	path := []string{name[:open]}
	rest := name[open:]
	for rest != "" {
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 0 || strings.Contains(rest[1:end], "[") {
			return nil, false
		}
		path = append(path, rest[1:end])
		rest = rest[end+1:]
	}
	return path, path[0] != ""
}

func (n *node) add(path []string, text string) Reason {
	if len(path) > DepthMax {
		return ReasonTooDeep
	}
	for i, segment := range path {
		var fault Reason
		n, fault = n.child(segment, i == 0, i == len(path)-1)
		if fault.Code != "" {
			return fault
		}
	}
	if len(n.texts) == ItemsMax {
		return ReasonTooManyItems
	}
	n.texts = append(n.texts, text)
	return Reason{}
}

// child returns the node under a segment and makes it if it is new. A name at
// the top is never an index. "[]" stands only at the end, because what follows
// it could belong to the same entry or to a new one.
func (n *node) child(segment string, top, last bool) (*node, Reason) {
	switch {
	case top:
		return n.namedChild(segment)
	case segment == "" && !last:
		return nil, reasonName("[]")
	case segment == "":
		if len(n.items) == ItemsMax {
			return nil, ReasonTooManyItems
		}
		n.items = append(n.items, &node{})
		return n.items[len(n.items)-1], Reason{}
	case isDigit(segment[0]):
		return n.indexedChild(segment)
	default:
		return n.namedChild(segment)
	}
}

func (n *node) namedChild(name string) (*node, Reason) {
	if c, ok := n.named[name]; ok {
		return c, Reason{}
	}
	if len(n.named) == FieldsMax {
		return nil, ReasonTooManyFields
	}
	if n.named == nil {
		n.named = map[string]*node{}
	}
	c := &node{}
	n.named[name] = c
	return c, Reason{}
}

func (n *node) indexedChild(segment string) (*node, Reason) {
	index, err := strconv.Atoi(segment)
	if err != nil || strconv.Itoa(index) != segment {
		return nil, reasonName(segment)
	}
	if c, ok := n.indexed[index]; ok {
		return c, Reason{}
	}
	if len(n.indexed) == ItemsMax {
		return nil, ReasonTooManyItems
	}
	if n.indexed == nil {
		n.indexed = map[int]*node{}
	}
	c := &node{}
	n.indexed[index] = c
	return c, Reason{}
}

// value turns the gathered node into a Value, or says that a name was used in
// two ways. Indexes order a list; gaps in them are closed, because PHP leaves
// gaps when entries were removed.
func (n *node) value() (Value, Reason) {
	uses := 0
	for _, used := range []bool{n.texts != nil, n.items != nil, n.indexed != nil, n.named != nil} {
		if used {
			uses++
		}
	}
	switch {
	case uses > 1:
		return Value{}, ReasonMixed
	case n.named != nil:
		return n.object()
	case n.indexed != nil:
		return listOf(n.ordered())
	case n.items != nil:
		return listOf(n.items)
	case len(n.texts) == 1:
		return Value{kind: String, text: n.texts[0]}, Reason{}
	default:
		return listOfTexts(n.texts), Reason{}
	}
}

func (n *node) object() (Value, Reason) {
	fields := make(map[string]Value, len(n.named))
	for name, c := range n.named {
		v, fault := c.value()
		if fault.Code != "" {
			return Value{}, fault
		}
		fields[name] = v
	}
	return Value{kind: Object, fields: fields}, Reason{}
}

func (n *node) ordered() []*node {
	indexes := make([]int, 0, len(n.indexed))
	for i := range n.indexed {
		indexes = append(indexes, i)
	}
	sort.Ints(indexes)
	nodes := make([]*node, len(indexes))
	for i, index := range indexes {
		nodes[i] = n.indexed[index]
	}
	return nodes
}

func listOf(nodes []*node) (Value, Reason) {
	items := make([]Value, len(nodes))
	for i, c := range nodes {
		v, fault := c.value()
		if fault.Code != "" {
			return Value{}, fault
		}
		items[i] = v
	}
	return Value{kind: List, items: items}, Reason{}
}

func listOfTexts(texts []string) Value {
	items := make([]Value, len(texts))
	for i, text := range texts {
		items[i] = Value{kind: String, text: text}
	}
	return Value{kind: List, items: items}
}
