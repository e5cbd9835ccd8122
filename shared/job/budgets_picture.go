package job

import (
	"context"
	"fmt"
	"math"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Picture gathers what a picture of a budget's running period shows: what has been spent up to each day, how that may go on, and the
// amount. It fails with fault.NotFound when there is no such budget, and with fault.Unprocessable when none of its periods runs.
func (x Budgets) Picture(ctx context.Context, t tenant.ID, id string) (Chart, error) {
	b, err := x.Store.Budget(ctx, t, id)
	if err != nil {
		return Chart{}, err
	}
	now := x.Now()
	if status := b.Status(now); status != budget.Running {
		return Chart{}, fault.New(fault.Unprocessable, "The budget is %s: no period of it runs, and there is nothing to draw.", status)
	}
	e, err := x.evidence(ctx, t, b.Budget, now)
	if err != nil {
		return Chart{}, err
	}
	p := b.Cadence.Period(now)
	c := Chart{Series: spentUpTo(b.Budget, p, e), Budget: &BudgetLine{b.Name, b.Amount}}
	if points := budget.Course(b.Budget, p, e); len(points) > 0 {
		c.Forecast = &Forecast{Level: WholeLevel, Version: forecast.Version, At: now}
		c.Forecast.Currency, c.Forecast.Basis, c.Forecast.Model = b.Amount.Currency, b.Amount.Basis, fmt.Sprintf("%d courses", len(e.Outlook.Paths))
		for _, q := range points {
			c.Forecast.Points = append(c.Forecast.Points, forecast.Point(q))
		}
	}
	return c, nil
}

// spentUpTo sums the days of a period up. Days that nobody has reported are unknown.
func spentUpTo(b budget.Budget, p cost.Period, e budget.Evidence) cost.Series {
	s := cost.Series{Currency: b.Amount.Currency, Basis: b.Amount.Basis, Start: p.Start, Values: make([]float64, p.Len())}
	for _, d := range e.Days {
		if p.Contains(d.Day) {
			s.Values[s.Index(d.Day)] += d.Amount.InexactFloat64()
		}
	}
	total := 0.0
	for i, v := range s.Values {
		total += v
		s.Values[i] = total
		if !s.Day(i).Before(e.Reported) {
			s.Values[i] = math.NaN()
		}
	}
	s.Final = max(0, min(p.Len(), s.Index(e.Settled)))
	return s
}
