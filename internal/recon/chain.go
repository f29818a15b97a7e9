package recon

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Hash is a link of a chain, or the sum of a row. The zero Hash stands before
// the first row of a chain.
type Hash [sha256.Size]byte

// String is the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the hash in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads a hash in hexadecimal.
func (h *Hash) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(h) {
		return errHash
	}
	copy(h[:], raw)
	return nil
}

// ReadHash is a hash as a database returns it. Anything that is none, such as
// nothing at all, is the zero Hash, which no row has.
func ReadHash(raw []byte) (h Hash) {
	if len(raw) == len(h) {
		copy(h[:], raw)
	}
	return h
}

// Row is the canonical encoding of a row: its kind, then its columns in a fixed
// order. Texts carry their length and every column its type, so that no two
// different rows have one encoding. The order and the types are part of what is
// stored: they are never changed, a new column comes last under a new kind.
type Row struct{ b []byte }

// What stands before a column.
const (
	tagNone   = 0
	tagText   = 1
	tagNumber = 2
)

// rowSize is enough for most rows.
const rowSize = 256

// NewRow begins the row of a kind, such as "event/1".
func NewRow(kind string) *Row { return (&Row{make([]byte, 0, rowSize)}).Text(kind) }

// Text adds a text.
func (r *Row) Text(s string) *Row {
	r.b = binary.AppendUvarint(append(r.b, tagText), uint64(len(s)))
	r.b = append(r.b, s...)
	return r
}

// Number adds a number.
func (r *Row) Number(n int64) *Row {
	r.b = binary.BigEndian.AppendUint64(append(r.b, tagNumber), uint64(n))
	return r
}

// MaybeText adds a text that may be missing.
func (r *Row) MaybeText(s *string) *Row {
	if s == nil {
		r.b = append(r.b, tagNone)
		return r
	}
	return r.Text(*s)
}

// MaybeNumber adds a number that may be missing.
func (r *Row) MaybeNumber(n *int64) *Row {
	if n == nil {
		r.b = append(r.b, tagNone)
		return r
	}
	return r.Number(*n)
}

// Link is the hash of the row behind another one in a chain: SHA-256 over the
// hash before and the row.
func (r *Row) Link(before Hash) (h Hash) {
	d := sha256.New()
	d.Write(before[:])
	d.Write(r.b)
	d.Sum(h[:0])
	return h
}

// Sum is the hash of a row that stands in no chain.
func (r *Row) Sum() Hash { return sha256.Sum256(r.b) }

// Chain is a walk along a chain: the place of the last row that was read, and
// its hash.
type Chain struct {
	Merchant string
	Of       string // "event" or "transfer"
	Position int64
	Hash     Hash
}

// Next takes the next row: where it stands, what it belongs to, its hash, and
// what its hash would be behind another one. It goes on from the hash that
// stands there, so that one changed row is one violation.
func (c *Chain) Next(position int64, ref string, has Hash, link func(before Hash) Hash) (out []Violation) {
	say := func(k Kind, want, got string) {
		out = append(out, Violation{Merchant: c.Merchant, Kind: k, Of: c.Of, Ref: ref, Position: position, Want: want, Got: got})
	}
	if position != c.Position+1 {
		say(Gap, "position "+number(c.Position+1), "position "+number(position))
	}
	if want := link(c.Hash); want != has {
		say(BrokenChain, want.String(), has.String())
	}
	c.Position, c.Hash = position, has
	return out
}

// End compares the walk with the end that the log knows.
func (c *Chain) End(position int64, hash Hash) []Violation {
	if c.Position == position && c.Hash == hash {
		return nil
	}
	return []Violation{{
		Merchant: c.Merchant, Kind: WrongEnd, Of: c.Of, Position: position,
		Want: number(position) + " " + hash.String(), Got: number(c.Position) + " " + c.Hash.String(),
	}}
}

// Head is where a merchant's two chains end.
type Head struct {
	Merchant     string
	Position     int64 // of the last event
	Hash         Hash
	Transfer     int64 // position of the last transfer
	TransferHash Hash
}
