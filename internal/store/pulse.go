package store

import (
	"context"
	"time"
)

// Pulse is what a node that runs asks the database about again and again.
type Pulse struct {
	// Clock is the present instant by the database's own clock; zero for a file,
	// which has none.
	Clock time.Time
	// Out is ErrOutOfService, in words, when the database was moved away since.
	Out error
	// Agreed is the value under a name that all nodes agree on; empty for a file.
	Agreed string
}

// pulse is how an engine answers for a Pulse.
type pulse struct {
	clock    string // asks for the present instant in microseconds; empty for a file
	hasTable string // asks for a table
	name     string // of the database, as people are told it
}

const pgClock = `SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)`

func (e *postgres) pulse() pulse { return pulse{pgClock, pgHasTable, serverName(e.config)} }
func (e *sqlite) pulse() pulse   { return pulse{} }

// Pulse asks the database how it stands, and for what is agreed on under a name. A file belongs to one process and
// answers without being read.
func (s *Store) Pulse(ctx context.Context, agreement string) (p Pulse, err error) {
	asks := s.engine.pulse()
	if asks.clock == "" {
		return p, nil
	}
	err = s.Read(ctx, func(r *Reader) error {
		at, err := one(&r.queries, scalar[int64], asks.clock)
		if err != nil {
			return err
		}
		p.Clock = micros(at).time()
		mark, err := readMark(r.ex, asks.hasTable)
		if err != nil {
			return err
		}
		p.Out = mark.refusal(asks.name)
		p.Agreed, err = one(&r.queries, scalar[string], agreedValue, agreement)
		return err
	})
	return p, err
}
