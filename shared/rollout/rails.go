package rollout

import (
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Rails are the limits that no approval lifts.
type Rails struct {
	Targets int // most targets of one execution; zero is DefaultTargets
}

// DefaultTargets bounds what one execution can harm, and what a state machine can carry in its 256 KiB of state.
const DefaultTargets = 200

// Freeze is a tenant's switch that lets no execution begin. One that has begun goes on to its end: stopping halfway would
// leave a state that nobody approved.
type Freeze struct {
	Frozen bool      `json:"frozen"`
	Reason string    `json:"reason,omitempty"`
	By     string    `json:"by,omitempty"` // who set it last
	At     time.Time `json:"at,omitzero"`  // when; zero when it was never set
}

// Check refuses, with fault.Conflict, to begin while the switch is on.
func (f Freeze) Check() error {
	if !f.Frozen {
		return nil
	}
	reason := ""
	if f.Reason != "" {
		reason = " (" + f.Reason + ")"
	}
	return fault.New(fault.Conflict, "Executions are frozen%s. An administrator can lift the freeze.", reason)
}

// Size refuses plans without a target, with the same target twice (fault.Invalid), and with more targets than allowed
// (fault.TooLarge).
func (r Rails) Size(p plan.Plan) error {
	most := r.Targets
	if most == 0 {
		most = DefaultTargets
	}
	switch n := len(p.Targets); {
	case n == 0:
		return fault.New(fault.Invalid, "The plan has no targets, so there is nothing to execute.")
	case n > most:
		return fault.New(fault.TooLarge, "The plan changes %d targets; one execution may change at most %d. Split the recommendation.", n, most)
	}
	seen := map[resource.Ref]bool{}
	for _, t := range p.Targets {
		if seen[t.Ref] {
			return fault.New(fault.Invalid, "The plan names %s twice. Generate the recommendation again.", t.Ref.ID)
		}
		seen[t.Ref] = true
	}
	return nil
}

// Tags refuses, with fault.Forbidden, a plan of which any target is protected by its tags (plan.Protected), and with
// fault.Conflict one with a target of which no tags are known, for it may be.
func (Rails) Tags(p plan.Plan, tags map[resource.Ref]map[string]string) error {
	for _, t := range p.Targets {
		of, known := tags[t.Ref]
		if !known {
			return fault.New(fault.Conflict, "%s is not in the inventory, so nobody knows whether it is protected. Collect the inventory, then generate the recommendation again.", t.Ref.ID)
		}
		if plan.Protected(of) {
			return fault.New(fault.Forbidden, "%s is protected by its tag %s=%s. Remove the tag, or leave the resource out of the plan.", t.Ref.ID, plan.ProtectedTag, of[plan.ProtectedTag])
		}
	}
	return nil
}

// Approved refuses, with fault.Conflict, whatever is not exactly what was approved: the plan as it stands, the hash the
// execution was asked for, and the hash of the approval must be one.
func Approved(e Execution, approvedHash string) error {
	if hash := e.Plan.Hash(); hash != e.PlanHash || hash != approvedHash {
		return fault.New(fault.Conflict, "The plan is not the one that was approved. Look at the recommendation and approve it again.")
	}
	return nil
}
