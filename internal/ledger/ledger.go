// Package ledger is Holdfast's double entry.
//
// # What it owns
//
// The chart of accounts and the one way in which money moves: a Transfer takes
// a positive number of whole won from the credited account and puts it into the
// debited one. A set of transfers cannot be out of balance, because every
// transfer has both sides. Transfers are never changed or deleted.
//
// # What is always true
//
//   - the debit balances of all accounts sum to zero;
//   - held:<payment> carries exactly the payment's amount while the money is
//     held and nothing in every final state;
//   - no account that all payments touch (bank, fee, VAT) is locked or updated
//     per payment: its balance is the sum of its transfers.
package ledger

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-pay/holdfast/internal/money"
)

// Account names a row of the chart, such as "bank:escrow" or "held:imp_1".
type Account string

// Accounts that exist once per merchant's books.
const (
	// BankEscrow is the asset account of the escrow bank account.
	BankEscrow Account = "bank:escrow"
	// BankOperating is the asset account of the operator's own bank account.
	BankOperating Account = "bank:operating"
	// Suspense is money that arrived and belongs to nobody yet.
	Suspense Account = "suspense"
	// Fee is the operator's revenue.
	Fee Account = "fee"
	// VAT is output value added tax on fees.
	VAT Account = "vat"
)

// Held is the liability towards the buyer of one payment.
func Held(payment string) Account { return Account("held:" + payment) }

// Refund is what is owed back to the buyer of one payment.
func Refund(payment string) Account { return Account("refund:" + payment) }

// Shop is what is owed to a merchant.
func Shop(merchant string) Account { return Account("shop:" + merchant) }

// Due is what a merchant owes to the operator.
func Due(merchant string) Account { return Account("due:" + merchant) }

// Payout is money on its way to a merchant's bank.
func Payout(payout string) Account { return Account("payout:" + payout) }

// Class is the side of the balance sheet on which an account stands.
type Class string

// The classes of accounts.
const (
	Asset     Class = "asset"
	Liability Class = "liability"
	Revenue   Class = "revenue"
)

// Class says what an account is. Unknown names are liabilities, because money
// whose owner is not known is owed to somebody.
func (a Account) Class() Class {
	switch {
	case strings.HasPrefix(string(a), "bank:"), strings.HasPrefix(string(a), "due:"):
		return Asset
	case a == Fee:
		return Revenue
	default:
		return Liability
	}
}

// Kind is the account's name without the party: "held" for "held:imp_1".
func (a Account) Kind() string {
	if a == BankEscrow || a == BankOperating {
		return string(a)
	}
	kind, _, _ := strings.Cut(string(a), ":")
	return kind
}

// Transfer is one movement. Amount is positive, in won.
type Transfer struct {
	Debit  Account
	Credit Account
	Amount money.Won
}

// Check refuses a transfer that is not a movement: no amount, a negative one,
// or the same account on both sides.
func (t Transfer) Check() error {
	if t.Amount <= 0 {
		return fmt.Errorf("transfer of %d won from %s to %s: the amount must be positive", t.Amount, t.Credit, t.Debit)
	}
	if t.Debit == t.Credit || t.Debit == "" || t.Credit == "" {
		return fmt.Errorf("transfer from %q to %q: two different accounts are needed", t.Credit, t.Debit)
	}
	return nil
}

// Move returns the transfers given, leaving out those of zero won, so that a
// rule may state all parts of an entry even where one of them is nothing. The
// slice that is given stays as it is.
func Move(ts ...Transfer) []Transfer {
	return slices.DeleteFunc(slices.Clone(ts), func(t Transfer) bool { return t.Amount == 0 })
}

// Balance is an account with the sums of its two sides.
type Balance struct {
	Account Account
	Debits  money.Won
	Credits money.Won
}

// Net is the balance on the account's natural side: debits less credits for an
// asset, credits less debits for everything else.
func (b Balance) Net() money.Won {
	if b.Account.Class() == Asset {
		return b.Debits - b.Credits
	}
	return b.Credits - b.Debits
}

// Trial sums transfers by account and returns the balances sorted by account.
func Trial(ts []Transfer) []Balance {
	sums := map[Account]*Balance{}
	of := func(a Account) *Balance {
		b := sums[a]
		if b == nil {
			b = &Balance{Account: a}
			sums[a] = b
		}
		return b
	}
	for _, t := range ts {
		of(t.Debit).Debits += t.Amount
		of(t.Credit).Credits += t.Amount
	}
	out := make([]Balance, 0, len(sums))
	for _, b := range sums {
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b Balance) int { return strings.Compare(string(a.Account), string(b.Account)) })
	return out
}
