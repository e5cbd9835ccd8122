package demo

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/learn"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// Changed is the estate before and after one execution, and what was really done to it in between.
type Changed struct {
	Execution     api.Execution
	Before, After []resource.Resource
	Mutations     []sandbox.Mutation
}

// Completed holds a completed execution to its plan: exactly the planned targets changed, as planned.
func (c *Checks) Completed(ch Changed) {
	name := "completed: " + ch.Execution.Recommendation
	c.Hold(ch.Execution.Status == rollout.Completed, name, "it is %s: %s", ch.Execution.Status, ch.Execution.Reason)
	planned := map[string]bool{}
	wrong := []string{}
	after := byID(ch.After)
	for _, t := range ch.Execution.Plan.Targets {
		planned[t.Ref.ID] = true
		for attribute, want := range t.After {
			if got := after[t.Ref.ID].Attributes[attribute]; got != want {
				wrong = append(wrong, fmt.Sprintf("%s: %s is %q, planned %q", t.Ref.ID, attribute, got, want))
			}
		}
	}
	c.Hold(len(wrong) == 0, "every planned target is as planned", "%v", wrong)
	touched := map[string]bool{}
	for _, m := range ch.Mutations {
		touched[m.Ref.ID] = true
	}
	c.Hold(reflect.DeepEqual(touched, planned), "no other target was touched", "changed %d, planned %d", len(touched), len(planned))
	c.Hold(slices.Equal(differing(ch.Before, ch.After), sortedIDs(planned)), "the estate differs in the planned targets only", "it differs in %v", differing(ch.Before, ch.After))
	c.Hold(once(ch.Mutations), "no target was changed twice", "%d changes", len(ch.Mutations))
	c.Hold(phases(ch.Execution, 10, 50, 100), "the phases were 10 %, 50 % and 100 %, each judged healthy", "%v", ch.Execution.Phases)
}

// RolledBack holds an execution that was rolled back to the estate before it.
func (c *Checks) RolledBack(ch Changed) {
	name := "rolled back: " + ch.Execution.Recommendation
	c.Hold(ch.Execution.Status == rollout.RolledBack && ch.Execution.Reason != "", name, "it is %s: %s", ch.Execution.Status, ch.Execution.Reason)
	c.Hold(len(ch.Mutations) > 0, "it had really begun", "nothing was ever changed")
	c.Hold(len(differing(ch.Before, ch.After)) == 0, "every target is as captured again", "it differs in %v", differing(ch.Before, ch.After))
}

// Saved holds an outcome to what the estate's bills would have been.
func (c *Checks) Saved(o learn.Outcome, truth decimal.Decimal) {
	if !o.Completed {
		c.Hold(o.Realised != nil && truth.Abs().LessThan(decimal.NewFromInt(5)) && o.Realised.Amount.Amount.Abs().LessThan(decimal.NewFromInt(25)),
			"a rollback saves nothing, and says so", "outcome %+v, truly %s", o.Realised, truth)
		return
	}
	if o.Realised == nil {
		c.Hold(false, "realised saving is known", "outcome is %s after %d days", o.State, o.Days)
		return
	}
	c.Close(o.Realised.Amount.Amount, truth, 0.03, fmt.Sprintf("realised saving over %d days", o.Days))
	c.Hold(!truth.LessThan(o.Realised.Low.Amount.Sub(decimal.NewFromInt(1))) && !truth.GreaterThan(o.Realised.High.Amount.Add(decimal.NewFromInt(1))), "the true saving lies in the stated interval",
		"%s is not between %s and %s", truth.StringFixed(2), o.Realised.Low, o.Realised.High)
}

func byID(all []resource.Resource) map[string]resource.Resource {
	out := make(map[string]resource.Resource, len(all))
	for _, r := range all {
		out[r.ID] = r
	}
	return out
}

// differing lists the ids of what is not the same in both, ordered.
func differing(a, b []resource.Resource) []string {
	before, after := byID(a), byID(b)
	out := map[string]bool{}
	for id, r := range before {
		if !reflect.DeepEqual(r, after[id]) {
			out[id] = true
		}
	}
	for id := range after {
		if _, ok := before[id]; !ok {
			out[id] = true
		}
	}
	return sortedIDs(out)
}

func sortedIDs(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for id := range set {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// once reports whether no step was done twice to the same target.
func once(all []sandbox.Mutation) bool {
	seen := map[string]bool{}
	for _, m := range all {
		key := m.Ref.ID + "/" + m.Step
		if seen[key] {
			return false
		}
		seen[key] = true
	}
	return true
}

func phases(e api.Execution, percents ...int) bool {
	if len(e.Phases) != len(percents) {
		return false
	}
	for i, p := range e.Phases {
		if p.Percent != percents[i] || p.Verdict != rollout.Healthy {
			return false
		}
	}
	return true
}
