package forecast_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/forecast"
)

var (
	firstDay = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	storage  = cost.Scope{cost.Service: "S3"}
	machines = cost.Scope{cost.Service: "EC2"}
	always   = cost.Period{Start: firstDay, End: firstDay.AddDate(1, 0, 0)}
)

// steady is a forecast of so much a day, 5 % of it to the inner bounds and 10 % to the outer ones.
func steady(daily float64) forecast.Forecast {
	values := make([]float64, 200)
	for i := range values {
		values[i] = daily + float64(i%5) - 2
	}
	s := cost.Series{Currency: "USD", Basis: cost.Effective, Start: firstDay.AddDate(0, 0, -200), Values: values, Final: 200}
	f := forecast.Daily(s, 123, nil)
	for i := range f.Points {
		p := &f.Points[i]
		p.Mean, p.Low80, p.High80, p.Low95, p.High95 = daily, 0.95*daily, 1.05*daily, 0.9*daily, 1.1*daily
	}
	return f
}

// base is 100 a day: 40 of storage and 60 of machines.
func base() (forecast.Forecast, []forecast.Part) {
	whole := steady(100)
	return whole, []forecast.Part{
		{Scopes: []cost.Scope{storage}, Points: steady(40).Points},
		{Scopes: []cost.Scope{machines}, Points: steady(60).Points},
	}
}

func TestNothingChangesNothing(t *testing.T) {
	t.Parallel()
	f, parts := base()
	for i := range parts { // parts that do not sum to the whole must not move it
		for k := range parts[i].Points {
			parts[i].Points[k].Mean *= 1.1
		}
	}
	for name, changes := range map[string][]forecast.Change{
		"no change": nil, "factor 1": {forecast.Multiply(storage, 1, always)}, "no growth": {forecast.Growth(cost.Scope{}, 0, always)},
		"later than the horizon": {forecast.Add(storage, 50, cost.Days(firstDay.AddDate(1, 0, 0), 30))},
	} {
		got := forecast.Play(f, parts, changes)
		if !reflect.DeepEqual(got.Points, f.Points) || !reflect.DeepEqual(got.Months, f.Months) ||
			!reflect.DeepEqual(got.Next30, f.Next30) || !reflect.DeepEqual(got.Next90, f.Next90) {
			t.Errorf("%s: the scenario is not the base", name)
		}
	}
}

func TestChangesMoveTheMean(t *testing.T) {
	t.Parallel()
	december := cost.Month(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	half := forecast.Multiply(machines, 0.5, always)
	for name, tt := range map[string]struct {
		changes []forecast.Change
		day     string
		want    float64
	}{
		"a part doubles":                     {[]forecast.Change{forecast.Multiply(storage, 2, always)}, "2026-12-24", 140},
		"everything doubles":                 {[]forecast.Change{forecast.Multiply(cost.Scope{}, 2, always)}, "2026-12-24", 200},
		"before its date":                    {[]forecast.Change{forecast.Multiply(storage, 2, december)}, "2026-11-30", 100},
		"on its first day":                   {[]forecast.Change{forecast.Multiply(storage, 2, december)}, "2026-12-01", 140},
		"on the day after its last":          {[]forecast.Change{forecast.Multiply(storage, 2, december)}, "2027-01-01", 100},
		"money more":                         {[]forecast.Change{forecast.Add(storage, 7, december)}, "2026-12-01", 107},
		"new money doubles with its service": {[]forecast.Change{forecast.Add(storage, 10, always), forecast.Multiply(storage, 2, always)}, "2026-12-01", 160},
		"and not with another one":           {[]forecast.Change{forecast.Add(storage, 10, always), half}, "2026-12-01", 80},
		"doubled before the money came":      {[]forecast.Change{forecast.Multiply(storage, 2, always), forecast.Add(storage, 10, always)}, "2026-12-01", 150},
		"no more is saved than is there":     {[]forecast.Change{half, forecast.Add(machines, -45, always)}, "2026-12-01", 40},
		"nor what another step took":         {[]forecast.Change{forecast.Add(machines, -40, always), forecast.Add(machines, -40, always)}, "2026-12-01", 40},
		"nothing is left of nothing":         {[]forecast.Change{forecast.Add(cost.Scope{}, -1000, always), forecast.Multiply(cost.Scope{}, 9, always)}, "2026-12-01", 0},
		"the third of ten days of savings":   {[]forecast.Change{forecast.PhaseIn([]forecast.Amount{{Scope: machines, Daily: -20}}, firstDay, 10)}, "2026-11-25", 94},
		"the tenth":                          {[]forecast.Change{forecast.PhaseIn([]forecast.Amount{{Scope: machines, Daily: -20}}, firstDay, 10)}, "2026-12-02", 80},
		"all of them at once":                {[]forecast.Change{forecast.PhaseIn([]forecast.Amount{{Scope: machines, Daily: -20}}, firstDay, 0)}, "2026-11-23", 80},
		"growth of a month":                  {[]forecast.Change{forecast.Growth(cost.Scope{}, 0.1, always)}, "2026-12-22", 100 * math.Pow(1.1, 30/30.4375)},
		"growth stops and stays":             {[]forecast.Change{forecast.Growth(cost.Scope{}, 0.1, cost.Days(firstDay, 10))}, "2027-01-22", 100 * math.Pow(1.1, 10/30.4375)},
	} {
		f, parts := base()
		got := forecast.Play(f, parts, tt.changes)
		for i, p := range got.Points {
			if p.Low95 > p.Low80 || p.Low80 > p.Mean || p.Mean > p.High80 || p.High80 > p.High95 || p.Low95 < 0 {
				t.Fatalf("%s: day %d has the bounds %+v", name, i, p)
			}
			if p.Day.Format(time.DateOnly) == tt.day && math.Abs(p.Mean-tt.want) > 1e-9 {
				t.Errorf("%s: %s costs %v, want %v", name, tt.day, p.Mean, tt.want)
			}
		}
	}
}

func TestPartsAreBroughtToTheBase(t *testing.T) {
	t.Parallel()
	f, parts := base()
	for i := range parts {
		for k := range parts[i].Points {
			parts[i].Points[k].Mean *= 1.1
		}
	}
	for want, c := range map[float64]forecast.Change{
		200: forecast.Multiply(cost.Scope{}, 2, always), 140: forecast.Multiply(storage, 2, always), 0: forecast.Add(cost.Scope{}, -1e6, always),
	} {
		if got := forecast.Play(f, parts, []forecast.Change{c}).Points[40].Mean; math.Abs(got-want) > 1e-9 {
			t.Errorf("a day costs %v, want %v", got, want)
		}
	}
}

func TestIntervalsGoWithTheMoney(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change    forecast.Change
		low, high float64 // of 95 %
	}{
		"money moves them":                  {forecast.Add(storage, 50, always), 140, 160},
		"doubling everything doubles":       {forecast.Multiply(cost.Scope{}, 2, always), 180, 220},
		"halving everything halves":         {forecast.Multiply(cost.Scope{}, 0.5, always), 45, 55},
		"doubling a part adds its width":    {forecast.Multiply(storage, 2, always), 140 - 14, 140 + 14},
		"without a part, the other's width": {forecast.Multiply(storage, 0, always), 60 - 6, 60 + 6},
	} {
		f, parts := base()
		p := forecast.Play(f, parts, []forecast.Change{tt.change}).Points[40]
		if math.Abs(p.Low95-tt.low) > 1e-9 || math.Abs(p.High95-tt.high) > 1e-9 {
			t.Errorf("%s: %v to %v, want %v to %v", name, p.Low95, p.High95, tt.low, tt.high)
		}
	}
}

func TestSumsAreThoseOfTheDays(t *testing.T) {
	t.Parallel()
	f, parts := base()
	got := forecast.Play(f, parts, []forecast.Change{
		forecast.Multiply(cost.Scope{}, 2, always), forecast.Add(machines, -200.555, always), forecast.Growth(storage, 0.07, always),
	})
	for _, m := range append([]forecast.Sum{*got.Next30, *got.Next90}, got.Months...) {
		if m.Low95.Amount.GreaterThan(m.Low80.Amount) || m.Low80.Amount.GreaterThan(m.Mean.Amount) || m.High80.Amount.GreaterThan(m.High95.Amount) {
			t.Errorf("%s: bounds %+v", m.Period, m)
		}
	}
	sum := f.Next90.Mean.Amount
	for _, e := range got.Effects {
		sum = sum.Add(e.Next90.Amount.Amount)
	}
	if !sum.Equal(got.Next90.Mean.Amount) {
		t.Errorf("base and effects are %s, the scenario is %s", sum, got.Next90.Mean)
	}
	// 120 a day of machines are there, 200.555 were to be taken on each of 123 days.
	if short := got.Effects[1].NotTaken; short == nil || short.Amount.String() != "9908.27" || got.Effects[0].NotTaken != nil {
		t.Errorf("not taken: %v", short)
	}
	double := forecast.Play(f, parts, []forecast.Change{forecast.Multiply(cost.Scope{}, 2, always)})
	width := func(s forecast.Sum) float64 { return s.High95.Float() - s.Mean.Float() }
	if math.Abs(width(*double.Next30)-2*width(*f.Next30)) > 0.011 {
		t.Errorf("twice the cost has the interval %v, want twice %v", width(*double.Next30), width(*f.Next30))
	}
}

func FuzzPlay(f *testing.F) {
	f.Add(1.0, 0.0, 0.1, 100.0)
	f.Add(0.0, -1e9, -1.0, -50.0)
	f.Fuzz(func(t *testing.T, factor, amount, growth, level float64) {
		if !(factor >= 0 && factor <= 100 && math.Abs(amount) < 1e9 && growth >= -1 && growth < 10 && math.Abs(level) < 1e9) {
			t.Skip()
		}
		whole := steady(level)
		parts := []forecast.Part{{Scopes: []cost.Scope{storage}, Points: steady(level / 3).Points}, {Scopes: []cost.Scope{machines}, Points: steady(7).Points}}
		got := forecast.Play(whole, parts, []forecast.Change{
			forecast.Multiply(storage, factor, always), forecast.Add(machines, amount, always), forecast.Growth(cost.Scope{}, growth, always),
		})
		for _, p := range got.Points {
			if math.IsNaN(p.Mean+p.Low95+p.High95) || p.Low95 > p.High95 && level >= 0 {
				t.Fatalf("%+v", p)
			}
		}
	})
}
