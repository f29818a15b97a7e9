package store

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/holdfast-pay/holdfast/internal/fault"
	"github.com/holdfast-pay/holdfast/internal/recon"
)

// loggedEvent is an event that waits for its position and its hash.
type loggedEvent struct {
	recon.Event
	function int
}

// loggedTransfer is a transfer that waits for the same.
type loggedTransfer struct {
	recon.Transfer
	function int
}

// log adds an event to the group's.
func (t *Tx) log(e recon.Event) {
	t.group.events = append(t.group.events, loggedEvent{e, t.function})
}

// move adds a transfer to the group's.
func (t *Tx) move(x recon.Transfer) {
	if fault.Planted(fault.WonTooMany) {
		x.Amount++
	}
	t.group.transfers = append(t.group.transfers, loggedTransfer{x, t.function})
}

// logEnd is where a merchant's two chains end.
type logEnd struct {
	merchant           string
	position, transfer int64
	hash, transferHash recon.Hash
	damage             error // why nothing can be written behind it; nil if something can
}

const endColumns = `last_position, last_hash, last_transfer, last_transfer_hash`

var errNoEnd = errors.New("store: the end of a merchant's log has no hash")

func scanEnd(rows rowSet) (e logEnd, err error) {
	var hash, transferHash []byte
	err = rows.Scan(&e.position, &hash, &e.transfer, &transferHash)
	e.hash, e.transferHash = recon.ReadHash(hash), recon.ReadHash(transferHash)
	if err == nil && ((e.position > 0) != (e.hash != recon.Hash{}) || (e.transfer > 0) != (e.transferHash != recon.Hash{})) {
		e.damage = errNoEnd
	}
	return e, err
}

// place gives the group's events and transfers their positions and hashes and
// writes them. It is the last thing before the commit, because the end of a
// merchant's log is locked from here on: positions stand in the order of commits
// and have no gaps, and every hash follows the one before. Merchants are taken in
// one order, so that two groups hardly ever wait for each other.
func (g *group) place() error {
	ends, err := g.ends()
	if err != nil {
		return err
	}
	for _, e := range g.events {
		end := ends[e.Merchant]
		if err := end.usable(e.function); err != nil {
			return err
		}
		end.position++
		e.Position = end.position
		end.hash = e.Link(end.hash)
		if err := g.write(e.function, `INSERT INTO event (merchant, payment, seq, position, type, actor, at, doc, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			e.Merchant, e.Payment, e.Seq, e.Position, e.Type, e.Actor, e.At, e.Doc, slices.Clone(end.hash[:])); err != nil {
			return err
		}
	}
	for _, x := range g.transfers {
		end := ends[x.Merchant]
		if err := end.usable(x.function); err != nil {
			return err
		}
		end.transfer++
		x.Position = end.transfer
		end.transferHash = x.Link(end.transferHash)
		if err := g.write(x.function, `INSERT INTO transfer (merchant, ref, seq, n, debit, credit, amount, at, position, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			x.Merchant, x.Ref, x.Seq, x.N, x.Debit, x.Credit, x.Amount, x.At, x.Position, slices.Clone(end.transferHash[:])); err != nil {
			return err
		}
	}
	return g.putEnds(ends)
}

// usable lays the damage of an end on the function that wants to write behind it,
// so that the others of its group go on without it.
func (e *logEnd) usable(function int) error {
	if e.damage == nil {
		return nil
	}
	return &lost{cause: fmt.Errorf("the log of %s: %w", e.merchant, e.damage), culprit: function}
}

func (g *group) write(function int, query string, args ...any) error {
	if !storable(args) {
		return &lost{cause: ErrText, culprit: function}
	}
	g.tx.blame(function)
	if err := g.tx.add(query, args...); err != nil {
		l := asLost(err)
		if !l.again { // else it is not known whose row it was
			l.culprit = function
		}
		return l
	}
	return nil
}

// ends reads and locks the ends of the logs that the group writes to, in the
// order of merchants. A merchant's first writer makes the row.
func (g *group) ends() (map[string]*logEnd, error) {
	var merchants []string
	for _, e := range g.events {
		merchants = append(merchants, e.Merchant)
	}
	for _, x := range g.transfers {
		merchants = append(merchants, x.Merchant)
	}
	slices.Sort(merchants)
	merchants = slices.Compact(merchants)
	ends := make(map[string]*logEnd, len(merchants))
	var young []string
	read := func(query string, merchants []string) error {
		ask := make([]question, len(merchants))
		for i, m := range merchants {
			ask[i] = question{query, []any{m}}
		}
		return g.tx.many(ask, func(i int, rows rowSet) error {
			end, err := scanEnd(rows)
			end.merchant = merchants[i]
			ends[end.merchant] = &end
			return err
		})
	}
	if err := read(`SELECT `+endColumns+` FROM event_log WHERE merchant = $1`+g.lock, merchants); err != nil {
		return nil, err
	}
	for _, m := range merchants {
		if ends[m] == nil {
			ends[m] = &logEnd{merchant: m}
			young = append(young, m)
		}
	}
	return ends, read(`INSERT INTO event_log (merchant, last_position) VALUES ($1, 0)
		ON CONFLICT (merchant) DO UPDATE SET last_position = event_log.last_position RETURNING `+endColumns, young)
}

func (g *group) putEnds(ends map[string]*logEnd) error {
	g.tx.blame(noCulprit)
	for _, e := range slices.SortedFunc(maps.Values(ends), func(a, b *logEnd) int { return cmp.Compare(a.merchant, b.merchant) }) {
		if err := g.tx.later(nil, `UPDATE event_log SET last_position = $1, last_hash = $2, last_transfer = $3, last_transfer_hash = $4 WHERE merchant = $5`,
			e.position, hashColumn(e.hash), e.transfer, hashColumn(e.transferHash), e.merchant); err != nil {
			return err
		}
	}
	return nil
}

// hashColumn is a hash for a column; that before the first row is NULL.
func hashColumn(h recon.Hash) any {
	if h == (recon.Hash{}) {
		return nil
	}
	return h[:]
}
