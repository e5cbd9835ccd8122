package forecast

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// yearlyFrom is how many days of history a yearly season needs: eighteen months.
const yearlyFrom = 540

// regression is an additive model in the manner of Prophet (Taylor and Letham 2018): a trend that bends, Fourier terms for
// the seasons, weekdays and, with enough history, yearly waves, under a ridge that keeps bends and waves small unless the data
// ask for them. What the last values lie above or below it fades.
func regression(h history, horizon int, bends bool) []float64 {
	n := len(h.whole)
	r := h.regressed(horizon, bends)
	value := r.part(0)
	rest := make([]float64, n)
	for i := range rest {
		rest[i] = r.y[i] - value[i]
	}
	most := 2 * week
	if len(h.seasons) > 0 {
		most = max(most, min(2*h.seasons[0], 30))
	}
	path := autoregression(rest, most, horizon)
	for i := range path {
		path[i] += value[n+i]
		if h.logs {
			path[i] = math.Exp(min(path[i], 700))
		}
	}
	return path
}

// regressed is a fitted regression.
type regressed struct {
	design
	y       []float64 // what it was fitted to
	table   []float64
	gram    []float64
	right   []float64
	weights []float64
	mean    float64
	scale   float64
}

// regressed fits anew, or solves the equations that the yearly season was learnt from once more.
func (h history) regressed(horizon int, bends bool) regressed {
	if h.bent == nil {
		return regress(h, len(h.whole)+horizon, bends)
	}
	r := *h.bent
	if !bends {
		const never = 1e12
		r.penalty = slices.Clone(r.penalty)
		for k := range r.knots {
			r.penalty[2+k] = never
		}
		r.weights = ridge(r.gram, r.right, r.penalty)
	}
	return r
}

// regress fits to h and prepares count steps.
func regress(h history, count int, bends bool) regressed {
	n := len(h.whole)
	y := h.whole
	if h.logs {
		y = logarithms(h.whole)
	}
	r := regressed{design: newDesign(h, bends), y: y}
	r.mean, r.scale = moments(y)
	if r.scale == 0 {
		r.scale = 1
	}
	r.table = r.rows(count, h.room)
	r.gram, r.right = normalEquations(r.table[:n*r.width], y, r.mean, r.scale, r.width)
	r.weights = ridge(r.gram, r.right, r.penalty)
	return r
}

// part is what the columns from the given one on add; the first column brings the mean along.
func (r regressed) part(from int) []float64 {
	out := make([]float64, len(r.table)/r.width)
	for i := range out {
		for a := from; a < r.width; a++ {
			out[i] += r.weights[a] * r.table[i*r.width+a]
		}
		out[i] *= r.scale
		if from == 0 {
			out[i] += r.mean
		}
	}
	return out
}

// normalEquations are the products of the columns with each other and with the target.
func normalEquations(rows, y []float64, mean, scale float64, p int) (gram, right []float64) {
	gram, right = make([]float64, p*p), make([]float64, p)
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
	return gram, right
}

// ridge solves the penalised normal equations.
func ridge(gram, right, penalty []float64) []float64 {
	p := len(penalty)
	sum := slices.Clone(gram)
	for a, v := range penalty {
		sum[a*p+a] += v
	}
	var chol mat.Cholesky
	weights := mat.NewVecDense(p, nil)
	if !chol.Factorize(mat.NewSymDense(p, sum)) || chol.SolveVecTo(weights, mat.NewVecDense(p, right)) != nil {
		return make([]float64, p) // the mean: the penalty forbids it but for values beyond all bounds
	}
	return weights.RawVector().Data
}

// design describes the columns: intercept, slope, bends, then the waves of each season.
type design struct {
	h       history
	n       int
	bend    float64 // steps from one bend of the trend to the next
	knots   int
	periods []wave
	width   int
	yearly  int // the first of the yearly columns, which are the last
	penalty []float64
	year    float64 // steps that slopes are counted in
}

// wave is a sine or cosine pair of so many steps; its phase is that of the start of the year where it matters.
type wave struct{ period, shift float64 }

func newDesign(h history, bends bool) design {
	n := len(h.whole)
	d := design{h: h, n: n, bend: 91, year: 365}
	if !h.daily {
		d.bend = max(float64(n)/8, 12)
		d.year = 4 * d.bend
	}
	if bends {
		d.knots = max(0, int(float64(n)/d.bend)-1)
	}
	// A short history knows little of its slope. Beside a yearly season it must be free, or the season takes up what it leaves.
	slope := 10.0
	if h.daily && n >= yearlyFrom {
		slope = 1
	}
	d.penalty = append(d.penalty, 1e-6, slope)
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
	d.yearly = len(d.penalty)
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
// so that a slope is not carried on for ever. They lie in the room that is given, if any.
func (d *design) rows(count int, r *room) []float64 {
	out := r.take(count, d.width)
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
	}
	for k, w := range d.periods {
		column := 2 + d.knots + 2*k
		// Each step turns the pair by the same angle.
		sin, cos := math.Sincos(2 * math.Pi * w.shift / w.period)
		turnSin, turnCos := math.Sincos(2 * math.Pi / w.period)
		for at := column; at < len(out); at += d.width {
			out[at], out[at+1] = sin, cos
			sin, cos = sin*turnCos+cos*turnSin, cos*turnCos-sin*turnSin
		}
	}
	return out
}

// room is memory for the regressors of one history, then of the next, which is longer: they are what is largest.
type room struct {
	numbers []float64
	steps   int // of the longest history, those to come included
}

// take gives room for so many rows, whatever was in it before.
func (r *room) take(rows, width int) []float64 {
	if r == nil {
		return make([]float64, rows*width)
	}
	if cap(r.numbers) < rows*width {
		const later = 2 // bends that longer histories have
		r.numbers = nil
		r.numbers = make([]float64, max(rows*width, r.steps*(width+later)))
	}
	return r.numbers[:rows*width]
}
