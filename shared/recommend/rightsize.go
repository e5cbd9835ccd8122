package recommend

import (
	"fmt"
	"strings"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	fullLoad   = 80.0 // percent that the 99th percentile of processor and memory may reach after the change
	mostSteps  = 2    // sizes down at once
	alwaysOn   = 0.9  // share of the time from which on an instance counts as always running
	notCounted = 0.0
)

// rightSize finds instances whose load the next sizes down in their family would carry.
var rightSize = Rule{
	Name: "right-size", Subcategory: "Rightsizing", Action: plan.ResizeInstance,
	Effort:      Rating{0.6, "Each instance is stopped, resized and started again."},
	Undo:        Rating{0.9, "It can be undone: the instance goes back to its size, with another restart."},
	Disturbance: 0.3,
	judge:       judgeRightSize,
	tell: func(group []*candidate) (string, string) {
		first := group[0]
		from, to := first.target.Before[resource.AttrSize], first.target.After[resource.AttrSize]
		return fmt.Sprintf("Resize %s from %s to %s", described(group, "instance"), from, to),
			fmt.Sprintf("%s is larger than the load of the last weeks needs. %s carries it with room to spare.", from, to)
	},
	together: func(c *candidate) string {
		return togetherness(c, c.target.Before[resource.AttrSize], c.target.After[resource.AttrSize])
	},
}

// togetherness is the same for candidates that can be rolled out as one: of one application in one place and environment,
// with the same change.
func togetherness(c *candidate, change ...string) string {
	r := c.resource
	return strings.Join(append([]string{r.Tags["application"], r.Tags["environment"], r.Account, r.Region}, change...), "\x00")
}

// described is "12 instances of storefront in us-east-1", or the name of a single one.
func described(group []*candidate, noun string) string {
	r := group[0].resource
	if len(group) == 1 {
		return fmt.Sprintf("the %s %s in %s", noun, nameOf(r), r.Region)
	}
	if app := r.Tags["application"]; app != "" {
		return fmt.Sprintf("%d %ss of %s in %s", len(group), noun, app, r.Region)
	}
	return fmt.Sprintf("%d %ss in %s", len(group), noun, r.Region)
}

func judgeRightSize(e *estate, r Observed) (*candidate, string) {
	if r.Type != resource.Instance {
		return nil, ""
	}
	if state := r.Attributes[resource.AttrState]; state != "running" {
		return nil, fmt.Sprintf("It is %s, not running, so its load cannot be judged and its state would change under the plan.", state)
	}
	now, ok := e.book.sizeOf(r.Region, r.Attributes[resource.AttrSize], variantOf(r.Attributes), r.Attributes)
	if !ok {
		with := ""
		if now.variant != "" {
			with = " with " + now.variant
		}
		return nil, fmt.Sprintf("The price of its size %q%s in %s is not known.", now.name, with, r.Region)
	}
	if now.vcpu == 0 {
		return nil, fmt.Sprintf("How many processors its size %s has is not known.", now.name)
	}
	use, refusal := e.instanceLoad(r)
	if refusal != "" {
		return nil, refusal
	}
	next, load, refusal := e.fit(r, now, use)
	if refusal != "" {
		return nil, refusal
	}
	spend, source := e.instanceCost(r, now)
	state := before(plan.ResizeInstance, r)
	ratio := next.price.Amount.DivRound(now.price.Amount, 12)
	c := &candidate{
		resource: r, cost: spend, saving: effective(spend.Amount.Sub(spend.Amount.Mul(ratio)), spend.Currency), source: source,
		target: plan.Target{Ref: r.Ref, Before: state, After: becoming(state, map[string]string{resource.AttrSize: next.name}), Watch: []resource.Ref{r.Ref}},
		load:   &load, days: use.cpu.Days, measures: use.measures(load), doubts: use.doubts(),
		warnings: []string{"The instance restarts; a public address that is not reserved and data on instance storage are lost."},
	}
	if share := e.Rates[r.ID].Committed; share > 0 {
		c.warnings = append(c.warnings, "A commitment covers a part of its cost. What becomes free of the commitment is saved only where something else uses it.")
		c.doubts = append(c.doubts, fmt.Sprintf("a commitment covers %.0f %% of its cost", 100*share))
	}
	if burstable(now.name) {
		c.warnings = append(c.warnings, "This is a burstable size: a smaller one also earns fewer processor credits.")
	}
	return c, ""
}

func burstable(size string) bool {
	return len(size) > 2 && size[0] == 't' && size[1] >= '2' && size[1] <= '9' || strings.HasPrefix(size, "Standard_B")
}

// instanceUse is what an instance needs.
type instanceUse struct {
	cpu, memory Stats
	knowsMemory bool
}

// instanceLoad reads the use of an instance, or says why it tells too little.
func (e *estate) instanceLoad(r Observed) (use instanceUse, refusal string) {
	var ok bool
	if use.cpu, ok = e.usage(r.ID, resource.CPU); !ok {
		return use, "Its processor load is not known."
	}
	if use.cpu.Days < LeastDays {
		return use, fmt.Sprintf("It has been observed as it is for %d days only; %d are needed.", use.cpu.Days, LeastDays)
	}
	up := use.cpu.Hours / (24 * float64(use.cpu.Days))
	if rate, billed := e.Rates[r.ID]; billed && rate.Uptime != nil {
		up = min(up, *rate.Uptime)
	}
	if up < alwaysOn {
		return use, fmt.Sprintf("It runs %.0f %% of the time only, so it follows a schedule that a resize could collide with.", 100*up)
	}
	use.memory, use.knowsMemory = e.usage(r.ID, resource.Memory)
	return use, ""
}

// fit finds the smallest size, at most two steps down, that carries the load; one step when memory is not known.
func (e *estate) fit(r Observed, now size, use instanceUse) (best size, load float64, refusal string) {
	sizes := e.book.smaller(r.Cloud, r.Region, now)
	if len(sizes) == 0 {
		return best, 0, fmt.Sprintf("No smaller size of the family of %s is on the price list of %s.", now.name, r.Region)
	}
	steps := mostSteps
	if !use.knowsMemory {
		steps = 1
	}
	for _, s := range sizes[:min(steps, len(sizes))] {
		cpu, memory, known := use.on(now, s)
		switch {
		case use.knowsMemory && !known:
			refusal = fmt.Sprintf("How much memory %s has is not known.", s.name)
		case cpu > fullLoad:
			refusal = fmt.Sprintf("On %s its processor load would reach %.0f %% (99th percentile); at most %.0f %% is allowed.", s.name, cpu, fullLoad)
		case memory > fullLoad:
			refusal = fmt.Sprintf("On %s its memory use would reach %.0f %% (99th percentile); at most %.0f %% is allowed.", s.name, memory, fullLoad)
		default:
			best, load = s, max(cpu, memory)
			continue
		}
		break
	}
	if best.name != "" {
		refusal = ""
	}
	return best, load, refusal
}

// on is the load that the use would be on another size.
func (u instanceUse) on(now, next size) (cpu, memory float64, knowsMemory bool) {
	cpu = u.cpu.P99 * now.vcpu / next.vcpu
	if !u.knowsMemory || now.memoryGiB == 0 || next.memoryGiB == 0 {
		return cpu, notCounted, false
	}
	return cpu, u.memory.P99 * now.memoryGiB / next.memoryGiB, true
}

func (u instanceUse) measures(after float64) []measure {
	out := []measure{{"cpu_percent p99", u.cpu.P99, "%", "Processor load stayed below %s in 99 of 100 samples."}}
	if u.knowsMemory {
		out = append(out, measure{"memory_percent p99", u.memory.P99, "%", "Memory use stayed below %s in 99 of 100 samples."})
	}
	return append(out, measure{"load after", after, "%", "On the smaller size the scarcer of the two would reach %s."})
}

func (u instanceUse) doubts() []string {
	if u.knowsMemory {
		return nil
	}
	return []string{"memory use is not measured"}
}

// instanceCost is what the hours of the instance cost a month: from the bill, so with all discounts and commitments, else at
// list price.
func (e *estate) instanceCost(r Observed, now size) (cost.Money, Source) {
	if rate, ok := e.Rates[r.ID]; ok && rate.Hourly != nil {
		return *rate.Hourly, FromBill
	}
	return effective(now.price.Amount.Mul(hoursPerMonth), now.price.Currency), FromPriceList
}
