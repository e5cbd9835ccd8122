package aws

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	hub "github.com/aws/aws-sdk-go-v2/service/costoptimizationhub"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	machine "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/savingsplans"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// probesOf try what is read in every account.
func (c *Collector) probesOf(a account) []probe {
	probes := append(probesOfEC2(a), c.probesOfServices(a)...)
	if c.settings.noCommitments {
		return probes
	}
	return append(probes, probe{reservationRight, func(ctx context.Context) error {
		_, err := ec2.NewFromConfig(a.in(global)).DescribeReservedInstances(ctx, &ec2.DescribeReservedInstancesInput{DryRun: aws.Bool(true)})
		return err
	}}, probe{dbReservationRight, func(ctx context.Context) error {
		_, err := rds.NewFromConfig(a.in(global)).DescribeReservedDBInstances(ctx, &rds.DescribeReservedDBInstancesInput{MaxRecords: aws.Int32(20)})
		return err
	}}, probe{planRight, func(ctx context.Context) error {
		_, err := savingsplans.NewFromConfig(a.in(global)).DescribeSavingsPlans(ctx, &savingsplans.DescribeSavingsPlansInput{MaxResults: aws.Int32(1)})
		return err
	}})
}

func probesOfEC2(a account) []probe {
	machines, dry := ec2.NewFromConfig(a.in(global)), aws.Bool(true)
	return []probe{
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
	}
}

func (c *Collector) probesOfServices(a account) []probe {
	home := a.in(global)
	probes := []probe{
		{"rds:DescribeDBInstances", func(ctx context.Context) error {
			_, err := rds.NewFromConfig(home).DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{MaxRecords: aws.Int32(20)})
			return err
		}},
		{functionRight, func(ctx context.Context) error {
			_, err := lambda.NewFromConfig(home).ListFunctions(ctx, &lambda.ListFunctionsInput{MaxItems: aws.Int32(1)})
			return err
		}},
		{scalingRight, func(ctx context.Context) error {
			_, err := autoscaling.NewFromConfig(home).DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: aws.Int32(1)})
			return err
		}},
		{tagRight, func(ctx context.Context) error {
			_, err := tagging.NewFromConfig(home).GetResources(ctx, &tagging.GetResourcesInput{ResourcesPerPage: aws.Int32(1)})
			return err
		}},
		{metricRight, func(ctx context.Context) error {
			hour := cost.Period{Start: c.now().Add(-time.Hour).Truncate(time.Hour), End: c.now().Truncate(time.Hour)}
			q := ingest.UsageQuery{Refs: []resource.Ref{{Cloud: resource.AWS, Type: resource.Instance, ID: "i-0"}}, Metrics: []resource.Metric{resource.CPU}, Period: hour, Every: time.Hour}
			_, byPlace := questions(q)
			return c.measure(ctx, newCloudWatch(home), byPlace[[2]string{}], q)
		}},
	}
	return append(append(probes, probesOfBalancers(a)...), probesOfBuckets(a)...)
}

// probesOfBalancers ask for one that does not exist, where there is no other way.
func probesOfBalancers(a account) []probe {
	client := elb.NewFromConfig(a.in(global))
	arn := "arn:aws:elasticloadbalancing:" + global + ":" + a.id
	return []probe{
		{balancerRight, func(ctx context.Context) error {
			_, err := client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{PageSize: aws.Int32(1)})
			return err
		}},
		{balancerTagRight, func(ctx context.Context) error {
			_, err := client.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{arn + ":loadbalancer/app/none/0000000000000000"}})
			return granted(err)
		}},
		{groupRight, func(ctx context.Context) error {
			_, err := client.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{PageSize: aws.Int32(1)})
			return err
		}},
		{healthRight, func(ctx context.Context) error {
			_, err := client.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(arn + ":targetgroup/none/0000000000000000")})
			return granted(err)
		}},
	}
}

// probesOfBuckets try the first bucket; without any, there is nothing that could be denied.
func probesOfBuckets(a account) []probe {
	client, first := newS3(a.in(global)), ""
	return []probe{
		{bucketRight, func(ctx context.Context) error {
			list, err := client.ListBuckets(ctx, &s3.ListBucketsInput{BucketRegion: aws.String(global), MaxBuckets: aws.Int32(1)})
			if err == nil && len(list.Buckets) > 0 {
				first = aws.ToString(list.Buckets[0].Name)
			}
			return err
		}},
		{lifecycleRight, func(ctx context.Context) error {
			if first == "" {
				return nil
			}
			_, err := client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &first})
			return granted(err)
		}},
	}
}

// probesOfHome try what is read once, in the connection's account.
func (c *Collector) probesOfHome() []probe {
	home := c.account.in(global)
	var probes []probe
	if !c.settings.noPrices {
		probes = append(probes, probe{priceRight, func(ctx context.Context) error {
			_, err := pricing.NewFromConfig(home).GetProducts(ctx, &pricing.GetProductsInput{ServiceCode: aws.String("AmazonEC2"), MaxResults: aws.Int32(1)})
			return err
		}}, probe{spotRight, func(ctx context.Context) error {
			_, err := ec2.NewFromConfig(home).DescribeSpotPriceHistory(ctx, &ec2.DescribeSpotPriceHistoryInput{DryRun: aws.Bool(true)})
			return err
		}})
	}
	if !c.settings.noAdvice {
		client := hub.NewFromConfig(home)
		probes = append(probes, probe{enrolmentRight, func(ctx context.Context) error {
			_, err := client.ListEnrollmentStatuses(ctx, &hub.ListEnrollmentStatusesInput{})
			return err
		}}, probe{adviceRight, func(ctx context.Context) error {
			_, err := client.ListRecommendations(ctx, &hub.ListRecommendationsInput{MaxResults: aws.Int32(1)})
			return granted(err) // the hub may be switched off
		}})
	}
	if c.settings.memberRole != "" {
		probes = append(probes, probe{accountsRight, func(ctx context.Context) error {
			_, err := organizations.NewFromConfig(home).ListAccounts(ctx, &organizations.ListAccountsInput{MaxResults: aws.Int32(1)})
			return err
		}})
	}
	return probes
}
