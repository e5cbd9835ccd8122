package api_test

import (
	"sync"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
)

// People change a budget while loads judge it, over the real record: of the changes of one version one wins, and what is stored in the
// end is that one with its own standing and alerts.
func TestManyWritersOfOneBudget(t *testing.T) {
	t.Parallel()
	x := newBudgeting(t)
	made, err := x.keep.Create(t.Context(), shop, budget.Budget{Name: "Compute", Cadence: budget.Monthly, Amount: cost.Money{Amount: decimal.NewFromInt(50), Currency: "USD"}})
	if err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 3 {
		writers.Go(func() {
			if _, err := x.keep.Judge(t.Context(), shop); err != nil && fault.CodeOf(err) != fault.Unavailable {
				t.Errorf("judging: %v", err)
			}
		})
		writers.Go(func() {
			change := made.Budget
			change.Amount.Amount = decimal.NewFromInt(int64(60 + i))
			switch _, err := x.keep.Update(t.Context(), shop, change); {
			case err == nil:
				mu.Lock()
				won++
				mu.Unlock()
			case fault.CodeOf(err) != fault.Conflict && fault.CodeOf(err) != fault.Unavailable:
				t.Errorf("changing: %v", err)
			}
		})
	}
	writers.Wait()
	b, err := x.budgets.Record.Budget(t.Context(), shop, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	s := b.Standing(fixedNow())
	if won != 1 || b.Version != 2 || s == nil || s.Version != 2 || !s.Amount.Amount.Equal(b.Amount.Amount) {
		t.Errorf("%d changes won; version %d stands %+v", won, b.Version, s)
	}
	alerts, err := x.budgets.Record.BudgetAlerts(t.Context(), shop, job.AlertFilter{Budget: made.ID})
	if err != nil || len(alerts) != 6 {
		t.Errorf("%d alerts, want three of each version: %v", len(alerts), err)
	}
	for _, a := range alerts {
		if (a.Status == budget.Raised) != (a.Version == 2) {
			t.Errorf("%s is %s", a.ID, a.Status)
		}
	}
}
