package trend

import (
	"cmp"
	"math"
	"slices"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Drivers splits the change from one period to the next among the parts of the bill, cut by the given dimensions, the largest
// change first. Only days that are settled count. A part whose change is under a thousandth of all movement is left out.
func Drivers(leaves []cost.Series, by []cost.Dimension, before, after cost.Period) []Driver {
	found := map[string]*Driver{}
	for _, s := range leaves {
		scope := cost.Scope{}
		for _, d := range by {
			if v, ok := s.Scope[d]; ok {
				scope[d] = v
			}
		}
		k := scope.String()
		if found[k] == nil {
			found[k] = &Driver{Scope: scope}
		}
		found[k].Before += sumOf(s, before)
		found[k].After += sumOf(s, after)
	}
	whole, movement := 0.0, 0.0
	for _, d := range found {
		d.Change = d.After - d.Before
		movement += math.Abs(d.Change)
	}
	out := []Driver{}
	for _, d := range found {
		if math.Abs(d.Change) > 0.001*movement {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b Driver) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Change), math.Abs(a.Change)), cmp.Compare(a.Scope.String(), b.Scope.String()))
	})
	for _, d := range out { // summed in a fixed order, so that equal bills give equal shares
		whole += d.Change
	}
	for i := range out {
		if math.Abs(whole) > 1e-9*movement {
			share := out[i].Change / whole
			out[i].Share = &share
		}
	}
	return out
}

func sumOf(s cost.Series, p cost.Period) float64 {
	sum := 0.0
	for i := max(0, s.Index(p.Start)); i < min(s.Final, len(s.Values)) && s.Day(i).Before(p.End); i++ {
		if finite(s.Values[i]) {
			sum += s.Values[i]
		}
	}
	return sum
}
