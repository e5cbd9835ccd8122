package trend

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// monthDays is the mean length of a calendar month, the season of fees and batches.
	monthDays = 30.44
	// leastStrength is what a season must explain beyond chance to be one.
	leastStrength = 0.25
	longestSeason = 400
)

// season is a part of a series that repeats.
type season struct {
	days     float64   // its length; 0 where there is none
	strength float64   // 0 to 1
	effect   []float64 // of every day from the first on
}

// seasonOf finds the season that explains most: of any length of which the days hold at least four, or of the calendar month. Its
// strength is the share of the variance around a moving mean that the other cycles foretell, so that noise has none however
// many phases there are: the measure of Wang, Smith and Hyndman (2006), cross-validated by cycle.
func seasonOf(start time.Time, x []int, y []float64) season {
	dense := make([]float64, x[len(x)-1]+1)
	for i := range dense {
		dense[i] = math.NaN()
	}
	for i, at := range x {
		dense[at] = y[i]
	}
	best := season{effect: make([]float64, len(dense))}
	better := func(s season, days float64) {
		// What repeats every week does so every fortnight as well.
		least := best.strength
		if cycles := math.Round(days / max(best.days, 1)); cycles > 1 && math.Abs(days-cycles*best.days) < 1 {
			least += 0.05
		}
		if s.strength > least {
			best = s
			best.days = days
		}
	}
	for _, p := range lengths(dense) {
		better(repeats(dense, p, func(i int) int { return i % p }, p), float64(p))
	}
	if len(dense) >= 4*31 {
		place := func(i int) int { return placeInMonth(start.AddDate(0, 0, i)) }
		better(repeats(dense, 31, place, 32), monthDays)
	}
	return best
}

// lengths are those at which the series, less its line, resembles itself most, among those at which it does so more than at the
// lengths around; ascending. The week is always looked at.
func lengths(dense []float64) []int {
	rest := make([]float64, len(dense)) // 0 where unknown
	x, y := known(dense)
	l := fit(x, y)
	mx, my, square := 0.0, meanOf(y), 0.0
	for _, v := range x {
		mx += float64(v) / float64(len(x))
	}
	for i, at := range x {
		rest[at] = y[i] - my - l.slope*(float64(at)-mx)
		square += rest[at] * rest[at]
	}
	most := min(len(dense)/4, longestSeason)
	alike := make([]float64, most+2)
	for lag := range alike {
		for i := lag; i < len(rest); i++ {
			alike[lag] += rest[i] * rest[i-lag]
		}
	}
	var out []int
	top := func(p int) bool { return p >= 1 && p <= most && alike[p] >= alike[p-1] && alike[p] >= alike[p+1] }
	for p := 2; p <= most; p++ {
		if alike[p] > 0.05*square && (top(p-1) || top(p) || top(p+1)) && p != week {
			out = append(out, p)
		}
	}
	const enough = 6
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(alike[b], alike[a]) })
	out = out[:min(enough, len(out))]
	if most >= week {
		out = append(out, week)
	}
	slices.Sort(out)
	return out
}

// repeats measures the season of the given length whose days have one of so many phases.
func repeats(dense []float64, length int, phase func(int) int, phases int) season {
	off := aroundMean(dense, length)
	by := make([][]float64, phases)
	for i, v := range off {
		if !math.IsNaN(v) {
			by[phase(i)] = append(by[phase(i)], v)
		}
	}
	var with, without float64
	effect := make([]float64, phases)
	mean, n := 0.0, 0.0
	for k, days := range by {
		if len(days) == 0 {
			continue
		}
		sum := 0.0
		for _, v := range days {
			sum += v
		}
		if m := float64(len(days)); m > 1 {
			for _, v := range days { // less the mean of the others
				rest := (m*v - sum) / (m - 1)
				with += v * v
				without += rest * rest
			}
		}
		slices.Sort(days)
		effect[k] = (days[(len(days)-1)/2] + days[len(days)/2]) / 2
		mean += effect[k] * float64(len(days))
		n += float64(len(days))
	}
	s := season{effect: make([]float64, len(dense))}
	if with <= 1e-18 || 1-without/with < leastStrength {
		return s
	}
	s.strength = 1 - without/with
	for i := range s.effect {
		s.effect[i] = effect[phase(i)] - mean/n
	}
	return s
}

// aroundMean is how far each day lies from the mean of the days around it, as many as the season is long; what lies far out is cut
// back, so that a lone day hides no season. NaN where a day or too many around it are unknown.
func aroundMean(dense []float64, length int) []float64 {
	sum, count := make([]float64, len(dense)+1), make([]float64, len(dense)+1)
	for i, v := range dense {
		sum[i+1], count[i+1] = sum[i], count[i]
		if !math.IsNaN(v) {
			sum[i+1] += v
			count[i+1]++
		}
	}
	off := make([]float64, len(dense))
	half := length / 2
	var sizes []float64
	for i, v := range dense {
		off[i] = math.NaN()
		if i < half || i+half >= len(dense) || math.IsNaN(v) {
			continue
		}
		total, n := sum[i+half+1]-sum[i-half], count[i+half+1]-count[i-half]
		if length%2 == 0 { // both ends count half
			for _, end := range []float64{dense[i-half], dense[i+half]} {
				if !math.IsNaN(end) {
					total, n = total-end/2, n-0.5
				}
			}
		}
		if n >= 0.75*float64(length) {
			off[i] = v - total/n
			sizes = append(sizes, math.Abs(off[i]))
		}
	}
	if len(sizes) == 0 {
		return off
	}
	slices.Sort(sizes)
	const farOut = 6 * 1.4826
	if limit := farOut * sizes[len(sizes)/2]; limit > 0 {
		for i, v := range off {
			off[i] = max(-limit, min(limit, v)) // NaN stays
		}
	}
	return off
}

// placeInMonth counts from the beginning in the first half of a month and from the end in the second.
func placeInMonth(day time.Time) int {
	d := day.Day()
	if d <= 15 {
		return d
	}
	last := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return 31 - (last - d)
}
