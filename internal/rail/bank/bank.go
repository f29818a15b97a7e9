// Package bank is the port to whoever keeps and moves the money: a simulated
// bank, a file for internet banking, a bank's interface.
//
// # What is always true
//
//   - An [Order] is known by its key and done at most once. The caller keeps the
//     key with the order before it sends, and never sends the same money again
//     under another key.
//   - An error from [Bank.Send], or the state [Unknown], says that nobody knows
//     whether the money moved. The caller asks with [Bank.Inquire] under the same
//     key until it hears [Sent] or [Failed]. Time alone proves nothing.
//   - [ErrDuplicate] means that the bank has the order already: ask for it. It is
//     not a failure.
//   - [ErrNoOrder] from Inquire means that the bank never got the order. Only then
//     may it be sent again, under the same key.
//   - [Sent] can still be undone from outside: the receiving bank may give the
//     money back later. Then Inquire answers [Returned] and the bank sends a [Notice].
//
// Every call is bounded by its context; an implementation sets a limit of its
// own on top. Calls are made outside of any transaction. What a bank says is the
// word of an outsider: the core checks amounts and states for itself.
package bank

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-pay/holdfast/internal/money"
)

// Bank issues accounts to pay into and sends money out. Implementations are
// safe for concurrent use.
type Bank interface {
	// IssueAccount opens a virtual account for one payment. Asked again for the
	// same payment and bank, it answers with the account that is open already.
	// A number that was given out once is never given out again.
	// It returns an *Invalid if the request cannot be served as it stands.
	IssueAccount(ctx context.Context, req IssueRequest) (Account, error)
	// CloseAccount ends the taking of deposits. A bank may report money that was
	// under way all the same. Closing a closed account is no error; one that the
	// merchant never had is ErrNoAccount.
	CloseAccount(ctx context.Context, merchant, bank, number string) error
	// HolderName says to whom an account belongs. It returns ErrNoAccount if
	// there is none, and an *Invalid if the bank or number cannot exist.
	HolderName(ctx context.Context, bank, number string) (string, error)
	// Send orders a payment out. See the package comment for what its answers
	// mean. It returns an *Invalid, and does nothing, if the order is incomplete.
	Send(ctx context.Context, merchant string, o Order) (Result, error)
	// Inquire asks what became of an order. It moves no money.
	Inquire(ctx context.Context, merchant, key string) (Result, error)
}

// The answers that are not faults.
var (
	// ErrNoAccount says that there is no such account.
	ErrNoAccount = errors.New("no such account")
	// ErrDuplicate says that the bank has an order with this key already.
	ErrDuplicate = errors.New("the bank has an order with this key already")
	// ErrNoOrder says that the bank never got an order with this key.
	ErrNoOrder = errors.New("the bank has no order with this key")
	// ErrNoDeposit says that the bank never reported such a deposit.
	ErrNoDeposit = errors.New("no such deposit")
)

// Invalid says that a request is wrong in itself: nothing was done, and asking
// again with the same words cannot help.
type Invalid struct{ Field, Reason string }

// Error names the field and the reason.
func (e *Invalid) Error() string { return e.Field + ": " + e.Reason }

// IssueRequest asks for a virtual account.
type IssueRequest struct {
	Merchant string
	Payment  string
	Bank     string // national three-digit code
	Holder   string // the name shown to the payer; usually the shop's
	Amount   money.Won
	Due      time.Time // deposits after it come too late
}

// Account is an account at a bank.
type Account struct {
	Bank   string // national three-digit code
	Number string // digits alone
	Holder string
}

// Kind says why money is sent.
type Kind string

// The kinds of orders.
const (
	Refund Kind = "refund" // to a buyer
	Payout Kind = "payout" // to a shop
)

// Order asks a bank to send money.
type Order struct {
	// Key makes the order one and the same however often it is sent; at most
	// MaxKey bytes, unique per merchant.
	Key    string
	Kind   Kind
	Amount money.Won // positive
	// Bank, Number and Holder are where the money goes. A card refund has none.
	Bank   string
	Number string
	Holder string
	// Card says that the issuer of the buyer's card gives the money back.
	Card bool
	// Memo is the text on the receiver's statement.
	Memo string
}

// MaxKey is the length of the longest order key, in bytes.
const MaxKey = 64

// Check returns an *Invalid that names the first field that no bank could work
// with. Whether the account exists is for the bank to say.
func (o Order) Check() error {
	switch {
	case o.Key == "" || len(o.Key) > MaxKey:
		return &Invalid{"key", "must have 1 to 64 bytes"}
	case o.Kind != Refund && o.Kind != Payout:
		return &Invalid{"kind", "must be refund or payout"}
	case o.Amount <= 0:
		return &Invalid{"amount", "must be positive"}
	case o.Card && o.Kind == Payout:
		return &Invalid{"card", "a payout goes to an account"}
	case !o.Card && o.Bank == "":
		return &Invalid{"bank", "is required"}
	case !o.Card && o.Number == "":
		return &Invalid{"number", "is required"}
	case !o.Card && o.Holder == "":
		return &Invalid{"holder", "is required"}
	default:
		return nil
	}
}

// State is what is known of an order.
type State string

// The states of an order.
const (
	Sent     State = "sent"     // the money has gone
	Failed   State = "failed"   // the money has not gone and will not go under this key
	Unknown  State = "unknown"  // nobody knows yet; ask again
	Returned State = "returned" // the money had gone and has come back
)

// Result is the bank's answer about an order. Reason is the bank's own text and
// set for Failed and Returned.
type Result struct {
	State  State
	Reason string
}

// Notice is a result that the bank tells by itself, after its first answer or
// once more. Taking the same notice twice must change nothing.
type Notice struct {
	Key    string
	Result Result
}

// Deposit is one movement on a virtual account as the bank reports it.
type Deposit struct {
	BankTx   string // the bank's transaction id; never used for another deposit
	Merchant string
	Bank     string
	Number   string
	Amount   money.Won
	At       time.Time
	Payer    Account // where the money came from
	// Reversed says that the bank takes the deposit of this BankTx back.
	Reversed bool
}
