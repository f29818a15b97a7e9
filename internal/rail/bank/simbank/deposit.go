package simbank

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/rail/bank"
)

const (
	// slip is by how much a buyer in the stories pays too much or too little.
	slip money.Won = 1000
	// maxDeposits is how often one account can be paid into on one day.
	maxDeposits = 999
	// payerBank is where invented payers have their account.
	payerBank = "004"
)

// korea is the zone of the dates in bank transactions.
var korea = time.FixedZone("KST", 9*60*60)

// Deposits implements [bank.Simulator]. Money for a closed account is reported
// too, as banks do with money that was under way.
func (s *Bank) Deposits(ctx context.Context, plan bank.DepositPlan) ([]bank.Deposit, error) {
	amount, err := storyAmount(plan)
	if err != nil {
		return nil, err
	}
	if _, err := newDesk(ctx, s.records, shelf).account(plan.Merchant, plan.Bank, plan.Number); err != nil {
		return nil, err
	}
	first, err := s.report(ctx, plan, amount)
	if err != nil {
		return nil, err
	}
	switch plan.Story {
	case bank.PaidTwo:
		second, err := s.report(ctx, plan, amount)
		return []bank.Deposit{first, second}, err
	case bank.Repeated:
		return []bank.Deposit{first, first}, nil
	case bank.TakeBack:
		back, err := s.Reverse(ctx, plan.Merchant, first.BankTx)
		return []bank.Deposit{first, back}, err
	default:
		return []bank.Deposit{first}, nil
	}
}

// storyAmount is what the buyer of the story pays.
func storyAmount(plan bank.DepositPlan) (money.Won, error) {
	if plan.Amount <= 0 || plan.Amount > money.Max {
		return 0, &bank.Invalid{Field: "amount", Reason: "must be positive and at most " + money.Max.String()}
	}
	if plan.Now.IsZero() {
		return 0, &bank.Invalid{Field: "now", Reason: "is required"}
	}
	switch plan.Story {
	case bank.Exact, bank.PaidTwo, bank.Repeated, bank.TakeBack:
		return plan.Amount, nil
	case bank.Over:
		return plan.Amount + slip, nil
	case bank.Under:
		return underpaid(plan.Amount)
	case bank.TooLate:
		if !plan.Now.After(plan.Due) {
			return 0, &bank.Invalid{Field: "now", Reason: "the due time has not passed yet; advance the test clock first"}
		}
		return plan.Amount, nil
	default:
		return 0, &bank.Invalid{Field: "story", Reason: "must be exact, over, under, late, twice, repeated or reversed"}
	}
}

func underpaid(amount money.Won) (money.Won, error) {
	switch {
	case amount > slip:
		return amount - slip, nil
	case amount > 1:
		return amount - 1, nil
	default:
		return 0, &bank.Invalid{Field: "amount", Reason: "one won cannot be underpaid"}
	}
}

// report keeps a new deposit under a transaction id of its own.
func (s *Bank) report(ctx context.Context, plan bank.DepositPlan, amount money.Won) (bank.Deposit, error) {
	d := bank.Deposit{
		Merchant: plan.Merchant, Bank: plan.Bank, Number: plan.Number, Amount: amount, At: plan.Now.UTC(), Payer: payer(plan),
	}
	day := plan.Now.In(korea).Format("20060102")
	for n := 1; n <= maxDeposits; n++ {
		d.BankTx = fmt.Sprintf("%s%s-%s-%03d", plan.Bank, day, plan.Number, n)
		added, err := add(ctx, s.records, plan.Merchant, kindDeposit, d.BankTx, d)
		if err != nil || added {
			return d, err
		}
	}
	return bank.Deposit{}, &bank.Invalid{Field: "number", Reason: fmt.Sprintf("was paid into %d times today", maxDeposits)}
}

// payer is who pays: as planned, or somebody with an account that exists.
func payer(plan bank.DepositPlan) bank.Account {
	if plan.Payer != (bank.Account{}) {
		return plan.Payer
	}
	number := digits(13, "payer", plan.Merchant, plan.Bank, plan.Number) + "1"
	return bank.Account{Bank: payerBank, Number: number, Holder: personName(payerBank, number)}
}

// Reverse implements [bank.Simulator]. A deposit taken back once can be asked
// for again and is the same notice.
func (s *Bank) Reverse(ctx context.Context, merchant, bankTx string) (bank.Deposit, error) {
	var back bank.Deposit
	err := change(ctx, s.records, merchant, func(d *desk) error {
		ok, err := d.load(kindDeposit, bankTx, &back)
		if err == nil && !ok {
			err = bank.ErrNoDeposit
		}
		if err != nil {
			return err
		}
		back.Reversed = true
		return d.save(kindDeposit, bankTx, back)
	})
	if err != nil {
		return bank.Deposit{}, err
	}
	return back, nil
}
