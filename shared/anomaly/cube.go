package anomaly

import (
	"maps"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// levels are the cuts through the bill that are watched, widest first.
var levels = [][]cost.Dimension{
	{},
	{cost.Provider},
	{cost.Provider, cost.Account},
	{cost.Provider, cost.Region},
	{cost.Provider, cost.Service},
	{cost.Provider, cost.Account, cost.Service},
	{cost.Provider, cost.Service, cost.Region},
	{cost.Provider, cost.Account, cost.Service, cost.Region},
}

// node is one scope of the hierarchy: the sum of some leaves.
type node struct {
	scope  cost.Scope
	leaves []int // ascending
	path   *path
}

// cube is the bill of one currency and basis, by leaf.
type cube struct {
	start    time.Time
	final    int
	currency cost.Currency
	basis    cost.Basis
	leaves   []*node
	nodes    []*node // every watched scope, leaves included, each set of leaves once under its narrowest name
}

// newCube lays the leaves on one calendar. What a leaf cost before its first day and after its last final one is unknown:
// providers report at their own pace, and one that is late or new must not look like a drop or like new spend.
func newCube(series []cost.Series) *cube {
	c := &cube{start: series[0].Start, currency: series[0].Currency, basis: series[0].Basis}
	var end time.Time
	for _, s := range series {
		if s.Start.Before(c.start) {
			c.start = s.Start
		}
		if day := s.Day(min(s.Final, len(s.Values))); day.After(end) {
			end = day
		}
	}
	c.final = max(0, cost.Period{Start: c.start, End: end}.Len())
	for i, s := range series {
		values := make([]float64, c.final)
		offset := cost.Period{Start: c.start, End: s.Start}.Len()
		for j := range values {
			values[j] = math.NaN()
			if k := j - offset; k >= 0 && k < min(s.Final, len(s.Values)) && !math.IsInf(s.Values[k], 0) {
				values[j] = s.Values[k]
			}
		}
		c.leaves = append(c.leaves, &node{scope: s.Scope, leaves: []int{i}, path: &path{values: values}})
	}
	c.group()
	return c
}

// group finds the scopes of every level.
func (c *cube) group() {
	bySet := map[string]*node{}
	for _, dims := range levels {
		for _, n := range c.cut(dims) {
			bySet[key(n.leaves)] = n // later levels are narrower
		}
	}
	for _, leaf := range c.leaves {
		bySet[key(leaf.leaves)] = leaf
	}
	c.nodes = slices.SortedFunc(maps.Values(bySet), func(a, b *node) int {
		if d := len(b.leaves) - len(a.leaves); d != 0 {
			return d
		}
		return slices.Compare(a.leaves, b.leaves)
	})
}

// cut sums the leaves by some dimensions.
func (c *cube) cut(dims []cost.Dimension) []*node {
	found := map[string]*node{}
	for i, leaf := range c.leaves {
		scope := cost.Scope{}
		for _, d := range dims {
			v, ok := leaf.scope[d]
			if !ok {
				return nil // the leaves are not cut this fine
			}
			scope[d] = v
		}
		for d, v := range leaf.scope { // what all leaves have in common: a tag that the whole analysis is about
			if !slices.Contains(levels[len(levels)-1], d) {
				scope[d] = v
			}
		}
		k := scope.String()
		if found[k] == nil {
			found[k] = &node{scope: scope}
		}
		found[k].leaves = append(found[k].leaves, i)
	}
	return slices.Collect(maps.Values(found))
}

// scan walks over every node, as many at a time as there are processors. No walk depends on another.
func (c *cube) scan(o Options) {
	l := o.limits().among(len(c.nodes))
	paths := make([]*path, len(c.nodes)) // set at the end, for the sums are taken of the paths that are there
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(len(c.nodes), runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(c.nodes); i = int(next.Add(1)) - 1 {
				n := c.nodes[i]
				paths[i] = scan(c.sum(n.leaves), c.start, c.final, l.patient(o.patience(n.scope)), o.Calendar)
			}
		})
	}
	all.Wait()
	for i, n := range c.nodes {
		n.path = paths[i]
	}
}

// sum adds leaves up. A day that one of them does not know is unknown.
func (c *cube) sum(leaves []int) []float64 {
	out := make([]float64, c.final)
	for _, i := range leaves {
		for t, v := range c.leaves[i].path.values {
			out[t] += v
		}
	}
	return out
}

// key names a set of leaves.
func key(leaves []int) string {
	b := make([]byte, 0, 4*len(leaves))
	for _, i := range leaves {
		b = append(b, byte(i>>24), byte(i>>16), byte(i>>8), byte(i))
	}
	return string(b)
}
