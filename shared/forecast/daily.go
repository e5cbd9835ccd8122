package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// The lengths of history that matter, in days.
const (
	leastEnsemble = 8 * week // below, nothing can be backtested
	leastWeekly   = 2 * week
	ceasedAfter   = 28 // so many days without cost at least, before none is expected
)

// Daily forecasts the days after the last final one of s. It learns from final values only, and the same series always gives
// the same answer. What the holidays of the calendar did to the cost is expected of those of the same name ahead; nil knows
// none.
func Daily(s cost.Series, horizon int, c cost.Calendar) Forecast {
	return DailyWith(s, horizon, Options{Calendar: c})
}

// DailyWith is Daily with options, of which Seasons and Start are those of days whatever they say.
func DailyWith(s cost.Series, horizon int, o Options) Forecast {
	f, _ := outlook(s, horizon, o)
	return f
}

// uncertainty is what intervals and paths are made of.
type uncertainty struct {
	band   band
	errors [][]float64 // of past forecasts, by origin and day ahead; nil where none could be made
	least  float64     // no day is expected to cost less
}

// outlook is the forecast with what is known of its errors.
func outlook(s cost.Series, horizon int, o Options) (Forecast, uncertainty) {
	raw, start := settled(s)
	end := s.Day(max(0, min(s.Final, len(s.Values))))
	f := Forecast{Scope: s.Scope, Basis: s.Basis, Currency: s.Currency, History: len(raw), Weights: []Weight{}, Points: []Point{}, Months: []Sum{}}
	if len(raw) == 0 || horizon <= 0 {
		f.Model, f.Reason = "none", "There is no settled day to learn from yet."
		return f, uncertainty{}
	}
	filled := fill(raw, week)
	sh := shape{start: start, daily: true, occasions: occasions(o.Calendar, start, len(raw)+horizon), possible: []int{week}, fast: o.Fast}
	mean, b, errors := f.predict(raw, filled, sh, horizon)
	u := uncertainty{band: b, errors: errors, least: math.Inf(-1)}
	if slices.Min(filled) >= 0 {
		u.least = 0
	}
	f.floor(end, mean, b, u.least)
	f.totals(raw, start, b, errors)
	return f, u
}

// predict chooses by the length and shape of the history, and says why.
func (f *Forecast) predict(raw, filled []float64, sh shape, horizon int) ([]float64, band, [][]float64) {
	n := len(filled)
	level := filled[n-1]
	switch {
	case !slices.ContainsFunc(filled, func(v float64) bool { return v != level }) && n >= 3:
		f.Model, f.Reason = "constant", "The cost was the same on every settled day."
		return repeat(level, horizon), band{make([]float64, horizon), make([]float64, horizon)}, nil
	case n >= leastEnsemble && silent(filled):
		f.Model, f.Reason = "ceased", "There was no cost on the last days, for twice as long as between any two before, so none is expected."
		return repeat(0, horizon), band{make([]float64, horizon), make([]float64, horizon)}, nil
	case charged(filled) > 0:
		from := n - charged(filled)
		return f.sparse(filled[from:], sh.start.AddDate(0, 0, from), horizon)
	case n < leastEnsemble:
		return f.short(filled, horizon)
	}
	o := ensemble(raw, filled, sh, horizon)
	f.Model, f.Weights, f.MASE, f.Reason = "ensemble", o.weights, o.mase, o.reason
	return o.mean, o.band, o.errors
}

// short answers for histories that are too short to test a model on.
func (f *Forecast) short(filled []float64, horizon int) ([]float64, band, [][]float64) {
	n := len(filled)
	mean := repeat(median(slices.Clone(filled[max(0, n-week):])), horizon)
	f.Model, f.Reason = "median", fmt.Sprintf("Only %d days are settled: the median of the last week stands for all days to come.", n)
	if n >= leastWeekly {
		mean = repeatCycle(filled, week, 3, horizon)
		f.Model, f.Reason = "seasonal-naive", fmt.Sprintf("Only %d days are settled, too few to compare models: each weekday is expected to cost what it did lately.", n)
	}
	// The spread of the days themselves, and no less than a tenth of the level, because so few days know little.
	_, deviation := moments(filled)
	deviation = max(deviation, 0.1*math.Abs(mean[0]))
	b := band{make([]float64, horizon), make([]float64, horizon)}
	for i := range horizon {
		grow := math.Sqrt(1 + float64(i+1)/float64(n))
		b.half80[i], b.half95[i] = 1.5*deviation*grow, 2.6*deviation*grow
	}
	return mean, b, nil
}

func repeat(v float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// floor writes the points; a cost that was never negative is not expected to become so.
func (f *Forecast) floor(first time.Time, mean []float64, b band, least float64) {
	for i, m := range mean {
		cut := func(v float64) float64 { return max(least, v) }
		f.Points = append(f.Points, Point{
			Day: first.AddDate(0, 0, i), Mean: cut(m), Low80: cut(m - b.half80[i]), High80: cut(m + b.half80[i]),
			Low95: cut(m - b.half95[i]), High95: cut(m + b.half95[i]),
		})
	}
}

// totals sums the points by calendar month and over the next 30 and 90 days.
func (f *Forecast) totals(raw []float64, start time.Time, b band, errors [][]float64) {
	first := f.Points[0].Day
	end := first.AddDate(0, 0, len(f.Points))
	for _, month := range (cost.Period{Start: first, End: end}).Months() {
		if month.End.After(end) {
			break
		}
		past := 0.0
		for i, v := range raw {
			if finite(v) && month.Contains(start.AddDate(0, 0, i)) {
				past += v
			}
		}
		f.Months = append(f.Months, f.total(month, past, b, errors))
	}
	next := func(days int) *Sum {
		if len(f.Points) < days {
			return nil
		}
		t := f.total(cost.Days(first, days), 0, b, errors)
		return &t
	}
	f.Next30, f.Next90 = next(30), next(90)
}

func (f *Forecast) total(p cost.Period, past float64, b band, errors [][]float64) Sum {
	first := f.Points[0].Day
	from := max(0, cost.Period{Start: first, End: p.Start}.Len())
	to := min(len(f.Points), cost.Period{Start: first, End: p.End}.Len())
	mean, least := 0.0, 0.0
	for _, point := range f.Points[from:to] {
		mean += point.Mean
		least += point.Low95
	}
	half80, half95 := b.sum(errors, from, to)
	half95 = max(half95, half80)
	money := func(v float64) cost.Money {
		return cost.Money{Amount: decimal.NewFromFloat(past + v).Round(2), Currency: f.Currency, Basis: f.Basis}
	}
	return Sum{
		Period: p, Settled: money(0), Mean: money(mean), Low80: money(max(least, mean-half80)), High80: money(mean + half80),
		Low95: money(max(least, mean-half95)), High95: money(mean + half95),
	}
}
