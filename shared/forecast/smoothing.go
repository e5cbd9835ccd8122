package forecast

import "math"

// fitted holds the parameters that are costly to find.
type fitted struct {
	whole []likely // of the series, season included where it is short
	arima arima
}

func fit(h history) fitted {
	f := fitted{whole: h.smooth()}
	if !h.fast {
		y, m := h.forARIMA()
		f.arima = fitARIMA(y, m)
	}
	return f
}

// smooth leaves it to the likelihood whether a short series has a short season. A trend that never ends is not looked for in daily
// costs: three months are ninety steps.
func (h history) smooth() []likely {
	m := 0
	switch {
	case len(h.seasons) > 0:
		m = h.seasons[0]
	case len(h.y) < firstStatesMatter && len(h.possible) > 0 && h.possible[0] <= 12:
		m = h.possible[0]
	}
	trends := "NDA"
	if h.daily {
		trends = "ND"
	}
	return fitETS(h.y, m, h.positive, trends)
}

// forARIMA is what ARIMA models: the series with its season where the season is short, else the rest without it.
func (h history) forARIMA() ([]float64, int) {
	const longest = 12
	if len(h.seasons) == 0 || h.seasons[0] > longest {
		return h.rest, 0
	}
	if !h.logs {
		return h.y, h.seasons[0]
	}
	return logarithms(h.y), h.seasons[0]
}

func logarithms(y []float64) []float64 {
	out := make([]float64, len(y))
	for i, v := range y {
		out[i] = math.Log(v)
	}
	return out
}

// member is one model of the ensemble.
type member struct {
	name     string
	vote     float64 // two shapes of one model share a vote
	anchored bool    // goes on from the last level, however far
	forecast func(h history, horizon int) []float64
}

// members are the models; the parameters are those of an earlier or the same history.
func members(f fitted, fast bool) []member {
	year := func(forecast func(history, int) []float64) func(history, int) []float64 {
		return func(h history, horizon int) []float64 { return h.withYear(forecast(h, horizon)) }
	}
	all := []member{
		{"seasonal-naive", 1, true, year(naive)},
		{"smoothing", 1, true, year(func(h history, horizon int) []float64 { return blended(f.whole, h.y, horizon) })},
		{"theta", 1, true, year(thetaOf)},
		{"regression", 0.5, false, func(h history, horizon int) []float64 { return regression(h, horizon, true) }},
		{"straight-regression", 0.5, false, func(h history, horizon int) []float64 { return regression(h, horizon, false) }},
	}
	if !fast {
		all = append(all, member{"arima", 1, false, year(f.forecastARIMA)})
	}
	return all
}

func (f fitted) forecastARIMA(h history, horizon int) []float64 {
	y, m := h.forARIMA()
	path := f.arima.forecast(y, horizon)
	switch {
	case m == 0:
		return h.reseason(path)
	case h.logs:
		for i, v := range path {
			path[i] = math.Exp(min(v, 700))
		}
	}
	return path
}

// withYear puts the yearly season back on a path.
func (h history) withYear(path []float64) []float64 {
	if h.year == nil {
		return path
	}
	for i := range path {
		path[i] += h.year[len(h.y)+i]
	}
	return path
}

// reseason puts the seasons back on a path of the rest.
func (h history) reseason(path []float64) []float64 {
	for i := range path {
		for k, m := range h.seasons {
			path[i] += repeatLast(h.parts[k], m, i)
		}
		if h.logs {
			path[i] = math.Exp(min(path[i], 700))
		}
	}
	return path
}

// naive repeats the mean of the same place in the last cycles of the longest season, three of a short one and one of a long
// one; without a season it repeats the last value.
func naive(h history, horizon int) []float64 {
	m, cycles := 1, 1
	if len(h.seasons) > 0 {
		m = h.seasons[len(h.seasons)-1]
	}
	if m == week {
		cycles = 3
	}
	return repeatCycle(h.y, m, cycles, horizon)
}

func repeatCycle(y []float64, m, cycles, horizon int) []float64 {
	out := make([]float64, horizon)
	n := len(y)
	for i := range out {
		sum, count := 0.0, 0
		for c := range cycles {
			if k := n - m*(c+1) + i%m; k >= 0 {
				sum += y[k]
				count++
			}
		}
		out[i] = sum / float64(max(count, 1))
	}
	return out
}

// thetaOf is the Theta method on the series without its seasons.
func thetaOf(h history, horizon int) []float64 {
	y := h.rest
	if h.logs {
		y = make([]float64, len(h.rest))
		for i, v := range h.rest {
			y[i] = math.Exp(v)
		}
	}
	path := thetaMethod(y, horizon)
	if h.logs {
		for i, v := range path {
			path[i] = math.Log(max(v, y[len(y)-1]/100))
		}
	}
	return h.reseason(path)
}
