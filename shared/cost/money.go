// Package cost is the vocabulary of money over time: amounts with a currency and a basis, half-open periods,
// the FOCUS dimensions a bill is cut by, and the daily series that analysis works on.
package cost

import (
	"fmt"
	"regexp"

	"github.com/shopspring/decimal"
)

// Basis says which of the FOCUS cost columns an amount comes from. Two bases are never added up.
type Basis string

// The FOCUS cost columns.
const (
	Billed     Basis = "billed"     // BilledCost: what the invoice asks for
	Effective  Basis = "effective"  // EffectiveCost: amortised, after all discounts
	List       Basis = "list"       // ListCost: public price
	Contracted Basis = "contracted" // ContractedCost: negotiated price before commitments
)

// Bases lists every basis in the order reports show them.
var Bases = []Basis{Billed, Effective, List, Contracted}

// ParseBasis reads a basis; the empty text is the default, Effective.
func ParseBasis(s string) (Basis, bool) {
	if s == "" {
		return Effective, true
	}
	for _, b := range Bases {
		if s == string(b) {
			return b, true
		}
	}
	return "", false
}

// Currency is an ISO 4217 code such as "USD".
type Currency string

var currencyShape = regexp.MustCompile(`^[A-Z]{3}$`)

// Valid reports whether c has the shape of a currency code.
func (c Currency) Valid() bool { return currencyShape.MatchString(string(c)) }

// Money is an exact amount. The zero value is no money of no currency, and adds to nothing but itself.
// A figure that is not known is a nil *Money, never a zero.
type Money struct {
	Amount   decimal.Decimal `json:"amount"`
	Currency Currency        `json:"currency"`
	Basis    Basis           `json:"basis"`
}

// NewMoney reads an exact amount such as "12.50".
func NewMoney(amount string, currency Currency, basis Basis) (Money, error) {
	d, err := decimal.NewFromString(amount)
	if err != nil {
		return Money{}, fmt.Errorf("amount %q is not a decimal number", amount)
	}
	return Money{Amount: d, Currency: currency, Basis: basis}, nil
}

// Add sums two amounts of the same currency and basis; anything else is a programming error and is refused.
func (m Money) Add(other Money) (Money, error) {
	if m.Currency != other.Currency || m.Basis != other.Basis {
		return Money{}, fmt.Errorf("cannot add %s (%s) to %s (%s)", other, other.Basis, m, m.Basis)
	}
	return m.with(m.Amount.Add(other.Amount)), nil
}

// Sub subtracts under the rules of Add.
func (m Money) Sub(other Money) (Money, error) { return m.Add(other.with(other.Amount.Neg())) }

// Mul scales the amount.
func (m Money) Mul(factor decimal.Decimal) Money { return m.with(m.Amount.Mul(factor)) }

// Round gives the amount with so many places, halves away from zero as invoices do.
func (m Money) Round(places int32) Money { return m.with(m.Amount.Round(places)) }

// Float is the amount for statistics and pictures; money is never computed from it.
func (m Money) Float() float64 { return m.Amount.InexactFloat64() }

// String shows two decimals and the currency: "12.50 USD".
func (m Money) String() string { return m.Amount.StringFixed(2) + " " + string(m.Currency) }

func (m Money) with(amount decimal.Decimal) Money {
	m.Amount = amount
	return m
}
