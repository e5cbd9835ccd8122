package aws

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	metricRight    = "cloudwatch:GetMetricData"
	metricsAsked   = "CloudWatch metrics"
	metricsPerCall = 500
	pointsPerCall  = 100_800
)

// metricPrice is what AWS charges a metric that is asked for, USD: 0.01 a thousand.
var metricPrice = decimal.New(1, -5)

// measure is how CloudWatch measures something: the sum of metrics of a namespace, scaled.
type measure struct {
	namespace, dimension string
	metrics              []string
	stat                 types.Statistic
	perSecond            bool    // the sum over an interval, which has to be divided by its seconds
	scale                float64 // of the value; 0 is 1
}

const mib = 1.0 / (1 << 20)

// measures are what can be measured without an agent inside of the machine; that leaves out memory.
var measures = map[resource.Type]map[resource.Metric]measure{
	resource.Instance: {
		resource.CPU:       {"AWS/EC2", "InstanceId", []string{"CPUUtilization"}, types.StatisticAverage, false, 0},
		resource.DiskOps:   {"AWS/EC2", "InstanceId", []string{"EBSReadOps", "EBSWriteOps"}, types.StatisticSum, true, 0},
		resource.DiskBytes: {"AWS/EC2", "InstanceId", []string{"EBSReadBytes", "EBSWriteBytes"}, types.StatisticSum, true, mib},
		resource.NetBytes:  {"AWS/EC2", "InstanceId", []string{"NetworkIn", "NetworkOut"}, types.StatisticSum, true, mib},
	},
	resource.Volume: {
		resource.DiskOps:   {"AWS/EBS", "VolumeId", []string{"VolumeReadOps", "VolumeWriteOps"}, types.StatisticSum, true, 0},
		resource.DiskBytes: {"AWS/EBS", "VolumeId", []string{"VolumeReadBytes", "VolumeWriteBytes"}, types.StatisticSum, true, mib},
	},
	resource.Database: {
		resource.CPU:       {"AWS/RDS", "DBInstanceIdentifier", []string{"CPUUtilization"}, types.StatisticAverage, false, 0},
		resource.DiskOps:   {"AWS/RDS", "DBInstanceIdentifier", []string{"ReadIOPS", "WriteIOPS"}, types.StatisticAverage, false, 0},
		resource.DiskBytes: {"AWS/RDS", "DBInstanceIdentifier", []string{"ReadThroughput", "WriteThroughput"}, types.StatisticAverage, false, mib},
		resource.NetBytes:  {"AWS/RDS", "DBInstanceIdentifier", []string{"NetworkReceiveThroughput", "NetworkTransmitThroughput"}, types.StatisticAverage, false, mib},
	},
}

// series is one metric of one resource while it is read.
type series struct {
	ref     resource.Ref
	metric  resource.Metric
	measure measure
	values  map[time.Time]float64
}

// asked is one query of CloudWatch, and the series that its values belong to.
type asked struct {
	query  types.MetricDataQuery
	series *series
}

// Usage implements ingest.Collector. Every has to be an interval that CloudWatch keeps for so long. An account or a region whose
// metrics may not be read, or could not be, is a part, and takes nothing from the others; where none at all could be read, it is the
// first one's failure. At the limit of spending it gives the regions that were read as a whole until then, with fault.LimitReached.
func (c *Collector) Usage(ctx context.Context, q ingest.UsageQuery) (ingest.Measured, error) {
	if err := c.kept(q); err != nil {
		return ingest.Measured{}, err
	}
	all, byPlace := questions(q)
	var out ingest.Measured
	var limit, failure error
	order := func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }
	for _, at := range slices.SortedFunc(maps.Keys(byPlace), order) {
		a, err := c.accountOf(at[0])
		if err != nil {
			return ingest.Measured{}, err
		}
		err = c.measureAll(ctx, newCloudWatch(a.in(at[1])), byPlace[at], q)
		if ctx.Err() != nil {
			return ingest.Measured{}, translate(ctx.Err(), metricRight)
		}
		p := partOf(at[1], "cloudwatch", at[0], err)
		switch {
		case err != nil && fault.CodeOf(err) == fault.LimitReached:
			p.Status, limit = ingest.Limited, err
		case p.Status == ingest.Failed:
			failure = cmp.Or(failure, err)
		}
		if err != nil {
			for _, question := range byPlace[at] {
				clear(question.series.values) // half of a sum is no sum
			}
		}
		out.Parts = append(out.Parts, p)
	}
	if !slices.ContainsFunc(out.Parts, func(p ingest.Part) bool { return p.Status != ingest.Failed }) && failure != nil {
		return ingest.Measured{}, failure
	}
	for _, s := range all {
		if samples := s.samples(); len(samples) > 0 {
			out.Usage = append(out.Usage, resource.Usage{Ref: s.ref, Metric: s.metric, Every: q.Every, Samples: samples})
		}
	}
	return out, limit
}

// kept refuses intervals that CloudWatch has no values of: it keeps those of a minute for 15 days, of five for 63, and answers
// with nothing, instead of an error, to who asks for more.
func (c *Collector) kept(q ingest.UsageQuery) error {
	age, finest := c.now().Sub(q.Period.Start), time.Minute
	switch {
	case age > 63*24*time.Hour:
		finest = time.Hour
	case age > 15*24*time.Hour:
		finest = 5 * time.Minute
	}
	if q.Every < finest || q.Every%finest != 0 {
		return fault.Input("every", q.Every.String(), "is not measured for so long: CloudWatch keeps multiples of %s since then", finest)
	}
	return nil
}

// newCloudWatch speaks the query protocol, which every CloudWatch endpoint understands.
func newCloudWatch(config aws.Config) *cloudwatch.Client {
	return cloudwatch.NewFromConfig(config, func(o *cloudwatch.Options) { o.Protocol = awsquery.New(schemas.GraniteServiceVersion20100801) })
}

// questions lists what to ask, by account and region.
func questions(q ingest.UsageQuery) (all []*series, byPlace map[[2]string][]asked) {
	byPlace = map[[2]string][]asked{}
	for _, ref := range q.Refs {
		for _, metric := range q.Metrics {
			m, ok := measures[ref.Type][metric]
			if !ok || ref.Cloud != resource.AWS {
				continue
			}
			s := &series{ref: ref, metric: metric, measure: m, values: map[time.Time]float64{}}
			all = append(all, s)
			at := [2]string{ref.Account, ref.Region}
			for _, name := range m.metrics {
				byPlace[at] = append(byPlace[at], asked{s.query(name, q.Every), s})
			}
		}
	}
	return all, byPlace
}

func (s *series) query(name string, every time.Duration) types.MetricDataQuery {
	id := s.ref.ID
	if s.ref.Type == resource.Database {
		id = databaseName(id)
	}
	return types.MetricDataQuery{ReturnData: aws.Bool(true), MetricStat: &types.MetricStat{
		Period: aws.Int32(int32(every / time.Second)), Stat: aws.String(string(s.measure.stat)),
		Metric: &types.Metric{Namespace: aws.String(s.measure.namespace), MetricName: aws.String(name),
			Dimensions: []types.Dimension{{Name: aws.String(s.measure.dimension), Value: aws.String(id)}}},
	}}
}

// perCall is how many metrics a call may ask for so that its answer is one page: what further pages cost, AWS does not say.
func perCall(q ingest.UsageQuery) int {
	points := max(1, int(q.Period.End.Sub(q.Period.Start)/q.Every))
	return min(max(1, pointsPerCall/points), metricsPerCall)
}

// measureAll asks everything about one place, in full batches.
func (c *Collector) measureAll(ctx context.Context, client *cloudwatch.Client, all []asked, q ingest.UsageQuery) error {
	for batch := range slices.Chunk(all, perCall(q)) {
		if err := c.measure(ctx, client, batch, q); err != nil {
			return err
		}
	}
	return nil
}

// measure asks one batch and adds the answers to their series.
func (c *Collector) measure(ctx context.Context, client *cloudwatch.Client, batch []asked, q ingest.UsageQuery) error {
	if err := c.meter.Spend(metricsAsked, int64(len(batch)), metricPrice); err != nil {
		return err
	}
	in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(q.Period.Start), EndTime: aws.Time(q.Period.End), ScanBy: types.ScanByTimestampAscending}
	for i, a := range batch {
		a.query.Id = aws.String("q" + strconv.Itoa(i))
		in.MetricDataQueries = append(in.MetricDataQueries, a.query)
	}
	pages := cloudwatch.NewGetMetricDataPaginator(client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return translate(err, metricRight)
		}
		for _, r := range page.MetricDataResults {
			i, err := strconv.Atoi(aws.ToString(r.Id)[min(1, len(aws.ToString(r.Id))):])
			if err != nil || i < 0 || i >= len(batch) || len(r.Timestamps) != len(r.Values) {
				return fault.New(fault.Unavailable, "CloudWatch answered what was not asked; try again in a moment.")
			}
			switch r.StatusCode {
			case types.StatusCodeInternalError:
				return fault.New(fault.Unavailable, "CloudWatch could not read all metrics; try again in a moment.")
			case types.StatusCodeForbidden:
				return fault.New(fault.Forbidden, "The connection's role does not allow %s. Add it to the role's policy.", metricRight)
			}
			batch[i].series.add(r, q)
		}
	}
	return nil
}

// add sums values up that belong to the same interval.
func (s *series) add(r types.MetricDataResult, q ingest.UsageQuery) {
	factor := 1.0
	if s.measure.scale != 0 {
		factor = s.measure.scale
	}
	if s.measure.perSecond {
		factor /= q.Every.Seconds()
	}
	for i, at := range r.Timestamps {
		if at = at.UTC(); q.Period.Contains(at) {
			s.values[at] += r.Values[i] * factor
		}
	}
}

// samples are the values in their order. CloudWatch spaces them evenly, so that those of several metrics fall together.
func (s *series) samples() []resource.Sample {
	out := make([]resource.Sample, 0, len(s.values))
	for _, at := range slices.SortedFunc(maps.Keys(s.values), time.Time.Compare) {
		out = append(out, resource.Sample{At: at, Value: s.values[at]})
	}
	return out
}
