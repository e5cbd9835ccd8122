package focus

import (
	"bytes"
	"math/big"

	"github.com/shopspring/decimal"
)

// The bounds of a number. They hold what bills contain, doubles with their noise included, and keep a text like
// "1e1000000" from becoming a number with a million digits.
const (
	maxDigits   = 38 // significant ones
	maxExponent = 30 // of the leading digit, either way
)

// parseNumber reads "-12.50" or "1E-7". Thousands separators, currency signs and anything else are no number.
func parseNumber(s []byte) (decimal.Decimal, bool) {
	s = bytes.TrimSpace(s)
	negative := len(s) > 0 && s[0] == '-'
	if negative || len(s) > 0 && s[0] == '+' {
		s = s[1:]
	}
	var (
		coefficient int64
		digits      int // significant ones so far
		seen, point bool
		exp, i      int
	)
loop:
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			seen = true
			if point {
				exp--
			}
			if digits > 0 || c != '0' {
				digits++
			}
			if digits <= 18 {
				coefficient = coefficient*10 + int64(c-'0')
			}
		case c == '.' && !point:
			point = true
		default:
			break loop
		}
	}
	scientific, ok := exponent(s[i:])
	if !seen || !ok {
		return decimal.Decimal{}, false
	}
	mantissa := s[:i]
	exp += scientific
	switch {
	case digits == 0:
		return decimal.New(0, int32(max(min(exp, 0), -maxExponent))), true
	case digits > 18:
		return longNumber(mantissa, negative, exp)
	case exp+digits-1 > maxExponent || exp+digits-1 < -maxExponent:
		return decimal.Decimal{}, false
	case negative:
		coefficient = -coefficient
	}
	return decimal.New(coefficient, int32(exp)), true
}

// longNumber is parseNumber for what does not fit an int64; mantissa has digits and at most one point.
func longNumber(mantissa []byte, negative bool, exp int) (decimal.Decimal, bool) {
	digits := bytes.ReplaceAll(mantissa, []byte("."), nil)
	digits = bytes.TrimLeft(digits, "0")
	for len(digits) > maxDigits && digits[len(digits)-1] == '0' && exp < 0 {
		digits, exp = digits[:len(digits)-1], exp+1
	}
	leading := exp + len(digits) - 1
	if len(digits) > maxDigits || leading > maxExponent || leading < -maxExponent {
		return decimal.Decimal{}, false
	}
	value, ok := new(big.Int).SetString(string(digits), 10)
	if !ok {
		return decimal.Decimal{}, false
	}
	if negative {
		value.Neg(value)
	}
	return decimal.NewFromBigInt(value, int32(exp)), true
}

// exponent reads "", "e5" or "E-07".
func exponent(s []byte) (int, bool) {
	if len(s) == 0 {
		return 0, true
	}
	if s[0]|0x20 != 'e' {
		return 0, false
	}
	s = s[1:]
	sign := 1
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	if len(s) == 0 {
		return 0, false
	}
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int(c-'0'), 1_000_000) // far beyond every bound, and safe to add to
	}
	return sign * n, true
}
