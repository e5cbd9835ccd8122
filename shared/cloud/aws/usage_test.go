package aws

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// TestUseThatMayNotBeReadIsAPart: one region of the two denies, or fails.
func TestUseThatMayNotBeReadIsAPart(t *testing.T) {
	s := moto(t)
	cases := map[string]struct {
		status int
		code   string
		part   ingest.Status // of the region
		failed fault.Code    // of everything
	}{
		"denied":     {403, "AccessDenied", ingest.Denied, ""},
		"region off": {403, "OptInRequired", ingest.Disabled, ""},
		"throttled":  {400, "ThrottlingException", "", fault.Throttled},
		"down":       {500, "InternalFailure", "", fault.Unavailable},
	}
	q := ingest.UsageQuery{Every: time.Hour, Period: cost.Period{Start: noon.Add(-3 * time.Hour), End: noon}, Metrics: []resource.Metric{resource.CPU}}
	for _, region := range []string{"us-east-1", "eu-west-1"} {
		q.Refs = append(q.Refs, resource.Ref{Cloud: resource.AWS, Account: main, Region: region, Type: resource.Instance, ID: "i-1"})
		client := newCloudWatch(seeding(collector(t, s.url, nil, nil).account.in(region)))
		must[*cloudwatch.PutMetricDataOutput](t)(client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/EC2"), MetricData: []cwtypes.MetricDatum{{
			MetricName: aws.String("CPUUtilization"), Timestamp: aws.Time(noon.Add(-90 * time.Minute)), Value: aws.Float64(5), Dimensions: []cwtypes.Dimension{{Name: aws.String("InstanceId"), Value: aws.String("i-1")}},
		}}}))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			front := refusing(t, s, func(service, region, _ string) (int, string) {
				if service == "monitoring" && region == "eu-west-1" {
					return c.status, `<ErrorResponse><Error><Type>Sender</Type><Code>` + c.code + `</Code><Message>no</Message></Error></ErrorResponse>`
				}
				return 0, ""
			})
			got, err := collector(t, front, nil, nil).Usage(t.Context(), q)
			if c.failed != "" {
				if fault.CodeOf(err) != c.failed || len(got.Usage)+len(got.Parts) != 0 {
					t.Errorf("%v %+v, want %s", err, got, c.failed)
				}
				return
			}
			if err != nil || len(got.Usage) != 1 || got.Usage[0].Ref.Region != "us-east-1" || len(got.Parts) != 2 {
				t.Fatalf("%v %+v", err, got)
			}
			denied, read := got.Parts[0], got.Parts[1]
			if denied.Region != "eu-west-1" || denied.Status != c.part || denied.Service != "cloudwatch" || !strings.Contains(denied.Reason, metricRight) || read.Status != ingest.OK {
				t.Errorf("%+v", got.Parts)
			}
		})
	}
}

// TestUseThatWasPaidForIsKept: at the limit, what was read of whole regions is given together with the error.
func TestUseThatWasPaidForIsKept(t *testing.T) {
	t.Parallel()
	w := &wire{t: t, answers: map[string]func(object, string) any{"monitoring.GetMetricData": says(`<GetMetricDataResponse><GetMetricDataResult><MetricDataResults><member><Id>q0</Id><StatusCode>Complete</StatusCode>` +
		`<Timestamps><member>2026-11-10T10:00:00Z</member></Timestamps><Values><member>5</member></Values></member></MetricDataResults></GetMetricDataResult></GetMetricDataResponse>`)}}
	limit := metricPrice
	q := ingest.UsageQuery{Every: time.Hour, Period: cost.Period{Start: noon.Add(-3 * time.Hour), End: noon}, Metrics: []resource.Metric{resource.CPU}}
	for _, region := range []string{"us-east-1", "eu-west-1"} {
		q.Refs = append(q.Refs, resource.Ref{Cloud: resource.AWS, Account: main, Region: region, Type: resource.Instance, ID: "i-1"})
	}
	got, err := collector(t, w.start(), ingest.NewMeter(&limit), nil).Usage(t.Context(), q)
	if fault.CodeOf(err) != fault.LimitReached || len(got.Usage) != 1 || got.Usage[0].Ref.Region != "eu-west-1" || len(got.Parts) != 2 || got.Parts[0].Status != ingest.OK || got.Parts[1].Status != ingest.Limited {
		t.Errorf("%v %+v", err, got)
	}
}
