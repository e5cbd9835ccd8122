package sandbox

import (
	"math"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// gauge measures resources. Every value is a pure function of the seed, the resource, the time and the form, so that the
// same question always has the same answer.
type gauge struct {
	v        *view
	attached map[string][]*item // volumes, by the instance that they were made for
}

func newGauge(v *view) *gauge {
	g := &gauge{v: v, attached: map[string][]*item{}}
	for _, it := range v.items {
		if it.ref.Type == resource.Volume && it.form.attachedTo != "" {
			g.attached[it.form.attachedTo] = append(g.attached[it.form.attachedTo], it)
		}
	}
	return g
}

// samples reads one metric of the resource at every multiple of every in the period, as far as the interval is over by
// now. It is empty where there is nothing to measure: no such metric, switched off, attached to nothing.
func (g *gauge) samples(it *item, metric resource.Metric, period cost.Period, every time.Duration) []resource.Sample {
	read := g.reader(it, metric)
	if read == nil {
		return nil
	}
	end := earlier(period.End, g.v.now.Add(-every).Add(1))
	var out []resource.Sample
	for _, s := range g.v.spans(it, period.Start, end) {
		if it.ref.Type == resource.Instance && s.form.state != "running" || it.ref.Type == resource.Volume && s.form.attachedTo == "" {
			continue
		}
		at := s.from.Truncate(every)
		if at.Before(s.from) {
			at = at.Add(every)
		}
		for ; at.Before(s.to); at = at.Add(every) {
			if it.runs.on(at) {
				out = append(out, resource.Sample{At: at, Value: read(s, at)})
			}
		}
	}
	return out
}

// reader is how a metric of the resource is measured; nil when there is no such metric.
func (g *gauge) reader(it *item, metric resource.Metric) func(span, time.Time) float64 {
	noise := hashOf(g.v.base.Seed, it.ref.ID, string(metric))
	switch it.ref.Type {
	case resource.Volume:
		return it.throughput(metric, noise)
	case resource.Database:
		return it.occupancy(metric, noise)
	case resource.Instance:
		if it.traffic && (metric == resource.ErrorRate || metric == resource.LatencyP95) {
			return g.health(it, metric, noise)
		}
		return it.occupancy(metric, noise)
	}
	return nil
}

// occupancy reads how full an instance or database is.
func (it *item) occupancy(metric resource.Metric, noise uint64) func(span, time.Time) float64 {
	switch metric {
	case resource.CPU:
		return func(s span, t time.Time) float64 { return it.cpu(s.form, rhythm(noise, t)) }
	case resource.Memory:
		return func(s span, t time.Time) float64 { return it.memory(s.form, rhythm(noise, t)) }
	}
	return nil
}

// throughput reads what goes to and from a volume, no more than it can do.
func (it *item) throughput(metric resource.Metric, noise uint64) func(span, time.Time) float64 {
	switch metric {
	case resource.DiskOps:
		return func(s span, t time.Time) float64 {
			return math.Min(it.demand(rhythm(noise, t)), float64(s.form.iops))
		}
	case resource.DiskBytes:
		return func(s span, t time.Time) float64 {
			return math.Min(it.demand(rhythm(noise, t))*operation, float64(s.form.mibps))
		}
	}
	return nil
}

// health reads how the requests to an instance fare.
func (g *gauge) health(it *item, metric resource.Metric, noise uint64) func(span, time.Time) float64 {
	illness := g.illness(it)
	if metric == resource.ErrorRate {
		return func(s span, t time.Time) float64 {
			healthy := 0.002 * (1 + 0.3*normal(noise, t.Unix()))
			return math.Max(healthy, 0) + illness(s, t).errors*(1+0.05*normal(noise+1, t.Unix()))
		}
	}
	return func(s span, t time.Time) float64 {
		healthy := it.load.latency * (0.95 + 0.1*rhythm(noise, t)) * (1 + 0.01*normal(noise+1, t.Unix()))
		return healthy * illness(s, t).slower
	}
}

// operation is the mean size of a disk operation, MiB.
const operation = 1.0 / 16

// rhythm is how busy it is, 0 to 1: a quiet night, a peak at 15:00 UTC, less at the weekend. The peak is clipped, so that
// the 99th percentile of a load is its high.
func rhythm(noise uint64, t time.Time) float64 {
	hour := float64(t.Hour()) + float64(t.Minute())/60
	r := 0.5 - 0.5*math.Cos(2*math.Pi*(hour-3)/24)
	if wd := t.Weekday(); wd == time.Saturday || wd == time.Sunday {
		r *= 0.7
	}
	return math.Min(1, math.Max(0, r+0.05*normal(noise, t.Unix())))
}

// meanRhythm is the mean of rhythm over a week.
const meanRhythm = 0.46

// cpu is in percent. Half the processors are twice as busy.
func (it *item) cpu(f form, r float64) float64 {
	low := math.Max(0.2, (it.load.cpu-it.load.cpuHigh*meanRhythm)/(1-meanRhythm))
	return math.Min(100, (low+(it.load.cpuHigh-low)*r)*it.ratio(f, func(s size) float64 { return float64(s.vcpu) }))
}

// memory is in percent, and follows the load but a little.
func (it *item) memory(f form, r float64) float64 {
	return math.Min(99.5, it.load.memory*(0.98+0.02*r)*it.ratio(f, func(s size) float64 { return s.memory }))
}

// demand is the operations a second that are asked of a volume.
func (it *item) demand(r float64) float64 { return it.load.iops * (0.25 + 0.75*r) }

// ratio is how many times more of something the resource had when it was born than it has in the form f.
func (it *item) ratio(f form, of func(size) float64) float64 {
	sizes := instanceSizes[it.ref.Cloud]
	if it.ref.Type == resource.Database {
		sizes = databaseSizes[it.ref.Cloud]
	}
	now, known := sizes[f.size]
	if !known || f.size == it.form.size {
		return 1
	}
	return of(sizes[it.form.size]) / of(now)
}
