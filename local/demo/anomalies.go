package demo

import (
	"fmt"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/job"
)

// learning is how many days of history a detector that never looks ahead may need to see what is usual: month-end batches
// have come six times by then.
const learning = 183

// How many days after its beginning an anomaly must have shown.
const (
	late    = 3  // one that starts at once
	tooLong = 12 // one that creeps
)

// Anomalies holds the incidents to what was planted: each one found, in the right place, of the right size; and nothing
// else called an anomaly.
func (c *Checks) Anomalies(all []anomaly.Incident, truth sandbox.Truth) {
	explained := map[string]bool{}
	for _, p := range truth.Planted {
		i := slices.IndexFunc(all, func(a anomaly.Incident) bool { return matches(a, p) })
		if i < 0 {
			c.Hold(false, "anomaly found: "+p.ID, "no incident in %s from %s", p.Scope, p.From.Format(time.DateOnly))
			continue
		}
		c.Hold(true, "anomaly found: "+p.ID, "")
		for _, a := range all {
			if matches(a, p) {
				explained[a.ID] = true
			}
		}
		c.Hold(p.Scope.Matches(all[i].Scope) || all[i].Scope.Matches(p.Scope), "cause named: "+p.ID, "it says %s, truly %s", all[i].Scope, p.Scope)
		if !all[i].Open() || !p.To.IsZero() {
			c.Close(all[i].Impact.Amount, p.Impact, 0.25, "impact of "+p.ID)
		}
	}
	judged := truth.Start.AddDate(0, 0, learning)
	var unplanned []string
	for _, a := range all {
		if !explained[a.ID] && !a.Start.Before(judged) {
			unplanned = append(unplanned, fmt.Sprintf("%s %s from %s (%s)", a.Kind, a.Scope, a.Start.Format(time.DateOnly), a.Impact))
		}
	}
	c.Hold(len(unplanned) == 0, "no false alarm since "+judged.Format(time.DateOnly)+", when half a year of history was there", "%d incidents that nobody planted: %v", len(unplanned), unplanned)
}

// Explained holds what was found around an execution since it began: its fall is there, and explained by the execution.
func (c *Checks) Explained(e api.Execution, found []job.Anomaly) {
	lines := make([]string, 0, len(found))
	for _, a := range found {
		lines = append(lines, fmt.Sprintf("%s %s of %s from %s (%s)", a.Status, a.Kind, a.Scope, a.Start.Format(time.DateOnly), a.Impact))
	}
	i := slices.IndexFunc(found, func(a job.Anomaly) bool { return a.ExplainedBy == e.ID })
	c.Hold(i >= 0 && found[i].Status == job.AnomalyExplained && found[i].Impact.Amount.IsNegative(), "the fall that the execution made is found, and explained", "found were %v", lines)
	c.Hold(!slices.ContainsFunc(found, func(a job.Anomaly) bool { return a.Status == job.AnomalyOpen && a.Impact.Amount.IsNegative() }),
		"no fall that it made is an alarm", "found were %v", lines)
}

// matches reports whether the incident is the planted anomaly: the same direction, days that overlap and begin together,
// and no dimension that contradicts.
func matches(a anomaly.Incident, p sandbox.Planted) bool {
	patience := late
	if p.Kind == sandbox.Ramp || p.Kind == sandbox.Level {
		patience = tooLong
	}
	if a.Impact.Amount.Sign() != p.Impact.Sign() || a.Start.Before(p.From.AddDate(0, 0, -1)) || a.Start.After(p.From.AddDate(0, 0, patience)) {
		return false
	}
	for d, v := range p.Scope {
		if got, ok := a.Scope[d]; ok && got != v {
			return false
		}
	}
	return len(a.Scope) > 0
}
