package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// backupPostgres has pg_dump write the tables as of a snapshot, and adds up what
// that snapshot holds.
func backupPostgres(ctx context.Context, from Address, file string, m *Manifest, o CarryOptions) (err error) {
	m.Engine = enginePostgres
	p, err := openServer(ctx, from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(p.classify(err), p.close()) }()
	if err := p.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return err
	}
	if mark, err := readMark(p, pgHasTable); err != nil || mark != nil {
		return errors.Join(err, mark.refusal(from.String()))
	}
	q := &queries{ex: p, classify: p.classify}
	snapshot, err := one(q, scalar[string], `SELECT pg_export_snapshot()`)
	if err != nil {
		return err
	}
	if m.Schema, err = one(q, scalar[string], `SELECT current_schema()::text`); err != nil {
		return err
	}
	if m.Server, err = one(q, scalar[string], `SELECT current_setting('server_version')`); err != nil {
		return err
	}
	tables, err := p.tables()
	if err != nil {
		return err
	}
	if len(tables) == 0 {
		return fmt.Errorf("%s has no tables of holdfast", from)
	}
	dump, err := p.tool(from, "pg_dump")
	if err != nil {
		return err
	}
	if err := dump.run(ctx, "dump", len(tables), o.Say, "--format=custom", "--snapshot="+snapshot, "--schema="+exactly(m.Schema), "--file="+file); err != nil {
		return err
	}
	return m.describe(p, pgHasTable, o)
}

// exactly is a name as a pattern of pg_dump that means it alone.
func exactly(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// pgTables are all tables and sequences in the place, whosoever they are.
const pgTables = `SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm') ORDER BY 1`

// restorePostgres has pg_restore fill a database in one transaction, and marks it
// as unfinished until it is verified.
func restorePostgres(ctx context.Context, file string, to Address, out *Restored, o CarryOptions) (err error) {
	size, sum, err := sumFile(file)
	if err == nil {
		err = out.Manifest.intact(file, size, sum)
	}
	if err != nil {
		return err
	}
	p, err := openServer(ctx, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(p.classify(err), p.close()) }()
	restore, err := p.tool(to, "pg_restore")
	if err != nil {
		return err
	}
	schema, err := p.prepare(to, outMark{markUnfinished, file, o.Now})
	if err != nil {
		return err
	}
	if out.Manifest != nil && out.Manifest.Schema != schema {
		return errors.Join(fmt.Errorf("the tables of the backup are in the schema %s, and those of %s would be in %s: add ?search_path=%[1]s", out.Manifest.Schema, to, schema), p.clear())
	}
	tables := 0
	if out.Manifest != nil {
		tables = len(out.Manifest.Tables)
	}
	err = restore.run(ctx, "restore", tables, o.Say, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--schema="+schema, file)
	if err == nil {
		err = out.verify(p, pgHasTable, func() error { return p.e.migrate(ctx) }, o)
	}
	if err != nil {
		p.ctx = context.WithoutCancel(ctx)
		return errors.Join(err, p.clear())
	}
	return p.run(dropMark)
}

// prepare marks a database that has no tables, and returns the schema that would
// have them. What an earlier restore has left is removed.
func (p *pgPlace) prepare(to Address, m outMark) (schema string, err error) {
	if err := p.noServers(to); err != nil {
		return "", err
	}
	if p.mark, err = readMark(p, pgHasTable); err != nil {
		return "", err
	}
	if p.mark != nil && p.mark.state == markUnfinished {
		if err := p.clear(); err != nil {
			return "", fmt.Errorf("remove what an unfinished restore has left: %w", err)
		}
	}
	q := &queries{ex: p, classify: p.classify}
	names, err := all(q, scalar[string], pgTables)
	if err == nil && len(names) > 0 {
		err = fmt.Errorf("%s has %s tables (%s, ...) and %w", to, strconv.Itoa(len(names)), names[0], errInUse)
	}
	if err == nil {
		err = p.run("BEGIN")
	}
	if err == nil {
		err = errors.Join(m.put(p), p.run("COMMIT"))
	}
	if err != nil {
		return "", err
	}
	return one(q, scalar[string], `SELECT current_schema()::text`)
}

// clear removes every table. Before anything was restored there was none.
func (p *pgPlace) clear() error {
	names, err := all(&queries{ex: p, classify: p.classify}, scalar[string], pgTables)
	if err != nil {
		return err
	}
	statements := []string{"BEGIN"}
	for _, name := range names {
		statements = append(statements, "DROP TABLE "+pgx.Identifier{name}.Sanitize()+" CASCADE")
	}
	return p.run(append(statements, pgDropFence, "COMMIT")...)
}
