package serve

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/holdfast-pay/holdfast/internal/config"
	"github.com/holdfast-pay/holdfast/internal/recon"
	"github.com/holdfast-pay/holdfast/internal/store"
)

// Verification is the outcome of a walk through all books.
type Verification struct {
	Rows       int64            `json:"rows"` // events, transfers, payments and payouts that were read
	Violations []BooksViolation `json:"violations"`
	// Cut says that there are more violations than are listed.
	Cut   bool            `json:"cut,omitempty"`
	Heads []BooksHead     `json:"heads"`
	Trial []AccountReport `json:"trial"`
}

// BooksViolation is one place where the books do not agree.
type BooksViolation struct {
	Merchant string `json:"merchant"`
	Kind     string `json:"kind"`
	Of       string `json:"of"`
	Ref      string `json:"ref,omitempty"`
	Position int64  `json:"position,omitempty"`
	Want     string `json:"want"`
	Got      string `json:"got"`
	Text     string `json:"text"`
}

// BooksHead is where the chains of a merchant end.
type BooksHead struct {
	Merchant     string     `json:"merchant"`
	Position     int64      `json:"position"`
	Hash         recon.Hash `json:"hash"`
	Transfer     int64      `json:"transfer"`
	TransferHash recon.Hash `json:"transferHash"`
}

const (
	// maxHeads bounds the file of an earlier run, in bytes.
	maxHeads = 64 << 20
	// maxViolations bounds a list of violations.
	maxViolations = 1_000
)

// ReadHeads reads the ends of chains from what an earlier verification wrote.
func ReadHeads(r io.Reader) ([]BooksHead, error) {
	var v struct {
		Heads []BooksHead `json:"heads"`
	}
	if err := json.NewDecoder(io.LimitReader(r, maxHeads)).Decode(&v); err != nil {
		return nil, err
	}
	if len(v.Heads) == 0 {
		return nil, errors.New("it names no heads")
	}
	return v.Heads, nil
}

// VerifyBooks verifies the books of the database of a server, which may be
// running, and changes nothing. at is an address instead, if it is not empty.
// known are ends of chains that must still be there. say is told how far it is.
func VerifyBooks(ctx context.Context, c config.Config, at string, known []BooksHead, say func(rows int64, merchant string)) (_ *Verification, err error) {
	a, err := bookAddress(c, at)
	if err != nil {
		return nil, BadAddress{err}
	}
	s, err := store.OpenReader(ctx, a)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	heads := make([]recon.Head, len(known))
	for i, h := range known {
		heads[i] = recon.Head(h)
	}
	walk := s.AuditBooks(store.Place{}, heads...)
	out := &Verification{Violations: []BooksViolation{}, Heads: []BooksHead{}, Trial: []AccountReport{}}
	for done := false; !done; {
		var found []recon.Violation
		if found, done, err = walk.Step(ctx); err != nil {
			return nil, err
		}
		for _, v := range found {
			if out.Cut = len(out.Violations) >= maxViolations; out.Cut {
				break
			}
			out.Violations = append(out.Violations, BooksViolation{v.Merchant, string(v.Kind), v.Of, v.Ref, v.Position, v.Want, v.Got, v.String()})
		}
		say(walk.Rows, walk.Place().Merchant)
	}
	out.Rows = walk.Rows
	for _, h := range walk.Heads {
		out.Heads = append(out.Heads, BooksHead(h))
	}
	for _, b := range walk.Trial() {
		out.Trial = append(out.Trial, AccountReport{string(b.Account), b.Debits, b.Credits})
	}
	return out, nil
}

func bookAddress(c config.Config, at string) (store.Address, error) {
	switch {
	case at != "":
		return store.ParseAddress(at)
	case c.Database != "":
		return store.ServerAddress(string(c.Database))
	}
	return store.FileAddress(sqliteFile(c))
}
