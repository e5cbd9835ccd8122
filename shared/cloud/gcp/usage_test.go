package gcp

import (
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const series = "GET monitoring.googleapis.com /v3/projects/shop-prod/timeSeries"

var (
	web    = resource.Ref{Cloud: resource.GCP, Account: "shop-prod", Region: "europe-west3", Type: resource.Instance, ID: computeNames + "shop-prod/zones/europe-west3-a/instances/4477882211"}
	orders = resource.Ref{Cloud: resource.GCP, Account: "shop-prod", Region: "europe-west3", Type: resource.Database, ID: "//cloudsql.googleapis.com/projects/shop-prod/instances/orders"}
	disk   = resource.Ref{Cloud: resource.GCP, Account: "shop-prod", Region: "europe-west3", Type: resource.Volume, ID: computeNames + "shop-prod/zones/europe-west3-a/disks/7001"}
)

func question(metrics ...resource.Metric) ingest.UsageQuery {
	start := time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)
	return ingest.UsageQuery{Refs: []resource.Ref{web, orders, disk}, Metrics: metrics, Period: cost.Period{Start: start, End: start.Add(3 * time.Hour)}, Every: time.Hour}
}

// points writes a series as Cloud Monitoring does: newest first.
func timeSeries(typ, label, name, points string) string {
	return `{"resource":{"type":"` + typ + `","labels":{"project_id":"shop-prod","` + label + `":"` + name + `"}},"metricKind":"GAUGE","valueType":"DOUBLE","points":[` + points + `]}`
}

func at(end, value string) string {
	return `{"interval":{"startTime":"` + end + `","endTime":"` + end + `"},"value":{` + value + `}}`
}

func TestUsageIsInOurUnitsAndOrder(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	instance := func(points ...string) string {
		return timeSeries("gce_instance", "instance_id", "4477882211", strings.Join(points, ","))
	}
	two, three := "2026-11-09T02:00:00Z", "2026-11-09T03:00:00Z"
	g.on(series,
		reply(`{"timeSeries":[`+instance(at(three, `"doubleValue":0.25`), at(two, `"doubleValue":0.5`))+`,`+timeSeries("gce_instance", "instance_id", "999", at(two, `"doubleValue":0.9`))+`],"nextPageToken":"n"}`),
		reply(`{"timeSeries":[`+instance(at("2026-11-09T01:00:00Z", `"doubleValue":0.125`))+`]}`),
		reply(`{"timeSeries":[`+instance(at(three, `"doubleValue":10`), at(two, `"doubleValue":20`))+`]}`), // reads
		reply(`{"timeSeries":[`+instance(at(three, `"int64Value":"5"`))+`]}`),                              // writes, in one hour only
		reply(`{"timeSeries":[`+timeSeries("cloudsql_database", "database_id", "shop-prod:orders", at(two, `"doubleValue":0.1`))+`]}`),
		reply(`{}`), reply(`{}`),
	)
	m := meter("1")
	o := g.options()
	o.Meter = m
	measured, err := g.collector(connection(), o).Usage(t.Context(), onlyInstances(question(resource.CPU, resource.DiskOps)))
	got := measured.Usage
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Metric != resource.CPU || got[1].Metric != resource.DiskOps {
		t.Fatalf("got %+v", got)
	}
	var values []float64
	for _, s := range got[0].Samples {
		values = append(values, s.Value)
	}
	if len(values) != 3 || values[0] != 12.5 || values[1] != 50 || values[2] != 25 || !got[0].Samples[0].At.Equal(question().Period.Start) {
		t.Errorf("CPU %+v", got[0].Samples)
	}
	// An hour of which only the reads are known has no sum.
	if s := got[1].Samples; len(s) != 1 || s[0].Value != 15 || s[0].At.Hour() != 2 {
		t.Errorf("disk operations %+v", s)
	}
	if spent := m.Spent(); len(spent) != 1 || spent[0].Units != 5 {
		t.Errorf("metered %+v", spent)
	}
	asked := g.of(series)
	if q := asked[0].query; q.Get("aggregation.alignmentPeriod") != "3600s" || q.Get("aggregation.perSeriesAligner") != "ALIGN_MEAN" || q.Get("interval.endTime") != "2026-11-09T03:00:00Z" ||
		q.Get("filter") != `resource.type = "gce_instance" AND metric.type = "compute.googleapis.com/instance/cpu/utilization"` {
		t.Errorf("asked for %v", q)
	}
	for _, a := range asked { // a request may name one metric only
		if strings.Count(a.query.Get("filter"), "metric.type") != 1 {
			t.Errorf("asked for %s", a.query.Get("filter"))
		}
	}
}

// Of what was not asked nothing is said, not even that all is well.
func TestNothingIsSaidOfMetricsThatThereAreNot(t *testing.T) {
	t.Parallel()
	q := question(resource.CPU, resource.DiskOps)
	q.Refs = []resource.Ref{disk}
	g := newGoogle(t)
	if got, err := g.collector(connection(), g.options()).Usage(t.Context(), q); err != nil || len(got.Usage) != 0 || len(got.Parts) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// What was paid for is kept when the limit is reached, and the rest is not said to be unused.
func TestMetricsThatWerePaidForAreKept(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	at2 := at("2026-11-09T02:00:00Z", `"doubleValue":0.1`)
	g.on(series, reply(`{"timeSeries":[`+timeSeries("cloudsql_database", "database_id", "shop-prod:orders", at2)+`]}`),
		reply(`{"timeSeries":[`+timeSeries("gce_instance", "instance_id", "4477882211", at2)+`,`+timeSeries("gce_instance", "instance_id", "999", at2)+`]}`))
	o := g.options()
	o.Meter = meter("0.000001") // two series
	got, err := g.collector(connection(), o).Usage(t.Context(), question(resource.CPU))
	if fault.CodeOf(err) != fault.LimitReached || len(got.Usage) != 1 || got.Usage[0].Ref != orders || len(got.Parts) != 1 || got.Parts[0].Status != ingest.Limited || got.Parts[0].Reason == "" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func onlyInstances(q ingest.UsageQuery) ingest.UsageQuery {
	q.Refs = []resource.Ref{web}
	return q
}

func TestDatabasesAreKnownByProjectAndName(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.on(series, reply(`{"timeSeries":[`+timeSeries("cloudsql_database", "database_id", "shop-prod:orders", at("2026-11-09T02:00:00Z", `"doubleValue":0.1`))+`]}`))
	q := question(resource.Memory)
	q.Refs = []resource.Ref{orders}
	measured, err := g.collector(connection(), g.options()).Usage(t.Context(), q)
	got := measured.Usage
	if err != nil || len(got) != 1 || got[0].Ref != orders || got[0].Samples[0].Value != 10 {
		t.Errorf("got %+v %v", got, err)
	}
}

func TestUsageThatCannotBeReadIsNotZero(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer string
		code   int
		want   fault.Code
	}{
		"partly":          {`{"executionErrors":[{"code":14,"message":"x"}]}`, 200, fault.Unavailable},
		"a broken point":  {`{"timeSeries":[` + timeSeries("gce_instance", "instance_id", "4477882211", `{"value":{"doubleValue":1}}`) + `]}`, 200, fault.Unprocessable},
		"a revoked token": {`{"error":{"code":401}}`, 401, fault.Unauthenticated},
		"down":            {`{"error":{"code":503}}`, 503, fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGoogle(t)
			g.on(series, status(tt.code, tt.answer))
			got, err := g.collector(connection(), g.options()).Usage(t.Context(), question(resource.CPU))
			if fault.CodeOf(err) != tt.want || len(got.Usage) != 0 {
				t.Errorf("got %+v %v", got, err)
			}
		})
	}
	g := newGoogle(t)
	g.on(series, problem(403, "forbidden"))
	got, err := g.collector(connection(), g.options()).Usage(t.Context(), question(resource.CPU))
	if err != nil || len(got.Usage) != 0 || len(got.Parts) != 1 || got.Parts[0].Status != ingest.Denied || got.Parts[0].Account != "shop-prod" || got.Parts[0].Reason == "" {
		t.Errorf("without the right to metrics: %+v %v, want a part that says so", got, err)
	}
	if asked := len(g.of(series)); asked != 1 {
		t.Errorf("a project that refuses was asked %d times", asked)
	}
}

// Resources of a project that was deleted since stand in the inventory for a while.
func TestADeletedProjectTakesNoMetricsFromTheOthers(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.on("GET monitoring.googleapis.com /v3/projects/archive/timeSeries", problem(404, "notFound"))
	g.on(series, reply(`{"timeSeries":[`+timeSeries("gce_instance", "instance_id", "4477882211", at("2026-11-09T02:00:00Z", `"doubleValue":0.1`))+`]}`))
	q, gone := onlyInstances(question(resource.CPU)), web
	gone.Account = "archive"
	q.Refs = append(q.Refs, gone)
	got, err := g.collector(connection(), g.options()).Usage(t.Context(), q)
	if err != nil || len(got.Usage) != 1 || got.Usage[0].Ref != web {
		t.Errorf("got %+v %v", got, err)
	}
	if len(got.Parts) != 2 || got.Parts[0].Account != "archive" || got.Parts[0].Status != ingest.Failed || got.Parts[1].Status != ingest.OK {
		t.Errorf("the parts are %+v", got.Parts)
	}
}
