package store

import (
	"math/bits"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// statement is one that waits to be run.
type statement struct {
	query    string
	args     []any
	none     error // what it means that no row was touched; nil for nothing
	function int
	rows     int // how many rows it adds, for a statement that may be joined with others of its kind; else 0
}

// manyFunctions is the owner of a statement that serves several.
const manyFunctions = -2

// maxJoined bounds the rows of one statement. Rows are joined in powers of two, so
// that few different statements are prepared.
const maxJoined = 64

// joined puts the rows that are added to one table into few statements, each at
// the place of its first row: what was to follow a row still does.
func joined(queue []statement) []statement {
	rows := map[string][]statement{}
	for _, st := range queue {
		if st.rows > 0 {
			rows[st.query] = append(rows[st.query], st)
		}
	}
	out := make([]statement, 0, len(queue))
	for _, st := range queue {
		if st.rows == 0 {
			out = append(out, st)
			continue
		}
		for rest := rows[st.query]; len(rest) > 0; {
			n := min(maxJoined, 1<<(bits.Len(uint(len(rest)))-1))
			out = append(out, join(rest[:n]))
			rest = rest[n:]
		}
		delete(rows, st.query)
	}
	return out
}

// join makes one statement of several that add a row to the same table.
func join(of []statement) statement {
	out := of[0]
	if len(of) == 1 {
		return out
	}
	out.rows, out.query = len(of), severalRows(of[0].query, len(of), len(of[0].args))
	out.args = make([]any, 0, len(of)*len(of[0].args))
	for _, st := range of {
		out.args = append(out.args, st.args...)
		if st.function != out.function {
			out.function = manyFunctions
		}
	}
	return out
}

// texts remembers what severalRows made; there are few texts and few numbers of rows.
var texts sync.Map

type textKey struct {
	query string
	rows  int
}

// severalRows repeats the row of an insertion with the parameters that follow.
func severalRows(query string, rows, args int) string {
	if known, ok := texts.Load(textKey{query, rows}); ok {
		return known.(string) //nolint:forcetypeassert // stored below
	}
	head, row, _ := strings.Cut(query, "VALUES ")
	var b strings.Builder
	b.WriteString(head + "VALUES " + row)
	for n := 1; n < rows; n++ {
		b.WriteString(", ")
		b.WriteString(parameter.ReplaceAllStringFunc(row, func(p string) string {
			i, _ := strconv.Atoi(p[1:]) // digits alone
			return "$" + strconv.Itoa(i+n*args)
		}))
	}
	texts.Store(textKey{query, rows}, b.String())
	return b.String()
}

var parameter = regexp.MustCompile(`\$[0-9]+`)
