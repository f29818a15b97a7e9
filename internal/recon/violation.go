package recon

import (
	"encoding/hex"
	"fmt"
	"strconv"
)

// Kind is what does not agree.
type Kind string

// The kinds of violations.
const (
	// BrokenChain: a row is not the one that was written, or not behind the one it
	// was written behind.
	BrokenChain Kind = "broken_chain"
	// Gap: a position of a chain has no row, or a row stands at a place where none is due.
	Gap Kind = "gap"
	// WrongEnd: a chain does not end where the log says, or an end that was seen
	// earlier is gone.
	WrongEnd Kind = "wrong_end"
	// Unplaced: a transfer stands in no chain.
	Unplaced Kind = "unplaced"
	// WrongSum: a row is not the one that was written.
	WrongSum Kind = "wrong_sum"
	// Unreadable: a row holds what no rule ever made.
	Unreadable Kind = "unreadable"
	// Ownerless: a row belongs to a payment or payout that does not exist.
	Ownerless Kind = "ownerless"
	// WrongNumbers: the events of a payment or payout are not numbered 1 to its last one.
	WrongNumbers Kind = "wrong_numbers"
	// WrongBalance: an account does not carry what the state of its payment or
	// payout and its settlement lines say.
	WrongBalance Kind = "wrong_balance"
	// WrongLines: a payout is not what its lines add up to, or a line is held or
	// free against the payment's state, or held and paid out.
	WrongLines Kind = "wrong_lines"
	// WrongOrder: the bank was or will be asked for something else than was decided.
	WrongOrder Kind = "wrong_order"
	// WrongTrack: nobody will ask the carrier about a parcel on its way, or somebody
	// will about one that is not.
	WrongTrack Kind = "wrong_track"
	// WrongDay: the held money kept of a day is not what the transfers add up to.
	WrongDay Kind = "wrong_day"
)

// Violation is one place where the books do not agree.
type Violation struct {
	Merchant string
	Kind     Kind
	// Of names the table or the account, such as "event" or "held:imp_1".
	Of string
	// Ref is the payment, payout or line; may be empty.
	Ref string
	// Position is the place in a chain; 0 where none is meant.
	Position int64
	Want     string
	Got      string
}

// ID is the same for the same place and kind, whatever stands there. No two
// violations of one walk have the same.
func (v Violation) ID() string {
	sum := NewRow("violation/1").Text(string(v.Kind)).Text(v.Of).Text(v.Ref).Number(v.Position).Sum()
	return hex.EncodeToString(sum[:12])
}

// String names the violation in one line.
func (v Violation) String() string {
	at := ""
	if v.Ref != "" {
		at += " of " + v.Ref
	}
	if v.Position != 0 {
		at += " at position " + strconv.FormatInt(v.Position, 10)
	}
	return fmt.Sprintf("merchant %s: %s: %s%s: should be %s, is %s", v.Merchant, v.Kind, v.Of, at, v.Want, v.Got)
}

// Attributes are its parts for a log, names and values in turns.
func (v Violation) Attributes() []any {
	return []any{"merchant", v.Merchant, "kind", v.Kind, "of", v.Of, "ref", v.Ref, "position", v.Position, "want", v.Want, "got", v.Got}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
