package store_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/store"
)

// What follows reads just as much of SQL as the store's statements use: names,
// lists in parentheses, conditions joined by AND, and queries inside of queries.

// part is a word of a statement, or a list in parentheses (with inner words).
type part struct {
	word  string
	inner []part
}

var words = regexp.MustCompile(`'[^']*'|\$\d+|[A-Za-z_][\w.]*|<=|>=|<>|\|\||\S`)

// parts reads words up to the parenthesis that closes them.
func parts(in []string) (out []part, rest []string) {
	for len(in) > 0 {
		word := in[0]
		in = in[1:]
		switch word {
		case ")":
			return out, in
		case "(":
			var inner []part
			inner, in = parts(in)
			out = append(out, part{"(", inner})
		default:
			out = append(out, part{word: word})
		}
	}
	return out, nil
}

// query is one SELECT, INSERT, UPDATE or DELETE.
type query struct {
	verb   string
	tables map[string]string // alias, or name, -> table with a place
	// columns are those of an insertion, for its table.
	columns []part
	conds   [][]part // joined by AND
}

var clauses = []string{"WHERE", "ORDER", "GROUP", "LIMIT", "OFFSET", "RETURNING", "ON", "SET", "VALUES", "JOIN", "LEFT", "INNER", "AS", "FROM"}

// queries reads a statement and everything inside of it; outer queries come first.
func queries(in []part, spread map[string]string) (out []query) {
	for begin := 0; begin <= len(in); {
		end := begin + slices.IndexFunc(in[begin:], func(p part) bool { return p.word == "UNION" })
		if end < begin {
			end = len(in)
		}
		if q := readQuery(in[begin:end], spread); q.verb != "" {
			out = append(out, q)
		}
		begin = end + 1
	}
	for _, p := range in {
		out = append(out, queries(p.inner, spread)...)
	}
	return out
}

func readQuery(in []part, spread map[string]string) (q query) {
	q.tables = map[string]string{}
	start := slices.IndexFunc(in, func(p part) bool { return slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE"}, p.word) })
	if start < 0 {
		return q
	}
	in = in[start:]
	q.verb = in[0].word
	var cond []part
	inConds := false
	flush := func() {
		if len(cond) > 0 {
			q.conds = append(q.conds, cond)
		}
		cond = nil
	}
	for i, p := range in {
		if i > 0 && slices.Contains([]string{"FROM", "JOIN", "UPDATE", "INTO"}, in[i-1].word) && spread[p.word] != "" {
			alias := p.word
			if i+1 < len(in) && regexp.MustCompile(`^[a-z]\w*$`).MatchString(in[i+1].word) {
				alias = in[i+1].word
			}
			q.tables[alias] = p.word
			if in[i-1].word == "INTO" && i+1 < len(in) {
				q.columns = in[i+1].inner
			}
		}
		switch {
		case p.word == "WHERE" || (p.word == "ON" && q.verb == "SELECT"):
			flush()
			inConds = true
		case slices.Contains(clauses, p.word):
			flush()
			inConds = false
		case inConds && p.word == "AND":
			flush()
		case inConds:
			cond = append(cond, p)
		}
	}
	flush()
	return q
}

// unnamed are the tables of a statement that do not say by what they are spread.
func unnamed(statement string) (faults []string) {
	spread := map[string]string{}
	for _, p := range store.Placements() {
		if p.Way == store.Distributed {
			spread[p.Table] = p.Column
		}
	}
	statement = regexp.MustCompile(`/\*.*?\*/`).ReplaceAllString(statement, "")
	in, _ := parts(words.FindAllString(statement, -1))
	all := queries(in, spread)
	outer := map[string]string{} // aliases of all queries of the statement
	for _, q := range all {
		for alias, table := range q.tables {
			outer[alias] = table
		}
	}
	for _, q := range all {
		for alias, table := range q.tables {
			if !q.names(alias, spread[table], outer, spread) {
				faults = append(faults, fmt.Sprintf("%s without %s", table, spread[table]))
			}
		}
	}
	return faults
}

// names reports whether a query says the column by which one of its tables is spread.
func (q query) names(alias, column string, outer, spread map[string]string) bool {
	if q.verb == "INSERT" {
		return slices.ContainsFunc(q.columns, func(p part) bool { return p.word == column })
	}
	if slices.ContainsFunc(q.conds, func(c []part) bool { return slices.ContainsFunc(c, func(p part) bool { return p.word == "OR" }) }) {
		return false
	}
	mine := []string{alias + "." + column}
	if len(q.tables) == 1 {
		mine = append(mine, column)
	}
	return slices.ContainsFunc(q.conds, func(c []part) bool {
		if len(c) != 3 || c[1].word != "=" {
			return false
		}
		for _, sides := range [][2]string{{c[0].word, c[2].word}, {c[2].word, c[0].word}} {
			other, theirs, _ := strings.Cut(sides[1], ".")
			joined := other != alias && theirs != "" && spread[outer[other]] == theirs
			if slices.Contains(mine, sides[0]) && (strings.HasPrefix(sides[1], "$") || joined) {
				return true
			}
		}
		return false
	})
}

// TestShardReadingStatements proves that the reading can fail.
func TestShardReadingStatements(t *testing.T) {
	for statement, faults := range map[string]int{
		`SELECT doc FROM payment WHERE merchant = $1 AND id = $2 /* FOR UPDATE */`:                                                       0,
		`SELECT doc FROM payment WHERE id = $2`:                                                                                          1,
		`SELECT doc FROM payment WHERE merchant = $1 OR id = $2`:                                                                         1,
		`SELECT doc FROM payment WHERE ($1 = '' OR merchant = $1)`:                                                                       1,
		`SELECT doc FROM payment WHERE merchant || '' = $1`:                                                                              1,
		`SELECT doc FROM payment WHERE merchant <> $1`:                                                                                   1,
		`SELECT doc FROM payment WHERE merchant = id`:                                                                                    1,
		`UPDATE payment SET merchant = $1 WHERE id = $2`:                                                                                 1,
		`UPDATE payment SET seq = $1 WHERE id = $2 AND merchant = $3 RETURNING id`:                                                       0,
		`DELETE FROM directory WHERE kind = $1 AND key = $2`:                                                                             0,
		`DELETE FROM directory WHERE kind = $1 AND merchant = $2`:                                                                        1,
		`INSERT INTO mail (merchant, id) VALUES ($1, $2)`:                                                                                0,
		`INSERT INTO mail (id, payment) VALUES ($1, $2)`:                                                                                 1,
		`SELECT p.id FROM payment p JOIN transfer t ON t.merchant = p.merchant AND t.ref = p.id WHERE p.merchant = $1`:                   0,
		`SELECT p.id FROM payment p JOIN transfer t ON t.ref = p.id WHERE p.merchant = $1`:                                               1,
		`SELECT m.id FROM merchant m WHERE EXISTS (SELECT 1 FROM payment p WHERE p.merchant = m.id)`:                                     1,
		`SELECT m.id FROM merchant m WHERE m.id = $1 AND EXISTS (SELECT 1 FROM payment p WHERE p.merchant = m.id)`:                       0,
		`WITH due AS (SELECT id FROM mail WHERE due_at <= $1) UPDATE mail SET seq = 1 WHERE merchant = $2 AND id IN (SELECT 1 FROM due)`: 1,
		`SELECT a FROM payment WHERE merchant = $1 UNION ALL SELECT b FROM transfer`:                                                     1,
		`SELECT date FROM calendar_override`:                                                                                             0,
	} {
		if got := unnamed(statement); len(got) != faults {
			t.Errorf("%s: %q, want %d faults", statement, got, faults)
		}
	}
}
