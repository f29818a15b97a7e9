package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// served is an open database in a new place.
func served(t *testing.T, a Address) *Store {
	t.Helper()
	s, err := open(a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

const (
	// enough is how many writes make a backup worth its name.
	enough = 200
	// most bounds the writes, so that a slow machine does not back up more and more.
	most = 5000
)

// writing puts rows from several sides until it is stopped, and counts them; it
// returns when there are enough.
func writing(s *Store) (written *atomic.Int64, stop func() error) {
	var group sync.WaitGroup
	written = &atomic.Int64{}
	reached := make(chan struct{})
	defer func() { <-reached }()
	quit := make(chan struct{})
	errs := make(chan error, 4)
	for range cap(errs) {
		group.Go(func() {
			for {
				select {
				case <-quit:
					return
				default:
				}
				n := written.Add(1)
				if n > most {
					return
				}
				if n == enough {
					close(reached)
				}
				// Two rows together: a backup has both or none.
				if err := s.Write(context.Background(), func(tx *Tx) error {
					return errors.Join(tx.PutDirectory("one", fmt.Sprint(n), "m", strings.Repeat("r", 500)), tx.PutDirectory("two", fmt.Sprint(n), "m", "r"))
				}); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	return written, func() error {
		close(quit)
		group.Wait()
		select {
		case err := <-errs:
			return err
		default:
			return nil
		}
	}
}

// pairs counts what writing has put.
func pairs(t *testing.T, s *Store) (one, two int64) {
	t.Helper()
	count := func(kind string) int64 {
		var n int64
		if err := s.Read(t.Context(), func(r *Reader) (err error) {
			n, err = oneOf(r, kind)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	return count("one"), count("two")
}

func oneOf(r *Reader, kind string) (int64, error) {
	return one(&r.queries, scalar[int64], `SELECT count(*) FROM directory WHERE kind = $1`, kind)
}

func sameText(kept, now json.RawMessage) error {
	var a, b any
	if err := errors.Join(json.Unmarshal(kept, &a), json.Unmarshal(now, &b)); err != nil {
		return err
	}
	if a != b {
		return fmt.Errorf("%v, not %v", b, a)
	}
	return nil
}

// TestBackupUnderLoad: writers go on, the backup is of one moment, and what is
// restored from it serves.
func TestBackupUnderLoad(t *testing.T) {
	at := time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)
	for name, a := range map[string][2]Address{
		"sqlite":   {crowded(t, 200), address(t, "sqlite:"+filepath.Join(t.TempDir(), "back.db"))},
		"postgres": {server(t), address(t, pgtest.Database(t))},
	} {
		s := served(t, a[0])
		written, stop := writing(s)
		file := filepath.Join(t.TempDir(), "backup")
		before := written.Load()
		m, err := Backup(t.Context(), a[0], file, CarryOptions{Now: at, Audit: noBooks})
		if err != nil {
			t.Fatal(name, err)
		}
		during := written.Load() - before
		if err := errors.Join(stop(), s.Close()); err != nil {
			t.Fatal(name, err)
		}
		if during < 4 {
			t.Errorf("%s: only %d writes were done during the backup", name, during)
		}
		if _, err := Restore(t.Context(), file, a[1], CarryOptions{Now: at, Audit: noBooks, Agree: sameText}); err != nil {
			t.Fatal(name, err)
		}
		back := served(t, a[1])
		one, two := pairs(t, back)
		if one != two || one < enough-10 {
			t.Errorf("%s: the backup has %d and %d rows of pairs", name, one, two)
		}
		i := slices.IndexFunc(m.Tables, func(t TableSum) bool { return t.Table == "directory" })
		if rows := m.Tables[i].Rows; rows < one+two {
			t.Errorf("%s: the manifest tells of %d rows of %d", name, rows, one+two)
		}
		if err := errors.Join(back.Close()); err != nil {
			t.Fatal(err)
		}
		serves(t, a[1])
		if left, err := filepath.Glob(file + "*"); err != nil || len(left) != 2 {
			t.Errorf("%s: beside the backup stand %v", name, left)
		}
	}
}

// TestOlderBackups are brought to the present schema; newer ones are refused.
func TestOlderBackups(t *testing.T) {
	at := time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)
	from := fileIn(t, t.TempDir())
	for change, want := range map[string]string{
		// The first step that is missing is the third, whose table is not there.
		`DROP TABLE event_log; DELETE FROM goose_db_version WHERE version_id >= 3`: "migrate",
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`:  "newer version",
	} {
		copied := address(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
		if err := copyFile(from.file, copied.file); err != nil {
			t.Fatal(err)
		}
		alter(t, copied, change)
		file := filepath.Join(t.TempDir(), "backup")
		if _, err := Backup(t.Context(), copied, file, CarryOptions{Now: at, Audit: noBooks}); err != nil {
			t.Fatal(err)
		}
		to := address(t, "sqlite:"+filepath.Join(t.TempDir(), "y.db"))
		_, err := Restore(t.Context(), file, to, CarryOptions{Now: at, Audit: noBooks, Agree: sameText})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", change, err)
		}
		if left, err := filepath.Glob(to.file + "*"); err != nil || slices.ContainsFunc(left, func(f string) bool { return !strings.HasSuffix(f, ".lock") }) {
			t.Errorf("left behind: %v", left)
		}
	}
}

// TestPrune leaves the youngest.
func TestPrune(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)
	for i := range 5 {
		f := filepath.Join(dir, BackupName(at.Add(time.Duration(i)*time.Hour)))
		for _, name := range []string{f, ManifestOf(f)} {
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	removed, err := Prune(dir, 2)
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(removed) != 3 || len(left) != 4 || !strings.HasSuffix(left[0], BackupName(at.Add(3*time.Hour))) {
		t.Errorf("%v were removed and %v are left: %v", removed, left, err)
	}
	if removed, err := Prune(dir, 9); err != nil || len(removed) > 0 {
		t.Errorf("%v were removed: %v", removed, err)
	}
}

// TestForTools: what PostgreSQL's own programs are given has no password and
// nothing that they do not know.
func TestForTools(t *testing.T) {
	for dsn, want := range map[string][2]string{
		"postgres://u:secret@h/db":                                      {"postgres://u@h/db", ""},
		"postgres://u@h/db?password=secret&sslmode=disable":             {"postgres://u@h/db?sslmode=disable", ""},
		"postgres://u@h/db?pool_max_conns=3&search_path=s":              {"postgres://u@h/db", `-c search_path=s`},
		"postgres://u@h1,h2/db":                                         {"postgres://u@h1,h2/db?target_session_attrs=read-write", ""},
		"postgresql://u@/db?host=/run/x&port=5433&statement_timeout=30": {"postgresql://u@/db?host=%2Frun%2Fx&port=5433", "-c statement_timeout=30"},
	} {
		clean, options, err := forTools(dsn)
		if err != nil || clean != want[0] || options != want[1] {
			t.Errorf("%s becomes %s and %q: %v", dsn, clean, options, err)
		}
	}
	if _, _, err := forTools("host=h user=u password=secret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	if _, err := findTool(t.Context(), "pg_dump", 999); err == nil || !strings.Contains(err.Error(), "999 or newer is needed") {
		t.Error(err)
	}
}

var moveKills = flag.Int("movekills", 5, "how often a move in each direction is killed")

// longestLife is about what a whole move of the test takes.
const longestLife = 1500 * time.Millisecond

// childMove tells a child of the test what to move.
const childMove = "HOLDFAST_TEST_MOVE"

// TestChild moves in a process that is killed; run by TestKilledMoves alone.
func TestChild(t *testing.T) {
	from, to, is := strings.Cut(os.Getenv(childMove), " ")
	if !is {
		t.Skip("is run by TestKilledMoves")
	}
	if _, err := Move(t.Context(), address(t, from), address(t, to), CarryOptions{Now: time.Unix(1_700_000_000, 0), Audit: noBooks}); err != nil {
		t.Fatal(err)
	}
}

// TestKilledMoves kills a move at random moments: at most one side serves, the
// new place never serves a part, and the same command run again ends the move.
func TestKilledMoves(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	perTable := 400
	file, there, back := crowded(t, perTable), server(t), address(t, "sqlite:"+filepath.Join(t.TempDir(), "back.db"))
	var want []TableSum
	for _, way := range [][2]Address{{file, there}, {there, back}} {
		from, to := way[0], way[1]
		src, err := from.leave(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sums, err := sumPlace(src, &said{})
		if err := errors.Join(err, src.close()); err != nil {
			t.Fatal(err)
		}
		if want != nil {
			if err := sameSums(want, sums); err != nil {
				t.Error(err)
			}
		}
		want = sums
		var closed time.Time // when the connections of the last one killed have been closed for certain
		for kill := 0; ; kill++ {
			limit := time.Duration(rand.Int64N(int64(longestLife)))
			if kill >= *moveKills {
				limit = time.Minute
			}
			done, said := runChild(t, from, to, limit)
			if t.Log(way, "killed after", limit, "done", done); done {
				break
			}
			if kill < *moveKills {
				closed = time.Now().Add(10 * time.Second)
			} else if !strings.Contains(said, "is in use") || time.Now().After(closed) {
				t.Fatalf("the move does not end: %s", said)
			}
			atMostOne(t, from, to)
		}
		refused(t, from, "was moved to")
		dst, err := to.leave(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := sumPlace(dst, &said{})
		if err := errors.Join(err, sameSums(want, got), dst.close()); err != nil {
			t.Error(err)
		}
	}
}

// runChild moves in another process, which is killed after limit.
func runChild(t *testing.T, from, to Address, limit time.Duration) (done bool, said string) {
	t.Helper()
	text := func(a Address) string {
		if a.Embedded() {
			return a.String()
		}
		return a.dsn
	}
	var out bytes.Buffer
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
	cmd.Env = append(os.Environ(), childMove+"="+text(from)+" "+text(to))
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	return err == nil, strconv.Quote(out.String())
}

// atMostOne: a place that is being filled does not serve, or it has not been
// touched yet and the source serves.
func atMostOne(t *testing.T, from, to Address) {
	t.Helper()
	if to.Embedded() {
		if _, err := os.Stat(to.file); err == nil {
			refused(t, from, "was moved to")
			return
		}
		if _, err := os.Stat(unfinished(to.file)); err == nil {
			refused(t, to, "has not finished")
		}
		return
	}
	s, err := open(to)
	if errors.Is(err, ErrOutOfService) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	one := int64(0)
	if err := s.Read(t.Context(), func(r *Reader) (err error) { one, err = r.rowsOf("audit"); return err }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if one > 0 {
		refused(t, from, "was moved to")
	}
}

func (r *Reader) rowsOf(table string) (int64, error) {
	return one(&r.queries, scalar[int64], `SELECT count(*) FROM `+table)
}
