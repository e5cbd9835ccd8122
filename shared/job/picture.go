package job

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Picture gathers what a picture of one cost shows.
type Picture struct {
	Series SeriesReader
	Reader AnalysisReader
	Now    Clock
}

// PictureInput says which cost, and how much of it.
type PictureInput struct {
	Tenant   tenant.ID
	Basis    cost.Basis    // empty: effective
	Provider string        // empty: the whole bill
	Account  string        // of the provider; empty: all of them
	Region   string        // of the provider; empty: all of them
	Service  string        // of the provider; empty: all of them
	Currency cost.Currency // empty: the only one there is
	Days     int           // of history, up to today
	Ahead    int           // days to come at most; 0 leaves the forecast out
	Average  int           // days of a moving average to show; 0 is none
}

// fixed is what the picture is about.
func (in PictureInput) fixed() cost.Scope {
	out := cost.Scope{}
	for d, v := range map[cost.Dimension]string{cost.Provider: in.Provider, cost.Account: in.Account, cost.Region: in.Region, cost.Service: in.Service} {
		if v != "" {
			out[d] = v
		}
	}
	return out
}

// results are those of an analysis of the whole bill that are about a cost; false where none are of just that scope.
func (in PictureInput) results(of cost.Scope) (ResultFilter, bool) {
	level := LevelOf(of)
	return ResultFilter{Basis: in.Basis, Level: level, Provider: of[cost.Provider], Account: of[cost.Account], Region: of[cost.Region], Service: of[cost.Service]}, level != ""
}

// Chart is what a picture shows.
type Chart struct {
	Series    cost.Series // the history; its last days may be provisional
	Forecast  *Forecast   // nil without one
	Trend     *Trend      // nil without one
	Anomalies []Anomaly   // that began in the history, the last detected first
	Average   int         // days of a moving average to show; 0 is none
	Budget    *BudgetLine // then the series sums up from the beginning of the budget's period on
}

// BudgetLine is a budget in a picture.
type BudgetLine struct {
	Name   string
	Amount cost.Money
}

// mostMarks is how many anomalies a picture looks at.
const mostMarks = 200

// Run gathers. It fails with fault.NotFound where there are no such costs on those days, and with fault.Invalid, naming the field,
// where the input means more than one cost.
func (x Picture) Run(ctx context.Context, in PictureInput) (Chart, error) {
	s, err := x.history(ctx, in)
	if err != nil {
		return Chart{}, err
	}
	c := Chart{Series: s, Average: in.Average}
	if err := x.analysed(ctx, in, &c); err != nil {
		return Chart{}, err
	}
	c.Anomalies, err = x.anomalies(ctx, in, s)
	return c, err
}

// analysed adds the stored results about the same cost.
func (x Picture) analysed(ctx context.Context, in PictureInput, c *Chart) error {
	s := c.Series
	f, ok := in.results(s.Scope)
	if !ok {
		return nil
	}
	same := func(scope cost.Scope, currency cost.Currency, rest bool) bool {
		return currency == s.Currency && scope.String() == s.Scope.String() && !rest
	}
	if in.Ahead > 0 {
		found, err := x.Reader.Forecasts(ctx, in.Tenant, f)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(found, func(f Forecast) bool { return same(f.Scope, f.Currency, f.Rest) && len(f.Points) > 0 }); i >= 0 {
			c.Forecast = &found[i]
			c.Forecast.Points = c.Forecast.Points[:min(in.Ahead, len(c.Forecast.Points))]
		}
	}
	trends, err := x.Reader.Trends(ctx, in.Tenant, f)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(trends, func(t Trend) bool { return same(t.Scope, t.Currency, t.Rest) }); i >= 0 {
		c.Trend = &trends[i]
	}
	return nil
}

// history reads the days.
func (x Picture) history(ctx context.Context, in PictureInput) (cost.Series, error) {
	now := x.Now()
	end := cost.Day(now).AddDate(0, 0, 1)
	q := cost.SeriesQuery{
		Period: cost.Period{Start: end.AddDate(0, 0, -in.Days), End: end}, Basis: in.Basis, Filter: map[cost.Dimension][]string{},
		FinalBefore: ingest.FinalBefore(now),
	}
	for d, v := range in.fixed() {
		q.By, q.Filter[d] = append(q.By, d), []string{v}
	}
	if len(q.By) > 0 && in.Provider == "" {
		q.By = append(q.By, cost.Provider)
	}
	slices.Sort(q.By)
	found, err := x.Series.Series(ctx, in.Tenant, q)
	if err != nil {
		return cost.Series{}, err
	}
	return one(found, in, q.Period)
}

// one is the only series that is meant.
func one(found []cost.Series, in PictureInput, p cost.Period) (cost.Series, error) {
	all := currencies(found)
	found = slices.DeleteFunc(found, func(s cost.Series) bool { return in.Currency != "" && s.Currency != in.Currency })
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return cost.Series{}, fault.New(fault.NotFound, "There are no such costs %s. GET /api/v1/costs tells what there is.", from(p))
	case len(currencies(found)) > 1:
		return cost.Series{}, fault.Input("currency", string(in.Currency), "has to be given, for these costs are in %s", strings.Trim(fmt.Sprint(all), "[]"))
	}
	providers := make([]string, 0, len(found))
	for _, s := range found {
		providers = append(providers, s.Scope[cost.Provider])
	}
	return cost.Series{}, fault.Input("provider", in.Provider, "has to be given, for several have such costs: %s", strings.Join(providers, ", "))
}

// anomalies are those of the currency that begin on the days of the series.
func (x Picture) anomalies(ctx context.Context, in PictureInput, s cost.Series) ([]Anomaly, error) {
	f := AnomalyFilter{
		Basis: in.Basis, Status: []AnomalyStatus{AnomalyOpen, AnomalyEnded, AnomalyExplained},
		Provider: in.Provider, Account: in.Account, Region: in.Region, Service: in.Service, Since: s.Start, Limit: mostMarks,
	}
	found, err := x.Reader.Anomalies(ctx, in.Tenant, f)
	return slices.DeleteFunc(found, func(a Anomaly) bool {
		day := s.Index(a.Start)
		return a.Impact.Currency != s.Currency || day < 0 || day >= len(s.Values)
	}), err
}

// Through is the day after the last one that is known of the chart's history or forecast.
func (c Chart) Through() time.Time {
	end := c.Series.Day(len(c.Series.Values))
	if c.Forecast != nil {
		if last := c.Forecast.Points[len(c.Forecast.Points)-1].Day.AddDate(0, 0, 1); last.After(end) {
			return last
		}
	}
	return end
}
