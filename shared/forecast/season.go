package forecast

import (
	"math"
	"slices"
)

// Seasons are the lengths of the seasons to look for in a series whose main one is m: hours have weeks beside days.
func Seasons(m int) []int {
	switch {
	case m == 24:
		return []int{24, 7 * 24}
	case m >= 2:
		return []int{m}
	}
	return nil
}

// strong is how strong a long season must be: its many places are learnt from few cycles, and a weak one is mostly noise.
const strong = 0.45

// shown are those of the possible seasons that y shows: the autocorrelation of its changes at the season's lag is beyond
// what chance gives one series in ten (the test of the M4 competition's benchmarks, on differences, so that a trend is no season).
func shown(y []float64, possible []int) []int {
	var out []int
	for _, m := range possible {
		known := len(y) >= 2*m+max(5, m/2) && seasonal(y, m)
		if known && (m <= 12 || seasonStrength(y, m) > strong) {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return out
}

func seasonal(y []float64, m int) bool {
	d := make([]float64, len(y)-1)
	for i := range d {
		d[i] = y[i+1] - y[i]
	}
	mean, deviation := moments(d)
	if deviation == 0 {
		return false
	}
	n := float64(len(d))
	correlation := func(lag int) float64 {
		sum := 0.0
		for i := lag; i < len(d); i++ {
			sum += (d[i] - mean) * (d[i-lag] - mean)
		}
		return sum / n / deviation / deviation
	}
	spread := 1.0
	for lag := 1; lag < min(m, 30); lag++ {
		r := correlation(lag)
		spread += 2 * r * r
	}
	return correlation(m) > 1.645*math.Sqrt(spread/n)
}

// proportional says whether the swings within a cycle grow with its level, so that logarithms make them even: the slope of
// log deviation over log level, after Guerrero (1993).
func proportional(y []float64, m int) bool {
	if m < 2 || slices.Min(y) <= 0 {
		return false
	}
	var levels, swings []float64
	for end := len(y); end >= m; end -= m {
		mean, deviation := moments(y[end-m : end])
		if deviation > 0 {
			levels, swings = append(levels, math.Log(mean)), append(swings, math.Log(deviation))
		}
	}
	if len(levels) < 3 {
		return true
	}
	mx, dx := moments(levels)
	my, _ := moments(swings)
	sum := 0.0
	for i := range levels {
		sum += (levels[i] - mx) * (swings[i] - my) / float64(len(levels))
	}
	return dx > 0 && sum/(dx*dx) > 0.5
}

// shrink draws the seasons towards none as James and Stein (1961) do, the more the less their cycles tell of them (Miller and
// Williams 2003): what chance put into a season would otherwise be foretold for ever.
func (h *history) shrink() {
	for k, m := range h.seasons {
		part := h.parts[k]
		trend := loess(h.rest, odd(1.5*float64(m)), 0, len(h.rest))
		noise, size := 0.0, 0.0
		for i, v := range h.rest {
			noise += (v - trend[i]) * (v - trend[i]) / float64(len(h.rest))
		}
		for _, v := range part[len(part)-m:] {
			size += v * v
		}
		if size == 0 {
			continue
		}
		// Each place is the end of a local line through so many cycles, which is 5.2 times as uncertain as their mean: the squares of its
		// weights (tricube times linear) sum to 5.2 over their number.
		variance := 5.2 * noise / min(float64(len(part))/float64(m), float64(memory(m)))
		keep := max(0, min(1, 1-float64(m-3)*variance/size))
		for i := range part {
			h.rest[i] += (1 - keep) * part[i]
			part[i] *= keep
		}
	}
}
