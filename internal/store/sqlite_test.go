package store_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openFile(t testing.TB, file string) *store.Store {
	t.Helper()
	s, err := store.OpenSQLite(context.Background(), file)
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

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t testing.TB) *store.Store { return openFile(t, filepath.Join(t.TempDir(), "holdfast.db")) })
}

// TestOneProcessPerFile: a second opener is told to go elsewhere, and may come
// once the first is gone.
func TestOneProcessPerFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "folder with space", "holdfast?.db")
	s := openFile(t, file)
	if _, err := store.OpenSQLite(context.Background(), file); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Fatalf("a second opener: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openFile(t, file)
}

func TestUnusableFiles(t *testing.T) {
	dir := t.TempDir()
	if s, err := store.OpenSQLite(context.Background(), dir); err == nil {
		_ = s.Close()
		t.Error("a folder was opened as a database")
	}
}
