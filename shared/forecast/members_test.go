package forecast

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// The weights are those of the definition: votes times a power of the inverse error, none for one more than twice as wrong as the best.
func TestWeightsFollowPastErrors(t *testing.T) {
	t.Parallel()
	trials := []trial{
		{at: 20, actual: []float64{10, 10}, paths: [][]float64{{11, 11}, {12, 12}, {8.5, 8.5}, {30, 30}}},
		{at: 30, actual: []float64{10, math.NaN()}, paths: [][]float64{{9, 0}, {12, 0}, {11.5, 0}, {30, 0}}},
	}
	w := weigher{members: []member{{name: "a", vote: 1}, {name: "b", vote: 1}, {name: "c", vote: 0.5}, {name: "d", vote: 1}}, power: 2, scale: 4}
	got := w.weigh(count(trials))
	sum := 1 + 0.25 + 0.5/2.25
	for i, want := range []float64{1 / sum, 0.25 / sum, 0.5 / 2.25 / sum, 0} {
		if math.Abs(got[i].Weight-want) > 1e-12 {
			t.Errorf("%s weighs %.4f, want %.4f", got[i].Model, got[i].Weight, want)
		}
	}
	if *got[1].MASE != 0.5 {
		t.Errorf("b's error is %.3f of the scale, want .5", *got[1].MASE)
	}
}

func TestTrustGrowsWithWhatWasForetold(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]float64{30: 1, 140: 3, 900: 6} {
		if got := trust([]trial{{at: 20}}, n); got != want {
			t.Errorf("from 20 of %d values on: %g, want %g", n, got, want)
		}
	}
}

// additive is a daily series of two years from the parts that the regression knows.
func additive(noise float64, day func(i int) float64) history {
	random := rand.New(rand.NewPCG(7, 9))
	values := make([]float64, 730)
	for i := range values {
		values[i] = day(i) + noise*random.NormFloat64()
	}
	return learn(values, shape{start: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), daily: true, possible: []int{week}, ahead: 720})
}

// The parts of the additive model (Taylor and Letham 2018) are found: a bend of the trend, waves of the week and the year.
func TestRegressionFindsItsParts(t *testing.T) {
	t.Parallel()
	year := func(i int) float64 { return 25 * math.Sin(2*math.Pi*float64(i)/365.25+1) }
	for name, tt := range map[string]struct {
		day  func(i int) float64
		most float64 // mean absolute error of the 60 days ahead
	}{
		"a bend and the week": {func(i int) float64 { return 200 + 0.4*float64(max(0, i-400)) + 15*math.Floor(float64(i%7)/5) }, 10}, // the slope, which fades, adds 24 until then
		"the year":            {func(i int) float64 { return 300 + year(i) }, 3},
		"all of them":         {func(i int) float64 { return 200 + 0.1*float64(i) + year(i) - 20*math.Floor(float64(i%7)/5) }, 5},
	} {
		h := additive(3, tt.day)
		path := regression(h, 60, true)
		wrong := 0.0
		for i, v := range path {
			wrong += math.Abs(v-tt.day(730+i)) / 60
		}
		if wrong > tt.most {
			t.Errorf("%s: wrong by %.2f a day, want at most %.1f", name, wrong, tt.most)
		}
	}
}

// Without a penalty noise would bend the trend; under it the path of a flat series stays flat, and a slope fades instead of going on for
// ever.
func TestRegressionIsRegularised(t *testing.T) {
	t.Parallel()
	path := regression(additive(30, func(int) float64 { return 500 }), 90, true)
	if low, high := slices.Min(path), slices.Max(path); low < 480 || high > 520 {
		t.Errorf("a flat series goes from %.1f to %.1f", low, high)
	}
	h := additive(1, func(i int) float64 { return 100 + 0.5*float64(i) })
	far := regression(h, 720, true)
	first, last := far[30]-far[0], far[719]-far[689]
	if first < 10 || first > 16 || last > first/2 {
		t.Errorf("the slope adds %.1f in the first month and %.1f in the last", first, last)
	}
}

// The days of the month and holidays come back at the end of every member.
func TestEffectsOfDaysComeBack(t *testing.T) {
	t.Parallel()
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	day := func(i int) float64 {
		v := 100.0
		switch d := start.AddDate(0, 0, i); {
		case d.Day() == 1:
			v += 400
		case d.AddDate(0, 0, 1).Day() == 1:
			v += 150
		case d.YearDay() == 85:
			v -= 60
		}
		return v
	}
	calendar := cost.Calendar{}
	for year := range 3 {
		calendar[time.Date(2024+year, 1, 85, 0, 0, 0, 0, time.UTC)] = "Feast"
	}
	s := cost.Series{Start: start, Values: make([]float64, 800), Final: 800, Currency: "USD", Basis: cost.Effective}
	random := rand.New(rand.NewPCG(1, 9))
	for i := range s.Values {
		s.Values[i] = day(i) + random.NormFloat64()
	}
	for i, p := range Daily(s, 90, calendar).Points {
		if want := day(800 + i); math.Abs(p.Mean-want) > 12 {
			t.Errorf("%s: %.1f, want %.0f", p.Day.Format(time.DateOnly), p.Mean, want)
		}
	}
}

// Intervals from exchangeable errors hold what they say, distance by distance.
func TestCalibratedIntervalsHoldWhatTheySay(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 5))
	const horizon, rounds = 30, 400
	draw := func(i int) float64 { return random.NormFloat64() * math.Sqrt(float64(i+1)) }
	var in80, in95 [horizon]float64
	for range rounds {
		errors := make([][]float64, origins)
		for k := range errors {
			errors[k] = make([]float64, horizon)
			for i := range errors[k] {
				errors[k][i] = draw(i)
			}
		}
		b := calibrate(errors, horizon, 1)
		for i := range horizon {
			e := math.Abs(draw(i))
			in80[i] += inside(e, 0, b.half80[i]) / rounds
			in95[i] += inside(e, 0, b.half95[i]) / rounds
		}
	}
	for _, i := range []int{4, 9, 19, 29} {
		if in80[i] < 0.75 || in80[i] > 0.9 || in95[i] < 0.93 || in95[i] > 0.995 {
			t.Errorf("%d ahead: %.3f and %.3f are within", i+1, in80[i], in95[i])
		}
	}
}
