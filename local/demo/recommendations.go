package demo

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// monthOfDays turns a day's saving into that of the 730 hours which estimates stand for.
var monthOfDays = decimal.NewFromInt(730).Div(decimal.NewFromInt(24))

// fragile is the one trap that utilisation cannot tell: it is what the rollout is for.
const fragile = "fragile-checkout"

// hot is a trap with a way out: with enough provisioned IOPS a part of the saving is real.
const hot = "hot-volume"

// Recommendations holds the first generation to what is wasted in truth: every fix found with its targets and what it saves,
// and nothing recommended that would do harm, except what only an execution can show.
func (c *Checks) Recommendations(all []recommend.Recommendation, truth sandbox.Truth) {
	for _, f := range truth.Fixes {
		found := covering(all, f)
		ok := len(found) > 0
		saving := decimal.Zero
		for _, r := range found {
			saving = saving.Add(r.Saving.Monthly.Amount)
		}
		c.Hold(ok, "recommended: "+f.ID, "nothing recommended covers its %d targets", len(f.Targets))
		if ok {
			c.Close(saving, f.Daily.Mul(monthOfDays), 0.03, "monthly saving of "+f.ID)
		}
	}
	for _, trap := range truth.Traps {
		if trap.ID == fragile {
			continue
		}
		wrong := touching(all, trap)
		c.Hold(len(wrong) == 0, "not recommended: "+trap.ID, "recommended all the same: %v", titles(wrong))
	}
	c.Hold(noTargetTwice(all), "no dollar is counted twice", "a target stands in two recommendations")
}

// covering lists the recommendations that together hold exactly the targets of the fix, or nothing.
func covering(all []recommend.Recommendation, f sandbox.Fix) []recommend.Recommendation {
	var out []recommend.Recommendation
	n := 0
	for _, r := range all {
		if r.Plan.Action != f.Action || !slices.ContainsFunc(r.Plan.Targets, func(t plan.Target) bool { return slices.Contains(f.Targets, t.Ref) }) {
			continue
		}
		for _, t := range r.Plan.Targets {
			if !slices.Contains(f.Targets, t.Ref) || !reaches(t.After, f.To) {
				return nil
			}
			n++
		}
		out = append(out, r)
	}
	if n != len(f.Targets) {
		return nil
	}
	return out
}

// reaches reports whether a state has at least what the fix needs and is of the kind it names.
func reaches(after, to plan.State) bool {
	for name, want := range to {
		got, err := decimal.NewFromString(after[name])
		least, errWant := decimal.NewFromString(want)
		if err == nil && errWant == nil {
			if got.LessThan(least) {
				return false
			}
			continue
		}
		if after[name] != want {
			return false
		}
	}
	return true
}

// touching lists the recommendations that would walk into the trap.
func touching(all []recommend.Recommendation, trap sandbox.Trap) []recommend.Recommendation {
	var out []recommend.Recommendation
	for _, r := range all {
		for _, t := range r.Plan.Targets {
			if slices.Contains(trap.Targets, t.Ref) && r.Plan.Action == trap.Action && (trap.ID != hot || !provisioned(t)) {
				out = append(out, r)
				break
			}
		}
	}
	return out
}

// provisioned reports whether the change gives the hot volume the IOPS it needs.
func provisioned(t plan.Target) bool {
	iops, err := decimal.NewFromString(t.After[resource.AttrIOPS])
	return err == nil && iops.GreaterThanOrEqual(decimal.NewFromInt(5500))
}

func titles(all []recommend.Recommendation) []string {
	out := make([]string, 0, len(all))
	for _, r := range all {
		out = append(out, r.Title)
	}
	return out
}

func noTargetTwice(all []recommend.Recommendation) bool {
	seen := map[resource.Ref]bool{}
	for _, r := range all {
		for _, t := range r.Plan.Targets {
			if seen[t.Ref] {
				return false
			}
			seen[t.Ref] = true
		}
	}
	return true
}
