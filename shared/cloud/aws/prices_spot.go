package aws

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	spotRight = "ec2:DescribeSpotPriceHistory"
	// spotWindow is a week, so that working days and weekends count as they come. AWS keeps ninety days, but a price follows
	// what is free now, and every region has some thousand changes a day.
	spotWindow = 7 * 24 * time.Hour
	// spotDigits are more than the four to six decimals that AWS writes.
	spotDigits = 10
)

// pool is capacity of one size in one zone, which has a price of its own.
type pool struct{ size, zone string }

// spotChange is a price, and since when it has been the price.
type spotChange struct {
	at     time.Time
	amount decimal.Decimal
}

// spotPrices are those of Linux of the last week, by size: the mean over time, so that nothing is promised of a dip that is over
// by tomorrow, and the highest. Of both the dearest zone's counts, so that nothing is promised which another zone would not keep.
func (c *Collector) spotPrices(ctx context.Context, region string) ([]resource.Price, error) {
	now := c.now().UTC()
	window := cost.Period{Start: now.Add(-spotWindow), End: now}
	history, err := c.spotHistory(ctx, region, window)
	if err != nil {
		return nil, err
	}
	means, peaks := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
	for p, changes := range history {
		mean, peak, known := overTime(changes, window)
		if !known {
			continue
		}
		means[p.size], peaks[p.size] = decimal.Max(means[p.size], mean), decimal.Max(peaks[p.size], peak)
	}
	out := make([]resource.Price, 0, len(means)+len(peaks))
	for variant, amounts := range map[string]map[string]decimal.Decimal{resource.SpotPrice: means, resource.SpotPeakPrice: peaks} {
		for size, amount := range amounts {
			out = append(out, resource.Price{Cloud: resource.AWS, Region: region, Type: resource.Instance, Size: size, Unit: "hour", Variant: variant, Amount: amount, Currency: dollars})
		}
	}
	return out, nil
}

// spotHistory lists the changes within the window, and the last one before it, which is the price that it begins with.
func (c *Collector) spotHistory(ctx context.Context, region string, window cost.Period) (map[pool][]spotChange, error) {
	out := map[pool][]spotChange{}
	in := &ec2.DescribeSpotPriceHistoryInput{StartTime: &window.Start, EndTime: &window.End, ProductDescriptions: []string{"Linux/UNIX"}, MaxResults: aws.Int32(perPage)}
	for pages := ec2.NewDescribeSpotPriceHistoryPaginator(ec2.NewFromConfig(c.account.in(region)), in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, spotRight)
		}
		for _, s := range page.SpotPriceHistory {
			change, err := spotChangeOf(s)
			if err != nil {
				return nil, err
			}
			p := pool{string(s.InstanceType), aws.ToString(s.AvailabilityZone)}
			out[p] = append(out[p], change)
		}
	}
	return out, nil
}

func spotChangeOf(s types.SpotPrice) (spotChange, error) {
	amount, err := decimal.NewFromString(aws.ToString(s.SpotPrice))
	if err != nil || s.Timestamp == nil || !amount.IsPositive() {
		return spotChange{}, fault.New(fault.Unavailable, "AWS answered with a spot price without its amount or its time; try again in a moment.")
	}
	return spotChange{s.Timestamp.UTC(), amount}, nil
}

// overTime is the mean of the window, each price weighed by how long it held, and the highest of it. A pool that is younger than
// the window counts from its first price on.
func overTime(changes []spotChange, window cost.Period) (mean, peak decimal.Decimal, known bool) {
	slices.SortFunc(changes, func(a, b spotChange) int { return a.at.Compare(b.at) })
	sum, seconds := decimal.Zero, decimal.Zero
	for i, change := range changes {
		from, to := change.at, window.End
		if i+1 < len(changes) {
			to = changes[i+1].at
		}
		if from.Before(window.Start) {
			from = window.Start
		}
		if !to.After(from) || !from.Before(window.End) {
			continue
		}
		held := decimal.New(int64(to.Sub(from)), -9)
		sum, seconds = sum.Add(change.amount.Mul(held)), seconds.Add(held)
		peak = decimal.Max(peak, change.amount)
	}
	if !seconds.IsPositive() {
		return mean, peak, false
	}
	return sum.DivRound(seconds, spotDigits), peak, true
}
