package job_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
)

func TestAChangeNeedsTheVersionThatItChanges(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	made := o.create(monthly("1000", "compute"))
	change := made.Budget
	change.Amount.Amount = decimal.NewFromInt(5000)
	changed, err := o.Update(t.Context(), budgetTenant, change)
	if err != nil || changed.Version != 2 || !changed.CreatedAt.Equal(made.CreatedAt) || *changed.Standing(o.now).Overrun > 0.01 {
		t.Fatalf("%+v, %v", changed, err)
	}
	_, alerts := o.read("b1")
	for id, a := range alerts {
		if a.Status != budget.Withdrawn {
			t.Errorf("%s of the version before is %s", id, a.Status)
		}
	}
	if again, err := o.Update(t.Context(), budgetTenant, change); err != nil || again.Version != 2 || again.Revision != changed.Revision {
		t.Errorf("the same once more: version %d, %v", again.Version, err)
	}
	change.Amount.Amount = decimal.NewFromInt(6000)
	if _, err := o.Update(t.Context(), budgetTenant, change); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a change of version 1: %v, want a conflict", err)
	}
	change.Version, change.Filter = 2, map[cost.Dimension][]string{"Colour": {"red"}}
	if _, err := o.Update(t.Context(), budgetTenant, change); fault.Public(err).Fields[0].Name != "filter.Colour" {
		t.Errorf("an unknown dimension: %v", err)
	}
}

// Whoever comes second judges anew what the first one wrote: nothing is lost, and nothing is raised twice.
func TestJudgementsAndChangesAtTheSameTime(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	made := o.create(monthly("1000", "compute"))
	change := made.Budget
	change.Amount.Amount = decimal.NewFromInt(900)
	o.drawer.before = func() {
		if _, err := o.Update(t.Context(), budgetTenant, change); err != nil {
			t.Error(err)
		}
	}
	sum := o.judgeAll()
	b, alerts := o.read("b1")
	if b.Version != 2 || b.Standings[0].Version != 2 || b.Standings[0].Amount.Amount.String() != "900" || sum.Judged != 1 || sum.Raised != 0 {
		t.Errorf("after both: version %d, standing of %d, %+v", b.Version, b.Standings[0].Version, sum)
	}
	if len(alerts) != 6 {
		t.Errorf("%d alerts, want three of each version", len(alerts))
	}

	change.Version, change.Name = 2, "Renamed"
	o.drawer.before = func() { o.judgeAll() }
	if _, err := o.Update(t.Context(), budgetTenant, change); err != nil {
		t.Errorf("a judgement in between: %v", err)
	}
	if b, _ := o.read("b1"); b.Version != 3 || b.Name != "Renamed" {
		t.Errorf("version %d, %s", b.Version, b.Name)
	}
}

// A judgement that began before a bill came, and is overtaken by the one after it, does not put the older figures back.
func TestTheLaterBillStands(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(monthly("1000", "compute"))
	o.drawer.before = func() {
		o.bill.charge(on(11, 1), on(11, 12), "compute", "USD", func(time.Time) string { return "50" })
		o.judgeAll()
	}
	o.judgeAll()
	if b, _ := o.read("b1"); b.Standings[0].Actual.Amount.String() != "550" {
		t.Errorf("it stands at %s, want the 550 of the later bill", b.Standings[0].Actual)
	}
}

func TestABudgetThatIsDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first, second := monthly("1000"), monthly("2000")
	o.create(first)
	o.create(second)
	o.drawer.before = func() {
		if err := o.drawer.DeleteBudget(t.Context(), budgetTenant, "b1"); err != nil {
			t.Error(err)
		}
	}
	if sum := o.judgeAll(); sum.Judged != 1 {
		t.Errorf("%+v", sum)
	}
}

func TestABudgetThatNeverRestsIsNoEndlessWork(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(monthly("1000"))
	var again func()
	again = func() {
		b := o.drawer.budgets["b1"]
		b.Revision++
		o.drawer.budgets["b1"] = b
		o.drawer.before = again
	}
	o.drawer.before = again
	if _, err := o.Judge(t.Context(), budgetTenant); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("%v, want it to be tried again later", err)
	}
}
