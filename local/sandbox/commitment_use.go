package sandbox

import (
	"context"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// planCollector reads the cloud of the savings plan.
type planCollector struct{ collector }

// Commitments implements ingest.CommitmentReader: the plan that the bill is written with, which is renewed every year, and its
// use as that bill has it.
func (c planCollector) Commitments(ctx context.Context, period cost.Period) (ingest.Commitments, error) {
	v, err := c.begin(ctx)
	if err != nil {
		return ingest.Commitments{}, err
	}
	start := v.base.Start
	for !start.AddDate(1, 0, 0).After(v.now) {
		start = start.AddDate(1, 0, 0)
	}
	hourly := planHourly
	held := resource.Commitment{
		Cloud: c.cloud, Account: awsPayer, ID: planID, Name: planName, Type: "Compute Savings Plan", Category: resource.SpendCommitment,
		Service: "Compute", Quantity: planHourly, Unit: "USD/hour", Hourly: &hourly, Currency: "USD", Payment: "no_upfront",
		Start: start, End: start.AddDate(1, 0, 0), State: "active",
	}
	return ingest.Commitments{
		Held:  []resource.Commitment{held},
		Use:   []resource.CommitmentUse{v.planUse(c.cloud, held, period)},
		Parts: []ingest.Part{{Service: "savings-plans", Status: ingest.OK}},
	}, nil
}

// planUse adds up what the bill says about the plan in the period.
func (v *view) planUse(cloud resource.Cloud, held resource.Commitment, period cost.Period) resource.CommitmentUse {
	var used, unused, covered, coverable decimal.Decimal
	for month := cost.MonthStart(period.Start); month.Before(period.End); month = month.AddDate(0, 1, 0) {
		v.bill(cloud, month, func(row focus.Row) bool {
			if row.ChargePeriod.Start.Before(period.Start) || !row.ChargePeriod.Start.Before(period.End) {
				return true
			}
			switch row.CommitmentDiscountStatus {
			case "Used":
				used, covered = used.Add(row.EffectiveCost), covered.Add(row.ListCost)
			case "Unused":
				unused = unused.Add(row.EffectiveCost)
			}
			if row.ResourceType == string(resource.Instance) {
				coverable = coverable.Add(row.ListCost)
			}
			return true
		})
	}
	return resource.CommitmentUse{
		Cloud: cloud, Account: held.Account, Type: held.Type, Commitment: held.ID, Period: period,
		Used: share(used, used.Add(unused)), Covered: share(covered, coverable), Unused: &unused, Currency: held.Currency,
	}
}

// share is nil where there is nothing to have a share of.
func share(part, of decimal.Decimal) *float64 {
	if !of.IsPositive() {
		return nil
	}
	f := part.Div(of).InexactFloat64()
	return &f
}
