package sandbox

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	planCloud = resource.AWS // the only one with a plan
	planID    = "arn:aws:savingsplans::111122223333:savingsplan/3f0f6f0b-52a1-4d0a-9f43-1c1e4b7c9d20"
	planName  = "Compute savings plan, one year, no upfront"
)

var (
	planHourly = decimal.RequireFromString("1.29") // USD committed an hour
	planRate   = decimal.RequireFromString("0.72") // of the on-demand price
)

// commitment spends the day's savings plan on the instances it covers; what is left over is billed as unused. So the
// effective cost of what was used and what was not is always what was purchased.
type commitment struct {
	hours decimal.Decimal // of the day that are on the bill
	left  decimal.Decimal // USD
}

// newCommitment begins a day.
func newCommitment(cloud resource.Cloud, length time.Duration) *commitment {
	if cloud != planCloud {
		return nil
	}
	hours := hoursIn(length)
	return &commitment{hours: hours, left: hours.Mul(planHourly)}
}

// cover splits a row into the part that the plan pays and the part at the on-demand price.
func (p *commitment) cover(row focus.Row, c charge) []focus.Row {
	rate := c.price.Mul(planRate)
	paid := c.quantity
	if most := p.left.DivRound(rate, 8).Truncate(6); most.LessThan(paid) {
		paid = most
	}
	var out []focus.Row
	if paid.IsPositive() {
		covered := committed(withQuantity(row, paid), "Used")
		covered.BilledCost, covered.EffectiveCost = decimal.Zero, paid.Mul(rate)
		p.left = p.left.Sub(covered.EffectiveCost)
		out = append(out, covered)
	}
	if rest := c.quantity.Sub(paid); rest.IsPositive() {
		out = append(out, withQuantity(row, rest))
	}
	return out
}

// withQuantity is a row of the same thing for another quantity, at the row's list price.
func withQuantity(row focus.Row, quantity decimal.Decimal) focus.Row {
	amount := quantity.Mul(row.ListUnitPrice.Decimal)
	row.BilledCost, row.EffectiveCost, row.ListCost, row.ContractedCost = amount, amount, amount, amount
	row.PricingQuantity, row.ConsumedQuantity = decimal.NewNullDecimal(quantity), decimal.NewNullDecimal(quantity)
	return row
}

// committed names the plan in a row. The status is that of FOCUS, Used or Unused; a purchase has none.
func committed(row focus.Row, status string) focus.Row {
	if status != "" {
		row.PricingCategory = "Committed"
	}
	row.CommitmentDiscountCategory, row.CommitmentDiscountType = "Spend", "Compute Savings Plan"
	row.CommitmentDiscountID, row.CommitmentDiscountName = planID, planName
	row.CommitmentDiscountStatus = status
	return row
}

// rows are the day's purchase of the plan, whose effective cost is zero because its use carries it, and what nobody used.
func (p *commitment) rows(b *biller, day cost.Period) []focus.Row {
	if p == nil {
		return nil
	}
	base := b.blank(day, awsPayer)
	base.ServiceName, base.ServiceCategory, base.ServiceSubcategory = "Savings Plans for AWS Compute usage", "Compute", "Other (Compute)"
	base.ResourceID, base.ResourceName, base.ResourceType = planID, planName, "Savings Plan"
	base.ChargeFrequency, base.PricingUnit = "Recurring", "USD"

	price := decimal.NewNullDecimal(planHourly)
	amount := p.hours.Mul(planHourly)
	purchase := committed(base, "")
	purchase.ChargeCategory, purchase.ChargeDescription = "Purchase", "Savings plan, hourly commitment"
	purchase.BilledCost, purchase.ListCost, purchase.ContractedCost = amount, amount, amount
	purchase.PricingCategory, purchase.PricingUnit = "Standard", "Hours"
	purchase.PricingQuantity, purchase.ListUnitPrice, purchase.ContractedUnitPrice = decimal.NewNullDecimal(p.hours), price, price
	if !p.left.IsPositive() {
		return []focus.Row{purchase}
	}
	unused := committed(base, "Unused")
	unused.ChargeCategory, unused.ChargeDescription = "Usage", "Savings plan, commitment that was not used"
	unused.EffectiveCost, unused.PricingQuantity = p.left, decimal.NewNullDecimal(p.left)
	return []focus.Row{purchase, unused}
}
