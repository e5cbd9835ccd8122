package forecast

import "math"

// smoothing is additive exponential smoothing with a damped trend and a weekly season, ETS(A,Ad,A) of Hyndman et al.,
// "Forecasting with Exponential Smoothing" (2008), in its component form.
type smoothing struct{ alpha, beta, gamma, phi float64 }

// state is where the smoothing stands after the last day.
type state struct {
	level, trend float64
	season       [week]float64
}

// fitSmoothing searches a grid and then its neighbourhood for the least one-step squared error. It is deterministic, and a
// pass over the history costs microseconds.
func fitSmoothing(h history) smoothing {
	best, least := smoothing{0.2, 0.01, 0.05, 0.98}, math.Inf(1)
	try := func(s smoothing) {
		if _, sse := s.run(h); sse < least {
			best, least = s, sse
		}
	}
	for _, alpha := range []float64{0.03, 0.08, 0.2, 0.4, 0.7} {
		for _, beta := range []float64{0, 0.02, 0.1} {
			for _, gamma := range []float64{0.01, 0.08} {
				try(smoothing{alpha, beta * alpha, gamma, 0.97})
			}
		}
	}
	for step := 1.6; step > 1.1; step = math.Sqrt(step) {
		for _, f := range []float64{step, 1 / step} {
			b := best
			try(smoothing{min(0.99, b.alpha*f), min(0.5, b.beta*f), b.gamma, b.phi})
			try(smoothing{b.alpha, min(b.alpha, b.beta*f), b.gamma, b.phi})
			try(smoothing{b.alpha, b.beta, min(0.5, b.gamma*f), b.phi})
			try(smoothing{b.alpha, b.beta, b.gamma, max(0.8, min(0.995, 1-(1-b.phi)*f))})
		}
	}
	return best
}

// run passes over the history; the first two weeks settle the state and do not count.
func (s smoothing) run(h history) (state, float64) {
	z := state{season: h.season}
	head := min(2*week, len(h.y))
	for i := range head {
		z.level += (h.y[i] - z.season[h.weekday(i)]) / float64(head)
	}
	sse := 0.0
	d := h.weekday(0)
	for i, y := range h.y {
		mean := z.level + s.phi*z.trend
		e := y - mean - z.season[d]
		if i >= head {
			sse += e * e
		}
		z.level = mean + s.alpha*e
		z.trend = s.phi*z.trend + s.beta*e
		z.season[d] += s.gamma * e
		if d++; d == week {
			d = 0
		}
	}
	return z, sse
}

func (s smoothing) forecast(h history, horizon int) []float64 {
	z, _ := s.run(h)
	out := make([]float64, horizon)
	level, trend := z.level, z.trend
	for i := range out {
		trend *= s.phi
		level += trend
		out[i] = level + z.season[h.weekday(len(h.y)+i)]
	}
	return out
}

// naive repeats the mean of the same weekday in the last three weeks.
func naive(h history, horizon int) []float64 {
	const weeks = 3
	out := make([]float64, horizon)
	n := len(h.y)
	for i := range out {
		sum, count := 0.0, 0
		for w := range weeks {
			if k := n - week*(w+1) + i%week; k >= 0 {
				sum += h.y[k]
				count++
			}
		}
		out[i] = sum / float64(max(count, 1))
	}
	return out
}

// theta is the Theta method of Assimakopoulos and Nikolopoulos (2000) in the form of Hyndman and Billah (2003): simple
// exponential smoothing of the series without its season, plus half of the slope of its straight line.
func theta(h history, horizon int) []float64 {
	n := len(h.y)
	y := make([]float64, n)
	for i, v := range h.y {
		y[i] = v - h.season[h.weekday(i)]
	}
	best, level, least := 0.0, 0.0, math.Inf(1)
	for _, alpha := range []float64{0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9} {
		l, sse := y[0], 0.0
		for _, v := range y[1:] {
			e := v - l
			sse += e * e
			l += alpha * e
		}
		if sse < least {
			best, level, least = alpha, l, sse
		}
	}
	half := slope(y) / 2
	out := make([]float64, horizon)
	for i := range out {
		drift := half * (float64(i) + (1-math.Pow(1-best, float64(n)))/best)
		out[i] = level + drift + h.season[h.weekday(n+i)]
	}
	return out
}

// slope is the least-squares slope of y over its index.
func slope(y []float64) float64 {
	n := float64(len(y))
	if n < 2 {
		return 0
	}
	mid, sum, square := (n-1)/2, 0.0, 0.0
	for i, v := range y {
		x := float64(i) - mid
		sum += x * v
		square += x * x
	}
	return sum / square
}
