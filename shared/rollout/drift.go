package rollout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Captured is a target as it was found.
type Captured struct {
	Ref   resource.Ref `json:"ref"`
	State plan.State   `json:"state"`
}

// Difference is one attribute of one target that is not as it was approved. An attribute that is absent is "".
type Difference struct {
	Ref       resource.Ref
	Attribute string // empty: the target was not found at all
	Approved  string
	Found     string
}

// String is a sentence for people.
func (d Difference) String() string {
	if d.Attribute == "" {
		return d.Ref.ID + " could not be found"
	}
	return fmt.Sprintf("%s: %s is %q, approved was %q", d.Ref.ID, d.Attribute, d.Found, d.Approved)
}

// Drift compares what was found with the state before of the plan, by attribute, in the plan's order.
func Drift(p plan.Plan, found []Captured) []Difference {
	states := map[resource.Ref]plan.State{}
	for _, c := range found {
		states[c.Ref] = c.State
	}
	var out []Difference
	for _, t := range p.Targets {
		state, ok := states[t.Ref]
		if !ok {
			out = append(out, Difference{Ref: t.Ref})
			continue
		}
		out = append(out, differences(t.Ref, t.Before, state)...)
	}
	return out
}

// differences lists the attributes by which two states differ, in alphabetical order.
func differences(ref resource.Ref, approved, found plan.State) []Difference {
	names := slices.AppendSeq(slices.Collect(maps.Keys(approved)), maps.Keys(found))
	slices.SortFunc(names, cmp.Compare)
	var out []Difference
	for _, name := range slices.Compact(names) {
		want, wanted := approved[name]
		got, given := found[name]
		if want != got || wanted != given {
			out = append(out, Difference{Ref: ref, Attribute: name, Approved: want, Found: got})
		}
	}
	return out
}

// Drifted is the refusal (fault.Drifted) that names the first few differences; nil when there are none.
func Drifted(all []Difference) error {
	const shown = 5
	if len(all) == 0 {
		return nil
	}
	var texts []string
	for _, d := range all[:min(shown, len(all))] {
		texts = append(texts, d.String())
	}
	more := ""
	if len(all) > shown {
		more = fmt.Sprintf("; and %d more", len(all)-shown)
	}
	return fault.New(fault.Drifted, "The targets are no longer as they were approved: %s%s. Generate the recommendation again and approve what it says then.",
		strings.Join(texts, "; "), more)
}
