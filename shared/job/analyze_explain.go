package job

import (
	"context"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// settlesWithin is for how long after an execution a fall in its targets is its doing: bills are cut by the day, and some
// resources are billed for a while after they are gone.
const settlesWithin = 7 * 24 * time.Hour

// mostOfIt is the part of a fall that an execution's targets must carry to explain it.
const mostOfIt = 0.5

// executions are those of the agent's own that changed something.
func (a Analyze) executions(ctx context.Context, t tenant.ID) ([]rollout.Execution, error) {
	if a.Executions == nil {
		return nil, nil
	}
	return a.Executions.CompletedExecutions(ctx, t)
}

// explanation is the execution that made a cost fall, the last one if there are several; "" when none did. Only resources are
// evidence: that something else fell in the same account proves nothing.
func explanation(i anomaly.Incident, executions []rollout.Execution) string {
	if !i.Impact.Amount.IsNegative() {
		return ""
	}
	id := ""
	for _, e := range executions {
		if e.StartedAt.IsZero() || e.EndedAt.IsZero() || i.Start.Before(cost.Day(e.StartedAt)) || i.Start.After(e.EndedAt.Add(settlesWithin)) {
			continue
		}
		if carried(i, e) >= mostOfIt {
			id = e.ID
		}
	}
	return id
}

// carried is the part of an incident that lies in the targets of an execution, of that which named resources account for.
func carried(i anomaly.Incident, e rollout.Execution) float64 {
	if i.Scope[cost.Resource] != "" {
		if targets(e, i.Scope) {
			return 1
		}
		return 0
	}
	inside, all := 0.0, 0.0
	for _, c := range i.Causes {
		if c.Scope[cost.Resource] == "" || c.Share <= 0 {
			continue
		}
		all += c.Share
		if targets(e, c.Scope) {
			inside += c.Share
		}
	}
	if all == 0 {
		return 0
	}
	return inside / all
}

// targets reports whether an execution changed the resource that a scope names.
func targets(e rollout.Execution, s cost.Scope) bool {
	for _, p := range e.Phases {
		for _, r := range p.Targets {
			if !p.StartedAt.IsZero() && same(r, s) {
				return true
			}
		}
	}
	return false
}

// same compares what both name: a resource's ID may come again in another account.
func same(r resource.Ref, s cost.Scope) bool {
	for d, v := range map[cost.Dimension]string{cost.Resource: r.ID, cost.Account: r.Account, cost.Region: r.Region} {
		if w, ok := s[d]; ok && v != "" && w != v {
			return false
		}
	}
	return true
}
