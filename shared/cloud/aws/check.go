package aws

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	machine "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// probe is a call that only tells whether a right is there.
type probe struct {
	right string
	try   func(ctx context.Context) error
}

// Check implements ingest.Collector. It tries every call that collection makes: those of EC2 as dry runs, the others as their
// smallest reading. It costs one metric, and one Cost Explorer request where the bill comes from there.
// A role that cannot be assumed at all is fault.Forbidden.
func (c *Collector) Check(ctx context.Context) ([]string, error) {
	if _, err := sts.NewFromConfig(c.account.in(global)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		return nil, translate(err, "sts:AssumeRole")
	}
	missing := []string{}
	for _, p := range append(c.probesOfCosts(), c.probesOfResources()...) {
		err := p.try(ctx)
		if err == nil || codeOf(err) == "DryRunOperation" {
			continue
		}
		if err = translate(err, p.right); fault.CodeOf(err) != fault.Forbidden {
			return nil, err
		}
		missing = append(missing, p.right)
	}
	return missing, nil
}

func (c *Collector) probesOfCosts() []probe {
	if c.settings.bucket != "" {
		return []probe{
			{"s3:ListBucket", func(ctx context.Context) error { _, err := c.manifests(ctx, cost.MonthStart(c.now())); return err }},
			{"s3:GetObject", c.probeObject},
		}
	}
	return []probe{{costRight, func(ctx context.Context) error {
		day := cost.Days(c.now().AddDate(0, 0, -2), 1)
		in := &costexplorer.GetCostAndUsageInput{TimePeriod: interval(day), Granularity: types.GranularityDaily, Metrics: []string{unblended}}
		if err := c.meter.Spend(explorerRequests, 1, explorerPrice); err != nil {
			return err
		}
		_, err := costexplorer.NewFromConfig(c.account.in(global)).GetCostAndUsage(ctx, in)
		return err
	}}}
}

func (c *Collector) probesOfResources() []probe {
	home := c.account.in(global)
	machines, dry := ec2.NewFromConfig(home), aws.Bool(true)
	probes := []probe{
		{"ec2:DescribeRegions", func(ctx context.Context) error {
			_, err := machines.DescribeRegions(ctx, &ec2.DescribeRegionsInput{DryRun: dry})
			return err
		}},
		{"ec2:DescribeInstances", func(ctx context.Context) error {
			_, err := machines.DescribeInstances(ctx, &ec2.DescribeInstancesInput{DryRun: dry})
			return err
		}},
		{"ec2:DescribeInstanceTypes", func(ctx context.Context) error {
			_, err := machines.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{DryRun: dry, InstanceTypes: []machine.InstanceType{"m5.large"}})
			return err
		}},
		{"ec2:DescribeVolumes", func(ctx context.Context) error {
			_, err := machines.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{DryRun: dry})
			return err
		}},
		{"ec2:DescribeSnapshots", func(ctx context.Context) error {
			_, err := machines.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{DryRun: dry, OwnerIds: []string{"self"}})
			return err
		}},
		{"ec2:DescribeAddresses", func(ctx context.Context) error {
			_, err := machines.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{DryRun: dry})
			return err
		}},
		{"rds:DescribeDBInstances", func(ctx context.Context) error {
			_, err := rds.NewFromConfig(home).DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{MaxRecords: aws.Int32(20)})
			return err
		}},
		{metricRight, func(ctx context.Context) error {
			hour := cost.Period{Start: c.now().Add(-time.Hour).Truncate(time.Hour), End: c.now().Truncate(time.Hour)}
			q := ingest.UsageQuery{Refs: []resource.Ref{{Cloud: resource.AWS, Type: resource.Instance, ID: "i-0"}}, Metrics: []resource.Metric{resource.CPU}, Period: hour, Every: time.Hour}
			_, byPlace := questions(q)
			return c.measure(ctx, newCloudWatch(home), byPlace[[2]string{}], q)
		}},
	}
	if !c.settings.noPrices {
		probes = append(probes, probe{priceRight, func(ctx context.Context) error {
			_, err := pricing.NewFromConfig(home).GetProducts(ctx, &pricing.GetProductsInput{ServiceCode: aws.String("AmazonEC2"), MaxResults: aws.Int32(1)})
			return err
		}})
	}
	if c.settings.memberRole != "" {
		probes = append(probes, probe{"organizations:ListAccounts", func(ctx context.Context) error {
			_, err := organizations.NewFromConfig(home).ListAccounts(ctx, &organizations.ListAccountsInput{MaxResults: aws.Int32(1)})
			return err
		}})
	}
	return probes
}
