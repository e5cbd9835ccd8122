package learn_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/learn"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

var now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func usd(amount string) cost.Money {
	return cost.Money{Amount: decimal.RequireFromString(amount), Currency: "USD", Basis: cost.Effective}
}

func resized(completed bool) learn.Change {
	return learn.Change{Execution: "one", Cloud: resource.AWS, Action: plan.ResizeInstance, Targets: 12, Completed: completed, Estimated: usd("300")}
}

// days are so many alike.
func days(n int, expected, half, billed float64) []learn.Day {
	var out []learn.Day
	for i := range n {
		out = append(out, learn.Day{Day: cost.Day(now).AddDate(0, 0, i-n), Expected: expected, Low: expected - half, High: expected + half, Billed: decimal.NewFromFloat(billed)})
	}
	return out
}

func TestRealisedSavingIsCounterfactualLessBilled(t *testing.T) {
	t.Parallel()
	o := learn.Measure(resized(true), days(10, 24, 1.2, 14.4), now)
	for name, got := range map[string][2]string{
		"counterfactual": {o.Counterfactual.Amount.String(), "240"},
		"billed":         {o.Billed.Amount.String(), "144"},
		"realised":       {o.Realised.Amount.Amount.String(), "96"},
		"low":            {o.Realised.Low.Amount.String(), "84"},
		"high":           {o.Realised.High.Amount.String(), "108"},
		"a month":        {o.Monthly.Amount.Amount.String(), "292"}, // 9.60 a day, 730 hours
		"period":         {o.Period.String(), "2026-11-10..2026-11-20"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %s, want %s", name, got[0], got[1])
		}
	}
	if math.Abs(o.Ratio.Value-292.0/300) > 1e-9 || math.Abs(o.Ratio.Low-255.5/300) > 1e-9 {
		t.Errorf("ratio %+v", o.Ratio)
	}
	for _, part := range []string{"Resizing of 12 targets saves 292.00 USD a month", "255.50 USD to 328.50 USD", "10 final days", "97 % of the estimated 300.00 USD"} {
		if !strings.Contains(o.Text, part) {
			t.Errorf("%q does not say %q", o.Text, part)
		}
	}
}

func TestStateOfAnOutcomeFollowsItsDays(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]learn.State{0: learn.TooEarly, 2: learn.TooEarly, 3: learn.Preliminary, 13: learn.Preliminary, 14: learn.Final, 90: learn.Final} {
		o := learn.Measure(resized(true), days(n, 24, 1, 14), now)
		if o.State != want || o.Days != n || (o.Realised == nil) != (want == learn.TooEarly) {
			t.Errorf("%d days are %s with %v", n, o.State, o.Realised)
		}
	}
}

func TestARolledBackChangeHasNoRatio(t *testing.T) {
	t.Parallel()
	o := learn.Measure(resized(false), days(20, 24, 1, 24), now)
	if o.Ratio != nil || !o.Realised.Amount.Amount.IsZero() || !strings.Contains(o.Text, "rolled back") {
		t.Errorf("outcome %+v", o)
	}
}

func TestAChangeThatMadeItDearerIsSaid(t *testing.T) {
	t.Parallel()
	o := learn.Measure(resized(true), days(20, 24, 1, 30), now)
	if !o.Realised.Amount.Amount.IsNegative() || o.Ratio.Value >= 0 {
		t.Errorf("realised %s, ratio %v", o.Realised.Amount, o.Ratio)
	}
}

func outcome(ratio float64, state learn.State) learn.Outcome {
	return learn.Outcome{Action: plan.ResizeInstance, Cloud: resource.AWS, Completed: true, State: state, Ratio: &learn.RatioRange{Value: ratio}}
}

func TestCalibrationShrinksTowardOne(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		outcomes []learn.Outcome
		ratio    float64
		success  float64
		measured int
	}{
		"one final":             {[]learn.Outcome{outcome(0.5, learn.Final)}, (4 + 0.5) / 5, (3.6 + 1) / 5, 1},
		"preliminary half":      {[]learn.Outcome{outcome(0.5, learn.Preliminary)}, (4 + 0.25) / 4.5, (3.6 + 1) / 5, 1},
		"too early not at all":  {[]learn.Outcome{outcome(0.5, learn.TooEarly)}, 1, (3.6 + 1) / 5, 0},
		"rolled back":           {[]learn.Outcome{{Action: plan.ResizeInstance, Cloud: resource.AWS, State: learn.Final}}, 1, 3.6 / 5, 0},
		"a loss counts as none": {[]learn.Outcome{outcome(-3, learn.Final)}, 4.0 / 5, (3.6 + 1) / 5, 1},
		"an outlier is capped":  {[]learn.Outcome{outcome(90, learn.Final)}, (4 + 2.0) / 5, (3.6 + 1) / 5, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := learn.Calibrate(tt.outcomes, nil, now)
			if len(got) != 1 || math.Abs(got[0].SavingsRatio-tt.ratio) > 1e-9 || math.Abs(got[0].SuccessRate-tt.success) > 1e-9 || got[0].Measured != tt.measured {
				t.Errorf("got %+v, want ratio %v, success %v", got, tt.ratio, tt.success)
			}
		})
	}
}

func TestCalibrationLiesBetweenBeliefAndEvidence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ratios := rapid.SliceOfN(rapid.Float64Range(0, 2), 1, 30).Draw(t, "ratios")
		var all []learn.Outcome
		mean := 0.0
		for _, r := range ratios {
			all = append(all, outcome(r, learn.Final))
			mean += r / float64(len(ratios))
		}
		c := learn.Calibrate(all, nil, now)[0]
		if low, high := min(1, mean), max(1, mean); c.SavingsRatio < low-1e-9 || c.SavingsRatio > high+1e-9 {
			t.Fatalf("ratio %v is not between 1 and %v", c.SavingsRatio, mean)
		}
		if c.Low > c.SavingsRatio || c.High < c.SavingsRatio || c.SuccessRate <= 0 || c.SuccessRate >= 1 {
			t.Fatalf("interval %v to %v, success %v", c.Low, c.High, c.SuccessRate)
		}
	})
}

func TestAVersionIsAddedOnlyWhenSomethingWasLearned(t *testing.T) {
	t.Parallel()
	first := learn.Calibrate([]learn.Outcome{outcome(0.8, learn.Final)}, nil, now)
	again := learn.Calibrate([]learn.Outcome{outcome(0.8, learn.Final)}, first, now.AddDate(0, 0, 1))
	if first[0].Version != 1 || again[0] != first[0] {
		t.Errorf("the same outcomes gave %+v after %+v", again, first)
	}
	more := learn.Calibrate([]learn.Outcome{outcome(0.8, learn.Final), outcome(0.6, learn.Final)}, append(first, again...), now.AddDate(0, 0, 2))
	if more[0].Version != 2 || more[0].SavingsRatio >= first[0].SavingsRatio || !more[0].CreatedAt.After(now) {
		t.Errorf("another outcome gave %+v", more)
	}
	if !strings.Contains(more[0].Text, "2 of 2 executions completed") || !strings.Contains(more[0].Text, "70 %") {
		t.Errorf("it is explained as %q", more[0].Text)
	}
}

func TestCloudsAndActionsAreApart(t *testing.T) {
	t.Parallel()
	bad := outcome(0.1, learn.Final)
	bad.Cloud = resource.GCP
	got := learn.Calibrate([]learn.Outcome{outcome(1, learn.Final), bad}, nil, now)
	if len(got) != 2 || got[0].Cloud != resource.AWS || got[0].SavingsRatio != 1 || got[1].SavingsRatio >= 1 {
		t.Errorf("got %+v", got)
	}
}
