package body

import "strings"

// numberTextMax is the longest number that is interpreted; more digits carry no
// amount or time of this world.
const numberTextMax = 64

// exponentMax bounds the power of ten of a number written with an exponent.
const exponentMax = 64

// parseWhole reads decimal text exactly. It takes the notations in which clients
// write whole numbers (1000, 1000.0, 1E+3) and refuses everything whose value is
// not a whole number from 0 to max. The text may not have blanks, separators,
// a leading '+', leading zeros or digits of other scripts.
func parseWhole(text string, limit int64) (int64, Reason) {
	if len(text) > numberTextMax {
		return 0, ReasonNotNumber
	}
	s := &scanner{src: text}
	if v, err := s.number(); err != nil || len(v.text) != len(text) {
		return 0, ReasonNotNumber
	}
	unsigned, negative := strings.CutPrefix(text, "-")
	digits, exponent := significand(unsigned)
	if digits == "" {
		return 0, Reason{}
	}
	switch {
	case negative:
		return 0, ReasonNegative
	case exponent < 0:
		return 0, ReasonFraction
	}
	return scale(digits, exponent, limit)
}

// significand returns the digits of a number without zeros at either end, and
// the power of ten that they are multiplied by. Zero has no digits.
func significand(text string) (string, int) {
	mantissa, power, _ := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	exponent := readExponent(power) - len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(trimmed)
	return strings.TrimLeft(trimmed, "0"), exponent
}

// readExponent reads the digits after 'e'. Values beyond ±exponentMax come back
// as just beyond it, which decides the number as surely as the exact value.
func readExponent(text string) int {
	digits, negative := strings.CutPrefix(text, "-")
	digits = strings.TrimPrefix(digits, "+")
	n := 0
	for i := 0; i < len(digits) && n <= 2*exponentMax; i++ {
		n = n*10 + int(digits[i]-'0')
	}
	if n > 2*exponentMax {
		n = 2 * exponentMax
	}
	if negative {
		return -n
	}
	return n
}

// scale computes digits × 10^exponent, or refuses what lies above limit.
func scale(digits string, exponent int, limit int64) (int64, Reason) {
	var n int64
	for i := range len(digits) + exponent {
		d := int64(0)
		if i < len(digits) {
			d = int64(digits[i] - '0')
		}
		if n > (limit-d)/10 {
			return 0, AtMost(limit)
		}
		n = n*10 + d
	}
	return n, Reason{}
}
