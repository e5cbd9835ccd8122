package anomaly_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/anomaly"
)

func TestSeriesFindsWhatWasNeverSeen(t *testing.T) {
	t.Parallel()
	wave := func(i int) float64 { return 50 + 20*math.Sin(2*math.Pi*float64(i)/288) + noise(i) }
	for name, tt := range map[string]struct {
		change func(i int) float64
		want   []int // one alarm between the two; none: no alarm at all
	}{
		"nothing": {func(int) float64 { return 0 }, nil},
		"a peak":  {func(i int) float64 { return map[bool]float64{true: 60}[i == 2000] }, []int{2000, 2000}},
		"a level": {func(i int) float64 { return map[bool]float64{true: 15}[i >= 2000] }, []int{2000, 2140}},
		"noise":   {func(i int) float64 { return map[bool]float64{true: 12 * noise(i+9)}[i >= 2000] }, []int{2000, 2060}},
	} {
		got := anomaly.Series(build(2100, func(i int) float64 { return wave(i) + tt.change(i) }))
		got = slices.DeleteFunc(got, func(i int) bool { return i < 900 })
		if len(got) != len(tt.want)/2 || len(got) == 1 && (got[0] < tt.want[0] || got[0] > tt.want[1]) {
			t.Errorf("%s: alarms at %v, want one in %v", name, got, tt.want)
		}
	}
}

func TestSeriesLooksAtNoLaterPoint(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed, cut := rapid.IntRange(0, 1000).Draw(t, "seed"), rapid.IntRange(0, 1500).Draw(t, "cut")
		level := rapid.Float64Range(-5, 5).Draw(t, "level")
		v := build(1500, func(i int) float64 { return noise(i+seed) + map[bool]float64{true: level}[i > 700] })
		v[rapid.IntRange(0, 1499).Draw(t, "unknown")] = math.NaN()
		all := slices.DeleteFunc(anomaly.Series(v), func(i int) bool { return i >= cut })
		if part := anomaly.Series(v[:cut]); !slices.Equal(part, all) {
			t.Fatalf("%v of the first %d points, %v of all", part, cut, all)
		}
	})
}

// Another unit and another zero, as of degrees, change nothing. Costs have a zero: what is half as much again matters more than what
// is a hundredth more, so that whole bills are judged alike in another unit only.
func TestSeriesHasNoUnitAndNoZero(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed, level := rapid.IntRange(0, 1000).Draw(t, "seed"), rapid.Float64Range(-5, 5).Draw(t, "level")
		unit := rapid.SampledFrom([]float64{0.125, -1, 2, 1024}).Draw(t, "unit")
		zero := float64(rapid.IntRange(-5000, 5000).Draw(t, "zero"))
		v := build(1200, func(i int) float64 {
			v := math.Round(1024*noise(i+seed)) / 1024 // so short that nothing is rounded below
			return v + map[bool]float64{true: math.Round(16*level) / 16}[i > 700]
		})
		want := anomaly.Series(v)
		if got := anomaly.Series(build(len(v), func(i int) float64 { return unit*v[i] + zero })); !slices.Equal(got, want) {
			t.Fatalf("alarms at %v, of %g x + %g at %v", want, unit, zero, got)
		}
	})
}
