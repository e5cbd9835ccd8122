package job_test

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// imagined is a bill of 100 a day for machines, 40 for storage and 60 at another provider, with forecasts and recommendations.
type imagined struct {
	*dailyBill

	savings   []recommend.Recommendation
	executing []rollout.Execution
}

func (x *imagined) Forecasts(_ context.Context, _ tenant.ID, f job.ResultFilter) ([]job.Forecast, error) {
	var out []job.Forecast
	for _, s := range x.forecasts {
		if s.Level == f.Level && chosenBy(f, s.Scope) {
			out = append(out, s)
		}
	}
	return out, nil
}

// chosenBy reports whether a scope has what a filter names.
func chosenBy(f job.ResultFilter, s cost.Scope) bool {
	for d, v := range map[cost.Dimension]string{cost.Provider: f.Provider, cost.Account: f.Account, cost.Region: f.Region, cost.Service: f.Service} {
		if v != "" && s[d] != v {
			return false
		}
	}
	return true
}

func (x *imagined) Recommendations(_ context.Context, _ tenant.ID, f job.RecommendationFilter) ([]recommend.Recommendation, error) {
	var out []recommend.Recommendation
	for _, r := range x.savings {
		for _, s := range f.Status {
			if r.Status == s {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

func (x *imagined) Recommendation(_ context.Context, _ tenant.ID, id string) (recommend.Recommendation, error) {
	for _, r := range x.savings {
		if r.ID == id {
			return r, nil
		}
	}
	return recommend.Recommendation{}, fault.New(fault.NotFound, "There is no recommendation %s.", id)
}

func (x *imagined) Executing(context.Context, tenant.ID, string) ([]rollout.Execution, error) {
	return x.executing, nil
}

func wavy(daily float64) func(int) float64 {
	return func(i int) float64 {
		return daily * (1 + 0.1*math.Sin(float64(i)) + map[int]float64{0: -0.2, 1: -0.2}[i%7])
	}
}

// imagine has the bill analysed, so that forecasts are stored.
func imagine(t *testing.T) *imagined {
	t.Helper()
	x := &imagined{dailyBill: &dailyBill{}}
	x.add("USD", "AWS", "EC2", "i-1", wavy(70))
	x.add("USD", "AWS", "EC2", "i-2", wavy(30))
	x.add("USD", "AWS", "S3", "b-1", wavy(40))
	x.add("USD", "Google", "BigQuery", "q-1", wavy(60))
	x.analyze(t, analysed, job.AnalyzeInput{Types: []job.AnalysisType{job.Forecasts}})
	return x
}

func (x *imagined) run(in job.ScenarioInput) (job.ScenarioOutput, error) {
	s := job.Scenario{Series: x, Forecasts: x, Savings: x, Now: func() time.Time { return analysed }}
	return s.Run(context.Background(), in)
}

func (x *imagined) saves(id string, daily float64, status recommend.Status, targets ...string) {
	r := recommend.Recommendation{ID: id, Title: "Title " + id, Connection: "aws", Status: status}
	r.Saving.Monthly = cost.Money{Amount: decimal.NewFromFloat(daily * 730 / 24), Currency: "USD", Basis: cost.Effective}
	for _, target := range targets {
		r.Plan.Targets = append(r.Plan.Targets, plan.Target{Ref: resource.Ref{ID: target}})
	}
	x.savings = append(x.savings, r)
}

func ptr[T any](v T) *T { return &v }

func effectOf(t *testing.T, out job.ScenarioOutput, i int) float64 {
	t.Helper()
	if len(out.Effects) <= i || out.Effects[i].Next30 == nil {
		t.Fatalf("there is no effect %d: %+v", i, out.Effects)
	}
	return out.Effects[i].Next30.Amount.Float()
}

func TestTheBaseOfAScenarioIsTheForecast(t *testing.T) {
	t.Parallel()
	x := imagine(t)
	for name, scope := range map[string]cost.Scope{
		"the whole bill": nil, "a provider": {cost.Provider: "AWS"}, "a service": {cost.Provider: "AWS", cost.Service: "S3"},
		"an account": {cost.Provider: "AWS", cost.Account: "1"}, "a leaf": {cost.Provider: "AWS", cost.Account: "1", cost.Region: "eu", cost.Service: "S3"},
	} {
		out, err := x.run(job.ScenarioInput{Scope: scope})
		if err != nil {
			t.Fatal(err)
		}
		var want job.Forecast
		for _, f := range x.forecasts {
			if f.Scope.String() == scope.String() {
				want = f
			}
		}
		if !reflect.DeepEqual(out.Base, want) || !reflect.DeepEqual(out.Points, want.Points) || !reflect.DeepEqual(out.Next90, want.Next90) {
			t.Errorf("%s: the scenario without steps is not the stored forecast", name)
		}
		stored := x.forecasts
		x.forecasts = nil
		again, err := x.run(job.ScenarioInput{Scope: scope})
		if x.forecasts = stored; err != nil || !reflect.DeepEqual(again.Base.Forecast, want.Forecast) {
			t.Errorf("%s: a fresh forecast is another one, %v", name, err)
		}
	}
}

func TestScenarioSteps(t *testing.T) {
	t.Parallel()
	x := imagine(t)
	aws, s3 := cost.Scope{cost.Provider: "AWS"}, cost.Scope{cost.Service: "S3"}
	base, err := x.run(job.ScenarioInput{})
	if err != nil {
		t.Fatal(err)
	}
	storage, err := x.run(job.ScenarioInput{Scope: cost.Scope{cost.Provider: "AWS", cost.Service: "S3"}})
	if err != nil {
		t.Fatal(err)
	}
	whole, part := base.Base.Next30.Mean.Float(), storage.Base.Next30.Mean.Float()
	first := base.Base.Points[0].Day
	for name, tt := range map[string]struct {
		scope cost.Scope
		steps []job.ScenarioStep
		want  []float64 // next 30 days, by step
	}{
		"everything doubles":       {nil, []job.ScenarioStep{{Kind: job.FactorStep, Factor: ptr(2.0)}}, []float64{whole}},
		"a service doubles":        {nil, []job.ScenarioStep{{Kind: job.FactorStep, Factor: ptr(2.0), Scope: s3}}, []float64{part}},
		"by region and by service": {aws, []job.ScenarioStep{{Kind: job.FactorStep, Factor: ptr(0.0), Scope: s3}, {Kind: job.FactorStep, Factor: ptr(5.0), Scope: s3.With(cost.Region, "eu")}}, []float64{-part, 0}},
		"of one resource":          {nil, []job.ScenarioStep{{Kind: job.FactorStep, Factor: ptr(0.0), Scope: cost.Scope{cost.Resource: "b-1"}}}, []float64{-part}},
		"money for ten days":       {nil, []job.ScenarioStep{{Kind: job.AmountStep, Amount: ptr(decimal.NewFromInt(12)), To: first.AddDate(0, 0, 10), Scope: cost.Scope{cost.Service: "New"}}}, []float64{120}},
		"less than nothing":        {nil, []job.ScenarioStep{{Kind: job.AmountStep, Amount: ptr(decimal.NewFromInt(-1000)), Scope: s3}}, []float64{-part}},
		"growth of what is left":   {nil, []job.ScenarioStep{{Kind: job.FactorStep, Factor: ptr(0.0)}, {Kind: job.GrowthStep, Percent: ptr(50.0)}}, []float64{-whole, 0}},
	} {
		out, err := x.run(job.ScenarioInput{Scope: tt.scope, Steps: tt.steps})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, want := range tt.want {
			// Parts are brought to the base, and so differ a little from their own forecasts.
			if got := effectOf(t, out, i); math.Abs(got-want) > 0.02*math.Abs(want)+0.01 {
				t.Errorf("%s: step %d adds %v in 30 days, want %v", name, i, got, want)
			}
		}
	}
}

// What was settled after the stored forecast had been made must not move its parts.
func TestPartsAreForecastFromTheDaysOfTheBase(t *testing.T) {
	t.Parallel()
	x := imagine(t)
	in := job.ScenarioInput{Steps: []job.ScenarioStep{{Kind: job.FactorStep, Factor: ptr(2.0), Scope: cost.Scope{cost.Service: "S3"}}}}
	then, err := x.run(in)
	if err != nil {
		t.Fatal(err)
	}
	later := job.Scenario{Series: x, Forecasts: x, Savings: x, Now: func() time.Time { return analysed.AddDate(0, 0, 40) }}
	now, err := later.Run(t.Context(), in) // forty days without any cost
	if err != nil {
		t.Fatal(err)
	}
	if got, want := effectOf(t, now, 0), effectOf(t, then, 0); got != want || want == 0 {
		t.Errorf("the step adds %v, want %v as before", got, want)
	}
}

func TestRecommendationsInAScenario(t *testing.T) {
	t.Parallel()
	x := imagine(t)
	x.saves("big", 40, recommend.Approved, "i-1", "i-2")
	x.saves("same-target", 10, recommend.Open, "i-2")
	x.saves("too-much", 500, recommend.Open, "b-1")
	x.saves("unknown", 10, recommend.Open, "not-billed")
	x.saves("done", 10, recommend.Implemented, "q-1")
	run := func(steps ...job.ScenarioStep) job.ScenarioOutput {
		t.Helper()
		out, err := x.run(job.ScenarioInput{Steps: steps})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	reasons := func(e job.ScenarioEffect) map[string]string {
		out := map[string]string{}
		for _, s := range e.Recommendations.Skipped {
			out[s.ID] = s.Reason
		}
		return out
	}
	all := job.ScenarioStep{Kind: job.RecommendationsStep}

	out := run(all)
	storage := x.rows[2].Values
	daily := meanOf(storage[len(storage)-30 : len(storage)-2])
	if got, want := effectOf(t, out, 0), -30*(40+daily); math.Abs(got-want) > 0.03*math.Abs(want) {
		t.Errorf("all save %v in 30 days, want about %v: no more than storage costs", got, want)
	}
	if got := reasons(out.Effects[0]); len(got) != 2 || !strings.Contains(got["same-target"], "counts already") || !strings.Contains(got["unknown"], "no cost") {
		t.Errorf("skipped %v", got)
	}

	out = run(job.ScenarioStep{Kind: job.RecommendationsStep, Status: []recommend.Status{recommend.Approved}, OverDays: 30}, all)
	if got, want := effectOf(t, out, 0), -40*15.5; math.Abs(got-want) > 1 {
		t.Errorf("spread over 30 days they save %v, want %v", got, want)
	}
	if got := reasons(out.Effects[1]); !strings.Contains(got["big"], "counts already") {
		t.Errorf("the second step counts the first one's savings again: %v", got)
	}

	off := job.ScenarioStep{Kind: job.FactorStep, Factor: ptr(0.0), Scope: cost.Scope{cost.Service: "EC2"}}
	if out = run(off, job.ScenarioStep{Kind: job.RecommendationsStep, IDs: []string{"big"}}); effectOf(t, out, 1) != 0 || out.Effects[1].NotTaken == nil {
		t.Errorf("what is switched off saves %v more", effectOf(t, out, 1))
	}
	if out = run(job.ScenarioStep{Kind: job.RecommendationsStep, IDs: []string{"done"}}); reasons(out.Effects[0])["done"] != "It is implemented." {
		t.Errorf("%+v", out.Effects[0].Recommendations)
	}

	x.executing = []rollout.Execution{{Recommendation: "big", StartedAt: out.Base.Points[0].Day.AddDate(0, 0, -1)}}
	if out = run(all); !strings.Contains(reasons(out.Effects[0])["big"], "An execution") || len(out.Effects[0].Recommendations.Counted) != 2 {
		t.Errorf("what is being executed: %+v", out.Effects[0].Recommendations)
	}
}

func meanOf(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x / float64(len(v))
	}
	return sum
}

func TestScenariosThatCannotBe(t *testing.T) {
	t.Parallel()
	x := imagine(t)
	x.add("EUR", "OVH", "VPS", "v-1", wavy(5))
	double := job.ScenarioStep{Kind: job.FactorStep, Factor: ptr(2.0)}
	scoped := func(s cost.Scope) job.ScenarioStep { double := double; double.Scope = s; return double }
	far := analysed.AddDate(1, 0, 0)
	for field, in := range map[string]job.ScenarioInput{
		"basis":                      {Basis: "net"},
		"currency":                   {Currency: "EUR"},
		"steps":                      {Steps: make([]job.ScenarioStep, 21)},
		"steps[0].kind":              {Steps: []job.ScenarioStep{{Kind: "magic"}}},
		"steps[1].factor":            {Steps: []job.ScenarioStep{double, {Kind: job.FactorStep}}},
		"steps[0].percent_per_month": {Steps: []job.ScenarioStep{{Kind: job.FactorStep, Factor: ptr(1.0), Percent: ptr(1.0)}}},
		"steps[0].amount_per_day":    {Steps: []job.ScenarioStep{{Kind: job.AmountStep, Amount: &decimal.Zero}}},
		"steps[0].over_days":         {Steps: []job.ScenarioStep{{Kind: job.RecommendationsStep, OverDays: -1}}},
		"steps[0].status":            {Steps: []job.ScenarioStep{{Kind: job.RecommendationsStep, Status: []recommend.Status{recommend.Dismissed}}}},
		"steps[0].ids":               {Steps: []job.ScenarioStep{{Kind: job.RecommendationsStep, IDs: []string{"none"}}}},
		"steps[0].from":              {Steps: []job.ScenarioStep{{Kind: job.FactorStep, Factor: ptr(2.0), From: far}}},
		"steps[0].to":                {Steps: []job.ScenarioStep{{Kind: job.FactorStep, Factor: ptr(2.0), To: analysed.AddDate(0, 0, -9)}}},
		"steps[1].scope":             {Steps: []job.ScenarioStep{double, scoped(cost.Scope{cost.Service: "EC3"})}},
		"steps[2].scope": {Steps: []job.ScenarioStep{double, scoped(cost.Scope{cost.Service: "EC2", cost.Account: "1", cost.Region: "eu"}),
			scoped(cost.Scope{cost.Provider: "AWS", cost.Tag("team"): "a"})}},
	} {
		_, err := x.run(in)
		public := fault.Public(err)
		if public.Code != fault.Invalid || len(public.Fields) != 1 || public.Fields[0].Name != field {
			t.Errorf("want Invalid of %s, got %v", field, err)
		}
	}
	_, err := x.run(job.ScenarioInput{Scope: cost.Scope{cost.Provider: "AWS"}, Steps: []job.ScenarioStep{scoped(cost.Scope{cost.Provider: "Google"})}})
	if public := fault.Public(err); len(public.Fields) != 1 || public.Fields[0].Name != "steps[0].scope" {
		t.Errorf("outside the base: %v", err)
	}
	if _, err := x.run(job.ScenarioInput{Scope: cost.Scope{cost.Provider: "Nobody"}}); fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("a scope without costs: %v", err)
	}
	if _, err := x.run(job.ScenarioInput{Basis: cost.Billed, Steps: []job.ScenarioStep{{Kind: job.RecommendationsStep}}}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("savings in another basis: %v", err)
	}
}
