package anomaly_test

import (
	"encoding/binary"
	"math"
	"reflect"
	"runtime"
	"testing"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
)

// FuzzDetect lays bytes out as the daily costs of some leaves; what is no number is a gap. Whatever they are, the answer holds
// numbers only, and the days before the last week are judged as they were without it.
func FuzzDetect(f *testing.F) {
	f.Add(uint8(2), []byte("0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Add(uint8(1), make([]byte, 400))
	spike := make([]byte, 600)
	for i := range spike {
		spike[i] = byte(40 + i%3)
	}
	spike[300], spike[301] = 255, 250
	f.Add(uint8(3), spike)
	f.Fuzz(func(t *testing.T, wide uint8, data []byte) {
		n := int(wide%4) + 1
		days := min(len(data)/n, 200)
		leaves := make([]cost.Series, n)
		for k := range leaves {
			leaves[k] = leaf([]string{"EC2", "S3"}[k%2], []string{"us", "eu"}[k/2], build(days, func(i int) float64 { return fuzzed(data[k*days:(k+1)*days], i) }))
		}
		found := anomaly.Detect(leaves, anomaly.Options{})
		for _, i := range found {
			figures := []float64{i.Confidence, i.Impact.Float(), i.Actual.Float(), i.Expected.Float()}
			for _, c := range i.Causes {
				figures = append(figures, c.Share)
			}
			for _, v := range figures {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%+v", i)
				}
			}
		}
		if days < 8 {
			return
		}
		cut := days - 7
		for k := range leaves {
			leaves[k].Values, leaves[k].Final = leaves[k].Values[:cut], cut
		}
		then := verdicts(anomaly.Detect(leaves, anomaly.Options{}), first.AddDate(0, 0, cut))
		if now := verdicts(found, first.AddDate(0, 0, cut)); !reflect.DeepEqual(then, now) {
			t.Fatalf("on day %d: %v, later: %v", cut, then, now)
		}
	})
}

// fuzzed is a cost from a byte and its neighbour: mostly small amounts, some huge or negative, and gaps.
func fuzzed(data []byte, i int) float64 {
	switch b := data[i]; b {
	case 0:
		return math.NaN()
	case 1:
		return -float64(data[(i+1)%len(data)])
	case 2:
		return 1e12
	case 3:
		return math.Float64frombits(binary.LittleEndian.Uint64([]byte{b, b, b, b, b, b, b, 0x3e}))
	default:
		return float64(b)
	}
}

// The answer is the same on one processor as on several.
func TestDetectIsTheSameOnAnyProcessors(t *testing.T) {
	var leaves []cost.Series
	for k := range 4 {
		leaves = append(leaves, leaf([]string{"EC2", "S3"}[k%2], []string{"us", "eu"}[k/2], build(200, func(i int) float64 {
			return usual(i+1000*k) + map[bool]float64{true: 90}[i >= 150+5*k]
		})))
	}
	want := anomaly.Detect(leaves, anomaly.Options{})
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if got := anomaly.Detect(leaves, anomaly.Options{}); !reflect.DeepEqual(got, want) || len(want) == 0 {
		t.Errorf("%+v, want %+v", got, want)
	}
}
