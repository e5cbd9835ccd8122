package trend_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/trend"
)

var monday = time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC)

func series(values []float64) cost.Series {
	return cost.Series{Basis: cost.Effective, Currency: "USD", Start: monday, Values: values, Final: len(values)}
}

func build(n int, f func(day int) float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = f(i)
	}
	return v
}

// noise is a fixed sequence in -1..1 that looks random.
func noise(i int) float64 {
	return math.Mod(math.Abs(math.Sin(float64(i)*12.9898)*43758.5453), 1)*2 - 1
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		day  func(i int) float64
		want trend.Pattern
	}{
		"constant":      {func(int) float64 { return 5 }, trend.Flat},
		"zero":          {func(int) float64 { return 0 }, trend.Flat},
		"noise":         {func(i int) float64 { return 100 + 8*noise(i) }, trend.Flat},
		"growth":        {func(i int) float64 { return 100 + 0.4*float64(i) + 8*noise(i) }, trend.Growing},
		"decline":       {func(i int) float64 { return 200 - 0.4*float64(i) + 8*noise(i) }, trend.Shrinking},
		"step up":       {func(i int) float64 { return 100 + 60*math.Floor(float64(i)/120) + 8*noise(i) }, trend.Step},
		"weekend":       {func(i int) float64 { return 100 - 50*math.Floor(float64(i%7)/5) + 4*noise(i) }, trend.Seasonal},
		"batch days":    {func(i int) float64 { return map[bool]float64{true: 900, false: 10 + noise(i)}[i%31 == 9] }, trend.Bursty},
		"spike is none": {func(i int) float64 { return map[bool]float64{true: 400, false: 100 + 8*noise(i)}[i == 100] }, trend.Flat},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := trend.Describe(series(build(210, tt.day)))
			if got.Pattern != tt.want || got.Reason == "" {
				t.Errorf("%s because %q, want %s", got.Pattern, got.Reason, tt.want)
			}
			if got.Pattern == trend.Step && (len(got.Steps) != 1 || math.Abs(got.Steps[0].Day.Sub(monday).Hours()/24-120) > 2) {
				t.Errorf("steps %+v, want one at day 120", got.Steps)
			}
		})
	}
}

func TestAveragesAndRatesByHand(t *testing.T) {
	t.Parallel()
	v := build(60, func(i int) float64 { return float64(i) }) // the last 30 days average 44.5, the 30 before 14.5
	got := trend.Describe(series(v))
	if *got.Averages.Days7 != 56 || *got.Averages.Days30 != 44.5 || got.Averages.Days90 != nil {
		t.Errorf("averages %v %v %v", *got.Averages.Days7, *got.Averages.Days30, got.Averages.Days90)
	}
	if got.Change.Day.Money != 7 || got.Change.Week.Money != 7 || got.Change.Month.Money != 30 {
		t.Errorf("changes %+v %+v %+v", got.Change.Day, got.Change.Week, got.Change.Month)
	}
	if p := *got.Change.Month.Percent; math.Abs(p-100*30/14.5) > 1e-9 {
		t.Errorf("month %f %%", p)
	}
	if math.Abs(got.Slope.PerDay-1) > 1e-9 || got.Slope.Low95 > 1 || got.Slope.High95 < 1 {
		t.Errorf("slope %+v, want 1", got.Slope)
	}
}

func TestPercentOfNothingIsUnknown(t *testing.T) {
	t.Parallel()
	got := trend.Describe(series(build(20, func(i int) float64 { return map[bool]float64{true: 8, false: 0}[i >= 13] })))
	if got.Change.Week.Money != 8 || got.Change.Week.Percent != nil {
		t.Errorf("week %+v", got.Change.Week)
	}
}

// The interval must hold the true slope about as often as it says, also when each day resembles the one before.
func TestSlopeIntervalHoldsUnderAutocorrelation(t *testing.T) {
	t.Parallel()
	held, trials := 0, 200
	for k := range trials {
		state := 0.0
		got := trend.Describe(series(build(365, func(i int) float64 {
			state = 0.6*state + noise(1000*k+i)
			return 50 + 0.02*float64(i) + state
		})))
		if got.Slope.Low95 <= 0.02 && got.Slope.High95 >= 0.02 {
			held++
		}
	}
	if share := float64(held) / float64(trials); share < 0.85 {
		t.Errorf("the 95 %% interval holds the slope in %.0f %% of the trials", 100*share)
	}
}

func TestTooLittleToSay(t *testing.T) {
	t.Parallel()
	for name, v := range map[string][]float64{"empty": nil, "unknown": {math.NaN()}, "three": {1, 2, 3}} {
		if got := trend.Describe(series(v)); got.Slope != nil || got.Reason == "" || got.Pattern != trend.Flat {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestDriversAddUpToTheChange(t *testing.T) {
	t.Parallel()
	leaf := func(service, region string, before, after float64) cost.Series {
		s := series(build(60, func(i int) float64 { return map[bool]float64{true: after, false: before}[i >= 30] }))
		s.Scope = cost.Scope{cost.Service: service, cost.Region: region}
		return s
	}
	leaves := []cost.Series{leaf("EC2", "us", 10, 14), leaf("EC2", "eu", 5, 6), leaf("S3", "us", 3, 2), leaf("RDS", "us", 7, 7)}
	got := trend.Drivers(leaves, []cost.Dimension{cost.Service}, cost.Days(monday, 30), cost.Days(monday.AddDate(0, 0, 30), 30))
	if len(got) != 2 || got[0].Scope[cost.Service] != "EC2" || got[0].Change != 150 || *got[0].Share != 1.25 || *got[1].Share != -0.25 {
		t.Errorf("drivers %+v", got)
	}
}

func TestEquivarianceAndNoNaN(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "days")
		level := rapid.Float64Range(-50, 500).Draw(t, "level")
		gap := rapid.IntRange(2, 40).Draw(t, "gap")
		v := build(n, func(i int) float64 {
			if i%gap == 1 {
				return math.NaN()
			}
			return level + 10*noise(i) + float64(i%7)
		})
		a := trend.Describe(series(v))
		b := trend.Describe(series(build(n, func(i int) float64 { return 4 * v[i] })))
		if (a.Slope == nil) != (b.Slope == nil) || a.Pattern != b.Pattern || len(a.Steps) != len(b.Steps) {
			t.Fatalf("four times the cost has another shape: %+v %+v", a, b)
		}
		if a.Slope == nil {
			return
		}
		if math.IsNaN(a.Slope.PerDay+a.Slope.Low95+a.Slope.High95+a.Seasonality) || math.IsInf(a.Slope.High95, 0) {
			t.Fatalf("%+v", a.Slope)
		}
		c := trend.Describe(series(build(n, func(i int) float64 { return v[i] + 1000 })))
		if math.Abs(c.Slope.PerDay-a.Slope.PerDay) > 1e-6 {
			t.Fatalf("a thousand more a day has slope %g, want %g", c.Slope.PerDay, a.Slope.PerDay)
		}
		if math.Abs(b.Slope.PerDay-4*a.Slope.PerDay) > 1e-9*(1+math.Abs(b.Slope.PerDay)) {
			t.Fatalf("slope %g, want %g", b.Slope.PerDay, 4*a.Slope.PerDay)
		}
	})
}
