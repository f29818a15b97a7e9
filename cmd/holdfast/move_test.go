package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// ends runs a command as the program does, and returns what it wrote, its error
// and its exit code.
func ends(t *testing.T, args ...string) (out string, code int, err error) {
	t.Helper()
	var said, progress bytes.Buffer
	parser, err := newParser(kong.Writers(&said, &progress))
	if err != nil {
		t.Fatal(err)
	}
	k, err := parser.Parse(args)
	if err != nil {
		return said.String(), exitUsage, err
	}
	if err = k.Run(); err == nil {
		return said.String(), 0, nil
	}
	code = exitFailed
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		code = coded.ExitCode()
	}
	return said.String(), code, err
}

// answers runs a command with --json and reads what it answers.
func answers(t *testing.T, into any, args ...string) {
	t.Helper()
	out, _, err := ends(t, append(args, "--json")...)
	if err == nil {
		err = json.Unmarshal([]byte(out), into)
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// played is a folder with the database of a demonstration.
func played(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	says(t, "demo", "--keep", dir)
	return dir
}

// TestMove takes a played demonstration to PostgreSQL and back.
func TestMove(t *testing.T) {
	dir := played(t)
	file, server, back := "sqlite:"+filepath.Join(dir, "holdfast.db"), pgtest.Database(t), "sqlite:"+filepath.Join(t.TempDir(), "holdfast.db")
	out := says(t, "move", "--from", file, "--to", server)
	for _, want := range []string{"Every row and the books are the same", "held for buyers", "commit_mark", filepath.Join(dir, "secret.key")} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if _, code, err := ends(t, "migrate", "--data", dir); code != exitFailed || !strings.Contains(err.Error(), "was moved to postgres://") {
		t.Errorf("the old place is not out of service: %v", err)
	}
	var first, second struct {
		Rows   int64
		Tables []map[string]any
		Books  struct {
			Accounts []map[string]any
			Problems []string
		}
		Before bool `json:"moved_before"`
	}
	answers(t, &first, "move", "--from", file, "--to", server)
	answers(t, &second, "move", "--from", server, "--to", back)
	if second.Rows < 100 || second.Rows != first.Rows || !first.Before || len(second.Tables) < 15 || len(second.Books.Accounts) < 5 || len(second.Books.Problems) > 0 {
		t.Errorf("%+v", second)
	}
	says(t, "migrate", "--data", filepath.Dir(strings.TrimPrefix(back, "sqlite:")))
	if out := says(t, "move", "--undo", "--gone", "--from", file); !strings.Contains(out, "In service again:  "+file) || strings.Contains(out, "Out of service") {
		t.Error(out)
	}
	var undone map[string]string
	answers(t, &undone, "move", "--undo", "--from", server, "--to", back)
	if len(undone) != 2 || !strings.HasPrefix(undone["in_service"], "postgres://") || undone["out_of_service"] != back {
		t.Errorf("%v", undone)
	}
	says(t, "migrate", "--data", dir)
}

// TestMoveExitCodes: what is wrong is told, and by the code in what way.
func TestMoveExitCodes(t *testing.T) {
	dir := t.TempDir()
	says(t, "migrate", "--data", dir)
	file := "sqlite:" + filepath.Join(dir, "holdfast.db")
	for _, c := range []struct {
		args []string
		code int
		why  string
	}{
		{[]string{"--from", file}, exitUsage, "--to is missing"},
		{[]string{"--to", file}, exitUsage, "--from"},
		{[]string{"--from", file, "--to", "mysql://x"}, exitUsage, "is no database"},
		{[]string{"--from", "sqlite:", "--to", file}, exitUsage, "name of a file"},
		{[]string{"--from", "sqlite:" + dir, "--to", file}, exitUsage, "is a folder"},
		{[]string{"--from", file, "--to", file, "--gone"}, exitUsage, "--gone goes with"},
		{[]string{"--from", file, "--to", file, "--gone", "--undo"}, exitUsage, "contradict"},
		{[]string{"--from", file, "--to", file}, exitFailed, "in use"},
		{[]string{"--from", "sqlite:" + filepath.Join(dir, "none.db"), "--to", file}, exitFailed, "there is no database"},
		{[]string{"--from", file, "--gone", "--undo"}, exitFailed, "is in service"},
		{[]string{"--from", file, "--to", "postgres://u:hidden@127.0.0.1:1/x"}, exitUnreachable, "connect"},
		{[]string{"--from", "postgres://u:hidden@127.0.0.1:1/x", "--to", file}, exitUnreachable, "connect"},
	} {
		_, code, err := ends(t, append([]string{"move"}, c.args...)...)
		if err == nil || code != c.code || !strings.Contains(err.Error(), c.why) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%v: exit %d, %v; want %d, %q", c.args, code, err, c.code, c.why)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 2 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
