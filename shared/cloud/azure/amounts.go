package azure

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/focus"
)

// digits of what is reckoned from prices, which may have more than can be stored.
const digits = 16

// amounts adds quantities, prices and what would have been paid by them. Where a price is not known, the cost is given as the
// larger of billed and effective cost, so that no discount shows that nobody knows of, and x_SourceChanges says so.
func (d *detailing) amounts(row *focus.Row, f fields) {
	larger := row.BilledCost
	if row.EffectiveCost.Abs().GreaterThan(larger.Abs()) {
		larger = row.EffectiveCost
	}
	row.ContractedCost, row.ListCost = larger, larger
	if row.ChargeCategory != usage {
		row.Extra = map[string]string{"x_SourceChanges": "MissingListCost,MissingContractedCost"}
		return
	}
	unit := f("unitofmeasure")
	block, name := blockOf(unit)
	row.ConsumedQuantity, row.ConsumedUnit = f.number("quantity"), d.texts.once(name)
	if row.ConsumedQuantity.Valid && block.IsPositive() && unit != "" {
		row.PricingQuantity, row.PricingUnit = decimal.NewNullDecimal(row.ConsumedQuantity.Decimal.DivRound(block, digits)), d.texts.once(unit)
	}
	var missing []string
	row.ListUnitPrice, row.ContractedUnitPrice = price(f, "paygprice", "marketprice"), price(f, "unitprice")
	paid := f.number("paygcostinbillingcurrency")
	if row.ContractedUnitPrice.Valid && row.PricingQuantity.Valid {
		row.ContractedCost = row.ContractedUnitPrice.Decimal.Mul(row.PricingQuantity.Decimal).Round(digits)
	} else {
		missing = append(missing, "MissingContractedCost")
	}
	switch {
	case paid.Valid && !paid.Decimal.IsZero():
		row.ListCost = paid.Decimal
	case row.ListUnitPrice.Valid && row.PricingQuantity.Valid:
		row.ListCost = row.ListUnitPrice.Decimal.Mul(row.PricingQuantity.Decimal).Round(digits)
	default:
		row.ListCost = row.ContractedCost
		missing = append([]string{"MissingListCost"}, missing...)
	}
	row.Extra = map[string]string{}
	if len(missing) > 0 {
		row.Extra["x_SourceChanges"] = strings.Join(missing, ",")
	}
}

// price is the first of the prices that there is, in the currency of the bill; a price of nothing is none.
func price(f fields, names ...string) decimal.NullDecimal {
	p := f.number(names...)
	rate, known := exchange(f)
	if !p.Valid || !p.Decimal.IsPositive() || !known {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(p.Decimal.Mul(rate).Round(digits))
}

// exchange is the rate from the currency of prices to the one of the bill; 1 where they are the same, or prices have none of
// their own.
func exchange(f fields) (decimal.Decimal, bool) {
	pricing, billing := f.first("pricingcurrencycode", "pricingcurrency"), f.first("billingcurrencycode", "billingcurrency")
	if pricing == "" || strings.EqualFold(pricing, billing) {
		return one, true
	}
	rate := f.number("exchangeratepricingtobilling", "exchangerate")
	return rate.Decimal, rate.Valid && rate.Decimal.IsPositive()
}

// blockOf reads a unit of measure: how many units are priced together, and what they are: "100 Hours", "10K", "1 GB/Month". A
// block that cannot be read is none.
func blockOf(unit string) (block decimal.Decimal, name string) {
	unit = strings.TrimSpace(unit)
	end := strings.IndexFunc(unit, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		end = len(unit)
	}
	if end == 0 {
		return one, unit // "Hours": one of them
	}
	block, err := decimal.NewFromString(unit[:end])
	rest := unit[end:]
	if err != nil {
		return decimal.Zero, unit
	}
	for suffix, zeros := range map[string]int32{"K": 3, "M": 6, "B": 9} {
		if after, ok := strings.CutPrefix(rest, suffix); ok && (after == "" || after[0] == ' ') {
			block, rest = block.Shift(zeros), after
		}
	}
	return block, strings.TrimSpace(strings.TrimPrefix(rest, "/"))
}

// dayOf reads a day as Azure writes it: 09/30/2026 in reports, 2026-09-30 elsewhere, with or without a time.
func dayOf(text string) (time.Time, bool) {
	layout := time.DateOnly
	if strings.Contains(text, "/") {
		layout = "01/02/2006"
	}
	if len(text) < len(layout) {
		return time.Time{}, false
	}
	day, err := time.Parse(layout, text[:len(layout)])
	return day, err == nil
}

// parseTags reads a JSON object of texts, with or without its braces.
func parseTags(raw string) (map[string]string, error) {
	raw = strings.TrimSpace(raw)
	if !strings.HasPrefix(raw, "{") {
		raw = "{" + strings.TrimSuffix(raw, ",") + "}"
	}
	var read map[string]any
	if err := json.Unmarshal([]byte(raw), &read); err != nil {
		return nil, err
	}
	pairs := make(map[string]string, len(read))
	for key, value := range read {
		switch value := value.(type) {
		case string:
			pairs[key] = value
		case nil:
			pairs[key] = ""
		default:
			text, err := json.Marshal(value)
			if err != nil {
				return nil, err
			}
			pairs[key] = string(text)
		}
	}
	return pairs, nil
}
