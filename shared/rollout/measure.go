package rollout

import (
	"math"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// measures are the samples at hand, by resource and metric.
type measures map[resource.Ref]map[resource.Metric][]interval

// interval is a sample with the end of the time it was taken over.
type interval struct {
	resource.Sample
	end time.Time
}

func newMeasures(usage []resource.Usage) measures {
	m := measures{}
	for _, u := range usage {
		if m[u.Ref] == nil {
			m[u.Ref] = map[resource.Metric][]interval{}
		}
		for _, s := range u.Samples {
			m[u.Ref][u.Metric] = append(m[u.Ref][u.Metric], interval{s, s.At.Add(u.Every)})
		}
	}
	return m
}

// between gives the values of samples that lie in [from, to) as a whole, so that none covers the change itself. What is no
// number is no sample.
func (m measures) between(ref resource.Ref, metric resource.Metric, from, to time.Time) []float64 {
	var out []float64
	for _, s := range m[ref][metric] {
		if !s.At.Before(from) && s.At.Before(to) && !s.end.After(to) && !math.IsNaN(s.Value) && !math.IsInf(s.Value, 0) {
			out = append(out, s.Value)
		}
	}
	return out
}

// compare finds the level of one metric of a changed resource and what was to be expected.
func (m measures) compare(metric resource.Metric, c Change, o Observation) finding {
	level := median
	if metric == resource.ErrorRate {
		level = mean
	}
	f := finding{ref: c.Ref, metric: metric}
	f.before = m.between(c.Ref, metric, c.At.Add(-Baseline), c.At)
	f.after = m.between(c.Ref, metric, o.Since, o.Until)
	if len(f.before) == 0 || len(f.after) == 0 {
		return f
	}
	f.level, f.expected = level(f.after), level(f.before)
	var rises []float64
	for _, ref := range o.Control {
		before, after := m.between(ref, metric, c.At.Add(-Baseline), c.At), m.between(ref, metric, o.Since, o.Until)
		if len(before) == 0 || len(after) == 0 {
			continue
		}
		switch was, is := level(before), level(after); {
		case metric == resource.ErrorRate:
			rises = append(rises, is-was)
		case was > 0:
			rises = append(rises, is/was)
		}
	}
	switch {
	case len(rises) == 0:
	case metric == resource.ErrorRate:
		f.expected += max(0, median(rises))
	default:
		f.expected *= max(1, median(rises))
	}
	return f
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
