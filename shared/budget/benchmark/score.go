package main

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/forecast"
)

const (
	history  = 180 // days that have to be known before the first judgement
	horizon  = 123 // as an analysis forecasts
	paths    = 1000
	settling = 2 // days that are still being written
)

// sizes are the budgets that are set, against what is expected: whatever the stated uncertainty, or judgements that differ in it could
// not be compared.
var sizes = []float64{0.7, 0.85, 0.93, 0.97, 0.99, 1, 1.01, 1.03, 1.07, 1.15, 1.3}

// bins are the upper ends of the stated probabilities that are looked at together.
var bins = [6]float64{0.1, 0.3, 0.5, 0.7, 0.9, math.Inf(1)}

// score sums what was stated and what came.
type score struct {
	periods, in80, in95 float64
	stated, came, n     [6]float64
	squares             float64
	breaks, breaksIn    float64
}

func (s *score) add(r score) {
	s.periods, s.in80, s.in95 = s.periods+r.periods, s.in80+r.in80, s.in95+r.in95
	s.breaks, s.breaksIn, s.squares = s.breaks+r.breaks, s.breaksIn+r.breaksIn, s.squares+r.squares
	for i := range bins {
		s.stated[i], s.came[i], s.n[i] = s.stated[i]+r.stated[i], s.came[i]+r.came[i], s.n[i]+r.n[i]
	}
}

// row writes a row: in each bin of stated probabilities, their mean and the share of overruns that came.
func (s *score) row(w io.Writer, set string, c budget.Cadence) {
	n, came := 0.0, 0.0
	for i := range bins {
		n, came = n+s.n[i], came+s.came[i]
	}
	base := came / n * (1 - came/n)
	fmt.Fprintf(w, "%s\t%s\t%.0f\t%.2f\t", set, c, s.periods, 1-s.squares/n/base)
	for i := range bins {
		fmt.Fprintf(w, "%.2f: %.2f\t", s.stated[i]/s.n[i], s.came[i]/s.n[i])
	}
	fmt.Fprintf(w, "%.3f\t%.3f\t%.3f\t%.0f\t\n", s.in80/s.periods, s.in95/s.periods, s.breaksIn/s.breaks, s.breaks)
}

// judge looks at each period of a series that is known to its end, on one day of it: the earlier ones on an early day, the next on a
// later one, and so on.
func judge(s cost.Series, c budget.Cadence) score {
	var sum score
	seen := c.Period(s.Start.AddDate(0, 0, history))
	end := s.Day(len(s.Values))
	for i, p := 0, c.Period(seen.End); !p.End.After(end); i, p = i+1, c.Period(p.End) {
		share := []float64{0.1, 0.3, 0.5, 0.7, 0.85}[i%5]
		at := p.Start.AddDate(0, 0, int(share*float64(p.Len())))
		sum.add(one(s, c, p, at))
	}
	return sum
}

func one(s cost.Series, c budget.Cadence, p cost.Period, at time.Time) (out score) {
	settled := at.AddDate(0, 0, -settling)
	known := s
	known.Values, known.Final = s.Values[:s.Index(settled)], s.Index(settled)
	drawn := forecast.DailyPaths(known, horizon, cost.Period{Start: settled, End: p.End}.Len(), paths, forecast.Options{})
	e := budget.Evidence{At: at, Settled: settled, Reported: settled, Outlook: &budget.Outlook{First: settled, Paths: drawn.Days}}
	for _, point := range drawn.Points {
		e.Outlook.Mean = append(e.Outlook.Mean, point.Mean)
	}
	var actual []decimal.Decimal
	total := decimal.Zero
	for day := p.Start; day.Before(p.End); day = day.AddDate(0, 0, 1) {
		v := decimal.NewFromFloat(s.Values[s.Index(day)])
		total = total.Add(v)
		actual = append(actual, total)
		if day.Before(settled) {
			e.Days = append(e.Days, budget.Day{Day: day, Amount: v})
		}
	}
	b := budget.Budget{Amount: cost.Money{Amount: decimal.NewFromInt(1), Currency: "USD", Basis: cost.Effective}, Cadence: c}
	r := budget.Evaluate(b, p, e).Expected
	out.periods = 1
	if total.GreaterThanOrEqual(r.Low80.Amount) && total.LessThanOrEqual(r.High80.Amount) {
		out.in80++
	}
	if total.GreaterThanOrEqual(r.Low95.Amount) && total.LessThanOrEqual(r.High95.Amount) {
		out.in95++
	}
	for _, size := range sizes {
		b.Amount.Amount = decimal.NewFromFloat(r.Mean.Float() * size)
		if b.Amount.Amount.IsPositive() {
			out.hold(budget.Evaluate(b, p, e), b, p, actual)
		}
	}
	return out
}

// hold holds a standing to how the period went.
func (s *score) hold(stood budget.Standing, b budget.Budget, p cost.Period, actual []decimal.Decimal) {
	over := 0.0
	if actual[len(actual)-1].GreaterThan(b.Amount.Amount) {
		over = 1
	}
	for i, upTo := range bins {
		if *stood.Overrun <= upTo {
			s.stated[i], s.came[i], s.n[i] = s.stated[i]+*stood.Overrun, s.came[i]+over, s.n[i]+1
			break
		}
	}
	s.squares += (*stood.Overrun - over) * (*stood.Overrun - over)
	// The interval of the day, where it has both ends within the period.
	if stood.Break == nil || stood.Break.Happened || stood.Break.Earliest == nil || stood.Break.Latest == nil {
		return
	}
	s.breaks++
	for i, total := range actual {
		if total.GreaterThan(b.Amount.Amount) {
			if day := p.Start.AddDate(0, 0, i); !day.Before(*stood.Break.Earliest) && !day.After(*stood.Break.Latest) {
				s.breaksIn++
			}
			return
		}
	}
}
