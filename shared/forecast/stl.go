package forecast

import "math"

// decompose splits y into seasons and the rest, by STL (Cleveland et al. 1990) without its robustness weights, repeated over
// the seasons as MSTL does (Bandara, Hyndman and Bergmeir 2021). The seasons must be ascending; each needs two cycles.
func decompose(y []float64, seasons []int) (parts [][]float64, rest []float64) {
	parts = make([][]float64, len(seasons))
	for k := range parts {
		parts[k] = make([]float64, len(y))
	}
	rest = append([]float64(nil), y...)
	passes := 1
	if len(seasons) > 1 {
		passes = 2
	}
	for range passes {
		for k, m := range seasons {
			for i := range rest {
				rest[i] += parts[k][i]
			}
			parts[k] = stl(rest, m, memory(m))
			for i := range rest {
				rest[i] -= parts[k][i]
			}
		}
	}
	return parts, rest
}

// memory is over how many cycles a season is learnt: weekdays are habits of years, while a year or a day comes often enough
// to be believed after a few.
func memory(m int) int {
	switch {
	case m <= week:
		return 101
	case m <= 12:
		return 21
	}
	return 11
}

// stl gives the seasonal part of y. window is the number of cycles over which a season may change.
func stl(y []float64, m, window int) []float64 {
	n := len(y)
	trend, season := make([]float64, n), make([]float64, n)
	trendWindow := odd(1.5 * float64(m) / (1 - 1.5/float64(window)))
	wide := make([]float64, n+2*m)
	for range 2 {
		cycleSubseries(y, trend, wide, m, window)
		low := movingAverage(movingAverage(movingAverage(wide, m), m), 3)
		low = loess(low, odd(float64(m)), 0, len(low))
		for i := range season {
			season[i] = wide[m+i] - low[i]
			trend[i] = y[i] - season[i]
		}
		trend = loess(trend, trendWindow, 0, n)
	}
	return season
}

// cycleSubseries smooths each of the m subseries of y-trend and carries it one cycle beyond both ends.
func cycleSubseries(y, trend, wide []float64, m, window int) {
	for phase := range m {
		var sub []float64
		for i := phase; i < len(y); i += m {
			sub = append(sub, y[i]-trend[i])
		}
		for j, v := range loess(sub, window, 1, len(sub)+2) {
			if at := phase + j*m; at < len(wide) {
				wide[at] = v
			}
		}
	}
}

// loess smooths v by local lines under tricube weights and evaluates it at -before, ..., in all count points. For wide
// windows only every tenth of a window is fitted and the rest interpolated, as the original does.
func loess(v []float64, window, before, count int) []float64 {
	out := make([]float64, count)
	jump := (window + 9) / 10
	last := 0
	middle, half := centred(window), window/2
	for i := 0; i < count; i += jump {
		if left := i - before - half; window%2 == 1 && left >= 0 && left+window <= len(v) {
			for j, w := range middle {
				out[i] += w * v[left+j]
			}
		} else {
			out[i] = local(v, window, float64(i-before))
		}
		last = i
	}
	if last != count-1 {
		out[count-1] = local(v, window, float64(count-1-before))
	}
	for i := 0; i < count-1; i += jump {
		next := min(i+jump, count-1)
		for j := i + 1; j < next; j++ {
			out[j] = out[i] + (out[next]-out[i])*float64(j-i)/float64(next-i)
		}
	}
	return out
}

// centred are the weights of local in the middle of a whole window: the line through points that lie evenly to both sides
// passes through their weighted mean.
func centred(window int) []float64 {
	out := make([]float64, window)
	half := window / 2
	reach, sum := max(1.001*float64(half), 1), 0.0
	for i := range out {
		r := min(1, math.Abs(float64(i-half))/reach)
		w := 1 - r*r*r
		out[i] = w * w * w
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func local(v []float64, window int, at float64) float64 {
	n := len(v)
	left := max(0, min(n-window, int(at+0.5)-window/2))
	right := min(n, left+window)
	reach := max(at-float64(left), float64(right-1)-at)
	if window > n {
		reach += float64(window-n) / 2
	}
	reach = max(reach*1.001, 1)
	var sum, x1, x2, y1, xy float64
	for i := left; i < right; i++ {
		d := float64(i) - at
		r := math.Abs(d) / reach
		if r >= 1 {
			continue
		}
		w := 1 - r*r*r
		w = w * w * w
		sum += w
		x1 += w * d
		x2 += w * d * d
		y1 += w * v[i]
		xy += w * d * v[i]
	}
	if sum == 0 {
		return v[min(n-1, max(0, int(at)))]
	}
	x1, y1 = x1/sum, y1/sum
	spread := x2/sum - x1*x1
	if spread < 1e-9*reach*reach {
		return y1
	}
	return y1 - x1*(xy/sum-x1*y1)/spread
}

func movingAverage(v []float64, k int) []float64 {
	out := make([]float64, len(v)-k+1)
	sum := 0.0
	for i, x := range v {
		sum += x
		if i >= k {
			sum -= v[i-k]
		}
		if i >= k-1 {
			out[i-k+1] = sum / float64(k)
		}
	}
	return out
}

// odd is the next odd whole number.
func odd(v float64) int {
	k := int(v)
	if float64(k) < v {
		k++
	}
	return k + 1 - k%2
}

// repeatLast carries the last cycle of a season on.
func repeatLast(season []float64, m, i int) float64 { return season[len(season)-m+i%m] }
