package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/holdfast-pay/holdfast/internal/serve"
	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// says runs a command and returns what it printed.
func says(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	parser, err := newParser(kong.Writers(&out, &out))
	if err != nil {
		t.Fatal(err)
	}
	k, err := parser.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out.String())
	}
	return out.String()
}

// TestDemoOnPostgres plays in a place of its own and leaves nothing behind.
func TestDemoOnPostgres(t *testing.T) {
	url := pgtest.Database(t)
	if out := says(t, "demo", "--database", url); !strings.Contains(out, "Everything was as it must be") {
		t.Error(out)
	}
	if out := says(t, "migrate", "--plan", "--database", url); !strings.Contains(out, "to do: 00001") {
		t.Errorf("the demonstration left something in the database: %s", out)
	}
}

// TestMigrate says what is to do, does it, and has nothing more to do.
func TestMigrate(t *testing.T) {
	for name, where := range map[string][]string{"sqlite": {"--data", t.TempDir()}, "postgres": {"--database", pgtest.Database(t), "--data", t.TempDir()}} {
		steps := func(more ...string) (steps []serve.Migration) {
			var answer struct{ Steps []serve.Migration }
			if err := json.Unmarshal([]byte(says(t, append(append([]string{"migrate", "--json"}, where...), more...)...)), &answer); err != nil {
				t.Fatal(err)
			}
			return answer.Steps
		}
		plan := steps("--plan")
		if again := steps("--plan"); len(plan) < 3 || len(again) != len(plan) {
			t.Errorf("%s: planning twice says %d and %d steps", name, len(plan), len(again))
		}
		done := steps()
		if len(done) != len(plan) || done[0].Name != plan[0].Name || !done[0].Applied {
			t.Errorf("%s: %v was planned and %v done", name, plan, done)
		}
		if left := steps("--plan"); len(left) > 0 {
			t.Errorf("%s: left to do: %v", name, left)
		}
		if out := says(t, append([]string{"migrate"}, where...)...); !strings.Contains(out, "newest schema") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// TestMigrateExitCodes: what is wrong is told by the code as other commands do.
func TestMigrateExitCodes(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		why  string
	}{
		{[]string{"--with-rows"}, exitUsage, "--with-rows goes with --distribute"},
		{[]string{"--database", "mysql://x"}, exitUsage, "connection string"},
		{[]string{"--database", "postgres://u:hidden@127.0.0.1:1/x"}, exitUnreachable, "connect"},
		{[]string{"--distribute"}, exitFailed, "move it to PostgreSQL"},
	} {
		_, code, err := ends(t, append([]string{"migrate", "--data", t.TempDir()}, c.args...)...)
		if err == nil || code != c.code || !strings.Contains(err.Error(), c.why) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%v: exit %d, %v; want %d, %q", c.args, code, err, c.code, c.why)
		}
	}
}

// TestMigrateDistribute says what a server without Citus lacks, plans all the same,
// and has migrated.
func TestMigrateDistribute(t *testing.T) {
	database := pgtest.Database(t)
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		parser, err := newParser(kong.Writers(&out, &out))
		if err != nil {
			t.Fatal(err)
		}
		k, err := parser.Parse(append([]string{"migrate", "--distribute", "--data", t.TempDir()}, args...))
		if err != nil {
			t.Fatal(err)
		}
		err = k.Run()
		return out.String(), err
	}
	const line, lack = "to do       distributed by merchant  payment", "missing: the extension Citus is not installed"
	if out, err := run("--plan", "--database", database); err != nil || !strings.Contains(out, line) || !strings.Contains(out, lack) || !strings.Contains(out, "to do: 00001") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := run("--database", database); err == nil || !strings.Contains(out, line) || !strings.Contains(out, lack) || !strings.Contains(out, "done: 00001") {
		t.Errorf("%v\n%s", err, out)
	}
	var answer struct {
		Steps        []serve.Migration
		Distribution struct{ Missing []string }
	}
	if out, err := run("--plan", "--json", "--database", database); err != nil || json.Unmarshal([]byte(out), &answer) != nil ||
		len(answer.Steps) != 0 || len(answer.Distribution.Missing) != 1 {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := run(); err == nil || !strings.Contains(err.Error(), "move it to PostgreSQL") {
		t.Errorf("a file was distributed: %v", err)
	}
}
