package forecast

import (
	"math"
	"testing"
)

// wwwUsage is the number of users connected to a server by the minute (Makridakis, Wheelwright and Hyndman 1998), R's WWWusage.
var wwwUsage = []float64{
	88, 84, 85, 85, 84, 85, 83, 85, 88, 89, 91, 99, 104, 112, 126, 138, 146, 151, 150, 148, 147, 149, 143, 132, 131, 139, 147, 150, 148,
	145, 140, 134, 131, 131, 129, 126, 126, 132, 137, 140, 142, 150, 159, 167, 170, 171, 172, 172, 174, 175, 172, 172, 174, 174, 169,
	165, 156, 142, 131, 121, 112, 104, 102, 99, 99, 95, 88, 84, 84, 87, 89, 88, 85, 86, 89, 91, 91, 94, 101, 110, 121, 135, 145, 149,
	156, 165, 171, 175, 177, 182, 193, 204, 208, 210, 215, 222, 228, 226, 222, 220,
}

// The months of 1961 that R's forecast package 8 prints for AirPassengers by the models of the tests below.
var (
	arima1961 = []float64{
		445.6349, 420.3950, 449.1983, 491.8399, 503.3945, 566.8625, 654.2602, 638.5975, 540.8837, 494.1266, 423.3327, 465.5075,
	}
	smoothed1961 = []float64{
		441.8018, 434.1186, 496.6300, 483.2375, 483.9914, 551.0244, 613.1797, 609.3648, 530.5408, 463.0332, 402.7478, 451.9694,
	}
)

// auto.arima(AirPassengers) is ARIMA(2,1,1)(0,1,0)12 with ar 0.5960 and 0.2143, ma -0.9819 and log-likelihood -504.92;
// arima(WWWusage, c(3, 1, 0)), of R's manual, has ar 1.1513, -0.6612 and 0.3407 and log-likelihood -252.00; auto.arima takes (1,1,1)
// with ar 0.6504, ma 0.5256 and -254.15.
func TestCoefficientsLikelihoodsAndForecastsAreThoseOfR(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		order         arimaOrder
		y             []float64
		ar, ma        []float64
		logLikelihood float64
		next          []float64
	}{
		"AirPassengers": {arimaOrder{p: 2, d: 1, q: 1, sd: 1, m: 12}, airPassengers, []float64{0.5960, 0.2143}, []float64{-0.9819}, -504.92, arima1961},
		"WWWusage AR":   {arimaOrder{p: 3, d: 1}, wwwUsage, []float64{1.1513, -0.6612, 0.3407}, nil, -252.00, nil},
		"WWWusage ARMA": {arimaOrder{p: 1, d: 1, q: 1}, wwwUsage, []float64{0.6504}, []float64{0.5256}, -254.15, nil},
	} {
		w := difference(tt.y, tt.order)
		x := make([]float64, tt.order.p+tt.order.q)
		for _, spread := range []float64{0.4, 0.1, 0.02, 0.005} {
			x = minimise(x, spread, 600, func(x []float64) float64 { return -tt.order.with(x, 0).logLikelihood(w) })
		}
		got := tt.order.with(x, 0)
		for k, want := range tt.ar {
			if math.Abs(got.ar[k]-want) > 0.006 { // under a tenth of its standard error
				t.Errorf("%s: ar%d is %.4f, R gives %.4f", name, k+1, got.ar[k], want)
			}
		}
		for k, want := range tt.ma {
			if math.Abs(got.ma[k]-want) > 0.006 {
				t.Errorf("%s: ma%d is %.4f, R gives %.4f", name, k+1, got.ma[k], want)
			}
		}
		if l := got.logLikelihood(w); math.Abs(l-tt.logLikelihood) > 0.01 {
			t.Errorf("%s: log-likelihood %.3f, R gives %.2f", name, l, tt.logLikelihood)
		}
		for i, v := range got.forecast(tt.y, len(tt.next)) {
			if math.Abs(v-tt.next[i]) > 0.5 { // a twentieth of the innovations' deviation
				t.Errorf("%s: %d ahead %.3f, R gives %.3f", name, i+1, v, tt.next[i])
			}
		}
	}
}

// The search takes the differences that R takes and ends at a model that is about as good as R's by the exact AICc. R chooses by that;
// the search here goes by conditional sums of squares, which differ by a few units in short series.
func TestSearchedModelIsAsGoodAsR(t *testing.T) {
	t.Parallel()
	logs := logarithms(airPassengers)
	for name, tt := range map[string]struct {
		y    []float64
		m    int
		want arima // R's choice and its estimates
		k    float64
	}{
		"log AirPassengers": {logs, 12, arima{arimaOrder: arimaOrder{d: 1, q: 1, sd: 1, sq: 1, m: 12}, ma: expandMA(-0.4018, -0.5569)}, 3},
		"WWWusage":          {wwwUsage, 0, arima{arimaOrder: arimaOrder{p: 1, d: 1, q: 1}, ar: []float64{0.6504}, ma: []float64{0.5256}}, 3},
		"Nile":              {nile, 0, arima{arimaOrder: arimaOrder{p: 1, d: 1, q: 1}, ar: []float64{0.2544}, ma: []float64{-0.8741}}, 3},
		"lh":                {lh, 0, arima{arimaOrder: arimaOrder{p: 1}, ar: []float64{0.5739}, mean: 2.4133}, 3},
	} {
		aicc := func(a arima, k float64) float64 {
			w := difference(tt.y, a.arimaOrder)
			n := float64(len(w))
			return -2*a.logLikelihood(w) + 2*k + 2*k*(k+1)/(n-k-1)
		}
		got := fitARIMA(tt.y, tt.m)
		if got.mean != 0 { // it is that of the standardised series
			got.mean = got.meanOf(difference(tt.y, got.arimaOrder))
		}
		if got.d != tt.want.d || got.sd != tt.want.sd {
			t.Errorf("%s: differenced %d and %d times, by R %d and %d times", name, got.d, got.sd, tt.want.d, tt.want.sd)
			continue
		}
		k := float64(got.p + got.q + got.sp + got.sq + 1)
		if got.mean != 0 {
			k++
		}
		if ours, theirs := aicc(got, k), aicc(tt.want, tt.k); ours > theirs+5 {
			t.Errorf("%s: %+v has AICc %.2f, R's choice %.2f", name, got.arimaOrder, ours, theirs)
		}
	}
}

// With the parameters and first states that R's ets(AirPassengers) prints, the recursion gives its AIC of 1395.166 and its forecasts.
func TestSmoothingWithParametersOfR(t *testing.T) {
	t.Parallel()
	e := ets{etsForm: etsForm{trend: 'D', season: 'M'}, m: 12, alpha: 0.7096, beta: 0.0204, gamma: 1e-4, phi: 0.98}
	first := etsState{level: 120.9939, trend: 1.7705, season: []float64{
		0.9059, 0.8869, 1.011, 0.9804, 0.9786, 1.1105, 1.2318, 1.2203, 1.0592, 0.9217, 0.7993, 0.8944,
	}}
	z, likelihood := e.pass(airPassengers, first, nil)
	n := float64(len(airPassengers))
	if got, want := likelihood+n*math.Log(n), 1395.166-2*18; math.Abs(got-want) > 0.1 {
		t.Errorf("minus twice the log-likelihood is %.3f, R gives %.3f", got, want)
	}
	level, slope := z.level, z.trend
	for i, want := range smoothed1961 {
		slope *= e.phi
		level += slope
		if got := level * z.season[i]; math.Abs(got-want) > 0.001*want { // R prints two or three digits of beta and phi
			t.Errorf("%d ahead: %.3f, R gives %.3f", i+1, got, want)
		}
	}
	fitted := fitETS(airPassengers, 12, true, "ND")[0].ets
	for i, got := range fitted.forecast(airPassengers, 12) {
		if want := smoothed1961[i]; math.Abs(got-want) > 0.05*want {
			t.Errorf("%d ahead, parameters of our own: %.1f, R gives %.1f", i+1, got, want)
		}
	}
}

// STL of AirPassengers by statsmodels 0.15, a port of the original Fortran: STL(period=12, seasonal=21, seasonal_deg=1) with jumps of
// a tenth of the windows, two inner passes and no outer one.
func TestDecompositionIsStatsmodels(t *testing.T) {
	t.Parallel()
	got := stl(airPassengers, 12, 21)
	for i, want := range map[int]float64{
		0: -7.2311, 1: 2.5235, 6: 11.0748, 7: 10.6134, 71: -30.3908, 72: -25.5612, 78: 74.6117, 136: -5.4935, 138: 134.0531, 143: -58.6141,
	} {
		if math.Abs(got[i]-want) > 0.6 { // a hundredth of the season: ours rounds the windows' jumps elsewhere
			t.Errorf("month %d: %.4f, statsmodels gives %.4f", i+1, got[i], want)
		}
	}
}

// MSTL of a series with two known seasons, by statsmodels 0.15: MSTL(periods=(7, 28), windows=(101, 11), iterate=2).
func TestTwoSeasonsAreStatsmodels(t *testing.T) {
	t.Parallel()
	y := make([]float64, 400)
	for i := range y {
		x := 2 * math.Pi * float64(i)
		y[i] = 50 + 0.05*float64(i) + 8*math.Sin(x/7) + 3*math.Cos(2*x/7) + 5*math.Sin(x/28) + float64(i*i%13-6)/3
	}
	parts, rest := decompose(y, []int{7, 28})
	for i, want := range map[int][2]float64{
		0: {3.101, -0.914}, 1: {5.643, 1.639}, 50: {5.631, -6.055}, 51: {5.095, -4.567}, 200: {-1.599, 4.054}, 201: {-10.499, 4.595},
		398: {-6.914, 5.567}, 399: {2.831, 5.396},
	} {
		for k := range want {
			if math.Abs(parts[k][i]-want[k]) > 0.25 {
				t.Errorf("day %d, season %d: %.3f, statsmodels gives %.3f", i, k, parts[k][i], want[k])
			}
		}
		if sum := parts[0][i] + parts[1][i] + rest[i]; math.Abs(sum-y[i]) > 1e-9 {
			t.Errorf("day %d: the parts sum to %.3f, not %.3f", i, sum, y[i])
		}
	}
}

// The method of Assimakopoulos and Nikolopoulos (2000) is simple smoothing with half the slope as drift: its forecast is level +
// slope/2 (h-1 + (1-(1-alpha)^n)/alpha) (Hyndman and Billah 2003, equation 5). By statsmodels 0.15 the Nile has the slope -2.7143,
// the rate 0.2465 and these forecasts.
func TestThetaWithHalfTheSlopeIsPublished(t *testing.T) {
	t.Parallel()
	const alpha = 0.246542
	b := slope(nile)
	if math.Abs(b+2.714305) > 1e-5 {
		t.Errorf("slope %.6f, statsmodels gives -2.714305", b)
	}
	got := smoothTheta(nile, b, alpha)
	level := nile[0]
	for _, v := range nile {
		level += alpha * (v - level)
	}
	for i, want := range []float64{799.5394, 798.1823, 796.8251, 795.4680, 794.1108} {
		if v := level + 0.5*(got.ahead+b*float64(i)); math.Abs(v-want) > 0.01 {
			t.Errorf("%d ahead: %.4f, statsmodels gives %.4f", i+1, v, want)
		}
	}
	closed := b * (1 - math.Pow(1-alpha, float64(len(nile)+1))) / alpha
	if math.Abs(got.ahead-closed) > 1e-9 {
		t.Errorf("the line is %.6f ahead of its smoothing, by the closed form %.6f", got.ahead, closed)
	}
}
