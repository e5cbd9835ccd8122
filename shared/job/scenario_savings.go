package job

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/recommend"
)

// CountedSavings says which recommendations a step counts, and which not.
type CountedSavings struct {
	Counted []CountedSaving `json:"counted"`
	Skipped []SkippedSaving `json:"skipped"`
}

// CountedSaving is a recommendation whose saving counts.
type CountedSaving struct {
	ID    string     `json:"id"`
	Title string     `json:"title"`
	Daily cost.Money `json:"saving_per_day"` // once it has been carried out
}

// SkippedSaving is a recommendation whose saving does not count.
type SkippedSaving struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Reason string `json:"reason"`
}

const (
	hoursOfMonth = 730 // of a recommendation's monthly saving
	targetDays   = 28  // of history by which the cost of the targets is known: whole weeks
	pageSize     = 200
)

// savings are the amounts by which recommendations lower the parts of the base. A target counts once, for the recommendation that
// saves most; no recommendation saves more than its targets cost in the scope.
func (r *imagining) savings(ctx context.Context, i int, s step) (CountedSavings, []forecast.Amount, error) {
	out := CountedSavings{Counted: []CountedSaving{}, Skipped: []SkippedSaving{}}
	if r.in.Basis != cost.Effective {
		return out, nil, fault.Input(at(i, "kind"), string(s.Kind), "goes with the basis effective, in which savings are estimated")
	}
	found, err := r.wanted(ctx, i, s)
	if err != nil {
		return out, nil, err
	}
	costs, err := r.targetCosts(ctx, s, found)
	if err != nil {
		return out, nil, err
	}
	started, err := r.started(ctx, found)
	if err != nil {
		return out, nil, err
	}
	var amounts []forecast.Amount
	for _, rec := range found {
		where := costOfTargets(rec, costs)
		if reason := r.reasonAgainst(rec, s, where.total, started); reason != "" {
			out.Skipped = append(out.Skipped, SkippedSaving{rec.ID, rec.Title, reason})
			continue
		}
		for _, target := range rec.Plan.Targets {
			r.counted[target.Ref.ID] = rec.Title
		}
		daily := min(rec.Saving.Monthly.Float()*24/hoursOfMonth, where.total)
		for _, key := range sortedKeys(where.parts) {
			amounts = append(amounts, forecast.Amount{Scope: where.scopes[key], Daily: -daily * where.parts[key] / where.total})
		}
		money := cost.Money{Amount: decimal.NewFromFloat(daily).Round(2), Currency: r.base.Currency, Basis: r.in.Basis}
		out.Counted = append(out.Counted, CountedSaving{rec.ID, rec.Title, money})
	}
	return out, amounts, nil
}

// wanted are the recommendations that the step is about, those that save most first.
func (r *imagining) wanted(ctx context.Context, i int, s step) ([]recommend.Recommendation, error) {
	statuses := s.Status
	if len(statuses) == 0 {
		statuses = []recommend.Status{recommend.Approved, recommend.Open}
	}
	var found []recommend.Recommendation
	for _, id := range slices.Compact(slices.Sorted(slices.Values(s.IDs))) {
		rec, err := r.Savings.Recommendation(ctx, r.in.Tenant, id)
		if fault.CodeOf(err) == fault.NotFound {
			return nil, fault.Input(at(i, "ids"), id, "names a recommendation that there is not")
		}
		if err != nil {
			return nil, err
		}
		found = append(found, rec)
	}
	for f := (RecommendationFilter{Status: statuses, Limit: pageSize}); len(s.IDs) == 0; {
		page, err := r.Savings.Recommendations(ctx, r.in.Tenant, f)
		if err != nil {
			return nil, err
		}
		found = append(found, page...)
		if len(page) < pageSize {
			break
		}
		last := page[len(page)-1]
		f.AfterScore, f.AfterID = &last.Score.Total, last.ID
	}
	slices.SortFunc(found, func(a, b recommend.Recommendation) int {
		return cmp.Or(b.Saving.Monthly.Amount.Cmp(a.Saving.Monthly.Amount), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
}

// reasonAgainst is why a recommendation does not count; empty when it does.
func (r *imagining) reasonAgainst(rec recommend.Recommendation, s step, costs float64, started map[string]bool) string {
	statuses := s.Status
	if len(statuses) == 0 {
		statuses = []recommend.Status{recommend.Approved, recommend.Open}
	}
	for _, target := range rec.Plan.Targets {
		if other, taken := r.counted[target.Ref.ID]; taken {
			return "Its target " + target.Ref.ID + " counts already: " + other
		}
	}
	switch {
	case !slices.Contains(statuses, rec.Status):
		return "It is " + string(rec.Status) + "."
	case started[rec.ID]:
		return "An execution of it began before the forecast did, so the forecast knows of it in part."
	case rec.Saving.Monthly.Currency != r.base.Currency:
		return "It saves " + string(rec.Saving.Monthly.Currency) + ", and the scenario is in " + string(r.base.Currency) + "."
	case !rec.Saving.Monthly.Amount.IsPositive():
		return "It saves nothing."
	case costs <= 0:
		return "The bill shows no cost of its targets in this scope on the last days that the forecast has learnt from, so there is nothing to lower."
	}
	return ""
}

// started are the recommendations that are being carried out since before the first day of the forecast.
func (r *imagining) started(ctx context.Context, found []recommend.Recommendation) (map[string]bool, error) {
	out, seen := map[string]bool{}, map[string]bool{}
	for _, rec := range found {
		if seen[rec.Connection] {
			continue
		}
		seen[rec.Connection] = true
		open, err := r.Savings.Executing(ctx, r.in.Tenant, rec.Connection)
		if err != nil {
			return nil, err
		}
		for _, e := range open {
			out[e.Recommendation] = out[e.Recommendation] || !e.StartedAt.IsZero() && e.StartedAt.Before(r.base.Points[0].Day)
		}
	}
	return out, nil
}

// spot is what one resource costs a day in one part of the bill.
type spot struct {
	scope cost.Scope
	daily float64
}

// targetCosts tells what the targets cost a day lately, by resource, cut as the steps cut the bill.
func (r *imagining) targetCosts(ctx context.Context, s step, found []recommend.Recommendation) (map[string][]spot, error) {
	var ids []string
	for _, rec := range found {
		for _, t := range rec.Plan.Targets {
			ids = append(ids, t.Ref.ID)
		}
	}
	if len(ids) == 0 {
		return map[string][]spot{}, nil
	}
	by, err := r.dimensions()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(by, cost.Resource) {
		by = append(by, cost.Resource)
	}
	slices.Sort(ids)
	filter := filterOf(s.scope)
	if filter == nil {
		filter = map[cost.Dimension][]string{}
	}
	if id, fixed := s.scope[cost.Resource]; !fixed {
		filter[cost.Resource] = slices.Compact(ids)
	} else if !slices.Contains(ids, id) {
		return map[string][]spot{}, nil
	}
	first := r.base.Points[0].Day
	q := cost.SeriesQuery{Period: cost.Period{Start: first.AddDate(0, 0, -targetDays), End: first}, Basis: r.in.Basis, By: by, Filter: filter, FinalBefore: ingest.FinalBefore(r.Now())}
	series, err := r.Series.Series(ctx, r.in.Tenant, q)
	if err != nil {
		return nil, err
	}
	out := map[string][]spot{}
	for _, v := range series {
		if v.Currency != r.base.Currency {
			continue
		}
		id := v.Scope[cost.Resource]
		out[id] = append(out[id], spot{r.part(v.Scope), meanKnown(v.Values)})
	}
	return out, nil
}

// part is the scope without the resource, unless the steps tell resources apart.
func (r *imagining) part(s cost.Scope) cost.Scope {
	out := r.within(nil)
	for d, v := range s {
		if d != cost.Resource || r.tellsResources() {
			out = out.With(d, v)
		}
	}
	return out
}

func (r *imagining) tellsResources() bool {
	return slices.ContainsFunc(r.in.Steps, func(s ScenarioStep) bool { _, ok := s.Scope[cost.Resource]; return ok })
}

// located is what the targets of a recommendation cost a day, by part of the bill.
type located struct {
	total  float64
	parts  map[string]float64
	scopes map[string]cost.Scope
}

func costOfTargets(rec recommend.Recommendation, costs map[string][]spot) located {
	l := located{parts: map[string]float64{}, scopes: map[string]cost.Scope{}}
	for _, t := range rec.Plan.Targets {
		for _, s := range costs[t.Ref.ID] {
			if s.daily <= 0 {
				continue
			}
			l.total += s.daily
			l.parts[s.scope.String()] += s.daily
			l.scopes[s.scope.String()] = s.scope
		}
	}
	return l
}

// meanKnown is the mean of the days that are known; 0 of none.
func meanKnown(v []float64) float64 {
	sum, n := 0.0, 0
	for _, x := range v {
		if !math.IsNaN(x) {
			sum += x
			n++
		}
	}
	return sum / float64(max(n, 1))
}
