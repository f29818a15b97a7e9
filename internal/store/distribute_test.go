package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-pay/holdfast/internal/store/pgtest"
)

// sound are the facts of a server on which everything can be distributed.
func sound() facts {
	f := facts{version: "15.14 (Debian)", available: "13.2-1", installed: "13.2-1", preloaded: true, servers: 3, copies: "1", rows: map[string]bool{}}
	for _, p := range Placements() {
		f.tables = append(f.tables, p.Table)
	}
	return f
}

// TestWhatIsMissing: each obstacle is named, with what to do about it.
func TestWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		spoil    func(*facts)
		withRows bool
		want     string // empty: nothing is missing
	}{
		"nothing":            {func(*facts) {}, false, ""},
		"the package":        {func(f *facts) { f.available, f.installed = "", "" }, false, "install its package for PostgreSQL 15"},
		"the preloading":     {func(f *facts) { f.installed, f.preloaded = "", false }, false, "shared_preload_libraries = 'citus'"},
		"the extension":      {func(f *facts) { f.installed = "" }, false, "CREATE EXTENSION citus"},
		"its update":         {func(f *facts) { f.installed = "13.0-1" }, false, "ALTER EXTENSION citus UPDATE"},
		"a younger version":  {func(f *facts) { f.available, f.installed = "10.2-1", "10.2-1" }, false, "Citus 10.2-1 is too old; 11.1.0 or newer"},
		"servers":            {func(f *facts) { f.servers = 0 }, false, "citus_add_node"},
		"single copies":      {func(f *facts) { f.copies = "2" }, false, "citus.shard_replication_factor is 2"},
		"a migration":        {func(f *facts) { f.tables = slices.DeleteFunc(f.tables, func(t string) bool { return t == "held_day" }) }, false, "not there yet: held_day; holdfast migrate"},
		"order":              {func(f *facts) { f.tables = append(f.tables, "notes") }, false, "the table notes is none of Holdfast's"},
		"service":            {func(f *facts) { f.tables = append(f.tables, markTable) }, false, "the database is out of service"},
		"emptiness":          {func(f *facts) { f.rows["payment"], f.rows["merchant"] = true, true }, false, "merchant, payment; stop all nodes"},
		"rows on purpose":    {func(f *facts) { f.rows["payment"], f.rows["merchant"] = true, true }, true, ""},
		"rows of the schema": {func(f *facts) { f.rows["books_state"] = true }, false, ""},
		"rows that may stay": {func(f *facts) { f.rows["goose_db_version"] = true }, false, ""},
		"rows that are done": {func(f *facts) { f.rows["payment"], f.placed = true, map[string]string{"payment": "merchant"} }, false, ""},
		"its place":          {func(f *facts) { f.placed = map[string]string{"payment": "id"} }, false, "the table payment lies otherwise (id)"},
	} {
		f := sound()
		c.spoil(&f)
		d := f.judge(Placements(), c.withRows)
		switch {
		case c.want == "" && len(d.Missing) > 0:
			t.Errorf("%s: %q is missing", name, d.Missing)
		case c.want != "" && (len(d.Missing) != 1 || !strings.Contains(d.Missing[0], c.want)):
			t.Errorf("%s: %q, want one with %q", name, d.Missing, c.want)
		}
	}
}

// standIn answers as Citus does by its documentation, and keeps its rules about
// keys: where the extension cannot be had, it shows that Distribute asks for what
// it should in the right order.
const standIn = `
CREATE SCHEMA standin;
CREATE TABLE standin.placed (t regclass PRIMARY KEY, kind text, col text, beside text, swept bool DEFAULT false);
CREATE VIEW standin.citus_tables AS SELECT t AS table_name, kind AS citus_table_type, col AS distribution_column FROM standin.placed;
CREATE VIEW standin.pg_dist_node AS SELECT true AS isactive, true AS shouldhaveshards, 'primary' AS noderole FROM generate_series(1, 3);
CREATE VIEW standin.pg_available_extensions AS SELECT 'citus' AS name, '13.2-1' AS default_version;
CREATE VIEW standin.pg_extension AS SELECT 'citus' AS extname, '13.2-1' AS extversion;
CREATE VIEW standin.pg_settings AS SELECT 'shared_preload_libraries' AS name, 'citus' AS setting;
CREATE FUNCTION standin.create_distributed_table(table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash', colocate_with text DEFAULT 'default')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = table_name AND i.indisunique AND NOT EXISTS (
			SELECT 1 FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) AND a.attname = distribution_column)) THEN
		RAISE EXCEPTION 'cannot create constraint on "%": UNIQUE and PRIMARY KEY must include the distribution column', table_name;
	END IF;
	IF colocate_with <> 'none' AND NOT EXISTS (SELECT 1 FROM standin.placed WHERE t = colocate_with::regclass AND kind = 'distributed') THEN
		RAISE EXCEPTION 'relation % is not distributed', colocate_with;
	END IF;
	IF current_setting('citus.multi_shard_modify_mode', true) IS DISTINCT FROM 'sequential' THEN
		RAISE EXCEPTION 'there was a parallel operation in the transaction';
	END IF;
	INSERT INTO standin.placed VALUES (table_name, 'distributed', distribution_column, colocate_with);
END $$;
CREATE FUNCTION standin.create_reference_table(table_name regclass) RETURNS void LANGUAGE sql
	AS $$ INSERT INTO standin.placed VALUES (table_name, 'reference', '<none>', 'none') $$;
CREATE FUNCTION standin.truncate_local_data_after_distributing_table(function_table regclass) RETURNS void LANGUAGE sql
	AS $$ UPDATE standin.placed SET swept = true WHERE t = function_table $$;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, standin, pg_catalog', current_database()); END $$;
`

// openDistributable is a migrated database with the stand-in.
func openDistributable(t *testing.T) string {
	t.Helper()
	url := pgtest.Database(t)
	s, err := OpenPostgres(context.Background(), url, PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err == nil {
		_, err = conn.Exec(t.Context(), standIn, pgx.QueryExecModeSimpleProtocol)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close(t.Context())
	return url
}

func distribute(t *testing.T, url string, o DistributeOptions) Distribution {
	t.Helper()
	d, err := Distribute(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// placedAs lists what the stand-in was asked for.
func placedAs(t *testing.T, url string) (out []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), `SELECT t || ' ' || kind || ' ' || col || ' ' || beside || CASE WHEN swept THEN ' swept' ELSE '' END FROM standin.placed ORDER BY t::text`)
	if err == nil {
		out, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDistribute: a plan changes nothing; what was asked for is done whole or not
// at all; a second time there is nothing to do; a table that was made since is done
// then; rows are taken along only on purpose.
func TestDistribute(t *testing.T) {
	url := openDistributable(t)
	pgtest.Exec(t, url, `INSERT INTO merchant (id, mode, name, version, created_at, doc) VALUES ('mrc_1', 'sandbox', 'shop', 1, 1, '{}')`)
	if d := distribute(t, url, DistributeOptions{WithRows: true, Plan: true}); len(d.Missing) > 0 || d.Todo() < 20 || len(placedAs(t, url)) > 0 {
		t.Errorf("planned: %d to do, %q missing, %q done", d.Todo(), d.Missing, placedAs(t, url))
	}
	if d := distribute(t, url, DistributeOptions{}); len(d.Missing) != 1 || len(placedAs(t, url)) > 0 {
		t.Errorf("with rows: %q missing, %q done", d.Missing, placedAs(t, url))
	}
	pgtest.Exec(t, url, `CREATE UNIQUE INDEX odd ON session (expiry)`)
	if _, err := Distribute(t.Context(), url, DistributeOptions{WithRows: true}); err == nil || !strings.Contains(err.Error(), "session") || len(placedAs(t, url)) > 0 {
		t.Errorf("with a key that is refused: %v, %q done", err, placedAs(t, url))
	}
	pgtest.Exec(t, url, `DROP INDEX odd`)
	if d := distribute(t, url, DistributeOptions{WithRows: true}); len(d.Missing) > 0 || d.Todo() > 0 {
		t.Errorf("%d to do, %q missing", d.Todo(), d.Missing)
	}
	var want []string
	for _, p := range Placements() {
		column, beside, swept := p.Column, p.With, ""
		if p.Way == Reference {
			column = "<none>"
		}
		if beside == "" {
			beside = "none"
		}
		if p.Table == "merchant" || p.Table == "agreement" { // of which the latter is born with rows
			swept = " swept"
		}
		if p.Way != Local && p.Table != "commit_mark" && p.Table != "books_state" { // the two that a store itself fills
			want = append(want, fmt.Sprintf("%s %s %s %s%s", p.Table, p.Way, column, beside, swept))
		}
	}
	done := placedAs(t, url)
	for _, w := range want {
		if !slices.Contains(done, w) {
			t.Errorf("not done: %s", w)
		}
	}
	pgtest.Exec(t, url, `DELETE FROM standin.placed WHERE t = 'mail'::regclass`)
	if d := distribute(t, url, DistributeOptions{Plan: true}); d.Todo() != 1 {
		t.Errorf("%d to do after a table was made", d.Todo())
	}
	if d := distribute(t, url, DistributeOptions{}); d.Todo() != 0 || len(placedAs(t, url)) != len(done) {
		t.Errorf("%d to do, %d done, want %d", d.Todo(), len(placedAs(t, url)), len(done))
	}
	s, err := OpenPostgres(context.Background(), url, PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if !s.engine.spread() {
		t.Error("a store does not see that its merchants are spread")
	}
}

// TestDistributeWithoutCitus says what to install and changes nothing.
func TestDistributeWithoutCitus(t *testing.T) {
	url := pgtest.Database(t)
	d := distribute(t, url, DistributeOptions{})
	if len(d.Missing) != 2 || !strings.Contains(d.Missing[0], "the extension Citus is not installed") || d.Todo() != len(Placements()) {
		t.Errorf("%d to do, %q missing", d.Todo(), d.Missing)
	}
}
