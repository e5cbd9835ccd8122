package forecast

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// yearlyFrom is how many days of history a yearly season needs: eighteen months.
const yearlyFrom = 540

// bend is after how many days the trend may change its slope.
const bend = 91

// regression is an additive model in the manner of Prophet (Taylor and Letham 2018): a trend that bends once a quarter, the
// weekday and, with enough history, three yearly waves, under a ridge that keeps bends and waves small unless the data ask
// for them. What the last days lie above or below it fades over the coming weeks.
func regression(h history, horizon int) []float64 {
	n := len(h.y)
	mean, scale := moments(h.y)
	if scale == 0 {
		scale = 1
	}
	d := design{h: h, n: n, knots: max(0, n/bend-1), yearly: n >= yearlyFrom}
	p := d.width()
	gram := mat.NewSymDense(p, nil)
	right := make([]float64, p)
	row := make([]float64, p)
	for i, y := range h.y {
		d.row(i, row)
		target := (y - mean) / scale
		for a, x := range row {
			if x == 0 {
				continue
			}
			right[a] += x * target
			for b := a; b < p; b++ {
				gram.SetSym(a, b, gram.At(a, b)+x*row[b])
			}
		}
	}
	for a := range p {
		gram.SetSym(a, a, gram.At(a, a)+d.penalty(a))
	}
	var chol mat.Cholesky
	weights := mat.NewVecDense(p, nil)
	if !chol.Factorize(gram) || chol.SolveVecTo(weights, mat.NewVecDense(p, right)) != nil {
		return naive(h, horizon)
	}
	value := func(i int) float64 {
		d.row(i, row)
		return mean + scale*mat.Dot(weights, mat.NewVecDense(p, row))
	}
	rest := 0.0
	const recent = 14
	for i := n - min(recent, n); i < n; i++ {
		rest += (h.y[i] - value(i)) / float64(min(recent, n))
	}
	out := make([]float64, horizon)
	for i := range out {
		out[i] = value(n+i) + rest*math.Pow(0.95, float64(i+1))
	}
	return out
}

// design describes the columns: intercept, slope, bends, six weekdays, three waves.
type design struct {
	h      history
	n      int
	knots  int
	yearly bool
}

const waves = 3

func (d design) width() int {
	p := 2 + d.knots + week - 1
	if d.yearly {
		p += 2 * waves
	}
	return p
}

func (d design) penalty(column int) float64 {
	switch {
	case column == 0:
		return 1e-6
	case column == 1:
		return 0.1
	case column < 2+d.knots:
		return 10
	}
	return 1
}

// row fills in the regressors of day i, which may lie in the future: there the trend flattens out with a half-life of a
// quarter, so that a slope is not carried on for ever.
func (d design) row(i int, x []float64) {
	clear(x)
	at := float64(i)
	if over := at - float64(d.n); over > 0 {
		const fade = 130 // days; e-folding of the slope
		at = float64(d.n) + fade*(1-math.Exp(-over/fade))
	}
	x[0], x[1] = 1, at/365
	for k := range d.knots {
		x[2+k] = max(0, at-float64(bend*(k+1))) / 365
	}
	c := 2 + d.knots
	if w := d.h.weekday(i); w > 0 {
		x[c+w-1] = 1
	}
	if !d.yearly {
		return
	}
	c += week - 1
	angle := 2 * math.Pi * float64(d.h.start.YearDay()+i) / 365.25
	for k := range waves {
		x[c+2*k], x[c+2*k+1] = math.Sin(angle*float64(k+1)), math.Cos(angle*float64(k+1))
	}
}

func moments(y []float64) (mean, deviation float64) {
	for _, v := range y {
		mean += v / float64(len(y))
	}
	for _, v := range y {
		deviation += (v - mean) * (v - mean) / float64(len(y))
	}
	return mean, math.Sqrt(deviation)
}
