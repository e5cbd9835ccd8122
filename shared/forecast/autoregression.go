package forecast

import "math"

// autoregression continues a series around zero by the autoregression of Yule and Walker, its order chosen by AICc. It is
// always stationary: the path dies out.
func autoregression(y []float64, most, horizon int) []float64 {
	coefficients := yuleWalker(y, min(most, len(y)/4))
	p, n := len(coefficients), len(y)
	all := append(make([]float64, 0, p+horizon), y[n-p:]...)
	for range horizon {
		next := 0.0
		for k, c := range coefficients {
			next += c * all[len(all)-1-k]
		}
		all = append(all, next)
	}
	return all[p:]
}

func yuleWalker(y []float64, most int) []float64 {
	size := float64(len(y))
	var best []float64
	least := math.Inf(1)
	for p, m := range levinson(y, most) {
		k := float64(p + 1)
		aicc := size*math.Log(m.variance) + 2*k*size/max(size-k-2, 1)
		if p == 0 {
			least = size * math.Log(m.before)
		}
		if aicc < least {
			best, least = m.coefficients, aicc
		}
	}
	return best
}

// yuleWalkerModel is the solution of one order; before is the variance of what the order below leaves.
type yuleWalkerModel struct {
	coefficients     []float64
	before, variance float64
}

// levinson solves the equations of Yule and Walker for each order up to most by the recursion of Levinson and Durbin.
func levinson(y []float64, most int) []yuleWalkerModel {
	n := len(y)
	covariance := make([]float64, most+1)
	for lag := range covariance {
		for i := lag; i < n; i++ {
			covariance[lag] += y[i] * y[i-lag]
		}
		covariance[lag] /= float64(n)
	}
	var out []yuleWalkerModel
	var current []float64
	variance := covariance[0]
	for p := 1; p <= most && variance > 1e-12*covariance[0]; p++ {
		reflection := covariance[p]
		for k, c := range current {
			reflection -= c * covariance[p-1-k]
		}
		reflection /= variance
		next := make([]float64, p)
		next[p-1] = reflection
		for k, c := range current {
			next[k] = c - reflection*current[p-2-k]
		}
		before := variance
		variance *= 1 - reflection*reflection
		if variance <= 1e-12*covariance[0] {
			break
		}
		current = next
		out = append(out, yuleWalkerModel{current, before, variance})
	}
	return out
}
