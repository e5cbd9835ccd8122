package forecast_test

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/cost-agent/cost-agent/shared/forecast"
)

func TestPathsAreSpreadAboutTheForecast(t *testing.T) {
	t.Parallel()
	s := series(build(300, func(i int) float64 { return 100 + 20*noise(i) }))
	p := forecast.DailyPaths(s, 40, 30, 1000, forecast.Options{})
	if !reflect.DeepEqual(p.Forecast, forecast.Daily(s, 40, nil)) {
		t.Error("the forecast is another one than without paths")
	}
	if len(p.Days) != 1000 || len(p.Days[0]) != 30 {
		t.Fatalf("%d paths of %d days", len(p.Days), len(p.Days[0]))
	}
	mean := 0.0
	for _, point := range p.Points[:30] {
		mean += point.Mean
	}
	var sums []float64
	for _, path := range p.Days {
		sum := 0.0
		for _, v := range path {
			sum += v
		}
		sums = append(sums, sum)
	}
	slices.Sort(sums)
	// A uniform noise of deviation 20/sqrt(3) on 30 days has a sum of deviation 63; few and overlapping stretches tell it roughly.
	half := (sums[899] - sums[99]) / 2
	if math.Abs(sums[499]-mean) > 5 || half < 40 || half > 200 {
		t.Errorf("median %.0f of mean %.0f, half of 80 %% %.0f", sums[499], mean, half)
	}
	if !reflect.DeepEqual(p.Days, forecast.DailyPaths(s, 40, 30, 1000, forecast.Options{}).Days) {
		t.Error("the same series gave other paths")
	}
}

func TestPathsOfShapesWithoutErrorsOfTheirOwn(t *testing.T) {
	t.Parallel()
	even := forecast.DailyPaths(series(build(100, func(int) float64 { return 7 })), 20, 20, 10, forecast.Options{})
	for _, path := range even.Days {
		if path[0] != 7 || path[19] != 7 {
			t.Errorf("a constant cost goes %v", path)
		}
	}
	short := forecast.DailyPaths(series(build(20, func(i int) float64 { return 5 + 4*noise(i) })), 20, 20, 200, forecast.Options{})
	differ := false
	for _, path := range short.Days {
		differ = differ || path[0] != short.Days[0][0]
		if slices.Min(path) < 0 {
			t.Fatalf("a cost that never was negative goes %v", path)
		}
	}
	if !differ {
		t.Error("twenty days leave no doubt")
	}
	if none := forecast.DailyPaths(series(nil), 20, 20, 10, forecast.Options{}); len(none.Days) != 0 || none.Reason == "" {
		t.Errorf("nothing known gives %d paths", len(none.Days))
	}
}
