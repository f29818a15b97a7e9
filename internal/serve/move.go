package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/holdfast-pay/holdfast/internal/app"
	"github.com/holdfast-pay/holdfast/internal/clock"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// What the command line tells of moves; the store describes them.
type (
	// Progress says how far a long step has come.
	Progress = store.Progress
	// TableSum is the content of one table.
	TableSum = store.TableSum
	// Omission is a table that stays behind.
	Omission = store.Omission
)

// ErrUnavailable: the database cannot be reached, or the disk refuses.
var ErrUnavailable = store.ErrUnavailable

// BadAddress is an address that names no database.
type BadAddress struct{ error }

// Unwrap returns the cause.
func (e BadAddress) Unwrap() error { return e.error }

// BooksReport are the books of a whole database.
type BooksReport struct {
	Accounts []AccountReport `json:"accounts"`
	Held     money.Won       `json:"held"` // by the states of payments
	Problems []string        `json:"problems"`
}

// AccountReport is one kind of account.
type AccountReport struct {
	Account string    `json:"account"`
	Debits  money.Won `json:"debits"`
	Credits money.Won `json:"credits"`
}

// audit adds up the books of a database in a form that can be kept and compared.
func audit(r *store.Reader) (any, error) {
	b, err := app.BooksOf(r)
	if err != nil {
		return nil, err
	}
	out := BooksReport{Accounts: []AccountReport{}, Held: b.Held, Problems: append([]string{}, b.Problems...)}
	for _, x := range b.Balances {
		out.Accounts = append(out.Accounts, AccountReport{string(x.Account), x.Debits, x.Credits})
	}
	return out, nil
}

// readBooks reads what audit wrote, and adds what a walk through the books has found.
func readBooks(raw json.RawMessage, found []app.Violation) (b BooksReport, err error) {
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, fmt.Errorf("read the books: %w", err)
	}
	for _, v := range found {
		b.Problems = append(b.Problems, v.String())
	}
	return b, nil
}

// Moved is the outcome of a move.
type Moved struct {
	From, To string
	Rows     int64
	Tables   []TableSum
	Books    BooksReport
	LeftOut  []Omission
	// TakeAlong are files that belong to the old place and are no part of the database.
	TakeAlong []string
	// Before: an earlier run had done it; nothing was copied.
	Before bool
}

// Move copies the database at one address to another, compares both, takes the
// first out of service and puts the second into it (store.Move). say may be nil.
func Move(ctx context.Context, from, to string, say func(Progress)) (*Moved, error) {
	source, target, err := addresses(from, to)
	if err != nil {
		return nil, err
	}
	m, err := store.Move(ctx, source, target, carryOptions(say))
	if err != nil {
		return nil, err
	}
	out := &Moved{From: m.From, To: m.To, Rows: m.Rows(), Tables: m.Tables, LeftOut: store.Omissions(), TakeAlong: keysBeside(source), Before: m.Before}
	if !m.Before {
		out.Books, err = readBooks(m.Books, m.Violations)
	}
	return out, err
}

// UndoMove puts the database at one address, which was moved away, back into
// service, and takes the other out of it. Without a to, the other is gone.
func UndoMove(ctx context.Context, from, to string, say func(Progress)) error {
	source, target, err := addresses(from, to)
	if err != nil {
		return err
	}
	if to == "" {
		return store.UndoMove(ctx, source, nil, carryOptions(say))
	}
	return store.UndoMove(ctx, source, &target, carryOptions(say))
}

func carryOptions(say func(Progress)) store.CarryOptions {
	return store.CarryOptions{Now: clock.Real{}.Now(), Audit: audit, Agree: sameBooks, Walk: true, Say: say}
}

// Named writes two addresses of a move as people may read them: without passwords,
// files with their whole path. An empty to stays empty.
func Named(from, to string) (source, target string, err error) {
	a, b, err := addresses(from, to)
	if err != nil || to == "" {
		return a.String(), "", err
	}
	return a.String(), b.String(), nil
}

// addresses reads both; an empty to is none.
func addresses(from, to string) (source, target store.Address, err error) {
	source, err = store.ParseAddress(from)
	if err == nil && to != "" {
		target, err = store.ParseAddress(to)
	}
	if err != nil {
		return source, target, BadAddress{err}
	}
	return source, target, nil
}

// keysBeside are the files next to an SQLite database that a server needs too.
func keysBeside(a store.Address) []string {
	if !a.Embedded() {
		return nil
	}
	file := filepath.Join(filepath.Dir(a.File()), secretFile)
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return []string{file}
}
