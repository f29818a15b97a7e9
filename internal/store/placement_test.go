package store_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-pay/holdfast/internal/store"
)

// Keys of a table, as "columns" or "columns -> table" of a foreign key.
const (
	sqliteKeys = `SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk) HAVING count(*) > 0
		UNION ALL SELECT (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(il.name) ORDER BY seqno))
			FROM pragma_index_list($1) il WHERE il."unique" = 1 AND il.origin <> 'pk'
		UNION ALL SELECT (SELECT group_concat("from", ',') FROM (SELECT "from" FROM pragma_foreign_key_list($1) WHERE id = fk.id ORDER BY seq)) || ' -> ' || fk."table"
			FROM pragma_foreign_key_list($1) fk WHERE fk.seq = 0`
	postgresKeys = `SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM pg_index i
			CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(attnum, n) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
			WHERE i.indrelid = $1::regclass AND i.indisunique GROUP BY i.indexrelid
		UNION ALL SELECT string_agg(a.attname, ',' ORDER BY k.n) || ' -> ' || c.confrelid::regclass FROM pg_constraint c
			CROSS JOIN unnest(c.conkey) WITH ORDINALITY AS k(attnum, n) JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
			WHERE c.conrelid = $1::regclass AND c.contype = 'f' GROUP BY c.oid`
)

// onlyInPostgres are tables of which SQLite has no need, or which its tool makes otherwise.
var onlyInPostgres = append([]string{"goose_db_version"}, onlyPostgres...)

// TestShardKeysBeginWithTheMerchant reads both engines' catalogues: every table has a
// place, and every primary, unique and foreign key of a table that is spread over
// servers begins with the merchant, or, in the few tables that have none, with or
// by the column that the plan gives with a reason.
func TestShardKeysBeginWithTheMerchant(t *testing.T) {
	file := filepath.Join(t.TempDir(), "holdfast.db")
	if err := openFile(t, file).Close(); err != nil {
		t.Fatal(err)
	}
	lite, pg := openRaw(t, "sqlite", "file:"+file), openRaw(t, "pgx", postgres(t))
	checkKeys(t, lite, sqliteKeys, texts(t, lite, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`), onlyInPostgres)
	checkKeys(t, pg, postgresKeys, texts(t, pg, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`), nil)
}

func checkKeys(t *testing.T, db *sql.DB, keys string, tables, without []string) {
	t.Helper()
	plan := map[string]store.Placement{}
	for _, p := range store.Placements() {
		if plan[p.Table] = p; !slices.Contains(tables, p.Table) && !slices.Contains(without, p.Table) {
			t.Errorf("the plan has the table %s and the database has not", p.Table)
		}
	}
	for _, table := range tables {
		p, planned := plan[table]
		if !planned {
			t.Errorf("the table %s has no place in the plan (placement.go): say where it lies when merchants are spread over servers, and why", table)
			continue
		}
		if p.Way != store.Distributed {
			continue
		}
		of := texts(t, db, keys, table)
		if len(of) == 0 {
			t.Errorf("%s has no key", table)
		}
		for _, key := range of {
			if fault := keyFault(p, plan, key); fault != "" {
				t.Errorf("the key (%s) of %s %s", key, table, fault)
			}
		}
	}
}

// keyFault says what is wrong with a key of a distributed table.
func keyFault(p store.Placement, plan map[string]store.Placement, key string) string {
	columns, target, foreign := strings.Cut(key, " -> ")
	names := strings.Split(columns, ",")
	switch {
	case p.Column == "merchant" && names[0] != "merchant":
		return "does not begin with the merchant"
	case !slices.Contains(names, p.Column):
		return "does not contain " + p.Column
	case foreign && plan[target].Way == store.Distributed && plan[target].With != p.With && target != p.With:
		return "leads to a table that lies elsewhere"
	}
	return ""
}

// TestShardKeyFaults proves that the check can fail.
func TestShardKeyFaults(t *testing.T) {
	plan := map[string]store.Placement{}
	for _, p := range store.Placements() {
		plan[p.Table] = p
	}
	for _, c := range []struct {
		table, key string
		sound      bool
	}{
		{"payment", "merchant,id", true}, {"payment", "id,merchant", false}, {"payment", "id", false}, {"merchant", "id", true}, {"merchant", "name", false},
		{"directory", "kind,key", true}, {"directory", "kind,merchant", false}, {"mail", "merchant,payment -> payment", true}, {"mail", "merchant -> merchant", true},
		{"mail", "payment -> payment", false}, {"mail", "merchant,id -> directory", false}, {"mail", "merchant,id -> calendar_override", true},
	} {
		if fault := keyFault(plan[c.table], plan, c.key); (fault == "") != c.sound {
			t.Errorf("the key (%s) of %s: %q", c.key, c.table, fault)
		}
	}
}

// TestShardPlacementsAreTold: each has a reason, none stands twice, and what lies with
// another table comes after it.
func TestShardPlacementsAreTold(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range store.Placements() {
		if p.Why == "" || seen[p.Table] || (p.With != "" && !seen[p.With]) || (p.Column != "") != (p.Way == store.Distributed) {
			t.Errorf("%+v", p)
		}
		seen[p.Table] = true
	}
}
