package store

import "errors"

// maxRows bounds every answer that has no bound of its own.
const maxRows = 10_000

// all runs a query and scans every row.
func all[T any](q *queries, scan func(rowSet) (T, error), query string, args ...any) (out []T, err error) {
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
	return out, rows.Err()
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

// change runs a statement that must touch exactly one row.
func (t *Tx) change(query string, args ...any) error {
	n, err := t.ex.exec(query, args...)
	if err != nil {
		return t.classify(err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// put runs a statement and does not ask how many rows it touched.
func (t *Tx) put(query string, args ...any) error {
	_, err := t.ex.exec(query, args...)
	return t.classify(err)
}
