package forecast

import (
	"math"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// airPassengers are the monthly totals of 1949 to 1960, thousands (Box and Jenkins 1976, series G).
var airPassengers = []float64{
	112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140,
	145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166, 171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194,
	196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201, 204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229,
	242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278, 284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306,
	315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336, 340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337,
	360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405, 417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432,
}

// With the season off, the smoothing is Holt's damped method; the steps are computed by hand from its equations.
func TestSmoothingFollowsItsEquations(t *testing.T) {
	t.Parallel()
	e := ets{etsForm: etsForm{trend: 'D', season: 'N'}, alpha: 0.5, beta: 0.2, phi: 0.9}
	// level 12, trend 0: e = -2, level 11, trend -0.4; mean 10.64: e = 3.36, level 12.32, trend 0.312;
	// mean 12.6008: e = -0.6008, level 12.3004, trend 0.16064.
	z, likelihood := e.pass([]float64{10, 14, 12}, etsState{level: 12}, nil)
	if math.Abs(z.level-12.3004) > 1e-12 || math.Abs(z.trend-0.16064) > 1e-12 {
		t.Errorf("level %.6f, trend %.6f", z.level, z.trend)
	}
	if want := 3 * math.Log((4+3.36*3.36+0.6008*0.6008)/3); math.Abs(likelihood-want) > 1e-12 {
		t.Errorf("likelihood %.6f, want %.6f", likelihood, want)
	}
}

// Theta continues a straight line as one: it takes the whole of its slope, and the first level that fits.
func TestThetaOfALine(t *testing.T) {
	t.Parallel()
	y := make([]float64, 200)
	for i := range y {
		y[i] = 3 * float64(i)
	}
	for i, v := range thetaMethod(y, 3) {
		if want := 3 * float64(200+i); math.Abs(v-want) > 1e-6 {
			t.Errorf("%d ahead: %.4f, want %.4f", i+1, v, want)
		}
	}
}

// First level and share are those of least squares: no other ones make smaller errors, and these errors are what is reported.
func TestThetaFitsFirstLevelAndShare(t *testing.T) {
	t.Parallel()
	b, alpha := slope(lh), 0.3
	square := func(level, share float64) (sum float64) {
		ahead := b
		for _, v := range lh {
			e := v - level - share*ahead
			sum += e * e
			level += alpha * (v - level)
			ahead = b + (1-alpha)*ahead
		}
		return sum
	}
	got := smoothTheta(lh, b, alpha)
	least := math.Inf(1)
	for level := 2.0; level < 3; level += 0.001 {
		least = min(least, square(level, got.share))
	}
	if math.Abs(least-got.square) > 1e-5 || square(2.4, 0.5) < got.square {
		t.Errorf("square %.6f, the least at that share is %.6f, at the half of Theta %.6f", got.square, least, square(2.4, 0.5))
	}
}

// On a growing series with no weekly season the members must see the growth and stay near the last level: the mean of 1960
// is 476, that of 1959 428.
func TestAirPassengersIsPlausible(t *testing.T) {
	t.Parallel()
	h := learn(airPassengers, shape{possible: []int{12}})
	for _, m := range members(fit(h), false) {
		sum := 0.0
		for _, v := range m.forecast(h, 12) {
			sum += v / 12
		}
		if sum < 380 || sum > 560 {
			t.Errorf("%s expects %.0f for the next year", m.name, sum)
		}
	}
	if s := slope(airPassengers); math.Abs(s-2.6572) > 1e-4 {
		t.Errorf("slope %.4f, R's lm gives 2.6572", s)
	}
}

func BenchmarkDaily(b *testing.B) {
	s := series548()
	for b.Loop() {
		Daily(s, 90, nil)
	}
}

func series548() cost.Series {
	v := make([]float64, 548)
	for i := range v {
		v[i] = 100 + 0.1*float64(i) + 10*math.Sin(float64(i)) + 20*float64(i%7)
	}
	return cost.Series{Start: time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC), Values: v, Final: len(v), Currency: "USD", Basis: cost.Effective}
}
