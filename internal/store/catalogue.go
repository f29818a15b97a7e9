package store

import (
	"fmt"
	"slices"
	"strings"
)

// table is a table as the catalogue of a database describes it: names and kinds
// of columns, without their meaning. What copies or compares whole databases
// works on these, so that a column that a later step of the schema adds is
// neither forgotten nor has to be listed anywhere.
type table struct {
	name    string
	columns []column // by name
	key     []string // columns of the primary key, in its order
}

type column struct {
	name string
	kind kind
}

// kind is what a column holds, the same on both engines.
type kind byte

// The kinds, which are also the first byte of a value in its canonical form.
const (
	kindNull    kind = 'n'
	kindInteger kind = 'i'
	kindText    kind = 't'
	kindBytes   kind = 'b'
)

// kinds are the types of columns that the schema uses, by the engines' names.
var kinds = map[string]kind{
	"INTEGER": kindInteger, "TEXT": kindText, "BLOB": kindBytes,
	"bigint": kindInteger, "text": kindText, "bytea": kindBytes,
}

// Omission is a table that is not copied with a database.
type Omission struct {
	Table  string `json:"table"`
	Reason string `json:"reason"`
}

// Omissions lists the tables that stay behind when a database is moved. Every
// other table of the schema is copied.
func Omissions() []Omission {
	return []Omission{
		{"goose_db_version", "says which steps of the schema this database has had; the other one has its own"},
		{markTable, "says that this database is out of service"},
		{"commit_mark", "PostgreSQL only: numbers of the present connections' transactions"},
		{"sqlite_sequence", "SQLite only: belongs to goose_db_version"},
		{"sqlite_stat1", "SQLite only: what the planner believes about the tables, written by a step of the schema"},
		{"sqlite_stat4", "SQLite only: as sqlite_stat1"},
		{"_litestream_lock", "belongs to Litestream, where that copies the file"},
		{"_litestream_seq", "belongs to Litestream, where that copies the file"},
	}
}

// seeded are the tables in which a step of the schema puts rows, so that a new
// database has some. They are emptied before a database is filled.
var seeded = []string{"books_state", "agreement"}

func emptySeeded() string {
	var b strings.Builder
	for _, name := range seeded {
		b.WriteString("DELETE FROM " + quoted([]string{name}) + "; ")
	}
	return b.String()
}

func omitted(name string) bool {
	return slices.ContainsFunc(Omissions(), func(o Omission) bool { return o.Table == name })
}

// Both answer: table, column, type, place in the key (0 for none).
const (
	sqliteCatalogue = `SELECT t.name, c.name, c.type, c.pk FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.name`
	pgCatalogue     = `SELECT t.relname::text, c.attname::text, format_type(c.atttypid, c.atttypmod),
			COALESCE(array_position(k.indkey::int2[], c.attnum) - array_lower(k.indkey::int2[], 1) + 1, 0)::bigint
		FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid LEFT JOIN pg_index k ON k.indrelid = t.oid AND k.indisprimary
		WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p') AND c.attnum > 0 AND NOT c.attisdropped AND c.attgenerated = ''
		ORDER BY t.relname::text COLLATE "C", c.attname::text COLLATE "C"`
)

// catalogue reads the tables of a database that are copied with it, by name.
func catalogue(ex executor, query string) (out []table, err error) {
	rows, err := ex.query(query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err has said what there is to say
	keys := map[string]map[int64]string{}
	for rows.Next() {
		var name, col, typ string
		var place int64
		if err := rows.Scan(&name, &col, &typ, &place); err != nil {
			return nil, err
		}
		if omitted(name) {
			continue
		}
		k, known := kinds[typ]
		if !known {
			return nil, fmt.Errorf("%s.%s is a %s, which is not copied from one database to another", name, col, typ)
		}
		if len(out) == 0 || out[len(out)-1].name != name {
			out = append(out, table{name: name})
			keys[name] = map[int64]string{}
		}
		t := &out[len(out)-1]
		t.columns = append(t.columns, column{col, k})
		if place > 0 {
			keys[name][place] = col
		}
	}
	for i := range out {
		t := &out[i]
		for place := range int64(len(keys[t.name])) {
			t.key = append(t.key, keys[t.name][place+1])
		}
		if len(t.key) == 0 {
			return nil, fmt.Errorf("the table %s has no primary key", t.name)
		}
	}
	return out, rows.Err()
}

// alike says in what two catalogues differ; nil when in nothing.
func alike(one, other []table) error {
	same := func(a, b table) bool {
		return a.name == b.name && slices.Equal(a.columns, b.columns) && slices.Equal(a.key, b.key)
	}
	for _, pair := range [][2][]table{{one, other}, {other, one}} {
		for _, t := range pair[0] {
			if !slices.ContainsFunc(pair[1], func(u table) bool { return same(t, u) }) {
				return fmt.Errorf("the table %s is not the same in both databases", t.name)
			}
		}
	}
	return nil
}

// quoted writes names that may be words of SQL, as key and max are.
func quoted(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }

func (t table) columnNames() (out []string) {
	for _, c := range t.columns {
		out = append(out, c.name)
	}
	return out
}

// selection reads every row in the order of the key, which is the same on both
// engines because both compare texts byte by byte.
func (t table) selection() string {
	return "SELECT " + quoted(t.columnNames()) + " FROM " + quoted([]string{t.name}) + " ORDER BY " + quoted(t.key)
}
