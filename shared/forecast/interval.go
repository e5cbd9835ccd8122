package forecast

import (
	"math"
	"slices"
)

// band is how wide the intervals are: half-widths by day ahead.
type band struct{ half80, half95 []float64 }

// calibrate takes the half-widths from past errors, in the manner of split conformal prediction (Stankeviciute et al.,
// "Conformal time-series forecasting", 2021): the quantile of the absolute errors at about the same distance, with a margin
// because the origins are few and their errors resemble each other. A band never narrows with the distance. Where hardly any
// past day is known, the usual change from week to week (scale) stands in.
func calibrate(errors [][]float64, horizon int, scale float64) band {
	b := band{make([]float64, horizon), make([]float64, horizon)}
	margin := 1 + 0.5/float64(max(len(errors), 1))
	tested := 0
	for h := range horizon {
		reach := max(3, h/3)
		var pool []float64
		for _, path := range errors {
			for i := max(0, h-reach); i <= h+reach && i < len(path); i++ {
				if finite(path[i]) {
					pool = append(pool, math.Abs(path[i]))
				}
			}
		}
		half80, half95 := 0.0, 0.0
		if h == 0 {
			half80, half95 = 1.61*scale, 3*scale // the quantiles of a Laplace distribution
		}
		if len(pool) >= 8 {
			slices.Sort(pool)
			half80, half95 = margin*quantile(pool, 0.8), margin*quantile(pool, 0.95)
			tested = h
		}
		if h > 0 {
			grow := 1.0
			if h > tested { // farther than ever tested: as a random walk
				grow = math.Sqrt(float64(h+1) / float64(h))
			}
			half80, half95 = max(half80, grow*b.half80[h-1]), max(half95, grow*b.half95[h-1])
		}
		b.half80[h], b.half95[h] = half80, max(half80, half95)
	}
	return b
}

// sum is the band of the sum over the days from..to-1. Errors of neighbouring days resemble each other, so it comes from
// past errors of such sums; where too few were made, the days' half-widths add up, which is never too narrow.
func (b band) sum(errors [][]float64, from, to int) (half80, half95 float64) {
	square, n := 0.0, 0.0
	for _, path := range errors {
		if to > len(path) {
			continue
		}
		total := 0.0
		for _, e := range path[from:to] {
			if finite(e) {
				total += e
			}
		}
		square += total * total
		n++
	}
	for h := from; h < to; h++ {
		half80 += b.half80[h]
		half95 += b.half95[h]
	}
	const enough = 4
	if n < enough {
		return half80, half95
	}
	deviation := math.Sqrt(square/n) * (1 + 1/n)
	return min(half80, 1.2816*deviation), min(half95, max(1.96*deviation, 1.2816*deviation))
}

// quantile of sorted values, the conservative one: no interpolation downwards.
func quantile(sorted []float64, p float64) float64 {
	return sorted[min(len(sorted)-1, int(math.Ceil(p*float64(len(sorted)+1)))-1)]
}
