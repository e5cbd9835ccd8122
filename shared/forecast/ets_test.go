package forecast

import (
	"math"
	"testing"
)

// R's ets chooses ETS(M,Ad,M) for AirPassengers with alpha 0.71, gamma near 0 and phi 0.98 (Hyndman and Khandakar 2008).
func TestAutomaticSmoothingOfAirPassengers(t *testing.T) {
	t.Parallel()
	e := fitETS(airPassengers, 12, true, "ND")[0]
	if e.season != 'M' || e.trend != 'D' {
		t.Fatalf("form %+v, want a damped trend and a multiplicative season", e.etsForm)
	}
	if e.alpha < 0.55 || e.alpha > 0.85 || e.gamma > 0.1 || e.phi < 0.93 {
		t.Errorf("alpha %.3f, gamma %.4f, phi %.3f; R gives 0.71, 0.0001 and 0.98", e.alpha, e.gamma, e.phi)
	}
}

// What has no season and no trend is smoothed plainly.
func TestAutomaticSmoothingTakesNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	if e := fitETS(lh, 0, true, "NDA")[0]; e.season != 'N' || e.trend != 'N' {
		t.Errorf("form %+v, want simple smoothing", e.etsForm)
	}
}

func TestDecompositionAddsUpAndFindsASteadySeason(t *testing.T) {
	t.Parallel()
	y := make([]float64, 120)
	for i := range y {
		y[i] = 50 + 0.5*float64(i) + 10*math.Sin(2*math.Pi*float64(i)/12)
	}
	parts, rest := decompose(y, []int{12})
	for i, v := range y {
		if math.Abs(parts[0][i]+rest[i]-v) > 1e-9 {
			t.Fatalf("step %d: %.3f and %.3f are not %.3f", i, parts[0][i], rest[i], v)
		}
		if want := 10 * math.Sin(2*math.Pi*float64(i)/12); math.Abs(parts[0][i]-want) > 0.2 {
			t.Fatalf("step %d: season %.3f, want %.3f", i, parts[0][i], want)
		}
	}
	if s := seasonStrength(y, 12); s < 0.95 {
		t.Errorf("strength %.2f of a season without noise", s)
	}
}

// The Yule-Walker estimates of lh are those of R's ar: order 3 with 0.6534, -0.0636 and -0.2269.
func TestYuleWalkerIsR(t *testing.T) {
	t.Parallel()
	mean, _ := moments(lh)
	y := make([]float64, len(lh))
	for i, v := range lh {
		y[i] = v - mean
	}
	got := levinson(y, 3)[2]
	for k, want := range []float64{0.6534, -0.0636, -0.2269} {
		if math.Abs(got.coefficients[k]-want) > 1e-4 {
			t.Errorf("coefficient %d: %.4f, R gives %.4f", k+1, got.coefficients[k], want)
		}
	}
}

func TestWeightedMedian(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		votes []vote
		want  float64
	}{
		"one":                 {[]vote{{7, 1}}, 7},
		"even three":          {[]vote{{9, 1. / 3}, {1, 1. / 3}, {4, 1. / 3}}, 4},
		"between two":         {[]vote{{2, 0.5}, {4, 0.5}}, 3},
		"near the heavy one":  {[]vote{{2, 0.8}, {11, 0.1}, {200, 0.1}}, 2 + 9*0.1/0.45},
		"the lowest is heavy": {[]vote{{2, 1}, {11, 0}}, 2},
	} {
		if got := weightedMedian(tt.votes); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %.3f, want %.3f", name, got, tt.want)
		}
	}
}

func TestWidthsNeverFall(t *testing.T) {
	t.Parallel()
	v := []float64{1, 3, 2, 2, 5, 4}
	ascend(v)
	want := []float64{1, 7. / 3, 7. / 3, 7. / 3, 4.5, 4.5}
	for i := range v {
		if math.Abs(v[i]-want[i]) > 1e-12 {
			t.Fatalf("%v, want %v", v, want)
		}
	}
}
