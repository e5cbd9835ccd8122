package forecast

import "math"

// origins is the number of past moments to forecast from.
const origins = 10

// trial is what the ensemble said at one past moment, and how wrong it was.
type trial struct {
	at     int         // values known then
	paths  [][]float64 // by member
	actual []float64   // raw, NaN where unknown
}

// leastTrain is how many of n values the first origin must know.
func (s shape) leastTrain(n int) int {
	if s.daily {
		return 6 * week
	}
	m := 1
	if len(s.possible) > 0 {
		m = s.possible[0]
	}
	return max(12, min(2*m+min(6, m), n/2))
}

// backtest forecasts from past moments with what was known then. The parameters of the first origin serve the later ones:
// nothing later is known to them. Short histories, where parameters change much and cost little, are fitted anew each time.
func backtest(raw, filled []float64, s shape, horizon int) []trial {
	const short = 200
	n := len(filled)
	least := s.leastTrain(n)
	head := min(week, max(1, horizon/2)) // the last origin
	extra := 10 * week
	if !s.daily {
		extra = max(horizon, n/4)
	}
	reach := min(n-least, horizon+extra)
	step := max(1, (reach-head)/(origins-1))
	var trials []trial
	var f fitted
	for k := origins - 1; k >= 0; k-- {
		at := n - head - k*step
		if at < least {
			continue
		}
		h := learn(filled[:at], s)
		if trials == nil || n < short && !s.daily {
			f = fit(h)
		}
		ahead := min(max(horizon, head), n-at)
		if s.daily {
			ahead = min(s.ahead, n-at)
		}
		t := trial{at: at, actual: raw[at : at+ahead]}
		for _, m := range members(f, s.fast) {
			t.paths = append(t.paths, withEffects(h, m.forecast(h, ahead)))
		}
		trials = append(trials, t)
	}
	return trials
}

// withEffects adds the effects of the days of the month and of holidays to a path, and keeps it within bounds.
func withEffects(h history, path []float64) []float64 {
	for i := range path {
		path[i] = max(h.low, min(h.high, path[i]+h.effect(len(h.y)+i)))
		if math.IsNaN(path[i]) { // infinite less infinite
			path[i] = h.whole[len(h.whole)-1]
		}
	}
	return path
}

// tally is how wrong each member was in one trial: its absolute errors, summed.
type tally struct {
	sums []float64
	n    float64 // known values
}

func count(trials []trial) []tally {
	out := make([]tally, len(trials))
	for k, t := range trials {
		out[k].sums = make([]float64, len(t.paths))
		for i, actual := range t.actual {
			if !finite(actual) {
				continue
			}
			out[k].n++
			for m, path := range t.paths {
				out[k].sums[m] += math.Abs(actual - path[i])
			}
		}
	}
	return out
}

// relative is the error as a MASE; nil where there is nothing to relate it to.
func relative(e, scale float64) *float64 {
	if mase := e / scale; finite(mase) {
		return &mase
	}
	return nil
}

// apart is how many origins later a trial begins whose days are hardly the same any more.
const apart = 3

// residuals are the errors of the ensemble by trial and day ahead; NaN where the day is unknown. The weights for each trial come
// from the trials far enough from it: those that it helped to choose would make it look better than days to come will.
func residuals(trials []trial, weights func([]tally) []Weight) [][]float64 {
	all := count(trials)
	out := make([][]float64, len(trials))
	for k, t := range trials {
		others := make([]tally, 0, len(all))
		for j := range all {
			if j <= k-apart || j >= k+apart {
				others = append(others, all[j])
			}
		}
		out[k] = combine(t.paths, weights(others))
		for i := range out[k] {
			out[k][i] = t.actual[i] - out[k][i]
		}
	}
	return out
}

// meanAbs is the mean absolute error; NaN where none is known.
func meanAbs(errors [][]float64) float64 {
	sum, n := 0.0, 0.0
	for _, path := range errors {
		for _, e := range path {
			if finite(e) {
				sum += math.Abs(e)
				n++
			}
		}
	}
	return sum / n
}

// seasonalScale is the mean absolute change over one season (one step where there is none): the yardstick of MASE.
func seasonalScale(raw []float64, season int) float64 {
	sum, n := 0.0, 0.0
	for i := season; i < len(raw); i++ {
		if d := math.Abs(raw[i] - raw[i-season]); finite(d) {
			sum += d
			n++
		}
	}
	return sum / max(n, 1)
}
