package postgres

import "github.com/shopspring/decimal"

// sum adds decimals exactly and, as long as they are of ordinary size, in one machine word: a bill has millions of costs,
// and each addition of two decimals would make garbage.
type sum struct {
	big   decimal.Decimal // what did not fit into small
	small int64           // in units of 10^exp
	exp   int32
}

const (
	smallDigits = 17
	// smallLimit leaves room for one more addend of smallDigits digits.
	smallLimit = int64(4e18)
)

var powersOfTen = func() (p [smallDigits + 1]int64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = 10 * p[i-1]
	}
	return p
}()

func (s *sum) add(d decimal.Decimal) {
	exp, digits := d.Exponent(), d.NumDigits()
	if exp < s.exp && digits <= smallDigits { // finer than all before
		s.spill()
		s.exp = exp
	}
	shift := int(exp - s.exp)
	if shift < 0 || shift+digits > smallDigits {
		s.big = s.big.Add(d)
		return
	}
	s.small += d.CoefficientInt64() * powersOfTen[shift]
	if s.small > smallLimit || s.small < -smallLimit {
		s.spill()
	}
}

func (s *sum) spill() {
	if s.small != 0 {
		s.big = s.big.Add(decimal.New(s.small, s.exp))
		s.small = 0
	}
}

// value is the exact sum so far.
func (s *sum) value() decimal.Decimal {
	if s.small == 0 {
		return s.big
	}
	return s.big.Add(decimal.New(s.small, s.exp))
}

// costs are the four sums that are kept apart throughout.
type costs struct{ billed, effective, list, contracted sum }
