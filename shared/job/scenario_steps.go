package job

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/recommend"
)

// step is a step of which everything is known.
type step struct {
	ScenarioStep

	scope  cost.Scope  // inside that of the base
	days   cost.Period // on which it holds
	effect ScenarioEffect
}

// brings reports whether the step makes sense where there is no cost yet.
func (s step) brings() bool { return s.Kind == AmountStep && s.Amount.IsPositive() }

// at names a field of a step.
func at(i int, field string) string { return fmt.Sprintf("steps[%d].%s", i, field) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// steps checks the steps and makes changes of them.
func (r *imagining) steps(ctx context.Context) ([]step, []forecast.Change, error) {
	steps := make([]step, len(r.in.Steps))
	changes := make([]forecast.Change, len(steps))
	for i, s := range r.in.Steps {
		if err := s.check(i); err != nil {
			return nil, nil, err
		}
		days, err := r.daysOf(i, s)
		if err != nil {
			return nil, nil, err
		}
		next := step{ScenarioStep: s, scope: r.within(s.Scope), days: days, effect: ScenarioEffect{Kind: s.Kind}}
		switch s.Kind {
		case GrowthStep:
			changes[i] = forecast.Growth(next.scope, *s.Percent/100, days)
		case FactorStep:
			changes[i] = forecast.Multiply(next.scope, *s.Factor, days)
		case AmountStep:
			changes[i] = forecast.Add(next.scope, s.Amount.InexactFloat64(), days)
		case RecommendationsStep:
			counted, amounts, err := r.savings(ctx, i, next)
			if err != nil {
				return nil, nil, err
			}
			next.effect.Recommendations = &counted
			changes[i] = forecast.PhaseIn(amounts, days.Start, s.OverDays)
		}
		next.effect.Summary = next.summary(r.base.Currency)
		steps[i] = next
	}
	return steps, changes, nil
}

// check refuses a step whose fields do not go with its kind.
func (s ScenarioStep) check(i int) error {
	if !slices.Contains(ScenarioKinds, s.Kind) {
		return fault.Input(at(i, "kind"), string(s.Kind), "is none of growth, factor, amount, recommendations")
	}
	for _, f := range []struct {
		name  string
		kind  ScenarioKind
		given bool
		must  bool
	}{
		{"percent_per_month", GrowthStep, s.Percent != nil, true},
		{"factor", FactorStep, s.Factor != nil, true},
		{"amount_per_day", AmountStep, s.Amount != nil, true},
		{"status", RecommendationsStep, len(s.Status) > 0, false},
		{"ids", RecommendationsStep, len(s.IDs) > 0, false},
		{"over_days", RecommendationsStep, s.OverDays != 0, false},
	} {
		switch {
		case f.given && f.kind != s.Kind:
			return fault.Input(at(i, f.name), "", "goes with the kind %s, and this step is of the kind %s", f.kind, s.Kind)
		case f.must && !f.given && f.kind == s.Kind:
			return fault.Input(at(i, f.name), "", "is missing: a step of the kind %s needs it", s.Kind)
		}
	}
	return s.checkValues(i)
}

// checkValues refuses values that nothing sensible follows from.
func (s ScenarioStep) checkValues(i int) error {
	for _, status := range s.Status {
		if status != recommend.Approved && status != recommend.Open {
			return fault.Input(at(i, "status"), string(status), "is none of approved, open: what others would save is not to come")
		}
	}
	const mostPercent, mostFactor, mostDays = 1000, 1000, 366
	within := func(x *float64, least, most float64) bool { return x == nil || *x >= least && *x <= most }
	switch {
	case !within(s.Percent, -100, mostPercent):
		return fault.Input(at(i, "percent_per_month"), fmt.Sprint(*s.Percent), "is not between -100 and %d", mostPercent)
	case !within(s.Factor, 0, mostFactor):
		return fault.Input(at(i, "factor"), fmt.Sprint(*s.Factor), "is not between 0 and %d", mostFactor)
	case s.Amount != nil && s.Amount.IsZero():
		return fault.Input(at(i, "amount_per_day"), s.Amount.String(), "changes nothing")
	case s.OverDays < 0 || s.OverDays > mostDays:
		return fault.Input(at(i, "over_days"), strconv.Itoa(s.OverDays), "is not between 1 and %d", mostDays)
	case s.Kind == RecommendationsStep && !s.To.IsZero():
		return fault.Input(at(i, "to"), s.To.Format(time.DateOnly), "does not go with recommendations: what they save is saved for good")
	}
	return nil
}

// daysOf are the days on which a step holds, within those that are forecast.
func (r *imagining) daysOf(i int, s ScenarioStep) (cost.Period, error) {
	first := r.base.Points[0].Day
	end := first.AddDate(0, 0, len(r.base.Points))
	days := cost.Period{Start: first, End: end}
	if !s.To.IsZero() {
		days.End = cost.Day(s.To)
	}
	if from := cost.Day(s.From); !s.From.IsZero() && from.After(first) {
		days.Start = from
	}
	switch {
	case !s.From.IsZero() && !cost.Day(s.From).Before(end):
		return days, fault.Input(at(i, "from"), s.From.Format(time.DateOnly), "is later than the last day that is forecast, %s", end.AddDate(0, 0, -1).Format(time.DateOnly))
	case !days.Start.Before(days.End) && !s.From.IsZero():
		return days, fault.Input(at(i, "to"), s.To.Format(time.DateOnly), "is not after from; the day itself does not count")
	case !days.Start.Before(days.End):
		return days, fault.Input(at(i, "to"), s.To.Format(time.DateOnly), "is over: the first day that is forecast is %s", first.Format(time.DateOnly))
	}
	return days, nil
}

// summary tells the step in a sentence.
func (s step) summary(c cost.Currency) string {
	span := "from " + s.days.Start.Format("2 January 2006") + " on"
	if !s.To.IsZero() {
		span = "from " + s.days.Start.Format("2 January 2006") + " to " + s.days.End.AddDate(0, 0, -1).Format("2 January 2006")
	}
	what := anomaly.Describe(s.scope)
	switch s.Kind {
	case GrowthStep:
		return fmt.Sprintf("The cost of %s changes by %+g %% a month %s.", what, *s.Percent, span)
	case FactorStep:
		return fmt.Sprintf("The cost of %s is multiplied by %g %s.", what, *s.Factor, span)
	case AmountStep:
		return fmt.Sprintf("%s %s a day: the cost of %s %s.", s.Amount.Abs().StringFixed(2), c, what, map[bool]string{true: "rises " + span, false: "falls " + span}[s.Amount.IsPositive()])
	case RecommendationsStep:
	}
	over := ""
	if s.OverDays > 1 {
		over = fmt.Sprintf(", evenly over %d days", s.OverDays)
	}
	return fmt.Sprintf("%d recommendations on %s are carried out %s%s; %d others do not count.",
		len(s.effect.Recommendations.Counted), what, span, over, len(s.effect.Recommendations.Skipped))
}
