package recommend

import (
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// The units of a price list.
const (
	perHour       = "hour"
	perGiBMonth   = "GiB-month"
	perIOPSMonth  = "IOPS-month"
	perMiBpsMonth = "MiBps-month"
)

type priceKey struct {
	region string
	typ    resource.Type
	size   string
	unit   string
}

// priceBook finds prices. What is not in it has no price, which is not the same as costing nothing.
type priceBook map[priceKey]resource.Price

func newPriceBook(prices []resource.Price) priceBook {
	book := make(priceBook, len(prices))
	for _, p := range prices {
		book[priceKey{p.Region, p.Type, p.Size, p.Unit}] = p
	}
	return book
}

func (b priceBook) find(region string, typ resource.Type, size, unit string) (resource.Price, bool) {
	p, ok := b[priceKey{region, typ, size, unit}]
	return p, ok && p.Amount.IsPositive()
}

// snapshot is what a GiB of a snapshot costs a month in the region: the lowest price where there are several tiers would
// promise too much, so the highest counts.
func (b priceBook) snapshot(region string) (resource.Price, bool) {
	var best resource.Price
	found := false
	for key, p := range b {
		if key.region == region && key.typ == resource.Snapshot && key.unit == perGiBMonth && (!found || p.Amount.GreaterThan(best.Amount)) {
			best, found = p, true
		}
	}
	return best, found
}

// effective labels an amount as effective cost.
func effective(amount decimal.Decimal, currency cost.Currency) cost.Money {
	return cost.Money{Amount: amount, Currency: currency, Basis: cost.Effective}
}

// number reads an attribute that is a number.
func number(attributes map[string]string, name string) (float64, bool) {
	v, err := strconv.ParseFloat(attributes[name], 64)
	return v, err == nil && v > 0
}

func exact(v float64) decimal.Decimal { return decimal.NewFromFloat(v) }
