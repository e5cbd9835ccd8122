package job

import (
	"cmp"
	"math"
	"slices"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/trend"
)

// The parts of the bill that are forecast and described, besides the whole and its providers.
const (
	mostServices = 20
	mostDrivers  = 10
	staleAfter   = 35 // days behind the others: the leaf has ended, and is not merely late
)

// whole is a sum of leaves of one currency.
type whole struct {
	cost.Series

	top bool // everything the analysis is about
}

// wholeSeries sums the leaves: everything, by provider, and the most expensive services, each currency by itself.
func wholeSeries(leaves []cost.Series, about cost.Scope) []whole {
	var out []whole
	for _, c := range currencies(leaves) {
		mine := slices.DeleteFunc(slices.Clone(leaves), func(s cost.Series) bool { return s.Currency != c })
		out = append(out, whole{sumUp(mine, about), true})
		for _, dims := range [][]cost.Dimension{{cost.Provider}, {cost.Provider, cost.Service}} {
			parts := cutBy(mine, about, dims)
			slices.SortFunc(parts, func(a, b cost.Series) int {
				return cmp.Or(cmp.Compare(recentCost(b), recentCost(a)), cmp.Compare(a.Scope.String(), b.Scope.String()))
			})
			for _, p := range parts[:min(mostServices, len(parts))] {
				if len(p.Scope) > len(about) { // the filter may have fixed these dimensions already
					out = append(out, whole{p, false})
				}
			}
		}
	}
	// A filter by provider makes the provider's sum the whole.
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(w whole) bool {
		k := w.Scope.String() + string(w.Currency)
		double := seen[k]
		seen[k] = true
		return double
	})
}

func cutBy(leaves []cost.Series, about cost.Scope, dims []cost.Dimension) []cost.Series {
	groups := map[string][]cost.Series{}
	scopes := map[string]cost.Scope{}
	for _, s := range leaves {
		scope := about
		for _, d := range dims {
			scope = scope.With(d, s.Scope[d])
		}
		k := scope.String()
		groups[k] = append(groups[k], s)
		scopes[k] = scope
	}
	var out []cost.Series
	for k, g := range groups {
		out = append(out, sumUp(g, scopes[k]))
	}
	return out
}

// sumUp adds leaves of one currency. Days before a leaf began cost it nothing; so do the days after it ended, if it is far
// behind the others. The sum is final where all that have not ended are.
func sumUp(leaves []cost.Series, scope cost.Scope) cost.Series {
	sum := cost.Series{Scope: scope, Basis: leaves[0].Basis, Currency: leaves[0].Currency, Start: leaves[0].Start}
	var end, final = leaves[0].Start, leaves[0].Start
	for _, s := range leaves {
		if s.Start.Before(sum.Start) {
			sum.Start = s.Start
		}
		if d := s.Day(len(s.Values)); d.After(end) {
			end = d
		}
		if d := s.Day(s.Final); d.After(final) {
			final = d
		}
	}
	latest := final
	for _, s := range leaves {
		if d := s.Day(s.Final); d.Before(final) && d.After(latest.AddDate(0, 0, -staleAfter)) {
			final = d
		}
	}
	sum.Values = make([]float64, cost.Period{Start: sum.Start, End: end}.Len())
	sum.Final = min(len(sum.Values), cost.Period{Start: sum.Start, End: final}.Len())
	for _, s := range leaves {
		ended := !s.Day(s.Final).After(latest.AddDate(0, 0, -staleAfter))
		offset := sum.Index(s.Start)
		for i, v := range s.Values {
			if !ended || !math.IsNaN(v) {
				sum.Values[offset+i] += v
			}
		}
	}
	return sum
}

// recentCost is what the last 90 days cost.
func recentCost(s cost.Series) float64 {
	total := 0.0
	for _, v := range s.Values[max(0, s.Final-90):s.Final] {
		if !math.IsNaN(v) {
			total += math.Abs(v)
		}
	}
	return total
}

// drivers are the parts that made the last 30 settled days cost more or less than the 30 before: the providers of the whole,
// the services of a provider, the accounts and regions of a service.
func drivers(w whole, leaves []cost.Series) []trend.Driver {
	by := []cost.Dimension{cost.Provider, cost.Service}
	if _, ok := w.Scope[cost.Service]; ok {
		by = leafDimensions
	}
	mine := slices.DeleteFunc(slices.Clone(leaves), func(s cost.Series) bool { return s.Currency != w.Currency || !w.Scope.Matches(s.Scope) })
	end := w.Day(w.Final)
	out := trend.Drivers(mine, by, cost.Days(end.AddDate(0, 0, -60), 30), cost.Days(end.AddDate(0, 0, -30), 30))
	return out[:min(mostDrivers, len(out))]
}
