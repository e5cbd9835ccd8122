package forecast

import (
	"cmp"
	"math"
	"slices"
)

// leftOut is how many times as wrong as the best a member may be and still take part.
const leftOut = 2

// trust is the power to which the members' past accuracy is raised: the more values were foretold, the less is left to chance
// in who did best. One power for every forty, from 1 (in proportion) to 6 (nearly the best alone).
func trust(trials []trial, n int) float64 {
	if len(trials) == 0 {
		return 1
	}
	return max(1, min(6, float64(n-trials[0].at)/40))
}

// weigher gives each member a weight by its past error: a power of its inverse, so that the good ones lead, and one much worse
// than the best is left out. Where no past value is known to compare with, only the votes count.
type weigher struct {
	members []member
	power   float64
	scale   float64 // of the errors
	yearly  bool    // the season of the year is known
}

func (w weigher) weigh(tallies []tally) []Weight {
	out := make([]Weight, len(w.members))
	errors := make([]float64, len(w.members))
	best, n := math.Inf(1), 0.0
	for _, t := range tallies {
		n += t.n
	}
	for i, m := range w.members {
		out[i] = Weight{Model: m.name, near: m.anchored && w.yearly}
		for _, t := range tallies {
			errors[i] += t.sums[i]
		}
		errors[i] /= n
		if finite(errors[i]) {
			best = min(best, errors[i])
			out[i].MASE = relative(errors[i], w.scale)
		}
	}
	sum := 0.0
	for i, e := range errors {
		switch {
		case math.IsInf(best, 1), best == 0 && e == 0:
			out[i].Weight = w.members[i].vote
		case finite(e) && e <= leftOut*best:
			out[i].Weight = w.members[i].vote * math.Pow(best/e, w.power)
		}
		sum += out[i].Weight
	}
	for i := range out {
		out[i].Weight /= sum
	}
	return out
}

// far is how many days ahead the yearly season says more than the last level does.
const far = 30

// combine is the weighted median of the members' paths, which a member that goes astray does not move.
func combine(paths [][]float64, weights []Weight) []float64 {
	out := make([]float64, len(paths[0]))
	votes := make([]vote, 0, len(paths))
	for i := range out {
		votes = votes[:0]
		for k, path := range paths {
			w := weights[k].Weight
			if weights[k].near && i >= far {
				w /= 4
			}
			if w > 0 {
				votes = append(votes, vote{path[i], w})
			}
		}
		out[i] = weightedMedian(votes)
	}
	return out
}

type vote struct{ value, weight float64 }

// weightedMedian is where half of the weight lies below, each vote standing in the middle of its weight and straight lines
// between them.
func weightedMedian(votes []vote) float64 {
	slices.SortFunc(votes, func(a, b vote) int { return cmp.Compare(a.value, b.value) })
	half := 0.0
	for _, v := range votes {
		half += v.weight / 2
	}
	below, last := 0.0, 0.0
	for i, v := range votes {
		middle := below + v.weight/2
		if middle >= half {
			if i == 0 {
				return v.value
			}
			before := votes[i-1].value
			return before + (v.value-before)*(half-last)/(middle-last)
		}
		last = middle
		below += v.weight
	}
	return votes[len(votes)-1].value
}

// heaviestFirst orders the weights for people and drops the members that were left out.
func heaviestFirst(weights []Weight) []Weight {
	out := slices.DeleteFunc(slices.Clone(weights), func(w Weight) bool { return w.Weight == 0 })
	slices.SortStableFunc(out, func(a, b Weight) int { return cmp.Compare(b.Weight, a.Weight) })
	return out
}
