package aws

import (
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// TestBucketsAreListedByRegion as S3 does it: each region's endpoint lists its own, page by page.
func TestBucketsAreListedByRegion(t *testing.T) {
	t.Parallel()
	list := func(region, token string, names ...string) string {
		var text strings.Builder
		for _, name := range names {
			text.WriteString("<Bucket><Name>" + name + "</Name><BucketRegion>" + region + "</BucketRegion><CreationDate>2026-01-02T03:04:05.000Z</CreationDate></Bucket>")
		}
		return "<ListAllMyBucketsResult><Buckets>" + text.String() + "</Buckets><ContinuationToken>" + token + "</ContinuationToken></ListAllMyBucketsResult>"
	}
	pages := map[string]int{}
	w := &wire{t: t, rest: refusal{404, "NoSuchLifecycleConfiguration"}, answers: map[string]func(object, string) any{
		"ec2.DescribeRegions": says(twoRegions),
		"s3.": func(_ object, region string) any {
			pages[region]++
			switch {
			case region != "eu-west-1":
				return list("eu-west-1", "", "elsewhere") // which would be a mistake of the server
			case pages[region] == 1:
				return list(region, "more", "a")
			}
			return list(region, "", "b")
		},
		"tagging.GetResources":     says(object{"ResourceTagMappingList": []object{{"ResourceARN": "arn:aws:s3:::b", "Tags": []object{{"Key": "team", "Value": "shop"}}}, {"ResourceARN": "arn:aws:s3:::gone"}}}),
		"monitoring.GetMetricData": says(`<GetMetricDataResponse><GetMetricDataResult><MetricDataResults><member><Id>q1</Id><StatusCode>Complete</StatusCode><Timestamps><member>2026-11-09T00:00:00Z</member></Timestamps><Values><member>1073741824</member></Values></member><member><Id>odd</Id></member></MetricDataResults></GetMetricDataResult></GetMetricDataResponse>`),
	}}
	got, err := collector(t, w.start(), nil, map[string]string{"services": "Amazon Simple Storage Service"}).Resources(t.Context())
	if err != nil || len(got.Resources) != 2 {
		t.Fatalf("%v %+v", err, got)
	}
	attributes(t, find(t, got.Resources, "a"), map[string]string{"lifecycle_rules": "0", "standard_gib": ""})
	b := find(t, got.Resources, "b")
	attributes(t, b, map[string]string{"lifecycle_rules": "0", "standard_gib": "1"})
	if b.Tags["team"] != "shop" || b.Region != "eu-west-1" || b.Type != resource.Bucket || b.CreatedAt.IsZero() {
		t.Errorf("%+v", b)
	}
	if p := got.Parts[0]; p.Status != ingest.Disabled || p.Region != "af-south-1" || p.Reason == "" {
		t.Errorf("%+v", p)
	}
}
