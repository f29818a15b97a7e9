package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// pgPlace is a PostgreSQL database in one transaction that keeps all writers out.
type pgPlace struct {
	ctx  context.Context
	e    *postgres
	conn *pgx.Conn
	mark *outMark
}

// moverName is how the connections of a move introduce themselves.
const moverName = "holdfast-move"

// keepOut waits, with a bound, until no transaction writes, and lets none begin.
// Every transaction that writes touches commit_mark.
const keepOut = `SET LOCAL lock_timeout = '10s'; LOCK TABLE commit_mark IN SHARE ROW EXCLUSIVE MODE`

// patience lets a move take the time it needs, whatever the server's own limits are.
const patience = `SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0`

// openServer connects for a move. It changes nothing.
func openServer(ctx context.Context, a Address) (*pgPlace, error) {
	pool, err := postgresConfig(a.dsn)
	if err != nil {
		return nil, err
	}
	c := pool.ConnConfig
	c.RuntimeParams["application_name"] = moverName
	p := &pgPlace{ctx: ctx, e: &postgres{config: c}}
	dial, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	if p.conn, err = pgx.ConnectConfig(dial, c); err != nil {
		return nil, fmt.Errorf("%w: connect to the database: %w", ErrUnavailable, err)
	}
	if _, err = p.e.check(ctx, p.conn); err == nil {
		err = p.run(patience)
	}
	if err != nil {
		return nil, errors.Join(p.classify(err), p.close())
	}
	return p, nil
}

func (p *pgPlace) exec(query string, args ...any) (int64, error) {
	tag, err := p.conn.Exec(p.ctx, query, args...)
	return tag.RowsAffected(), err
}

func (p *pgPlace) query(query string, args ...any) (rowSet, error) {
	rows, err := p.conn.Query(p.ctx, query, args...)
	return pgRows{Rows: rows}, err
}

func (p *pgPlace) tables() ([]table, error) { return catalogue(p, pgCatalogue) }
func (p *pgPlace) classify(err error) error { return p.e.classify(err) }
func (p *pgPlace) found() *outMark          { return p.mark }

func (p *pgPlace) close() error {
	if p.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), goodbye)
	defer cancel()
	return p.conn.Close(ctx)
}

func (p *pgPlace) run(statements ...string) error {
	for _, s := range statements {
		if _, err := p.exec(s); err != nil {
			return err
		}
	}
	return nil
}

// noServers refuses a database to which servers are connected: they are known by
// their name, and those whose connection string gives another one by the lock that
// says that their process lives.
func (p *pgPlace) noServers(a Address) error {
	n, err := one(&queries{ex: p, classify: p.classify}, scalar[int64], `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND ((application_name LIKE 'holdfast%' AND application_name <> $1)
			OR pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = $2 AND objsubid = 2 AND granted))`, moverName, int64(holding))
	if err == nil && n > 0 {
		err = fmt.Errorf("%s is in use: %d connections of holdfast are open; stop all servers first", a, n)
	}
	return err
}

// exclude begins the transaction that keeps writers out and reads the mark.
func (p *pgPlace) exclude(a Address, isolation string) (err error) {
	if err := p.noServers(a); err != nil {
		return err
	}
	if err := p.run("BEGIN ISOLATION LEVEL "+isolation, keepOut); err != nil {
		return err
	}
	p.mark, err = readMark(p, pgHasTable)
	return err
}

func leavePostgres(ctx context.Context, a Address) (source, error) {
	p, err := openServer(ctx, a)
	if err != nil {
		return nil, err
	}
	if err = sameVersion(p, pgHasTable, a); err == nil {
		err = p.exclude(a, "REPEATABLE READ")
	}
	if err != nil {
		return nil, errors.Join(p.classify(err), p.close())
	}
	return p, nil
}

func (p *pgPlace) retire(m outMark) error {
	if err := p.run(pgDropFence, pgMakeFence); err != nil {
		return err
	}
	if err := m.put(p); err != nil {
		return err
	}
	return p.run("COMMIT")
}

func (p *pgPlace) revive() error { return p.run(pgDropFence, dropMark, "COMMIT") }

// pgTarget is filled in one transaction.
type pgTarget struct {
	*pgPlace
	address Address
}

// enterPostgres brings an empty database to the newest schema, marks it, and
// begins to fill it.
func enterPostgres(ctx context.Context, a Address, m outMark) (_ target, err error) {
	p, err := openServer(ctx, a)
	if err != nil {
		return nil, err
	}
	t := &pgTarget{p, a}
	defer func() {
		if err != nil {
			err = errors.Join(p.classify(err), p.close())
		}
	}()
	if err := p.noServers(a); err != nil {
		return nil, err
	}
	if err := p.e.migrate(ctx); err != nil {
		return nil, err
	}
	if err := p.exclude(a, "READ COMMITTED"); err != nil {
		return nil, err
	}
	if err := t.empty(a); err != nil {
		return nil, err
	}
	if err := p.retire(m); err != nil {
		return nil, fmt.Errorf("mark the database as unfinished: %w", err)
	}
	return t, p.run("BEGIN", keepOut, emptySeeded())
}

// empty refuses a database with rows in it, apart from those of a new one.
func (t *pgTarget) empty(a Address) error {
	tables, err := t.tables()
	if err != nil {
		return err
	}
	tables = slices.DeleteFunc(tables, func(t table) bool { return slices.Contains(seeded, t.name) })
	n, err := countRows(t, tables)
	if err == nil && n > 0 {
		err = fmt.Errorf("%s %w", a, errInUse)
	}
	return err
}

func (t *pgTarget) fill(tab table, rows *tableRows) error {
	n, err := t.conn.CopyFrom(t.ctx, pgx.Identifier{tab.name}, tab.columnNames(), rows)
	if err == nil && n != rows.count {
		err = fmt.Errorf("%d rows were read and %d written", rows.count, n)
	}
	return err
}

func (t *pgTarget) seal() error { return nil }

func (t *pgTarget) finish() error { return t.revive() }

// abandon takes back what was filled, and the mark.
func (t *pgTarget) abandon() error {
	t.ctx = context.WithoutCancel(t.ctx)
	if !t.conn.IsClosed() {
		return t.run("ROLLBACK", "BEGIN", pgDropFence, dropMark, "COMMIT")
	}
	p, err := openServer(t.ctx, t.address)
	if err != nil {
		return err
	}
	return errors.Join(p.run("BEGIN", keepOut, pgDropFence, dropMark, "COMMIT"), p.close())
}

// sameVersion refuses a database whose schema is not the one of this program.
func sameVersion(ex executor, hasTable string, a Address) error {
	missing, last, err := versions(ex, hasTable)
	switch {
	case err != nil:
		return err
	case last > newestStep():
		return fmt.Errorf("%s has a schema of a newer version of holdfast (step %d): use that one", a, last)
	case len(missing) > 0:
		return fmt.Errorf("%s has an older schema (without step %05d %s): run holdfast migrate on it first", a, missing[0].Version, missing[0].Name)
	}
	return nil
}
