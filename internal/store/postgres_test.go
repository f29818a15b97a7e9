package store_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
	"github.com/holdfast-pay/holdfast/internal/store/storetest"
)

// postgres is the URL of a migrated database.
func postgres(t testing.TB) string {
	t.Helper()
	return pgtest.Prepared(t, func(url string) error {
		s, err := store.OpenPostgres(context.Background(), url, store.PostgresOptions{})
		if err != nil {
			return err
		}
		return s.Close()
	})
}

func openPostgres(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.OpenPostgres(context.Background(), postgres(t), store.PostgresOptions{Live: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestPostgres(t *testing.T) { storetest.Run(t, openPostgres) }

// TestClaimsOfSpreadMerchants: claiming merchant by merchant gives what claiming
// from all at once gives.
func TestClaimsOfSpreadMerchants(t *testing.T) {
	s := openPostgres(t)
	store.Spread(s)
	storetest.Claims(t, s)
}

// TestEnginesAgree: the same calls get the same answers.
func TestEnginesAgree(t *testing.T) {
	storetest.Differ(t, openFile(t, filepath.Join(t.TempDir(), "holdfast.db")), openPostgres(t))
}
