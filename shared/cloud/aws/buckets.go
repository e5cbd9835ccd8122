package aws

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	metric "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	bucketRight    = "s3:ListAllMyBuckets"
	lifecycleRight = "s3:GetLifecycleConfiguration"
)

// newS3 makes a client for any server that speaks S3.
func newS3(config aws.Config) *s3.Client {
	return s3.NewFromConfig(config, func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil // other servers than AWS have no name for every bucket
		o.DisableLogOutputChecksumValidationSkipped = true
	})
}

// readBuckets lists the S3 buckets of one region, which the bill names by their names. What one bucket does not tell, because its
// own policy denies it, is left out of its attributes.
func readBuckets(ctx context.Context, p place) ([]resource.Resource, error) {
	client := newS3(p.account.in(p.region))
	var out []resource.Resource
	for pages := s3.NewListBucketsPaginator(client, &s3.ListBucketsInput{BucketRegion: &p.region, MaxBuckets: aws.Int32(perPage)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, bucketRight)
		}
		for _, b := range page.Buckets {
			// A server that tells no regions has all buckets in its first one.
			if region := aws.ToString(b.BucketRegion); region == p.region || region == "" && p.region == global {
				r := p.resource(resource.Bucket, aws.ToString(b.Name), nil, b.CreationDate)
				r.Name = r.ID
				out = append(out, r)
			}
		}
	}
	if err := tag(ctx, p, "s3", out, func(r resource.Resource) string { return "arn:" + partition(p.region) + ":s3:::" + r.ID }); err != nil {
		return nil, err
	}
	err := each(ctx, out, func(ctx context.Context, r resource.Resource) error { return lifecycle(ctx, client, r) })
	if err != nil {
		return nil, err
	}
	p.weigh(ctx, out)
	return out, nil
}

// lifecycle counts the rules that are on.
func lifecycle(ctx context.Context, client *s3.Client, r resource.Resource) error {
	found, err := client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &r.ID})
	switch code := codeOf(err); {
	case code == "NoSuchLifecycleConfiguration":
		r.Attributes[resource.AttrLifecycleRules] = "0"
		return nil
	case code == "NoSuchBucket": // deleted meanwhile
		return nil
	case err != nil:
		if err = translate(err, lifecycleRight); fault.CodeOf(err) == fault.Forbidden {
			return nil
		}
		return err
	}
	on := 0
	for _, rule := range found.Rules {
		if rule.Status == types.ExpirationStatusEnabled {
			on++
		}
	}
	r.Attributes[resource.AttrLifecycleRules] = strconv.Itoa(on)
	return nil
}

// weigh adds what buckets hold in their standard class, which CloudWatch measures once a day. It is left out where that cannot be
// read, or would cost more than the connection may.
func (p place) weigh(ctx context.Context, all []resource.Resource) {
	end := cost.Day(p.find.now())
	client := newCloudWatch(p.account.in(p.region))
	for batch := range slices.Chunk(all, metricsPerCall) {
		if p.find.meter.Spend(metricsAsked, int64(len(batch)), metricPrice) != nil {
			return
		}
		in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(end.AddDate(0, 0, -3)), EndTime: &end, ScanBy: metric.ScanByTimestampDescending}
		for i, r := range batch {
			in.MetricDataQueries = append(in.MetricDataQueries, metric.MetricDataQuery{Id: aws.String("q" + strconv.Itoa(i)), MetricStat: &metric.MetricStat{
				Period: aws.Int32(int32(24 * time.Hour / time.Second)), Stat: aws.String("Average"),
				Metric: &metric.Metric{Namespace: aws.String("AWS/S3"), MetricName: aws.String("BucketSizeBytes"), Dimensions: []metric.Dimension{
					{Name: aws.String("BucketName"), Value: &r.ID}, {Name: aws.String("StorageType"), Value: aws.String("StandardStorage")},
				}},
			}})
		}
		for pages := cloudwatch.NewGetMetricDataPaginator(client, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return
			}
			for _, found := range page.MetricDataResults {
				i, err := strconv.Atoi(aws.ToString(found.Id)[min(1, len(aws.ToString(found.Id))):])
				if err != nil || i < 0 || i >= len(batch) || len(found.Values) == 0 || batch[i].Attributes[resource.AttrStandardGiB] != "" {
					continue
				}
				batch[i].Attributes[resource.AttrStandardGiB] = strconv.FormatFloat(found.Values[0]/(1<<30), 'f', -1, 64)
			}
		}
	}
}
