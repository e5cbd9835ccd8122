package forecast_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/forecast"
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

func TestShapesThatHaveOneSensibleAnswer(t *testing.T) {
	t.Parallel()
	weekend := func(i int) float64 {
		if i%7 >= 5 {
			return 60
		}
		return 100
	}
	tests := map[string]struct {
		values    []float64
		model     string
		want      func(day int) float64 // of the n-th day ahead
		tolerance float64
	}{
		"constant":               {build(100, func(int) float64 { return 42.5 }), "constant", func(int) float64 { return 42.5 }, 0},
		"zero":                   {build(100, func(int) float64 { return 0 }), "constant", func(int) float64 { return 0 }, 0},
		"constant credit":        {build(100, func(int) float64 { return -3 }), "constant", func(int) float64 { return -3 }, 0},
		"one day":                {[]float64{7}, "median", func(int) float64 { return 7 }, 0},
		"two weeks":              {build(14, weekend), "seasonal-naive", weekend, 1e-9},
		"weekly":                 {build(210, weekend), "ensemble", weekend, 0.5},
		"weekly credits":         {build(210, func(i int) float64 { return -weekend(i) }), "ensemble", func(i int) float64 { return -weekend(i) }, 0.5},
		"line":                   {build(210, func(i int) float64 { return 100 + 0.5*float64(i) }), "ensemble", func(i int) float64 { return 205 + 0.5*float64(i) }, 5},
		"ceased":                 {build(210, func(i int) float64 { return max(0, float64(180-i)) }), "ceased", func(int) float64 { return 0 }, 0},
		"new level":              {build(210, func(i int) float64 { return 50 + 50*math.Floor(float64(i)/150) }), "ensemble", func(int) float64 { return 100 }, 8},
		"a spike is no new rule": {build(210, func(i int) float64 { return map[bool]float64{true: 900, false: 100 + noise(i)}[i == 195] }), "ensemble", func(int) float64 { return 100 }, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := forecast.Daily(series(tt.values), 28, nil)
			if f.Model != tt.model || f.Reason == "" {
				t.Errorf("model %q because %q, want %q", f.Model, f.Reason, tt.model)
			}
			for i, p := range f.Points {
				if want := tt.want(i); math.Abs(p.Mean-want) > tt.tolerance {
					t.Fatalf("day %d ahead: %.2f, want %.2f within %.1f", i+1, p.Mean, want, tt.tolerance)
				}
			}
		})
	}
}

func TestGapsAreNotZeros(t *testing.T) {
	t.Parallel()
	v := build(210, func(i int) float64 { return 100 + noise(i) })
	for i := range v {
		if i%11 == 3 || i > 60 && i < 72 {
			v[i] = math.NaN()
		}
	}
	for _, p := range forecast.Daily(series(v), 14, nil).Points {
		if math.Abs(p.Mean-100) > 3 {
			t.Fatalf("%s: %.1f, want about 100", p.Day.Format(time.DateOnly), p.Mean)
		}
	}
}

func TestFeeOnTheFirstIsExpectedAgain(t *testing.T) {
	t.Parallel()
	s := series(build(200, func(i int) float64 {
		if monday.AddDate(0, 0, i).Day() == 1 {
			return 500 + noise(i)
		}
		return 20 + noise(i)
	}))
	for _, p := range forecast.Daily(s, 60, nil).Points {
		want := 20.0
		if p.Day.Day() == 1 {
			want = 500
		}
		if math.Abs(p.Mean-want) > 6 {
			t.Errorf("%s: %.1f, want about %.0f", p.Day.Format(time.DateOnly), p.Mean, want)
		}
	}
}

func TestNothingToLearnFrom(t *testing.T) {
	t.Parallel()
	unsettled := series([]float64{1, 2, 3})
	unsettled.Final = 0
	for name, s := range map[string]cost.Series{"empty": series(nil), "unsettled": unsettled, "unknown": series([]float64{math.NaN(), math.NaN()})} {
		if f := forecast.Daily(s, 30, nil); len(f.Points) != 0 || f.Reason == "" || f.Model != "none" {
			t.Errorf("%s: %d points by %q", name, len(f.Points), f.Model)
		}
	}
}

func TestMonthsHoldWhatIsSettled(t *testing.T) {
	t.Parallel()
	// 6 January to 10 April: ten days of April are settled.
	f := forecast.Daily(series(build(95, func(int) float64 { return 10 })), 90, nil)
	april := f.Months[0]
	if april.Period.String() != "2025-04-01..2025-05-01" || april.Settled.String() != "100.00 USD" || april.Mean.String() != "300.00 USD" {
		t.Errorf("%s: settled %s of %s", april.Period, april.Settled, april.Mean)
	}
	if len(f.Months) != 3 || f.Months[2].Period.String() != "2025-06-01..2025-07-01" {
		t.Errorf("%d months, want the three that end within the horizon", len(f.Months))
	}
	if f.Next30.Mean.String() != "300.00 USD" || f.Next90.Mean.String() != "900.00 USD" {
		t.Errorf("next 30 days %s, next 90 days %s", f.Next30.Mean, f.Next90.Mean)
	}
	if forecast.Daily(series(build(95, func(int) float64 { return 10 })), 29, nil).Next30 != nil {
		t.Error("29 days are no 30")
	}
}

func history(t *rapid.T) []float64 {
	n := rapid.IntRange(1, 400).Draw(t, "days")
	level := rapid.Float64Range(-50, 500).Draw(t, "level")
	noisy := rapid.Float64Range(0, 80).Draw(t, "noise")
	slope := rapid.Float64Range(-1, 1).Draw(t, "slope")
	gap := rapid.IntRange(2, 40).Draw(t, "gap")
	return build(n, func(i int) float64 {
		if i%gap == 1 {
			return math.NaN()
		}
		return level + slope*float64(i) + noisy*noise(i) + float64(i%7)
	})
}

func TestIntervalsAreNestedAndFinite(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := forecast.Daily(series(history(t)), rapid.IntRange(1, 100).Draw(t, "horizon"), nil)
		for _, p := range f.Points {
			order := []float64{p.Low95, p.Low80, p.Mean, p.High80, p.High95}
			for i, v := range order {
				if math.IsNaN(v) || math.IsInf(v, 0) || i > 0 && v < order[i-1] {
					t.Fatalf("%s: %v", p.Day.Format(time.DateOnly), order)
				}
			}
		}
		for _, m := range f.Months {
			if m.Low95.Amount.GreaterThan(m.Low80.Amount) || m.Low80.Amount.GreaterThan(m.Mean.Amount) ||
				m.High95.Amount.LessThan(m.High80.Amount) || m.High80.Amount.LessThan(m.Mean.Amount) {
				t.Fatalf("%s: %s %s %s %s %s", m.Period, m.Low95, m.Low80, m.Mean, m.High80, m.High95)
			}
		}
		sum := 0.0
		for _, w := range f.Weights {
			sum += w.Weight
		}
		if len(f.Weights) > 0 && math.Abs(sum-1) > 1e-9 {
			t.Fatalf("weights sum to %f", sum)
		}
	})
}

func numbers(p forecast.Point) [5]float64 {
	return [...]float64{p.Low95, p.Low80, p.Mean, p.High80, p.High95}
}

// alike checks that got is want in another unit and with another zero.
func alike(t *rapid.T, kind string, i int, got, want [5]float64, unit, zero float64) {
	t.Helper()
	for k := range got {
		if w := want[k]*unit + zero; math.Abs(got[k]-w) > 1e-6*(1+math.Abs(w)) {
			t.Fatalf("%s %d: %v, want %g times %v and %g", kind, i, got, unit, want, zero)
		}
	}
}

// So it does by the hour, week and month, for all parts of the answer.
func TestValuesScale(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom([]int{1, 4, 12, 24, 52}).Draw(t, "season")
		level := rapid.SampledFrom([]float64{0, 300}).Draw(t, "level") // with 300 all are positive
		seed := rapid.IntRange(0, 1000).Draw(t, "seed")
		v := build(rapid.IntRange(1, 150).Draw(t, "values"), func(i int) float64 {
			return level + 20*math.Sin(2*math.Pi*float64(i)/float64(m)) + 15*noise(i+seed) + 0.3*float64(i)
		})
		factor := rapid.SampledFrom([]float64{0.25, 4, 1024}).Draw(t, "factor")
		o := forecast.Options{Seasons: forecast.Seasons(m), Fast: true}
		a, b := forecast.Values(v, 20, o), forecast.Values(build(len(v), func(i int) float64 { return v[i] * factor }), 20, o)
		for i, s := range a.Steps {
			r := b.Steps[i]
			alike(t, "step", i, [...]float64{r.Low95, r.Low80, r.Mean, r.High80, r.High95}, [...]float64{s.Low95, s.Low80, s.Mean, s.High80, s.High95}, factor, 0)
		}
	})
}

// A price in cents forecasts the same as the price in dollars, a hundred times as large.
func TestScaleEquivariance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := history(t)
		factor := rapid.SampledFrom([]float64{0.25, 4, 1024}).Draw(t, "factor") // powers of two scale without rounding
		scaled := build(len(v), func(i int) float64 { return v[i] * factor })
		a, b := forecast.Daily(series(v), 30, nil), forecast.Daily(series(scaled), 30, nil)
		for i := range a.Points {
			alike(t, "day", i, numbers(b.Points[i]), numbers(a.Points[i]), factor, 0)
		}
	})
}

// A fixed fee on top of every day is a fixed fee on top of every forecast.
func TestShiftEquivariance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := build(rapid.IntRange(60, 300).Draw(t, "days"), func(i int) float64 { return 300 + 20*noise(i) + 10*float64(i%7) })
		fee := rapid.Float64Range(1, 1000).Draw(t, "fee")
		a, b := forecast.Daily(series(v), 30, nil), forecast.Daily(series(build(len(v), func(i int) float64 { return v[i] + fee })), 30, nil)
		for i := range a.Points {
			alike(t, "day", i, numbers(b.Points[i]), numbers(a.Points[i]), 1, fee)
		}
	})
}

func TestProvisionalDaysTeachNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := history(t)
		want := forecast.Daily(series(v), 20, nil)
		later := series(append(append([]float64{}, v...), 1e6, math.NaN(), -5))
		later.Final = len(v)
		if got := forecast.Daily(later, 20, nil); !reflect.DeepEqual(got, want) {
			t.Fatal("provisional days changed the forecast")
		}
	})
}
