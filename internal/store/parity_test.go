package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite
)

// onlyPostgres are the tables that one engine needs alone.
var onlyPostgres = []string{"commit_mark"}

// texts asks for one text column.
func texts(t *testing.T, db *sql.DB, query string, args ...any) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func openRaw(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// sqliteTable describes a table of SQLite in words that both engines share.
func sqliteTable(t *testing.T, db *sql.DB, table string) []string {
	out := texts(t, db, `SELECT 'column ' || name || ' ' || CASE type WHEN 'INTEGER' THEN 'bigint' WHEN 'TEXT' THEN 'text' WHEN 'BLOB' THEN 'bytea' ELSE type END
		|| CASE WHEN "notnull" = 1 THEN ' not null' ELSE '' END || CASE WHEN dflt_value IS NULL THEN '' ELSE ' default ' || dflt_value END FROM pragma_table_info($1)`, table)
	out = append(out, texts(t, db, `SELECT 'key ' || group_concat(name, ',') FROM (SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk)`, table)...)
	out = append(out, texts(t, db, `SELECT CASE WHEN il."unique" = 1 THEN 'unique ' ELSE 'index ' || il.name || ' ' END
			|| (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(il.name) ORDER BY seqno)) || CASE WHEN il.partial = 1 THEN ' partial' ELSE '' END
		FROM pragma_index_list($1) il WHERE il.origin <> 'pk'`, table)...)
	for _, ddl := range texts(t, db, `SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = $1`, table) {
		out = append(out, fmt.Sprintf("%d checks", strings.Count(ddl, "CHECK (")))
	}
	return out
}

func postgresTable(t *testing.T, db *sql.DB, table string) []string {
	out := texts(t, db, `SELECT 'column ' || column_name || ' ' || data_type || CASE WHEN is_nullable = 'NO' THEN ' not null' ELSE '' END
			|| COALESCE(' default ' || split_part(column_default, '::', 1), '')
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1`, table)
	out = append(out, texts(t, db, `SELECT CASE WHEN i.indisprimary THEN 'key ' WHEN i.indisunique THEN 'unique ' ELSE 'index ' || c.relname || ' ' END
			|| (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, n) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum)
			|| CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::regclass`, table)...)
	return append(out, texts(t, db, `SELECT count(*)::text || ' checks' FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'`, table)...)
}

// TestSchemasAreAlike: both engines have the same tables, columns, keys, indexes
// and as many checks, and every text is compared byte by byte.
func TestSchemasAreAlike(t *testing.T) {
	url := postgres(t)
	file := filepath.Join(t.TempDir(), "holdfast.db")
	if err := openFile(t, file).Close(); err != nil {
		t.Fatal(err)
	}
	lite, pg := openRaw(t, "sqlite", "file:"+file), openRaw(t, "pgx", url)
	tables := texts(t, lite, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY name`)
	if len(tables) < 15 {
		t.Fatalf("%d tables", len(tables))
	}
	there := texts(t, pg, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE 'goose_%'`)
	want := slices.Sorted(slices.Values(slices.Concat(tables, onlyPostgres)))
	if got := slices.Sorted(slices.Values(there)); !slices.Equal(got, want) {
		t.Errorf("PostgreSQL has the tables %v, want %v", got, want)
	}
	for _, table := range tables {
		a, b := slices.Sorted(slices.Values(sqliteTable(t, lite, table))), slices.Sorted(slices.Values(postgresTable(t, pg, table)))
		for _, x := range a {
			if !slices.Contains(b, x) {
				t.Errorf("%s: only SQLite has: %s", table, x)
			}
		}
		for _, x := range b {
			if !slices.Contains(a, x) {
				t.Errorf("%s: only PostgreSQL has: %s", table, x)
			}
		}
	}
	for _, c := range texts(t, pg, `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT LIKE 'goose_%' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'`) {
		t.Errorf("%s is not compared byte by byte", c)
	}
	steps := func(dir string) (out []string) {
		files, err := filepath.Glob("migrations/" + dir + "/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			out = append(out, filepath.Base(f))
		}
		return out
	}
	if a, b := steps("sqlite"), steps("postgres"); !slices.Equal(a, b) {
		t.Errorf("the steps of the schema differ: %v and %v", a, b)
	}
}
