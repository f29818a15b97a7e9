// Package money holds the one amount type of Holdfast: whole won.
//
// A Won is an int64 count of won. There are no fractions and no floats; every
// operation that could leave the range refuses instead of wrapping, and every
// division says where its remainder goes.
package money

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
)

// Won is a whole number of Korean won. Amounts in requests and postings are
// positive; a signed Won appears only where a report subtracts.
type Won int64

// Max is the largest amount of one payment that Holdfast accepts: ten thousand
// million won. Sums of many payments may exceed it; one payment may not.
const Max Won = 10_000_000_000

// ErrOverflow says that a sum or product left the range of int64.
var ErrOverflow = errors.New("amount overflows 64 bits")

// Add returns a+b, or ErrOverflow.
func Add(a, b Won) (Won, error) {
	c := a + b
	if (c > a) != (b > 0) && b != 0 {
		return 0, ErrOverflow
	}
	return c, nil
}

// Sum adds amounts from left to right and refuses on overflow.
func Sum(amounts ...Won) (Won, error) {
	var total Won
	for _, a := range amounts {
		t, err := Add(total, a)
		if err != nil {
			return 0, err
		}
		total = t
	}
	return total, nil
}

// MulDiv returns amount*num/den rounded half up (away from zero for an exact
// half), as fee and tax rules ask. Amount and num must not be negative and den
// must be positive; anything else, or a result beyond int64, is an error.
func MulDiv(amount Won, num, den int64) (Won, error) {
	if amount < 0 || num < 0 || den <= 0 {
		return 0, fmt.Errorf("cannot take %d/%d of %d: negative or zero operand", num, den, amount)
	}
	hi, lo := bits.Mul64(uint64(amount), uint64(num))
	if hi >= uint64(den) {
		return 0, ErrOverflow
	}
	quo, rem := bits.Div64(hi, lo, uint64(den))
	if rem >= uint64(den)-rem {
		quo++
	}
	if quo > 1<<63-1 {
		return 0, ErrOverflow
	}
	return Won(quo), nil
}

// String prints the amount with thousands separators and the won sign's Korean
// word, as buyers read it: 1,250,000원.
func (w Won) String() string { return w.Digits() + "원" }

// Digits prints the amount with thousands separators and no unit.
func (w Won) Digits() string {
	raw := strconv.FormatInt(int64(w), 10)
	sign := ""
	if raw[0] == '-' {
		sign, raw = "-", raw[1:]
	}
	head := len(raw) % 3
	out := raw[:head]
	for i := head; i < len(raw); i += 3 {
		if out != "" {
			out += ","
		}
		out += raw[i : i+3]
	}
	return sign + out
}
