package postgres_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// budgetOf is a budget that stands in the given periods, the latest first.
func budgetOf(id, name string, c budget.Cadence, periods ...cost.Period) job.JudgedBudget {
	b := job.JudgedBudget{Budget: budget.Budget{
		ID: id, Name: name, Version: 1, Cadence: c, Thresholds: []budget.Threshold{{On: budget.Actual, Percent: 80}}, CreatedAt: september.Start,
		Amount: cost.Money{Amount: decimal.RequireFromString("1234.5678"), Currency: "USD", Basis: cost.Effective},
		Filter: map[cost.Dimension][]string{cost.Tag("team"): {"a", ""}},
	}}
	for _, p := range periods {
		b.Standings = append(b.Standings, budget.Standing{Version: 1, Period: p, At: p.Start, Amount: b.Amount, Reached: []budget.Reached{}, Reasons: []string{"why"}})
	}
	return b
}

func alertOf(b job.JudgedBudget, n int) budget.Alert {
	raised := september.Start.Add(time.Duration(n/2) * time.Hour).Add(123456789) // two at a time, finer than the database tells
	return budget.Alert{ID: fmt.Sprintf("a%d", n), Budget: b.ID, Version: 1, Period: september, Status: budget.Raised, RaisedAt: raised, Value: b.Amount, Limit: b.Amount}
}

func budgetStore(t *testing.T) *postgres.DB {
	t.Helper()
	db := open(t)
	for _, id := range []tenant.ID{acme, other} {
		if err := db.SaveTenant(t.Context(), id, "T"); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestABudgetComesBackAsItWent(t *testing.T) {
	t.Parallel()
	db := budgetStore(t)
	b := budgetOf("b1", "Production", budget.Monthly, september)
	if err := db.CreateBudget(t.Context(), acme, b, []budget.Alert{alertOf(b, 0)}, 9); err != nil {
		t.Fatal(err)
	}
	got, err := db.Budget(t.Context(), acme, "b1")
	if err != nil || !got.Same(b.Budget) || got.Version != 1 || got.Revision != 1 || len(got.Standings) != 1 || got.Standings[0].Period != september || got.Standings[0].Reasons[0] != "why" {
		t.Errorf("%+v, %v", got, err)
	}
	for name, err := range map[string]error{
		"another of this name": db.CreateBudget(t.Context(), acme, budgetOf("b2", "Production", budget.Monthly), nil, 9),
		"one too many":         db.CreateBudget(t.Context(), acme, budgetOf("b3", "More", budget.Monthly), nil, 1),
	} {
		if fault.CodeOf(err) != fault.Conflict {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
	// Another tenant has names and identifiers of its own, and sees none of these.
	if err := db.CreateBudget(t.Context(), other, budgetOf("b1", "Production", budget.Monthly), nil, 1); err != nil {
		t.Error(err)
	}
	if err := db.DeleteBudget(t.Context(), other, "b1"); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"deleting it":  db.DeleteBudget(t.Context(), other, "b1"),
		"replacing it": db.ReplaceBudget(t.Context(), other, got, nil),
	} {
		if fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s by somebody else: %v", name, err)
		}
	}
	if err := db.DeleteBudget(t.Context(), acme, "b1"); err != nil {
		t.Fatal(err)
	}
	alerts, err := db.BudgetAlerts(t.Context(), acme, job.AlertFilter{Budget: "b1"})
	if err != nil || len(alerts) != 0 {
		t.Errorf("its alerts outlived it: %v, %v", alerts, err)
	}
}

func TestAWriteHoldsToWhatWasRead(t *testing.T) {
	t.Parallel()
	db := budgetStore(t)
	for _, b := range []job.JudgedBudget{budgetOf("b1", "One", budget.Monthly, september), budgetOf("b2", "Two", budget.Monthly, september)} {
		if err := db.CreateBudget(t.Context(), acme, b, nil, 9); err != nil {
			t.Fatal(err)
		}
	}
	read, err := db.Budget(t.Context(), acme, "b1")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.ReplaceBudget(t.Context(), acme, read, nil); err != nil {
		t.Fatal(err)
	}
	late := read
	late.Name = "Late"
	if err := db.ReplaceBudget(t.Context(), acme, late, []budget.Alert{alertOf(late, 0)}); fault.CodeOf(err) != fault.Drifted {
		t.Errorf("a write of what was read before another: %v", err)
	}
	late.Revision++
	late.Name = "Two"
	if err := db.ReplaceBudget(t.Context(), acme, late, []budget.Alert{alertOf(late, 0)}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("the name of another: %v", err)
	}
	alerts, err := db.BudgetAlerts(t.Context(), acme, job.AlertFilter{Budget: "b1"})
	if now, _ := db.Budget(t.Context(), acme, "b1"); err != nil || len(alerts) != 0 || now.Name != "One" || now.Revision != 2 {
		t.Errorf("writes that failed left %+v, %v", alerts, now)
	}
}

// A write that breaks off leaves nothing of itself: budget, standings and alerts come together.
func TestAWriteThatBreaksOffLeavesNothing(t *testing.T) {
	t.Parallel()
	db := budgetStore(t)
	b := budgetOf("b1", "One", budget.Monthly, september)
	spoiled := alertOf(b, 1)
	spoiled.Message = "not \x00 text"
	if err := db.CreateBudget(t.Context(), acme, b, []budget.Alert{alertOf(b, 0), spoiled}, 9); err == nil {
		t.Fatal("a text that the database cannot hold was stored")
	}
	if _, err := db.Budget(t.Context(), acme, "b1"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("half a budget is there: %v", err)
	}
	if err := db.CreateBudget(t.Context(), acme, b, nil, 9); err != nil {
		t.Fatal(err)
	}
	read, err := db.Budget(t.Context(), acme, "b1")
	if err != nil {
		t.Fatal(err)
	}
	read.Standings[0].Reasons = []string{"newer"}
	if err := db.ReplaceBudget(t.Context(), acme, read, []budget.Alert{spoiled}); err == nil {
		t.Fatal("a text that the database cannot hold was stored")
	}
	if now, err := db.Budget(t.Context(), acme, "b1"); err != nil || now.Revision != 1 || now.Standings[0].Reasons[0] != "why" {
		t.Errorf("half a judgement is there: %+v, %v", now, err)
	}
}

func TestTheLastPlaceIsGivenOnce(t *testing.T) {
	t.Parallel()
	db := budgetStore(t)
	const most, tries = 3, 8
	var wg sync.WaitGroup
	made := make(chan error, tries)
	for i := range tries {
		wg.Go(func() {
			made <- db.CreateBudget(t.Context(), acme, budgetOf(fmt.Sprint("b", i), fmt.Sprint("Budget ", i), budget.Monthly), nil, most)
		})
	}
	wg.Wait()
	close(made)
	n := 0
	for err := range made {
		switch {
		case err == nil:
			n++
		case fault.CodeOf(err) != fault.Conflict:
			t.Error(err)
		}
	}
	if all, err := db.Budgets(t.Context(), acme, job.BudgetFilter{}); err != nil || n != most || len(all) != most {
		t.Errorf("%d were made and %d are there, want %d: %v", n, len(all), most, err)
	}
}

// The running period takes the place of what it overlaps; periods that are over stay.
func TestABudgetThatTurnsFromQuartersToMonths(t *testing.T) {
	t.Parallel()
	db := budgetStore(t)
	third := budget.Quarterly.Period(september.Start)
	second := budget.Quarterly.Period(third.Start.AddDate(0, 0, -1))
	if err := db.CreateBudget(t.Context(), acme, budgetOf("b1", "One", budget.Quarterly, third, second), nil, 9); err != nil {
		t.Fatal(err)
	}
	monthly := budgetOf("b1", "One", budget.Monthly, september, budget.Monthly.Period(september.Start.AddDate(0, 0, -1)))
	monthly.Revision = 1
	if err := db.ReplaceBudget(t.Context(), acme, monthly, nil); err != nil {
		t.Fatal(err)
	}
	got, err := db.Budget(t.Context(), acme, "b1")
	var periods []string
	for _, s := range got.Standings {
		periods = append(periods, s.Period.String())
	}
	if want := "[2026-09-01..2026-10-01 2026-08-01..2026-09-01 2026-04-01..2026-07-01]"; err != nil || fmt.Sprint(periods) != want {
		t.Errorf("%v, want %s: %v", periods, want, err)
	}
	if s := got.Standing(september.Start.AddDate(0, 0, 3)); s == nil || s.Period != september {
		t.Errorf("now stands %+v", s)
	}
}

func TestAlertsComeLatestFirstPageByPage(t *testing.T) {
	t.Parallel()
	db := budgetStore(t)
	b := budgetOf("b1", "One", budget.Monthly, september)
	var alerts []budget.Alert
	for i := range 7 {
		alerts = append(alerts, alertOf(b, i))
	}
	alerts[3].Status = budget.Withdrawn
	alerts[4].Period = budget.Monthly.Period(september.End)
	if err := db.CreateBudget(t.Context(), acme, b, alerts, 9); err != nil {
		t.Fatal(err)
	}
	read := func(f job.AlertFilter) string {
		var ids []string
		f.Budget = "b1"
		for {
			page, err := db.BudgetAlerts(t.Context(), acme, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page {
				ids = append(ids, a.ID)
			}
			if f.Limit == 0 || len(page) < f.Limit {
				return strings.Join(ids, " ")
			}
			f.AfterRaised, f.AfterID = page[len(page)-1].RaisedAt, page[len(page)-1].ID
		}
	}
	for want, f := range map[string]job.AlertFilter{
		"a6 a5 a4 a3 a2 a1 a0": {Limit: 2},
		"a6 a5 a3 a2 a1 a0":    {Period: &september},
		"a3":                   {Status: []budget.AlertStatus{budget.Withdrawn}, Limit: 2},
	} {
		if got := read(f); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
}

// The database itself keeps the standings and alerts of tenants apart, and with their budgets.
func TestStandingsBelongToTheirBudget(t *testing.T) {
	t.Parallel()
	target := pgtest.URL(t)
	db, err := postgres.Open(t.Context(), postgres.Options{URL: target})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.SaveTenant(t.Context(), acme, "T"); err != nil {
		t.Fatal(err)
	}
	b := budgetOf("b1", "One", budget.Monthly, september)
	if err := db.CreateBudget(t.Context(), acme, b, []budget.Alert{alertOf(b, 0)}, 9); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	for _, table := range []string{"budgets", "budget_standings", "budget_alerts"} {
		as(t, conn, string(acme))
		if n := count(t, conn, table); n != 1 {
			t.Errorf("%s: its owner sees %d rows, want 1", table, n)
		}
		as(t, conn, stranger)
		if n := count(t, conn, table); n != 0 {
			t.Errorf("%s: a stranger sees %d rows", table, n)
		}
	}
}
