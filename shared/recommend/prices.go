package recommend

import (
	"strconv"
	"strings"

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
	region  string
	typ     resource.Type
	size    string
	unit    string
	variant string
}

// priceBook finds prices. What is not in it has no price, which is not the same as costing nothing.
type priceBook struct {
	prices    map[priceKey]resource.Price
	snapshots map[string]resource.Price // by region
	families  map[familyKey][]string    // sizes
}

type familyKey struct {
	cloud                 resource.Cloud
	region, name, variant string
}

func newPriceBook(cloud resource.Cloud, prices []resource.Price) priceBook {
	b := priceBook{map[priceKey]resource.Price{}, map[string]resource.Price{}, map[familyKey][]string{}}
	for _, p := range prices {
		if !p.Amount.IsPositive() {
			continue
		}
		key := priceKey{p.Region, p.Type, p.Size, p.Unit, p.Variant}
		_, twice := b.prices[key]
		b.prices[key] = p
		switch {
		case twice:
		case p.Type == resource.Snapshot && p.Unit == perGiBMonth && p.Variant == "":
			// The lowest of several tiers would promise too much, so the highest counts.
			if known, ok := b.snapshots[p.Region]; !ok || p.Amount.GreaterThan(known.Amount) {
				b.snapshots[p.Region] = p
			}
		case p.Type == resource.Instance && p.Unit == perHour:
			if name, ok := family(cloud, p.Size); ok {
				f := familyKey{cloud, p.Region, name, p.Variant}
				b.families[f] = append(b.families[f], p.Size)
			}
		}
	}
	return b
}

// find gives the usual price.
func (b priceBook) find(region string, typ resource.Type, size, unit string) (resource.Price, bool) {
	p, ok := b.prices[priceKey{region: region, typ: typ, size: size, unit: unit}]
	return p, ok
}

// variantOf is the variant of the price that an instance pays: a licence that is part of it makes sizes differ by less than their
// usual prices do. One that is brought along is none.
func variantOf(instance map[string]string) string {
	if licence := instance[resource.AttrLicence]; licence == resource.SQLServerLicence {
		return licence
	}
	windows := strings.Contains(strings.ToLower(instance[resource.AttrOS]), resource.WindowsPrice)
	if windows && instance[resource.AttrLicence] != resource.OwnLicence {
		return resource.WindowsPrice
	}
	return ""
}

// snapshot is what a GiB of a snapshot costs a month in the region.
func (b priceBook) snapshot(region string) (resource.Price, bool) {
	p, ok := b.snapshots[region]
	return p, ok
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
