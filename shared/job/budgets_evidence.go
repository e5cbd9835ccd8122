package job

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// What a judgement of what is to come takes.
const (
	budgetCourses = 1000 // that the days ahead could take
	leastSettled  = 14   // days: two weeks show what a week is like
	lateAfter     = 5    // days after the last settled one, and it is said that bills are missing; usually there are three
	tooLateAfter  = 35   // days, and nothing is said of what is to come
)

// evidence gathers what is known of a budget's costs.
func (x Budgets) evidence(ctx context.Context, t tenant.ID, b budget.Budget, now time.Time) (budget.Evidence, error) {
	e := budget.Evidence{At: now}
	history := cost.Period{Start: cost.MonthStart(now).AddDate(0, 1-ingest.FirstPull, 0), End: cost.Day(now).AddDate(0, 0, 1)}
	q := cost.SeriesQuery{Period: history, Basis: b.Amount.Basis, Filter: b.Filter, FinalBefore: ingest.FinalBefore(now)}
	found, err := x.Series.Series(ctx, t, q)
	if err != nil {
		return e, err
	}
	all := currencies(found)
	at := slices.IndexFunc(found, func(s cost.Series) bool { return s.Currency == b.Amount.Currency })
	if at < 0 {
		e.Unknown, err = x.absent(ctx, t, b, history, all)
		return e, err
	}
	if others := slices.DeleteFunc(all, func(c cost.Currency) bool { return c == b.Amount.Currency }); len(others) > 0 {
		e.Notes = append(e.Notes, fmt.Sprintf("Some of these costs are in %s, and are not counted.", codesOf(others)))
	}
	s := found[at]
	e.Begins, e.Reported = s.Start, s.Day(reportedDays(s))
	if s.Final > 0 {
		e.Settled = s.Day(s.Final)
	}
	if err := x.days(ctx, t, b, now, &e); err != nil {
		return e, err
	}
	return e, x.outlook(ctx, t, b, s, &e)
}

// reportedDays is how many leading days of a series somebody has reported.
func reportedDays(s cost.Series) int {
	for i, v := range slices.Backward(s.Values) {
		if !math.IsNaN(v) {
			return i + 1
		}
	}
	return 0
}

// absent says why there are no costs to judge.
func (x Budgets) absent(ctx context.Context, t tenant.ID, b budget.Budget, history cost.Period, others []cost.Currency) (string, error) {
	if len(others) > 0 {
		return fmt.Sprintf("None of these costs are in %s: they are in %s. Change the currency of the budget.", b.Amount.Currency, codesOf(others)), nil
	}
	costs, err := x.Costs.Costs(ctx, t, cost.Query{Period: history, Basis: b.Amount.Basis, Grain: cost.Total})
	if err != nil {
		return "", err
	}
	if len(costs) == 0 {
		return "No bill of the last 18 months has been loaded yet.", nil
	}
	return "No costs of the last 18 months are what the filter asks for. Check it against GET /api/v1/costs.", nil
}

// days reads what the bills show, exactly, of the periods that are judged.
func (x Budgets) days(ctx context.Context, t tenant.ID, b budget.Budget, now time.Time, e *budget.Evidence) error {
	periods := b.Periods(now)
	if len(periods) == 0 {
		return nil
	}
	groups, err := x.Costs.Costs(ctx, t, cost.Query{
		Period: cost.Period{Start: periods[0].Start, End: cost.Day(now).AddDate(0, 0, 1)}, Basis: b.Amount.Basis, Grain: cost.Daily, Filter: b.Filter,
	})
	for _, g := range groups {
		if g.Currency == b.Amount.Currency {
			e.Days = append(e.Days, budget.Day{Day: g.Start, Amount: g.Amount})
		}
	}
	return err
}

// outlook forecasts the days from the last settled one to the end of the running period, or says why it cannot.
func (x Budgets) outlook(ctx context.Context, t tenant.ID, b budget.Budget, s cost.Series, e *budget.Evidence) error {
	end := b.Cadence.Period(e.At).End
	last := e.Settled.AddDate(0, 0, -1)
	behind := cost.Period{Start: last, End: cost.Day(e.At)}.Len()
	const date = "2 January 2006"
	switch {
	case e.Settled.IsZero():
		e.Unknown = "No day is settled yet, so nothing can be said of those to come."
		return nil
	case behind > tooLateAfter:
		e.Unknown = fmt.Sprintf("The last settled day is %s, %d days ago: too long to tell what these costs are now. Load the later bills.", last.Format(date), behind)
		return nil
	case behind > lateAfter:
		e.Notes = append(e.Notes, fmt.Sprintf("The last settled day is %s: what came after it is forecast, for want of the later bills.", last.Format(date)))
	}
	calendar, err := x.Calendars.Of(ctx, t, cost.Period{Start: s.Start, End: end})
	if err != nil {
		return err
	}
	days := cost.Period{Start: e.Settled, End: end}.Len()
	drawn := forecast.DailyPaths(s, max(days, horizon), days, budgetCourses, forecast.Options{Calendar: calendar})
	switch {
	case len(drawn.Points) == 0:
		e.Unknown = drawn.Reason
		return nil
	case drawn.History < leastSettled:
		e.Unknown = fmt.Sprintf("Only %d days of these costs are settled: %d are needed to tell how the period may end.", drawn.History, leastSettled)
		return nil
	case drawn.Model != "ensemble":
		e.Notes = append(e.Notes, drawn.Reason)
	}
	e.Outlook = &budget.Outlook{First: e.Settled, Paths: drawn.Days}
	for _, point := range drawn.Points[:days] {
		e.Outlook.Mean = append(e.Outlook.Mean, point.Mean)
	}
	return nil
}
