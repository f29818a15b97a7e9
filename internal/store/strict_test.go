package store

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

func openHere(t *testing.T) *Store {
	t.Helper()
	s, err := OpenSQLite(context.Background(), filepath.Join(t.TempDir(), "holdfast.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // a test may have closed it
	return s
}

// TestEveryTableIsStrict: a column takes what its type says and nothing else.
func TestEveryTableIsStrict(t *testing.T) {
	s := openHere(t)
	type table struct {
		name   string
		strict int64
	}
	err := s.Read(context.Background(), func(r *Reader) error {
		tables, err := all(&r.queries, func(rows rowSet) (x table, err error) {
			err = rows.Scan(&x.name, &x.strict)
			return x, err
		}, `SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`)
		if len(tables) < 15 {
			t.Errorf("%d tables", len(tables))
		}
		for _, x := range tables {
			if x.strict != 1 {
				t.Errorf("the table %s is not STRICT", x.name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAmountsAreIntegers: what is no int64 is refused, not rounded.
func TestAmountsAreIntegers(t *testing.T) {
	s := openHere(t)
	for _, amount := range []any{"many", 1.5, 9.3e18, "99999999999999999999", nil, []byte{1}} {
		err := s.Write(context.Background(), func(tx *Tx) error {
			return tx.put(`INSERT INTO transfer (merchant, ref, seq, n, debit, credit, amount, at) VALUES ('m', 'r', 1, 1, 'a', 'b', $1, 0)`, amount)
		})
		if err == nil {
			t.Errorf("%v was stored as an amount", amount)
		}
	}
	// A sum that no int64 holds is an error and not another number.
	err := s.Write(context.Background(), func(tx *Tx) error {
		for n := range 2 {
			if err := tx.put(`INSERT INTO transfer (merchant, ref, seq, n, debit, credit, amount, at) VALUES ('m', 'r', 1, $1, 'a', 'b', $2, 0)`, n, int64(1<<63-1)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Read(context.Background(), func(r *Reader) error {
		_, err := r.AccountTotals()
		return err
	})
	if err == nil {
		t.Error("an overflowing sum was answered")
	}
}

// TestReadersDoNotWrite, whatever they are asked.
func TestReadersDoNotWrite(t *testing.T) {
	s := openHere(t)
	err := s.Read(context.Background(), func(r *Reader) error {
		_, err := all(&r.queries, scalar[string], `INSERT INTO directory (kind, key, merchant, ref) VALUES ('k', 'k', 'm', 'r') RETURNING key`)
		return err
	})
	if err == nil {
		t.Error("a reader wrote")
	}
	err = s.Read(context.Background(), func(r *Reader) error {
		_, err := r.Lookup("k", "k")
		return err
	})
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("the row of a reader: %v", err)
	}
}

// TestReturningIsAWrite: a function that wrote by a query is undone like any other.
func TestReturningIsAWrite(t *testing.T) {
	s := openHere(t)
	no := errors.New("no")
	answers := inOneGroup(s, []func(*Tx) error{
		func(tx *Tx) error { return tx.PutDirectory("k", "kept", "m", "r") },
		func(tx *Tx) error {
			if _, err := all(&tx.queries, scalar[string], `INSERT INTO directory (kind, key, merchant, ref) VALUES ('k', 'undone', 'm', 'r') RETURNING key`); err != nil {
				return err
			}
			return no
		},
	})
	if answers[0] != nil || !errors.Is(answers[1], no) {
		t.Fatalf("answers %v", answers)
	}
	err := s.Read(context.Background(), func(r *Reader) error {
		if _, err := r.Lookup("k", "undone"); !errors.Is(err, ErrNotFound) {
			t.Errorf("what was undone: %v", err)
		}
		_, err := r.Lookup("k", "kept")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
