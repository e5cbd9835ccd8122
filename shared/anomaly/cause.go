package anomaly

import (
	"cmp"
	"math"
	"slices"
)

// group is the runs that have one cause.
type group struct {
	root            *node
	seed            *run // the run that gave it away
	start, detected int
	runs            []*run  // of the root, and of what it explains
	others          []*node // explain it next best
}

// event is the beginning of a run.
type event struct {
	node *node
	run  *run
}

// gather sorts the runs of all scopes into groups in the order in which they were detected, so that days which come later
// change nothing about a group's cause and first day.
func (c *cube) gather() []*group {
	var events []event
	for _, n := range c.nodes {
		for _, r := range n.path.runs {
			events = append(events, event{n, r})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.run.detected, b.run.detected), cmp.Compare(b.run.score, a.run.score))
	})
	var groups []*group
	for _, e := range events {
		if g := c.owner(groups, e); g != nil {
			g.runs = append(g.runs, e.run)
			continue
		}
		g := c.found(e)
		// Two scopes may give the same cause away on the same day.
		if i := slices.IndexFunc(groups, func(o *group) bool { return o.root == g.root && o.start == g.start }); i >= 0 {
			groups[i].runs = append(groups[i].runs, e.run)
			continue
		}
		groups = append(groups, g)
	}
	return groups
}

// found starts a group: the scope that best explains the deviation is its root.
func (c *cube) found(e event) *group {
	ranked := c.rank(e)
	g := &group{root: ranked[0], others: ranked[1:min(3, len(ranked))], seed: e.run, start: e.run.start, detected: e.run.detected, runs: []*run{e.run}}
	for _, r := range g.root.path.runs { // the root knows best when it began, if it saw it the same day
		if r.detected == e.run.detected && r.sign == e.run.sign {
			g.start = r.start
		}
	}
	return g
}

// rank orders the scopes that share leaves with the event by how well "these leaves all moved by the same ratio, and no
// others moved" explains the leaves' residuals: the gain in log-likelihood of that model over no change, a matched filter.
// It is the ripple effect of Squeeze (Li et al., ISSRE 2019) with the noise of each leaf taken into account.
func (c *cube) rank(e event) []*node {
	gains := map[*node]float64{}
	var nodes []*node
	least := 0.6 * e.node.ratio(e.run)
	for _, n := range c.nodes {
		// What moved much less than the scope that gave it away only contains the cause.
		if !overlap(n.leaves, e.node.leaves) || n.ratio(e.run) < least {
			continue
		}
		gains[n] = c.gain(n.leaves, e.run.start, e.run.detected, e.run.sign)
		nodes = append(nodes, n)
	}
	slices.SortStableFunc(nodes, func(a, b *node) int { return cmp.Compare(gains[b], gains[a]) })
	if len(nodes) == 0 || gains[nodes[0]] <= 0 {
		return []*node{e.node}
	}
	return nodes
}

// ratio is by which part of its usual cost a scope moved in the direction of a run.
func (n *node) ratio(r *run) float64 {
	moved, usual, _ := n.path.news(r.start, r.detected)
	return r.sign * moved / max(math.Abs(usual), 0.01*math.Abs(moved), 1e-12)
}

func (c *cube) gain(leaves []int, from, to int, direction float64) float64 {
	var product, square float64
	for _, i := range leaves {
		p := c.leaves[i].path
		moved, usual, sigma := p.news(from, to)
		template := max(math.Abs(usual), 0.02*math.Abs(moved))
		if template < 0.05*math.Abs(moved) {
			template = math.Abs(moved)
		}
		weight := 1 / (sigma*sigma + 0.05*0.05*template*template + 1e-12)
		product += direction * moved * template * weight
		square += template * template * weight
	}
	if product <= 0 || square == 0 {
		return 0
	}
	return product * product / square
}

// news is mean without what was going on already: the deviation of the week before, where there clearly was one.
func (p *path) news(from, to int) (moved, usual, sigma float64) {
	moved, usual, sigma = p.mean(from, to)
	before, _, spread := p.mean(max(0, from-week), from-1)
	eve, _, noise := p.mean(max(0, from-2), from-1)
	if math.Abs(before) > 3*spread && eve*sign(before) > 2*noise {
		moved -= before
		usual += before
	}
	return moved, usual, sigma
}

// week is how far back news looks.
const week = 7

// mean is the mean deviation, usual cost and spread of the mean over the days from..to.
func (p *path) mean(from, to int) (moved, usual, sigma float64) {
	n := 0.0
	for t := from; t <= to; t++ {
		if math.IsNaN(p.values[t]) || math.IsNaN(p.expected[t]) {
			continue
		}
		moved += p.values[t] - p.expected[t]
		usual += p.expected[t]
		sigma += p.sigma[t]
		n++
	}
	if n == 0 {
		return 0, 0, 0
	}
	return moved / n, usual / n, sigma / n / math.Pow(n, 0.4)
}

// owner finds the group that explains an event: most of what the event's scope moved lies in leaves of the group, or the
// event is the way back.
func (c *cube) owner(groups []*group, e event) *group {
	for i := len(groups) - 1; i >= 0; i-- {
		g := groups[i]
		end := g.end(e.run.detected)
		if e.run.start > end+quietDays+1 || !overlap(g.root.leaves, e.node.leaves) {
			continue
		}
		back := e.run.sign != g.seed.sign && e.run.start >= end-1
		if back || e.run.sign == g.seed.sign && c.explained(g, e) >= 0.5 {
			return g
		}
	}
	return nil
}

// end is the first day after all runs of the group, as far as it was known on a day. A run that became the usual level
// explains nothing that begins later.
func (g *group) end(known int) int {
	end := 0
	for _, r := range g.runs {
		switch {
		case r.shifted && r.start+acceptAfter <= known:
			end = max(end, r.start+acceptAfter)
		case r.shifted, r.end == 0, r.end+quietDays-1 > known:
			return math.MaxInt32
		default:
			end = max(end, r.end)
		}
	}
	return end
}

// explained is the share of an event's deviation that lies in leaves of the group. Of an event that began after the group was
// known, it is no more than the rest of the group moved by in proportion: a wide incident that goes on for weeks does not
// explain a part of it that now goes much farther.
func (c *cube) explained(g *group, e event) float64 {
	var inside, usual, all float64
	for _, i := range e.node.leaves {
		moved, cost, _ := c.leaves[i].path.news(e.run.start, e.run.detected)
		all += moved
		if _, ok := slices.BinarySearch(g.root.leaves, i); ok {
			inside += moved
			usual += cost
		}
	}
	if all*e.run.sign <= 0 {
		return 0
	}
	if e.run.start > g.detected {
		if ratio, ok := c.rest(g, e); ok {
			inside = e.run.sign * min(e.run.sign*inside, max(0, e.run.sign*ratio*usual))
		}
	}
	return inside / all
}

// rest is by which part of its usual cost the group's scope moved on an event's days without the event's leaves; not ok where
// nothing is left.
func (c *cube) rest(g *group, e event) (ratio float64, ok bool) {
	var moved, usual float64
	for _, i := range g.root.leaves {
		if _, own := slices.BinarySearch(e.node.leaves, i); own {
			continue
		}
		m, u, _ := c.leaves[i].path.mean(e.run.start, e.run.detected)
		moved, usual, ok = moved+m, usual+u, true
	}
	return moved / max(math.Abs(usual), 1e-12), ok
}

func overlap(a, b []int) bool {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			return true
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return false
}
