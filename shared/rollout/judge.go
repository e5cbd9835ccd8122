package rollout

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// Thresholds say how much worse a changed target may do, and how sure one must be.
type Thresholds struct {
	ErrorRate  float64 // tolerated rise of the error rate above the expected one, 0.05 is five percentage points
	Latency    float64 // tolerated rise of the 95th percentile of latency, relative to the expected one, 0.10 is 10 %
	Saturation float64 // CPU, in percent, above which a resource without the metrics above counts as overloaded
	MinSamples int     // fewer samples than this before or after the change say nothing
	Alpha      float64 // significance level of the test on the samples
	Extensions int     // how often an unclear phase is watched again, as long as the first time, before it is rolled back
}

// DefaultThresholds are those of the design: 5 points of error rate, 10 % of performance. A processor busy for more than 90 %
// queues what it is given (the wait grows as 1/(1-utilisation): Gross and Harris, Fundamentals of Queueing Theory). With six samples the test can
// just reach its level (1/2^6 = 0.016).
var DefaultThresholds = Thresholds{ErrorRate: 0.05, Latency: 0.10, Saturation: 90, MinSamples: 6, Alpha: 0.05, Extensions: 2}

// Observation is what a phase is judged on.
type Observation struct {
	Usage   []resource.Usage
	Changed []Change       // the watched resources that have been subject to a change so far
	Control []resource.Ref // the watched resources that have not
	Since   time.Time      // all changes were complete: samples from here on are after the change
	Until   time.Time
}

// Change is when a watched resource was first touched. Its samples up to then, of the time Baseline, are before the change.
type Change struct {
	Ref resource.Ref
	At  time.Time
}

// Baseline is how much of the past is compared with: an hour shows the present level, and not yesterday's.
const Baseline = time.Hour

// Judge compares every changed resource after the change with what was to be expected of it.
//
// What is expected follows from its own level before the change, raised by what the unchanged resources rose by over the
// same time (difference in differences: Angrist and Pischke, Mostly Harmless Econometrics, 2009, ch. 5): a cause
// common to all is not blamed on the change. An improvement of the others is not held against it either. The level is the
// median for latency and the mean for errors, since errors come in bursts that a median hides; the rise of the others is
// the median over them.
//
// A resource is unhealthy when its level is above the limit (expected + ErrorRate; expected x (1 + Latency)) and a one-sided
// sign test over its samples (Conover, Practical Nonparametric Statistics, 1999, §3.4) rejects, at level Alpha, that half
// of them or fewer lie above the limit. The test asks nothing of the distribution of the noise. A level above the limit that
// the test does not confirm is unclear, and so is a resource with too few samples: more samples decide. With noise of 10 %
// and no effect, a sample lies above the limit of latency with probability 0.16 only, and 12 of 15 with less than 0.000001.
//
// A metric that a resource has never reported is not judged. Many machines serve no requests and report neither: such a one
// has to be alive, which its CPU metric shows, and not be saturated unless it was before. One that reports nothing at all is
// unclear. Without changed resources that are watched there is nothing to judge, and the phase is healthy.
func Judge(o Observation, t Thresholds) (Verdict, []string) {
	m := newMeasures(o.Usage)
	verdict, reasons := Healthy, map[Verdict][]string{}
	note := func(v Verdict, text string) {
		verdict = worse(verdict, v)
		reasons[v] = append(reasons[v], text)
	}
	for _, c := range o.Changed {
		for _, f := range m.findings(c, o) {
			if v, text := f.verdict(t); v != Healthy {
				note(v, text)
			}
		}
	}
	return verdict, shorten(reasons[verdict])
}

// requests are the metrics of health, the plainer one first. Pulse stands in for them where there are none.
var requests = []resource.Metric{resource.ErrorRate, resource.LatencyP95}

const pulse = resource.CPU

// HealthMetrics lists the metrics that Judge needs.
func HealthMetrics() []resource.Metric { return append(slices.Clone(requests), pulse) }

// findings are what there is to judge of one resource.
func (m measures) findings(c Change, o Observation) []finding {
	var out []finding
	for _, metric := range requests {
		if f := m.compare(metric, c, o); len(f.before) > 0 || len(f.after) > 0 {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		out = append(out, m.compare(pulse, c, o))
	}
	return out
}

func worse(a, b Verdict) Verdict {
	rank := map[Verdict]int{Healthy: 0, Unclear: 1, Unhealthy: 2}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// shorten keeps a judgement readable and the record small.
func shorten(reasons []string) []string {
	const most = 10
	if len(reasons) <= most {
		return reasons
	}
	return append(reasons[:most:most], fmt.Sprintf("and %d more", len(reasons)-most))
}

// finding is one metric of one changed resource.
type finding struct {
	ref      resource.Ref
	metric   resource.Metric
	before   []float64
	after    []float64
	expected float64
	level    float64
}

func (f finding) verdict(t Thresholds) (Verdict, string) {
	if len(f.before) < t.MinSamples || len(f.after) < t.MinSamples {
		return Unclear, fmt.Sprintf("%s: %s has %d samples before and %d after the change, at least %d of each are needed",
			f.ref.ID, name(f.metric), len(f.before), len(f.after), t.MinSamples)
	}
	limit := f.limit(t)
	if f.level <= limit {
		return Healthy, ""
	}
	text := fmt.Sprintf("%s: %s %s after the change, expected %s", f.ref.ID, name(f.metric), show(f.metric, f.level), show(f.metric, f.expected))
	if signTest(f.after, limit) > t.Alpha {
		return Unclear, text + ", but too few samples confirm it"
	}
	return Unhealthy, text
}

func (f finding) limit(t Thresholds) float64 {
	switch f.metric {
	case resource.ErrorRate:
		return f.expected + t.ErrorRate
	case pulse:
		return max(f.expected, t.Saturation)
	}
	return f.expected * (1 + t.Latency)
}

// signTest is the probability that, were half of the values above the limit, as many would be above it as are, or more.
func signTest(values []float64, limit float64) float64 {
	above := 0
	for _, v := range values {
		if v > limit {
			above++
		}
	}
	n, p := len(values), 0.0
	for k := above; k <= n; k++ {
		p += math.Exp(logChoose(n, k) - float64(n)*math.Ln2)
	}
	return math.Min(p, 1)
}

func logChoose(n, k int) float64 {
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return lg(n) - lg(k) - lg(n-k)
}

func name(m resource.Metric) string {
	switch m {
	case resource.ErrorRate:
		return "error rate"
	case pulse:
		return "CPU"
	}
	return "95th percentile of latency"
}

func show(m resource.Metric, v float64) string {
	switch m {
	case resource.ErrorRate:
		return fmt.Sprintf("%.1f %%", 100*v)
	case pulse:
		return fmt.Sprintf("%.0f %%", v)
	}
	return fmt.Sprintf("%.0f ms", v)
}
