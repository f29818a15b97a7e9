// Package settle works out what a shop is owed, and when.
//
// Settlement is the calculation; the payout is the bank transfer that follows
// it. Fees and their VAT are rounded half up per line and kept in the line, so
// that a statement adds up to the won by its own figures. A line falls due on
// the later of the contract cycle, counted from the payment, and the lag in
// business days, counted from the confirmation. The lines of one merchant that
// are due are netted into one payout; a net of nothing, or less, is carried over.
package settle

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/krbank"
	"github.com/holdfast-pay/holdfast/internal/money"
)

// rateUnit is the denominator of fee rates: PortOne's platform counts in
// hundred-thousandths, so that 10,000 is ten per cent.
const rateUnit = 100_000

// Fee is the price of one payment method, before VAT.
type Fee struct {
	Rate int64     // hundred-thousandths of the amount
	Flat money.Won // added to the rate
	Min  money.Won // never less than this
}

// Check refuses a fee that no contract could hold.
func (f Fee) Check() error {
	if f.Rate < 0 || f.Rate > rateUnit {
		return fmt.Errorf("fee rate %d: must be between 0 and %d hundred-thousandths", f.Rate, rateUnit)
	}
	if f.Flat < 0 || f.Min < 0 || f.Flat > money.Max || f.Min > money.Max {
		return fmt.Errorf("fee of %d won, at least %d won: must be between 0 and %d", f.Flat, f.Min, money.Max)
	}
	return nil
}

// Charge is a fee with its VAT (ten per cent, on top).
type Charge struct {
	Fee money.Won
	VAT money.Won
}

// Of returns the charge on an amount: rate and flat part, at least the
// minimum, each rounded half up; VAT is a tenth of that, rounded half up. The
// charge never exceeds the amount.
func (f Fee) Of(amount money.Won) (Charge, error) {
	part, err := money.MulDiv(amount, f.Rate, rateUnit)
	if err != nil {
		return Charge{}, err
	}
	fee, err := money.Add(part, f.Flat)
	if err != nil {
		return Charge{}, err
	}
	fee = max(fee, f.Min)
	vat, err := money.MulDiv(fee, 1, 10)
	if err != nil {
		return Charge{}, err
	}
	if total, err := money.Add(fee, vat); err != nil || total > amount {
		return capped(amount)
	}
	return Charge{Fee: fee, VAT: vat}, nil
}

// capped divides an amount that the charge would exceed: ten parts fee, one
// part VAT, nothing left for the shop.
func capped(amount money.Won) (Charge, error) {
	vat, err := money.MulDiv(amount, 1, 11)
	if err != nil {
		return Charge{}, err
	}
	return Charge{Fee: amount - vat, VAT: vat}, nil
}

// Rhythm is how often a merchant is paid.
type Rhythm string

// The rhythms.
const (
	Daily   Rhythm = "daily"
	Weekly  Rhythm = "weekly"
	Monthly Rhythm = "monthly"
)

// Cycle is the settlement cycle of a contract.
type Cycle struct {
	Rhythm Rhythm
	// Days of the week (0 Sunday to 6 Saturday) for Weekly, of the month (1 to
	// 31, where 31 is the last day of any month) for Monthly.
	Days []int
	// FromPayment is the contract's own lag, in business days after the payment.
	FromPayment int
	// FromConfirm is the lag in business days after the confirmation.
	FromConfirm int
}

// maxLag bounds both lags, in business days.
const maxLag = 60

// Check refuses a cycle that names no day.
func (c Cycle) Check() error {
	if c.FromPayment < 0 || c.FromPayment > maxLag || c.FromConfirm < 0 || c.FromConfirm > maxLag {
		return fmt.Errorf("settlement lags of %d and %d business days: must be between 0 and %d", c.FromPayment, c.FromConfirm, maxLag)
	}
	low, high := 0, 6
	switch c.Rhythm {
	case Daily:
		return nil
	case Weekly:
	case Monthly:
		low, high = 1, 31
	default:
		return fmt.Errorf("settlement rhythm %q: must be daily, weekly or monthly", c.Rhythm)
	}
	if len(c.Days) == 0 {
		return fmt.Errorf("a %s settlement needs at least one day", c.Rhythm)
	}
	for _, d := range c.Days {
		if d < low || d > high {
			return fmt.Errorf("settlement day %d: must be between %d and %d for a %s cycle", d, low, high, c.Rhythm)
		}
	}
	return nil
}

// DueDate is the first day on which a line may be paid out: the later of the
// two lags, moved to the next day of the rhythm, and from a closed day to the
// next business day.
func (c Cycle) DueDate(paid, confirmed bizday.Date, cal bizday.Calendar) (bizday.Date, error) {
	contract, err := cal.Add(paid, c.FromPayment)
	if err != nil {
		return bizday.Date{}, err
	}
	day, err := cal.Add(confirmed, c.FromConfirm)
	if err != nil {
		return bizday.Date{}, err
	}
	if contract.After(day) {
		day = contract
	}
	for range 31 {
		if c.pays(day) {
			break
		}
		day = day.AddDays(1)
	}
	return cal.Roll(day, bizday.After)
}

func (c Cycle) pays(d bizday.Date) bool {
	switch c.Rhythm {
	case Weekly:
		return slices.Contains(c.Days, int(d.Weekday()))
	case Monthly:
		_, _, day := d.YMD()
		_, _, next := d.AddDays(1).YMD()
		return slices.Contains(c.Days, day) || (next == 1 && slices.ContainsFunc(c.Days, func(want int) bool { return want > day }))
	case Daily:
		return true
	}
	return true
}

// Terms are the money terms of a merchant's contract.
type Terms struct {
	Fees   map[string]Fee // by payment method
	Refund Fee            // charged to the shop for a refund by bank transfer
	Cycle  Cycle
}

// Check refuses terms that could not be applied.
func (t Terms) Check() error {
	for method, fee := range t.Fees {
		if err := fee.Check(); err != nil {
			return fmt.Errorf("fee of %s: %w", method, err)
		}
	}
	if err := t.Refund.Check(); err != nil {
		return fmt.Errorf("refund fee: %w", err)
	}
	return t.Cycle.Check()
}

// PayoutState is how far a payout has come.
type PayoutState string

// The states of a payout.
const (
	PayoutOrdered  PayoutState = "ordered"  // recorded; the bank is to be asked
	PayoutPaid     PayoutState = "paid"     // the bank has paid it
	PayoutFailed   PayoutState = "failed"   // the bank has definitely not paid it
	PayoutReturned PayoutState = "returned" // paid and come back
)

// Payout is one bank transfer to a merchant.
type Payout struct {
	Merchant string
	ID       string
	Date     bizday.Date // the business date of the run; one payout per merchant and date
	Gross    money.Won   // of the sales in it
	Fee      money.Won
	VAT      money.Won
	Deducted money.Won // refunds, reversals and charges that were netted
	FromDue  money.Won // the part of Deducted that settles a receivable
	Amount   money.Won // what is sent
	Lines    int64
	State    PayoutState
	Attempt  int
	Reason   string
	Bank     string
	Number   string
	Holder   string
	OrderAt  time.Time
	DoneAt   time.Time
}

// Facts are what an event of a payout tells of it beside the amount: enough for a
// shop to find it on its bank's statement.
type Facts struct {
	Date    bizday.Date // of the run, in Korea
	Lines   int64
	Bank    string // national code
	Account string // the number, of which the end alone can be read
}

// Facts are what events tell of the payout.
func (p Payout) Facts() Facts {
	return Facts{Date: p.Date, Lines: p.Lines, Bank: p.Bank, Account: krbank.Masked(p.Number)}
}

// Sums are the totals of the lines that are due.
type Sums struct {
	Gross, Fee, VAT, Deducted, FromDue, Net money.Won
	Lines                                   int64
}

// ErrCarriedOver says that the net of the due lines is nothing or less: the
// lines wait for the next run.
var ErrCarriedOver = errors.New("nothing to pay out; the lines are carried over")

// Net makes the payout of the sums of due lines, or says that they are carried over.
func Net(merchant, id string, date bizday.Date, s Sums, now time.Time) (Payout, error) {
	if s.Net <= 0 {
		return Payout{}, ErrCarriedOver
	}
	return Payout{
		Merchant: merchant, ID: id, Date: date, Gross: s.Gross, Fee: s.Fee, VAT: s.VAT, Deducted: s.Deducted,
		FromDue: s.FromDue, Amount: s.Net, Lines: s.Lines, State: PayoutOrdered, Attempt: 1, OrderAt: now,
	}, nil
}

// Key is the idempotency key of the payout's present attempt at the bank.
func (p Payout) Key() string { return fmt.Sprintf("%s-%d", p.ID, p.Attempt) }
