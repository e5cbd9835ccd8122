package anomaly

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Detect finds the incidents in the final days of the leaves, newest first. The scope of a leaf fixes its provider, account,
// service and region, or the first few of these. Leaves of different currencies or bases are judged apart.
func Detect(leaves []cost.Series, o Options) []Incident {
	type unit struct {
		currency cost.Currency
		basis    cost.Basis
	}
	var order []unit
	byUnit := map[unit][]cost.Series{}
	leaves = slices.Clone(leaves)
	slices.SortStableFunc(leaves, func(a, b cost.Series) int { return cmp.Compare(a.Scope.String(), b.Scope.String()) }) // sums depend on it
	for _, s := range leaves {
		u := unit{s.Currency, s.Basis}
		if byUnit[u] == nil {
			order = append(order, u)
		}
		byUnit[u] = append(byUnit[u], s)
	}
	var out []Incident
	for _, u := range order {
		out = append(out, detect(byUnit[u], o)...)
	}
	slices.SortStableFunc(out, func(a, b Incident) int {
		return cmp.Or(b.Detected.Compare(a.Detected), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func detect(leaves []cost.Series, o Options) []Incident {
	c := newCube(leaves)
	c.scan(o)
	whole := c.whole()
	var out []Incident
	for _, g := range c.gather() {
		i := c.incident(g, daily(whole, g.detected))
		if i.Open() || i.End.After(o.Since) {
			out = append(out, i)
		}
	}
	return out
}

// incident tells what a group of runs means.
func (c *cube) incident(g *group, daily float64) Incident {
	until, ended := c.span(g)
	actual, expected := g.root.path.span(g.start, until)
	i := Incident{
		ID: identify(g.root.scope, c.currency, c.basis, c.day(g.start)), Scope: g.root.scope,
		Start: c.day(g.start), Detected: c.day(g.detected), Until: c.day(until),
		Actual: c.money(sum(actual)), Expected: c.money(sum(expected)),
		Confidence: math.Exp(-365 * g.seed.tail),
	}
	i.Impact = c.money(i.Actual.Float() - i.Expected.Float())
	if ended {
		i.End = c.day(until)
	}
	i.Kind = kindOf(actual, expected, g.seed.sign, ended)
	i.Severity = severity(i, daily)
	i.Causes = c.causes(g, until)
	for _, n := range g.others {
		i.Alternatives = append(i.Alternatives, n.scope)
	}
	i.Summary = summarise(i)
	return i
}

// span is the day after the last one that the incident counts, and whether it has ended: by the root's own run where it
// has one, else by the run that gave it away.
func (c *cube) span(g *group) (until int, ended bool) {
	lead := g.seed
	for _, r := range g.root.path.runs {
		if r.sign == g.seed.sign && r.start <= g.detected+quietDays && (r.end == 0 || r.end >= g.detected) {
			lead = r
			break
		}
	}
	if lead.end > g.detected {
		return lead.end, true
	}
	if lead.end > 0 {
		return g.detected + 1, true
	}
	return c.final, false
}

func (c *cube) day(i int) time.Time { return c.start.AddDate(0, 0, i) }

func (c *cube) money(amount float64) cost.Money {
	return cost.Money{Amount: decimal.NewFromFloat(amount).Round(2), Currency: c.currency, Basis: c.basis}
}

// whole is the cost of the whole bill by day.
func (c *cube) whole() []float64 {
	all := make([]int, len(c.leaves))
	for i := range all {
		all[i] = i
	}
	return c.sum(all)
}

// daily is what a day of the whole bill cost in the month up to the given day. Later days do not count: they would change how
// severe an incident was that is long over.
func daily(whole []float64, day int) float64 {
	known := slices.DeleteFunc(slices.Clone(last(whole[:day+1], 30)), math.IsNaN)
	return math.Abs(mean(known))
}

func sum(v []float64) float64 {
	total := 0.0
	for _, x := range v {
		total += x
	}
	return total
}

// severity weighs the money moved so far against a day of the whole bill. A fall is less urgent than a rise, and so is a
// change that could well be chance.
func severity(i Incident, daily float64) Severity {
	days := math.Abs(i.Impact.Float()) / max(daily, 1e-9)
	rank := 0
	for _, step := range []float64{0.05, 0.25, 1} {
		if days >= step {
			rank++
		}
	}
	if i.Impact.Amount.IsNegative() {
		rank--
	}
	if i.Confidence < 0.8 {
		rank--
	}
	return Severities[max(0, rank)]
}

// causes splits the impact among the leaves, the largest shares first.
func (c *cube) causes(g *group, until int) []Cause {
	const most = 5
	moved := map[int]float64{}
	total := 0.0
	for _, i := range g.root.leaves {
		p := c.leaves[i].path
		for t := g.start; t < until; t++ {
			if d := p.values[t] - p.expected[t]; !math.IsNaN(d) {
				moved[i] += d
				total += d
			}
		}
	}
	if total == 0 {
		return []Cause{{Scope: g.root.scope, Share: 1}}
	}
	var out []Cause
	for _, i := range g.root.leaves {
		if share := moved[i] / total; math.Abs(share) >= 0.01 {
			out = append(out, Cause{Scope: c.leaves[i].scope, Share: math.Round(share*1e4) / 1e4})
		}
	}
	slices.SortStableFunc(out, func(a, b Cause) int { return cmp.Compare(b.Share, a.Share) })
	return out[:min(most, len(out))]
}
