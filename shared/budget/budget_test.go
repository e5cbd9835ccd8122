package budget_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
)

func day(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }

func of(amount string) budget.Budget {
	return budget.Budget{
		ID: "b", Name: "Everything", Cadence: budget.Monthly, Thresholds: budget.DefaultThresholds(),
		Amount: cost.Money{Amount: decimal.RequireFromString(amount), Currency: "USD", Basis: cost.Effective},
	}
}

func TestPeriodsAreThoseOfTheCalendar(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]cost.Period{
		"2026-11-01..2026-12-01": budget.Monthly.Period(time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC)),
		"2026-10-01..2027-01-01": budget.Quarterly.Period(day(12, 31)),
		"2026-01-01..2026-04-01": budget.Quarterly.Period(day(1, 1)),
	} {
		if got.String() != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestTheLastPeriodIsJudgedOnceMore(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*budget.Budget)
		want   []time.Month
	}{
		"has always been":            {func(*budget.Budget) {}, []time.Month{10, 11}},
		"made in this month":         {func(b *budget.Budget) { b.CreatedAt = day(11, 3) }, []time.Month{11}},
		"begins with this month":     {func(b *budget.Budget) { b.Start = day(11, 1) }, []time.Month{11}},
		"begins with the next month": {func(b *budget.Budget) { b.Start = day(12, 1) }, nil},
		"ended with the last month":  {func(b *budget.Budget) { b.End = day(11, 1) }, []time.Month{10}},
		"ended before":               {func(b *budget.Budget) { b.End = day(10, 1) }, nil},
	} {
		b := of("1")
		tt.change(&b)
		got := b.Periods(day(11, 20))
		if len(got) != len(tt.want) {
			t.Errorf("%s: %v", name, got)
			continue
		}
		for i := range got {
			if got[i].Start.Month() != tt.want[i] {
				t.Errorf("%s: %v, want the months %v", name, got, tt.want)
			}
		}
	}
}

func TestWhatIsNoBudgetIsNamed(t *testing.T) {
	t.Parallel()
	p := func(v float64) *float64 { return &v }
	one := func(x budget.Threshold) func(*budget.Budget) {
		return func(b *budget.Budget) { b.Thresholds = []budget.Threshold{x} }
	}
	for name, tt := range map[string]struct {
		field  string
		change func(*budget.Budget)
	}{
		"no name":            {"name", func(b *budget.Budget) { b.Name = " " }},
		"zero":               {"amount", func(b *budget.Budget) { b.Amount.Amount = decimal.Zero }},
		"currency":           {"currency", func(b *budget.Budget) { b.Amount.Currency = "usd" }},
		"basis":              {"basis", func(b *budget.Budget) { b.Amount.Basis = "net" }},
		"cadence":            {"period", func(b *budget.Budget) { b.Cadence = "weekly" }},
		"start":              {"start", func(b *budget.Budget) { b.Start = day(11, 2) }},
		"start of a quarter": {"start", func(b *budget.Budget) { b.Cadence, b.Start = budget.Quarterly, day(11, 1) }},
		"end":                {"end", func(b *budget.Budget) { b.Start, b.End = day(11, 1), day(11, 1) }},
		"empty filter":       {"filter.RegionId", func(b *budget.Budget) { b.Filter = map[cost.Dimension][]string{cost.Region: {}} }},
		"measure":            {"thresholds[0].on", one(budget.Threshold{On: "guess", Percent: 1})},
		"no percent":         {"thresholds[0].percent", one(budget.Threshold{On: budget.Actual})},
		"much":               {"thresholds[0].percent", one(budget.Threshold{On: budget.Actual, Percent: 1000.5})},
		"certain":            {"thresholds[0].probability", one(budget.Threshold{On: budget.Forecast, Percent: 100, Probability: p(1)})},
		"on actual":          {"thresholds[0].probability", one(budget.Threshold{On: budget.Actual, Percent: 100, Probability: p(0.5)})},
		"twice": {"thresholds[1].percent", func(b *budget.Budget) {
			b.Thresholds = []budget.Threshold{{On: budget.Actual, Percent: 80}, {On: budget.Actual, Percent: 80}}
		}},
	} {
		b := of("100")
		tt.change(&b)
		err := b.Check()
		if public := fault.Public(err); err == nil || public.Code != fault.Invalid || len(public.Fields) != 1 || public.Fields[0].Name != tt.field {
			t.Errorf("%s: %v, want %s refused", name, err, tt.field)
		}
	}
	b := of("0.01")
	b.Thresholds = append(b.Thresholds, budget.Threshold{On: budget.Forecast, Percent: 100, Probability: p(0.9)})
	if err := b.Check(); err != nil {
		t.Errorf("a good one is refused: %v", err)
	}
}
