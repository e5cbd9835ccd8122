package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const spotRight = "ec2:DescribeSpotPriceHistory"

// spotPrices are those of Linux at this moment, by size. Zones have prices of their own, of which the dearest counts, so that
// nothing is promised which another zone would not keep.
func (c *Collector) spotPrices(ctx context.Context, region string) ([]resource.Price, error) {
	now := c.now()
	dearest := map[string]decimal.Decimal{}
	in := &ec2.DescribeSpotPriceHistoryInput{StartTime: &now, EndTime: &now, ProductDescriptions: []string{"Linux/UNIX"}, MaxResults: aws.Int32(perPage)}
	for pages := ec2.NewDescribeSpotPriceHistoryPaginator(ec2.NewFromConfig(c.account.in(region)), in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, spotRight)
		}
		for _, s := range page.SpotPriceHistory {
			amount, err := decimal.NewFromString(aws.ToString(s.SpotPrice))
			if err != nil {
				return nil, fault.Wrap(err, fault.Unavailable, "AWS answered with a spot price that is no number; try again in a moment.")
			}
			if size := string(s.InstanceType); amount.GreaterThan(dearest[size]) {
				dearest[size] = amount
			}
		}
	}
	out := make([]resource.Price, 0, len(dearest))
	for size, amount := range dearest {
		out = append(out, resource.Price{Cloud: resource.AWS, Region: region, Type: resource.Instance, Size: size, Unit: "hour", Variant: resource.SpotPrice, Amount: amount, Currency: dollars})
	}
	return out, nil
}
