package recommend

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/plan"
)

// Options narrow what is generated.
type Options struct {
	Rules     []string         // names; empty: all
	MinSaving *decimal.Decimal // a month, per recommendation, in the currency of the bill; nil: DefaultMinSaving
}

// Result is what a generation found. No target is in two recommendations, so savings may be added up.
type Result struct {
	Recommendations []Recommendation `json:"recommendations"` // the highest score first
	Rejected        []Rejected       `json:"rejected"`        // by resource and rule
}

// Generate judges every resource by every rule, keeps of conflicting changes those that together save most, and plans, prices
// and scores the rest. The answer depends on the facts alone.
func Generate(f Facts, o Options) Result {
	e := &estate{Facts: f, book: newPriceBook(f.Cloud, f.Prices)}
	var out Result
	found := map[string][]*candidate{} // by target id
	for _, r := range f.Resources {
		for i := range Rules {
			rule := &Rules[i]
			if len(o.Rules) > 0 && !slices.Contains(o.Rules, rule.Name) {
				continue
			}
			c, refusal := e.consider(rule, r)
			if refusal != "" {
				out.Rejected = append(out.Rejected, Rejected{Rule: rule.Name, Ref: r.Ref, Reason: refusal})
			} else if c != nil {
				found[r.ID] = append(found[r.ID], c)
			}
		}
	}
	kept, beaten := resolve(found)
	out.Rejected = append(out.Rejected, beaten...)
	for _, group := range grouped(kept) {
		rec := e.recommendation(group)
		least := DefaultMinSaving(rec.Saving.Monthly.Currency)
		if o.MinSaving != nil {
			least = *o.MinSaving
		}
		if rec.Saving.Monthly.Amount.LessThan(least) {
			reason := fmt.Sprintf("It would save %s a month, less than the minimum of %s.", rec.Saving.Monthly, least.StringFixed(2))
			for _, c := range group {
				out.Rejected = append(out.Rejected, Rejected{Rule: c.rule.Name, Ref: c.resource.Ref, Reason: reason})
			}
			continue
		}
		out.Recommendations = append(out.Recommendations, rec)
	}
	Sort(out.Recommendations)
	slices.SortFunc(out.Rejected, func(a, b Rejected) int {
		return cmp.Or(cmp.Compare(a.Ref.ID, b.Ref.ID), cmp.Compare(a.Rule, b.Rule))
	})
	return out
}

// Sort orders by score, then by saving, then by id.
func Sort(recs []Recommendation) {
	slices.SortFunc(recs, func(a, b Recommendation) int {
		return cmp.Or(cmp.Compare(b.Score.Total, a.Score.Total), b.Saving.Monthly.Amount.Cmp(a.Saving.Monthly.Amount), cmp.Compare(a.ID, b.ID))
	})
}

// consider lets one rule judge one resource and checks what it proposes.
func (e *estate) consider(rule *Rule, r Observed) (*candidate, string) {
	c, refusal := rule.judge(e, r)
	if reason := unsupported[r.Cloud][rule.Action]; reason != "" && (c != nil || refusal != "") {
		return nil, reason
	}
	if c == nil {
		return nil, refusal
	}
	c.rule = rule
	if execution, held := e.Executing[r.ID]; held {
		return nil, "The execution " + execution + " is changing it; what is left to save is judged when that has ended."
	}
	if refusal := c.validate(); refusal != "" {
		return nil, refusal
	}
	return c, ""
}

// resolve decides between changes of the same target. Changes of different targets never conflict, so taking the one that
// saves most on each target gives the best compatible set.
func resolve(found map[string][]*candidate) (kept []*candidate, beaten []Rejected) {
	for _, id := range slices.Sorted(maps.Keys(found)) {
		best := found[id][0]
		for _, c := range found[id][1:] {
			if c.saving.Amount.GreaterThan(best.saving.Amount) {
				best = c
			}
		}
		kept = append(kept, best)
		for _, c := range found[id] {
			if c != best {
				beaten = append(beaten, Rejected{Rule: c.rule.Name, Ref: c.resource.Ref, Reason: fmt.Sprintf(
					"The rule %s saves more on the same target: %s a month instead of %s.", best.rule.Name, best.saving, c.saving)})
			}
		}
	}
	return kept, beaten
}

// grouped puts like candidates together, each group in the order of target ids.
func grouped(kept []*candidate) [][]*candidate {
	groups := map[string][]*candidate{}
	for _, c := range kept {
		key := c.rule.Name + "\x00" + string(c.saving.Currency) + "\x00"
		if c.rule.together != nil {
			key += c.rule.together(c)
		} else {
			key += c.resource.ID
		}
		groups[key] = append(groups[key], c)
	}
	out := make([][]*candidate, 0, len(groups))
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, groups[key])
	}
	return out
}

// recommendation plans, prices, scores and words a group.
func (e *estate) recommendation(group []*candidate) Recommendation {
	rule, first := group[0].rule, group[0]
	p := plan.Plan{Cloud: e.Cloud, Action: rule.Action}
	sum, source := decimal.Zero, FromBill
	for _, c := range group {
		p.Targets = append(p.Targets, c.target)
		sum = sum.Add(c.saving.Amount)
		if c.source != FromBill {
			source = FromPriceList
		}
	}
	learned, ok := e.Calibration[rule.Action]
	if !ok {
		learned = Uncalibrated
	}
	estimate := effective(sum.Round(2), first.saving.Currency)
	monthly := estimate
	if learned.Executions > 0 {
		monthly = estimate.Mul(exact(learned.SavingsRatio)).Round(2)
	}
	title, description := rule.tell(group)
	id, cautions := identity(rule.Name, e.Connection, p.Targets), warnings(group)
	failed, once := e.RolledBack[id]
	if once {
		cautions = append([]string{fmt.Sprintf("An execution of it was rolled back on %s.", failed.Format(time.DateOnly))}, cautions...)
	}
	return Recommendation{
		ID: id, Rule: rule.Name, Subcategory: rule.Subcategory, Title: title, Description: description,
		Connection: e.Connection, Cloud: e.Cloud, Plan: p, PlanHash: p.Hash(), Status: Open, CreatedAt: e.Now, UpdatedAt: e.Now,
		Saving:   Saving{Monthly: monthly, Source: source, Uncalibrated: estimate, CalibrationVersion: learned.Version},
		Score:    score(group, monthly, learned, once),
		Evidence: evidence(group), Warnings: cautions,
	}
}

// identity names the same rule on the same targets of the same connection.
func identity(rule, connection string, targets []plan.Target) string {
	ids := make([]string, len(targets))
	for i, t := range targets {
		ids[i] = t.Ref.ID
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(rule + "\x00" + connection + "\x00" + strings.Join(ids, "\x00")))
	return "rec-" + hex.EncodeToString(sum[:10])
}

// evidence shows the largest of each figure over the targets, and what the targets cost.
func evidence(group []*candidate) []Evidence {
	var out []Evidence
	for i, m := range group[0].measures {
		for _, c := range group[1:] {
			if i < len(c.measures) && c.measures[i].name == m.name {
				m.value = max(m.value, c.measures[i].value)
			}
		}
		value := strconv.FormatFloat(m.value, 'f', precision(m), 64)
		out = append(out, Evidence{Name: m.name, Value: value, Text: fmt.Sprintf(m.text, value+" "+m.unit)})
	}
	sum := decimal.Zero
	for _, c := range group {
		sum = sum.Add(c.cost.Amount)
	}
	now := effective(sum.Round(2), group[0].cost.Currency)
	return append(out, Evidence{Name: "monthly cost", Value: now.Amount.StringFixed(2),
		Text: fmt.Sprintf("What is changed costs %s a month now.", now)})
}

// precision shows money with cents, and other figures with a decimal where it tells something.
func precision(m measure) int {
	switch {
	case cost.Currency(m.unit).Valid():
		return 2
	case m.value >= 100 || math.Abs(m.value-math.Round(m.value)) < 0.05:
		return 0
	}
	return 1
}

func warnings(group []*candidate) []string {
	seen := map[string]bool{}
	for _, c := range group {
		for _, w := range c.warnings {
			seen[w] = true
		}
	}
	return sortedKeys(seen)
}

func sortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// Totals adds up what recommendations would save, by currency.
func Totals(recs []Recommendation) []cost.Money {
	sums := map[cost.Currency]decimal.Decimal{}
	for _, r := range recs {
		sums[r.Saving.Monthly.Currency] = sums[r.Saving.Monthly.Currency].Add(r.Saving.Monthly.Amount)
	}
	out := make([]cost.Money, 0, len(sums))
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, effective(sums[currency], currency))
	}
	return out
}
