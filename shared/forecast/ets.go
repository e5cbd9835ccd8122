package forecast

import (
	"math"
	"slices"
)

// etsForm is one member of the family of exponential smoothing state space models with an optional damped trend (Hyndman,
// Koehler, Ord and Snyder 2008).
type etsForm struct {
	trend  byte // 'N' none, 'D' damped, 'A' going on for ever
	season byte // 'N', 'A' or 'M'; with 'M' the error is relative, it grows with the level
}

// ets is a fitted one.
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

// likely is a fitted one and its weight beside others.
type likely struct {
	ets
	weight float64
}

// fitETS fits each form with a trend of the given kinds and weighs them by AICc, the likeliest first. m below 2 means no season;
// positive allows the multiplicative season, whose errors are relative too.
func fitETS(y []float64, m int, positive bool, trends string) []likely {
	y = standard(y, positive)
	seasons := "N"
	if m >= 2 && m <= longestSmoothed && len(y) >= 2*m+5 {
		seasons = "NA"
		if positive {
			seasons = "NAM"
		}
		if len(y) >= firstStatesMatter {
			seasons = seasons[1:] // a season that so many cycles show is one
		}
	}
	forms := make([]likely, 0, len(seasons)*len(trends))
	for _, season := range []byte(seasons) {
		start := initialETS(y, m, season)
		for _, trend := range []byte(trends) {
			e, aicc := fitForm(y, etsForm{trend, season}, m, start)
			forms = append(forms, likely{e, aicc})
		}
	}
	if forms = akaike(forms); len(forms) > 0 {
		return forms
	}
	return []likely{{ets{m: m, etsForm: etsForm{trend: 'N', season: 'N'}, alpha: 0.3, phi: 1}, 1}} // too few values for any
}

// akaike turns the AICc of each form into its Akaike weight; together they foretell better than the best form alone (Kolassa
// 2011). Those that hardly count are left out.
func akaike(forms []likely) []likely {
	const negligible = 0.01
	slices.SortStableFunc(forms, func(a, b likely) int { return order(a.weight, b.weight) })
	least, sum := forms[0].weight, 0.0
	var out []likely
	for _, f := range forms {
		if f.weight = math.Exp((least - f.weight) / 2); f.weight > negligible {
			out = append(out, f)
			sum += f.weight
		}
	}
	for i := range out {
		out[i].weight /= sum
	}
	return out
}

// blended continues y by the forms together.
func blended(forms []likely, y []float64, horizon int) []float64 {
	out := make([]float64, horizon)
	for _, f := range forms {
		for i, v := range f.forecast(y, horizon) {
			out[i] += f.weight * v
		}
	}
	return out
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

// fitForm searches the parameters from the first states given, then once more from those that these parameters lead back to.
func fitForm(y []float64, form etsForm, m int, start etsState) (ets, float64) {
	e := ets{etsForm: form, m: m, phi: 1}
	x := []float64{-0.8}
	switch form.trend {
	case 'D':
		x = append(x, -2.5, 1)
	case 'A':
		x = append(x, -2.5)
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
	if len(y) < firstStatesMatter {
		start = e.with(x).start(y)
		x = minimise(x, 0.4, 40*len(x), cost)
		start = e.with(x).start(y)
	}
	e = e.with(x)
	_, likelihood := e.pass(y, start, buffer)
	k, n := float64(len(x)+2), float64(len(y))
	if form.trend != 'N' {
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
	if e.trend != 'N' {
		e.beta = e.alpha * logistic(x[0])
		x = x[1:]
	}
	if e.trend == 'D' {
		e.phi = 0.8 + 0.18*logistic(x[0])
		x = x[1:]
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
	if e.trend == 'N' {
		z.trend = 0
	}
	if e.season == 'M' {
		return e.passMultiplicative(y, z)
	}
	square := 0.0
	at := 0
	for _, v := range y {
		base := z.level + e.phi*z.trend
		err := v - base
		if e.season == 'A' {
			err -= z.season[at]
			z.season[at] += e.gamma * err
			if at++; at == e.m {
				at = 0
			}
		}
		square += err * err
		z.level = base + e.alpha*err
		z.trend = e.phi*z.trend + e.beta*err
	}
	n := float64(len(y))
	return z, n * math.Log(max(square/n, 1e-300))
}

// passMultiplicative is pass with a multiplicative season and relative errors.
func (e ets) passMultiplicative(y []float64, z etsState) (etsState, float64) {
	square, logs := 0.0, 0.0
	at := 0
	for _, v := range y {
		base := z.level + e.phi*z.trend
		divisor := z.season[at]
		mean := base * divisor
		if mean <= 0 {
			return z, math.Inf(1)
		}
		err := v - mean
		square += err * err / (mean * mean)
		logs += math.Log(mean)
		z.level = base + e.alpha*err/divisor
		z.trend = e.phi*z.trend + e.beta*err/divisor
		z.season[at] += e.gamma * err / base
		if at++; at == e.m {
			at = 0
		}
	}
	n := float64(len(y))
	return z, n*math.Log(max(square/n, 1e-300)) + 2*logs
}

// forecast continues y.
func (e ets) forecast(y []float64, horizon int) []float64 {
	z, _ := e.pass(y, e.start(y), nil)
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
