package job

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/learn"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// ExecutionHistory reads executions that are over.
type ExecutionHistory interface {
	// CompletedExecutions lists, with their journals, the executions that were completed or rolled back.
	CompletedExecutions(ctx context.Context, t tenant.ID) ([]rollout.Execution, error)
}

// CoverageReader tells which bills are loaded.
type CoverageReader interface {
	// Coverage lists the loaded billing periods of all connections.
	Coverage(ctx context.Context, t tenant.ID) ([]ingest.Coverage, error)
}

// OutcomeStore keeps outcomes and what was learned from them.
type OutcomeStore interface {
	LearnedReader
	// SaveOutcome stores the outcome of an execution in place of the one before.
	SaveOutcome(ctx context.Context, t tenant.ID, o learn.Outcome) error
	// SaveCalibration adds a version. A version that is there already is left as it is.
	SaveCalibration(ctx context.Context, t tenant.ID, c learn.Calibration) error
}

// Forecaster says what a series would have gone on to, by the holidays of a calendar: for each of the horizon days after it the
// mean and the bounds of its 95 % interval.
type Forecaster func(s cost.Series, horizon int, c cost.Calendar) (mean, low, high []float64)

// DailyForecast is the Forecaster that everything else in Cost Agent forecasts with.
func DailyForecast(s cost.Series, horizon int, c cost.Calendar) (mean, low, high []float64) {
	for _, p := range forecast.Daily(s, horizon, c).Points {
		mean, low, high = append(mean, p.Mean), append(low, p.Low95), append(high, p.High95)
	}
	return mean, low, high
}

// Learn measures what executions really saved, and calibrates.
type Learn struct {
	Executions ExecutionHistory
	Costs      CostStore
	Bills      CoverageReader
	Outcomes   OutcomeStore
	Calendars  Calendars  // the holidays of tenants
	Forecast   Forecaster // nil: DailyForecast
	Now        Clock
}

// LearnInput says whose executions to measure.
type LearnInput struct {
	Tenant    tenant.ID `json:"tenant"`
	Execution string    `json:"execution,omitempty"` // empty: all whose outcome is not final
}

// LearnOutput sums a measurement up. It is carried through a state machine, so each list holds at most listed entries; the
// record has them all.
type LearnOutput struct {
	Measured     int                 `json:"measured"`     // executions
	Outcomes     []learn.Outcome     `json:"outcomes"`     // those measured now
	Calibrations []learn.Calibration `json:"calibrations"` // those that changed
	Insights     []string            `json:"insights"`     // in words and numbers
	Problems     []string            `json:"problems"`     // executions that could not be measured, and why
}

const listed = 20

// How many days of the targets' past the counterfactual is forecast from. What a holiday does to a cost is learnt from the same
// holiday a year before.
const (
	historyDays  = 120
	holidaysDays = 366 + 30
)

// surroundings are what all executions of a tenant are measured by.
type surroundings struct {
	executions []rollout.Execution
	covered    []ingest.Coverage
	calendar   cost.Calendar
}

// past is how many days of the targets' past count.
func (s surroundings) past() int {
	if s.calendar == nil {
		return historyDays
	}
	return holidaysDays
}

// surroundings reads them.
func (j Learn) surroundings(ctx context.Context, t tenant.ID) (surroundings, error) {
	var s surroundings
	var err error
	if s.executions, err = j.Executions.CompletedExecutions(ctx, t); err != nil {
		return s, err
	}
	if s.covered, err = j.Bills.Coverage(ctx, t); err != nil {
		return s, err
	}
	now := j.Now().UTC()
	days := cost.Period{Start: cost.Day(now), End: cost.Day(now)}
	for _, e := range s.executions {
		if !e.StartedAt.IsZero() && e.StartedAt.Before(days.Start) {
			days.Start = cost.Day(e.StartedAt)
		}
	}
	days.Start = days.Start.AddDate(0, 0, -holidaysDays)
	s.calendar, err = j.Calendars.Of(ctx, t, days)
	return s, err
}

// Run measures and calibrates. An execution that cannot be measured is reported and does not keep the others from it.
func (j Learn) Run(ctx context.Context, in LearnInput) (LearnOutput, error) {
	out := LearnOutput{Outcomes: []learn.Outcome{}, Calibrations: []learn.Calibration{}, Insights: []string{}, Problems: []string{}}
	around, err := j.surroundings(ctx, in.Tenant)
	if err != nil {
		return out, err
	}
	known, err := j.Outcomes.Outcomes(ctx, in.Tenant)
	if err != nil {
		return out, err
	}
	byExecution := map[string]learn.Outcome{}
	for _, o := range known {
		byExecution[o.Execution] = o
	}
	for _, e := range around.executions {
		if !in.measures(e, byExecution[e.ID]) {
			continue
		}
		o, err := j.measure(ctx, in.Tenant, e, around)
		switch {
		case fault.CodeOf(err) == fault.Unprocessable && err != nil:
			out.Problems = append(out.Problems, fmt.Sprintf("Execution %s: %s", e.ID, fault.Public(err).Message))
			continue
		case err != nil:
			return out, err
		}
		if err := j.Outcomes.SaveOutcome(ctx, in.Tenant, o); err != nil {
			return out, err
		}
		byExecution[e.ID] = o
		out.Measured++
		out.Outcomes = append(out.Outcomes, o)
		out.Insights = append(out.Insights, o.Text)
	}
	all := make([]learn.Outcome, 0, len(byExecution))
	for _, id := range slices.Sorted(maps.Keys(byExecution)) { // in a fixed order, so that sums of floats are the same again
		all = append(all, byExecution[id])
	}
	err = j.calibrate(ctx, in.Tenant, all, &out)
	out.Outcomes, out.Calibrations = out.Outcomes[:min(listed, len(out.Outcomes))], out.Calibrations[:min(listed, len(out.Calibrations))]
	out.Insights, out.Problems = out.Insights[:min(listed, len(out.Insights))], out.Problems[:min(listed, len(out.Problems))]
	return out, err
}

// measures tells whether an execution is to be measured, given what is known of it.
func (in LearnInput) measures(e rollout.Execution, known learn.Outcome) bool {
	if in.Execution != "" {
		return !e.DryRun && e.ID == in.Execution
	}
	return !e.DryRun && known.State != learn.Final
}

// calibrate stores the calibrations whose figures changed.
func (j Learn) calibrate(ctx context.Context, t tenant.ID, outcomes []learn.Outcome, out *LearnOutput) error {
	before, err := j.Outcomes.Calibrations(ctx, t)
	if err != nil {
		return err
	}
	for _, c := range learn.Calibrate(outcomes, before, j.Now().UTC()) {
		if slices.Contains(before, c) {
			continue
		}
		if err := j.Outcomes.SaveCalibration(ctx, t, c); err != nil {
			return err
		}
		out.Calibrations = append(out.Calibrations, c)
		out.Insights = append(out.Insights, c.Text)
	}
	return nil
}

// measure compares one execution's targets after the change with their forecast without it, as far as no other execution
// changed them. A month whose bill is missing ends what can be told, for its days were not free. It fails with
// fault.Unprocessable when the bills do not allow it.
func (j Learn) measure(ctx context.Context, t tenant.ID, e rollout.Execution, around surroundings) (learn.Outcome, error) {
	change, now := changeOf(e), j.Now().UTC()
	final, err := j.Costs.FinalUntil(ctx, t, e.Connection)
	if err != nil && fault.CodeOf(err) != fault.NotFound {
		return learn.Outcome{}, err
	}
	since, until := undisturbed(e, around.executions)
	if !until.IsZero() && cost.Day(until).Before(final) {
		final, change.Disturbed = cost.Day(until), until
	}
	began, after := cost.Day(e.StartedAt), cost.Day(e.EndedAt).AddDate(0, 0, 1)
	loaded := ingest.Unbroken(around.covered, e.Connection, began)
	missing := loaded.End.Before(final)
	if missing {
		final = loaded.End
	}
	if final.Before(after.AddDate(0, 0, learn.LeastDays)) {
		if missing {
			return learn.Outcome{}, fault.New(fault.Unprocessable, "The bill of %s is not loaded, though a later one is. Collect or import it.", final.Format("January 2006"))
		}
		return learn.Measure(change, wholeDays(after, final), now), nil
	}
	targets, heirs := involved(e)
	period := cost.Period{Start: began.AddDate(0, 0, -around.past()), End: final}
	for _, from := range []time.Time{cost.Day(since).AddDate(0, 0, 1), loaded.Start} {
		if period.Start.Before(from) {
			period.Start = from
		}
	}
	costs, err := j.Costs.ResourceCosts(ctx, t, e.Connection, slices.Concat(targets, heirs), period)
	if err != nil {
		return learn.Outcome{}, err
	}
	past, billed, err := splitAt(costs, targets, began, change.Estimated.Currency)
	if err != nil {
		return learn.Outcome{}, err
	}
	horizon := cost.Period{Start: began, End: final}.Len()
	foretell := j.Forecast
	if foretell == nil {
		foretell = DailyForecast
	}
	mean, low, high := foretell(past, horizon, around.calendar)
	if min(len(mean), len(low), len(high)) < horizon {
		return learn.Outcome{}, fault.New(fault.Unprocessable, "Its targets have too short a past on the bill to say what they would have cost.")
	}
	days := wholeDays(after, final)
	for i := range days {
		at := cost.Period{Start: began, End: days[i].Day}.Len()
		days[i].Expected, days[i].Low, days[i].High = mean[at], low[at], high[at]
		days[i].Billed = billed[days[i].Day]
	}
	return learn.Measure(change, days, now), nil
}

// undisturbed is the time around an execution in which no other changed its targets: since the end of the last one before that
// was completed, until the beginning of the next one after. Zero where there is none.
func undisturbed(e rollout.Execution, all []rollout.Execution) (since, until time.Time) {
	targets, heirs := involved(e)
	mine := map[string]bool{}
	for _, id := range slices.Concat(targets, heirs) {
		mine[id] = true
	}
	for _, o := range all {
		if o.DryRun || !slices.ContainsFunc(o.Plan.Targets, func(t plan.Target) bool { return mine[t.Ref.ID] }) {
			continue
		}
		switch {
		case o.StartedAt.After(e.EndedAt) && (until.IsZero() || o.StartedAt.Before(until)):
			until = o.StartedAt
		case o.Status == rollout.Completed && o.EndedAt.Before(e.StartedAt) && o.EndedAt.After(since):
			since = o.EndedAt
		}
	}
	return since, until
}

// wholeDays lists the days from one to another, the second not included.
func wholeDays(from, until time.Time) []learn.Day {
	var out []learn.Day
	for d := from; d.Before(until); d = d.AddDate(0, 0, 1) {
		out = append(out, learn.Day{Day: d})
	}
	return out
}

// changeOf describes the execution for learning.
func changeOf(e rollout.Execution) learn.Change {
	return learn.Change{
		Execution: e.ID, Recommendation: e.Recommendation, Connection: e.Connection, Cloud: e.Plan.Cloud, Action: e.Plan.Action,
		Targets: len(e.Plan.Targets), Completed: e.Status == rollout.Completed, Estimated: e.Uncalibrated, EndedAt: e.EndedAt,
	}
}

// involved lists the targets' ids, and those of everything that the changes left behind: snapshots, replacements.
func involved(e rollout.Execution) (targets, heirs []string) {
	seen := map[string]bool{}
	for _, t := range e.Plan.Targets {
		targets = append(targets, t.Ref.ID)
		seen[t.Ref.ID] = true
	}
	for _, entry := range e.Journal {
		if entry.Result == nil {
			continue
		}
		for _, id := range append(slices.Sorted(maps.Values(entry.Result.Handles)), entry.Result.Ref.ID) {
			if id != "" && !seen[id] {
				seen[id] = true
				heirs = append(heirs, id)
			}
		}
	}
	return targets, heirs
}

// splitAt makes the targets' daily cost before the change into a series, from the first billed day on, and adds up by day what
// the targets and their heirs were billed from then on. An heir that was billed before the change is no heir of it.
func splitAt(costs map[string][]DayCost, targets []string, began time.Time, currency cost.Currency) (cost.Series, map[time.Time]decimal.Decimal, error) {
	past, billed := map[time.Time]decimal.Decimal{}, map[time.Time]decimal.Decimal{}
	first := began
	for id, days := range costs {
		target := slices.Contains(targets, id)
		if !target && len(days) > 0 && days[0].Day.Before(began) {
			continue
		}
		for _, d := range days {
			switch {
			case d.Currency != currency:
				return cost.Series{}, nil, fault.New(fault.Unprocessable, "Its targets are billed in %s and the saving was estimated in %s.", d.Currency, currency)
			case d.Day.Before(began):
				past[d.Day] = past[d.Day].Add(d.Effective)
				if d.Day.Before(first) {
					first = d.Day
				}
			default:
				billed[d.Day] = billed[d.Day].Add(d.Effective)
			}
		}
	}
	if len(past) == 0 {
		return cost.Series{}, nil, fault.New(fault.Unprocessable, "The bill shows none of its targets before the change.")
	}
	s := cost.Series{Basis: cost.Effective, Currency: currency, Start: first}
	for d := first; d.Before(began); d = d.AddDate(0, 0, 1) {
		s.Values = append(s.Values, past[d].InexactFloat64())
	}
	s.Final = len(s.Values)
	return s, billed, nil
}
