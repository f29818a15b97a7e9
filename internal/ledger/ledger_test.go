package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-pay/holdfast/internal/ledger"
	"github.com/holdfast-pay/holdfast/internal/money"
)

func TestTransferCheck(t *testing.T) {
	held := ledger.Held("imp_1")
	for _, c := range []struct {
		name string
		t    ledger.Transfer
		want string
	}{
		{"a movement", ledger.Transfer{Debit: ledger.BankEscrow, Credit: held, Amount: 1}, ""},
		{"of nothing", ledger.Transfer{Debit: ledger.BankEscrow, Credit: held}, "must be positive"},
		{"backwards", ledger.Transfer{Debit: ledger.BankEscrow, Credit: held, Amount: -1}, "must be positive"},
		{"to itself", ledger.Transfer{Debit: held, Credit: held, Amount: 1}, "two different accounts"},
		{"from nowhere", ledger.Transfer{Debit: held, Amount: 1}, "two different accounts"},
		{"to nowhere", ledger.Transfer{Credit: held, Amount: 1}, "two different accounts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.t.Check()
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestAccounts(t *testing.T) {
	for _, c := range []struct {
		account ledger.Account
		name    string
		kind    string
		class   ledger.Class
	}{
		{ledger.BankEscrow, "bank:escrow", "bank:escrow", ledger.Asset},
		{ledger.BankOperating, "bank:operating", "bank:operating", ledger.Asset},
		{ledger.Due("m1"), "due:m1", "due", ledger.Asset},
		{ledger.Held("imp_1"), "held:imp_1", "held", ledger.Liability},
		{ledger.Refund("imp_1"), "refund:imp_1", "refund", ledger.Liability},
		{ledger.Shop("m1"), "shop:m1", "shop", ledger.Liability},
		{ledger.Payout("po_1"), "payout:po_1", "payout", ledger.Liability},
		{ledger.Suspense, "suspense", "suspense", ledger.Liability},
		{ledger.VAT, "vat", "vat", ledger.Liability},
		{ledger.Fee, "fee", "fee", ledger.Revenue},
		{"whose", "whose", "whose", ledger.Liability},
	} {
		if string(c.account) != c.name || c.account.Kind() != c.kind || c.account.Class() != c.class {
			t.Errorf("%s: kind %s, class %s; want %s, %s, %s", c.account, c.account.Kind(), c.account.Class(), c.name, c.kind, c.class)
		}
	}
}

func TestMove(t *testing.T) {
	given := []ledger.Transfer{
		{Debit: "a", Credit: "b", Amount: 0},
		{Debit: "a", Credit: "c", Amount: 2},
		{Debit: "a", Credit: "d", Amount: 0},
	}
	before := slices.Clone(given)
	got := ledger.Move(given...)
	if !slices.Equal(got, []ledger.Transfer{{Debit: "a", Credit: "c", Amount: 2}}) {
		t.Fatalf("%v", got)
	}
	if !slices.Equal(given, before) {
		t.Fatalf("the transfers that were given became %v", given)
	}
	if len(ledger.Move()) != 0 {
		t.Fatal("nothing moved became something")
	}
}

func TestTrial(t *testing.T) {
	got := ledger.Trial([]ledger.Transfer{
		{Debit: ledger.BankEscrow, Credit: ledger.Held("imp_1"), Amount: 1_000},
		{Debit: ledger.Held("imp_1"), Credit: ledger.Shop("m1"), Amount: 967},
		{Debit: ledger.Held("imp_1"), Credit: ledger.Fee, Amount: 30},
		{Debit: ledger.Held("imp_1"), Credit: ledger.VAT, Amount: 3},
	})
	want := []ledger.Balance{
		{Account: "bank:escrow", Debits: 1_000},
		{Account: "fee", Credits: 30},
		{Account: "held:imp_1", Debits: 1_000, Credits: 1_000},
		{Account: "shop:m1", Credits: 967},
		{Account: "vat", Credits: 3},
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%+v, want %+v", got, want)
	}
	for i, net := range []money.Won{1_000, 30, 0, 967, 3} {
		if got[i].Net() != net {
			t.Errorf("%s stands at %d, want %d", got[i].Account, got[i].Net(), net)
		}
	}
}

// TestTrialBalances: whatever moves, assets are liabilities and revenue, and
// the order of the transfers does not matter.
func TestTrialBalances(t *testing.T) {
	accounts := []ledger.Account{ledger.BankEscrow, ledger.Held("1"), ledger.Refund("1"), ledger.Shop("m"), ledger.Due("m"), ledger.Fee, ledger.VAT, ledger.Suspense}
	rapid.Check(t, func(t *rapid.T) {
		ts := rapid.SliceOf(rapid.Custom(func(t *rapid.T) ledger.Transfer {
			return ledger.Transfer{
				Debit: rapid.SampledFrom(accounts).Draw(t, "debit"), Credit: rapid.SampledFrom(accounts).Draw(t, "credit"),
				Amount: money.Won(rapid.Int64Range(1, int64(money.Max)).Draw(t, "amount")),
			}
		})).Draw(t, "transfers")
		balances := ledger.Trial(ts)
		var assets, rest money.Won
		for _, b := range balances {
			if b.Account.Class() == ledger.Asset {
				assets += b.Net()
			} else {
				rest += b.Net()
			}
		}
		if assets != rest {
			t.Fatalf("assets of %d against %d", assets, rest)
		}
		slices.Reverse(ts)
		if !slices.Equal(ledger.Trial(ts), balances) {
			t.Fatal("the order of the transfers changed the balances")
		}
	})
}
