package trend_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/trend"
)

// world draws series whose truth is known: days between 120 and 548, noise of 2 to 8 % that is white, resembles the day before or has
// heavy tails; in half of them weekends are cheaper, some have gaps, some a lone spike.
type world struct{ *rand.Rand }

func (w world) between(low, high float64) float64 { return low + (high-low)*w.Float64() }

// noise is n values of deviation 1.
func (w world) noise(n int) []float64 {
	out, kind, before := make([]float64, n), w.IntN(3), 0.0
	for i := range out {
		switch z := w.NormFloat64(); kind {
		case 0:
			out[i] = z
		case 1:
			before = 0.6*before + 0.8*z
			out[i] = before
		default: // Student's t of 4 degrees of freedom
			chi := w.ExpFloat64() + w.ExpFloat64()
			out[i] = z / math.Sqrt(chi/2) / math.Sqrt2
		}
	}
	return out
}

// draw is one series of a pattern and the day of its step, if it has one.
func (w world) draw(p trend.Pattern) (values []float64, step int) {
	n := 120 + w.IntN(429)
	level, noisy, z := math.Exp(w.between(0, 8)), w.between(0.02, 0.08), w.noise(n)
	weekend := 1.0
	if w.IntN(2) == 0 {
		weekend = w.between(0.8, 0.97)
		if p == trend.Flat {
			weekend = w.between(0.97, 1) // with more it is seasonal
		}
	}
	shape := w.shape(p, n, &step)
	values = build(n, func(i int) float64 {
		v := level * (shape(i) + noisy*z[i])
		if i%7 >= 5 && p != trend.Bursty {
			v *= weekend
		}
		return v
	})
	if w.IntN(3) == 0 {
		values[w.IntN(n)] = math.NaN()
		values[w.IntN(n)] = math.NaN()
	}
	if w.IntN(4) == 0 {
		values[w.IntN(n)] += level * w.between(0.5, 2)
	}
	return values, step
}

// shape is the pattern at level 1.
func (w world) shape(p trend.Pattern, n int, step *int) func(i int) float64 {
	part := func(i int) float64 { return float64(i) / float64(n-1) }
	change := w.between(0.25, 1)
	switch p {
	case trend.Growing:
		return func(i int) float64 { return 1 + change*part(i) }
	case trend.Shrinking:
		return func(i int) float64 { return 1.2 + change*(1-part(i)) - 0.2 }
	case trend.GrowingFaster:
		rate := w.between(2, 4)
		return func(i int) float64 { return math.Exp(rate*(part(i)-1)) * 2 }
	case trend.Step:
		*step = 25 + w.IntN(n-50)
		up := w.IntN(2) == 0
		return func(i int) float64 { return 1 + map[bool]float64{true: change}[(i >= *step) == up] }
	case trend.Seasonal:
		period, deep := []int{7, 7, 14, 10, 30}[w.IntN(5)], w.between(0.25, 0.5)
		return func(i int) float64 {
			if period == 7 {
				return 1 - map[bool]float64{true: deep}[i%7 >= 5]
			}
			return 1 + deep*math.Sin(2*math.Pi*float64(i)/float64(period))
		}
	case trend.Bursty:
		share := w.between(0.02, 0.05)
		bursts := make([]float64, n)
		for range max(2, int(share*float64(n))) {
			bursts[w.IntN(n)] = w.between(25, 60)
		}
		return func(i int) float64 { return 1 + bursts[i] }
	}
	return func(int) float64 { return 1 }
}

// patternsKnown are the patterns and the least share of each that must be told as what it is.
var patternsKnown = []struct {
	pattern trend.Pattern
	least   float64
}{
	{trend.Flat, 0.97}, {trend.Growing, 0.97}, {trend.Shrinking, 0.97}, {trend.GrowingFaster, 0.97}, {trend.Step, 0.97},
	{trend.Seasonal, 0.97}, {trend.Bursty, 0.97},
}

func TestPatternsOfSimulatedSeries(t *testing.T) {
	t.Parallel()
	const each = 200
	var table strings.Builder
	for _, want := range patternsKnown {
		w := world{rand.New(rand.NewPCG(5, 7))}
		got := map[trend.Pattern]int{}
		for range each {
			values, _ := w.draw(want.pattern)
			got[trend.Describe(series(values)).Pattern]++
		}
		fmt.Fprintf(&table, "%-12s", want.pattern)
		for _, p := range patternsKnown {
			fmt.Fprintf(&table, "%6d", got[p.pattern])
		}
		fmt.Fprintln(&table)
		if share := float64(got[want.pattern]) / each; share < want.least {
			t.Errorf("%s is told in %.0f %% of the series: %v", want.pattern, 100*share, got)
		}
	}
	t.Logf("true pattern by row, told by column, in the same order\n%s", table.String())
}

// The day of a step is found within two days, and what has none gets none.
func TestDaysOfSteps(t *testing.T) {
	t.Parallel()
	const each = 200
	w := world{rand.New(rand.NewPCG(11, 13))}
	exact, alone := 0, 0
	for range each {
		values, step := w.draw(trend.Step)
		steps := trend.Describe(series(values)).Steps
		if slices.ContainsFunc(steps, func(s trend.Shift) bool { return math.Abs(s.Day.Sub(monday).Hours()/24-float64(step)) <= 2 }) {
			exact++
		}
		if len(steps) == 1 {
			alone++
		}
	}
	wrong := map[trend.Pattern]int{}
	for _, p := range []trend.Pattern{trend.Flat, trend.Growing, trend.Seasonal} {
		for range each {
			values, _ := w.draw(p)
			if len(trend.Describe(series(values)).Steps) > 0 {
				wrong[p]++
			}
		}
	}
	t.Logf("of %d steps %d on their day, %d alone; steps where none is: %v", each, exact, alone, wrong)
	if exact < 196 || alone < 196 || wrong[trend.Flat] > 4 || wrong[trend.Growing] > 4 || wrong[trend.Seasonal] > 4 {
		t.Errorf("of %d steps %d on their day, %d alone; steps where none is: %v", each, exact, alone, wrong)
	}
}

// Days that strongly resemble the day before make no steps, and hide none.
func TestStepsAmongDaysThatResembleEachOther(t *testing.T) {
	t.Parallel()
	w := world{rand.New(rand.NewPCG(23, 29))}
	const each = 100
	for height, want := range map[float64][2]int{0: {0, 12}, 60: {95, 110}} {
		steps := 0
		for range each {
			z, state := w.noise(300), 0.0
			steps += len(trend.Describe(series(build(300, func(i int) float64 {
				state = 0.9*state + 2*z[i]
				return 100 + state + map[bool]float64{true: height}[i >= 150]
			}))).Steps)
		}
		if steps < want[0] || steps > want[1] {
			t.Errorf("%d steps in %d series with one of %g", steps, each, height)
		}
	}
}

// The length of the season is found, and noise has none.
func TestLengthOfSeason(t *testing.T) {
	t.Parallel()
	w := world{rand.New(rand.NewPCG(17, 19))}
	const each = 60
	for _, period := range []float64{2, 5, 7, 10, 14, 28, 30.44, 91} {
		right := 0
		for range each {
			z := w.noise(548)
			drift := w.between(-0.5, 0.5)
			got := trend.Describe(series(build(548, func(i int) float64 {
				v := 1 + drift*float64(i)/548 + 0.06*z[i]
				if period == 30.44 {
					return v + map[bool]float64{true: 0.4}[monday.AddDate(0, 0, i).Day() <= 4]
				}
				return v + 0.15*math.Sin(2*math.Pi*float64(i)/period+1)
			})))
			if got.SeasonDays != nil && math.Abs(*got.SeasonDays-period) < 0.1+0.05*max(0, period-31) && got.Seasonality > 0.4 {
				right++
			}
		}
		t.Logf("season of %g days: found in %d of %d", period, right, each)
		if right < each*9/10 {
			t.Errorf("season of %g days: found in %d of %d", period, right, each)
		}
	}
	wrong := 0
	for k := range 3 * each {
		z, walk := w.noise(300+k), 0.0
		values := build(300+k, func(i int) float64 {
			if k%3 == 0 {
				walk += 0.3 * z[i]
				return 100 + walk
			}
			return 100 + z[i]
		})
		if got := trend.Describe(series(values)); got.SeasonDays != nil {
			wrong++
		}
	}
	t.Logf("noise and walks with a season: %d of %d", wrong, 3*each)
	if wrong > 3*each/20 {
		t.Errorf("noise and walks with a season: %d of %d", wrong, 3*each)
	}
}
