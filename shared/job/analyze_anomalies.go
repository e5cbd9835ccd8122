package job

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

const (
	mostDrills    = 40  // incidents whose resources are read in one run
	drillsFor     = 120 // days back; older ones were drilled when they were new
	drillHistory  = 35  // days before an incident that its parts are compared with
	settlesAfter  = 90  // days of a period before which the detector still learns: known anomalies there stay as they are
	enoughOfACase = 0.6 // the share from which on a part is the cause
)

// detect finds the incidents and looks into them.
func (a Analyze) detect(ctx context.Context, in AnalyzeInput, q cost.SeriesQuery, leaves []cost.Series, o anomaly.Options) ([]anomaly.Incident, error) {
	found := incidents(leaves, o)
	drilled := 0
	for i, incident := range found {
		if drilled == mostDrills || incident.Until.Before(q.FinalBefore.AddDate(0, 0, -drillsFor)) {
			continue
		}
		drilled++
		deeper, err := a.drill(ctx, in, q, incident)
		if err != nil {
			return nil, err
		}
		found[i] = deeper
	}
	return found, nil
}

// incidents are those of the bills of all currencies.
func incidents(leaves []cost.Series, o anomaly.Options) []anomaly.Incident {
	var found []anomaly.Incident
	for _, c := range currencies(leaves) {
		mine := slices.DeleteFunc(slices.Clone(leaves), func(s cost.Series) bool { return s.Currency != c })
		o.MinDaily = floorOf(mine)
		found = append(found, anomaly.Detect(mine, o)...)
	}
	return found
}

// floorOf is the least change of a day that is worth a word: five units of the currency, or a two-thousandth of the bill.
func floorOf(leaves []cost.Series) float64 {
	total := 0.0
	for _, s := range leaves {
		total += recentCost(s) / 90
	}
	return max(5, total/2000)
}

// drill looks for the resource behind an incident, and where none explains it, for the tag.
func (a Analyze) drill(ctx context.Context, in AnalyzeInput, q cost.SeriesQuery, incident anomaly.Incident) (anomaly.Incident, error) {
	dimensions := []cost.Dimension{cost.Resource}
	for _, key := range a.Tags {
		dimensions = append(dimensions, cost.Tag(key))
	}
	for _, d := range dimensions {
		if _, fixed := incident.Scope[d]; fixed {
			continue
		}
		q.By, q.Filter = []cost.Dimension{d}, filterOf(incident.Scope)
		q.Period = cost.Period{Start: incident.Start.AddDate(0, 0, -drillHistory), End: incident.Until}
		parts, err := a.Series.Series(ctx, in.Tenant, q)
		if err != nil {
			return incident, err
		}
		for i := range parts {
			scope := parts[i].Scope
			for dim, v := range incident.Scope {
				scope = scope.With(dim, v)
			}
			parts[i].Scope = scope
		}
		deeper, ok := anomaly.Drill(incident, d, parts)
		if ok && deeper.Causes[0].Share >= enoughOfACase {
			return deeper, nil
		}
		if ok && len(incident.Scope) == 0 { // of the whole bill, any part is news
			incident = deeper
		}
	}
	return incident, nil
}

// evidence is what else is known about incidents than their costs.
type evidence struct {
	verdicts   []Verdict
	executions []rollout.Execution
	fleets     map[string]string // what else made incidents, by ID: executions of many targets
}

// stand gives an anomaly its status.
func (e evidence) stand(a Anomaly) Anomaly {
	a.Status = AnomalyEnded
	a.ExplainedBy = cmp.Or(explanation(a.Incident, e.executions), e.fleets[a.ID])
	switch {
	case a.ExplainedBy != "":
		a.Status = AnomalyExplained
	case a.Open():
		a.Status = AnomalyOpen
	}
	if v := verdictOn(a.ID, a.Scope, e.verdicts); v != nil {
		a = a.Assessed(*v)
	}
	return a
}

// mergeAnomalies brings what was found together with what is known. A known anomaly that an equally sensitive run over its
// days no longer finds has been taken back by a restated bill, unless a person has judged it; one that ran out of the period stays as it was.
func mergeAnomalies(known []Anomaly, found []anomaly.Incident, e evidence, in AnalyzeInput, analysis string, now time.Time) ([]Anomaly, AnomalySummary) {
	summary := AnomalySummary{Found: len(found), Severity: map[anomaly.Severity]int{}}
	judgedFrom := in.Period.Start.AddDate(0, 0, settlesAfter)
	out := make([]Anomaly, 0, len(found)+len(known))
	for _, i := range found {
		next := Anomaly{
			Incident: i, Analysis: analysis,
			Sensitivity: in.Sensitivity, Version: anomaly.Version, FoundAt: now, SeenAt: now,
		}
		if k := slices.IndexFunc(known, func(o Anomaly) bool { return o.ID == i.ID }); k >= 0 {
			next.FoundAt = known[k].FoundAt
			next.Incident = keepDepth(known[k].Incident, next.Incident)
		} else {
			summary.New++
		}
		next = e.stand(next)
		switch next.Status {
		case AnomalyExplained:
			summary.Explained++
		case AnomalyOpen:
			summary.Open++
			summary.Severity[i.Severity]++
		case AnomalyEnded, AnomalyDismissed, AnomalyWithdrawn:
		}
		out = append(out, next)
	}
	for _, o := range known {
		again := slices.ContainsFunc(found, func(i anomaly.Incident) bool { return i.ID == o.ID })
		if again || o.Verdict != nil || o.Status == AnomalyWithdrawn || o.Sensitivity != in.Sensitivity || o.Start.Before(judgedFrom) || !o.Detected.Before(in.Period.End) {
			continue
		}
		o.Status = AnomalyWithdrawn
		summary.Withdrawn++
		out = append(out, o)
	}
	return out, summary
}

// followed are known anomalies that are open and that a run does not see, by the sensitivity that found them. A run that looks less
// closely says nothing about them, and they must not stay open for ever.
func followed(known []Anomaly, found []anomaly.Incident, in AnalyzeInput) map[anomaly.Sensitivity][]Anomaly {
	out := map[anomaly.Sensitivity][]Anomaly{}
	for _, o := range known {
		seen := slices.ContainsFunc(found, func(i anomaly.Incident) bool { return i.ID == o.ID })
		if !seen && o.Status == AnomalyOpen && o.Sensitivity != in.Sensitivity {
			out[o.Sensitivity] = append(out[o.Sensitivity], o)
		}
	}
	return out
}

// follow looks for those as closely as they were found, and brings them up to date.
func follow(known []Anomaly, leaves []cost.Series, o anomaly.Options, e evidence, in AnalyzeInput, analysis string, now time.Time) ([]Anomaly, AnomalySummary) {
	in.Sensitivity = known[0].Sensitivity
	o.Sensitivity = in.Sensitivity
	found := slices.DeleteFunc(incidents(leaves, o), func(i anomaly.Incident) bool {
		return !slices.ContainsFunc(known, func(k Anomaly) bool { return k.ID == i.ID })
	})
	return mergeAnomalies(known, found, e, in, analysis, now)
}

// keepDepth keeps the resource that an earlier run found in an incident which this one did not look into any more.
func keepDepth(known, now anomaly.Incident) anomaly.Incident {
	if len(known.Scope) > len(now.Scope) && now.Scope.Matches(known.Scope) && math.Abs(known.Impact.Float()) > 0 {
		now.Scope, now.Causes, now.Kind = known.Scope, known.Causes, known.Kind
		now.Expected, now.Actual, now.Impact, now.Summary = known.Expected, known.Actual, known.Impact, known.Summary
	}
	return now
}
