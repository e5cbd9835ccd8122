package forecast

import (
	"math"
	"slices"
)

// band is how wide the intervals are: half-widths by day ahead.
type band struct{ half80, half95 []float64 }

// calibrate takes the half-widths from past errors, in the manner of split conformal prediction (Stankeviciute et al.,
// "Conformal time-series forecasting", 2021): the quantile of the absolute errors at about the same distance. The outer
// quantile, which hangs on a few large errors, is half their own and half what it would be were they normal, and has a margin,
// because the origins are few and their errors resemble each other. A band never narrows with the distance. Where hardly any past
// value is known, the usual change over a season (scale) stands in.
func calibrate(errors [][]float64, horizon int, scale float64) band {
	b := band{make([]float64, 0, horizon), make([]float64, 0, horizon)}
	var pool []float64
	for h := 0; h < horizon; {
		pool = near(errors, h, pool[:0])
		if len(pool) < 8 {
			break
		}
		slices.Sort(pool)
		inner, outer := quantile(pool, 0.8), quantile(pool, 0.95)
		outer = (outer + 1.96/1.2816*inner) / 2
		next := min(horizon, h+1+h/15) // near distances share nearly all of their errors
		for ; h < next; h++ {
			b.half80, b.half95 = append(b.half80, inner), append(b.half95, margin(len(errors))*outer)
		}
	}
	if len(b.half80) == 0 {
		b.half80, b.half95 = append(b.half80, 1.61*scale), append(b.half95, 3*scale) // the quantiles of a Laplace distribution
	}
	ascend(b.half80)
	ascend(b.half95)
	for h := len(b.half80); h < horizon; h++ { // farther than ever tested: as a random walk
		grow := math.Sqrt(float64(h+1) / float64(h))
		b.half80, b.half95 = append(b.half80, grow*b.half80[h-1]), append(b.half95, grow*b.half95[h-1])
	}
	for h := range b.half95 {
		b.half95[h] = max(b.half95[h], b.half80[h])
	}
	return b
}

// widen adds deviations of single days, which what comes around them does not tell.
func (b band) widen(off []float64) {
	for i := range b.half80 {
		if i < len(off) {
			b.half80[i], b.half95[i] = math.Hypot(b.half80[i], normal80*off[i]), math.Hypot(b.half95[i], 1.96*off[i])
		}
	}
}

// margin is by how much to widen what is known from the errors of a few origins only, which resemble each other.
func margin(origins int) float64 { return 1 + 1.25/float64(max(origins, 1)) }

// restlessSeasons is over how many seasons it is measured how much a series moves.
const restlessSeasons = 6

// asNow makes the errors of calmer times larger and those of wilder times smaller, by how much the series moved from season to season
// before each origin and before its end (locally weighted conformal prediction; Lei, G'Sell, Rinaldo, Tibshirani and Wasserman 2018).
// It goes half the way, in proportion, because how much a series moved lately is known roughly, and never beyond a factor of two.
func asNow(errors [][]float64, trials []trial, raw []float64, season int) [][]float64 {
	now := restless(raw, season)
	out := make([][]float64, len(errors))
	for k, path := range errors {
		factor := math.Sqrt(now / restless(raw[:trials[k].at], season))
		if !finite(factor) {
			factor = 1
		}
		factor = max(0.5, min(2, factor))
		out[k] = make([]float64, len(path))
		for i, e := range path {
			out[k][i] = factor * e
		}
	}
	return out
}

// restless is the mean absolute change over one season in the last seasons; NaN where none is known.
func restless(raw []float64, season int) float64 {
	const least = 24
	sum, n := 0.0, 0.0
	for i := max(season, len(raw)-max(least, restlessSeasons*season)); i < len(raw); i++ {
		if d := math.Abs(raw[i] - raw[i-season]); finite(d) {
			sum += d
			n++
		}
	}
	return sum / n
}

// near appends the absolute errors at about the distance h to the pool.
func near(errors [][]float64, h int, pool []float64) []float64 {
	reach := max(1, h/3)
	for _, path := range errors {
		for i := max(0, h-reach); i <= h+reach && i < len(path); i++ {
			if finite(path[i]) {
				pool = append(pool, math.Abs(path[i]))
			}
		}
	}
	return pool
}

// ascend replaces v by the nearest values that never fall: neighbours that do are averaged (Ayer et al. 1955).
func ascend(v []float64) {
	type block struct {
		mean float64
		n    int
	}
	var blocks []block
	for _, x := range v {
		b := block{x, 1}
		for len(blocks) > 0 && blocks[len(blocks)-1].mean > b.mean {
			last := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			n := last.n + b.n
			b = block{(last.mean*float64(last.n) + b.mean*float64(b.n)) / float64(n), n}
		}
		blocks = append(blocks, b)
	}
	i := 0
	for _, b := range blocks {
		for range b.n {
			v[i] = b.mean
			i++
		}
	}
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
