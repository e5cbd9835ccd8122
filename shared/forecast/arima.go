package forecast

import (
	"math"
)

// arimaOrder is the shape of a seasonal ARIMA(p,d,q)(P,D,Q)m model.
type arimaOrder struct{ p, d, q, sp, sd, sq, m int }

// arima is a fitted model in the signs of Box and Jenkins's equation w(t) = sum ar(k) w(t-k) + e(t) + sum ma(k) e(t-k), where
// w is the differenced series less its mean.
type arima struct {
	arimaOrder
	ar, ma []float64 // the seasonal factors multiplied in
	mean   float64   // of the differenced series; 0 where it was differenced twice
}

// fitARIMA searches the orders stepwise as Hyndman and Khandakar (2008) do: differences first, then from four starting models
// to the neighbour with the best AICc, by conditional sums of squares; the winner is finished by exact likelihood.
func fitARIMA(y []float64, m int) arima {
	y = standard(y, false)
	o := arimaOrder{m: m}
	if m >= 2 && len(y) >= 3*m && seasonStrength(y, m) > 0.64 {
		o.sd = 1
	}
	for o.d < 2-o.sd && wanders(difference(y, arimaOrder{d: o.d, sd: o.sd, m: m})) {
		o.d++
	}
	s := stepwise{w: difference(y, o), best: o, least: math.Inf(1), tried: map[arimaOrder]bool{}}
	s.run()
	return s.best.finish(s.w, s.x)
}

// stepwise walks over the orders of one differencing.
type stepwise struct {
	w     []float64 // the differenced series
	best  arimaOrder
	x     []float64 // its free parameters
	least float64   // its AICc
	tried map[arimaOrder]bool
}

// mostModels bounds a walk.
const mostModels = 24

func (s *stepwise) run() {
	seasonal := 0
	if s.best.m >= 2 {
		seasonal = 1
	}
	for _, start := range [][4]int{{2, 2, seasonal, seasonal}, {0, 0, 0, 0}, {1, 0, seasonal, 0}, {0, 1, 0, seasonal}} {
		from := arimaOrder{d: s.best.d, sd: s.best.sd, m: s.best.m}
		s.try(from.plus(start))
	}
	neighbours := [][4]int{{1, 0, 0, 0}, {-1, 0, 0, 0}, {0, 1, 0, 0}, {0, -1, 0, 0}, {1, 1, 0, 0}, {-1, -1, 0, 0},
		{0, 0, seasonal, 0}, {0, 0, -1, 0}, {0, 0, 0, seasonal}, {0, 0, 0, -1}}
	for improved := true; improved; {
		improved = false
		for _, step := range neighbours {
			improved = s.try(s.best.plus(step)) || improved
		}
	}
}

// try reports whether the order is better than the best so far.
func (s *stepwise) try(o arimaOrder) bool {
	if !o.small() || s.tried[o] || len(s.tried) >= mostModels {
		return false
	}
	s.tried[o] = true
	x, aicc := o.search(s.w)
	if aicc >= s.least {
		return false
	}
	s.best, s.x, s.least = o, x, aicc
	return true
}

// plus adds to p, q and their seasonal ones.
func (o arimaOrder) plus(step [4]int) arimaOrder {
	o.p, o.q, o.sp, o.sq = o.p+step[0], o.q+step[1], o.sp+step[2], o.sq+step[3]
	return o
}

// small reports whether the order is one that is looked at.
func (o arimaOrder) small() bool {
	within := func(n, most int) bool { return n >= 0 && n <= most }
	return within(o.p, 4) && within(o.q, 3) && within(o.sp, 1) && within(o.sq, 1)
}

// search minimises the conditional sum of squares and gives the free parameters and the AICc.
func (o arimaOrder) search(w []float64) ([]float64, float64) {
	mean := o.meanOf(w)
	dimension := o.p + o.q + o.sp + o.sq
	buffer := make([]float64, len(w))
	cost := func(x []float64) float64 { return o.with(x, mean).squares(w, buffer) }
	x := make([]float64, dimension)
	if dimension > 0 {
		x = minimise(x, 0.4, 25*dimension+20, cost)
	}
	n, k := float64(len(w)), float64(dimension+1)
	if mean != 0 {
		k++
	}
	if n <= k+2 {
		return x, math.Inf(1)
	}
	return x, n*math.Log(max(cost(x)/n, 1e-300)) + 2*k + 2*k*(k+1)/(n-k-1)
}

// finish refines the parameters by exact likelihood.
func (o arimaOrder) finish(w, x []float64) arima {
	mean := o.meanOf(w)
	if len(x) == 0 {
		return o.with(nil, mean)
	}
	tail := w[max(0, len(w)-exactSpan):]
	x = minimise(x, 0.1, 12*len(x), func(x []float64) float64 { return -o.with(x, mean).logLikelihood(tail) })
	return o.with(x, mean)
}

// exactSpan is how many of the last values the exact likelihood looks at; beyond, it differs little from the conditional one.
const exactSpan = 250

func (o arimaOrder) meanOf(w []float64) float64 {
	if o.d+o.sd > 1 {
		return 0
	}
	mean, deviation := moments(w)
	if o.d+o.sd == 1 && math.Abs(mean)*math.Sqrt(float64(len(w))) < deviation {
		return 0 // no drift that is worth going on with
	}
	return mean
}

// with turns free numbers into a stationary and invertible model.
func (o arimaOrder) with(x []float64, mean float64) arima {
	take := func(n int) []float64 {
		out := stationary(x[:n])
		x = x[n:]
		return out
	}
	ar, ma, sar, sma := take(o.p), take(o.q), take(o.sp), take(o.sq)
	a := arima{arimaOrder: o, mean: mean, ar: expand(ar, sar, o.m)}
	a.ma = expand(ma, sma, o.m)
	for i := range a.ma {
		a.ma[i] = -a.ma[i]
	}
	return a
}

// stationary maps free numbers to autoregressive coefficients through partial autocorrelations (Monahan 1984).
func stationary(x []float64) []float64 {
	var out []float64
	for _, v := range x {
		r := math.Tanh(v) * 0.999
		next := make([]float64, len(out)+1)
		next[len(out)] = r
		for k, c := range out {
			next[k] = c - r*out[len(out)-1-k]
		}
		out = next
	}
	return out
}

// expand multiplies (1 - sum a B^k) by (1 - sum s B^(km)) and gives the coefficients in the same signs.
func expand(a, s []float64, m int) []float64 {
	out := make([]float64, len(a)+len(s)*m)
	copy(out, a)
	for k, v := range s {
		at := (k + 1) * m
		out[at-1] += v
		for j, c := range a {
			out[at+j] -= v * c
		}
	}
	return out
}

// squares runs the recursion with zero errors before the start; e receives the errors.
func (a arima) squares(w, e []float64) float64 {
	ar, ma := terms(a.ar), terms(a.ma)
	sum := 0.0
	for t, v := range w {
		err := v - a.mean
		for _, c := range ar {
			if t >= c.lag {
				err -= c.value * (w[t-c.lag] - a.mean)
			}
		}
		for _, c := range ma {
			if t >= c.lag {
				err -= c.value * e[t-c.lag]
			}
		}
		e[t] = err
		if t >= len(a.ar) {
			sum += err * err
		}
	}
	// The first errors are not known; the rest stand for them.
	return sum * float64(len(w)) / float64(max(1, len(w)-len(a.ar)))
}

type term struct {
	lag   int
	value float64
}

func terms(c []float64) []term {
	var out []term
	for i, v := range c {
		if v != 0 {
			out = append(out, term{i + 1, v})
		}
	}
	return out
}

// forecast continues y.
func (a arima) forecast(y []float64, horizon int) []float64 {
	w := difference(y, a.arimaOrder)
	if a.mean != 0 { // fitted in another unit, perhaps to fewer values
		a.mean = a.meanOf(w)
	}
	return integrate(y, a.continued(w, horizon), a.arimaOrder)
}
