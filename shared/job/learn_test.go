package job_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/learn"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const learner = tenant.ID("0a0a0a0a-0000-4000-8000-000000000001")

// changed is the evening on which the execution under test ran.
var changed = time.Date(2026, 11, 1, 20, 0, 0, 0, time.UTC)

// ledger is a bill, and the record of what is learned from it.
type ledger struct {
	costs      map[string][]job.DayCost
	missing    time.Time // a month whose bill is not loaded
	final      time.Time
	executions []rollout.Execution
	outcomes   map[string]learn.Outcome
	learned    []learn.Calibration
}

// bill adds a daily cost of a resource from one day before or after the change to another.
func (l *ledger) bill(id string, from, to int, usd string) {
	for d := from; d < to; d++ {
		l.costs[id] = append(l.costs[id], job.DayCost{Day: cost.Day(changed).AddDate(0, 0, d), Effective: decimal.RequireFromString(usd), Currency: "USD"})
	}
}

func (l *ledger) ResourceCosts(_ context.Context, _ tenant.ID, _ string, ids []string, period cost.Period) (map[string][]job.DayCost, error) {
	out := map[string][]job.DayCost{}
	for _, id := range ids {
		for _, d := range l.costs[id] {
			if period.Contains(d.Day) {
				out[id] = append(out[id], d)
			}
		}
	}
	return out, nil
}

func (l *ledger) FinalUntil(context.Context, tenant.ID, string) (time.Time, error) {
	if l.final.IsZero() {
		return l.final, fault.New(fault.NotFound, "No bill.")
	}
	return l.final, nil
}

func (l *ledger) Coverage(context.Context, tenant.ID) ([]ingest.Coverage, error) {
	var out []ingest.Coverage
	for m := cost.MonthStart(changed).AddDate(-1, 0, 0); m.Before(changed.AddDate(1, 0, 0)); m = m.AddDate(0, 1, 0) {
		if !m.Equal(l.missing) {
			out = append(out, ingest.Coverage{Connection: l.executions[0].Connection, Period: cost.Month(m)})
		}
	}
	return out, nil
}

func (l *ledger) CompletedExecutions(context.Context, tenant.ID) ([]rollout.Execution, error) {
	return l.executions, nil
}

func (l *ledger) Outcomes(context.Context, tenant.ID) ([]learn.Outcome, error) {
	return slices.Collect(maps.Values(l.outcomes)), nil
}

func (l *ledger) SaveOutcome(_ context.Context, _ tenant.ID, o learn.Outcome) error {
	l.outcomes[o.Execution] = o
	return nil
}

func (l *ledger) Calibrations(context.Context, tenant.ID) ([]learn.Calibration, error) {
	return l.learned, nil
}

func (l *ledger) SaveCalibration(_ context.Context, _ tenant.ID, c learn.Calibration) error {
	l.learned = []learn.Calibration{c}
	return nil
}

// archived is a ledger with one volume of 10 USD a day that was archived; its snapshot costs 4.
func archived() *ledger {
	l := &ledger{costs: map[string][]job.DayCost{}, final: cost.Day(changed).AddDate(0, 0, 21), outcomes: map[string]learn.Outcome{}}
	l.bill("vol", -60, 0, "10")
	l.bill("vol", 0, 1, "8")
	l.bill("snap", 1, 21, "4")
	ref := resource.Ref{Cloud: resource.AWS, Type: resource.Volume, ID: "vol"}
	l.executions = []rollout.Execution{{ID: "one", Recommendation: "rec", Status: rollout.Completed, StartedAt: changed, EndedAt: changed.Add(time.Hour),
		Plan:         plan.Plan{Cloud: resource.AWS, Action: plan.ArchiveVolume, Targets: []plan.Target{{Ref: ref}}},
		Estimated:    cost.Money{Amount: decimal.RequireFromString("182.5"), Currency: "USD", Basis: cost.Effective},
		Uncalibrated: cost.Money{Amount: decimal.RequireFromString("182.5"), Currency: "USD", Basis: cost.Effective},
		Journal:      []rollout.Entry{{Step: rollout.Intended, Ref: ref}, {Step: rollout.Applied, Ref: ref, Result: &rollout.Receipt{Ref: ref, Handles: map[string]string{"snapshot": "snap"}}}},
	}}
	return l
}

func (l *ledger) learn(t *testing.T) job.LearnOutput {
	t.Helper()
	j := job.Learn{Executions: l, Costs: l, Bills: l, Outcomes: l, Now: func() time.Time { return changed.AddDate(0, 0, 30) }}
	out, err := j.Run(t.Context(), job.LearnInput{Tenant: learner})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatReplacedATargetIsTakenOffItsSaving(t *testing.T) {
	t.Parallel()
	l := archived()
	out := l.learn(t)
	if len(out.Outcomes) != 1 || len(out.Insights) != 2 {
		t.Fatalf("learned %+v", out)
	}
	o := out.Outcomes[0]
	if got := o.Realised.Amount.Amount.String(); got != "120" || o.Days != 20 || o.State != learn.Final {
		t.Errorf("20 days of 10 less 4 are %s on %d days, %s", got, o.Days, o.State)
	}
	if o.Ratio == nil || o.Ratio.Value != 1 {
		t.Errorf("ratio %+v, want 1", o.Ratio)
	}
	if again := l.learn(t); len(again.Outcomes) != 0 || len(again.Calibrations) != 0 {
		t.Errorf("a final outcome was measured again: %+v", again)
	}
}

func TestWhatWasBilledBeforeTheChangeReplacesNothing(t *testing.T) {
	t.Parallel()
	l := archived()
	l.costs["snap"] = nil
	l.bill("snap", -10, 21, "4") // an older snapshot that the receipt names as well
	if got := l.learn(t).Outcomes[0].Realised.Amount.Amount.String(); got != "200" {
		t.Errorf("realised %s, want 200", got)
	}
}

func TestLearningDoesNotLearnFromItsOwnCorrections(t *testing.T) {
	t.Parallel()
	l := archived()
	l.executions[0].Estimated.Amount = decimal.RequireFromString("91.25") // halved by a calibration
	if got := l.learn(t).Outcomes[0].Ratio.Value; got != 1 {
		t.Errorf("ratio %v to the first estimate, want 1", got)
	}
}

func TestDaysWithoutAFinalBillAreNotFree(t *testing.T) {
	t.Parallel()
	for name, final := range map[string]time.Time{"no bill": {}, "a bill until the change": cost.Day(changed), "two days after": cost.Day(changed).AddDate(0, 0, 3)} {
		l := archived()
		l.final = final
		if o := l.learn(t).Outcomes[0]; o.State != learn.TooEarly || o.Realised != nil {
			t.Errorf("%s: %s with %v", name, o.State, o.Realised)
		}
	}
	l := archived()
	l.final = cost.Day(changed).AddDate(0, 0, 4)
	if o := l.learn(t).Outcomes[0]; o.State != learn.Preliminary || o.Days != 3 {
		t.Errorf("three days after: %s with %d days", o.State, o.Days)
	}
}

func TestTheDaysOfAMissingMonthAreNotFree(t *testing.T) {
	t.Parallel()
	next := cost.MonthStart(changed).AddDate(0, 1, 0)
	late := func(missing time.Time) job.LearnOutput {
		l := archived()
		l.costs["vol"], l.costs["snap"] = nil, nil
		l.bill("vol", -60, 1, "10")
		l.bill("vol", 1, 30, "6") // to the end of the month
		l.final, l.missing = next.AddDate(0, 0, 40), missing
		return l.learn(t)
	}
	if o := late(next).Outcomes[0]; o.Days != 29 || o.Realised.Amount.Amount.String() != "116" {
		t.Errorf("with the next month missing %d days saved %s, want 29 and 116", o.Days, o.Realised.Amount)
	}
	if out := late(cost.MonthStart(changed)); len(out.Outcomes) != 0 || len(out.Problems) != 1 || !strings.Contains(out.Problems[0], "The bill of November 2026 is not loaded") {
		t.Errorf("with its own month missing: %+v", out)
	}
	// Nor is a hole in the past a time when the targets cost nothing.
	if o := late(cost.MonthStart(changed).AddDate(0, -1, 0)).Problems; len(o) != 1 {
		t.Errorf("with the month before missing: %v; want no forecast from nothing", o)
	}
}

func TestWhatCannotBeMeasuredIsReported(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*ledger)
		want   string
	}{
		"never billed before": {func(l *ledger) { l.costs["vol"] = nil }, "none of its targets before the change"},
		"another currency":    {func(l *ledger) { l.executions[0].Uncalibrated.Currency = "EUR" }, "estimated in EUR"},
	} {
		l := archived()
		tt.change(l)
		out := l.learn(t)
		if len(out.Outcomes) != 0 || len(out.Problems) != 1 || !strings.Contains(out.Problems[0], tt.want) {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

// Of two executions of one target each is measured by what it did itself.
func TestOneExecutionIsNotCreditedWithTheNext(t *testing.T) {
	t.Parallel()
	two := func(days int) (first, second learn.Outcome) {
		l := archived()
		l.costs["vol"], l.costs["snap"] = nil, nil
		l.bill("vol", -60, 1, "10")
		l.bill("vol", 1, days+1, "6") // the first saves 4 a day
		l.bill("vol", days+1, 60, "1")
		l.final = cost.Day(changed).AddDate(0, 0, 60)
		next := l.executions[0]
		next.ID, next.Journal = "two", nil
		next.StartedAt, next.EndedAt = changed.AddDate(0, 0, days), changed.AddDate(0, 0, days).Add(time.Hour)
		l.executions = append(l.executions, next)
		l.learn(t)
		return l.outcomes["one"], l.outcomes["two"]
	}
	first, second := two(10)
	if got := first.Realised.Amount.Amount.String(); got != "36" || first.Days != 9 || first.State != learn.Preliminary {
		t.Errorf("9 days of 4 between the two are %s on %d days, %s", got, first.Days, first.State)
	}
	if got := second.Realised.Amount.Amount; second.State != learn.Final || got.InexactFloat64() < 4.5*float64(second.Days) || got.InexactFloat64() > 5.5*float64(second.Days) {
		t.Errorf("5 a day after the second are %s on %d days, %s", got, second.Days, second.State)
	}
	if first, _ = two(2); first.State != learn.TooEarly || !strings.Contains(first.Text, "another execution changed the targets on 2026-11-03, after one whole day,") {
		t.Errorf("%s: %s", first.State, first.Text)
	}
}

func TestDryRunsTeachNothing(t *testing.T) {
	t.Parallel()
	l := archived()
	l.executions[0].DryRun = true
	if out := l.learn(t); len(out.Outcomes) != 0 || len(out.Calibrations) != 0 {
		t.Errorf("learned %+v", out)
	}
}

func TestManyExecutionsFitIntoTheStateOfAMachine(t *testing.T) {
	t.Parallel()
	l := archived()
	for i := range 300 {
		e := l.executions[0]
		e.ID = fmt.Sprintf("execution-%03d", i)
		l.executions = append(l.executions, e)
	}
	out := l.learn(t)
	text, err := json.Marshal(out)
	if err != nil || out.Measured != 301 || len(l.outcomes) != 301 || len(text) > 100_000 {
		t.Errorf("%d measured, %d kept, %d bytes, %v", out.Measured, len(l.outcomes), len(text), err)
	}
}
