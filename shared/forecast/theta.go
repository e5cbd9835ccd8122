package forecast

import "math"

// thetaMethod is the Theta method of Assimakopoulos and Nikolopoulos (2000) in the form of Hyndman and Billah (2003): simple
// exponential smoothing of the series without its season, plus half of the slope of its straight line.
func thetaMethod(y []float64, horizon int) []float64 {
	n := len(y)
	run := func(alpha float64) (level, square float64) {
		level = y[0]
		for _, v := range y[1:] {
			e := v - level
			square += e * e
			level += alpha * e
		}
		return level, square
	}
	bounded := func(x float64) float64 { return 0.01 + 0.98*logistic(x) }
	x := minimise([]float64{-0.8}, 1, 30, func(x []float64) float64 {
		_, square := run(bounded(x[0]))
		return square
	})
	alpha := bounded(x[0])
	level, _ := run(alpha)
	half := slope(y) / 2
	out := make([]float64, horizon)
	for i := range out {
		out[i] = level + half*(float64(i)+(1-math.Pow(1-alpha, float64(n)))/alpha)
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

func moments(y []float64) (mean, deviation float64) {
	for _, v := range y {
		mean += v / float64(len(y))
	}
	for _, v := range y {
		deviation += (v - mean) * (v - mean) / float64(len(y))
	}
	return mean, math.Sqrt(deviation)
}
