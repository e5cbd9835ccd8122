package anomaly

import "math"

// The margins by which a statistic must leave all that it has shown before, in standard deviations of the whole past. A mean
// of many points hardly moves in ordinary times, so a small excess tells much; differences and spreads wander more.
const (
	pointMargin  = 0.1
	meanMargin   = 0.05
	jumpMargin   = 0.5
	spreadMargin = 0.5
)

// The patience for series of any step, in points.
const (
	shortSpan  = 4   // the shortest span whose level and spread are compared
	middleSpan = 36  // a longer one
	longSpan   = 288 // the longest; nothing is reported before so many points are known
	nextOnly   = 200 // for so many points after an alarm, what follows belongs to it
)

// record is the range that a statistic has kept to.
type record struct {
	low, high float64
	known     bool
}

// beyond is by how much x leaves the range, and widens the range to x.
func (r *record) beyond(x float64) float64 {
	if !r.known {
		*r = record{x, x, true}
		return 0
	}
	over := max(x-r.high, r.low-x, 0)
	r.low, r.high = min(r.low, x), max(r.high, x)
	return over
}

// sums are running sums of a series and of its squares, so that the mean and the spread of any span take no loop. They are
// taken from the first value, which keeps them small.
type sums struct{ one, two []float64 }

// add takes the next value.
func (s *sums) add(x float64) {
	n := len(s.one) - 1
	s.one, s.two = append(s.one, s.one[n]+x), append(s.two, s.two[n]+x*x)
}

// moments are the mean and the standard deviation of the values from..to-1.
func (s *sums) moments(from, to int) (mean, deviation float64) {
	n := float64(max(to-from, 1))
	mean = (s.one[to] - s.one[from]) / n
	return mean, math.Sqrt(max(0, (s.two[to]-s.two[from])/n-mean*mean))
}

// Series finds the points at which one series of any step, such as a metric by the minute, leaves everything that it has
// shown before: a value, a mean, a jump or a spread sets a record by a clear margin. It returns their positions. Each is
// judged by the points before it only; nothing is assumed of calendar, unit or season, since what the season does it has
// done before. A value that is no finite number counts as the one before.
func Series(values []float64) []int {
	var alarms []int
	past := sums{one: []float64{0}, two: []float64{0}}
	var seen [8]record
	first, x := math.NaN(), 0.0
	next := longSpan
	for t, v := range values {
		before := x
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			if math.IsNaN(first) {
				first = v
			}
			x = v - first
		}
		_, unit := past.moments(0, t)
		past.add(x)
		if excess := past.excess(&seen, t+1, x, before, max(unit, 1e-9)); excess >= 1 && t >= next {
			alarms = append(alarms, t)
			next = t + nextOnly + 1
		}
	}
	return alarms
}

// excess is the largest record that the newest of n points sets, in units of its margin.
func (s *sums) excess(seen *[8]record, n int, x, before, unit float64) float64 {
	most := 0.0
	set := func(k int, value, margin float64) {
		most = max(most, seen[k].beyond(value)/(margin*unit))
	}
	set(0, x, pointMargin)
	if n > 1 {
		set(1, x-before, jumpMargin)
	}
	for k, w := range []int{shortSpan, middleSpan} {
		if n < 2*w {
			continue
		}
		mean, deviation := s.moments(n-w, n)
		earlier, _ := s.moments(n-2*w, n-w)
		set(2+2*k, mean-earlier, jumpMargin)
		set(3+2*k, deviation, spreadMargin)
	}
	for k, w := range []int{middleSpan, longSpan} {
		if n >= w {
			mean, _ := s.moments(n-w, n)
			set(6+k, mean, meanMargin)
		}
	}
	return most
}
