package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// DistributeOptions say how far to go.
type DistributeOptions struct {
	// Plan only says what would be done.
	Plan bool
	// WithRows distributes a database that has merchants too. Its rows are copied, and
	// until that is done nobody can write to them.
	WithRows bool
}

// Placed is a table with its place.
type Placed struct {
	Placement
	// Done says that it lies there.
	Done bool `json:"done"`
	// Rows says that there are rows to be taken there.
	Rows bool `json:"rows,omitempty"`
}

// Distribution is what spreading a database over several servers came to.
type Distribution struct {
	Tables []Placed `json:"tables"`
	// Missing is what must be there first, in words; with any, nothing was done.
	Missing []string `json:"missing"`
}

// Todo counts the tables that do not lie where they belong.
func (d *Distribution) Todo() (n int) {
	for _, t := range d.Tables {
		if !t.Done {
			n++
		}
	}
	return n
}

const (
	// leastCitus is the first version of the extension for the oldest server that is
	// supported.
	leastCitus = "11.1.0"
	// distributing is the lock under which one run does it, by any number that is
	// always the same.
	distributing = 4815162342
)

// Distribute puts the tables of a migrated PostgreSQL database where they belong
// when it is spread over several servers by the extension Citus. Tables that lie
// there already are left alone, so that it is run again after every migration
// that makes tables. All is done in one transaction, or nothing.
func Distribute(ctx context.Context, dsn string, o DistributeOptions) (d Distribution, err error) {
	conn, err := connectOnce(ctx, dsn)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return d, err
	}
	defer func() { _ = tx.Rollback(ctx) }() // nothing after a commit
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(distributing)); err != nil {
		return d, err
	}
	f, err := askFacts(ctx, tx)
	if err != nil {
		return d, fmt.Errorf("ask the database what it has: %w", err)
	}
	d = f.judge(Placements(), o.WithRows)
	if o.Plan || len(d.Missing) > 0 || d.Todo() == 0 {
		return d, nil
	}
	moved, err := distributeAll(ctx, tx, d.Tables)
	if err == nil {
		err = tx.Commit(ctx)
	}
	if err != nil {
		return d, fmt.Errorf("distribute the tables: %w", err)
	}
	return d, sweep(ctx, conn, moved)
}

// distributeAll runs what Citus has for each table that is not where it belongs, and
// returns those that had rows.
func distributeAll(ctx context.Context, tx pgx.Tx, tables []Placed) (moved []string, err error) {
	if _, err := tx.Exec(ctx, `SET LOCAL citus.multi_shard_modify_mode = 'sequential'`); err != nil {
		return nil, err
	}
	for i := range tables {
		t := &tables[i]
		switch {
		case t.Done:
			continue
		case t.Way == Reference:
			_, err = tx.Exec(ctx, `SELECT create_reference_table($1)`, t.Table)
		case t.Way == Distributed:
			with := t.With
			if with == "" {
				with = "none"
			}
			_, err = tx.Exec(ctx, `SELECT create_distributed_table($1, $2, colocate_with => $3)`, t.Table, t.Column, with)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Table, err)
		}
		if t.Done = true; t.Rows {
			moved = append(moved, t.Table)
		}
	}
	return moved, nil
}

// sweep takes away the copies that stay behind in tables that had rows.
func sweep(ctx context.Context, conn *pgx.Conn, moved []string) error {
	for _, t := range moved {
		if _, err := conn.Exec(ctx, `SELECT truncate_local_data_after_distributing_table($1)`, t); err != nil {
			return fmt.Errorf("the tables are distributed, but a copy of %s stays behind; SELECT truncate_local_data_after_distributing_table('%[1]s') takes it away: %w", t, err)
		}
	}
	return nil
}

// facts are what the database says of itself.
type facts struct {
	tables  []string        // of the schema
	rows    map[string]bool // which have any
	version string          // of the server

	available string // version of the extension that can be created; empty for none
	installed string // version of the extension in the database; empty for none
	preloaded bool
	placed    map[string]string // table -> the column it is distributed by, "*" for a reference table
	servers   int               // that take rows
	copies    string            // of each row
}

// everywhere stands for the column of a reference table.
const everywhere = "*"

func askFacts(ctx context.Context, tx pgx.Tx) (f facts, err error) {
	if err := tx.QueryRow(ctx, `SELECT current_setting('server_version'),
			COALESCE((SELECT default_version FROM pg_available_extensions WHERE name = 'citus'), ''),
			COALESCE((SELECT extversion FROM pg_extension WHERE extname = 'citus'), ''),
			COALESCE((SELECT setting LIKE '%citus%' FROM pg_settings WHERE name = 'shared_preload_libraries'), true)`).
		Scan(&f.version, &f.available, &f.installed, &f.preloaded); err != nil {
		return f, err
	}
	rows, err := tx.Query(ctx, `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename`)
	if err == nil {
		f.tables, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return f, err
	}
	if f.installed != "" {
		if err := f.askCitus(ctx, tx); err != nil {
			return f, err
		}
	}
	f.rows = map[string]bool{}
	for _, t := range f.tables {
		var some bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM `+pgx.Identifier{t}.Sanitize()+`)`).Scan(&some); err != nil {
			return f, err
		}
		f.rows[t] = some
	}
	return f, nil
}

// askCitus asks the extension's own tables.
func (f *facts) askCitus(ctx context.Context, tx pgx.Tx) error {
	if err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards AND noderole = 'primary'),
			COALESCE(current_setting('citus.shard_replication_factor', true), '1')`).Scan(&f.servers, &f.copies); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `SELECT c.relname, t.citus_table_type, t.distribution_column FROM citus_tables t JOIN pg_class c ON c.oid = t.table_name
		WHERE c.relnamespace = current_schema()::regnamespace AND t.citus_table_type IN ('distributed', 'reference')`)
	if err != nil {
		return err
	}
	defer rows.Close()
	f.placed = map[string]string{}
	for rows.Next() {
		var table, kind, column string
		if err := rows.Scan(&table, &kind, &column); err != nil {
			return err
		}
		if f.placed[table] = column; kind == string(Reference) {
			f.placed[table] = everywhere
		}
	}
	return rows.Err()
}

// judge compares what there is with what there should be.
func (f *facts) judge(plan []Placement, withRows bool) (d Distribution) {
	d.Missing = append([]string{}, f.extension()...)
	say := func(format string, args ...any) { d.Missing = append(d.Missing, fmt.Sprintf(format, args...)) }
	for _, t := range f.tables {
		switch {
		case t == markTable:
			say("the database is out of service: it has been moved away, or what is to fill it has not finished")
		case !slices.ContainsFunc(plan, func(p Placement) bool { return p.Table == t }):
			say("the table %s is none of Holdfast's: put it in another schema", t)
		}
	}
	var absent, full []string
	for _, p := range plan {
		if !slices.Contains(f.tables, p.Table) {
			absent = append(absent, p.Table)
			d.Tables = append(d.Tables, Placed{Placement: p})
			continue
		}
		where, placed := f.placed[p.Table]
		t := Placed{Placement: p, Done: where == p.where(), Rows: f.rows[p.Table]}
		switch d.Tables = append(d.Tables, t); {
		case t.Done:
		case placed:
			say("the table %s lies otherwise (%s): SELECT undistribute_table('%[1]s') takes it back", p.Table, where)
		case t.Rows:
			full = append(full, t.Table)
		}
	}
	if len(absent) > 0 {
		say("these tables are not there yet: %s; holdfast migrate makes them", strings.Join(absent, ", "))
	}
	if len(full) > 0 && f.rows[first] && !withRows {
		say("the database is in use, and these tables have rows to be copied: %s; stop all nodes, make a backup, and say --with-rows", strings.Join(full, ", "))
	}
	return d
}

// where is what facts.placed says of a table in its place.
func (p Placement) where() string {
	switch p.Way {
	case Distributed:
		return p.Column
	case Reference:
		return everywhere
	case Local:
	}
	return ""
}

// extension says what is missing of Citus itself, one thing after the other as
// they are done.
func (f *facts) extension() []string {
	major, _, _ := strings.Cut(f.version, ".")
	switch {
	case f.installed == "" && f.available == "":
		return []string{fmt.Sprintf("the extension Citus is not installed on the server (PostgreSQL %s): install its package for PostgreSQL %s on every server, "+
			"set shared_preload_libraries = 'citus' (first in the list), restart them, and CREATE EXTENSION citus in this database on each", f.version, major)}
	case !f.preloaded:
		return []string{fmt.Sprintf("Citus %s is on the server but not loaded: set shared_preload_libraries = 'citus' (first in the list) and restart", f.available)}
	case f.installed == "":
		return []string{fmt.Sprintf("Citus %s is on the server but not in this database: CREATE EXTENSION citus, here and on every server", f.available)}
	case f.available != "" && f.installed != f.available:
		return []string{fmt.Sprintf("the database has Citus %s and the server %s: ALTER EXTENSION citus UPDATE", f.installed, f.available)}
	case olderVersion(f.installed, leastCitus):
		return []string{fmt.Sprintf("Citus %s is too old; %s or newer is needed", f.installed, leastCitus)}
	}
	var out []string
	if f.servers == 0 {
		out = append(out, "no server takes rows: SELECT citus_add_node('host', 5432) for each of them, or, for one server alone, "+
			"SELECT citus_set_coordinator_host('host', 5432) and SELECT citus_set_node_property('host', 5432, 'shouldhaveshards', true)")
	}
	if f.copies != "1" {
		out = append(out, fmt.Sprintf("citus.shard_replication_factor is %s: set it to 1, for rows that lie several times cannot be locked; "+
			"give each server a standby instead", f.copies))
	}
	return out
}
