package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/store"
)

// TestAroundCommits: a commit that is left out leaves nothing; one that is made
// and reported as failed leaves what was written. Either way the caller hears of
// the failure, and the next write is as usual.
func TestAroundCommits(t *testing.T) {
	struck := errors.New("struck")
	at := time.Unix(1_800_000_000, 0)
	for name, c := range map[string]struct {
		around func(commit func() error) error
		stays  bool
	}{
		"before": {func(func() error) error { return struck }, false},
		"after":  {func(commit func() error) error { return errors.Join(commit(), struck) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			strike := true
			s, err := store.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "holdfast.db"), store.AroundCommits(func(commit func() error) error {
				if strike {
					return c.around(commit)
				}
				return commit()
			}))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			put := func(order string) error {
				return s.Write(context.Background(), func(tx *store.Tx) error {
					return tx.InsertPrepared(store.Prepared{Merchant: "mrc_a", OrderID: order, Amount: 1000}, at)
				})
			}
			has := func(order string) bool {
				return s.Read(context.Background(), func(r *store.Reader) error {
					_, err := r.Prepared("mrc_a", order)
					return err
				}) == nil
			}
			if err := put("first"); !errors.Is(err, struck) {
				t.Fatalf("the caller hears %v", err)
			}
			if has("first") != c.stays {
				t.Fatalf("the row is there: %t, want %t", has("first"), c.stays)
			}
			strike = false
			if err := put("second"); err != nil || !has("second") {
				t.Fatalf("the next write: %v", err)
			}
		})
	}
}
