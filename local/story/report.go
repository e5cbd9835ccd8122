package story

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/local/report"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/learn"
	"github.com/cost-agent/cost-agent/shared/recommend"
)

// How much of everything the page shows.
const (
	shownAnomalies       = 6
	shownRecommendations = 8
	sparkDays            = 45
)

// Groups is the answer of GET /api/v1/costs.
type Groups struct {
	Items []struct {
		Group map[cost.Dimension]string `json:"group"`
		Start string                    `json:"start"`
		Cost  cost.Money                `json:"cost"`
		Rows  int64                     `json:"rows"`
	} `json:"items"`
}

// Report reads, through the API, what the page shows.
func (s Story) Report(ctx context.Context) (report.Report, error) {
	r := report.Report{Title: "Cost Agent · Meridian Goods (sandbox estate) · " + s.Clock.Now().Format("2 January 2006")}
	for _, part := range []func(context.Context, *report.Report) error{s.bills, s.costs, s.anomalies, s.forecast, s.budgets, s.recommendations, s.executions} {
		if err := part(ctx, &r); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (s Story) bills(ctx context.Context, r *report.Report) error {
	var periods page[ingest.Coverage]
	if err := s.API.Get(ctx, "/api/v1/costs/periods", nil, &periods); err != nil {
		return err
	}
	months := map[time.Time]bool{}
	var last time.Time
	for _, p := range periods.Items {
		if p.LastUsage.After(last) {
			last = p.LastUsage
		}
		r.Rows += p.Rows
		months[p.Period.Start] = true
	}
	r.Periods = len(months)
	r.Month = cost.MonthStart(last.AddDate(0, 0, 1)).AddDate(0, -1, 0) // the last one that is on the bill to its end
	return nil
}

// costs shows each provider in the last whole month against the one before, and its last days.
func (s Story) costs(ctx context.Context, r *report.Report) error {
	days := url.Values{"group_by": {string(cost.Provider)}, "grain": {string(cost.Daily)}, "limit": {"1000"},
		"start": {r.Month.AddDate(0, -1, 0).Format(time.DateOnly)}, "end": {cost.Day(s.Clock.Now()).Format(time.DateOnly)}}
	var daily Groups
	if err := s.API.Get(ctx, "/api/v1/costs", days, &daily); err != nil {
		return err
	}
	providers := map[string]*report.Provider{} // by name and currency: two currencies are never added up
	settled := ingest.FinalBefore(s.Clock.Now())
	for _, g := range daily.Items {
		key := g.Group[cost.Provider] + " " + string(g.Cost.Currency)
		p := providers[key]
		if p == nil {
			zero := cost.Money{Currency: g.Cost.Currency, Basis: g.Cost.Basis}
			before := zero
			p = &report.Provider{Name: g.Group[cost.Provider], Cost: zero, Before: &before, Daily: blanks(sparkDays)}
			providers[key] = p
		}
		day, err := time.Parse(time.DateOnly, g.Start)
		if err != nil {
			return err
		}
		switch cost.MonthStart(day) {
		case r.Month:
			p.Cost, err = p.Cost.Add(g.Cost)
		case r.Month.AddDate(0, -1, 0):
			*p.Before, err = p.Before.Add(g.Cost)
		}
		if err != nil {
			return err
		}
		if at := sparkDays - (cost.Period{Start: day, End: settled}).Len(); at >= 0 && at < sparkDays {
			p.Daily[at] = g.Cost.Float()
		}
	}
	for _, p := range providers {
		r.Providers = append(r.Providers, *p)
	}
	slices.SortFunc(r.Providers, func(a, b report.Provider) int {
		return cmp.Or(b.Cost.Amount.Cmp(a.Cost.Amount), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Cost.Currency, b.Cost.Currency))
	})
	return nil
}

// blanks are days nobody has reported.
func blanks(n int) []float64 { return slices.Repeat([]float64{math.NaN()}, n) }

// Anomalies lists all that are known, the latest first.
func (s Story) Anomalies(ctx context.Context) ([]job.Anomaly, error) {
	return list[job.Anomaly](ctx, s, "/api/v1/anomalies", nil)
}

func (s Story) anomalies(ctx context.Context, r *report.Report) error {
	all, err := s.Anomalies(ctx)
	if err != nil {
		return err
	}
	r.AnomalyCount = len(all)
	slices.SortStableFunc(all, func(a, b job.Anomaly) int { return b.Impact.Amount.Abs().Cmp(a.Impact.Amount.Abs()) })
	for _, a := range all[:min(len(all), shownAnomalies)] {
		r.Anomalies = append(r.Anomalies, report.Anomaly{Severity: string(a.Severity), Kind: string(a.Kind), Start: a.Start, End: a.End,
			Impact: a.Impact, Where: where(a.Scope)})
	}
	return nil
}

// where names a scope the short way: its values, from the widest to the narrowest.
func where(s cost.Scope) string {
	order := []cost.Dimension{cost.Provider, cost.Account, cost.Service, cost.Region, cost.Resource}
	dimensions := slices.SortedFunc(maps.Keys(s), func(a, b cost.Dimension) int {
		return cmp.Or(cmp.Compare(uint(slices.Index(order, a)), uint(slices.Index(order, b))), strings.Compare(string(a), string(b)))
	})
	var parts []string
	for _, d := range dimensions {
		if s[d] != "" {
			parts = append(parts, s[d])
		}
	}
	return strings.Join(parts, " · ")
}

// Forecast is that of the whole bill; of several currencies, in the one of the largest amount.
func (s Story) Forecast(ctx context.Context) (job.Forecast, error) {
	all, err := list[job.Forecast](ctx, s, "/api/v1/forecasts", nil)
	if err != nil {
		return job.Forecast{}, err
	}
	n := len(all)
	all = slices.DeleteFunc(all, func(f job.Forecast) bool { return len(f.Scope) > 0 || f.Next30 == nil })
	if len(all) == 0 {
		return job.Forecast{}, fmt.Errorf("there is no forecast of the whole bill among %d", n)
	}
	return slices.MaxFunc(all, func(a, b job.Forecast) int { return a.Next30.Mean.Amount.Cmp(b.Next30.Mean.Amount) }), nil
}

func (s Story) forecast(ctx context.Context, r *report.Report) error {
	f, err := s.Forecast(ctx)
	if err != nil {
		return err
	}
	t := f.Next30
	r.Forecast = &report.Forecast{Days: 30, Mean: t.Mean, Lo80: t.Low80.Amount, Hi80: t.High80.Amount, Lo95: t.Low95.Amount, Hi95: t.High95.Amount, Model: f.Reason}
	history, err := s.history(ctx, t.Period.Start, t.Mean.Currency)
	if err != nil {
		return err
	}
	r.Forecast.Daily, r.Forecast.History = history, len(history)
	for _, p := range f.Points[:min(30, len(f.Points))] {
		r.Forecast.Daily = append(r.Forecast.Daily, p.Mean)
	}
	return nil
}

// history is what the days before cost in a currency.
func (s Story) history(ctx context.Context, end time.Time, currency cost.Currency) ([]float64, error) {
	var days Groups
	query := url.Values{"grain": {string(cost.Daily)}, "limit": {"1000"}, "start": {end.AddDate(0, 0, -sparkDays).Format(time.DateOnly)}, "end": {end.Format(time.DateOnly)}}
	if err := s.API.Get(ctx, "/api/v1/costs", query, &days); err != nil {
		return nil, err
	}
	out := blanks(sparkDays)
	for _, g := range days.Items {
		if g.Cost.Currency != currency {
			continue
		}
		day, err := time.Parse(time.DateOnly, g.Start)
		if err != nil {
			return nil, err
		}
		out[sparkDays-(cost.Period{Start: day, End: end}).Len()] = g.Cost.Float()
	}
	return out, nil
}

func (s Story) recommendations(ctx context.Context, r *report.Report) error {
	all, err := s.Recommendations(ctx)
	if err != nil {
		return err
	}
	r.RecommendCount = len(all)
	for i, one := range all {
		if r.Potential == nil {
			r.Potential = &cost.Money{Currency: one.Saving.Monthly.Currency, Basis: one.Saving.Monthly.Basis}
		}
		if one.Saving.Monthly.Currency == r.Potential.Currency { // the others have no place in the headline
			if *r.Potential, err = r.Potential.Add(one.Saving.Monthly); err != nil {
				return err
			}
		}
		if i < shownRecommendations {
			r.Recommendations = append(r.Recommendations, report.Recommendation{Title: one.Title, Monthly: one.Saving.Monthly, Score: one.Score.Total,
				Status: string(one.Status)})
		}
	}
	return nil
}

// Outcomes lists what executions really saved.
func (s Story) Outcomes(ctx context.Context) ([]learn.Outcome, error) {
	return list[learn.Outcome](ctx, s, "/api/v1/outcomes", nil)
}

func (s Story) executions(ctx context.Context, r *report.Report) error {
	all, err := list[api.Execution](ctx, s, "/api/v1/executions", nil)
	if err != nil {
		return err
	}
	outcomes, err := s.Outcomes(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b api.Execution) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for _, e := range all {
		var of recommend.Recommendation
		if err := s.API.Get(ctx, "/api/v1/recommendations/"+url.PathEscape(e.Recommendation), nil, &of); err != nil {
			return err
		}
		one := report.Execution{Title: of.Title, Status: statusOf(e), Reason: e.Reason, Estimated: e.Estimated, Phases: phases(e)}
		if i := slices.IndexFunc(outcomes, func(o learn.Outcome) bool { return o.Execution == e.ID }); i >= 0 && outcomes[i].Monthly != nil {
			m := outcomes[i].Monthly
			one.Realised, one.Lo, one.Hi, one.State = &m.Amount, m.Low.Amount, m.High.Amount, string(outcomes[i].State)
		}
		r.Executions = append(r.Executions, one)
	}
	return nil
}

// statusOf tells a dry run, which changed nothing, from the real thing.
func statusOf(e api.Execution) string {
	if e.DryRun {
		return "dry run " + string(e.Status)
	}
	return string(e.Status)
}

func phases(e api.Execution) string {
	var parts []string
	for _, p := range e.Phases {
		if p.Verdict != "" {
			parts = append(parts, fmt.Sprintf("%d %% %s", p.Percent, p.Verdict))
		}
	}
	return strings.Join(parts, ", ")
}

// page is one answer of a list.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next_cursor"`
}

// list reads all pages.
func list[T any](ctx context.Context, s Story, path string, query url.Values) ([]T, error) {
	var all []T
	if query == nil {
		query = url.Values{}
	}
	for {
		var one page[T]
		if err := s.API.Get(ctx, path, query, &one); err != nil {
			return nil, err
		}
		all = append(all, one.Items...)
		if one.Next == "" {
			return all, nil
		}
		query.Set("cursor", one.Next)
	}
}
