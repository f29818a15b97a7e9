package store

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// places are databases of each kind that can be opened again and again.
func places(t *testing.T) map[string]func() *Store {
	file, url := filepath.Join(t.TempDir(), "holdfast.db"), pgtest.Database(t)
	open := func(s *Store, err error) *Store {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return map[string]func() *Store{
		"sqlite":   func() *Store { return open(OpenSQLite(context.Background(), file)) },
		"postgres": func() *Store { return open(OpenPostgres(context.Background(), url, PostgresOptions{})) },
	}
}

// hashes are all hashes and sums of a database.
func hashes(t *testing.T, s *Store) (out []string) {
	t.Helper()
	err := s.Read(context.Background(), func(r *Reader) error {
		for _, query := range []string{
			`SELECT hash FROM event ORDER BY merchant, position`, `SELECT hash FROM transfer ORDER BY merchant, position`,
			`SELECT last_hash FROM event_log`, `SELECT last_transfer_hash FROM event_log`, `SELECT sum FROM payment ORDER BY merchant, id`,
			`SELECT sum FROM settlement_line ORDER BY merchant, id`,
		} {
			rows, err := all(&r.queries, scalar[[]byte], query)
			if err != nil {
				return err
			}
			for _, hash := range rows {
				out = append(out, fmt.Sprintf("%x", hash))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOlderRowsAreCompleted: rows from before the hashes get the ones that they
// would have been written with, also when the work was interrupted, and a hash
// that is taken away afterwards stays away.
func TestOlderRowsAreCompleted(t *testing.T) {
	for engine, open := range places(t) {
		t.Run(engine, func(t *testing.T) {
			s := open()
			for n := range int64(completePage + 3) {
				if err := s.Write(context.Background(), func(tx *Tx) error { return applyNew(tx, n) }); err != nil {
					t.Fatal(err)
				}
			}
			want := hashes(t, s)
			if len(want) != 3*(completePage+3)+2 || slices.Contains(want, "") {
				t.Fatalf("%d hashes, some of them empty: %t", len(want), slices.Contains(want, ""))
			}
			forget := func(queries ...string) {
				t.Helper()
				for _, query := range queries {
					if err := s.Write(context.Background(), func(tx *Tx) error { return tx.put(query) }); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open()
			}
			const older = `UPDATE event SET hash = NULL WHERE position > 7`
			forget(older, `UPDATE transfer SET hash = NULL`, `UPDATE payment SET sum = NULL`, `UPDATE event_log SET last_hash = NULL, last_transfer_hash = NULL`,
				`DELETE FROM books_state`)
			if got := hashes(t, s); !slices.Equal(got, want) {
				t.Error("the completed hashes are others than the first")
			}
			forget(`UPDATE payment SET sum = NULL WHERE id = '` + benchID(1) + `'`)
			if got := hashes(t, s); !slices.Contains(got, "") {
				t.Error("a sum that was taken away was made anew")
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
