package anomaly

import (
	"math"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// run is a span of days on which one series left its usual path.
type run struct {
	start, detected int // first day, and the day that gave it away
	end             int // first ordinary day again; 0 while it goes on
	sign            float64
	score           float64 // standardised residual of the day that gave it away, or what a mean of days amounts to
	tail            float64 // probability of such a day in ordinary times
	quiet           int     // ordinary days in a row at its end
	shifted         bool    // the new level has become the usual one
	by              float64 // how far the level moved then
}

// path is a scanned series: what every day was expected to cost, had nothing happened, and where it left that.
type path struct {
	values   []float64
	expected []float64 // NaN while nothing could be expected
	sigma    []float64
	runs     []*run
}

// The patience of the scan, in days.
const (
	acceptAfter = 28  // a new level is the usual one after so many days
	returnsIn   = 200 // within so many days, coming back to the level before is no new incident
	quietDays   = 2   // so many ordinary days end an incident
	lookBack    = 10  // an incident began at most so many days before it was detected
)

// scanner walks over one series.
type scanner struct {
	limits limits
	base   baseline
	path   *path
	open   *run
	free   int    // first day after the last incident
	past   []*run // shifted runs whose cost has not come back
}

// scan judges each of the final values by the ones before it, from the first known one on.
func scan(values []float64, start time.Time, final int, l limits, holidays cost.Calendar) *path {
	out := &path{values: values[:final], expected: make([]float64, final), sigma: make([]float64, final)}
	first := 0
	for ; first < final && math.IsNaN(values[first]); first++ {
		out.expected[first] = math.NaN()
	}
	s := scanner{limits: l, base: baseline{start: start.AddDate(0, 0, first), calendar: holidays}, path: &path{values: values[first:final]}}
	for t := range final - first {
		s.step(t, s.path.values[t])
	}
	copy(out.expected[first:], s.path.expected)
	copy(out.sigma[first:], s.path.sigma)
	for _, r := range s.path.runs {
		r.start, r.detected = r.start+first, r.detected+first
		if r.end > 0 {
			r.end += first
		}
	}
	out.runs = s.path.runs
	return out
}

func (s *scanner) step(t int, x float64) {
	o := s.base.expect()
	if !math.IsNaN(x) && s.open == nil {
		o = s.base.remember(x, o)
	}
	s.path.expected = append(s.path.expected, math.NaN())
	s.path.sigma = append(s.path.sigma, o.sigma)
	if t >= warmUp {
		s.path.expected[t] = o.mean() - s.shifts()
	}
	switch {
	case math.IsNaN(x):
		s.base.skip(x, o)
	case t < warmUp:
		s.base.learn(x, o)
	case s.open != nil:
		s.follow(t, x, o)
	default:
		s.judge(t, x, o)
	}
}

// shifts is what accepted incidents still add to the level.
func (s *scanner) shifts() float64 {
	sum := 0.0
	for _, r := range s.past {
		sum += r.by
	}
	return sum
}

// judge looks for a beginning.
func (s *scanner) judge(t int, x float64, o outlook) {
	r := x - o.mean()
	score := math.Abs(r) / o.sigma
	if s.comesBack(t, x, o) {
		return
	}
	if s.base.unseen(t) {
		s.base.skip(x, o)
		s.free = t + 1
		return
	}
	p := s.base.tail.beyond(score)
	few, n := s.lasting(t, r, o)
	farther := 1.0
	if r < 0 {
		farther = s.limits.fall
	}
	before := 0
	if score < farther*s.limits.day || p > s.limits.tail || !s.matters(r, o) {
		if few < farther {
			s.base.learn(x, o)
			return
		}
		// A normal tail with half as much spread again, because this test has no tail of its own.
		score, before = few*s.limits.day, n-1
		p = min(p, math.Erfc(score/math.Sqrt2/1.5))
	}
	begin := s.begin(t, r, before)
	s.open = &run{start: begin, detected: t, sign: sign(r), score: score, tail: p}
	s.path.runs = append(s.path.runs, s.open)
	s.unlearn(begin, t)
	s.base.skip(x, o)
}

// matters reports whether a change is large enough for anybody to care.
func (s *scanner) matters(r float64, o outlook) bool {
	size := math.Abs(r)
	return size >= s.limits.absolute && size >= s.limits.relative*math.Abs(o.mean())
}

// lasting tests the mean residuals of the last days, as far as they lean the way of today: the largest score in units of its
// limit, and its days.
func (s *scanner) lasting(t int, r float64, o outlook) (score float64, days int) {
	for k, n := range windows {
		mean, ok := s.mean(t, n, r)
		if !ok {
			break
		}
		spread := s.spread(t, k, o)
		if z := math.Abs(mean) / spread / s.limits.days[k]; z > score && sign(mean) == sign(r) && s.matters(mean, o) {
			score, days = z, n
		}
		const cut = 4
		s.base.means[k] = append(s.base.means[k], max(-cut*spread, min(cut*spread, mean)))
	}
	return score, days
}

// spread is the usual one of the means over a window, but no less than independent days would give.
func (s *scanner) spread(t, k int, o outlook) float64 {
	const enough = 30
	n := windows[k]
	square := o.sigma * o.sigma
	for i := t - n + 1; i < t; i++ {
		square += s.path.sigma[i] * s.path.sigma[i]
	}
	usual := s.base.spread[k]
	if len(s.base.means[k]) < enough {
		usual = o.sigma
	}
	return max(usual, math.Sqrt(square)/float64(n))
}

// mean is the mean residual of n days up to today, whose own is r; none if one of the days is unknown or part of an incident.
func (s *scanner) mean(t, n int, r float64) (float64, bool) {
	if t-n+1 < max(warmUp, s.free) {
		return 0, false
	}
	sum := r
	for i := t - n + 1; i < t; i++ {
		d := s.path.values[i] - s.path.expected[i] - s.shifts()
		if math.IsNaN(d) {
			return 0, false
		}
		sum += d
	}
	return sum / float64(n), true
}

// begin walks back over the days that leaned the same way and were no mere fraction of today's deviation.
func (s *scanner) begin(t int, today float64, atLeast int) int {
	first := t
	for i := t - 1; i >= max(warmUp, s.free, t-lookBack); i-- {
		r := (s.path.values[i] - s.path.expected[i] - s.shifts()) * sign(today)
		evident := r >= 1.5*s.path.sigma[i] && r >= 0.1*math.Abs(today)
		if !evident && (t-i > atLeast || !(r >= 0.2*math.Abs(today))) { // a missing day is neither
			break
		}
		first = i
	}
	return first
}

// unlearn takes the days before t that belong to the incident out of the usual path.
func (s *scanner) unlearn(begin, t int) {
	for i := begin; i < t; i++ {
		excess := s.base.accepted[i] - (s.path.expected[i] + s.shifts())
		if !math.IsNaN(excess) {
			s.base.accepted[i] -= excess
		}
	}
	n := t - begin
	s.base.residual = s.base.residual[:max(0, len(s.base.residual)-n)]
	s.base.scores = s.base.scores[:max(0, len(s.base.scores)-n)]
}

// follow keeps an incident open until the cost is back or the new level has become the usual one.
func (s *scanner) follow(t int, x float64, o outlook) {
	r := (x - o.mean()) * s.open.sign
	if r < max(2*o.sigma, 0.3*s.typical(t)) {
		s.open.quiet++
		s.base.skip(x, o)
		if s.open.quiet >= quietDays {
			s.open.end = t - quietDays + 1
			s.open, s.free = nil, t+1
		}
		return
	}
	s.open.quiet = 0
	s.base.skip(x, o)
	if t-s.open.start < acceptAfter {
		return
	}
	s.open.shifted, s.open.by = true, s.recent(t)
	s.base.shift(s.open.by, levelDays)
	s.past = append(s.past, s.open)
	s.open, s.free = nil, t+1
}

// typical is the mean size of the open incident so far.
func (s *scanner) typical(t int) float64 {
	sum, n := 0.0, 0
	for i := s.open.start; i < t; i++ {
		if r := (s.path.values[i] - s.path.expected[i] - s.shifts()) * s.open.sign; !math.IsNaN(r) {
			sum += r
			n++
		}
	}
	return sum / float64(max(n, 1))
}

// recent is by how much the last two weeks differ from what was expected.
func (s *scanner) recent(t int) float64 {
	var diffs []float64
	for i := max(0, t-recentDays+1); i <= t; i++ {
		if d := s.path.values[i] - s.path.expected[i] - s.shifts(); !math.IsNaN(d) {
			diffs = append(diffs, d)
		}
	}
	return median(diffs)
}

// comesBack recognises a return to the level before an accepted incident.
func (s *scanner) comesBack(t int, x float64, o outlook) bool {
	for i := len(s.past) - 1; i >= 0; i-- {
		r := s.past[i]
		before := x - (o.mean() - r.by)
		here := x - o.mean()
		if t-r.start > returnsIn || math.Abs(before) >= 0.35*math.Abs(r.by) || math.Abs(here) < 3*o.sigma {
			continue
		}
		r.end, s.free = t, t+1
		s.past = append(s.past[:i:i], s.past[i+1:]...)
		s.base.shift(-r.by, levelDays)
		s.base.skip(x, s.base.expect())
		return true
	}
	return false
}

func sign(x float64) float64 { return math.Copysign(1, x) }
