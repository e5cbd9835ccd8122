package forecast

import "math"

// thetaMethod is the optimised Theta method (Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler 2016): simple exponential
// smoothing of the series without its season, plus a share of what its straight line is ahead of its own smoothing. The data
// choose the share, where the method of Assimakopoulos and Nikolopoulos (2000) always takes half.
func thetaMethod(y []float64, horizon int) []float64 {
	b := slope(y)
	bounded := func(x float64) float64 { return 0.01 + 0.98*logistic(x) }
	x := minimise([]float64{-0.8}, 1, 30, func(x []float64) float64 { return smoothTheta(y, b, bounded(x[0])).square })
	t := smoothTheta(y, b, bounded(x[0]))
	out := make([]float64, horizon)
	for i := range out {
		out[i] = t.level + t.share*(t.ahead+b*float64(i))
	}
	return out
}

// theta is where the smoothing stands after the last value.
type theta struct {
	level  float64
	ahead  float64 // of the line at the next step, over its own smoothing
	share  float64 // of that
	square float64 // of the errors on the way
}

// smoothTheta smooths at the given rate. For it the first level and the share follow by least squares: both enter the errors
// linearly.
func smoothTheta(y []float64, slope, alpha float64) theta {
	t := theta{level: y[0], ahead: slope}
	fade := 1.0 // what is left of a first level that is one higher
	var rr, rf, ra, ff, fa, aa float64
	for _, v := range y {
		r := v - t.level
		rr, rf, ra = rr+r*r, rf+r*fade, ra+r*t.ahead
		ff, fa, aa = ff+fade*fade, fa+fade*t.ahead, aa+t.ahead*t.ahead
		t.level += alpha * r
		t.ahead = slope + (1-alpha)*t.ahead
		fade *= 1 - alpha
	}
	if d := ff*aa - fa*fa; d > 1e-9*ff*aa {
		t.share = max(0, min(1, (ra*ff-rf*fa)/d))
	}
	higher := (rf - t.share*fa) / ff
	t.level += higher * fade
	t.square = rr - 2*higher*rf - 2*t.share*ra + higher*higher*ff + 2*higher*t.share*fa + t.share*t.share*aa
	return t
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
