package job

import (
	"context"
	"slices"
	"strings"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

const (
	mostCuts = 4 // dimensions that a bill can be cut by at once
	fewParts = 6 // more are forecast the fast way, so that an answer takes no longer than a caller waits
)

// dimensions are those, beside the base's own, by which the bill must be cut to tell the scopes of the steps apart.
func (r *imagining) dimensions() ([]cost.Dimension, error) {
	var out []cost.Dimension
	for i, s := range r.in.Steps {
		for d, v := range s.Scope {
			fixed, ok := r.in.Scope[d]
			switch {
			case ok && fixed != v:
				return nil, fault.Input(at(i, "scope"), s.Scope.String(), "lies outside the scope of the scenario, %s", r.in.Scope)
			case !ok && !slices.Contains(out, d):
				out = append(out, d)
			}
		}
		most := mostCuts
		if s.Kind == RecommendationsStep {
			most-- // their targets are cut by resource
		}
		if others := slices.DeleteFunc(slices.Clone(out), func(d cost.Dimension) bool { return d == cost.Resource }); len(others) > most {
			return nil, fault.Input(at(i, "scope"), s.Scope.String(), "makes it more than %d dimensions that the steps name together", most)
		}
	}
	slices.Sort(out)
	return out, nil
}

// read reads the history of the base's scope, cut by the dimensions of an analysis where these are fine enough, so that the parts
// are the ones that analyses see.
func (r *imagining) read(ctx context.Context, by []cost.Dimension) error {
	cut := by
	if !slices.ContainsFunc(by, func(d cost.Dimension) bool { return !slices.Contains(leafDimensions, d) }) {
		cut = leafDimensions
	}
	q := cost.SeriesQuery{Period: r.period, Basis: r.in.Basis, By: cut, Filter: filterOf(r.in.Scope), FinalBefore: ingest.FinalBefore(r.Now())}
	var err error
	if r.leaves, err = r.Series.Series(ctx, r.in.Tenant, q); err != nil {
		return r.named(err)
	}
	if len(r.leaves) == 0 {
		return fault.New(fault.Unprocessable, "There are no costs of %s %s to forecast. Load a bill first, or name another scope.",
			anomaly.Describe(r.in.Scope), from(r.period))
	}
	for i := range r.leaves {
		r.leaves[i].Scope = r.within(r.leaves[i].Scope)
	}
	return nil
}

// within is the scope inside that of the base.
func (r *imagining) within(s cost.Scope) cost.Scope {
	for d, v := range r.in.Scope {
		s = s.With(d, v)
	}
	return s
}

// named gives a dimension that the record does not know the name of the input it came in.
func (r *imagining) named(err error) error {
	public := fault.Public(err)
	if public.Code != fault.Invalid || len(public.Fields) != 1 {
		return err
	}
	f := public.Fields[0]
	for i, s := range r.in.Steps {
		if _, ok := s.Scope[cost.Dimension(f.Value)]; ok {
			return fault.Input(at(i, "scope"), f.Value, "%s", f.Problem)
		}
	}
	return fault.Input("scope", f.Value, "%s", f.Problem)
}

// parts cuts the base so that every step is about whole parts, and forecasts each from the days that the base has learnt from.
func (r *imagining) parts(steps []step) ([]forecast.Part, error) {
	whole := []forecast.Part{{Scopes: []cost.Scope{r.within(nil)}, Points: r.base.Points}}
	if r.leaves == nil {
		return whole, nil
	}
	groups := map[string][]cost.Series{}
	hit := make([]bool, len(steps))
	for _, leaf := range r.leaves {
		var key strings.Builder
		for i, s := range steps {
			inside := s.scope.Matches(leaf.Scope)
			hit[i] = hit[i] || inside
			if inside {
				key.WriteByte('1')
			} else {
				key.WriteByte('0')
			}
		}
		groups[key.String()] = append(groups[key.String()], leaf)
	}
	for i, s := range steps {
		if !hit[i] && !s.brings() {
			return nil, fault.Input(at(i, "scope"), s.scope.String(), "holds no costs in %s", r.base.Currency)
		}
	}
	var out []forecast.Part
	for _, key := range sortedKeys(groups) {
		p := forecast.Part{Points: r.base.Points}
		for _, leaf := range groups[key] {
			p.Scopes = append(p.Scopes, leaf.Scope)
		}
		if len(groups) > 1 {
			p.Points = r.pointsOf(groups[key], len(groups) > fewParts)
		}
		out = append(out, p)
	}
	return out, nil
}

// pointsOf forecasts a sum of leaves for the days of the base. Nothing that was settled later than what the base has learnt from
// counts; a part that is settled less far is forecast from where it ends.
func (r *imagining) pointsOf(leaves []cost.Series, fast bool) []forecast.Point {
	s := sumUp(leaves, r.in.Scope)
	first, n := r.base.Points[0].Day, len(r.base.Points)
	s.Final = max(0, min(s.Final, s.Index(first)))
	behind := max(0, cost.Period{Start: s.Day(s.Final), End: first}.Len())
	points := r.outlook(s, behind+n, fast).Points
	if len(points) == behind+n {
		return points[behind:]
	}
	points = make([]forecast.Point, n) // nothing is settled of it
	for i := range points {
		points[i].Day = r.base.Points[i].Day
	}
	return points
}
