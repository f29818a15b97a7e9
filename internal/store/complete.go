package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-pay/holdfast/internal/recon"
)

// Rows that are older than their hashes get them when the database is opened,
// before anything else is written. It is done in batches, each a transaction of
// its own, so that whoever is interrupted goes on at the next opening. Two nodes
// that do it at once write the same. A note says that it was done; without the
// note, whoever takes a hash away could have a new one made.

const (
	// completePage is how many rows share a transaction.
	completePage = 1_000
	// noteComplete is the name of the note.
	noteComplete = "complete"
)

// complete gives rows without a hash or a sum theirs.
func (s *Store) complete(ctx context.Context) error {
	done, err := s.noted(ctx, noteComplete)
	if err != nil || done {
		return err
	}
	for after, more := "", true; more; {
		var merchants []string
		if err := s.Read(ctx, func(r *Reader) (err error) {
			merchants, err = all(&r.queries, scalar[string], `SELECT merchant FROM event_log WHERE merchant > $1 AND ((last_position > 0 AND last_hash IS NULL)
				OR (last_transfer > 0 AND last_transfer_hash IS NULL)) ORDER BY merchant LIMIT $2`, after, completePage)
			return err
		}); err != nil {
			return err
		}
		for _, after = range merchants {
			if err := errors.Join(s.completeChain(ctx, after, (*Tx).completeEvents), s.completeChain(ctx, after, (*Tx).completeTransfers)); err != nil {
				return fmt.Errorf("complete the books of %s: %w", after, err)
			}
		}
		more = len(merchants) == completePage
	}
	for _, table := range []func(*Tx, *Ref) (bool, error){(*Tx).completePayments, (*Tx).completeLines} {
		if err := s.completeSums(ctx, table); err != nil {
			return fmt.Errorf("complete the sums of rows: %w", err)
		}
	}
	return s.Write(ctx, func(tx *Tx) error {
		return tx.put(`INSERT INTO books_state (name, version, leased_until, doc) VALUES ($1, 1, 0, '') ON CONFLICT (name) DO NOTHING`, noteComplete)
	})
}

// noted reports whether there is a note of a name.
func (s *Store) noted(ctx context.Context, name string) (bool, error) {
	err := s.Read(ctx, func(r *Reader) error {
		_, err := one(&r.queries, scalar[int64], `SELECT version FROM books_state WHERE name = $1`, name)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// chainEnd is where a walk along a chain stands.
type chainEnd struct {
	position int64
	hash     recon.Hash
}

func (s *Store) completeChain(ctx context.Context, merchant string, batch func(*Tx, string, *chainEnd) (bool, error)) error {
	var at chainEnd
	for more := true; more; {
		var next chainEnd
		err := s.Write(ctx, func(tx *Tx) (err error) {
			next = at
			if _, err = one(&tx.queries, scalar[int64], `SELECT last_position FROM event_log WHERE merchant = $1`+tx.lock, merchant); err == nil {
				more, err = batch(tx, merchant, &next)
			}
			return err
		})
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

func (t *Tx) completeEvents(merchant string, at *chainEnd) (more bool, err error) {
	rows, err := all(&t.queries, scanChainedEvent, chainedEvents, merchant, at.position, completePage)
	for i := range rows {
		row := &rows[i]
		at.position, at.hash = row.Position, row.Link(at.hash)
		if err := t.put(`UPDATE event SET hash = $1 WHERE merchant = $2 AND payment = $3 AND seq = $4 AND hash IS NULL`, hashColumn(at.hash), merchant, row.Payment, row.Seq); err != nil {
			return false, err
		}
	}
	if err != nil || len(rows) == completePage {
		return err == nil, err
	}
	return false, t.put(`UPDATE event_log SET last_hash = $1 WHERE merchant = $2 AND last_position = $3`, hashColumn(at.hash), merchant, at.position)
}

func (t *Tx) completeTransfers(merchant string, at *chainEnd) (more bool, err error) {
	rows, err := all(&t.queries, scanChainedTransfer, chainedTransfers, merchant, at.position, completePage)
	for i := range rows {
		row := &rows[i]
		at.position, at.hash = row.Position, row.Link(at.hash)
		if err := t.put(`UPDATE transfer SET hash = $1 WHERE merchant = $2 AND ref = $3 AND seq = $4 AND n = $5 AND hash IS NULL`,
			hashColumn(at.hash), merchant, row.Ref, row.Seq, row.N); err != nil {
			return false, err
		}
	}
	if err != nil || len(rows) == completePage {
		return err == nil, err
	}
	return false, t.put(`UPDATE event_log SET last_transfer_hash = $1 WHERE merchant = $2 AND last_transfer = $3`, hashColumn(at.hash), merchant, at.position)
}

func (s *Store) completeSums(ctx context.Context, batch func(*Tx, *Ref) (bool, error)) error {
	var after Ref
	for more := true; more; {
		var next Ref
		err := s.Write(ctx, func(tx *Tx) (err error) {
			next = after
			more, err = batch(tx, &next)
			return err
		})
		if err != nil {
			return err
		}
		after = next
	}
	return nil
}

func (t *Tx) completePayments(after *Ref) (more bool, err error) {
	rows, err := all(&t.queries, scanSummedPayment, `SELECT `+paymentColumns+`, words, sum FROM payment WHERE (merchant, id) > ($1, $2) ORDER BY merchant, id LIMIT $3`,
		after.Merchant, after.ID, completePage)
	for i := range rows {
		row := &rows[i]
		*after = Ref{row.merchant, row.id}
		if row.has != (recon.Hash{}) {
			continue
		}
		if err := t.put(`UPDATE payment SET sum = $1 WHERE merchant = $2 AND id = $3 AND version = $4 AND sum IS NULL`,
			hashColumn(row.sum(row.words)), row.merchant, row.id, row.version); err != nil {
			return false, err
		}
	}
	return err == nil && len(rows) == completePage, err
}

func (t *Tx) completeLines(after *Ref) (more bool, err error) {
	rows, err := all(&t.queries, scanSummedLine, `SELECT `+lineColumns+`, sum FROM settlement_line WHERE (merchant, id) > ($1, $2) ORDER BY merchant, id LIMIT $3`,
		after.Merchant, after.ID, completePage)
	for i := range rows {
		row := &rows[i]
		*after = Ref{row.Merchant, row.ID}
		if row.has != (recon.Hash{}) {
			continue
		}
		if err := t.put(`UPDATE settlement_line SET sum = $1 WHERE merchant = $2 AND id = $3 AND sum IS NULL`, hashColumn(row.Sum()), row.Merchant, row.ID); err != nil {
			return false, err
		}
	}
	return err == nil && len(rows) == completePage, err
}
