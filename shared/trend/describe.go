package trend

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

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
	season, strength := weekly(x, y)
	t.Seasonality = math.Round(strength*1000) / 1000
	level := make([]float64, len(y))
	for i := range y {
		level[i] = y[i] - season[x[i]%week]
	}
	line := fit(x, level)
	t.Slope = &Slope{PerDay: line.slope, Low95: line.slope - line.margin, High95: line.slope + line.margin}
	segments := segment(level)
	t.name(x, y, level, line, segments)
	return t
}

// name finds the word for the shape, and says why.
func (t *Trend) name(x []int, y, level []float64, line line, segments []int) {
	mean := meanOf(y)
	change := line.slope * float64(x[len(x)-1]-x[0])
	moves := math.Abs(line.slope) > line.margin && math.Abs(change) >= 0.05*math.Abs(mean)
	steps := len(segments) > 1 && bayes(stepErrors(level, segments), len(y), 2*len(segments)) < bayes(line.errors, len(y), 2)
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
	case moves && line.slope > 0:
		t.Pattern, t.Reason = Growing, fmt.Sprintf("The daily cost grew by %.2f over the %d days, more than chance would explain.", change, t.Period.Len())
	case moves:
		t.Pattern, t.Reason = Shrinking, fmt.Sprintf("The daily cost fell by %.2f over the %d days, more than chance would explain.", -change, t.Period.Len())
	case t.Seasonality >= 0.6:
		t.Pattern, t.Reason = Seasonal, fmt.Sprintf("The weekday explains %.0f %% of the movement; there is no direction.", 100*t.Seasonality)
	default:
		t.Reason = "The cost moved in no direction that chance would not explain."
	}
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

// weekly gives the effect of each weekday (by day index modulo 7) around a centred weekly mean, and the strength of the
// season: 1 less the variance that it leaves over the variance with it (Wang, Smith and Hyndman 2006).
func weekly(x []int, y []float64) (season [week]float64, strength float64) {
	var by [week][]float64
	off := make([]float64, len(y))
	for i := range y {
		from, to := max(0, i-week/2), min(len(y), i+week/2+1)
		if to-from == week {
			off[i] = y[i] - meanOf(y[from:to])
			by[x[i]%week] = append(by[x[i]%week], off[i])
		}
	}
	total := 0.0
	for d := range by {
		if len(by[d]) > 0 {
			slices.Sort(by[d])
			season[d] = (by[d][(len(by[d])-1)/2] + by[d][len(by[d])/2]) / 2
		}
		total += season[d] / week
	}
	var with, without float64
	for d := range season {
		season[d] -= total
		for _, v := range by[d] {
			with += v * v
			without += (v - season[d]) * (v - season[d])
		}
	}
	if with <= 1e-18 {
		return season, 0
	}
	return season, max(0, 1-without/with)
}

// line is a least-squares line; margin is half of the 95 % interval of its slope, errors the sum of squared residuals.
type line struct{ slope, margin, errors float64 }

// fit takes the variance of the slope from the residuals and their autocovariances (Newey and West 1987, Bartlett weights),
// because a day resembles the days before it and an interval that ignored that would be far too narrow. The critical value
// is the one of Kiefer and Vogelsang (2005), which allows for the variance being estimated from few independent stretches.
func fit(x []int, y []float64) line {
	n := float64(len(y))
	mx, my := 0.0, meanOf(y)
	for _, v := range x {
		mx += float64(v) / n
	}
	var sxy, sxx float64
	for i := range y {
		dx := float64(x[i]) - mx
		sxy += dx * (y[i] - my)
		sxx += dx * dx
	}
	l := line{slope: sxy / sxx}
	scores := make([]float64, len(y))
	for i := range y {
		dx := float64(x[i]) - mx
		r := y[i] - my - l.slope*dx
		l.errors += r * r
		scores[i] = dx * r
	}
	lags := min(max(week, int(1.3*math.Sqrt(n))), len(y)/4)
	variance := 0.0
	for k := 0; k <= lags; k++ {
		sum := 0.0
		for i := k; i < len(scores); i++ {
			sum += scores[i] * scores[i-k]
		}
		if k > 0 {
			sum *= 2 * (1 - float64(k)/float64(lags+1))
		}
		variance += sum
	}
	variance = max(variance, 0) / (sxx * sxx) * n / (n - 2)
	b := float64(lags) / n
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 2}.Quantile(0.975)
	l.margin = (t + 2.9694*b + 0.4160*b*b - 0.5324*b*b*b) * math.Sqrt(variance)
	return l
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
