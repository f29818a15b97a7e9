package serve

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// backups makes a verified backup of the SQLite file every so often, by the
// machine's clock, and removes the oldest. One that fails is told in the log and
// tried again; the server goes on.
type backups struct {
	config config.Config
	folder string
	log    *slog.Logger
	last   atomic.Int64 // unix seconds of the youngest; 0 for none

	stop context.CancelFunc
	done sync.WaitGroup
}

// backupRetry is the longest wait after a backup that failed.
const backupRetry = 5 * time.Minute

// startBackups begins; without the setting it does nothing.
func startBackups(c config.Config, log *slog.Logger) (*backups, error) {
	b := &backups{config: c, folder: c.Backup.Folder, log: log, stop: func() {}}
	if c.Backup.Every == 0 {
		return b, nil
	}
	if b.folder == "" {
		b.folder = filepath.Join(c.Data, "backups")
	}
	if err := os.MkdirAll(b.folder, 0o750); err != nil {
		return nil, err
	}
	newest, err := store.NewestBackup(b.folder)
	if err != nil {
		return nil, err
	}
	if !newest.IsZero() {
		b.last.Store(newest.Unix())
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.done.Go(func() { b.run(ctx, newest) })
	return b, nil
}

func (b *backups) run(ctx context.Context, last time.Time) {
	wait := firstWait(b.config.Backup.Every, clock.Real{}.Now().Sub(last))
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(wait, 0)):
		}
		wait = b.config.Backup.Every
		if err := b.once(ctx); err != nil && ctx.Err() == nil {
			b.log.Error("the periodic backup failed", "error", err)
			wait = min(wait, backupRetry)
		}
	}
}

// firstWait is how long the first backup waits, by the age of the youngest one.
// One of the future was made by a wrong clock and puts nothing off.
func firstWait(every, age time.Duration) time.Duration {
	if age < 0 {
		return 0
	}
	return every - age
}

// once makes a backup and removes what is too old.
func (b *backups) once(ctx context.Context) error {
	now := clock.Real{}.Now()
	made, err := Backup(ctx, b.config, filepath.Join(b.folder, store.BackupName(now)), nil)
	if err != nil {
		return err
	}
	b.last.Store(now.Unix())
	for _, p := range made.Books.Problems {
		b.log.Error("the books in the backup are not right", "backup", made.File, "problem", p)
	}
	removed, err := store.Prune(b.folder, b.config.Backup.Keep)
	b.log.Info("backup made", "backup", made.File, "rows", made.Rows, "bytes", made.Bytes, "removed", len(removed))
	return err
}

// close ends a backup under way, of which nothing is left.
func (b *backups) close() {
	b.stop()
	b.done.Wait()
}
