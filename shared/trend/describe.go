package trend

import (
	"fmt"
	"math"
	"slices"

	"github.com/cost-agent/cost-agent/shared/cost"
)

const (
	week     = 7
	leastFit = 14 // days that a slope needs
)

// Describe tells how the settled days of s moved. Days that nobody reported are left out, not taken as zero.
func Describe(s cost.Series) Trend {
	values := s.Values[:max(0, min(s.Final, len(s.Values)))]
	first := slices.IndexFunc(values, finite)
	t := Trend{Scope: s.Scope, Basis: s.Basis, Currency: s.Currency, Period: cost.Days(s.Start, len(values)), Pattern: Flat, Steps: []Shift{}}
	if first < 0 {
		t.Reason = "There is no settled day to describe yet."
		return t
	}
	values = values[first:]
	t.Period = cost.Days(s.Day(first), len(values))
	t.Averages = Averages{Days7: lastMean(values, 7, 0), Days30: lastMean(values, 30, 0), Days90: lastMean(values, 90, 0)}
	t.Change = Changes{
		Day:   rate(lastMean(values, 1, 0), lastMean(values, 1, week)),
		Week:  rate(lastMean(values, 7, 0), lastMean(values, 7, 7)),
		Month: rate(lastMean(values, 30, 0), lastMean(values, 30, 30)),
	}
	x, y := known(values)
	if len(y) < leastFit {
		t.Reason = fmt.Sprintf("Only %d days are settled; a direction needs %d.", len(y), leastFit)
		return t
	}
	season := seasonOf(t.Period.Start, x, y)
	if season.days > 0 {
		t.Seasonality, t.SeasonDays = math.Round(season.strength*1000)/1000, &season.days
	}
	level := make([]float64, len(y))
	for i := range y {
		level[i] = y[i] - season.effect[x[i]]
	}
	line := fit(x, level)
	t.Slope = &Slope{PerDay: line.slope, Low95: line.slope - line.margin, High95: line.slope + line.margin}
	alike := dependence(level)
	segments := segment(level, alike)
	t.name(x, y, level, line, segments, alike)
	return t
}

// name finds the word for the shape, and says why.
func (t *Trend) name(x []int, y, level []float64, line line, segments []int, alike float64) {
	mean := meanOf(y)
	change := line.slope * float64(x[len(x)-1]-x[0])
	moves := math.Abs(line.slope) > line.margin && math.Abs(change) >= 0.05*math.Abs(mean)
	steady := min(bayes(line.errors, len(y), 2, alike), bayes(smooth(x, level), len(y), 5, alike))
	steps := len(segments) > 1 && bayes(stepErrors(level, segments), len(y), 2*len(segments), alike) < steady
	curve := bend(x, level, line)
	if steps {
		t.Steps = changes(t.Period, x, level, segments)
	}
	switch share := topShare(y); {
	case share >= 0.4:
		t.Pattern, t.Reason = Bursty, fmt.Sprintf("A twentieth of the days holds %.0f %% of the cost.", 100*share)
	case steps && len(t.Steps) > 0:
		last := t.Steps[len(t.Steps)-1]
		t.Pattern = Step
		t.Reason = fmt.Sprintf("The daily cost went from %.2f to %.2f on %s.", last.Before, last.After, last.Day.Format("2 January 2006"))
	case moves && curve.faster:
		t.Pattern = GrowingFaster
		t.Reason = fmt.Sprintf("The daily cost grew by %.2f over the %d days, by %.2f a day in the first half and by %.2f in the second.", change, t.Period.Len(), curve.early, curve.late)
	case moves && line.slope > 0:
		t.Pattern, t.Reason = Growing, fmt.Sprintf("The daily cost grew by %.2f over the %d days, more than chance would explain.", change, t.Period.Len())
	case moves:
		t.Pattern, t.Reason = Shrinking, fmt.Sprintf("The daily cost fell by %.2f over the %d days, more than chance would explain.", -change, t.Period.Len())
	case t.Seasonality >= 0.6:
		t.Pattern, t.Reason = Seasonal, fmt.Sprintf("%s %.0f %% of the movement; there is no direction.", t.repeating(), 100*t.Seasonality)
	default:
		t.Reason = "The cost moved in no direction that chance would not explain."
	}
}

// repeating names what repeats.
func (t *Trend) repeating() string {
	switch *t.SeasonDays {
	case week:
		return "The weekday explains"
	case monthDays:
		return "The day of the month explains"
	}
	return fmt.Sprintf("What repeats every %.0f days explains", *t.SeasonDays)
}

// known are the days that have a value, and their values.
func known(values []float64) (x []int, y []float64) {
	for i, v := range values {
		if finite(v) {
			x, y = append(x, i), append(y, v)
		}
	}
	return x, y
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// lastMean is the mean of the known ones of n days that end skip days before the end; nil without enough days.
func lastMean(values []float64, n, skip int) *float64 {
	if len(values) < n+skip {
		return nil
	}
	_, y := known(values[len(values)-n-skip : len(values)-skip])
	if len(y) == 0 {
		return nil
	}
	m := meanOf(y)
	return &m
}

func rate(now, before *float64) *Rate {
	if now == nil || before == nil {
		return nil
	}
	r := Rate{Money: *now - *before}
	if percent := 100 * r.Money / math.Abs(*before); finite(percent) { // of nothing, or nearly, there is none
		r.Percent = &percent
	}
	return &r
}

func meanOf(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// topShare is the part of the cost that the most expensive twentieth of the days holds; 0 where costs are negative.
func topShare(y []float64) float64 {
	sorted := slices.Sorted(slices.Values(y))
	top, all := 0.0, 0.0
	for i, v := range sorted {
		if v < 0 {
			return 0
		}
		all += v
		if i >= len(sorted)-max(1, len(sorted)/20) {
			top += v
		}
	}
	if all == 0 {
		return 0
	}
	return top / all
}
