package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
)

// TableSum is the content of one table: how many rows, and the SHA-256 over all
// of them in the order of their keys, in a form that does not depend on the
// engine. Two tables with the same sum hold the same rows.
//
// In that form a row is its columns in the order of their names; a value is its
// kind (n, i, t, b), for an integer 8 bytes with the greatest first, for a text or
// bytes the length in 8 bytes and then the bytes.
type TableSum struct {
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// summing adds up the rows of a table.
type summing struct {
	table table
	count int64
	hash  hash.Hash
	buf   []byte
}

func newSumming(t table) *summing { return &summing{table: t, hash: sha256.New()} }

// add takes a row in the order of the table's columns.
func (s *summing) add(row []any) error {
	s.buf = s.buf[:0]
	for i, v := range row {
		var err error
		if s.buf, err = canonical(s.buf, v, s.table.columns[i].kind); err != nil {
			return fmt.Errorf("%s.%s: %w", s.table.name, s.table.columns[i].name, err)
		}
	}
	s.count++
	_, err := s.hash.Write(s.buf)
	return err
}

func (s *summing) sum() TableSum {
	return TableSum{Table: s.table.name, Rows: s.count, SHA256: hex.EncodeToString(s.hash.Sum(nil))}
}

// canonical appends a value. One that is not of its column's kind is an error:
// the schema admits none.
func canonical(to []byte, v any, want kind) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(to, byte(kindNull)), nil
	case int64:
		if want == kindInteger {
			return binary.BigEndian.AppendUint64(append(to, byte(want)), uint64(x)), nil
		}
	case string:
		if want == kindText {
			to = binary.BigEndian.AppendUint64(append(to, byte(want)), uint64(len(x)))
			return append(to, x...), nil
		}
	case []byte:
		if want == kindBytes {
			to = binary.BigEndian.AppendUint64(append(to, byte(want)), uint64(len(x)))
			return append(to, x...), nil
		}
	}
	return nil, fmt.Errorf("a value is a %T", v)
}

// tableRows yields the rows of a table one after the other and adds them up on
// the way. It has the shape of what pgx copies from.
type tableRows struct {
	*summing
	rows rowSet
	row  []any
	dest []any
	said *said
	err  error
}

// readTable begins to read a table, and tells how far it is.
func readTable(ex executor, t table, said *said) (*tableRows, error) {
	rows, err := ex.query(t.selection())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.name, err)
	}
	r := &tableRows{summing: newSumming(t), rows: rows, row: make([]any, len(t.columns)), said: said}
	for i := range r.row {
		r.dest = append(r.dest, &r.row[i])
	}
	return r, nil
}

// Next reads a row; false at the end or after an error.
func (r *tableRows) Next() bool {
	if r.err != nil || !r.rows.Next() {
		return false
	}
	r.err = r.rows.Scan(r.dest...)
	if r.err == nil {
		r.err = r.add(r.row)
	}
	r.said.row(r.table.name)
	return r.err == nil
}

// Values is the row; it is overwritten by the next one.
func (r *tableRows) Values() ([]any, error) { return r.row, nil }

// Err is what ended the reading before the end.
func (r *tableRows) Err() error { return errors.Join(r.err, r.rows.Err()) }

func (r *tableRows) close() error { return r.rows.Close() }

// sumTables adds up every table.
func sumTables(ex executor, tables []table, said *said) (out []TableSum, err error) {
	for _, t := range tables {
		r, err := readTable(ex, t, said)
		if err != nil {
			return nil, err
		}
		for r.Next() { //nolint:revive // reading adds up
		}
		if err := errors.Join(r.Err(), r.close()); err != nil {
			return nil, fmt.Errorf("read %s: %w", t.name, err)
		}
		out = append(out, r.sum())
	}
	return out, nil
}

// sameSums says which tables differ; nil when none does.
func sameSums(one, other []TableSum) error {
	for i, a := range one {
		if i >= len(other) || a.Table != other[i].Table {
			return fmt.Errorf("the table %s is missing on one side", a.Table)
		}
		if b := other[i]; a != b {
			return fmt.Errorf("the table %s differs: %d rows with the sum %.12s on one side, %d rows with the sum %.12s on the other", a.Table, a.Rows, a.SHA256, b.Rows, b.SHA256)
		}
	}
	if len(other) > len(one) {
		return fmt.Errorf("the table %s is missing on one side", other[len(one)].Table)
	}
	return nil
}

// countRows is the number of rows in all tables.
func countRows(ex executor, tables []table) (total int64, err error) {
	for _, t := range tables {
		n, err := one(&queries{ex: ex, classify: func(err error) error { return err }}, scalar[int64], `SELECT count(*) FROM `+quoted([]string{t.name}))
		if err != nil {
			return 0, fmt.Errorf("count the rows of %s: %w", t.name, err)
		}
		total += n
	}
	return total, nil
}
