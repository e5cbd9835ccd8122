package anomaly

import (
	"cmp"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// The share of an incident that one resource must explain for the incident to be its own, and how many parts are named.
const (
	ownShare  = 0.6
	mostParts = 5
)

// part is one series inside an incident, measured over the incident's days.
type part struct {
	series                   cost.Series
	actual, expected         float64
	actualDays, expectedDays []float64
}

// Drill looks inside an incident: the parts are the series of its scope cut by one more dimension. The parts that explain
// most of it become its causes. A resource that explains nearly all of it narrows the scope, and so turns "more than usual"
// into "new" when that resource did not exist before. It reports whether the parts explained anything; the ID stays.
func Drill(i Incident, by cost.Dimension, parts []cost.Series) (Incident, bool) {
	impact := i.Impact.Float()
	var measured []part
	for _, s := range parts {
		if s.Scope[by] == "" || s.Currency != i.Impact.Currency || s.Basis != i.Impact.Basis {
			continue
		}
		if p, ok := measure(i, s); ok && (p.actual-p.expected)*impact > 0 {
			measured = append(measured, p)
		}
	}
	if impact == 0 || len(measured) == 0 {
		return i, false
	}
	slices.SortStableFunc(measured, func(a, b part) int {
		return cmp.Compare(math.Abs(b.actual-b.expected), math.Abs(a.actual-a.expected))
	})
	var causes []Cause
	for _, p := range measured[:min(mostParts, len(measured))] {
		if share := (p.actual - p.expected) / impact; share >= 0.05 {
			causes = append(causes, Cause{Scope: p.series.Scope, Share: math.Round(min(share, 1)*1e4) / 1e4})
		}
	}
	if len(causes) == 0 {
		return i, false
	}
	i.Causes = causes
	if by == cost.Resource && causes[0].Share >= ownShare {
		i = narrow(i, measured[0])
	}
	i.Summary = summarise(i)
	return i, true
}

func narrow(i Incident, p part) Incident {
	i.Scope = p.series.Scope
	money := func(v float64) cost.Money {
		return cost.Money{Amount: decimal.NewFromFloat(v).Round(2), Currency: i.Impact.Currency, Basis: i.Impact.Basis}
	}
	i.Actual, i.Expected = money(p.actual), money(p.expected)
	i.Impact = money(i.Actual.Float() - i.Expected.Float())
	i.Kind = kindOf(p.actualDays, p.expectedDays, sign(p.actual-p.expected), !i.Open())
	return i
}

// measure compares the incident's days with the same weekdays of the four weeks before it.
func measure(i Incident, s cost.Series) (part, bool) {
	p := part{series: s}
	from, to := s.Index(i.Start), min(s.Index(i.Until), len(s.Values), s.Final)
	if from < 0 || from >= to {
		return p, false
	}
	at := func(t int) float64 {
		if t < 0 || math.IsNaN(s.Values[t]) {
			return 0
		}
		return s.Values[t]
	}
	for t := from; t < to; t++ {
		weekday := (t - from) % 7
		past := make([]float64, 0, 4)
		for back := range 4 {
			if k := from - 7 + weekday - 7*back; k >= 0 {
				past = append(past, at(k))
			}
		}
		p.actualDays, p.expectedDays = append(p.actualDays, at(t)), append(p.expectedDays, median(past))
	}
	p.actual, p.expected = sum(p.actualDays), sum(p.expectedDays)
	return p, true
}
