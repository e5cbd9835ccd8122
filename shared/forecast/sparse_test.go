package forecast_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/forecast"
)

// next90 forecasts the sum of 90 days, with the interval that holds four of five such sums.
func next90(c charge, n int) (f forecast.Forecast, low, mean, high float64) {
	f = forecast.DailyWith(billed(c, n), 123, forecast.Options{Fast: true})
	return f, f.Next90.Low80.Amount.InexactFloat64(), f.Next90.Mean.Amount.InexactFloat64(), f.Next90.High80.Amount.InexactFloat64()
}

func TestFeesFallOnTheirDays(t *testing.T) {
	t.Parallel()
	fee := plus(monthly(3000, 15), monthly(700, 31))
	for i, p := range forecast.Daily(billed(fee, 430), 123, nil).Points {
		if want := fee(p.Day, 430+i); p.Mean != want || p.Low95 != want || p.High95 != want {
			t.Errorf("%s: %.2f in %.2f..%.2f, want %.2f", p.Day.Format(time.DateOnly), p.Mean, p.Low95, p.High95, want)
		}
	}
}

// A month without the fee ends it; until then it is expected, however long its gap is.
func TestFeesEndWhenTheyDoNotCome(t *testing.T) {
	t.Parallel()
	last := 14 + 365 // 15 July 2025
	ended := func(day time.Time, i int) float64 {
		if i > last {
			return 0
		}
		return monthly(3000, 15)(day, i)
	}
	for n, want := range map[int]float64{last + 1: 6000, last + 30: 9000, last + 31: 9000, last + 36: 0, last + 60: 0} {
		if _, _, mean, _ := next90(ended, n); mean != want {
			t.Errorf("%d days settled: %.2f, want %.2f", n, mean, want)
		}
	}
}

func TestCeasedDependsOnTheUsualGap(t *testing.T) {
	t.Parallel()
	until := func(c charge, end int) charge {
		return func(day time.Time, i int) float64 {
			if i >= end {
				return 0
			}
			return c(day, i)
		}
	}
	tests := map[string]struct {
		cost  charge
		n     int
		model string
	}{
		"a load, four weeks ago":            {until(load, 300), 328, "ceased"},
		"a load, a day less":                {until(load, 300), 327, "ensemble"},
		"a monthly fee, a month ago":        {monthly(3000, 15), 379, "charges"},
		"a monthly fee, three months ago":   {until(monthly(3000, 15), 300), 390, "ceased"},
		"a quarterly fee, three months ago": {every(monthly(3000, 15), 1, 4, 7, 10), 471, "charges"},
	}
	for name, tt := range tests {
		if f, _, _, _ := next90(tt.cost, tt.n); f.Model != tt.model || f.Reason == "" {
			t.Errorf("%s: model %q because %q, want %q", name, f.Model, f.Reason, tt.model)
		}
	}
}

// Charges without a rhythm come as often as they did, and their sum scatters as it did.
func TestChargesWithoutRhythmComeAsOften(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(4, 2))
	drawn := build(900, func(int) float64 {
		amount := 500 * (0.5 + dice.Float64())
		if dice.Float64() < 0.05 {
			return amount
		}
		return 0
	})
	random := func(_ time.Time, i int) float64 { return drawn[i] }
	truth := ahead(random, 0, 900) / 10
	covered, all := 0, 0
	for n := 430; n < 790; n += 6 {
		f, low, mean, high := next90(random, n)
		if f.Model != "charges" || mean < truth/2 || mean > 2*truth || low >= mean || high <= mean {
			t.Errorf("%d days settled: %.0f in %.0f..%.0f by %q, want about %.0f", n, mean, low, high, f.Model, truth)
		}
		all++
		if actual := ahead(random, n, 90); low <= actual && actual <= high {
			covered++
		}
	}
	if share := float64(covered) / float64(all); share < 0.7 {
		t.Errorf("%.0f %% of the sums lie in the interval that should hold 80 %%", 100*share)
	}
}

func TestLoadThatBeginsIsNoCharge(t *testing.T) {
	t.Parallel()
	begins := func(day time.Time, i int) float64 {
		if i < 200 {
			return 0
		}
		return load(day, i)
	}
	for n := 204; n < 230; n++ {
		if f, _, mean, _ := next90(begins, n); f.Model != "ensemble" || mean < 2000 {
			t.Errorf("%d days of the load: %.0f by %q, want about 8250", n-200, mean, f.Model)
		}
	}
}

func TestOneChargeIsNoFee(t *testing.T) {
	t.Parallel()
	once := func(_ time.Time, i int) float64 { return map[int]float64{60: 5000}[i] }
	for _, n := range []int{61, 70, 88} {
		if f, _, mean, _ := next90(once, n); mean != 0 {
			t.Errorf("%d days settled: %.2f by %q, want nothing", n, mean, f.Model)
		}
	}
}

// A fee that grows is followed, one whose amount scatters is not chased.
func TestAmountsOfFeesFollowWhatTheyDid(t *testing.T) {
	t.Parallel()
	scattered := func(day time.Time, i int) float64 { return monthly(1000, 15)(day, i) * (1 + 0.1*noise(i)) }
	for name, tt := range map[string]struct {
		fee charge
		off float64
	}{"growing by a tenth a month": {growing(monthly(1000, 15), 0.0033), 0.02}, "scattered": {scattered, 0.15}} {
		for n := 430; n < 490; n += 5 {
			_, _, mean, _ := next90(tt.fee, n)
			if want := ahead(tt.fee, n, 90); math.Abs(mean/want-1) > tt.off {
				t.Errorf("%s, %d days settled: %.0f, want %.0f", name, n, mean, want)
			}
		}
	}
}
