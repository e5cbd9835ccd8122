package job

import (
	"context"
	"math"
	"slices"
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
		if mayExplain(i, e) && carried(i, e) >= mostOfIt {
			id = e.ID
		}
	}
	return id
}

// mayExplain reports whether a fall began when an execution changed something, or soon after.
func mayExplain(i anomaly.Incident, e rollout.Execution) bool {
	return !e.StartedAt.IsZero() && !e.EndedAt.IsZero() && !i.Start.Before(cost.Day(e.StartedAt)) && !i.Start.After(e.EndedAt.Add(settlesWithin))
}

// fleets explains the falls that no few resources account for, because an execution changed many: by incident, the execution whose
// targets together fell by most of it.
func (a Analyze) fleets(ctx context.Context, in AnalyzeInput, q cost.SeriesQuery, found []anomaly.Incident, executions []rollout.Execution) (map[string]string, error) {
	out := map[string]string{}
	for _, i := range found {
		timely := slices.DeleteFunc(slices.Clone(executions), func(e rollout.Execution) bool { return !mayExplain(i, e) })
		if _, one := i.Scope[cost.Resource]; one || len(timely) == 0 || !i.Impact.Amount.IsNegative() || explanation(i, timely) != "" {
			continue
		}
		q.By, q.Filter = []cost.Dimension{cost.Resource}, filterOf(i.Scope)
		q.Period = cost.Period{Start: i.Start.AddDate(0, 0, -drillHistory), End: i.Until}
		parts, err := a.Series.Series(ctx, in.Tenant, q)
		if err != nil {
			return nil, err
		}
		for _, e := range timely {
			moved := 0.0
			for _, p := range parts {
				scope := i.Scope.With(cost.Resource, p.Scope[cost.Resource])
				if p.Currency == i.Impact.Currency && targets(e, scope) {
					moved += movedBy(p, i)
				}
			}
			if moved/i.Impact.Float() >= mostOfIt {
				out[i.ID] = e.ID
			}
		}
	}
	return out, nil
}

// movedBy is by how much the days of an incident differ from as many average days before it.
func movedBy(s cost.Series, i anomaly.Incident) float64 {
	var before, during, days, known float64
	for k, v := range s.Values[:min(s.Final, len(s.Values))] {
		switch day := s.Day(k); {
		case math.IsNaN(v):
		case day.Before(i.Start):
			before += v
			known++
		case day.Before(i.Until):
			during += v
			days++
		}
	}
	return during - before/max(known, 1)*days
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
