package recommend

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Rule is one way to spend less: data about the change it proposes and a small function that judges one resource.
type Rule struct {
	Name        string
	Subcategory string // FOCUS recommendation draft
	Action      plan.Action
	Effort      Rating // how easily it is done
	Undo        Rating // how well it can be undone
	Disturbance float64
	// judge gives a candidate, or the reason why there is none; neither when the rule does not concern the resource.
	judge func(e *estate, r Observed) (*candidate, string)
	// tell words the recommendation for like candidates.
	tell func(group []*candidate) (title, description string)
	// together says which candidates become one recommendation; nil: each stands for itself.
	together func(c *candidate) string
}

// Rating is a share of the best, with the sentence that explains it.
type Rating struct {
	Share float64 // 0..1, 1 is best
	Text  string
}

// Rules are all rules; of two that save the same on one target the earlier one wins.
var Rules = []Rule{idleVolume, rightSize, volumeType}

// unsupported lists what a cloud cannot do, with the reason as it is told.
var unsupported = map[resource.Cloud]map[plan.Action]string{
	resource.Vultr: {plan.ResizeInstance: "Vultr cannot make an instance smaller. A smaller one has to be created and the service moved to it by hand."},
}

// candidate is a change of one target that a rule found worthwhile.
type candidate struct {
	rule     *Rule
	resource Observed
	target   plan.Target
	cost     cost.Money // a month as it is
	saving   cost.Money // a month, before calibration
	source   Source
	measures []measure
	warnings []string
	load     *float64 // highest share of capacity in use after the change, percent; nil when nothing uses it
	days     int      // that were observed
	doubts   []string // what is not known about it, each a reason for less confidence
}

// measure is a figure that a judgement rests on; of like candidates the largest is shown.
type measure struct {
	name  string
	value float64
	unit  string
	text  string // a sentence with one %s for value and unit
}

// estate is the facts made ready for looking things up.
type estate struct {
	Facts
	book priceBook
}

// before is the state of the resource that the action is concerned with.
func before(a plan.Action, r Observed) plan.State { return plan.Pick(a, r.Attributes) }

// becoming is the state with some attributes changed.
func becoming(s plan.State, set map[string]string) plan.State {
	out := maps.Clone(s)
	maps.Copy(out, set)
	return out
}

// daysSince is the number of whole days from t to now.
func (e *estate) daysSince(t time.Time) int { return int(e.Now.Sub(t) / (24 * time.Hour)) }

// usage finds how a metric of a resource was distributed.
func (e *estate) usage(id string, m resource.Metric) (Stats, bool) {
	s, ok := e.Usage[id][m]
	return s, ok
}

// validate refuses what must not or cannot be done, whatever it would save.
func (c *candidate) validate() string {
	action := c.rule.Action
	if plan.Protected(c.resource.Tags) {
		return "It carries the tag " + plan.ProtectedTag + "."
	}
	if c.target.Before.Equal(c.target.After) {
		return "It is already as it should be."
	}
	for name := range c.target.After {
		if _, ok := c.resource.Attributes[name]; !ok && needed(action, name) {
			return "The inventory does not tell its " + name + ", so its state cannot be restored."
		}
	}
	if !c.saving.Amount.IsPositive() {
		return "The change would save nothing."
	}
	if c.saving.Amount.GreaterThan(c.cost.Amount) {
		return "The saving would be larger than the cost, so a price must be wrong."
	}
	return ""
}

// needed names the attributes without which an action cannot be undone.
func needed(a plan.Action, attribute string) bool {
	switch a {
	case plan.ResizeInstance:
		return attribute == resource.AttrSize || attribute == resource.AttrState
	case plan.ChangeVolumeType:
		return attribute == resource.AttrVolumeType
	case plan.ArchiveVolume:
		return attribute == resource.AttrState || attribute == resource.AttrGiB || attribute == resource.AttrVolumeType
	}
	return true
}

// RuleNames checks the names of rules; none at all means all rules. An unknown one is fault.Invalid.
func RuleNames(names []string) ([]string, error) {
	known := make([]string, len(Rules))
	for i, r := range Rules {
		known[i] = r.Name
	}
	if len(names) == 0 {
		return known, nil
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fault.Input("rules", name, "is no rule; there are %s", strings.Join(known, ", "))
		}
	}
	return names, nil
}
