package job

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// How much of the bill of its currency, over the last 90 days, a part must be.
const (
	leastShare = 1e-4 // to stand by itself and not with the rest of what it is a part of
	largeShare = 0.02 // to be forecast by all models
)

// staleAfter is how many days a leaf must be behind the others to have ended, and not to be merely late.
const staleAfter = 35

// branch is a part of the bill that is forecast and described.
type branch struct {
	cost.Series

	level  Level
	rest   bool // what its scope holds beside the parts that stand by themselves
	across bool // it cuts its provider another way than the tree does, and takes no part in reconciling
	parent int  // position of the branch that it is a part of; -1 for the whole
	same   int  // position of the branch that holds the same costs and answers for this one; -1
	leaves []cost.Series
	recent float64 // what the last 90 days cost
	share  float64 // of the bill
}

// cut is a level, and how it cuts the bill.
type cut struct {
	level Level
	by    []cost.Dimension
}

// cuts are the levels below the whole, each a part of the one before; and those that cut providers another way.
var (
	cuts         = []cut{{ProviderLevel, leafDimensions[:1]}, {ServiceLevel, []cost.Dimension{cost.Provider, cost.Service}}, {LeafLevel, leafDimensions}}
	crossingCuts = []cut{{AccountLevel, []cost.Dimension{cost.Provider, cost.Account}}, {RegionLevel, []cost.Dimension{cost.Provider, cost.Region}}}
)

// branchesOf cuts the bill of each currency into a tree: all of it, its providers, their services, their leaves; and the providers
// once more into accounts, and into regions. The branches of each level together are the bill. A branch stands before its parts.
func branchesOf(leaves []cost.Series, about cost.Scope) []branch {
	var out []branch
	for _, c := range currencies(leaves) {
		mine := slices.DeleteFunc(slices.Clone(leaves), func(s cost.Series) bool { return s.Currency != c })
		g := growth{extent: extentOf(mine), branches: out}
		whole := branch{Series: sumWithin(mine, about, g.extent), level: WholeLevel, parent: -1, same: -1, leaves: mine, share: 1}
		for _, s := range mine {
			g.total += recentCost(s)
		}
		whole.recent = recentCost(whole.Series)
		g.branches = append(g.branches, whole)
		from := len(out)
		var providers []int
		for _, cut := range cuts {
			to := len(g.branches)
			for i := from; i < to; i++ {
				g.divide(i, about, cut.level, cut.by)
			}
			from = to
			if cut.level == ProviderLevel {
				providers = span(to, len(g.branches))
			}
		}
		g.across = true
		for _, cut := range crossingCuts {
			for _, i := range providers {
				g.divide(i, about, cut.level, cut.by)
			}
		}
		out = g.branches
	}
	return out
}

// growth is a tree in the making.
type growth struct {
	branches []branch
	extent   extent
	total    float64 // what the bill cost lately
	across   bool    // what grows is no part of the tree
}

// divide cuts a branch one level finer.
func (g *growth) divide(at int, about cost.Scope, level Level, by []cost.Dimension) {
	p := g.branches[at]
	if p.rest {
		g.answers(at, level, p.Scope, true)
		return
	}
	parts := cutBy(p.leaves, about, by)
	if len(parts) == 1 {
		g.answers(at, level, parts[0].scope, false)
		return
	}
	for i := range parts {
		parts[i].recent = recentCosts(parts[i].leaves)
	}
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(b.recent, a.recent), cmp.Compare(a.scope.String(), b.scope.String()))
	})
	named := slices.IndexFunc(parts, func(x part) bool { return !(x.recent >= leastShare*g.total) || x.recent == 0 })
	if named < 0 || named == len(parts)-1 { // a rest of one part is that part
		named = len(parts)
	}
	if named == 0 {
		g.answers(at, level, p.Scope, true)
		return
	}
	parent := g.answering(at)
	for _, x := range parts[:named] {
		g.add(x, level, parent, false)
	}
	if named < len(parts) {
		rest := part{scope: p.Scope}
		for _, x := range parts[named:] {
			rest.leaves = append(rest.leaves, x.leaves...)
			rest.recent += x.recent
		}
		g.add(rest, level, parent, true)
	}
}

func (g *growth) add(x part, level Level, parent int, rest bool) {
	g.branches = append(g.branches, branch{
		Series: sumWithin(x.leaves, x.scope, g.extent), level: level, rest: rest, across: g.across, parent: parent, same: -1,
		leaves: x.leaves, recent: x.recent, share: x.recent / max(g.total, 1e-9),
	})
}

// answers repeats a branch on the next level, where it is not divided.
func (g *growth) answers(at int, level Level, scope cost.Scope, rest bool) {
	b := g.branches[at]
	b.level, b.Scope, b.rest, b.across, b.same = level, scope, rest, g.across, g.answering(at)
	g.branches = append(g.branches, b)
}

func (g *growth) answering(at int) int {
	if same := g.branches[at].same; same >= 0 {
		return same
	}
	return at
}

// span lists the numbers from one to another, the second not included.
func span(from, to int) []int {
	out := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// part is some leaves with one scope.
type part struct {
	scope  cost.Scope
	leaves []cost.Series
	recent float64
}

func cutBy(leaves []cost.Series, about cost.Scope, by []cost.Dimension) []part {
	at := map[string]int{}
	var out []part
	for _, s := range leaves {
		scope := about
		for _, d := range by {
			scope = scope.With(d, s.Scope[d])
		}
		k := scope.String()
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, part{scope: scope})
		}
		out[i].leaves = append(out[i].leaves, s)
	}
	return out
}

// extent is how far the leaves of a bill have been settled.
type extent struct {
	latest time.Time // of all
	final  time.Time // of all that have not ended
}

func extentOf(leaves []cost.Series) extent {
	var x extent
	for _, s := range leaves {
		if d := s.Day(s.Final); d.After(x.latest) {
			x.latest = d
		}
	}
	x.final = x.latest
	for _, s := range leaves {
		if d := s.Day(s.Final); d.Before(x.final) && !x.ended(s) {
			x.final = d
		}
	}
	return x
}

// ended reports whether a leaf is so far behind the others that it has ended, and is not merely late.
func (x extent) ended(s cost.Series) bool {
	return !s.Day(s.Final).After(x.latest.AddDate(0, 0, -staleAfter))
}

// sumUp adds leaves of one currency that are all there is.
func sumUp(leaves []cost.Series, scope cost.Scope) cost.Series {
	return sumWithin(leaves, scope, extentOf(leaves))
}

// sumWithin adds some leaves of a bill. Days before a leaf began cost it nothing; so do the days after it ended. The sum is
// final where all that have not ended are; if all have, as far as the bill is.
func sumWithin(leaves []cost.Series, scope cost.Scope, x extent) cost.Series {
	sum := cost.Series{Scope: scope, Basis: leaves[0].Basis, Currency: leaves[0].Currency, Start: leaves[0].Start}
	var end, final time.Time
	for _, s := range leaves {
		if s.Start.Before(sum.Start) {
			sum.Start = s.Start
		}
		if d := s.Day(len(s.Values)); d.After(end) {
			end = d
		}
		if d := s.Day(s.Final); !x.ended(s) && (final.IsZero() || d.Before(final)) {
			final = d
		}
	}
	if final.IsZero() {
		final = x.final
	}
	if final.After(end) {
		end = final
	}
	sum.Values = make([]float64, cost.Period{Start: sum.Start, End: end}.Len())
	sum.Final = max(0, min(len(sum.Values), cost.Period{Start: sum.Start, End: final}.Len()))
	for _, s := range leaves {
		ended := x.ended(s)
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

func recentCosts(leaves []cost.Series) float64 {
	total := 0.0
	for _, s := range leaves {
		total += recentCost(s)
	}
	return total
}

// ordered puts results of branches, one each, into the order in which people read them: by level, the most expensive first and the
// rest last.
func ordered[T any](branches []branch, results []T) []T {
	order := make([]int, len(branches))
	for i := range order {
		order[i] = i
	}
	rank := func(b branch) int {
		r := 2 * slices.Index(Levels, b.level)
		if b.rest {
			r++
		}
		return r
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := branches[i], branches[j]
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Currency, b.Currency), cmp.Compare(b.recent, a.recent), cmp.Compare(a.Scope.String(), b.Scope.String()))
	})
	out := make([]T, len(results))
	for k, i := range order {
		out[k] = results[i]
	}
	return out
}
