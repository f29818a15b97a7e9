package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if s, err := store.OpenSQLite(context.Background(), link); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("a second opener by another name: %v", err)
		if err == nil {
			_ = s.Close()
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openFile(t, file)
}

// TestFilesArePrivate: nobody but the owner reads a database or what is beside it.
func TestFilesArePrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	s := openFile(t, filepath.Join(dir, "holdfast.db"))
	storetest.Fill(t, s)
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the rights %v (%v)", f.Name(), info.Mode(), err)
		}
	}
}

// TestWorkOfADeadProcessIsFree: what somebody had taken who is gone is due at
// once, and not only when the lease is over.
func TestWorkOfADeadProcessIsFree(t *testing.T) {
	file := filepath.Join(t.TempDir(), "holdfast.db")
	claim := func(s *store.Store) (mails []store.Mail, orders []store.BankOrder, hooks []store.Webhook) {
		err := s.Write(context.Background(), func(tx *store.Tx) error {
			var err1, err2, err3 error
			mails, err1 = tx.ClaimMails("", storetest.Monday, time.Hour, 10)
			orders, err2 = tx.ClaimBankOrders("", storetest.Monday, time.Hour, 10)
			hooks, err3 = storetest.TakeWebhooks(tx, "", storetest.Monday, time.Hour, 10, false)
			return errors.Join(err1, err2, err3)
		})
		if err != nil {
			t.Fatal(err)
		}
		return mails, orders, hooks
	}
	s := openFile(t, file)
	storetest.Fill(t, s)
	for round := range 2 {
		mails, orders, hooks := claim(s)
		if len(mails) != 1 || len(orders) != 1 || len(hooks) != 1 || mails[0].Attempts != int64(round)+1 {
			t.Fatalf("round %d: %d mails, %d orders, %d webhooks", round, len(mails), len(orders), len(hooks))
		}
		if mails, orders, hooks := claim(s); len(mails)+len(orders)+len(hooks) > 0 {
			t.Fatal("what was taken was given out again")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openFile(t, file)
		leased := true
		err := s.Read(context.Background(), func(r *store.Reader) (err error) {
			leased, err = r.Leased(storetest.Merchant)
			return err
		})
		if err != nil || leased {
			t.Fatalf("somebody seems to be at work (%v)", err)
		}
	}
}

func TestUnusableFiles(t *testing.T) {
	dir := t.TempDir()
	if s, err := store.OpenSQLite(context.Background(), dir); err == nil {
		_ = s.Close()
		t.Error("a folder was opened as a database")
	}
}

// TestADamagedFileIsNamed with what to do, in one line, and is left as it is.
func TestADamagedFileIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "holdfast.db")
	rubbish := []byte(strings.Repeat("this is no database. ", 500))
	if err := os.WriteFile(file, rubbish, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.OpenSQLite(t.Context(), file)
	if err == nil {
		t.Fatal("it opens", s.Close())
	}
	if said := err.Error(); !strings.Contains(said, file+" is damaged") || !strings.Contains(said, "backup") || strings.Contains(said, "\n") {
		t.Errorf("%q", said)
	}
	if kept, err := os.ReadFile(file); err != nil || !bytes.Equal(kept, rubbish) {
		t.Errorf("the file has changed: %v", err)
	}
}

// TestANewerFileIsLeftAlone: a program that does not know the newest step of the
// schema does not open the file.
func TestANewerFileIsLeftAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "holdfast.db")
	if err := openFile(t, file).Close(); err != nil {
		t.Fatal(err)
	}
	db := openRaw(t, "sqlite", "file:"+file)
	if _, err := db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenSQLite(t.Context(), file); !errors.Is(err, store.ErrNewer) {
		t.Errorf("a newer schema: %v", err)
	}
}
