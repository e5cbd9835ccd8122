package recommend

import (
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// magnitudes say, to a power of ten, how many units of a currency are worth one US dollar. No amount is converted by them: they
// only say which savings are small in the currency of the bill, for which a power of ten, that holds for years, is exact enough.
// A currency that is not here counts one for one.
var magnitudes = map[cost.Currency]int64{
	"AED": 10, "ARS": 1_000, "BDT": 100, "BRL": 10, "CLP": 1_000, "CNY": 10, "COP": 1_000, "CZK": 10, "DKK": 10, "EGP": 100,
	"HKD": 10, "HUF": 100, "IDR": 10_000, "ILS": 10, "INR": 100, "ISK": 100, "JPY": 100, "KRW": 1_000, "MXN": 10, "MYR": 10,
	"NGN": 1_000, "NOK": 10, "PHP": 100, "PKR": 100, "PLN": 10, "RON": 10, "RUB": 100, "SAR": 10, "SEK": 10, "THB": 10,
	"TRY": 10, "TWD": 10, "UAH": 10, "VND": 10_000, "ZAR": 10,
}

func magnitude(c cost.Currency) int64 {
	if m, ok := magnitudes[c]; ok {
		return m
	}
	return 1
}

// DefaultMinSaving is the monthly saving below which a change is not worth anybody's attention: 5 US dollars, and in another
// currency 5 times a power of ten that is worth about as much.
func DefaultMinSaving(c cost.Currency) decimal.Decimal {
	return decimal.NewFromInt(5 * magnitude(c))
}
