package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Options say what is known about a series beside its values.
type Options struct {
	// Seasons are the lengths, in steps, of the seasons to look for; see the function Seasons. Those that the values do not
	// show are ignored.
	Seasons []int
	// Start is the day of the first value of a daily series, zero for every other: the days of the month and the year follow.
	Start time.Time
	// Calendar names the holidays among the days of a daily series and those to come.
	Calendar cost.Calendar
	// Fast leaves ARIMA out.
	Fast bool
}

// Outlook is what comes after a series of plain values.
type Outlook struct {
	Model   string // as in Forecast
	Weights []Weight
	MASE    *float64
	Reason  string
	Steps   []Step
}

// Step is one value to come: the mean and the intervals that hold 80 and 95 of 100 such values.
type Step struct{ Mean, Low80, High80, Low95, High95 float64 }

// Values forecasts the values after the given ones, whatever a step is. NaN marks a gap.
func Values(values []float64, horizon int, o Options) Outlook {
	first := slices.IndexFunc(values, finite)
	if first < 0 || horizon <= 0 {
		return Outlook{Model: "none", Reason: "There is no value to learn from."}
	}
	first += recent(values[first:])
	raw := squarable(values[first:])
	s := shape{possible: slices.Sorted(slices.Values(o.Seasons)), fast: o.Fast}
	s.possible = slices.DeleteFunc(s.possible, func(m int) bool { return m < 2 })
	if !o.Start.IsZero() {
		s.daily, s.start = true, cost.Day(o.Start).AddDate(0, 0, first)
		s.occasions = occasions(o.Calendar, s.start, len(raw)+horizon)
	}
	season := 1
	if len(s.possible) > 0 {
		season = s.possible[0]
	}
	filled := fill(raw, season)
	level, n := filled[len(filled)-1], len(filled)
	out := Outlook{Model: "ensemble"}
	var mean []float64
	var b band
	switch {
	case !slices.ContainsFunc(filled, func(v float64) bool { return v != level }) && n >= 3:
		out.Model, out.Reason = "constant", "The values are all the same."
		mean, b = repeat(level, horizon), band{make([]float64, horizon), make([]float64, horizon)}
	case n < s.leastTrain(n)+4:
		out.Model, out.Reason = "naive", fmt.Sprintf("%d values are too few to compare models: the last ones are repeated.", n)
		mean, b = repeatCycle(filled, min(season, n), 1, horizon), calibrate(nil, horizon, max(seasonalScale(filled, 1), seasonalScale(filled, season)))
	default:
		e := ensemble(raw, filled, s, horizon)
		out.Weights, out.MASE, out.Reason = e.weights, e.mase, e.reason
		mean, b = e.mean, e.band
	}
	least := math.Inf(-1)
	if slices.Min(filled) >= 0 {
		least = 0
	}
	cut := func(v float64) float64 { return max(least, v) }
	for i, m := range mean {
		out.Steps = append(out.Steps, Step{cut(m), cut(m - b.half80[i]), cut(m + b.half80[i]), cut(m - b.half95[i]), cut(m + b.half95[i])})
	}
	return out
}

// combined is the ensemble's answer.
type combined struct {
	mean    []float64
	band    band
	errors  [][]float64
	weights []Weight
	mase    *float64
	reason  string
}

// ensemble weighs the models by their forecasts of the past and combines those of the future.
func ensemble(raw, filled []float64, s shape, horizon int) combined {
	season := 1
	if len(s.possible) > 0 {
		season = s.possible[0]
	}
	s.ahead = max(horizon, 4*week)
	s.room = &room{steps: len(filled) + s.ahead}
	trials := backtest(raw, filled, s, horizon)
	scale := seasonalScale(raw, season)
	w := weigher{members: members(fitted{}, s.fast), power: trust(trials, len(filled)), scale: scale, yearly: s.daily && len(filled) >= yearlyFrom}
	weights, errors := w.weigh(count(trials)), residuals(trials, w.weigh)
	now := asNow(errors, trials, raw, season)
	h := learn(filled, s)
	paths := make([][]float64, 0, len(weights))
	for _, m := range members(fit(h), s.fast) {
		paths = append(paths, withEffects(h, m.forecast(h, horizon)))
	}
	c := combined{mean: combine(paths, weights), band: calibrate(now, horizon, scale), errors: now, weights: heaviestFirst(weights)}
	c.band.widen(h.feesOff)
	c.mase = relative(meanAbs(errors), scale)
	c.reason = fmt.Sprintf("The models are weighted by how well they foretold %d stretches of the past; %s did best.", len(trials), c.weights[0].Model)
	return c
}
