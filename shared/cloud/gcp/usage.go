package gcp

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
	"google.golang.org/api/monitoring/v3"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// gauge is where a metric of one type of resource comes from.
type gauge struct {
	typ     resource.Type
	metric  resource.Metric
	of      monitored
	sums    []string // metric types, whose values are added
	aligner string
	factor  float64 // from Google's unit to ours
}

// monitored is a type of monitored resource, and the label by which one is known.
type monitored struct{ typ, label string }

var (
	machine  = monitored{"gce_instance", "instance_id"}
	database = monitored{"cloudsql_database", "database_id"}
)

const (
	alignMean = "ALIGN_MEAN" // of a level
	alignRate = "ALIGN_RATE" // of a count: per second
	mebibyte  = 1.0 / (1 << 20)

	ofMachine = "compute.googleapis.com/instance/"
	ofSQL     = "cloudsql.googleapis.com/database/"
	opsMemory = `agent.googleapis.com/memory/percent_used" AND metric.labels.state = "used`
)

// gauges are those of Cloud Monitoring's own metrics (cloud.google.com/monitoring/api/metrics_gcp). The memory of instances is
// known only where the Ops Agent runs in them.
var gauges = []gauge{
	{resource.Instance, resource.CPU, machine, []string{ofMachine + "cpu/utilization"}, alignMean, 100},
	{resource.Instance, resource.Memory, machine, []string{opsMemory}, alignMean, 1},
	{resource.Instance, resource.DiskOps, machine, []string{ofMachine + "disk/read_ops_count", ofMachine + "disk/write_ops_count"}, alignRate, 1},
	{resource.Instance, resource.DiskBytes, machine, []string{ofMachine + "disk/read_bytes_count", ofMachine + "disk/write_bytes_count"}, alignRate, mebibyte},
	{resource.Instance, resource.NetBytes, machine, []string{ofMachine + "network/received_bytes_count", ofMachine + "network/sent_bytes_count"}, alignRate, mebibyte},
	{resource.Database, resource.CPU, database, []string{ofSQL + "cpu/utilization"}, alignMean, 100},
	{resource.Database, resource.Memory, database, []string{ofSQL + "memory/utilization"}, alignMean, 100},
	{resource.Database, resource.DiskOps, database, []string{ofSQL + "disk/read_ops_count", ofSQL + "disk/write_ops_count"}, alignRate, 1},
}

// Reading metrics costs 0.50 USD per million series returned, after the first million of a month (cloud.google.com/stackdriver/
// pricing). The free million is not counted, for others may have used it.
var perSeries = decimal.RequireFromString("0.0000005")

const pageSeries = 10000

// Usage reads what was measured in whole steps of the query. Metrics that Google does not have for a type are absent. A project
// that is gone, or whose metrics the connection may not read, has a part that says so. At the limit of spending, it gives what was read until then
// with fault.LimitReached.
func (c *Collector) Usage(ctx context.Context, q ingest.UsageQuery) (ingest.Measured, error) {
	if q.Every < time.Minute || q.Every%time.Second != 0 {
		return ingest.Measured{}, fault.Input("every", q.Every.String(), "has to be a minute or more, in whole seconds")
	}
	refs := map[source][]resource.Ref{}
	for _, r := range q.Refs {
		if measurable(r.Type, q.Metrics) {
			s := source{r.Account, r.Type}
			refs[s] = append(refs[s], r)
		}
	}
	var out ingest.Measured
	var limit error
	refused := map[string]bool{}
	for _, s := range slices.SortedFunc(maps.Keys(refs), source.compare) {
		if refused[s.project] {
			continue
		}
		part := ingest.Part{Account: s.project, Region: global, Service: "monitoring", Status: ingest.OK}
		measured, err := c.measure(ctx, s, refs[s], q)
		switch what := "the metrics of project " + s.project; {
		case err != nil && unasked(translate(err, what)): // one that is gone or refuses takes nothing from the others
			refused[s.project] = true
			part.Status, part.Reason = unreadAs(err, what)
			measured = nil
			out.Usage = slices.DeleteFunc(out.Usage, func(u resource.Usage) bool { return u.Ref.Account == s.project })
		case fault.CodeOf(err) == fault.LimitReached:
			limit, part.Status, part.Reason = err, ingest.Limited, fault.Public(err).Message
		case err != nil:
			return ingest.Measured{}, translate(err, what)
		}
		out.Usage = append(out.Usage, measured...)
		out.Parts = append(slices.DeleteFunc(out.Parts, func(p ingest.Part) bool { return p.Account == s.project }), part)
		if limit != nil {
			break
		}
	}
	slices.SortFunc(out.Usage, func(a, b resource.Usage) int {
		return cmp.Or(cmp.Compare(a.Ref.ID, b.Ref.ID), cmp.Compare(a.Metric, b.Metric))
	})
	return out, limit
}

// measure reads what is asked of the resources of one source. When it fails, it gives the metrics that were read whole before.
func (c *Collector) measure(ctx context.Context, s source, of []resource.Ref, q ingest.UsageQuery) (out []resource.Usage, err error) {
	for _, g := range gauges {
		if g.typ != s.typ || !slices.Contains(q.Metrics, g.metric) {
			continue
		}
		points, err := c.gauge(ctx, s.project, g, q)
		if err != nil {
			return out, err
		}
		for _, r := range of {
			if samples := points[measuredName(r)].samples(len(g.sums), g.factor); len(samples) > 0 {
				out = append(out, resource.Usage{Ref: r, Metric: g.metric, Every: q.Every, Samples: samples})
			}
		}
	}
	return out, nil
}

// measurable tells whether Google has any of the metrics for a type.
func measurable(typ resource.Type, metrics []resource.Metric) bool {
	return slices.ContainsFunc(gauges, func(g gauge) bool { return g.typ == typ && slices.Contains(metrics, g.metric) })
}

// source is what one request for metrics can be about.
type source struct {
	project string
	typ     resource.Type
}

func (s source) compare(other source) int {
	return cmp.Or(cmp.Compare(s.project, other.project), cmp.Compare(s.typ, other.typ))
}

// measuredName is what metrics call a resource: the number of an instance, "project:name" for a database.
func measuredName(r resource.Ref) string {
	if r.Type == resource.Database {
		return r.Account + ":" + last(r.ID)
	}
	return last(r.ID)
}

// points are the values of one resource by the start of their step.
type points map[time.Time]point

// point is a sum, and of how many values.
type point struct {
	sum    float64
	values int
}

// samples are the points that all metrics of a sum have, in order: half a sum would look like little use.
func (p points) samples(values int, factor float64) []resource.Sample {
	var out []resource.Sample
	for _, at := range slices.SortedFunc(maps.Keys(p), time.Time.Compare) {
		if p[at].values == values {
			out = append(out, resource.Sample{At: at, Value: p[at].sum * factor})
		}
	}
	return out
}

// gauge reads one metric of all resources of a project, by what metrics call them. A request may be about one metric type only.
func (c *Collector) gauge(ctx context.Context, project string, g gauge, q ingest.UsageQuery) (map[string]points, error) {
	out := map[string]points{}
	for _, metric := range g.sums {
		filter := fmt.Sprintf(`resource.type = "%s" AND metric.type = "%s"`, g.of.typ, metric)
		call := c.monitoring.Projects.TimeSeries.List("projects/" + project).Filter(filter).PageSize(pageSeries).
			IntervalStartTime(q.Period.Start.UTC().Format(time.RFC3339)).IntervalEndTime(q.Period.End.UTC().Format(time.RFC3339)).
			AggregationAlignmentPeriod(strconv.FormatInt(int64(q.Every/time.Second), 10) + "s").AggregationPerSeriesAligner(g.aligner).
			AggregationCrossSeriesReducer("REDUCE_SUM").AggregationGroupByFields("resource.labels." + g.of.label)
		err := call.Pages(ctx, func(p *monitoring.ListTimeSeriesResponse) error {
			if len(p.ExecutionErrors) > 0 || len(p.Unreachable) > 0 {
				return fault.New(fault.Unavailable, "Cloud Monitoring could not read all metrics of project %s; try again in a few minutes.", project)
			}
			for _, s := range p.TimeSeries {
				if s.Resource == nil {
					continue
				}
				name := s.Resource.Labels[g.of.label]
				if out[name] == nil {
					out[name] = points{}
				}
				if err := out[name].add(s, q); err != nil {
					return err
				}
			}
			return c.meter.Spend("Cloud Monitoring series", int64(len(p.TimeSeries)), perSeries)
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// add takes in the points of a series, which are named by the end of their step.
func (p points) add(s *monitoring.TimeSeries, q ingest.UsageQuery) error {
	for _, from := range s.Points {
		if from.Interval == nil || from.Value == nil {
			return fault.New(fault.Unprocessable, "Cloud Monitoring gave a point without its time or value.")
		}
		end, err := time.Parse(time.RFC3339, from.Interval.EndTime)
		if err != nil {
			return fault.Wrap(err, fault.Unprocessable, "Cloud Monitoring gave a point without its time.")
		}
		var value float64
		switch {
		case from.Value.DoubleValue != nil:
			value = *from.Value.DoubleValue
		case from.Value.Int64Value != nil:
			value = float64(*from.Value.Int64Value)
		default:
			continue
		}
		if at := end.UTC().Add(-q.Every); q.Period.Contains(at) {
			p[at] = point{p[at].sum + value, p[at].values + 1}
		}
	}
	return nil
}
