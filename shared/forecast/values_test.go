package forecast_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/forecast"
)

// Whatever the values and the step are, every number of the answer is one, and the intervals lie in each other.
func TestAnyValuesGiveNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom([]int{1, 2, 4, 7, 12, 24, 52}).Draw(t, "season")
		n := rapid.IntRange(1, 160).Draw(t, "values")
		grow := rapid.SampledFrom([]float64{0, 0.001, 0.5, -0.2}).Draw(t, "growth")
		level := rapid.SampledFrom([]float64{0, 1e-9, 1, -40, 1e9}).Draw(t, "level")
		noisy := rapid.SampledFrom([]float64{0, 0.1, 1}).Draw(t, "noise")
		gap := rapid.IntRange(2, 30).Draw(t, "gap")
		v := build(n, func(i int) float64 {
			if i%gap == 1 {
				return math.NaN()
			}
			return level * math.Exp(grow*float64(i)) * (1 + noisy*noise(i) + 0.3*math.Sin(2*math.Pi*float64(i)/float64(m)))
		})
		horizon := rapid.IntRange(1, 60).Draw(t, "horizon")
		o := forecast.Values(v, horizon, forecast.Options{Seasons: forecast.Seasons(m), Fast: rapid.Bool().Draw(t, "fast")})
		if len(o.Steps) != horizon || o.Reason == "" {
			t.Fatalf("%d steps, want %d; reason %q", len(o.Steps), horizon, o.Reason)
		}
		for i, s := range o.Steps {
			order := []float64{s.Low95, s.Low80, s.Mean, s.High80, s.High95}
			for k, x := range order {
				if math.IsNaN(x) || math.IsInf(x, 0) || k > 0 && x < order[k-1] {
					t.Fatalf("step %d: %v", i, order)
				}
			}
		}
	})
}

// Whatever the unit, growth and seasons that are proportional included: the answer is in it.
func TestValuesScaleWithTheirUnit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom([]int{1, 4, 12, 24}).Draw(t, "season")
		grow := rapid.SampledFrom([]float64{0, 0.002, 0.01}).Draw(t, "growth")
		v := build(rapid.IntRange(1, 160).Draw(t, "values"), func(i int) float64 {
			return 50 * math.Exp(grow*float64(i)) * (1 + 0.1*noise(i) + 0.3*math.Sin(2*math.Pi*float64(i)/float64(m)))
		})
		factor := rapid.SampledFrom([]float64{1. / 1024, 4, 1 << 20}).Draw(t, "factor") // powers of two scale without rounding
		o := forecast.Options{Seasons: forecast.Seasons(m), Fast: rapid.Bool().Draw(t, "fast")}
		a, b := forecast.Values(v, 12, o), forecast.Values(build(len(v), func(i int) float64 { return v[i] * factor }), 12, o)
		for i := range a.Steps {
			for k, want := range []float64{a.Steps[i].Mean, a.Steps[i].Low95, a.Steps[i].High80} {
				got := []float64{b.Steps[i].Mean, b.Steps[i].Low95, b.Steps[i].High80}[k] / factor
				if math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
					t.Fatalf("step %d: %g, want %g", i, got, want)
				}
			}
		}
	})
}
