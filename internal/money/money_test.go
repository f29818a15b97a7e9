package money

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestAddRefusesOverflow(t *testing.T) {
	for _, c := range []struct{ a, b Won }{
		{math.MaxInt64, 1}, {math.MinInt64, -1}, {1, math.MaxInt64}, {math.MaxInt64, math.MaxInt64},
	} {
		if _, err := Add(c.a, c.b); !errors.Is(err, ErrOverflow) {
			t.Errorf("Add(%d, %d) = %v, want ErrOverflow", c.a, c.b, err)
		}
	}
	if got, err := Add(math.MinInt64, 0); err != nil || got != math.MinInt64 {
		t.Errorf("adding nothing to the smallest value gave %d, %v", got, err)
	}
}

func TestMulDivAgreesWithBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(0, math.MaxInt64).Draw(t, "amount")
		num := rapid.Int64Range(0, math.MaxInt64).Draw(t, "num")
		den := rapid.Int64Range(1, math.MaxInt64).Draw(t, "den")
		want := new(big.Int).Mul(big.NewInt(amount), big.NewInt(num))
		want.Mul(want, big.NewInt(2)).Add(want, big.NewInt(den))
		want.Div(want, new(big.Int).Mul(big.NewInt(2), big.NewInt(den)))
		got, err := MulDiv(Won(amount), num, den)
		if !want.IsInt64() {
			if !errors.Is(err, ErrOverflow) {
				t.Fatalf("want ErrOverflow, got %d, %v", got, err)
			}
			return
		}
		if err != nil || int64(got) != want.Int64() {
			t.Fatalf("got %d, %v; want %s", got, err, want)
		}
	})
}

func TestMulDivRefusesNegativeOperands(t *testing.T) {
	for _, c := range [][3]int64{{-1, 1, 1}, {1, -1, 1}, {1, 1, 0}, {1, 1, -1}} {
		if _, err := MulDiv(Won(c[0]), c[1], c[2]); err == nil {
			t.Errorf("MulDiv(%v) was accepted", c)
		}
	}
}

func TestPrinting(t *testing.T) {
	for w, want := range map[Won]string{0: "0원", 999: "999원", 1000: "1,000원", -1234567: "-1,234,567원", 10_000_000_000: "10,000,000,000원"} {
		if got := w.String(); got != want {
			t.Errorf("%d prints %q, want %q", int64(w), got, want)
		}
	}
}
