package forecast

import (
	"math"
	"testing"
)

// lh are 48 luteinising hormone levels (Diggle 1990, table A.1), the example of R's arima.
var lh = []float64{
	2.4, 2.4, 2.4, 2.2, 2.1, 1.5, 2.3, 2.3, 2.5, 2.0, 1.9, 1.7, 2.2, 1.8, 3.2, 3.2, 2.7, 2.2, 2.2, 1.9, 1.9, 1.8, 2.7, 3.0,
	2.3, 2.0, 2.0, 2.9, 2.9, 2.7, 2.7, 2.3, 2.6, 2.4, 1.8, 1.7, 1.5, 1.4, 2.1, 3.3, 3.5, 3.5, 3.1, 2.6, 2.1, 3.4, 3.0, 2.9,
}

// The coefficients and log-likelihoods are those that the manual page of R's arima prints.
func TestExactLikelihoodIsR(t *testing.T) {
	t.Parallel()
	logs := make([]float64, len(airPassengers))
	for i, v := range airPassengers {
		logs[i] = math.Log(v)
	}
	airline := arimaOrder{d: 1, q: 1, sd: 1, sq: 1, m: 12}
	tests := map[string]struct {
		model arima
		w     []float64
		want  float64
	}{
		"lh AR(1)":     {arima{ar: []float64{0.5739}, mean: 2.4133}, lh, -29.38},
		"lh AR(3)":     {arima{ar: []float64{0.6448, -0.0634, -0.2198}, mean: 2.3931}, lh, -27.09},
		"lh ARMA(1,1)": {arima{ar: []float64{0.4522}, ma: []float64{0.1982}, mean: 2.4101}, lh, -28.76},
		"airline":      {arima{ma: expandMA(-0.4018, -0.5569)}, difference(logs, airline), 244.70},
	}
	for name, tt := range tests {
		if got := tt.model.logLikelihood(tt.w); math.Abs(got-tt.want) > 0.006 {
			t.Errorf("%s: log-likelihood %.4f, R gives %.2f", name, got, tt.want)
		}
	}
	x, _ := airline.search(difference(logs, airline))
	got := airline.finish(difference(logs, airline), x)
	if math.Abs(got.ma[0]+0.4018) > 0.02 || math.Abs(got.ma[11]+0.5569) > 0.02 {
		t.Errorf("airline model: ma %.4f, seasonal ma %.4f; R gives -0.4018 and -0.5569", got.ma[0], got.ma[11])
	}
}

// expandMA multiplies (1 + a B)(1 + s B^12).
func expandMA(a, s float64) []float64 {
	out := expand([]float64{-a}, []float64{-s}, 12)
	for i := range out {
		out[i] = -out[i]
	}
	return out
}

func TestIntegrationUndoesDifferences(t *testing.T) {
	t.Parallel()
	o := arimaOrder{d: 1, sd: 1, m: 12}
	n := 100
	all := difference(airPassengers, o)
	path := integrate(airPassengers[:n], all[n-13:], o)
	for i, v := range path {
		if math.Abs(v-airPassengers[n+i]) > 1e-9 {
			t.Fatalf("step %d: %.3f, want %.0f", i, v, airPassengers[n+i])
		}
	}
}

// A model without terms repeats the last value, or the last cycle.
func TestForecastOfPureDifferences(t *testing.T) {
	t.Parallel()
	walk := arima{arimaOrder: arimaOrder{d: 1}}.forecast([]float64{3, 5, 4}, 2)
	if walk[0] != 4 || walk[1] != 4 {
		t.Errorf("random walk goes to %v", walk)
	}
	cycle := arima{arimaOrder: arimaOrder{sd: 1, m: 2}}.forecast([]float64{1, 2, 1, 2}, 3)
	if cycle[0] != 1 || cycle[1] != 2 || cycle[2] != 1 {
		t.Errorf("the cycle goes to %v", cycle)
	}
}
