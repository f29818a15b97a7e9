package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/holdfast-pay/holdfast/internal/recon"
)

// A backup is one file and a manifest beside it, which says what is in it: the
// sum of the file, the sum of every table, the books, the step of the schema. It
// is written under another name and gets its own when it is complete, verified
// and on the disk; an existing file is never overwritten.
//
// It is restored in the same way: into a place that is not in service, verified
// there, and put into service last.

// Manifest describes a backup.
type Manifest struct {
	Format int             `json:"format"` // manifestFormat
	Made   time.Time       `json:"made"`
	From   string          `json:"from"`
	Engine string          `json:"engine"` // engineSQLite or enginePostgres
	Server string          `json:"server,omitempty"`
	Schema string          `json:"schema,omitempty"` // of PostgreSQL, in which the tables are
	Step   int64           `json:"step"`             // of the schema
	Bytes  int64           `json:"bytes"`
	SHA256 string          `json:"sha256"`
	Tables []TableSum      `json:"tables"`
	Books  json.RawMessage `json:"books"`
	// Violations are places where the books did not agree; none is what must be true.
	Violations []recon.Violation `json:"violations"`
}

const (
	manifestFormat = 1
	engineSQLite   = "sqlite"
	enginePostgres = "postgres"
)

// ManifestOf is the name of the manifest of a backup.
func ManifestOf(file string) string { return file + ".manifest.json" }

// part is the name of a file until it is complete.
func part(file string) string { return file + ".part" }

// Backup writes a backup of a database that may be in use, as of one moment,
// verifies it, and gives it its name.
func Backup(ctx context.Context, from Address, file string, o CarryOptions) (_ *Manifest, err error) {
	for _, f := range []string{file, ManifestOf(file)} {
		if _, err := os.Lstat(f); !errors.Is(err, os.ErrNotExist) {
			return nil, errors.Join(fmt.Errorf("%s exists and is not overwritten", f), err)
		}
	}
	lock, err := reserve(part(file))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreMissing(os.Remove(part(file))))
		}
		err = errors.Join(err, lock.Close())
	}()
	m := &Manifest{Format: manifestFormat, Made: o.Now.UTC(), From: from.String()}
	write := backupPostgres
	if from.Embedded() {
		write = backupSQLite
	}
	if err := write(ctx, from, part(file), m, o); err != nil {
		return nil, err
	}
	if err := syncFile(part(file)); err != nil {
		return nil, err
	}
	if m.Bytes, m.SHA256, err = sumFile(part(file)); err != nil {
		return nil, err
	}
	return m, publish(file, m)
}

// reserve makes a file that is worth nothing yet, for one process alone.
func reserve(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another process is writing %s", name), f.Close())
	}
	return f, f.Truncate(0)
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// publish writes the manifest and gives the backup its name, if that is still free.
func publish(file string, m *Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	beside := ManifestOf(file)
	if err := os.WriteFile(part(beside), append(text, '\n'), 0o600); err != nil {
		return err
	}
	if err := errors.Join(syncFile(part(beside)), os.Rename(part(beside), beside)); err != nil {
		return err
	}
	name, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("%s is not overwritten: %w", file, err)
	}
	if err := name.Close(); err != nil {
		return err
	}
	return rename(part(file), file)
}

// sumFile is the length and the SHA-256 of a file.
func sumFile(name string) (int64, string, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, "", err
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	return n, hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Close())
}

// describe adds up what a database holds.
func (m *Manifest) describe(p place, hasTable string, o CarryOptions) (err error) {
	_, had, err := versions(p, hasTable)
	if err != nil {
		return err
	}
	m.Step = had
	if m.Tables, err = sumPlace(p, &said{tell: o.Say}); err != nil {
		return err
	}
	if m.Books, err = books(p, o.Audit); err != nil {
		return err
	}
	m.Violations, err = walk(p, o)
	return err
}

// Restored is the outcome of a restore.
type Restored struct {
	Manifest *Manifest // nil when there is none
	To       string
	Tables   []TableSum
	Books    json.RawMessage
	Steps    []Migration // of the schema that were missing and have been taken
	// Violations are places where the books do not agree.
	Violations []recon.Violation
}

// Restore puts a backup into a place that is new or empty. Nothing is in service
// before it is verified.
func Restore(ctx context.Context, file string, to Address, o CarryOptions) (*Restored, error) {
	m, err := readManifest(file)
	if err != nil {
		return nil, err
	}
	engine, err := engineOf(file)
	if err != nil {
		return nil, err
	}
	want, put := enginePostgres, restorePostgres
	if to.Embedded() {
		want, put = engineSQLite, restoreSQLite
	}
	if engine != want {
		return nil, fmt.Errorf("%s is a backup of %s: restore it there, and use holdfast move to change the engine", file, engine)
	}
	out := &Restored{Manifest: m, To: to.String()}
	return out, put(ctx, file, to, out, o)
}

// maxManifest bounds a manifest, in bytes.
const maxManifest = 1 << 20

// readManifest reads the manifest of a backup; nil when there is none.
func readManifest(file string) (*Manifest, error) {
	f, err := os.Open(ManifestOf(file))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	m := &Manifest{}
	if err := json.NewDecoder(io.LimitReader(f, maxManifest)).Decode(m); err != nil {
		return nil, fmt.Errorf("the manifest %s is damaged: %w", f.Name(), err)
	}
	if m.Format != manifestFormat {
		return nil, fmt.Errorf("the manifest %s has the format %d; this version of holdfast reads %d", f.Name(), m.Format, manifestFormat)
	}
	return m, nil
}

// engineOf tells by its first bytes what a backup is of.
func engineOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read the backup: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	head, err := bufio.NewReader(f).Peek(16)
	switch {
	case bytes.HasPrefix(head, []byte("SQLite format 3\x00")):
		return engineSQLite, nil
	case bytes.HasPrefix(head, []byte("PGDMP")):
		return enginePostgres, nil
	case err != nil && !errors.Is(err, io.EOF):
		return "", err
	}
	return "", fmt.Errorf("%s is damaged or is no backup", file)
}

// intact refuses a file that is not the one of its manifest.
func (m *Manifest) intact(file string, bytes int64, sum string) error {
	if m != nil && (m.Bytes != bytes || m.SHA256 != sum) {
		return fmt.Errorf("the backup %s is damaged: it has %d bytes with the SHA-256 %.12s..., its manifest says %d bytes with %.12s", file, bytes, sum, m.Bytes, m.SHA256)
	}
	return nil
}

// verify compares what was restored with the manifest, takes the missing steps of
// the schema, and adds up the books.
func (r *Restored) verify(p place, hasTable string, migrate func() error, o CarryOptions) (err error) {
	missing, last, err := versions(p, hasTable)
	if err != nil {
		return err
	}
	if newest := newestStep(); last > newest {
		return fmt.Errorf("the backup has a schema of a newer version of holdfast (step %d, this one knows %d): use that one", last, newest)
	}
	if r.Tables, err = sumPlace(p, &said{tell: o.Say}); err != nil {
		return err
	}
	if r.Manifest != nil {
		if err := sameSums(r.Manifest.Tables, r.Tables); err != nil {
			return fmt.Errorf("what was restored is not what its manifest says: %w", err)
		}
	}
	if len(missing) > 0 {
		if err := migrate(); err != nil {
			return err
		}
		r.Steps = missing
	}
	if r.Violations, err = walk(p, o); err != nil {
		return err
	}
	if r.Books, err = books(p, o.Audit); err != nil || r.Manifest == nil {
		return err
	}
	if err := o.Agree(r.Manifest.Books, r.Books); err != nil {
		return fmt.Errorf("the books are not those of the manifest: %w", err)
	}
	return nil
}

// Names of periodic backups are their instants, so that their order is that of time.
const (
	backupPattern = "holdfast-*Z.db"
	backupLayout  = "holdfast-20060102T150405Z.db"
)

// BackupName is the name of a periodic backup.
func BackupName(at time.Time) string { return at.UTC().Format(backupLayout) }

// NewestBackup is the instant of the youngest periodic backup in a folder; zero
// when there is none.
func NewestBackup(folder string) (time.Time, error) {
	names, err := filepath.Glob(filepath.Join(folder, backupPattern))
	if err != nil || len(names) == 0 {
		return time.Time{}, err
	}
	return time.Parse(backupLayout, filepath.Base(names[len(names)-1]))
}

// Prune removes the oldest of the periodic backups in a folder, with their
// manifests, so that keep are left.
func Prune(folder string, keep int) (removed []string, err error) {
	names, err := filepath.Glob(filepath.Join(folder, backupPattern))
	if err != nil {
		return nil, err
	}
	for _, f := range names[:max(0, len(names)-keep)] {
		if err := errors.Join(os.Remove(f), ignoreMissing(os.Remove(ManifestOf(f)))); err != nil {
			return removed, err
		}
		removed = append(removed, f)
	}
	return removed, nil
}
