package budget

import (
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// courses are the ways in which a period can end.
type courses struct {
	known   bool
	mean    float64   // end value of the expected course
	crosses int       // day of the period on which that passes the amount; never if it does not
	ends    []float64 // of the paths, ascending
	crossed []int     // the days on which the paths pass the amount, ascending
}

// never is the day of what does not happen within the period.
const never = math.MaxInt

// adder gives the sums of a period up to the end of each day, along a path: what is settled as it is, then the path. A day that the bill
// shows already, though not to its end, costs no less than what is shown.
func adder(p cost.Period, e Evidence, s spent) func(path []float64) []float64 {
	settled := make([]float64, p.Len())
	least := map[int]float64{} // by day of the period
	for _, d := range s.days {
		at := cost.Period{Start: p.Start, End: d.Day}.Len()
		if d.Day.Before(e.Outlook.First) {
			settled[at] += d.Amount.InexactFloat64()
		} else {
			least[at] += d.Amount.InexactFloat64()
		}
	}
	// Where the outlook begins within the period, or how far before it.
	offset := int(e.Outlook.First.Sub(p.Start) / (24 * time.Hour))
	return func(path []float64) []float64 {
		sums := make([]float64, p.Len())
		total := 0.0
		for day := range sums {
			v := settled[day]
			if at := day - offset; at >= 0 {
				v = path[at]
				if shown, ok := least[day]; ok {
					v = max(v, shown)
				}
			}
			total += v
			sums[day] = total
		}
		return sums
	}
}

// follow goes through the period along the expected course and along every path.
func follow(b Budget, p cost.Period, e Evidence, s spent) courses {
	amount := b.Amount.Float()
	add := adder(p, e, s)
	walk := func(path []float64) (end float64, crosses int) {
		sums := add(path)
		crosses = slices.IndexFunc(sums, func(v float64) bool { return v > amount })
		if crosses < 0 {
			crosses = never
		}
		return sums[len(sums)-1], crosses
	}
	c := courses{known: true}
	c.mean, c.crosses = walk(e.Outlook.Mean)
	for _, path := range e.Outlook.Paths {
		end, crosses := walk(path)
		c.ends, c.crossed = append(c.ends, end), append(c.crossed, crosses)
	}
	slices.Sort(c.ends)
	slices.Sort(c.crossed)
	return c
}

// Point is the cost of a period up to the end of a day to come: as is expected, and between which bounds four in five courses are, and
// 19 in 20.
type Point struct {
	Day                          time.Time
	Mean                         float64
	Low80, High80, Low95, High95 float64
}

// Course tells how the cost of a period may rise from the last settled day on; nothing where that is not known.
func Course(b Budget, p cost.Period, e Evidence) []Point {
	if e.Outlook == nil || !e.Outlook.reaches(p) {
		return nil
	}
	add := adder(p, e, newSpent(b, p, e))
	mean := add(e.Outlook.Mean)
	paths := make([][]float64, len(e.Outlook.Paths))
	for i, path := range e.Outlook.Paths {
		paths[i] = add(path)
	}
	var out []Point
	on := make([]float64, len(paths))
	for day := max(0, cost.Period{Start: p.Start, End: e.Outlook.First}.Len()); day < p.Len(); day++ {
		for i, sums := range paths {
			on[i] = sums[day]
		}
		slices.Sort(on)
		m := mean[day]
		out = append(out, Point{
			Day: p.Start.AddDate(0, 0, day), Mean: m, Low80: min(m, quantile(on, 0.1)), High80: max(m, quantile(on, 0.9)),
			Low95: min(m, quantile(on, 0.025)), High95: max(m, quantile(on, 0.975)),
		})
	}
	return out
}

// quantile of ascending values.
func quantile(sorted []float64, q float64) float64 {
	return sorted[min(len(sorted)-1, max(0, int(math.Ceil(q*float64(len(sorted))))-1))]
}

// share is the share of the paths that end as is asked for.
func (c courses) share(of func(end float64) bool) float64 {
	n := 0
	for _, end := range c.ends {
		if of(end) {
			n++
		}
	}
	return float64(n) / float64(len(c.ends))
}

// expected is the end value with its intervals, in cents.
func (c courses) expected(in cost.Money) *Expectation {
	money := func(v float64) cost.Money {
		return cost.Money{Amount: decimal.NewFromFloat(v).Round(2), Currency: in.Currency, Basis: in.Basis}
	}
	at := func(q float64) float64 { return quantile(c.ends, q) }
	return &Expectation{
		Mean: money(c.mean), Low80: money(min(c.mean, at(0.1))), High80: money(max(c.mean, at(0.9))),
		Low95: money(min(c.mean, at(0.025))), High95: money(max(c.mean, at(0.975))),
	}
}

// breaks tells on which day the amount is passed; nil where hardly any course passes it.
func (c courses) breaks(p cost.Period) *Break {
	if len(c.crossed) == 0 {
		return nil
	}
	day := func(at int) *time.Time {
		if at == never {
			return nil
		}
		t := p.Start.AddDate(0, 0, at)
		return &t
	}
	nth := func(q float64) int { return c.crossed[max(0, int(math.Ceil(q*float64(len(c.crossed))))-1)] }
	b := Break{Expected: day(c.crosses), Earliest: day(nth(0.1)), Latest: day(nth(0.9))}
	if b.Expected == nil && b.Earliest == nil {
		return nil
	}
	return &b
}
