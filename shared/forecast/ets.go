package forecast

import "math"

// etsForm is one member of the family of exponential smoothing state space models with an optional damped trend (Hyndman,
// Koehler, Ord and Snyder 2008).
type etsForm struct {
	relative bool // the error grows with the level
	trend    bool // damped
	season   byte // 'N', 'A' or 'M'
}

// ets is a fitted one: its recursion, in error correction form, is the same for both kinds of error; only the likelihood
// differs.
type ets struct {
	etsForm
	m                       int
	alpha, beta, gamma, phi float64
}

// etsState is where it stands after the last value.
type etsState struct {
	level, trend float64
	season       []float64
	n            int
}

// fitETS chooses form and parameters by AICc. m below 2 means no season; positive allows the multiplicative season, whose
// errors are relative too.
func fitETS(y []float64, m int, positive bool) ets {
	y = standard(y, positive)
	seasons := "N"
	if m >= 2 && m <= longestSmoothed && len(y) >= 2*m+5 {
		seasons = "NA"
		if positive {
			seasons = "NAM"
		}
	}
	best, least := ets{m: m, etsForm: etsForm{season: 'N'}, alpha: 0.3, phi: 1}, math.Inf(1)
	for _, season := range []byte(seasons) {
		start := initialETS(y, m, season)
		for _, trend := range []bool{false, true} {
			e, aicc := fitForm(y, etsForm{season == 'M', trend, season}, m, start)
			if aicc < least {
				best, least = e, aicc
			}
		}
	}
	return best
}

const longestSmoothed = 24

// initialCycles are how many cycles the first season is taken from.
const initialCycles = 10

// standard divides y by its scale, so that the search takes the same steps whatever the unit, and centres what may be negative.
func standard(y []float64, positive bool) []float64 {
	mean, deviation := moments(y)
	if positive {
		mean, deviation = 0, mean
	}
	if deviation == 0 {
		return y
	}
	out := make([]float64, len(y))
	for i, v := range y {
		out[i] = (v - mean) / deviation
	}
	return out
}

func fitForm(y []float64, form etsForm, m int, start etsState) (ets, float64) {
	e := ets{etsForm: form, m: m, phi: 1}
	x := []float64{-0.8}
	if form.trend {
		x = append(x, -2.5, 1)
	}
	if form.season != 'N' {
		x = append(x, -2)
	}
	buffer := make([]float64, len(start.season))
	cost := func(x []float64) float64 {
		_, likelihood := e.with(x).pass(y, start, buffer)
		return likelihood
	}
	x = minimise(x, 0.8, 40*len(x), cost)
	e = e.with(x)
	_, likelihood := e.pass(y, start, buffer)
	k, n := float64(len(x)+2), float64(len(y))
	if form.trend {
		k++
	}
	if form.season != 'N' {
		k += float64(m - 1)
	}
	if n <= k+2 {
		return e, math.Inf(1)
	}
	return e, likelihood + 2*k + 2*k*(k+1)/(n-k-1)
}

// with turns free numbers into parameters within their bounds.
func (e ets) with(x []float64) ets {
	e.alpha = 0.0001 + 0.9998*logistic(x[0])
	x = x[1:]
	if e.trend {
		e.beta, e.phi = e.alpha*logistic(x[0]), 0.8+0.18*logistic(x[1])
		x = x[2:]
	}
	if e.season != 'N' {
		e.gamma = (1 - e.alpha) * logistic(x[0])
	}
	return e
}

func logistic(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

// pass runs over y and gives minus twice the log-likelihood, up to a constant that all forms share.
func (e ets) pass(y []float64, start etsState, buffer []float64) (etsState, float64) {
	z := etsState{level: start.level, trend: start.trend, season: append(buffer[:0], start.season...), n: len(y)}
	if !e.trend {
		z.trend = 0
	}
	square, logs := 0.0, 0.0
	at := 0
	for _, v := range y {
		base := z.level + e.phi*z.trend
		mean, divisor := base, 1.0
		switch e.season {
		case 'A':
			mean += z.season[at]
		case 'M':
			divisor = z.season[at]
			mean *= divisor
		}
		err := v - mean
		if e.relative {
			if mean <= 0 {
				return z, math.Inf(1)
			}
			square += err * err / (mean * mean)
			logs += math.Log(mean)
		} else {
			square += err * err
		}
		if divisor == 0 || base == 0 && e.season == 'M' {
			return z, math.Inf(1)
		}
		z.level = base + e.alpha*err/divisor
		z.trend = e.phi*z.trend + e.beta*err/divisor
		switch e.season {
		case 'A':
			z.season[at] += e.gamma * err
		case 'M':
			z.season[at] += e.gamma * err / base
		}
		if at++; at >= e.m {
			at = 0
		}
	}
	n := float64(len(y))
	return z, n*math.Log(max(square/n, 1e-300)) + 2*logs
}

// forecast continues y.
func (e ets) forecast(y []float64, horizon int) []float64 {
	z, _ := e.pass(y, initialETS(y, e.m, e.season), nil)
	out := make([]float64, horizon)
	level, trend := z.level, z.trend
	for i := range out {
		trend *= e.phi
		level += trend
		out[i] = level
		switch e.season {
		case 'A':
			out[i] += z.season[(z.n+i)%e.m]
		case 'M':
			out[i] *= z.season[(z.n+i)%e.m]
		}
	}
	return out
}

// initialETS takes level, trend and season of the first cycles by classical decomposition.
func initialETS(y []float64, m int, season byte) etsState {
	if season == 'N' {
		m = 1
	}
	var z etsState
	head := y
	if m > 1 {
		z.season = classical(y[:min(len(y), initialCycles*m)], m, season == 'M')
		head = make([]float64, min(len(y), max(2*m, 10)))
		for i := range head {
			if season == 'M' {
				head[i] = y[i] / z.season[i%m]
			} else {
				head[i] = y[i] - z.season[i%m]
			}
		}
	}
	head = head[:min(len(head), max(10, 2*m))]
	mean, _ := moments(head)
	z.trend = slope(head)
	z.level = mean - z.trend*float64(len(head)+1)/2
	if season == 'M' && z.level <= 0 {
		z.level, z.trend = mean, 0
	}
	return z
}

// classical is the season by ratio (or difference) to a centred moving average, averaged over the cycles and normalised.
func classical(y []float64, m int, multiplicative bool) []float64 {
	sum, count := make([]float64, m), make([]float64, m)
	half := m / 2
	for i := half; i < len(y)-half; i++ {
		level := 0.0
		for j := i - half; j <= i+half; j++ {
			w := 1.0
			if m%2 == 0 && (j == i-half || j == i+half) {
				w = 0.5
			}
			level += w * y[j] / float64(m)
		}
		if multiplicative {
			sum[i%m] += y[i] / max(level, 1e-300)
		} else {
			sum[i%m] += y[i] - level
		}
		count[i%m]++
	}
	mean := 0.0
	for k := range sum {
		if count[k] > 0 {
			sum[k] /= count[k]
		} else if multiplicative {
			sum[k] = 1
		}
		mean += sum[k] / float64(m)
	}
	for k := range sum {
		switch {
		case !multiplicative:
			sum[k] -= mean
		case mean > 0:
			sum[k] = max(sum[k]/mean, 0.01)
		}
	}
	return sum
}
