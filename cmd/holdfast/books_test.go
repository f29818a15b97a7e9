package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver sqlite

	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// verification is what the test reads of the answer.
type verification struct {
	Rows       int64
	Violations []struct{ Merchant, Kind, Of, Ref, Want, Got string }
	Heads      []struct{ Merchant, Hash string }
}

// TestBooksVerify: a file that nobody serves, a database on a server, and a copy
// whose end was cut off in every table alike, which only the heads of an earlier
// run can tell.
func TestBooksVerify(t *testing.T) {
	dir := played(t)
	file := filepath.Join(dir, "holdfast.db")
	var sound verification
	answers(t, &sound, "books", "verify", "--data", dir)
	if sound.Rows < 50 || len(sound.Heads) == 0 || len(sound.Heads[0].Hash) != 64 || len(sound.Violations) > 0 {
		t.Fatalf("%+v", sound)
	}
	heads := filepath.Join(t.TempDir(), "heads.json")
	out, _, err := ends(t, "books", "verify", "--at", "sqlite:"+file, "--json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(heads, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := says(t, "books", "verify", "--data", dir, "--heads", heads); !strings.Contains(out, "0 violations") {
		t.Error(out)
	}
	server := pgtest.Database(t)
	says(t, "move", "--from", "sqlite:"+file, "--to", server)
	if out := says(t, "books", "verify", "--at", server, "--heads", heads); !strings.Contains(out, "0 violations") {
		t.Error(out)
	}
	pgtest.Exec(t, server, `UPDATE transfer SET amount = amount + 1 WHERE position = 1`)
	if out, code, _ := ends(t, "books", "verify", "--at", server); code != exitFailed || !strings.Contains(out, "VIOLATION") || !strings.Contains(out, "broken_chain") {
		t.Errorf("exit %d: %s", code, out)
	}
	rewritten(t, file)
	if out, code, _ := ends(t, "books", "verify", "--at", "sqlite:"+file); code != 0 {
		t.Errorf("books without anything in them, exit %d: %s", code, out)
	}
	if out, code, _ := ends(t, "books", "verify", "--at", "sqlite:"+file, "--heads", heads); code != exitFailed || !strings.Contains(out, "wrong_end") {
		t.Errorf("a lost end, exit %d: %s", code, out)
	}
	for _, args := range [][]string{{"--at", "sqlite:" + file + ".none"}, {"--at", "nonsense"}, {"--heads", file}} {
		if _, code, err := ends(t, append([]string{"books", "verify", "--data", dir}, args...)...); code == 0 || err == nil {
			t.Errorf("%v is taken", args)
		} else if args[0] == "--heads" && (code != exitUsage || !strings.Contains(err.Error(), file+" is no answer of")) {
			t.Errorf("%v: exit %d, %v", args, code, err)
		}
	}
}

// rewritten takes everything out of the books, so that what is left agrees.
func rewritten(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"event", "transfer", "event_log", "payment", "settlement_line", "payout", "bank_order", "books_head", "held_day"} {
		if _, err := db.ExecContext(t.Context(), "DELETE FROM "+table); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
