package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Errors that were made in calmer times count for more, by the root of how much more the series moves now, and for at most twice.
func TestErrorsAreTakenAsOfNow(t *testing.T) {
	t.Parallel()
	swing := func(n int, size float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = 100 + size*float64(i%2)
		}
		return out
	}
	for name, tt := range map[string]struct {
		then, now float64
		want      float64
	}{
		"as before":         {2, 2, 3},
		"four times wilder": {2, 8, 6},
		"a hundred times":   {2, 200, 6},
		"calmer":            {8, 4, 3 / math.Sqrt2},
		"still before":      {0, 4, 3}, // by how much more cannot be told
		"still now":         {4, 0, 1.5},
		"always still":      {0, 0, 3},
	} {
		raw := append(swing(100, tt.then), swing(100, tt.now)...)
		got := asNow([][]float64{{3, -3, math.NaN()}}, []trial{{at: 100}}, raw, 1)
		if math.Abs(got[0][0]-tt.want) > 0.01 || got[0][1] != -got[0][0] || !math.IsNaN(got[0][2]) {
			t.Errorf("%s: %v, want %.3f", name, got[0], tt.want)
		}
	}
}

// A season that is only noise is drawn to nothing, one beyond doubt is left.
func TestSeasonsAreShrunkByWhatIsKnownOfThem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ size, least, most float64 }{{0, 0, 0.35}, {40, 0.97, 1}} {
		random := rand.New(rand.NewPCG(21, 4))
		y := make([]float64, 84)
		for i := range y {
			y[i] = 300 + tt.size*math.Sin(2*math.Pi*float64(i)/12) + 5*random.NormFloat64()
		}
		h := history{seasons: []int{12}}
		h.parts, h.rest = decompose(y, h.seasons)
		before := h.parts[0][83]
		h.shrink()
		if kept := h.parts[0][83] / before; kept < tt.least || kept > tt.most {
			t.Errorf("of a season of %g in noise of 5, %.2f is kept, want %.2f to %.2f", tt.size, kept, tt.least, tt.most)
		}
		if sum := h.parts[0][83] + h.rest[83]; math.Abs(sum-y[83]) > 1e-9 {
			t.Errorf("the parts sum to %g, not %g", sum, y[83])
		}
	}
}
