package forecast_test

import (
	"math"
	"testing"

	"github.com/cost-agent/cost-agent/shared/forecast"
)

// decoded reads a history from bytes, one a value so that small changes of the input are small: the upper four bits choose the
// order of magnitude, the lower four the digit; some stand for gaps and for the odd number.
func decoded(b []byte, odd float64, most int) []float64 {
	magnitudes := [...]float64{0, 1, 10, -10, 100, -1, 1e-3, 1e3, 1e6, -1e6, 1e-12, 1e18, 1e-300, 1e300, -1e300}
	v := make([]float64, 0, most)
	for _, x := range b[:min(len(b), most)] {
		switch {
		case x < 0xf0:
			v = append(v, magnitudes[x>>4]*(1+float64(x&0xf)/16))
		case x < 0xf8:
			v = append(v, math.NaN())
		default:
			v = append(v, odd)
		}
	}
	return v
}

// seeds are histories in that coding.
func seeds(f *testing.F, add func(b []byte)) {
	f.Helper()
	for _, code := range []func(i int) byte{
		func(int) byte { return 0 },
		func(i int) byte { return 0x40 + byte(i%7) },
		func(i int) byte { return 0x40 + byte(i*i%13) },
		func(i int) byte { return byte(i) },
		func(i int) byte { return byte(i * 37) },
		func(i int) byte { return 0x10*byte(i/50%14) + byte(i*i%11) },
		func(i int) byte { return 0xe0 + 0x10*byte(i%2) + byte(i%9) },
		func(i int) byte { return map[bool]byte{true: 0xf1, false: 0x23 + byte(i%7)}[i%3 == 1] },
	} {
		for _, n := range []int{1, 20, 70, 170} {
			b := make([]byte, n)
			for i := range b {
				b[i] = code(i)
			}
			add(b)
		}
	}
}

// extremes are histories at the edges of what numbers can be.
func extremes() map[string][]float64 {
	gap := math.NaN()
	far := func(i int) float64 { return [...]float64{1e300, -1e300, math.MaxFloat64, 0}[i%4] }
	return map[string][]float64{
		"one value":             {math.MaxFloat64},
		"one denormal":          {math.SmallestNonzeroFloat64},
		"all the largest":       build(90, func(int) float64 { return math.MaxFloat64 }),
		"largest and lowest":    build(90, func(i int) float64 { return math.Copysign(math.MaxFloat64, float64(i%2)-0.5) }),
		"around 1e300":          build(120, far),
		"1e300 and noise":       build(600, func(i int) float64 { return 1e300 * (1 + noise(i)/100) }),
		"denormals":             build(120, func(i int) float64 { return math.SmallestNonzeroFloat64 * float64(i%9) }),
		"from tiny to huge":     build(600, func(i int) float64 { return math.Pow(10, float64(i)-300) }),
		"hardly any change":     build(120, func(i int) float64 { return 1e15 + float64(i%7) }),
		"negative":              build(120, func(i int) float64 { return -1e9 + 1e8*noise(i) }),
		"ends of a huge gap":    append(append([]float64{5}, build(800, func(int) float64 { return gap })...), 7),
		"mostly gaps":           build(900, func(i int) float64 { return map[bool]float64{true: 3 + noise(i), false: gap}[i%97 == 0] }),
		"infinities":            build(120, func(i int) float64 { return map[bool]float64{true: math.Inf(1), false: noise(i)}[i%10 == 3] }),
		"zeros and one value":   build(400, func(i int) float64 { return map[bool]float64{true: 1e12, false: 0}[i == 390] }),
		"doubling for ever":     build(400, func(i int) float64 { return math.Exp2(float64(i)) }),
		"steps without noise":   build(400, func(i int) float64 { return math.Floor(float64(i) / 50) }),
		"a lone gap at the end": append(build(100, noise), gap),
	}
}

func TestExtremesHaveAnswers(t *testing.T) {
	t.Parallel()
	for name, v := range extremes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, horizon := range []int{1, 95} {
				sound(t, v, horizon)
			}
		})
	}
}

// ordered checks that all are numbers, none less than the one before.
func ordered(t *testing.T, kind string, i int, x ...float64) {
	t.Helper()
	for k := range x {
		if math.IsNaN(x[k]) || math.IsInf(x[k], 0) || k > 0 && x[k] < x[k-1] {
			t.Fatalf("%s %d: %v", kind, i, x)
		}
	}
}

// sound checks that every number of each answer is one, and that intervals lie in each other.
func sound(t *testing.T, v []float64, horizon int) {
	t.Helper()
	for _, m := range []int{1, 7, 12, 24} {
		for _, fast := range []bool{true, false} {
			o := forecast.Values(v, horizon, forecast.Options{Seasons: forecast.Seasons(m), Fast: fast})
			for i, s := range o.Steps {
				ordered(t, "values", i, s.Low95, s.Low80, s.Mean, s.High80, s.High95)
			}
		}
	}
	f := forecast.Daily(series(v), horizon, holidays())
	for i, p := range f.Points {
		ordered(t, "daily", i, p.Low95, p.Low80, p.Mean, p.High80, p.High95)
	}
	for i, w := range f.Weights {
		ordered(t, "weight", i, 0, w.Weight, 1+1e-9)
	}
}

func FuzzValues(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b, math.MaxFloat64, uint8(18), uint8(12)) })
	f.Fuzz(func(t *testing.T, b []byte, odd float64, horizon, season uint8) {
		h := int(horizon)%60 + 1
		o := forecast.Values(decoded(b, odd, 170), h, forecast.Options{Seasons: forecast.Seasons(int(season)), Fast: season > 127})
		if o.Model == "none" {
			return
		}
		if len(o.Steps) != h {
			t.Fatalf("%d steps, want %d", len(o.Steps), h)
		}
		for i, s := range o.Steps {
			ordered(t, "step", i, s.Low95, s.Low80, s.Mean, s.High80, s.High95)
		}
	})
}

func FuzzDaily(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b, math.SmallestNonzeroFloat64, uint8(95)) })
	f.Fuzz(func(t *testing.T, b []byte, odd float64, horizon uint8) {
		o := forecast.Daily(series(decoded(b, odd, 170)), int(horizon)%100+1, holidays())
		if o.Reason == "" || len(o.Points) == 0 && o.Model != "none" {
			t.Fatalf("%d points by %q because %q", len(o.Points), o.Model, o.Reason)
		}
		for i, p := range o.Points {
			ordered(t, "day", i, p.Low95, p.Low80, p.Mean, p.High80, p.High95)
		}
	})
}
