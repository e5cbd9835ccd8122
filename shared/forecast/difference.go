package forecast

import "math"

// difference takes the seasonal differences, then the plain ones.
func difference(y []float64, o arimaOrder) []float64 {
	w := append([]float64(nil), y...)
	for range o.sd {
		w = lagged(w, o.m)
	}
	for range o.d {
		w = lagged(w, 1)
	}
	return w
}

func lagged(y []float64, lag int) []float64 {
	out := make([]float64, max(0, len(y)-lag))
	for i := range out {
		out[i] = y[i+lag] - y[i]
	}
	return out
}

// integrate undoes difference for the path that continues y.
func integrate(y, path []float64, o arimaOrder) []float64 {
	levels := [][]float64{y}
	lags := []int{}
	for range o.sd {
		levels, lags = append(levels, lagged(levels[len(levels)-1], o.m)), append(lags, o.m)
	}
	for range o.d {
		levels, lags = append(levels, lagged(levels[len(levels)-1], 1)), append(lags, 1)
	}
	for k := len(lags) - 1; k >= 0; k-- {
		base := levels[k]
		all := append([]float64(nil), base[len(base)-lags[k]:]...)
		for i, v := range path {
			all = append(all, all[i]+v)
		}
		path = all[lags[k]:]
	}
	return path
}

// wanders is the test of Kwiatkowski, Phillips, Schmidt and Shin (1992) for a level, at 5 %, with as many lags as auto.arima takes
// (Hyndman and Khandakar 2008): true where there is none.
func wanders(w []float64) bool {
	n := len(w)
	mean, deviation := moments(w)
	if deviation == 0 || n < 8 {
		return false
	}
	sum, square := 0.0, 0.0
	for _, v := range w {
		sum += v - mean
		square += sum * sum
	}
	variance := deviation * deviation
	lags := int(3 * math.Sqrt(float64(n)) / 13)
	for lag := 1; lag <= lags; lag++ {
		c := 0.0
		for i := lag; i < n; i++ {
			c += (w[i] - mean) * (w[i-lag] - mean)
		}
		variance += 2 * (1 - float64(lag)/float64(lags+1)) * c / float64(n)
	}
	return square/float64(n)/float64(n)/variance > 0.463
}

// seasonStrength is 1 less the share of the season's and rest's variance that the rest alone has (Wang, Smith and Hyndman 2006).
func seasonStrength(y []float64, m int) float64 {
	parts, rest := decompose(y, []int{m})
	trend := loess(rest, odd(1.5*float64(m)), 0, len(rest))
	noise, both := make([]float64, len(y)), make([]float64, len(y))
	for i := range y {
		noise[i] = rest[i] - trend[i]
		both[i] = noise[i] + parts[0][i]
	}
	_, a := moments(noise)
	_, b := moments(both)
	if b == 0 {
		return 0
	}
	return max(0, 1-a*a/(b*b))
}
