package store

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// maxRows bounds every answer that has no bound of its own.
const maxRows = 10_000

// all runs a query and scans every row. A text that cannot be stored finds nothing.
func all[T any](q *queries, scan func(rowSet) (T, error), query string, args ...any) (out []T, err error) {
	if !storable(args) {
		return nil, nil
	}
	rows, err := q.ex.query(query, args...)
	if err != nil {
		return nil, q.classify(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		if len(out) >= maxRows {
			return nil, errors.New("store: an answer exceeds its bound")
		}
		out = append(out, v)
	}
	return out, q.classify(rows.Err())
}

// one runs a query that has at most one row; none is ErrNotFound.
func one[T any](q *queries, scan func(rowSet) (T, error), query string, args ...any) (T, error) {
	out, err := all(q, scan, query, args...)
	if err != nil {
		var zero T
		return zero, err
	}
	if len(out) == 0 {
		var zero T
		return zero, ErrNotFound
	}
	return out[0], nil
}

// scalar scans a row of one column.
func scalar[T any](rows rowSet) (v T, err error) {
	err = rows.Scan(&v)
	return v, err
}

// later runs a statement that touches at least one row, or the function fails
// with none.
func (t *Tx) later(none error, query string, args ...any) error {
	if !storable(args) {
		return ErrText
	}
	return t.classify(t.group.tx.later(none, query, args...))
}

// put runs a statement and does not ask how many rows it touched.
func (t *Tx) put(query string, args ...any) error { return t.later(nil, query, args...) }

// add inserts a row, perhaps together with others of the group: the statement
// ends with VALUES and one row, and nothing in the same group but what follows it
// depends on the row.
func (t *Tx) add(query string, args ...any) error {
	if !storable(args) {
		return ErrText
	}
	return t.classify(t.group.tx.add(query, args...))
}

// now runs a statement at once and returns how many rows it touched.
func (t *Tx) now(query string, args ...any) (int64, error) {
	if !storable(args) {
		return 0, ErrText
	}
	n, err := t.ex.exec(query, args...)
	return n, t.classify(err)
}

// change is now for a statement that must touch a row; none is ErrNotFound.
func (t *Tx) change(query string, args ...any) error {
	n, err := t.now(query, args...)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// storable reports whether both databases can keep the values: SQLite takes any
// bytes for text, PostgreSQL neither NUL nor what is not UTF-8.
func storable(args []any) bool {
	for _, a := range args {
		var text string
		switch v := a.(type) {
		case string:
			text = v
		case *string:
			if v != nil {
				text = *v
			}
		}
		if strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) {
			return false
		}
	}
	return true
}

// hold takes the lock of a name until the end of the transaction, for what has
// no row to lock: two transactions that hold one name come one after the other.
func (t *Tx) hold(name ...string) error { return t.group.tx.hold(strings.Join(name, "\x00")) }

// onlyReads reports whether a statement changes no row.
func onlyReads(query string) bool {
	return strings.HasPrefix(query, "SELECT") || strings.HasPrefix(query, "BEGIN")
}
