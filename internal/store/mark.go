package store

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// A database can be out of service: it has been moved away, or what is to fill
// it has not finished. A server refuses to start on it.
//
// On PostgreSQL, and in an SQLite file that has been moved away, that is said by a
// table that exists only then. On PostgreSQL a trigger guards commit_mark besides,
// which every writing transaction touches, so that a server that runs already
// writes nothing more. An SQLite file that is being filled has another name
// (unfinished) until it is complete.

const (
	markTable   = "out_of_service"
	makeMark    = `CREATE TABLE IF NOT EXISTS ` + markTable + ` (state TEXT NOT NULL PRIMARY KEY, other TEXT NOT NULL, at BIGINT NOT NULL)`
	emptyMark   = `DELETE FROM ` + markTable
	insertMark  = `INSERT INTO ` + markTable + ` (state, other, at) VALUES ($1, $2, $3)`
	selectMark  = `SELECT state, other, at FROM ` + markTable
	dropMark    = `DROP TABLE ` + markTable
	pgMakeFence = `CREATE FUNCTION ` + markTable + `_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'this database is out of service' USING ERRCODE = 'cannot_connect_now'; END $$;
		CREATE TRIGGER ` + markTable + ` BEFORE INSERT OR UPDATE ON commit_mark FOR EACH STATEMENT EXECUTE FUNCTION ` + markTable + `_refuses()`
	pgDropFence    = `DROP FUNCTION IF EXISTS ` + markTable + `_refuses() CASCADE`
	sqliteHasTable = `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1`
	pgHasTable     = `SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname = $1`
)

// outMark says that a database is out of service, and why.
type outMark struct {
	state string // markMoved or markUnfinished
	other string // the database on the other side of the move
	at    time.Time
}

const (
	markMoved      = "moved"
	markUnfinished = "unfinished"
)

// ErrOutOfService: the database has been moved away, or is not complete.
var ErrOutOfService = errors.New("store: the database is out of service")

// refusal says why a server does not start and what helps; nil without a mark.
func (m *outMark) refusal(name string) error {
	switch {
	case m == nil:
		return nil
	case m.state == markMoved:
		return fmt.Errorf("%w: %s was moved to %s on %s: serve that one. To take this one back: holdfast move --undo", ErrOutOfService, name, m.other, m.at.UTC().Format("2006-01-02 15:04 UTC"))
	}
	return fmt.Errorf("%w: what should fill %s from %s has not finished: run the same command again, or use a new database", ErrOutOfService, name, m.other)
}

// readMark reads the mark; nil for a database in service. hasTable is the
// engine's question for a table.
func readMark(ex executor, hasTable string) (*outMark, error) {
	q := &queries{ex: ex, classify: func(err error) error { return err }}
	n, err := one(q, scalar[int64], hasTable, markTable)
	if err != nil || n == 0 {
		return nil, err
	}
	m, err := one(q, func(rows rowSet) (m outMark, err error) {
		var at micros
		err = rows.Scan(&m.state, &m.other, &at)
		m.at = at.time()
		return m, err
	}, selectMark)
	if errors.Is(err, ErrNotFound) {
		m, err = outMark{state: markUnfinished, other: "another database"}, nil
	}
	return &m, err
}

func (m *outMark) put(ex executor) error {
	for _, statement := range []string{makeMark, emptyMark} {
		if _, err := ex.exec(statement); err != nil {
			return err
		}
	}
	_, err := ex.exec(insertMark, m.state, m.other, m.at.UnixMicro())
	return err
}

// unfinished is the name of an SQLite file until it is complete.
func unfinished(file string) string { return file + ".unfinished" }

// whole refuses the place of a file that is not complete.
func whole(file string) error {
	_, err := os.Stat(unfinished(file))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for an unfinished database: %w", err)
	}
	return fmt.Errorf("%w: what should fill %s has not finished: run the same command again, or remove %s", ErrOutOfService, file, unfinished(file))
}
