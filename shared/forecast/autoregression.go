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

// yuleWalker solves for each order up to most by the recursion of Levinson and Durbin.
func yuleWalker(y []float64, most int) []float64 {
	n := len(y)
	covariance := make([]float64, most+1)
	for lag := range covariance {
		for i := lag; i < n; i++ {
			covariance[lag] += y[i] * y[i-lag]
		}
		covariance[lag] /= float64(n)
	}
	var best, current []float64
	variance, size := covariance[0], float64(n)
	if variance <= 0 {
		return nil
	}
	least := size * math.Log(variance)
	for p := 1; p <= most; p++ {
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
		current = next
		if variance *= 1 - reflection*reflection; variance <= 1e-12*covariance[0] {
			break
		}
		k := float64(p)
		if aicc := size*math.Log(variance) + 2*k*size/max(size-k-2, 1); aicc < least {
			best, least = current, aicc
		}
	}
	return best
}
