package anomaly

import (
	"math"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// The windows of the baseline, in days.
const (
	levelDays    = 42  // the local level is the mean of so many accepted days
	recentDays   = 14  // a new level is read from so many days
	seasonWeeks  = 8   // a weekday's effect is the median of so many of them
	spreadDays   = 700 // the usual spread comes from so many residuals
	tailDays     = 365 // the tail comes from so many
	warmUp       = 21  // nothing is judged before so many days are known
	refreshEvery = 7   // spread and tail are taken anew once a week
)

// baseline is the usual path of one series, learnt day by day. It holds a local level, a weekday effect, the effects of days
// of the month, and the spread around them; what an incident did to the cost is never learnt from.
type baseline struct {
	start     time.Time
	calendar  cost.Calendar
	holidays  []int     // the days past that have a name there and were judged
	raw       []float64 // as they came; an unknown day as it was expected
	accepted  []float64 // values without month effects and without what incidents added
	season    [7]float64
	habits    [7][]float64 // the last deviations of each weekday from its raw week
	month     monthDays
	deviation []float64               // of every day from level and season
	residual  []float64               // raw, of ordinary days
	means     [len(windows)][]float64 // mean residuals of the last days, by window, of ordinary days
	spread    [len(windows)]float64   // their usual spread
	scores    []float64               // absolute standardised residuals of ordinary days
	sigma     float64
	tail      tail
}

// outlook is what a day is expected to cost.
type outlook struct {
	level, season, month, occasion float64
	sigma                          float64
}

func (o outlook) mean() float64 { return o.level + o.season + o.month + o.occasion }

// expect looks at the next day, the one after the accepted ones.
func (b *baseline) expect() outlook {
	t := len(b.accepted)
	day := b.start.AddDate(0, 0, t)
	o := outlook{level: b.level(t), season: b.season[day.Weekday()]}
	// Small effects are noise that happened to repeat.
	effect, spread := b.month.effect(day)
	if math.Abs(effect) > 3*b.sigma && math.Abs(effect) > 0.05*math.Abs(o.level) {
		o.month = effect
	}
	// A month-end effect is never quite the same, so its days have a wider spread.
	o.sigma = max(b.sigma, 0.02*math.Abs(o.level), 1e-9)
	if o.month != 0 {
		o.sigma = math.Hypot(o.sigma, max(0.15*math.Abs(o.month), spread))
	}
	return o
}

// level is the mean of the last accepted days without their weekday effects.
func (b *baseline) level(t int) float64 {
	if t <= warmUp { // nothing has been cut back yet
		return median(slices.Clone(last(b.accepted, levelDays)))
	}
	sum, n := 0.0, 0
	for i := max(0, t-levelDays); i < t; i++ {
		sum += b.accepted[i] - b.season[b.weekday(i)]
		n++
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

func (b *baseline) weekday(i int) int { return (int(b.start.Weekday()) + i) % 7 }

// learn takes a day in as an ordinary one: what lies beyond three spreads is cut back to there.
func (b *baseline) learn(value float64, o outlook) {
	t := len(b.accepted)
	r := value - o.mean()
	b.month.see(b.start.AddDate(0, 0, t), value-o.level-o.season)
	cut := 3 * o.sigma
	switch {
	case t < warmUp:
		cut = math.Inf(1)
	case o.month != 0:
		cut = 0 // the days of the month say little about the level
	}
	b.raw = append(b.raw, value)
	b.deviation = append(b.deviation, value-o.level-o.season)
	b.accepted = append(b.accepted, o.level+o.season+max(-cut, min(cut, r)))
	if t == warmUp-1 {
		b.settle()
	}
	b.residual = append(b.residual, r)
	if t >= warmUp { // before, there was no spread to measure by
		b.scores = append(b.scores, math.Abs(r)/o.sigma)
	}
	b.refresh(t)
}

// settle ends the warm-up: the days that stand far out of it, such as the fee of the first of the month, are cut back.
func (b *baseline) settle() {
	var by [7][]float64
	for i, v := range b.accepted {
		by[b.weekday(i)] = append(by[b.weekday(i)], v)
	}
	off := make([]float64, len(b.accepted))
	for i, v := range b.accepted {
		off[i] = v - median(slices.Clone(by[b.weekday(i)]))
	}
	cut := 5 * max(1.4826*medianAbs(off), 0.02*math.Abs(median(slices.Clone(b.accepted))))
	for i := range b.accepted {
		b.accepted[i] += max(-cut, min(cut, off[i])) - off[i]
	}
	b.season = [7]float64{}
	for t := 7; t < len(b.accepted); t++ {
		b.updateSeason(t)
	}
	b.month = monthDays{}
	for i, v := range off {
		b.month.see(b.start.AddDate(0, 0, i), v)
	}
}

// unseen reports whether day t is one on which bills hold monthly fees and batches, while the whole record is too short to
// know whether this one does.
func (b *baseline) unseen(t int) bool {
	const youngUntil = 70
	day := b.start.AddDate(0, 0, t)
	s := slot(day)
	return t < youngUntil && s != 0 && s <= 2 && s >= -2 && len(b.month.seen[s]) < 2
}

// skip passes over a day that says nothing about the usual path. A value that is part of an incident still counts for
// the days of the month: what returns every month is no incident.
func (b *baseline) skip(value float64, o outlook) {
	t := len(b.accepted)
	if !math.IsNaN(value) {
		b.month.see(b.start.AddDate(0, 0, t), value-o.level-o.season)
	}
	if math.IsNaN(value) {
		value = o.mean()
	}
	b.raw = append(b.raw, value)
	b.deviation = append(b.deviation, value-o.level-o.season)
	b.accepted = append(b.accepted, o.level+o.season)
	b.refresh(t)
}

// shift moves the level for good: the last days are accepted as they are.
func (b *baseline) shift(by float64, days int) {
	for i := max(0, len(b.accepted)-days); i < len(b.accepted); i++ {
		b.accepted[i] += by
	}
}

func (b *baseline) refresh(t int) {
	if t >= warmUp && b.named(t) != "" {
		b.holidays = append(b.holidays, t)
	}
	if t >= 7 {
		b.updateSeason(t)
		b.adopt(t)
	}
	if t%refreshEvery != 0 && t > warmUp {
		return
	}
	b.sigma = wide(last(b.residual, spreadDays))
	for k := range windows {
		b.spread[k] = wide(last(b.means[k], spreadDays))
	}
	b.tail = fitTail(last(b.scores, tailDays))
}

// updateSeason renews the effect of the weekday three days before t, whose centred week has just become complete.
func (b *baseline) updateSeason(t int) {
	var buf [seasonWeeks]float64
	effects := buf[:0]
	for i := t - 3; i >= 3 && len(effects) < seasonWeeks; i -= 7 {
		sum := 0.0
		for j := i - 3; j <= i+3; j++ {
			sum += b.accepted[j]
		}
		effects = append(effects, b.accepted[i]-sum/7)
	}
	if len(effects) >= 2 {
		b.season[b.weekday(t-3)] = median(effects)
	}
}

// adopt takes over a weekday's new habit, such as a fleet that is now switched off at weekends: three of them in a row that
// left their week the same way, measured against the week itself so that a new level is no habit.
func (b *baseline) adopt(t int) {
	const times = 3
	var buf [7]float64
	d := b.weekday(t)
	deviation := b.raw[t] - median(append(buf[:0], b.raw[t-6:t+1]...))
	b.habits[d] = last(append(b.habits[d], deviation), times)
	if t < warmUp || len(b.habits[d]) < times {
		return
	}
	season := b.season // its own middle is what the deviation compares with
	middle := median(season[:])
	low, high := slices.Min(b.habits[d]), slices.Max(b.habits[d])
	habit := low
	if high < 0 {
		habit = high
	}
	change := habit + middle - b.season[d]
	if low*high <= 0 || math.Abs(change) <= 3*b.sigma || high-low >= 0.5*math.Abs(change) {
		return
	}
	// As if it had always been so.
	for i := t; i >= max(0, t-7*(seasonWeeks+1)); i -= 7 {
		b.accepted[i] += change
	}
	for i := t - 6; i <= t; i++ {
		b.updateSeason(i)
	}
}

// monthDays remembers how the first and last days of the months left the usual path.
type monthDays struct {
	seen map[int][]float64
}

// monthSlots is how many days at each end of a month are looked at.
const monthSlots = 5

// slot counts from the beginning of the month (1, 2, ...) or from its end (-1 is the last day); 0 is neither.
func slot(day time.Time) int {
	d := day.Day()
	if d <= monthSlots {
		return d
	}
	if back := d - daysIn(day) - 1; back >= -monthSlots {
		return back
	}
	return 0
}

func daysIn(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func (m *monthDays) see(day time.Time, deviation float64) {
	s := slot(day)
	if s == 0 {
		return
	}
	if m.seen == nil {
		m.seen = map[int][]float64{}
	}
	m.seen[s] = last(append(m.seen[s], deviation), 6)
}

// effect is what the day's place in the month usually adds, the median of the last months, and by how much that varies. It
// is nothing while the months do not agree on the direction.
func (m *monthDays) effect(day time.Time) (effect, spread float64) {
	seen := slices.Clone(m.seen[slot(day)])
	if len(seen) < 2 {
		return 0, 0
	}
	effect = median(seen) // sorts
	low, high := seen[0], seen[len(seen)-1]
	if len(seen) > 3 { // one month may differ
		low, high = seen[1], seen[len(seen)-2]
	}
	if low*high <= 0 {
		return 0, 0
	}
	return effect, (high - low) / 2
}

func last(v []float64, n int) []float64 { return v[max(0, len(v)-n):] }

func medianAbs(v []float64) float64 {
	abs := make([]float64, len(v))
	for i, x := range v {
		abs[i] = math.Abs(x)
	}
	return median(abs)
}

// median sorts v. That of nothing is 0.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
