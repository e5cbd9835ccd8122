package postgres_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/focus/focustest"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// valueOf is the value of a dimension, read from the row itself.
func valueOf(r focus.Row, d cost.Dimension) string {
	if key, ok := d.TagKey(); ok {
		return r.Tags[key]
	}
	return map[cost.Dimension]string{
		cost.Provider: r.ServiceProviderName, cost.BillingAccount: r.BillingAccountID, cost.Account: r.SubAccountID,
		cost.Service: r.ServiceName, cost.ServiceCategory: r.ServiceCategory, cost.Region: r.RegionID,
		cost.ChargeCategory: r.ChargeCategory, cost.PricingCategory: r.PricingCategory, cost.Resource: r.ResourceID,
		"ResourceType": r.ResourceType, "SkuId": r.SkuID,
	}[d]
}

// sumOf adds rows up without the database: the amounts by scope, step and currency.
func sumOf(rows []focus.Row, q cost.Query) map[string]decimal.Decimal {
	sums := map[string]decimal.Decimal{}
	for _, r := range rows {
		if !q.Period.Contains(r.ChargePeriod.Start) || !admits(q.Filter, r) {
			continue
		}
		scope := cost.Scope{}
		for _, d := range q.GroupBy {
			scope[d] = valueOf(r, d)
		}
		step := q.Period.Start
		switch q.Grain {
		case cost.Daily:
			step = cost.Day(r.ChargePeriod.Start)
		case cost.Monthly:
			step = cost.MonthStart(r.ChargePeriod.Start)
		}
		amount := map[cost.Basis]decimal.Decimal{
			cost.Billed: r.BilledCost, cost.Effective: r.EffectiveCost, cost.List: r.ListCost, cost.Contracted: r.ContractedCost,
		}[q.Basis]
		key := keyOf(scope, step, r.BillingCurrency)
		sums[key] = sums[key].Add(amount)
	}
	return sums
}

func admits(where map[cost.Dimension][]string, r focus.Row) bool {
	for d, values := range where {
		if !slices.Contains(values, valueOf(r, d)) {
			return false
		}
	}
	return true
}

func keyOf(s cost.Scope, step time.Time, c cost.Currency) string {
	return step.Format(time.DateOnly) + " " + string(c) + " " + s.String()
}

func sameSums(t *testing.T, want map[string]decimal.Decimal, groups []cost.Group) {
	t.Helper()
	if len(want) == 0 || len(groups) != len(want) {
		t.Errorf("%d groups, want %d", len(groups), len(want))
	}
	for _, g := range groups {
		key := keyOf(g.Scope, g.Start, g.Currency)
		if w, ok := want[key]; !ok || !w.Equal(g.Amount) {
			t.Errorf("%s is %s, want %s", key, g.Amount, w)
		}
	}
}

func TestSumsEqualAnIndependentSumToTheLastDigit(t *testing.T) {
	t.Parallel()
	db := open(t)
	rows := slices.Collect(focustest.Rows(6000, 11))
	euros := slices.Collect(focustest.Rows(500, 12)) // another billing account, in another currency
	for i := range euros {
		euros[i].BillingCurrency, euros[i].BillingAccountID = "EUR", euros[i].BillingAccountID+"-eu"
	}
	rows = append(rows, euros...)
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, rows...))})
	week := cost.Period{Start: september.Start.AddDate(0, 0, 7), End: september.Start.AddDate(0, 0, 14)}
	for name, q := range map[string]cost.Query{
		"total":                {Period: september, Basis: cost.Billed, Grain: cost.Total},
		"provider and service": {Period: september, Basis: cost.Effective, Grain: cost.Total, GroupBy: []cost.Dimension{cost.Provider, cost.Service}},
		"daily of a week":      {Period: week, Basis: cost.List, Grain: cost.Daily, GroupBy: []cost.Dimension{cost.Region}},
		"monthly":              {Period: september, Basis: cost.Contracted, Grain: cost.Monthly, GroupBy: []cost.Dimension{cost.Account, cost.ChargeCategory, cost.PricingCategory}},
		"two of one kind":      {Period: september, Basis: cost.Billed, Grain: cost.Total, GroupBy: []cost.Dimension{cost.Service, cost.ServiceCategory}},
		"filtered":             {Period: september, Basis: cost.Billed, Grain: cost.Total, GroupBy: []cost.Dimension{cost.Service}, Filter: map[cost.Dimension][]string{cost.Provider: {"AWS", "Vultr"}, cost.ChargeCategory: {"Usage"}}},
		"resource":             {Period: week, Basis: cost.Effective, Grain: cost.Total, GroupBy: []cost.Dimension{cost.Resource}},
		"tag":                  {Period: september, Basis: cost.Effective, Grain: cost.Daily, GroupBy: []cost.Dimension{cost.Tag("team"), cost.Tag("env")}},
		"untagged":             {Period: september, Basis: cost.Effective, Grain: cost.Total, GroupBy: []cost.Dimension{cost.Provider}, Filter: map[cost.Dimension][]string{cost.Tag("team"): {"", "search"}}},
		"any other column":     {Period: september, Basis: cost.Effective, Grain: cost.Total, GroupBy: []cost.Dimension{"ResourceType", "SkuId"}},
	} {
		t.Run(name, func(t *testing.T) {
			groups, err := db.Costs(t.Context(), acme, q)
			if err != nil {
				t.Fatal(err)
			}
			sameSums(t, sumOf(rows, q), groups)
			if foreign, err := db.Costs(t.Context(), other, q); err != nil || len(foreign) > 0 {
				t.Errorf("another tenant gets %d groups, %v", len(foreign), err)
			}
		})
	}
}

func TestTheLimitKeepsTheMostExpensive(t *testing.T) {
	t.Parallel()
	db := open(t)
	rows := []focus.Row{charge("A", "1", "1", 1), charge("B", "1", "30", 2), charge("C", "1", "-5", 3), charge("D", "1", "20", 4)}
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, rows...))})
	groups, err := db.Costs(t.Context(), acme, cost.Query{Period: september, Grain: cost.Daily, GroupBy: []cost.Dimension{cost.Provider}, Limit: 2})
	if err != nil || len(groups) != 2 || groups[0].Scope[cost.Provider] != "B" || groups[1].Scope[cost.Provider] != "D" {
		t.Errorf("groups %v, %v", groups, err)
	}
}

func TestTheLimitCountsGroupsAndKeepsAllTheirSteps(t *testing.T) {
	t.Parallel()
	db := open(t)
	// "small" has the most expensive single day, "large" the most expensive month.
	rows := []focus.Row{charge("small", "1", "10", 1)}
	for day := range 4 {
		rows = append(rows, charge("large", "1", "4", day+1), charge("tiny", "1", "1", day+1))
	}
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, rows...))})
	groups, err := db.Costs(t.Context(), acme, cost.Query{Period: september, Basis: cost.Billed, Grain: cost.Daily, GroupBy: []cost.Dimension{cost.Provider}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) != 4 {
		t.Fatalf("%d steps, want the 4 days of the group that costs most", len(groups))
	}
	for i, g := range groups {
		if g.Scope[cost.Provider] != "large" || i > 0 && !g.Start.After(groups[i-1].Start) {
			t.Errorf("step %d is %s of %s", i, g.Start.Format(time.DateOnly), g.Scope[cost.Provider])
		}
	}
}

func TestQuestionsThatMakeNoSenseAreInvalid(t *testing.T) {
	t.Parallel()
	db := open(t)
	for name, q := range map[string]cost.Query{
		"no period":         {Grain: cost.Total},
		"unknown dimension": {Period: september, GroupBy: []cost.Dimension{"Weather"}},
		"a tag without key": {Period: september, GroupBy: []cost.Dimension{"Tags/"}},
		"unknown filter":    {Period: september, Filter: map[cost.Dimension][]string{"1; drop table bills": {""}}},
		"named twice":       {Period: september, GroupBy: []cost.Dimension{cost.Service, cost.Service}},
		"too many":          {Period: september, GroupBy: []cost.Dimension{cost.Service, cost.Region, cost.Account, cost.Provider, cost.Resource}},
		"unknown basis":     {Period: september, Basis: "net"},
		"unknown grain":     {Period: september, Grain: "hourly"},
	} {
		if _, err := db.Costs(t.Context(), acme, q); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
}

func TestTheSampleSumsUpToTheLastDigit(t *testing.T) {
	t.Parallel()
	text := sample(t)
	db := open(t)
	report := load(t, db, acme, ingest.Bill{File: content(text)})
	rows := readAll(t, text)
	if report.Accepted != int64(len(rows)) || report.Accepted+report.Rejected != 1000 {
		t.Errorf("accepted %d, rejected %d; read alone there are %d good rows", report.Accepted, report.Rejected, len(rows))
	}
	all := cost.Period{Start: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, basis := range cost.Bases {
		q := cost.Query{Period: all, Basis: basis, Grain: cost.Total, GroupBy: []cost.Dimension{cost.Provider, cost.Service}}
		groups, err := db.Costs(t.Context(), acme, q)
		if err != nil {
			t.Fatal(err)
		}
		sameSums(t, sumOf(rows, q), groups)
	}
	if again := load(t, db, acme, ingest.Bill{File: content(text)}); !again.Unchanged {
		t.Error("the sample was loaded twice")
	}
	var back []focus.Row
	for row, err := range db.Charges(t.Context(), acme, all, nil) {
		if err != nil {
			t.Fatal(err)
		}
		back = append(back, row)
	}
	byID := map[string]focus.Row{}
	for _, r := range back {
		byID[r.Extra["Id"]] = r
	}
	for _, want := range rows {
		sameRow(t, want, byID[want.Extra["Id"]])
	}
}

func readAll(t *testing.T, text []byte) []focus.Row {
	t.Helper()
	r, err := focus.Open(bytes.NewReader(text), int64(len(text)), "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var rows []focus.Row
	for {
		var row focus.Row
		rejection, err := r.Next(&row)
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		if rejection == nil {
			rows = append(rows, row)
		}
	}
}
