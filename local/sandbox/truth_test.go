package sandbox

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// dayCost is what one whole day costs on the bills of all clouds.
func dayCost(t testing.TB, e *Estate, day time.Time) decimal.Decimal {
	t.Helper()
	sum := decimal.Zero
	for _, cloud := range resource.Clouds {
		for _, row := range rows(t, e, cloud, day) {
			if row.ChargePeriod.Start.Equal(day) && row.ChargePeriod.End.Equal(day.AddDate(0, 0, 1)) {
				sum = sum.Add(row.EffectiveCost)
			}
		}
	}
	return sum
}

// carryOut applies a fix to all of its targets and gives the commands.
func carryOut(t testing.TB, e *Estate, f Fix) []rollout.Command {
	t.Helper()
	var out []rollout.Command
	for _, ref := range f.Targets {
		before, err := e.Actor(ref.Cloud).Capture(t.Context(), f.Action, ref)
		if err != nil {
			t.Fatal(err)
		}
		c := rollout.Command{Execution: f.ID, Fence: 1, Action: f.Action, Target: plan.Target{Ref: ref, Before: before, After: f.To}}
		apply(t, e, c)
		out = append(out, c)
	}
	return out
}

// TestBillIsLowerByTheTruth carries out every fix: the next whole day costs less by exactly what the truth says, and by
// what TrueSaving measures.
func TestBillIsLowerByTheTruth(t *testing.T) {
	t.Parallel()
	tomorrow := midnight(DefaultToday).AddDate(0, 0, 1)
	untouched := open(t, Options{})
	untouched.clock.Advance(10 * 24 * time.Hour)
	usual := dayCost(t, untouched, tomorrow)
	all, _ := untouched.view().fixes()
	if len(all) != 15 {
		t.Fatalf("%d fixes", len(all))
	}
	for _, f := range all {
		t.Run(f.ID, func(t *testing.T) {
			t.Parallel()
			e := open(t, Options{})
			commands := carryOut(t, e, f)
			e.clock.Advance(10 * 24 * time.Hour)
			less := usual.Sub(dayCost(t, e, tomorrow))
			if !less.IsPositive() || !less.Equal(f.Daily) {
				t.Errorf("the day costs %s less, the truth is %s", less, f.Daily)
			}
			if got := e.TrueSaving(f.Targets, tomorrow, tomorrow.AddDate(0, 0, 1)); !got.Equal(f.Daily) {
				t.Errorf("TrueSaving is %s, the truth is %s", got, f.Daily)
			}
			if got := e.TrueSaving(f.Targets, tomorrow.AddDate(0, 0, -30), tomorrow.AddDate(0, 0, -1)); !got.IsZero() {
				t.Errorf("before the change %s was saved", got)
			}
			for _, c := range commands {
				c.Fence = 2
				revert(t, e, c)
			}
			later := midnight(e.clock.Now()).AddDate(0, 0, 1)
			e.clock.Advance(5 * 24 * time.Hour)
			if got := e.TrueSaving(f.Targets, later, later.AddDate(0, 0, 2)); !got.IsZero() {
				t.Errorf("after the way back %s is saved", got)
			}
		})
	}
}

// TestTrueSavingOfTheDayOfTheChange follows the bill by the hour too.
func TestTrueSavingOfTheDayOfTheChange(t *testing.T) {
	t.Parallel()
	e, untouched := open(t, Options{}), open(t, Options{})
	fixes, _ := e.view().fixes()
	var refs []resource.Ref
	for _, f := range fixes[:2] {
		carryOut(t, e, f)
		refs = append(refs, f.Targets...)
	}
	for _, x := range []*Estate{e, untouched} {
		x.clock.Advance(10 * 24 * time.Hour)
	}
	today := midnight(DefaultToday)
	less := dayCost(t, untouched, today).Sub(dayCost(t, e, today))
	if got := e.TrueSaving(refs, today, today.AddDate(0, 0, 1)); !got.Equal(less) || !less.IsPositive() {
		t.Errorf("TrueSaving of the day is %s, the bill is lower by %s", got, less)
	}
}

func TestTruthNamesWhatIsWasted(t *testing.T) {
	t.Parallel()
	e := open(t, Options{Dir: t.TempDir()})
	path, err := e.WriteTruth()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got Truth
	if err := json.Unmarshal(doc, &got); err != nil {
		t.Fatal(err)
	}
	fixes, saving := map[string]int{}, decimal.Zero
	for _, f := range got.Fixes {
		fixes[string(f.Action)] += len(f.Targets)
		saving = saving.Add(f.Daily)
		if !f.Daily.IsPositive() || len(f.From) != len(f.To) {
			t.Errorf("%s: saves %s, from %v to %v", f.ID, f.Daily, f.From, f.To)
		}
	}
	if fixes["resize-instance"] != 26 || fixes["change-volume-type"] != 30 || fixes["archive-volume"] != 10 {
		t.Errorf("targets by action: %v", fixes)
	}
	if want := decimal.RequireFromString("158.86"); !saving.Round(2).Equal(want) {
		t.Errorf("all fixes save %s a day, want %s", saving.Round(2), want)
	}
	for _, trap := range got.Traps {
		if len(trap.Targets) == 0 || trap.Why == "" || !trap.Daily.IsPositive() {
			t.Errorf("%s does not look worth making: %+v", trap.ID, trap)
		}
	}
	if len(got.Traps) != 7 || len(got.Planted) != 10 || len(got.Usual) == 0 || len(got.Bills) != 4 {
		t.Errorf("%d traps, %d planted, %d usual, %d bills", len(got.Traps), len(got.Planted), len(got.Usual), len(got.Bills))
	}
	if e2 := open(t, Options{}); true {
		if _, err := e2.WriteTruth(); err == nil {
			t.Error("an estate without a folder wrote the truth")
		}
	}
}

// TestTotalsAreTheSumOfTheBills holds the totals against the rows that the collector gives.
func TestTotalsAreTheSumOfTheBills(t *testing.T) {
	t.Parallel()
	e := open(t, Options{Start: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)})
	for i, cloud := range resource.Clouds {
		want := Total{Provider: cloud.BillName()}
		for _, month := range (cost.Period{Start: e.base.Start, End: e.base.Today}).Months() {
			for _, row := range rows(t, e, cloud, month.Start) {
				want.Rows++
				want.Billed, want.Effective = want.Billed.Add(row.BilledCost), want.Effective.Add(row.EffectiveCost)
				want.List, want.Contracted = want.List.Add(row.ListCost), want.Contracted.Add(row.ContractedCost)
			}
		}
		got := e.Truth().Bills[i]
		if got.Rows != want.Rows || !got.Billed.Equal(want.Billed) || !got.Effective.Equal(want.Effective) || !got.List.Equal(want.List) || !got.Contracted.Equal(want.Contracted) {
			t.Errorf("%s: %+v, the rows say %+v", cloud, got, want)
		}
	}
}
