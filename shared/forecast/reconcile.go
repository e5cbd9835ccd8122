package forecast

import (
	"math"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Branch is one scope in a tree of forecasts: the whole, its parts, their parts. The parts of a branch sum to it.
type Branch struct {
	Parent   int         // position of the branch that this one is part of; -1 for a root
	Series   cost.Series // what the forecast was learnt from
	Forecast *Forecast
}

// Reconcile makes the parts of a tree sum to the whole: it says, by branch and point, by how much the mean has to move. A parent
// stands before its parts.
//
// The moved means are those of weighted least squares: of all that sum up they are nearest to the forecasts, each distance
// measured by the variance of the forecast's own error on that day, which its interval tells, times the number of leaves below it
// (MinT with a diagonal, its variance and its structural scaling taken together; Wickramasuriya, Athanasopoulos and Hyndman,
// "Optimal forecast reconciliation through trace minimization", JASA 2019). The forecast of a sum of many leaves is one opinion
// beside theirs, and errs where they do.
// What sums up already stays as it is, and a scope that never cost less than nothing is not moved below it. A day that is
// settled in one branch and to come in another counts as known.
func Reconcile(tree []Branch) [][]float64 {
	moved := make([][]float64, len(tree))
	var first, end time.Time
	for i, b := range tree {
		moved[i] = make([]float64, len(b.Forecast.Points))
		if len(moved[i]) == 0 {
			continue
		}
		from := b.Forecast.Points[0].Day
		if first.IsZero() || from.Before(first) {
			first = from
		}
		if to := from.AddDate(0, 0, len(moved[i])); to.After(end) {
			end = to
		}
	}
	s := newSums(tree)
	for day := first; day.Before(end); day = day.AddDate(0, 0, 1) {
		for i, b := range tree {
			s.see(i, b, day)
		}
		s.settle()
		for i, b := range tree {
			if k := b.ahead(day); k >= 0 && k < len(moved[i]) {
				moved[i][k] = s.out[i] - b.Forecast.Points[k].Mean
			}
		}
	}
	return moved
}

// ahead is the position of a day among the points of the forecast.
func (b Branch) ahead(day time.Time) int {
	if len(b.Forecast.Points) == 0 {
		return -1
	}
	from := b.Forecast.Points[0].Day
	if day.Before(from) {
		return -1
	}
	return cost.Period{Start: from, End: day}.Len()
}

// sums holds one day of a tree.
type sums struct {
	parents  []int
	leaves   []float64 // how many it has; one that has no parts is its own
	least    []float64 // what it may not fall below
	base     []float64 // forecast
	variance []float64 // of its error; infinite where there is no forecast
	mean     []float64 // the best that a branch and its parts say together
	spread   []float64 // its variance
	parts    []float64 // sum of the means of the parts
	loose    []float64 // sum of their variances
	out      []float64
	children [][]int
}

func newSums(tree []Branch) *sums {
	n := len(tree)
	s := &sums{
		parents: make([]int, n), leaves: make([]float64, n), least: make([]float64, n), base: make([]float64, n), variance: make([]float64, n),
		mean: make([]float64, n), spread: make([]float64, n), parts: make([]float64, n), loose: make([]float64, n), out: make([]float64, n),
		children: make([][]int, n),
	}
	below := make([]float64, n)
	for i := n - 1; i >= 0; i-- {
		b := tree[i]
		s.parents[i], s.least[i] = b.Parent, math.Inf(-1)
		if neverNegative(b.Series) {
			s.least[i] = 0
		}
		if s.leaves[i] > 0 {
			s.least[i] = max(s.least[i], below[i])
		}
		s.leaves[i] = max(s.leaves[i], 1)
		if b.Parent >= 0 {
			s.leaves[b.Parent] += s.leaves[i]
			below[b.Parent] += s.least[i]
			s.children[b.Parent] = append(s.children[b.Parent], i)
		}
	}
	return s
}

func neverNegative(s cost.Series) bool {
	values, _ := settled(s)
	for _, v := range values {
		if finite(v) && v < 0 {
			return false
		}
	}
	return true
}

// see takes what a branch knows or expects of a day.
func (s *sums) see(i int, b Branch, day time.Time) {
	k := b.ahead(day)
	switch {
	case k >= 0 && k < len(b.Forecast.Points):
		p := b.Forecast.Points[k]
		half := (p.High80 - p.Mean) / 1.2816
		s.base[i], s.variance[i] = p.Mean, s.leaves[i]*half*half
	case k < 0 && b.known(day):
		s.base[i], s.variance[i] = b.Series.Values[b.Series.Index(day)], 0
	default:
		s.base[i], s.variance[i] = 0, math.Inf(1)
	}
}

// known reports whether a day is settled.
func (b Branch) known(day time.Time) bool {
	i := b.Series.Index(day)
	return i >= 0 && i < min(b.Series.Final, len(b.Series.Values)) && finite(b.Series.Values[i])
}

// settle solves the day. On a tree, weighted least squares takes two passes, as a smoother does on a chain: going up, each branch
// weighs its own forecast with the sum of its parts by their precisions; going down, what the sum of the parts is still off
// is spread over them by their variances.
func (s *sums) settle() {
	clear(s.parts)
	clear(s.loose)
	for i := len(s.parents) - 1; i >= 0; i-- {
		s.mean[i], s.spread[i] = s.base[i], s.variance[i]
		if len(s.children[i]) > 0 {
			s.mean[i], s.spread[i] = weighed(s.base[i], s.variance[i], s.parts[i], s.loose[i])
		}
		if p := s.parents[i]; p >= 0 {
			s.parts[p] += s.mean[i]
			s.loose[p] += s.spread[i]
		}
	}
	for i, p := range s.parents {
		if p < 0 {
			s.out[i] = max(s.mean[i], s.least[i])
		}
		if len(s.children[i]) > 0 {
			s.spreadOver(s.children[i], s.out[i])
		}
	}
	// What is left of the rounding goes upwards, so that a whole is exactly the sum of its parts.
	clear(s.parts)
	for i := len(s.parents) - 1; i >= 0; i-- {
		if len(s.children[i]) > 0 {
			s.out[i] = s.parts[i]
		}
		if p := s.parents[i]; p >= 0 {
			s.parts[p] += s.out[i]
		}
	}
}

// weighed is the mean of two estimates by their precisions, and its variance. Between two that are both certain, or both
// unknown, the sum of the parts decides.
func weighed(a, variance, b, other float64) (mean, spread float64) {
	switch {
	case math.IsInf(variance, 1) || variance == 0 && other == 0:
		return b, other
	case math.IsInf(other, 1) || variance == 0:
		return a, variance
	}
	share := other / (variance + other)
	return b + share*(a-b), variance * share
}

// spreadOver brings the sum of the parts to a total: each moves by its variance, and none below its least. The parts that reach
// it stop there, and the others take over what is left; where none can move by its variance, all move alike.
func (s *sums) spreadOver(parts []int, total float64) {
	free := make([]int, 0, len(parts))
	for _, i := range parts {
		s.out[i] = s.mean[i]
		free = append(free, i)
	}
	for len(free) > 0 {
		gap := total
		for _, i := range parts {
			gap -= s.out[i]
		}
		weigh := s.weights(free)
		for _, i := range free {
			s.out[i] += gap * weigh(i)
		}
		stopped := false
		still := free[:0]
		for _, i := range free {
			if s.out[i] < s.least[i] {
				s.out[i], stopped = s.least[i], true
				continue
			}
			still = append(still, i)
		}
		if !stopped {
			return
		}
		free = still
	}
}

// weights are the shares in which some parts take a difference.
func (s *sums) weights(parts []int) func(i int) float64 {
	all, unknown := 0.0, 0
	for _, i := range parts {
		if math.IsInf(s.spread[i], 1) {
			unknown++
			continue
		}
		all += s.spread[i]
	}
	return func(i int) float64 {
		switch {
		case unknown > 0 && math.IsInf(s.spread[i], 1):
			return 1 / float64(unknown)
		case unknown > 0:
			return 0
		case all > 0:
			return s.spread[i] / all
		}
		return 1 / float64(len(parts))
	}
}
