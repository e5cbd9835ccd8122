package forecast

import "math"

// logLikelihood is the exact Gaussian one of the differenced series, its variance concentrated out, by the Kalman filter on
// Harvey's state space form (Gardner, Harvey and Phillips 1980).
func (a arima) logLikelihood(w []float64) float64 {
	likelihood, _ := a.filter(w)
	return likelihood
}

// continued are the expected values of the differenced series after w, given all of it.
func (a arima) continued(w []float64, horizon int) []float64 {
	likelihood, state := a.filter(w)
	if math.IsInf(likelihood, -1) || math.IsNaN(likelihood) {
		return repeat(a.mean, horizon)
	}
	out := make([]float64, horizon)
	for t := range out {
		first := state[0]
		out[t] = a.mean + first
		for i := range state {
			state[i] = 0
			if i < len(a.ar) {
				state[i] = a.ar[i] * first
			}
			if i+1 < len(state) {
				state[i] += state[i+1]
			}
		}
	}
	return out
}

// filter gives the log-likelihood and the state that is expected for the step after w.
func (a arima) filter(w []float64) (likelihood float64, state []float64) {
	r := max(len(a.ar), len(a.ma)+1)
	phi, load := make([]float64, r), make([]float64, r)
	copy(phi, a.ar)
	load[0] = 1
	copy(load[1:], a.ma)
	p := stationaryCovariance(phi, load)
	state = make([]float64, r)
	next := make([]float64, r)
	moved := make([]float64, r*r)
	square, logs := 0.0, 0.0
	steady := false
	gain := make([]float64, r)
	f := 0.0
	for _, v := range w {
		if !steady {
			f = p[0]
			if f <= 0 || !finite(f) {
				return math.Inf(-1), nil
			}
			for i := range gain {
				gain[i] = p[i*r] / f
			}
		}
		e := v - a.mean - state[0]
		square += e * e / f
		logs += math.Log(f)
		for i := range state {
			state[i] += gain[i] * e
		}
		for i := range next {
			next[i] = phi[i] * state[0]
			if i+1 < r {
				next[i] += state[i+1]
			}
		}
		state, next = next, state
		if steady {
			continue
		}
		for i := range r {
			for j := range r {
				p[i*r+j] -= gain[i] * gain[j] * f
			}
		}
		step(p, moved, phi, load)
		steady = math.Abs(p[0]-f) < 1e-10*f && math.Abs(f-1) < 1e-8
	}
	n := float64(len(w))
	return -0.5 * (n*math.Log(2*math.Pi*square/n) + n + logs), state
}

// step replaces p by T p T' + R R', where T shifts up and feeds the first state back by phi.
func step(p, moved, phi, load []float64) {
	r := len(phi)
	at := func(i, j int) float64 {
		if i >= r || j >= r {
			return 0
		}
		return p[i*r+j]
	}
	for i := range r {
		for j := range r {
			moved[i*r+j] = phi[i]*phi[j]*p[0] + phi[i]*at(0, j+1) + phi[j]*at(i+1, 0) + at(i+1, j+1) + load[i]*load[j]
		}
	}
	copy(p, moved)
}

// stationaryCovariance solves p = T p T' + R R' by doubling: each round squares T and so covers twice as many steps.
func stationaryCovariance(phi, load []float64) []float64 {
	r := len(phi)
	t, p := make([]float64, r*r), make([]float64, r*r)
	for i := range r {
		t[i*r] = phi[i]
		if i+1 < r {
			t[i*r+i+1] += 1
		}
		for j := range r {
			p[i*r+j] = load[i] * load[j]
		}
	}
	for range 30 {
		tp := multiply(t, p, r, false)
		add := multiply(tp, t, r, true)
		change := 0.0
		for i := range p {
			p[i] += add[i]
			change = max(change, math.Abs(add[i]))
		}
		if change < 1e-12*(1+p[0]) || !finite(change) {
			break
		}
		t = multiply(t, t, r, false)
	}
	return p
}

// multiply is a times b, or a times b transposed.
func multiply(a, b []float64, r int, transposed bool) []float64 {
	out := make([]float64, r*r)
	for i := range r {
		for k := range r {
			v := a[i*r+k]
			if transposed {
				for j := range r {
					out[i*r+j] += v * b[j*r+k]
				}
				continue
			}
			if v == 0 {
				continue
			}
			for j := range r {
				out[i*r+j] += v * b[k*r+j]
			}
		}
	}
	return out
}
