package job_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// spending is a bill that a test writes by hand: what each service cost on each day.
type spending struct {
	reported time.Time // the day after the last reported one
	days     map[spent]string
	asked    int // daily series that were read
}

type spent struct {
	day      time.Time
	service  string
	currency cost.Currency
}

func (x *spending) charge(from, to time.Time, service string, currency cost.Currency, amount func(time.Time) string) {
	if x.days == nil {
		x.days = map[spent]string{}
	}
	for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
		x.days[spent{d, service, currency}] = amount(d)
	}
}

// sums are the costs by day and currency.
func (x *spending) sums(p cost.Period, filter map[cost.Dimension][]string) map[spent]decimal.Decimal {
	out := map[spent]decimal.Decimal{}
	for at, amount := range x.days {
		services, filtered := filter[cost.Service]
		if p.Contains(at.day) && (!filtered || slices.Contains(services, at.service)) {
			key := spent{day: at.day, currency: at.currency}
			out[key] = out[key].Add(decimal.RequireFromString(amount))
		}
	}
	return out
}

func (x *spending) Costs(_ context.Context, _ tenant.ID, q cost.Query) ([]cost.Group, error) {
	var out []cost.Group
	for at, amount := range x.sums(q.Period, q.Filter) {
		out = append(out, cost.Group{Start: at.day, Currency: at.currency, Amount: amount, Rows: 1})
	}
	slices.SortFunc(out, func(a, b cost.Group) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Currency, b.Currency))
	})
	return out, nil
}

func (x *spending) Series(_ context.Context, _ tenant.ID, q cost.SeriesQuery) ([]cost.Series, error) {
	x.asked++
	for d := range q.Filter {
		if d != cost.Service {
			return nil, fault.Input("dimension", string(d), "is no FOCUS column")
		}
	}
	first := q.Period.End
	for at := range x.days {
		if at.day.Before(first) && q.Period.Contains(at.day) {
			first = at.day
		}
	}
	all := map[cost.Currency]*cost.Series{}
	for at, amount := range x.sums(q.Period, q.Filter) {
		s := all[at.currency]
		if s == nil {
			s = &cost.Series{Basis: q.Basis, Currency: at.currency, Start: first, Values: make([]float64, cost.Period{Start: first, End: q.Period.End}.Len())}
			for i := max(0, s.Index(x.reported)); i < len(s.Values); i++ {
				s.Values[i] = math.NaN()
			}
			s.Final = max(0, min(s.Index(q.FinalBefore), s.Index(x.reported)))
			all[at.currency] = s
		}
		if i := s.Index(at.day); !math.IsNaN(s.Values[i]) {
			s.Values[i] += amount.InexactFloat64()
		}
	}
	var out []cost.Series
	for _, c := range slices.Sorted(maps.Keys(all)) {
		out = append(out, *all[c])
	}
	return out, nil
}

// drawer keeps budgets as the record does, and lets a test step in before a write.
type drawer struct {
	budgets map[string]job.JudgedBudget
	alerts  map[string]budget.Alert
	before  func() // is called once, before the next write
}

func (s *drawer) stepIn() {
	if step := s.before; step != nil {
		s.before = nil
		step()
	}
}

func (s *drawer) Budgets(context.Context, tenant.ID, job.BudgetFilter) ([]job.JudgedBudget, error) {
	return slices.SortedFunc(maps.Values(s.budgets), func(a, b job.JudgedBudget) int { return cmp.Compare(a.Name, b.Name) }), nil
}

func (s *drawer) Budget(_ context.Context, _ tenant.ID, id string) (job.JudgedBudget, error) {
	b, ok := s.budgets[id]
	if !ok {
		return b, fault.New(fault.NotFound, "There is none.")
	}
	return b, nil
}

func (s *drawer) BudgetAlerts(_ context.Context, _ tenant.ID, f job.AlertFilter) ([]budget.Alert, error) {
	var out []budget.Alert
	for _, a := range s.alerts {
		if a.Budget == f.Budget && (f.Period == nil || a.Period == *f.Period) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b budget.Alert) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

func (s *drawer) CreateBudget(_ context.Context, _ tenant.ID, b job.JudgedBudget, alerts []budget.Alert, _ int) error {
	s.write(b, alerts)
	return nil
}

func (s *drawer) ReplaceBudget(_ context.Context, _ tenant.ID, b job.JudgedBudget, alerts []budget.Alert) error {
	s.stepIn()
	is, ok := s.budgets[b.ID]
	switch {
	case !ok:
		return fault.New(fault.NotFound, "There is none.")
	case is.Revision != b.Revision:
		return fault.New(fault.Drifted, "It was written since.")
	}
	s.write(b, alerts)
	return nil
}

func (s *drawer) write(b job.JudgedBudget, alerts []budget.Alert) {
	if s.budgets == nil {
		s.budgets, s.alerts = map[string]job.JudgedBudget{}, map[string]budget.Alert{}
	}
	for _, old := range s.budgets[b.ID].Standings {
		if !slices.ContainsFunc(b.Standings, func(n budget.Standing) bool { return n.Period.Overlaps(old.Period) }) {
			b.Standings = append(b.Standings, old)
		}
	}
	b.Revision++
	s.budgets[b.ID] = b
	for _, a := range alerts {
		s.alerts[b.ID+a.ID] = a
	}
}

func (s *drawer) DeleteBudget(_ context.Context, _ tenant.ID, id string) error {
	delete(s.budgets, id)
	return nil
}

// office is the work on budgets at a moment that a test chooses.
type office struct {
	*testing.T
	job.Budgets
	bill   *spending
	drawer *drawer
	now    time.Time
}

const budgetTenant tenant.ID = "6f1f9f5e-0000-4000-8000-000000000009"

func on(month time.Month, day int) time.Time {
	return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC)
}

// newOffice is the morning of 12 November 2026, with a bill from May to the day before: 100 USD a day for compute, a little less at
// weekends, 20 for storage.
func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, bill: &spending{reported: on(11, 12)}, drawer: &drawer{}, now: on(11, 12).Add(9 * time.Hour)}
	o.bill.charge(on(5, 1), on(11, 12), "compute", "USD", weekly)
	o.bill.charge(on(5, 1), on(11, 12), "storage", "USD", func(time.Time) string { return "20" })
	ids := 0
	o.Budgets = job.Budgets{
		Store: o.drawer, Series: o.bill, Costs: o.bill, Now: func() time.Time { return o.now },
		NewID: func() string { ids++; return fmt.Sprintf("b%d", ids) },
	}
	return o
}

func weekly(d time.Time) string {
	if d.Weekday() == time.Saturday || d.Weekday() == time.Sunday {
		return fmt.Sprintf("9%d.5", d.Day()%5)
	}
	return fmt.Sprintf("10%d", d.Day()%3)
}

func (o *office) create(b budget.Budget) job.JudgedBudget {
	o.Helper()
	made, err := o.Create(o.Context(), budgetTenant, b)
	if err != nil {
		o.Fatal(err)
	}
	return made
}

func (o *office) judgeAll() job.BudgetSummary {
	o.Helper()
	out, err := o.Judge(o.Context(), budgetTenant)
	if err != nil {
		o.Fatal(err)
	}
	return out
}

// read gives the budget and its alerts as they are stored.
func (o *office) read(id string) (job.JudgedBudget, map[string]budget.Alert) {
	o.Helper()
	b, err := o.Store.Budget(o.Context(), budgetTenant, id)
	if err != nil {
		o.Fatal(err)
	}
	alerts, err := o.Store.BudgetAlerts(o.Context(), budgetTenant, job.AlertFilter{Budget: id})
	if err != nil {
		o.Fatal(err)
	}
	byID := map[string]budget.Alert{}
	for _, a := range alerts {
		byID[a.ID] = a
	}
	return b, byID
}

func monthly(amount string, services ...string) budget.Budget {
	b := budget.Budget{Name: "Budget of " + amount, Cadence: budget.Monthly, Amount: cost.Money{Amount: decimal.RequireFromString(amount), Currency: "USD"}}
	if len(services) > 0 {
		b.Filter = map[cost.Dimension][]string{cost.Service: services}
	}
	return b
}
