package serve

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// TestPeriodicBackups: a server backs itself up, a start soon after waits for its
// turn, and the backup restores.
func TestPeriodicBackups(t *testing.T) {
	c := config.Default()
	c.Data, c.Seed, c.Backup.Every, c.Backup.Keep = t.TempDir(), true, time.Hour, 2
	folder := filepath.Join(c.Data, "backups")
	var newest time.Time
	for range 2 {
		s, err := New(t.Context(), c, Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		if err != nil {
			t.Fatal(err)
		}
		deadline := time.After(30 * time.Second)
		for s.backups.last.Load() == 0 {
			select {
			case <-deadline:
				t.Fatal("there is no backup")
			case <-time.After(10 * time.Millisecond):
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		at, err := store.NewestBackup(folder)
		if err != nil || at.IsZero() || !newest.IsZero() && at != newest {
			t.Errorf("the newest backup is of %s, before it was of %s: %v", at, newest, err)
		}
		newest = at
	}
	back := config.Default()
	back.Data = t.TempDir()
	r, err := Restore(t.Context(), back, filepath.Join(folder, store.BackupName(newest)), nil)
	if err != nil || !r.Compared || r.Rows == 0 || len(r.Books.Problems) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 2 {
		t.Errorf("%v: %v", left, err)
	}
}

// TestFirstBackup: it comes when its turn is, and at once after a backup that a
// wrong clock has dated ahead.
func TestFirstBackup(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{
		0: time.Hour, 20 * time.Minute: 40 * time.Minute, 2 * time.Hour: -time.Hour, -time.Second: 0, -10 * 365 * 24 * time.Hour: 0,
	} {
		if got := firstWait(time.Hour, age); got != want {
			t.Errorf("after a backup of %s ago: %s, want %s", age, got, want)
		}
	}
}
