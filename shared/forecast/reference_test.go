package forecast

import (
	"math"
	"testing"
)

// usAccDeaths are the accidental deaths in the United States by month, 1973 to 1978 (Brockwell and Davis 1991, example 1.1.6).
var usAccDeaths = []float64{
	9007, 8106, 8928, 9137, 10017, 10826, 11317, 10744, 9713, 9938, 9161, 8927, 7750, 6981, 8038, 8422, 8714, 9512, 10120, 9823,
	8743, 9129, 8710, 8680, 8162, 7306, 8124, 7870, 9387, 9556, 10093, 9620, 8285, 8466, 8160, 8034, 7717, 7461, 7767, 7925, 8623,
	8945, 10078, 9179, 8037, 8488, 7874, 8647, 7792, 6957, 7726, 8106, 8890, 9299, 10625, 9302, 8314, 8850, 8265, 8796, 7836, 6892,
	7791, 8192, 9115, 9434, 10484, 9827, 9110, 9070, 8633, 9240,
}

// nile is the yearly flow of the Nile at Aswan, 1871 to 1970 (Cobb 1978, table 1).
var nile = []float64{
	1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100, 1210,
	1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702,
	1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771,
	676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901,
	1170, 912, 746, 919, 718, 714, 740,
}

// The examples of the manual pages of R's arima and predict.Arima: (0,1,1)(0,1,1)12 for USAccDeaths has ma1 -0.4303, sma1 -0.5528,
// log-likelihood -425.44, and these six months follow. Nile as a local level has the variances 15099 and 1469 (Durbin and Koopman
// 2001, section 2.10), which is ARIMA(0,1,1) with ma1 -0.7330.
func TestFittedARIMAIsPublished(t *testing.T) {
	t.Parallel()
	q := 1469.1 / 15098.5
	level := (math.Sqrt(q*q+4*q) - 2 - q) / 2
	tests := map[string]struct {
		order         arimaOrder
		y             []float64
		ma            map[int]float64 // by lag
		logLikelihood float64
		next          []float64
	}{
		"USAccDeaths": {arimaOrder{d: 1, q: 1, sd: 1, sq: 1, m: 12}, usAccDeaths, map[int]float64{1: -0.4303, 12: -0.5528}, -425.44,
			[]float64{8336.061, 7531.829, 8314.644, 8616.869, 9488.916, 9859.757}},
		"Nile": {arimaOrder{d: 1, q: 1}, nile, map[int]float64{1: level}, -632.55, []float64{798.37, 798.37}},
	}
	for name, tt := range tests {
		w := difference(tt.y, tt.order) // without drift
		_, deviation := moments(w)
		x := make([]float64, tt.order.q+tt.order.sq)
		for _, spread := range []float64{0.4, 0.05, 0.01} {
			x = minimise(x, spread, 400, func(x []float64) float64 { return -tt.order.with(x, 0).logLikelihood(w) })
		}
		got := tt.order.with(x, 0)
		for lag, want := range tt.ma {
			if math.Abs(got.ma[lag-1]-want) > 0.005 { // a twentieth of its standard error
				t.Errorf("%s: coefficient at lag %d is %.4f, published %.4f", name, lag, got.ma[lag-1], want)
			}
		}
		if l := got.logLikelihood(w); math.Abs(l-tt.logLikelihood) > 0.01 {
			t.Errorf("%s: log-likelihood %.3f, published %.2f", name, l, tt.logLikelihood)
		}
		for i, v := range got.forecast(tt.y, len(tt.next)) {
			if math.Abs(v-tt.next[i]) > 0.15*deviation {
				t.Errorf("%s: %d ahead %.2f, published %.2f", name, i+1, v, tt.next[i])
			}
		}
	}
}

// The likelihood at R's own estimates for Nile as an ARMA: arima(Nile, c(2, 0, 0)) has ar 0.4096 and 0.1987, mean 919.8397,
// log-likelihood -637.98; auto.arima chooses (1,1,1) with ar 0.2544, ma -0.8741, log-likelihood -630.63.
func TestLikelihoodOfTheNileIsR(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		model arima
		w     []float64
		want  float64
	}{
		"AR(2)":     {arima{ar: []float64{0.4096, 0.1987}, mean: 919.8397}, nile, -637.98},
		"ARMA(1,1)": {arima{ar: []float64{0.2544}, ma: []float64{-0.8741}}, difference(nile, arimaOrder{d: 1}), -630.63},
	} {
		if got := tt.model.logLikelihood(tt.w); math.Abs(got-tt.want) > 0.01 {
			t.Errorf("%s: log-likelihood %.3f, R gives %.2f", name, got, tt.want)
		}
	}
}

// R's ets(AirPassengers) is ETS(M,Ad,M) with AIC 1395.17 from 18 parameters, its first states optimised. Ours, which lead back from
// the end, must come near and cannot do better.
func TestLikelihoodOfSmoothingIsNearR(t *testing.T) {
	t.Parallel()
	e, _ := fitForm(standard(airPassengers, true), etsForm{trend: 'D', season: 'M'}, 12, initialETS(standard(airPassengers, true), 12, 'M'))
	_, likelihood := e.pass(airPassengers, e.start(airPassengers), nil)
	n := float64(len(airPassengers))
	if got, want := likelihood+n*math.Log(n), 1395.17-2*18; got < want-0.5 || got > want+25 {
		t.Errorf("minus twice the log-likelihood is %.1f, R's optimum %.1f", got, want)
	}
}
