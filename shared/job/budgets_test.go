package job_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
)

func TestANewBudgetIsJudgedAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	made := o.create(monthly("2000", "compute"))
	if made.ID != "b1" || made.Version != 1 || made.Amount.Basis != cost.Effective || len(made.Thresholds) != 3 || len(made.Standings) != 1 {
		t.Fatalf("%+v", made)
	}
	s := made.Standing(o.now)
	// Ten settled days and the eleventh, provisional: exact, as the bill has them.
	want, provisional := decimal.Zero, decimal.Zero
	for d := 1; d <= 11; d++ {
		amount := decimal.RequireFromString(weekly(on(11, d)))
		want = want.Add(amount)
		if d > 9 {
			provisional = provisional.Add(amount)
		}
	}
	if !s.Actual.Amount.Equal(want) || !s.Provisional.Amount.Equal(provisional) {
		t.Errorf("spent %s, of it provisional %s; want %s and %s", s.Actual, s.Provisional, want, provisional)
	}
	if e := s.Expected; e == nil || e.Mean.Float() < 2800 || e.Mean.Float() > 3150 || *s.Overrun < 0.99 {
		t.Errorf("expected %+v", e)
	}
	if b := s.Break; b == nil || b.Happened || b.Expected == nil || b.Expected.Before(on(11, 19)) || b.Expected.After(on(11, 22)) {
		t.Errorf("breaks %+v", b)
	}
	_, alerts := o.read("b1")
	if len(alerts) != 1 || alerts["2026-11-01/v1/forecast/100"].Message == "" {
		t.Errorf("alerts %+v", alerts)
	}
}

func TestAnAlertOutlivesJudgementsAndFollowsTheBill(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(monthly("1000", "compute")) // of which 1,100 are spent
	if sum := o.judgeAll(); sum != (job.BudgetSummary{Judged: 1, Reached: 1}) {
		t.Errorf("judged again: %+v", sum)
	}
	_, first := o.read("b1")
	if len(first) != 3 {
		t.Fatalf("alerts %v", first)
	}
	o.now = o.now.Add(24 * time.Hour)
	o.bill.charge(on(11, 1), on(11, 12), "compute", "USD", func(time.Time) string { return "75" }) // restated: 825
	if sum := o.judgeAll(); sum.Raised != 0 {
		t.Errorf("the restated bill raised %d", sum.Raised)
	}
	_, alerts := o.read("b1")
	reached, gone := alerts["2026-11-01/v1/actual/80"], alerts["2026-11-01/v1/actual/100"]
	if len(alerts) != 3 || reached.Status != budget.Raised || gone.Status != budget.Withdrawn || !gone.RaisedAt.Equal(first[gone.ID].RaisedAt) || !gone.WithdrawnAt.Equal(o.now) {
		t.Errorf("%+v\n%+v", reached, gone)
	}
}

func TestAPeriodIsJudgedUntilItIsSettled(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(monthly("2900", "compute"))
	o.bill.charge(on(11, 12), on(12, 6), "compute", "USD", weekly)
	o.bill.reported, o.now = on(12, 6), on(12, 6).Add(time.Hour)
	o.judgeAll()
	b, _ := o.read("b1")
	if len(b.Standings) != 2 || b.Standings[0].Period != budget.Monthly.Period(on(12, 1)) {
		t.Fatalf("standings %+v", b.Standings)
	}
	november := b.Standings[1]
	exact := decimal.Zero
	for d := on(11, 1); d.Before(on(12, 1)); d = d.AddDate(0, 0, 1) {
		exact = exact.Add(decimal.RequireFromString(weekly(d)))
	}
	if !november.Settled || !november.Actual.Amount.Equal(exact) || !november.Expected.High95.Amount.Equal(exact) || *november.Overrun != 1 || !november.Break.Happened {
		t.Errorf("november ended at %s, want %s: %+v", november.Actual, exact, november)
	}
}

func TestAQuarterBeginsInOctoberAndNotWithTheBudget(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := monthly("10000")
	b.Cadence = budget.Quarterly
	s := o.create(b).Standing(o.now)
	want := decimal.NewFromInt(20 * 42)
	for d := on(10, 1); d.Before(on(11, 12)); d = d.AddDate(0, 0, 1) {
		want = want.Add(decimal.RequireFromString(weekly(d)))
	}
	if s.Period != (cost.Period{Start: on(10, 1), End: on(10, 1).AddDate(0, 3, 0)}) || !s.Actual.Amount.Equal(want) || s.Overrun == nil {
		t.Errorf("%s: %s, want %s; overrun %v", s.Period, s.Actual, want, s.Overrun)
	}
}

// What cannot be told is null and has a reason; it is never zero.
func TestWhatABudgetDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change   func(o *office, b *budget.Budget)
		spent    bool // what the bill shows is known all the same
		expected bool
		reason   string
	}{
		"no bill":             {func(o *office, _ *budget.Budget) { o.bill.days = nil }, false, false, "No bill of the last 18 months"},
		"nothing of the kind": {func(_ *office, b *budget.Budget) { b.Filter = map[cost.Dimension][]string{cost.Service: {"tape"}} }, false, false, "what the filter asks for"},
		"another currency":    {func(_ *office, b *budget.Budget) { b.Amount.Currency = "EUR" }, false, false, "they are in USD"},
		"several currencies": {func(o *office, _ *budget.Budget) {
			o.bill.charge(on(10, 1), on(11, 12), "compute", "EUR", func(time.Time) string { return "7" })
		}, true, true, "Some of these costs are in EUR"},
		"thirteen days": {func(o *office, _ *budget.Budget) {
			for at := range o.bill.days {
				if at.day.Before(on(10, 28)) {
					delete(o.bill.days, at)
				}
			}
		}, true, false, "Only 13 days"},
		"a bill that begins within the period": {func(o *office, _ *budget.Budget) {
			for at := range o.bill.days {
				if at.day.Before(on(11, 5)) {
					delete(o.bill.days, at)
				}
			}
		}, true, false, "The bills begin on 5 November 2026"},
		"a bill a week late":         {func(o *office, _ *budget.Budget) { o.cut(on(11, 3)) }, true, true, "The last settled day is 2 November 2026"},
		"a bill of the month before": {func(o *office, _ *budget.Budget) { o.cut(on(10, 20)) }, false, true, "No bill shows a day of the period yet"},
		"a bill of summer":           {func(o *office, _ *budget.Budget) { o.cut(on(9, 1)) }, false, false, "73 days ago"},
	} {
		o := newOffice(t)
		b := monthly("100")
		tt.change(o, &b)
		s := o.create(b).Standing(o.now)
		if (s.Actual != nil) != tt.spent || (s.Expected != nil) != tt.expected || (s.Overrun != nil) != tt.expected {
			t.Errorf("%s: spent %v, expected %v, overrun %v", name, s.Actual, s.Expected, s.Overrun)
		}
		if !slices.ContainsFunc(s.Reasons, func(r string) bool { return strings.Contains(r, tt.reason) }) {
			t.Errorf("%s: says %q, want %q", name, s.Reasons, tt.reason)
		}
		if _, alerts := o.read("b1"); !tt.spent && !tt.expected && len(alerts) > 0 {
			t.Errorf("%s: raised %v", name, alerts)
		}
	}
}

// cut ends the bill.
func (o *office) cut(reported time.Time) {
	o.bill.reported = reported
	for at := range o.bill.days {
		if !at.day.Before(reported) {
			delete(o.bill.days, at)
		}
	}
}

func TestAnOldJudgementSaysThatItIsOld(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	made := o.create(monthly("1000"))
	before := len(made.Standings[0].Reasons)
	for after, want := range map[time.Duration]int{3 * 24 * time.Hour: before, 3*24*time.Hour + 1: before + 1} {
		if s := made.Standing(o.now.Add(after)); s == nil || len(s.Reasons) != want {
			t.Errorf("after %s: %+v", after, s)
		}
	}
	if len(made.Standings[0].Reasons) != before {
		t.Error("what is stored was changed")
	}
	if s := made.Standing(on(12, 2)); s != nil {
		t.Errorf("December was never judged, and stands %+v", s)
	}
}

func TestBudgetsOfTheSameCostsShareAForecast(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, amount := range []string{"1", "2", "3"} {
		o.create(monthly(amount, "compute"))
	}
	o.bill.asked = 0
	if sum := o.judgeAll(); sum.Judged != 3 || o.bill.asked != 1 {
		t.Errorf("%d budgets were judged with %d series", sum.Judged, o.bill.asked)
	}
}

func TestUpcomingAndEndedBudgets(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	later := monthly("100")
	later.Name, later.Start = "Later", on(12, 1)
	past := monthly("100")
	past.Name, past.End = "Past", on(11, 1)
	for _, b := range []budget.Budget{later, past} {
		made := o.create(b)
		if made.Standing(o.now) != nil || len(made.Standings) != 0 {
			t.Errorf("%s (%s) stands %+v", b.Name, made.Status(o.now), made.Standings)
		}
	}
	if sum := o.judgeAll(); sum != (job.BudgetSummary{Judged: 2}) {
		t.Errorf("%+v", sum)
	}
}

func TestAnalysesAreFollowedByJudgement(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(monthly("100"))
	nothing := fault.New(fault.Unprocessable, "There are no costs.")
	broken := fault.New(fault.Unavailable, "The database is not reachable.")
	part := cost.Days(on(11, 1), 3)
	for name, tt := range map[string]struct {
		in     job.AnalyzeInput
		err    error
		judged bool
	}{
		"the whole bill":    {job.AnalyzeInput{Tenant: budgetTenant}, nil, true},
		"without any costs": {job.AnalyzeInput{Tenant: budgetTenant}, nothing, true},
		"that failed":       {job.AnalyzeInput{Tenant: budgetTenant}, broken, false},
		"a part":            {job.AnalyzeInput{Tenant: budgetTenant, Filter: cost.Scope{cost.Service: "compute"}}, nil, false},
		"a period":          {job.AnalyzeInput{Tenant: budgetTenant, Period: &part}, nil, false},
	} {
		before, _ := o.read("b1")
		out, err := job.AnalyzeAndJudge{Analysis: analysedBefore{tt.err}, Budgets: o.Budgets}.Run(t.Context(), tt.in)
		after, _ := o.read("b1")
		if fault.CodeOf(err) != fault.CodeOf(tt.err) || (out.Budgets != nil) != tt.judged || (after.Revision > before.Revision) != tt.judged {
			t.Errorf("%s: %v, %+v", name, err, out.Budgets)
		}
	}
}

// analysedBefore is an analysis that is over.
type analysedBefore struct{ err error }

func (a analysedBefore) Run(context.Context, job.AnalyzeInput) (job.AnalyzeOutput, error) {
	return job.AnalyzeOutput{}, a.err
}

var _ job.BudgetJudge = job.Budgets{}
