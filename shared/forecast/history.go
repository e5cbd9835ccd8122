package forecast

import (
	"math"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// week is the season that daily cost has.
const week = 7

// shape is what is known about a series beside its values.
type shape struct {
	start     time.Time // the day of the first value, where a step is a day
	daily     bool
	occasions []string // of the days from the first one to the last to come
	possible  []int    // lengths of the seasons to look for
	ahead     int      // the most steps to forecast
	fast      bool
	room      *room
}

// history is what a model learns from: gaps filled and, in daily series, days of the month and holidays set apart and lone
// outliers cut back.
type history struct {
	shape
	whole    []float64  // clean, without the effects of the days of the month and holidays
	y        []float64  // also without the yearly season of a daily series
	year     []float64  // that season, from the first day to the end of the horizon; nil without one
	bent     *regressed // what it was learnt by
	seasons  []int      // those of the possible ones that the values show, ascending
	positive bool
	logs     bool // seasons grow with the level
	weekdays [week]float64
	month    map[int]float64    // effect by place in the month
	fees     []float64          // what fees cost by day ahead
	feesOff  []float64          // and by how much that may be off
	holidays map[string]float64 // effect by occasion
	restful  [week]bool         // weekdays that cost clearly less than others
	parts    [][]float64        // the seasons by decomposition, of the logarithms where logs
	rest     []float64          // what remains, trend included
	low      float64            // beyond low and high no model is believed
	high     float64
}

// mostLearnt is how many of the last values are learnt from: what lies five years of days or forty of weeks back says little,
// and would cost memory and time without bounds.
const mostLearnt = 2000

// settled are the final values from the first known one on, the last of them.
func settled(s cost.Series) (values []float64, start time.Time) {
	values = s.Values[:max(0, min(s.Final, len(s.Values)))]
	known := slices.IndexFunc(values, finite)
	if known < 0 {
		return nil, s.Day(len(values))
	}
	known += recent(values[known:])
	return squarable(values[known:]), s.Day(known)
}

// recent is how many of the values, of which the first is known, to leave behind, so that the first is known again.
func recent(values []float64) int {
	skip := max(0, len(values)-mostLearnt)
	for skip < len(values) && !finite(values[skip]) {
		skip++
	}
	if skip == len(values) {
		return 0
	}
	return skip
}

// squarable gives values that can be squared and divided by: no cost is beyond 1e100, and what is below 1e-100 is nothing.
func squarable(values []float64) []float64 {
	const most = 1e100
	odd := func(v float64) bool { return math.Abs(v) > most || v != 0 && math.Abs(v) < 1/most }
	if !slices.ContainsFunc(values, odd) {
		return values
	}
	out := slices.Clone(values)
	for i, v := range out {
		switch {
		case !finite(v):
		case math.Abs(v) < 1/most:
			out[i] = 0
		default:
			out[i] = max(-most, min(most, v))
		}
	}
	return out
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// fill puts the value one season before into each gap, or the last known one.
func fill(values []float64, season int) []float64 {
	out := slices.Clone(values)
	for i, v := range out {
		switch {
		case finite(v):
		case i >= season:
			out[i] = out[i-season]
		default:
			out[i] = out[i-1] // the first value is known
		}
	}
	return out
}

// beyond is how many times the span of its history a series may leave it: models of growth that feeds itself know no bounds.
const beyond = 10

// learn prepares filled values.
func learn(filled []float64, s shape) history {
	h := history{shape: s, y: slices.Clone(filled)}
	low, high := slices.Min(filled), slices.Max(filled)
	h.low, h.high = low-beyond*(high-low), high+beyond*(high-low)
	if s.daily {
		h.clean(filled)
	}
	h.whole = h.y
	h.seasons = shown(h.y, s.possible)
	h.learnYear()
	// Costs by the day add up: a fixed fee is a fixed fee, whatever the rest does.
	h.positive = !s.daily && slices.Min(h.y) > 0
	h.logs = h.positive && len(h.seasons) > 0 && proportional(h.y, h.seasons[0])
	y := h.y
	if h.logs {
		y = logarithms(h.y)
	}
	h.parts, h.rest = decompose(y, h.seasons)
	h.shrink()
	return h
}

// learnYear sets the yearly season apart, where the history is long enough to know one.
func (h *history) learnYear() {
	if !h.daily || len(h.y) < yearlyFrom {
		return
	}
	r := regress(*h, len(h.y)+h.ahead, true)
	h.bent, h.year = &r, r.part(r.yearly)
	h.y = make([]float64, len(h.whole))
	for i, v := range h.whole {
		h.y[i] = v - h.year[i]
	}
}

// clean sets the days of the month and the holidays apart and cuts lone outliers back.
func (h *history) clean(filled []float64) {
	h.month = map[int]float64{}
	level := rollingMedian(h.ordinary(filled))
	off := make([]float64, len(filled))
	for i, v := range filled {
		off[i] = v - level[i]
	}
	h.weekdays = weekdayMedians(off, h.weekday)
	for i := range off {
		off[i] -= h.weekdays[h.weekday(i)]
	}
	spread := 1.4826 * medianAbs(off)
	h.learnFees(off, spread)
	h.learnMonth(off, spread)
	h.learnHolidays(off)
	for i, v := range off {
		v -= h.effect(i)
		if cut := 4 * spread; spread > 0 {
			v = max(-cut, min(cut, v))
		}
		h.y[i] = level[i] + h.weekdays[h.weekday(i)] + v
	}
}

func (h *history) weekday(i int) int { return (int(h.start.Weekday()) + i) % week }

// effect is what the place of day i in its month adds, and its occasion.
func (h *history) effect(i int) (effect float64) {
	if len(h.month) > 0 {
		effect = h.month[slot(h.start.AddDate(0, 0, i))]
	}
	if ahead := i - len(h.y); ahead >= 0 && ahead < len(h.fees) {
		effect += h.fees[ahead]
	}
	return effect + h.holiday(i)
}

// learnFees takes fees out of what the days lie off their level, and says when they come again.
func (h *history) learnFees(off []float64, spread float64) {
	c := chargesOf(off, h.start, spread)
	fees := c.fees(chanceBeside)
	for _, f := range fees {
		for _, i := range f.hits {
			off[i] = c.amount[i]
		}
	}
	h.fees, h.feesOff = c.dues(fees, h.ahead)
}

// learnMonth finds the places in the month whose cost differs in most months: a fee on the first, a batch on the last day.
func (h *history) learnMonth(off []float64, spread float64) {
	seen := map[int][]float64{}
	for i, v := range off {
		if s := slot(h.start.AddDate(0, 0, i)); s != 0 {
			seen[s] = append(seen[s], v)
		}
	}
	for s, v := range seen {
		v = v[max(0, len(v)-12):]
		slices.Sort(v)
		low, high := v[len(v)/4], v[len(v)-1-len(v)/4]
		if len(v) < 3 {
			low, high = v[0], v[len(v)-1]
		}
		if len(v) >= 2 && (low > 2.5*spread || high < -2.5*spread) {
			h.month[s] = median(v)
		}
	}
}

// slot counts from the beginning of the month (1, 2, 3) or from its end (-1 is the last day); 0 is neither.
func slot(day time.Time) int {
	const slots = 3
	d := day.Day()
	if d <= slots {
		return d
	}
	// The last day of the month before is day 0 of the month after.
	if back := d - time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() - 1; back >= -slots {
		return back
	}
	return 0
}

// rollingMedian is the median of the fortnight around each day, of less near the ends: a level that has lasted for four
// days is believed.
func rollingMedian(v []float64) []float64 {
	const half, least = 7, 3
	out := make([]float64, len(v))
	window := make([]float64, 0, 2*half+1) // sorted
	from, to := 0, 0
	for i := range v {
		reach := max(least, min(half, i, len(v)-1-i))
		for ; to < min(len(v), i+reach+1); to++ {
			at, _ := slices.BinarySearch(window, v[to])
			window = slices.Insert(window, at, v[to])
		}
		for ; from < i-reach; from++ {
			at, _ := slices.BinarySearch(window, v[from])
			window = slices.Delete(window, at, at+1)
		}
		out[i] = (window[(len(window)-1)/2] + window[len(window)/2]) / 2
	}
	return out
}

// weekdayMedians are the typical deviations by weekday, centred on zero.
func weekdayMedians(off []float64, weekday func(int) int) (season [week]float64) {
	var by [week][]float64
	for i := max(0, len(off)-16*week); i < len(off); i++ {
		by[weekday(i)] = append(by[weekday(i)], off[i])
	}
	mean := 0.0
	for d := range by {
		season[d] = median(by[d])
		mean += season[d] / week
	}
	for d := range season {
		season[d] -= mean
	}
	return season
}

// median sorts v; that of nothing is 0.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func medianAbs(v []float64) float64 {
	abs := make([]float64, len(v))
	for i, x := range v {
		abs[i] = math.Abs(x)
	}
	return median(abs)
}
