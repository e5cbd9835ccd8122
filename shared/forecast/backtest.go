package forecast

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// member is one model of the ensemble.
type member struct {
	name     string
	forecast func(h history, horizon int) []float64
}

// members are the models; the smoothing's parameters are fitted to the history given.
func members(fitted smoothing) []member {
	return []member{
		{"seasonal-naive", naive},
		{"damped-smoothing", fitted.forecast},
		{"theta", theta},
		{"regression", regression},
	}
}

// The rolling origin.
const (
	origins    = 10
	leastTrain = 42 // days before the first origin
)

// trial is what the ensemble said at one past day, and how wrong it was.
type trial struct {
	at     int         // days known then
	paths  [][]float64 // by member
	actual []float64   // raw, NaN where unknown
}

// backtest forecasts from past days with what was known then.
func backtest(raw, filled []float64, start time.Time, horizon int) []trial {
	n := len(filled)
	reach := min(n-leastTrain, horizon+10*week)
	step := max(1, (reach-week)/(origins-1))
	var trials []trial
	var fitted smoothing
	for k := origins - 1; k >= 0; k-- {
		at := n - week - k*step
		if at < leastTrain {
			continue
		}
		h := learn(filled[:at], start)
		if trials == nil {
			fitted = fitSmoothing(h) // the parameters of the first origin serve the later ones: nothing later is known to them
		}
		ahead := min(max(horizon, 4*week), n-at)
		t := trial{at: at, actual: raw[at : at+ahead]}
		for _, m := range members(fitted) {
			t.paths = append(t.paths, withMonth(h, m.forecast(h, ahead)))
		}
		trials = append(trials, t)
	}
	return trials
}

// withMonth adds the effects of the days of the month to a path.
func withMonth(h history, path []float64) []float64 {
	for i := range path {
		path[i] += h.effect(len(h.y) + i)
	}
	return path
}

// errorOf is the mean absolute error of a member over all trials.
func errorOf(trials []trial, path func(trial) []float64) float64 {
	sum, n := 0.0, 0.0
	for _, t := range trials {
		for i, p := range path(t) {
			if finite(t.actual[i]) {
				sum += math.Abs(t.actual[i] - p)
				n++
			}
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / n
}

// weigh gives each member a weight by its past error. The third power lets the good ones lead, and one that was a third
// worse than the best is left out. Where no past day is known to compare with, all weigh the same.
func weigh(trials []trial, scale float64) []Weight {
	all := members(smoothing{})
	out := make([]Weight, len(all))
	errors := make([]float64, len(all))
	best := math.Inf(1)
	for i, m := range all {
		out[i] = Weight{Model: m.name}
		errors[i] = errorOf(trials, func(t trial) []float64 { return t.paths[i] })
		if finite(errors[i]) {
			best = min(best, errors[i])
			out[i].MASE = relative(errors[i], scale)
		}
	}
	sum := 0.0
	for i, e := range errors {
		switch {
		case !finite(e), best == 0 && e == 0:
			out[i].Weight = 1
		case e <= 1.34*best:
			ratio := best / e
			out[i].Weight = ratio * ratio * ratio
		}
		sum += out[i].Weight
	}
	for i := range out {
		out[i].Weight /= sum
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

// combine is the weighted mean of the members' paths.
func combine(paths [][]float64, weights []Weight) []float64 {
	out := make([]float64, len(paths[0]))
	for i, path := range paths {
		for j, v := range path {
			out[j] += weights[i].Weight * v
		}
	}
	return out
}

// residuals are the errors of the ensemble by trial and day ahead; NaN where the day is unknown.
func residuals(trials []trial, weights []Weight) [][]float64 {
	out := make([][]float64, len(trials))
	for k, t := range trials {
		out[k] = combine(t.paths, weights)
		for i := range out[k] {
			out[k][i] = t.actual[i] - out[k][i]
		}
	}
	return out
}

// seasonalScale is the mean absolute change from one week to the next: the yardstick of MASE.
func seasonalScale(raw []float64) float64 {
	sum, n := 0.0, 0.0
	for i := week; i < len(raw); i++ {
		if d := math.Abs(raw[i] - raw[i-week]); finite(d) {
			sum += d
			n++
		}
	}
	return sum / max(n, 1)
}

// heaviestFirst orders the weights for people and drops the members that were left out.
func heaviestFirst(weights []Weight) []Weight {
	out := slices.DeleteFunc(slices.Clone(weights), func(w Weight) bool { return w.Weight == 0 })
	slices.SortStableFunc(out, func(a, b Weight) int { return cmp.Compare(b.Weight, a.Weight) })
	return out
}
