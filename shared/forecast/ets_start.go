package forecast

import "slices"

// firstStatesMatter is how long a series must be for its first states to be forgotten by its end.
const firstStatesMatter = 200

// start is where the recursion begins: where it ends when it runs backwards in time (backcasting, Box and Jenkins 1976), or,
// in a long series, by classical decomposition.
func (e ets) start(y []float64) etsState {
	n := len(y)
	z := initialETS(y, e.m, e.season)
	if n >= firstStatesMatter {
		return z
	}
	reversed := slices.Clone(y)
	slices.Reverse(reversed)
	back, likelihood := e.pass(reversed, initialETS(reversed, e.m, e.season), nil)
	level := back.level + e.phi*back.trend
	if !finite(likelihood) || !finite(level) || e.season == 'M' && level <= 0 {
		return z
	}
	z.level, z.trend = level, -back.trend
	for i := range z.season {
		z.season[i] = back.season[(((n-1-i)%e.m)+e.m)%e.m] // day i is day n-1-i from behind
	}
	return z
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
