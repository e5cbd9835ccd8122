package trend

import (
	"math"
	"slices"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// leastSegment is how many days a level must last.
const leastSegment = 14

// segment finds the beginnings of the levels of y, the first of which is 0: the cuts that minimise the squared error plus a
// penalty for each, found exactly by PELT (Killick, Fearnhead and Eckley 2012). The penalty is three times that of the BIC,
// with the variance taken robustly from differences between weeks, and as many times larger as days resemble the days before them
// (Lavielle and Moulines 2000).
func segment(y []float64, alike float64) []int {
	n := len(y)
	y = tame(y)
	sum, square := make([]float64, n+1), make([]float64, n+1)
	for i, v := range y {
		sum[i+1], square[i+1] = sum[i]+v, square[i]+v*v
	}
	errors := func(from, to int) float64 {
		s := sum[to] - sum[from]
		return max(0, square[to]-square[from]-s*s/float64(to-from))
	}
	spread := noise(y)
	penalty := 3 * 2 * math.Log(float64(n)) * spread * spread * alike
	best, cut := make([]float64, n+1), make([]int, n+1)
	best[0] = -penalty
	candidates := []int{0}
	for to := leastSegment; to <= n; to++ {
		best[to] = math.Inf(1)
		for _, from := range candidates {
			if c := best[from] + errors(from, to) + penalty; to-from >= leastSegment && c < best[to] {
				best[to], cut[to] = c, from
			}
		}
		candidates = slices.DeleteFunc(candidates, func(from int) bool {
			return to-from >= leastSegment && best[from]+errors(from, to) > best[to]+penalty
		})
		if to <= n-leastSegment {
			candidates = append(candidates, to)
		}
	}
	var starts []int
	for at := n; at > 0; at = cut[at] {
		starts = append(starts, cut[at])
	}
	slices.Reverse(starts)
	return starts
}

// dependence is how many days say as much as one that stands alone: (1+r)/(1-r) for the correlation r of a day with the day before,
// which is taken from medians of differences, of which changes of level touch few (Chakar, Lebarbier, Levy-Leduc and Robin 2017).
func dependence(y []float64) float64 {
	const most = 0.9
	size := func(lag int) float64 {
		var diffs []float64
		for i := lag; i < len(y); i++ {
			diffs = append(diffs, math.Abs(y[i]-y[i-lag]))
		}
		slices.Sort(diffs)
		return diffs[len(diffs)/2]
	}
	one, two := size(1), size(2)
	if one == 0 {
		return 1
	}
	r := max(0, min(most, two*two/(one*one)-1))
	return (1 + r) / (1 - r)
}

// tame cuts lone outliers back to their neighbourhood, so that a spike is no level.
func tame(y []float64) []float64 {
	out := slices.Clone(y)
	spread := noise(y)
	for i := range y {
		near := slices.Clone(y[max(0, i-week):min(len(y), i+week+1)])
		slices.Sort(near)
		mid := near[len(near)/2]
		out[i] = max(mid-3*spread, min(mid+3*spread, y[i]))
	}
	return out
}

// noise is the spread of the days around their level: from differences between a day and the same weekday after it, of which
// a change of level touches few.
func noise(y []float64) float64 {
	if len(y) <= week {
		return 0
	}
	var diffs []float64
	mean := 0.0
	for i := week; i < len(y); i++ {
		diffs = append(diffs, math.Abs(y[i]-y[i-week]))
		mean += math.Abs(y[i]) / float64(len(y)-week)
	}
	slices.Sort(diffs)
	// Half a percent of the level is no change, however even the days are.
	return max(1.4826*diffs[len(diffs)/2]/math.Sqrt2, 0.005*mean)
}

func stepErrors(y []float64, starts []int) float64 {
	total := 0.0
	for k, from := range starts {
		to := len(y)
		if k+1 < len(starts) {
			to = starts[k+1]
		}
		mean := meanOf(y[from:to])
		for _, v := range y[from:to] {
			total += (v - mean) * (v - mean)
		}
	}
	return total
}

// bayes is the Bayesian information criterion of a model with normal errors (Schwarz 1978), with as many days as stand alone.
func bayes(errors float64, n, parameters int, alike float64) float64 {
	alone := float64(n) / alike
	return alone*math.Log(max(errors, 1e-12)/float64(n)) + float64(parameters)*math.Log(max(alone, 2))
}

// changes are the steps that matter: at least a twentieth of the level.
func changes(p cost.Period, x []int, y []float64, starts []int) []Shift {
	out := []Shift{}
	for k := 1; k < len(starts); k++ {
		to := len(y)
		if k+1 < len(starts) {
			to = starts[k+1]
		}
		before, after := meanOf(y[starts[k-1]:starts[k]]), meanOf(y[starts[k]:to])
		if math.Abs(after-before) >= 0.05*max(math.Abs(before), math.Abs(after)) {
			out = append(out, Shift{Day: p.Start.AddDate(0, 0, x[starts[k]]), Before: before, After: after})
		}
	}
	return out
}
