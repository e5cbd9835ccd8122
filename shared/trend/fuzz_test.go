package trend_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/cost-agent/cost-agent/shared/trend"
)

// FuzzDescribe lays bytes out as daily costs; what is no number is a gap. JSON has no NaN, so that an answer which can be written
// holds numbers only.
func FuzzDescribe(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Add(make([]byte, 100))
	f.Add([]byte{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200})
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), 600)]
		got := trend.Describe(series(build(len(data), func(i int) float64 {
			switch data[i] {
			case 0:
				return math.NaN()
			case 1:
				return -1e12
			case 2:
				return 1e-300
			}
			return float64(data[i])
		})))
		if _, err := json.Marshal(got); err != nil || got.Reason == "" || got.Pattern == "" {
			t.Fatalf("%+v: %v", got, err)
		}
		if s := got.Slope; s != nil && !(s.Low95 <= s.PerDay && s.PerDay <= s.High95) {
			t.Fatalf("slope %+v", *s)
		}
	})
}
