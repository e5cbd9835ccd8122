package azure

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/monitor/query/azmetrics"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Azure Monitor answers about at most so many resources of one region and kind at once.
const perBatch = 50

// A call costs USD 0.01 per thousand, says Azure Monitor's price list; the first million a month are free and not counted off.
var callPrice = decimal.New(1, -5)

// gauge is where a metric comes from. Values are added up over its names and multiplied by scale; a total is the sum of an
// interval, which is divided by its length. What says how much is free is told the other way round, as what it lacks to whole.
type gauge struct {
	names       []string
	aggregation string // as Azure Monitor spells it
	perSecond   bool
	scale       float64
	whole       float64
}

const mebi = 1.0 / (1 << 20)

// gauges are the metrics that Azure keeps of each type by itself, after "Supported metrics" of Azure Monitor.
var gauges = map[resource.Type]struct {
	namespace string
	metrics   map[resource.Metric]gauge
}{
	resource.Instance: {"microsoft.compute/virtualmachines", map[resource.Metric]gauge{
		resource.CPU:       {names: []string{"Percentage CPU"}, aggregation: "Average", scale: 1},
		resource.Memory:    {names: []string{"Available Memory Percentage"}, aggregation: "Average", scale: -1, whole: 100},
		resource.DiskOps:   {names: []string{"Disk Read Operations/Sec", "Disk Write Operations/Sec"}, aggregation: "Average", scale: 1},
		resource.DiskBytes: {names: []string{"Disk Read Bytes", "Disk Write Bytes"}, aggregation: "Total", perSecond: true, scale: mebi},
		resource.NetBytes:  {names: []string{"Network In Total", "Network Out Total"}, aggregation: "Total", perSecond: true, scale: mebi},
	}},
	resource.Volume: {"microsoft.compute/disks", map[resource.Metric]gauge{
		resource.DiskOps:   {names: []string{"Composite Disk Read Operations/sec", "Composite Disk Write Operations/sec"}, aggregation: "Average", scale: 1},
		resource.DiskBytes: {names: []string{"Composite Disk Read Bytes/sec", "Composite Disk Write Bytes/sec"}, aggregation: "Average", scale: mebi},
	}},
	resource.Database: {"microsoft.sql/servers/databases", map[resource.Metric]gauge{
		resource.CPU:    {names: []string{"cpu_percent"}, aggregation: "Average", scale: 1},
		resource.Memory: {names: []string{"sql_instance_memory_percent"}, aggregation: "Average", scale: 1},
	}},
}

// intervals are those that Azure Monitor keeps.
var intervals = map[time.Duration]string{
	time.Minute: "PT1M", 5 * time.Minute: "PT5M", 15 * time.Minute: "PT15M", 30 * time.Minute: "PT30M",
	time.Hour: "PT1H", 6 * time.Hour: "PT6H", 12 * time.Hour: "PT12H", 24 * time.Hour: "P1D",
}

// Usage implements ingest.Collector. It asks for all resources of one subscription, region and type together. What was found until the
// connection's limit was reached is given beside that error.
func (c *Collector) Usage(ctx context.Context, q ingest.UsageQuery) (ingest.Measured, error) {
	interval, ok := intervals[q.Every]
	if !ok {
		return ingest.Measured{}, fault.Input("every", q.Every.String(), "is not an interval of Azure Monitor, which are 1, 5, 15 and 30 minutes, 1, 6, 12 and 24 hours")
	}
	type place struct {
		account, region string
		typ             resource.Type
	}
	places := map[place][]resource.Ref{}
	var order []place
	for _, ref := range q.Refs {
		if _, known := gauges[ref.Type]; !known || ref.Cloud != resource.Azure {
			continue
		}
		p := place{ref.Account, ref.Region, ref.Type}
		if len(places[p]) == 0 {
			order = append(order, p)
		}
		places[p] = append(places[p], ref)
	}
	out := ingest.Measured{Parts: []ingest.Part{}}
	status := map[metricPlace]ingest.Part{}
	for _, p := range order {
		at := metricPlace{p.account, p.region}
		for batch := range slices.Chunk(places[p], perBatch) {
			if known, read := status[at]; read && known.Status != ingest.OK {
				break // the others would be refused as well
			}
			part, found, err := c.measure(ctx, q, interval, p.typ, batch)
			out.Usage = append(out.Usage, found...)
			if err != nil {
				return out, err
			}
			status[at] = part
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(status), metricPlace.compare) {
		out.Parts = append(out.Parts, status[at])
	}
	return out, nil
}

// metricPlace is what metrics are read of: one region of a subscription.
type metricPlace struct{ account, region string }

func (p metricPlace) compare(q metricPlace) int {
	return cmp.Or(cmp.Compare(p.account, q.account), cmp.Compare(p.region, q.region))
}

// metricsRead is what has to be read for metrics, as permissions name it.
const metricsRead = "Microsoft.Insights/metrics"

// measure asks for all metrics of a batch. A refusal is told by the part; whatever is worth a retry, and the limit of the
// connection, is an error.
func (c *Collector) measure(ctx context.Context, q ingest.UsageQuery, interval string, typ resource.Type, batch []resource.Ref) (ingest.Part, []resource.Usage, error) {
	part := ingest.Part{Account: batch[0].Account, Region: batch[0].Region, Service: metricsRead, Status: ingest.OK}
	var out []resource.Usage
	for _, metric := range q.Metrics {
		from, ok := gauges[typ].metrics[metric]
		if !ok {
			continue
		}
		found, err := c.batch(ctx, metricQuestion{q, interval, metric, from, gauges[typ].namespace, batch})
		if err != nil {
			if status, reason := outcome(err); status == ingest.Denied || status == ingest.Disabled {
				part.Status, part.Reason = status, reason
				return part, out, nil
			}
			return part, out, err
		}
		out = append(out, found...)
	}
	return part, out, nil
}

// metricQuestion is what is asked at once: one metric of resources of one kind and place.
type metricQuestion struct {
	ingest.UsageQuery

	interval  string
	metric    resource.Metric
	from      gauge
	namespace string
	batch     []resource.Ref
}

func (c *Collector) batch(ctx context.Context, q metricQuestion) ([]resource.Usage, error) {
	what := "metrics of subscription " + q.batch[0].Account
	client, err := azmetrics.NewClient(c.metricsAt(q.batch[0].Region), c.credential, &azmetrics.ClientOptions{ClientOptions: c.client.ClientOptions})
	if err != nil {
		return nil, translate(err, what)
	}
	if err := c.options.Meter.Spend("Azure Monitor calls", 1, callPrice); err != nil {
		return nil, err
	}
	ids := make([]string, len(q.batch))
	for i, ref := range q.batch {
		ids[i] = ref.ID
	}
	answer, err := client.QueryResources(ctx, q.batch[0].Account, q.namespace, q.from.names, azmetrics.ResourceIDList{ResourceIDs: ids}, &azmetrics.QueryResourcesOptions{
		StartTime: pointer(q.Period.Start.UTC().Format(time.RFC3339)), EndTime: pointer(q.Period.End.UTC().Format(time.RFC3339)),
		Interval: &q.interval, Aggregation: &q.from.aggregation,
	})
	if err != nil {
		return nil, translate(err, what)
	}
	var out []resource.Usage
	for i, ref := range q.batch {
		for _, data := range answer.Values {
			if !strings.EqualFold(deref(data.ResourceID), ids[i]) {
				continue
			}
			if samples := q.samples(data); len(samples) > 0 {
				out = append(out, resource.Usage{Ref: ref, Metric: q.metric, Every: q.Every, Samples: samples})
			}
		}
	}
	return out, nil
}

// samples adds up the metrics of one resource. An interval of which one of them is missing is a gap: half a sum would look
// like little use.
func (q metricQuestion) samples(data azmetrics.MetricData) []resource.Sample {
	sums, counts := map[time.Time]float64{}, map[time.Time]int{}
	for _, metric := range data.Values {
		for _, series := range metric.TimeSeries {
			for _, point := range series.Data {
				value := point.Average
				if q.from.perSecond {
					value = point.Total
				}
				if value == nil || point.TimeStamp == nil || !q.Period.Contains(*point.TimeStamp) {
					continue
				}
				at := point.TimeStamp.UTC()
				sums[at] += *value
				counts[at]++
			}
		}
	}
	scale := q.from.scale
	if q.from.perSecond {
		scale /= q.Every.Seconds()
	}
	var out []resource.Sample
	for at, sum := range sums {
		if counts[at] == len(q.from.names) {
			out = append(out, resource.Sample{At: at, Value: q.from.whole + sum*scale})
		}
	}
	slices.SortFunc(out, func(a, b resource.Sample) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	return out
}

// metricsAt is the address of a region's metrics.
func (c *Collector) metricsAt(region string) string {
	if c.options.Metrics != "" {
		return c.options.Metrics
	}
	world := strings.TrimPrefix(c.client.Cloud.Services[azmetrics.ServiceName].Audience, "https://")
	return "https://" + region + "." + world
}
