package settle_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-pay/holdfast/internal/bizday"
	"github.com/holdfast-pay/holdfast/internal/money"
	"github.com/holdfast-pay/holdfast/internal/settle"
)

func TestCharge(t *testing.T) {
	const top = money.Won(1<<63 - 1)
	for _, c := range []struct {
		name     string
		fee      settle.Fee
		amount   money.Won
		want     money.Won
		wantVAT  money.Won
		faultHas string
	}{
		{"three per cent of a thousand", settle.Fee{Rate: 3000}, 1_000, 30, 3, ""},
		{"free", settle.Fee{}, 1_000, 0, 0, ""},
		{"half a won of fee is rounded up", settle.Fee{Rate: 50}, 1_000, 1, 0, ""},
		{"less than half is rounded down", settle.Fee{Rate: 49}, 1_000, 0, 0, ""},
		{"half a won of VAT is rounded up", settle.Fee{Flat: 5}, 1_000, 5, 1, ""},
		{"four tenths of VAT are rounded down", settle.Fee{Flat: 4}, 1_000, 4, 0, ""},
		{"flat comes on top of the rate", settle.Fee{Rate: 3000, Flat: 200}, 10_000, 500, 50, ""},
		{"the minimum holds", settle.Fee{Rate: 2000, Min: 500}, 10_000, 500, 50, ""},
		{"above the minimum it is the rate", settle.Fee{Rate: 2000, Min: 500}, 100_000, 2_000, 200, ""},
		{"never more than the amount", settle.Fee{Flat: 300}, 110, 100, 10, ""},
		{"exactly the amount", settle.Fee{Flat: 100}, 110, 100, 10, ""},
		{"one won more", settle.Fee{Flat: 100}, 109, 99, 10, ""},
		{"one won", settle.Fee{Min: 500}, 1, 1, 0, ""},
		{"nothing", settle.Fee{Min: 500}, 0, 0, 0, ""},
		{"the largest payment", settle.Fee{Rate: 100_000}, money.Max, 9_090_909_091, 909_090_909, ""},
		{"a sum that leaves 64 bits is capped", settle.Fee{Rate: 100_000}, top, top - 838_488_366_986_797_801, 838_488_366_986_797_801, ""},
		{"less than nothing", settle.Fee{Rate: 3000}, -1, 0, 0, "negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.fee.Of(c.amount)
			if c.faultHas != "" {
				if err == nil || !strings.Contains(err.Error(), c.faultHas) {
					t.Fatalf("%v, want a fault with %q", err, c.faultHas)
				}
				return
			}
			if err != nil || got != (settle.Charge{Fee: c.want, VAT: c.wantVAT}) {
				t.Fatalf("%+v, %v; want %d + %d", got, err, c.want, c.wantVAT)
			}
		})
	}
}

// TestChargeAgainstBigIntegers works every charge out a second time, in numbers
// that cannot overflow and by a rounding that is written differently.
func TestChargeAgainstBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		won := func(name string, top int64) money.Won {
			return money.Won(rapid.OneOf(rapid.Int64Range(0, 2_000), rapid.Int64Range(0, top)).Draw(t, name))
		}
		fee := settle.Fee{Rate: rapid.Int64Range(0, 100_000).Draw(t, "rate"), Flat: won("flat", int64(money.Max)), Min: won("min", int64(money.Max))}
		amount := won("amount", int64(money.Max))
		if err := fee.Check(); err != nil {
			t.Fatal(err)
		}
		got, err := fee.Of(amount)
		if err != nil {
			t.Fatal(err)
		}
		wantFee, wantVAT := oracle(fee, amount)
		if int64(got.Fee) != wantFee || int64(got.VAT) != wantVAT {
			t.Fatalf("%+v of %d: %+v, want %d + %d", fee, amount, got, wantFee, wantVAT)
		}
		if got.Fee < 0 || got.VAT < 0 || got.Fee+got.VAT > amount {
			t.Fatalf("%+v of %d takes more than there is", got, amount)
		}
	})
}

// oracle rounds by doubling: half up is floor((2n + d) / 2d).
func oracle(f settle.Fee, amount money.Won) (fee, vat int64) {
	half := func(n *big.Int, d int64) *big.Int {
		up := new(big.Int).Add(new(big.Int).Lsh(n, 1), big.NewInt(d))
		return up.Div(up, big.NewInt(2*d))
	}
	of := big.NewInt(int64(amount))
	total := half(new(big.Int).Mul(of, big.NewInt(f.Rate)), 100_000)
	total.Add(total, big.NewInt(int64(f.Flat)))
	if least := big.NewInt(int64(f.Min)); total.Cmp(least) < 0 {
		total = least
	}
	tax := half(total, 10)
	if new(big.Int).Add(total, tax).Cmp(of) > 0 {
		tax = half(of, 11)
		total = new(big.Int).Sub(of, tax)
	}
	return total.Int64(), tax.Int64()
}

func TestDueDate(t *testing.T) {
	daily := settle.Cycle{Rhythm: settle.Daily, FromConfirm: 2}
	for _, c := range []struct {
		name            string
		cycle           settle.Cycle
		paid, confirmed string
		want            string
	}{
		{"two business days after the confirmation", daily, "2026-03-02", "2026-03-09", "2026-03-11"},
		{"over a weekend", daily, "2026-03-02", "2026-03-12", "2026-03-16"},
		{"over Seollal", daily, "2026-02-02", "2026-02-13", "2026-02-20"},
		{"over Chuseok and the substitute of National Foundation Day", settle.Cycle{Rhythm: settle.Daily, FromConfirm: 6}, "2026-09-01", "2026-09-23", "2026-10-06"},
		{"the contract's lag from the payment is later", settle.Cycle{Rhythm: settle.Daily, FromPayment: 10, FromConfirm: 1}, "2026-03-09", "2026-03-10", "2026-03-23"},
		{"no lag, on a closed day", settle.Cycle{Rhythm: settle.Daily}, "2026-03-14", "2026-03-14", "2026-03-16"},
		{"weekly, on its own day", settle.Cycle{Rhythm: settle.Weekly, Days: []int{3}}, "2026-03-02", "2026-03-11", "2026-03-11"},
		{"weekly, the next of its days", settle.Cycle{Rhythm: settle.Weekly, Days: []int{1, 4}, FromConfirm: 1}, "2026-03-02", "2026-03-09", "2026-03-12"},
		{"weekly, its day is a holiday", settle.Cycle{Rhythm: settle.Weekly, Days: []int{3}}, "2026-02-02", "2026-02-13", "2026-02-19"}, // Wed 18 is Seollal
		{"monthly, in this month", settle.Cycle{Rhythm: settle.Monthly, Days: []int{10, 25}}, "2026-03-02", "2026-03-11", "2026-03-25"},
		{"monthly, in the next month", settle.Cycle{Rhythm: settle.Monthly, Days: []int{10}}, "2026-03-02", "2026-03-11", "2026-04-10"},
		{"monthly, its day is a Saturday", settle.Cycle{Rhythm: settle.Monthly, Days: []int{14}}, "2026-03-02", "2026-03-11", "2026-03-16"},
		{"the end of a month", settle.Cycle{Rhythm: settle.Monthly, Days: []int{31}}, "2026-04-01", "2026-04-02", "2026-04-30"},
		{"the end of February", settle.Cycle{Rhythm: settle.Monthly, Days: []int{30}}, "2028-02-01", "2028-02-02", "2028-02-29"},
		{"the end of a month in a holiday", settle.Cycle{Rhythm: settle.Monthly, Days: []int{31}}, "2025-01-02", "2025-01-03", "2025-01-31"},
		{"the end of a month on a Saturday is paid in the next", settle.Cycle{Rhythm: settle.Monthly, Days: []int{31}}, "2026-10-01", "2026-10-02", "2026-11-02"},
		{"a month later by one day", settle.Cycle{Rhythm: settle.Monthly, Days: []int{1}}, "2026-07-01", "2026-07-02", "2026-08-03"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.cycle.Check(); err != nil {
				t.Fatal(err)
			}
			got, err := c.cycle.DueDate(bizday.MustParseDate(c.paid), bizday.MustParseDate(c.confirmed), bizday.Korea())
			if err != nil || got.String() != c.want {
				t.Fatalf("%v, %v; want %s", got, err, c.want)
			}
		})
	}
}

// TestDueDateBounds: whatever the contract, the day is a business day, not
// before either lag, and not more than a month and the longest holiday after.
func TestDueDateBounds(t *testing.T) {
	cal := bizday.Korea()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCycle(t)
		paid := bizday.MustParseDate("2024-01-01").AddDays(rapid.IntRange(0, 2_000).Draw(t, "paid"))
		confirmed := paid.AddDays(rapid.IntRange(0, 60).Draw(t, "confirmed"))
		got, err := c.DueDate(paid, confirmed, cal)
		if err != nil {
			t.Fatal(err)
		}
		open, _, err := cal.IsBusiness(got)
		if err != nil || !open {
			t.Fatalf("%v is no business day (%v)", got, err)
		}
		byPayment, _ := cal.Add(paid, c.FromPayment)
		byConfirm, _ := cal.Add(confirmed, c.FromConfirm)
		if got.Before(byPayment) || got.Before(byConfirm) {
			t.Fatalf("%v is before %v or %v", got, byPayment, byConfirm)
		}
		later := max(got.DaysSince(byPayment), 0)
		if byConfirm.After(byPayment) {
			later = got.DaysSince(byConfirm)
		}
		if later > 31+10 {
			t.Fatalf("%v is %d days after the lags", got, later)
		}
	})
}

func drawCycle(t *rapid.T) settle.Cycle {
	c := settle.Cycle{FromPayment: rapid.IntRange(0, 60).Draw(t, "from payment"), FromConfirm: rapid.IntRange(0, 60).Draw(t, "from confirm")}
	switch c.Rhythm = rapid.SampledFrom([]settle.Rhythm{settle.Daily, settle.Weekly, settle.Monthly}).Draw(t, "rhythm"); c.Rhythm {
	case settle.Weekly:
		c.Days = rapid.SliceOfN(rapid.IntRange(0, 6), 1, 3).Draw(t, "weekdays")
	case settle.Monthly:
		c.Days = rapid.SliceOfN(rapid.IntRange(1, 31), 1, 3).Draw(t, "days")
	case settle.Daily:
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDueDateBeyondTheCalendar(t *testing.T) {
	c := settle.Cycle{Rhythm: settle.Daily, FromConfirm: 2}
	for _, day := range []string{"2017-12-29", "2050-12-30"} {
		if _, err := c.DueDate(bizday.MustParseDate(day), bizday.MustParseDate(day), bizday.Korea()); !errors.Is(err, bizday.ErrOutOfRange) {
			t.Errorf("%s: %v, want a fault of the calendar", day, err)
		}
	}
}

func TestCheck(t *testing.T) {
	good := settle.Terms{Fees: map[string]settle.Fee{"card": {Rate: 3700}}, Cycle: settle.Cycle{Rhythm: settle.Daily}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		spoil func(*settle.Terms)
		want  string
	}{
		{"a negative rate", func(t *settle.Terms) { t.Fees = map[string]settle.Fee{"card": {Rate: -1}} }, "fee of card: fee rate -1"},
		{"more than all", func(t *settle.Terms) { t.Fees = map[string]settle.Fee{"card": {Rate: 100_001}} }, "fee rate 100001"},
		{"a negative flat part", func(t *settle.Terms) { t.Refund = settle.Fee{Flat: -1} }, "refund fee: fee of -1 won"},
		{"a minimum beyond any payment", func(t *settle.Terms) { t.Refund = settle.Fee{Min: money.Max + 1} }, "refund fee"},
		{"no rhythm", func(t *settle.Terms) { t.Cycle = settle.Cycle{} }, `rhythm ""`},
		{"no day of the week", func(t *settle.Terms) { t.Cycle = settle.Cycle{Rhythm: settle.Weekly} }, "at least one day"},
		{"an eighth day", func(t *settle.Terms) { t.Cycle = settle.Cycle{Rhythm: settle.Weekly, Days: []int{7}} }, "between 0 and 6"},
		{"day nought of a month", func(t *settle.Terms) { t.Cycle = settle.Cycle{Rhythm: settle.Monthly, Days: []int{0}} }, "between 1 and 31"},
		{"day 32", func(t *settle.Terms) { t.Cycle = settle.Cycle{Rhythm: settle.Monthly, Days: []int{1, 32}} }, "settlement day 32"},
		{"a lag into the past", func(t *settle.Terms) { t.Cycle = settle.Cycle{Rhythm: settle.Daily, FromConfirm: -1} }, "settlement lags"},
		{"a lag of a season", func(t *settle.Terms) { t.Cycle = settle.Cycle{Rhythm: settle.Daily, FromPayment: 61} }, "settlement lags"},
	} {
		t.Run(c.name, func(t *testing.T) {
			terms := good
			c.spoil(&terms)
			if err := terms.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want a refusal with %q", err, c.want)
			}
		})
	}
}

func TestNet(t *testing.T) {
	day := bizday.MustParseDate("2026-03-11")
	now := day.Start()
	for _, c := range []struct {
		name string
		sums settle.Sums
		want money.Won
	}{
		{"one sale", settle.Sums{Gross: 1_000, Fee: 30, VAT: 3, Net: 967, Lines: 1}, 967},
		{"a sale less a refund that became a receivable", settle.Sums{Gross: 1_000, Fee: 30, VAT: 3, Deducted: 500, FromDue: 500, Net: 467, Lines: 2}, 467},
		{"nothing is left", settle.Sums{Gross: 1_000, Fee: 30, VAT: 3, Deducted: 967, Net: 0, Lines: 2}, 0},
		{"the shop owes", settle.Sums{Gross: 1_000, Fee: 30, VAT: 3, Deducted: 2_000, FromDue: 2_000, Net: -1_033, Lines: 2}, 0},
		{"no lines", settle.Sums{}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := settle.Net("m1", "po_1", day, c.sums, now)
			if c.want == 0 {
				if !errors.Is(err, settle.ErrCarriedOver) || p != (settle.Payout{}) {
					t.Fatalf("%+v, %v; want it carried over", p, err)
				}
				return
			}
			want := settle.Payout{
				Merchant: "m1", ID: "po_1", Date: day, Gross: c.sums.Gross, Fee: c.sums.Fee, VAT: c.sums.VAT, Deducted: c.sums.Deducted,
				FromDue: c.sums.FromDue, Amount: c.want, Lines: c.sums.Lines, State: settle.PayoutOrdered, Attempt: 1, OrderAt: now,
			}
			if err != nil || p != want {
				t.Fatalf("%+v, %v; want %+v", p, err, want)
			}
			if p.Key() != "po_1-1" {
				t.Fatalf("key %q", p.Key())
			}
		})
	}
}

// TestKeyPerAttempt: a payout that is ordered again after a definite failure
// must not look like the first order to the bank.
func TestKeyPerAttempt(t *testing.T) {
	p := settle.Payout{ID: "po_1", Attempt: 1, OrderAt: time.Time{}}
	first := p.Key()
	p.Attempt++
	if p.Key() == first {
		t.Fatalf("two attempts share the key %q", first)
	}
}
