package aws

import (
	"slices"
	"strconv"
	"strings"
	"sync"
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
		failed fault.Code    // where there is no other region
	}{
		"denied":     {403, "AccessDenied", ingest.Denied, ""},
		"region off": {403, "OptInRequired", ingest.Disabled, ""},
		"throttled":  {400, "ThrottlingException", ingest.Failed, fault.Throttled},
		"down":       {500, "InternalFailure", ingest.Failed, fault.Unavailable},
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
			if err != nil || len(got.Usage) != 1 || got.Usage[0].Ref.Region != "us-east-1" || len(got.Parts) != 2 {
				t.Fatalf("%v %+v", err, got)
			}
			unread, read := got.Parts[0], got.Parts[1]
			if unread.Region != "eu-west-1" || unread.Status != c.part || unread.Service != "cloudwatch" || !strings.Contains(unread.Reason, metricRight) || read.Status != ingest.OK {
				t.Errorf("%+v", got.Parts)
			}
			alone := q
			alone.Refs = q.Refs[1:]
			if got, err = collector(t, front, nil, nil).Usage(t.Context(), alone); (err != nil) != (c.failed != "") || err != nil && fault.CodeOf(err) != c.failed || len(got.Usage) != 0 {
				t.Errorf("the failing region alone: %v %+v, want %q", err, got, c.failed)
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

// TestIntervalsThatAreNotKept: CloudWatch would answer with nothing, which would read as if nothing had been used.
func TestIntervalsThatAreNotKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		every time.Duration
		days  int
		kept  bool
	}{{time.Minute, 15, true}, {time.Minute, 16, false}, {5 * time.Minute, 16, true}, {7 * time.Minute, 16, false}, {time.Hour, 30, true}, {5 * time.Minute, 64, false}, {time.Hour, 64, true}, {30 * time.Second, 1, false}} {
		q := ingest.UsageQuery{Every: c.every, Period: cost.Period{Start: noon.AddDate(0, 0, -c.days), End: noon}}
		if _, err := collector(t, "http://127.0.0.1:1", nil, nil).Usage(t.Context(), q); (err == nil) != c.kept || err != nil && fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s for %d days: %v", c.every, c.days, err)
		}
	}
}

// TestMetricsAreAskedForInFullBatches: five hundred a call, every page of it, and a metric of which AWS gives a part at a time.
func TestMetricsAreAskedForInFullBatches(t *testing.T) {
	t.Parallel()
	const volumes = 300 // of two metrics each
	var mu sync.Mutex
	var batches []int
	result := func(i int, status string, hours ...int) string {
		var at, values strings.Builder
		for _, hour := range hours {
			at.WriteString("<member>2026-11-10T" + strconv.Itoa(hour) + ":00:00Z</member>")
			values.WriteString("<member>3600</member>")
		}
		return "<member><Id>q" + strconv.Itoa(i) + "</Id><StatusCode>" + status + "</StatusCode><Timestamps>" + at.String() + "</Timestamps><Values>" + values.String() + "</Values></member>"
	}
	answer := func(in object, _ string) any {
		asked := 0
		for name := range in {
			if strings.HasSuffix(name, ".Id") {
				asked++
			}
		}
		var text strings.Builder
		token := ""
		mu.Lock()
		defer mu.Unlock()
		switch in["NextToken"] {
		case nil:
			batches = append(batches, asked)
			token = "<NextToken>empty</NextToken>"
			for i := range asked {
				text.WriteString(result(i, "PartialData", 10))
			}
		case "empty":
			token = "<NextToken>rest</NextToken>"
		default:
			for i := range asked {
				text.WriteString(result(i, "Complete", 11))
			}
		}
		return "<GetMetricDataResponse><GetMetricDataResult>" + token + "<MetricDataResults>" + text.String() + "</MetricDataResults></GetMetricDataResult></GetMetricDataResponse>"
	}
	w := &wire{t: t, answers: map[string]func(object, string) any{"monitoring.GetMetricData": answer}}
	q := ingest.UsageQuery{Every: time.Hour, Period: cost.Period{Start: noon.Add(-3 * time.Hour), End: noon}, Metrics: []resource.Metric{resource.DiskOps}}
	for i := range volumes {
		q.Refs = append(q.Refs, resource.Ref{Cloud: resource.AWS, Account: main, Region: "us-east-1", Type: resource.Volume, ID: "vol-" + strconv.Itoa(i)})
	}
	meter := ingest.NewMeter(nil)
	got, err := collector(t, w.start(), meter, nil).Usage(t.Context(), q)
	if err != nil || len(got.Usage) != volumes || !slices.Equal(batches, []int{500, 100}) {
		t.Fatalf("%v: %d series of the batches %v", err, len(got.Usage), batches)
	}
	for _, u := range got.Usage {
		if len(u.Samples) != 2 || u.Samples[0].Value != 2 || u.Samples[1].Value != 2 || u.Samples[0].At.Hour() != 10 {
			t.Fatalf("%+v, want reads and writes of one a second each, in both hours", u)
		}
	}
	if spent := meter.Spent(); spent[0].Units != 600 || spent[0].Amount.String() != "0.006" {
		t.Errorf("spent %+v", spent)
	}
}

// TestAFullBatchIsOnePage: a call has five hundred metrics at most, and a page 100,800 values.
func TestAFullBatchIsOnePage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		days  int
		every time.Duration
		want  int
	}{{1, time.Hour, 500}, {8, time.Hour, 500}, {30, time.Hour, 140}, {15, time.Minute, 4}, {455, time.Minute, 1}} {
		if got := perCall(ingest.UsageQuery{Every: c.every, Period: cost.Period{Start: noon.AddDate(0, 0, -c.days), End: noon}}); got != c.want {
			t.Errorf("%d metrics of %d days every %s, want %d", got, c.days, c.every, c.want)
		}
	}
}
