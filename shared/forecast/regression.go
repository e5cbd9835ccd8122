package forecast

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// yearlyFrom is how many days of history a yearly season needs: eighteen months.
const yearlyFrom = 540

// regression is an additive model in the manner of Prophet (Taylor and Letham 2018): a trend that bends, Fourier terms for
// the seasons, weekdays and, with enough history, yearly waves, under a ridge that keeps bends and waves small unless the data
// ask for them. What the last values lie above or below it fades.
func regression(h history, horizon int) []float64 {
	n := len(h.y)
	y := h.y
	if h.logs {
		y = make([]float64, n)
		for i, v := range h.y {
			y[i] = math.Log(v)
		}
	}
	mean, scale := moments(y)
	if scale == 0 {
		scale = 1
	}
	d := newDesign(h)
	rows := d.rows(n + horizon)
	weights, ok := ridge(rows[:n*d.width], y, mean, scale, d.penalty)
	if !ok {
		return naive(h, horizon)
	}
	value := func(i int) float64 {
		sum := 0.0
		for a, w := range weights {
			sum += w * rows[i*d.width+a]
		}
		return mean + scale*sum
	}
	rest := make([]float64, n)
	for i := range rest {
		rest[i] = y[i] - value(i)
	}
	path := fade(rest, horizon)
	for i := range path {
		path[i] += value(n + i)
		if h.logs {
			path[i] = math.Exp(min(path[i], 700))
		}
	}
	return path
}

// fade carries what is left of the last values on: their mean, discounted, dies out as the rest's own memory says.
func fade(rest []float64, horizon int) []float64 {
	n := len(rest)
	recent := min(recentRest, n)
	sum := 0.0
	for i := n - recent; i < n; i++ {
		sum += rest[i] / float64(recent)
	}
	out := make([]float64, horizon)
	for i := range out {
		out[i] = sum * math.Pow(0.95, float64(i+1))
	}
	return out
}

const recentRest = 14

// ridge solves the penalised normal equations.
func ridge(rows, y []float64, mean, scale float64, penalty []float64) ([]float64, bool) {
	p := len(penalty)
	gram, right := make([]float64, p*p), make([]float64, p)
	for i, v := range y {
		row := rows[i*p : (i+1)*p]
		target := (v - mean) / scale
		for a, x := range row {
			if x == 0 {
				continue
			}
			right[a] += x * target
			to := gram[a*p : (a+1)*p]
			for b := a; b < p; b++ {
				to[b] += x * row[b]
			}
		}
	}
	for a, v := range penalty {
		gram[a*p+a] += v
	}
	var chol mat.Cholesky
	weights := mat.NewVecDense(p, nil)
	if !chol.Factorize(mat.NewSymDense(p, gram)) || chol.SolveVecTo(weights, mat.NewVecDense(p, right)) != nil {
		return nil, false
	}
	return weights.RawVector().Data, true
}

// design describes the columns: intercept, slope, bends, then the waves of each season.
type design struct {
	h       history
	n       int
	bend    float64 // steps from one bend of the trend to the next
	knots   int
	periods []wave
	width   int
	penalty []float64
	year    float64 // steps that slopes are counted in
}

// wave is a sine or cosine pair of so many steps; its phase is that of the start of the year where it matters.
type wave struct{ period, shift float64 }

func newDesign(h history) design {
	n := len(h.y)
	d := design{h: h, n: n, bend: 91, year: 365}
	if !h.daily {
		d.bend = max(float64(n)/8, 12)
		d.year = 4 * d.bend
	}
	d.knots = max(0, int(float64(n)/d.bend)-1)
	d.penalty = append(d.penalty, 1e-6, 0.1)
	for range d.knots {
		d.penalty = append(d.penalty, 10)
	}
	for _, m := range h.seasons {
		period := float64(m)
		if m == 52 {
			period = 365.25 / 7
		}
		for k := 1; k <= min(m/2, harmonics) && 2*k <= m; k++ {
			d.add(period/float64(k), 0, 1)
		}
	}
	if h.daily && n >= yearlyFrom {
		for k := 1; k <= waves; k++ {
			d.add(365.25/float64(k), float64(h.start.YearDay()), 1)
		}
	}
	d.width = len(d.penalty)
	return d
}

const (
	waves     = 3
	harmonics = 12
)

func (d *design) add(period, shift, penalty float64) {
	d.periods = append(d.periods, wave{period, shift})
	d.penalty = append(d.penalty, penalty, penalty)
}

// rows fills in the regressors of the first count steps, of which some may lie in the future: there the trend flattens out,
// so that a slope is not carried on for ever.
func (d *design) rows(count int) []float64 {
	out := make([]float64, count*d.width)
	for i := range count {
		x := out[i*d.width : (i+1)*d.width]
		at := float64(i)
		if over := at - float64(d.n); over > 0 {
			fade := 1.43 * d.bend // e-folding of the slope
			at = float64(d.n) + fade*(1-math.Exp(-over/fade))
		}
		x[0], x[1] = 1, at/d.year
		for k := range d.knots {
			x[2+k] = max(0, at-d.bend*float64(k+1)) / d.year
		}
		for k, w := range d.periods {
			x[2+d.knots+2*k], x[3+d.knots+2*k] = math.Sincos(2 * math.Pi * (float64(i) + w.shift) / w.period)
		}
	}
	return out
}
