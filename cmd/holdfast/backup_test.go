package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

type backupAnswer struct {
	Rows  int64
	Bytes int64
	Books struct {
		Held     int64
		Problems []string
	}
	Compared bool     `json:"compared_with_manifest"`
	NeedsKey string   `json:"needs_key"`
	Keys     []string `json:"keys"`
}

// TestBackupAndRestore of a played demonstration on both engines.
func TestBackupAndRestore(t *testing.T) {
	dir := played(t)
	backup := filepath.Join(t.TempDir(), "one.db")
	var made, back backupAnswer
	answers(t, &made, "backup", "--data", dir, "--to", backup)
	other := t.TempDir()
	answers(t, &back, "restore", "--data", other, "--from", backup)
	if made.Rows < 100 || back.Rows != made.Rows || !back.Compared || len(made.Keys) != 1 || back.NeedsKey != filepath.Join(other, "secret.key") || len(back.Books.Problems) > 0 {
		t.Errorf("%+v\n%+v", made, back)
	}
	says(t, "migrate", "--data", other)

	server := pgtest.Database(t)
	says(t, "move", "--from", "sqlite:"+filepath.Join(other, "holdfast.db"), "--to", server)
	dump := filepath.Join(t.TempDir(), "one.dump")
	answers(t, &made, "backup", "--data", dir, "--database", server, "--to", dump)
	second := pgtest.Database(t)
	answers(t, &back, "restore", "--data", dir, "--database", second, "--from", dump)
	if back.Rows != made.Rows || !back.Compared || back.NeedsKey != "" {
		t.Errorf("%+v\n%+v", made, back)
	}
	says(t, "migrate", "--data", dir, "--database", second)

	for _, c := range []struct {
		args []string
		code int
		why  string
	}{
		{[]string{"backup", "--data", other, "--to", backup + "2"}, exitFailed, "was moved to"},
		{[]string{"backup", "--data", dir, "--to", backup}, exitFailed, "exists and is not overwritten"},
		{[]string{"backup", "--data", t.TempDir(), "--to", backup + "2"}, exitFailed, "there is no database"},
		{[]string{"backup", "--data", dir, "--database", "mysql:", "--to", backup + "2"}, exitUsage, "connection string"},
		{[]string{"backup", "--data", dir, "--database", "postgres://u:hidden@127.0.0.1:1/x", "--to", backup + "2"}, exitUnreachable, "connect"},
		{[]string{"restore", "--data", dir, "--from", backup}, exitFailed, "is not empty"},
		{[]string{"restore", "--data", dir, "--database", second, "--from", dump}, exitFailed, "is not empty"},
		{[]string{"restore", "--data", t.TempDir(), "--from", dump}, exitFailed, "is a backup of postgres"},
		{[]string{"restore", "--data", dir, "--database", second, "--from", backup}, exitFailed, "is a backup of sqlite"},
		{[]string{"restore", "--data", t.TempDir(), "--from", backup + "2"}, exitUsage, "no such file"},
	} {
		_, code, err := ends(t, c.args...)
		if err == nil || code != c.code || !strings.Contains(err.Error(), c.why) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%v: exit %d, %v; want %d, %q", c.args, code, err, c.code, c.why)
		}
	}
}

// TestDamagedBackups are refused, whatever the damage, and leave a place in which
// a good one can be restored.
func TestDamagedBackups(t *testing.T) {
	dir := played(t)
	backup := filepath.Join(t.TempDir(), "one.db")
	says(t, "backup", "--data", dir, "--to", backup)
	server := pgtest.Database(t)
	says(t, "move", "--from", "sqlite:"+filepath.Join(dir, "holdfast.db"), "--to", server)
	dump := filepath.Join(t.TempDir(), "one.dump")
	says(t, "backup", "--data", dir, "--database", server, "--to", dump)
	whole := map[string][]byte{}
	for _, f := range []string{backup, dump, backup + ".manifest.json", dump + ".manifest.json"} {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		whole[f] = raw
	}
	put := func(f string, raw []byte) {
		t.Helper()
		if err := os.WriteFile(f, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flipped := func(f string) []byte {
		raw := append([]byte{}, whole[f]...)
		raw[len(raw)*2/3] ^= 0x40
		return raw
	}
	empty := pgtest.Database(t)
	place := t.TempDir()
	for name, c := range map[string]struct {
		file   string
		damage func(f string)
		why    string
	}{
		"a bit":               {backup, func(f string) { put(f, flipped(f)) }, "is damaged"},
		"a bit, dump":         {dump, func(f string) { put(f, flipped(f)) }, "is damaged"},
		"cut":                 {backup, func(f string) { put(f, whole[f][:len(whole[f])/2]) }, "is damaged"},
		"cut, no manifest":    {backup, func(f string) { put(f, whole[f][:len(whole[f])/2]); _ = os.Remove(f + ".manifest.json") }, "damaged"},
		"cut dump, none":      {dump, func(f string) { put(f, whole[f][:len(whole[f])/2]); _ = os.Remove(f + ".manifest.json") }, "pg_restore"},
		"no backup":           {backup, func(f string) { put(f, []byte("rubbish")) }, "is damaged or is no backup"},
		"manifest":            {backup, func(f string) { put(f+".manifest.json", []byte("{")) }, "manifest"},
		"newer manifest":      {backup, func(f string) { put(f+".manifest.json", []byte(`{"format":99}`)) }, "format 99"},
		"another's manifest":  {backup, func(f string) { put(f+".manifest.json", whole[dump+".manifest.json"]) }, "is damaged"},
		"rows of another day": {backup, func(f string) { put(f+".manifest.json", otherRows(whole[f+".manifest.json"])) }, "not what its manifest says"},
		"rows, dump":          {dump, func(f string) { put(f+".manifest.json", otherRows(whole[f+".manifest.json"])) }, "not what its manifest says"},
	} {
		c.damage(c.file)
		args := []string{"restore", "--data", place, "--from", c.file}
		if c.file == dump {
			args = append(args, "--database", empty)
		}
		_, code, err := ends(t, args...)
		if err == nil || code != exitFailed || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: exit %d, %v; want %q", name, code, err, c.why)
		}
		for f, raw := range whole {
			put(f, raw)
		}
	}
	says(t, "restore", "--data", place, "--from", backup)
	says(t, "restore", "--data", place, "--from", dump, "--database", empty)
}

// otherRows changes the sum of one table in a manifest.
func otherRows(manifest []byte) []byte {
	before, after, _ := strings.Cut(string(manifest), `"table": "payment"`)
	at := strings.Index(after, `"sha256": "`) + len(`"sha256": "`)
	return []byte(before + `"table": "payment"` + after[:at] + "00" + after[at+2:])
}
