package store_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/store"
	"github.com/holdfast-pay/holdfast/internal/store/storetest"
)

// TestWhatIsCarriedIsWalked: an event that somebody changed is told of by a
// backup, a restore and a move, and ends none of them.
func TestWhatIsCarriedIsWalked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "holdfast.db")
	s := openFile(t, file)
	for _, id := range []string{"imp_1", "imp_2"} {
		if err := storetest.Open(s, id, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw := openRaw(t, "sqlite", "file:"+file)
	if _, err := raw.ExecContext(t.Context(), `UPDATE event SET doc = doc || ' ' WHERE payment = 'imp_2' AND seq = 1`); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	from, err := store.FileAddress(file)
	if err != nil {
		t.Fatal(err)
	}
	back, err := store.FileAddress(filepath.Join(t.TempDir(), "back.db"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := store.ServerAddress(postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	o := store.CarryOptions{Now: time.Unix(1, 0), Audit: func(*store.Reader) (any, error) { return 0, nil }, Walk: true}
	backup := filepath.Join(t.TempDir(), "backup")
	b, err := store.Backup(t.Context(), from, backup, o)
	if err != nil || len(b.Violations) == 0 {
		t.Fatalf("the backup tells nothing: %v", err)
	}
	o.Agree = func(_, _ json.RawMessage) error { return nil }
	r, err := store.Restore(t.Context(), backup, back, o)
	if err != nil || len(r.Violations) != len(b.Violations) {
		t.Fatalf("the restore tells nothing: %v", err)
	}
	m, err := store.Move(t.Context(), back, server, o)
	if err != nil || len(m.Violations) != len(b.Violations) {
		t.Fatalf("the move tells nothing: %v", err)
	}
}
