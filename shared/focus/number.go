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

// parseNumber reads "-12.50" or "1E-7". Thousands separators, currency signs and anything else are no number. Those that
// fit into a machine word are made by known.
func parseNumber(s []byte, known coefficients) (decimal.Decimal, bool) {
	negative, s := cutSign(bytes.TrimSpace(s))
	m := scanMantissa(s)
	scientific, ok := exponent(s[m.length:])
	if !m.seen || !ok {
		return decimal.Decimal{}, false
	}
	exp := m.exp + scientific
	leading := exp + m.digits - 1
	switch {
	case m.digits == 0:
		return known.decimal(0, int32(max(min(exp, 0), -maxExponent))), true
	case m.digits > 18:
		return longNumber(s[:m.length], negative, exp)
	case leading > maxExponent || leading < -maxExponent:
		return decimal.Decimal{}, false
	case negative:
		return known.decimal(-m.coefficient, int32(exp)), true
	}
	return known.decimal(m.coefficient, int32(exp)), true
}

func cutSign(s []byte) (negative bool, rest []byte) {
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		return s[0] == '-', s[1:]
	}
	return false, s
}

// mantissa is the part of a number before its exponent.
type mantissa struct {
	length      int   // in bytes
	coefficient int64 // the digits without the point, right for up to 18 of them
	digits      int   // significant ones
	exp         int   // of the coefficient
	seen        bool  // whether there was any digit
}

func scanMantissa(s []byte) (m mantissa) {
	point := false
	for ; m.length < len(s); m.length++ {
		c := s[m.length]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		m.seen = true
		if point {
			m.exp--
		}
		if m.digits > 0 || c != '0' {
			m.digits++
		}
		if m.digits <= 18 {
			m.coefficient = m.coefficient*10 + int64(c-'0')
		}
	}
	return m
}

// longNumber is parseNumber for what does not fit an int64; text has digits and at most one point.
func longNumber(text []byte, negative bool, exp int) (decimal.Decimal, bool) {
	digits := bytes.ReplaceAll(text, []byte("."), nil)
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
	negative, s := cutSign(s[1:])
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
	if negative {
		n = -n
	}
	return n, true
}
