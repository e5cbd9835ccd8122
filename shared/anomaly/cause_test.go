package anomaly_test

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
)

// many are leaves so noisy that only together they show that all rise by a third on day 150 and stay there; the first one also
// does what more says.
func many(more func(i int) float64) []cost.Series {
	var out []cost.Series
	for k := range 16 {
		out = append(out, leaf(string(rune('A'+k/4)), string(rune('a'+k%4)), build(185, func(i int) float64 {
			v := 100 + 30*noise(i+1000*k)
			if i >= 150 {
				v *= 1.33
			}
			if k == 0 {
				v += more(i)
			}
			return v
		})))
	}
	return out
}

// A wide incident that goes on for weeks does not swallow what happens to a part of it meanwhile.
func TestAWideIncidentLeavesOthersToBeFound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		more func(i int) float64
		want int // incidents of A in a that were told from day 160 on
	}{
		"nothing more":         {func(int) float64 { return 0 }, 0},
		"a spike of a part":    {func(i int) float64 { return map[bool]float64{true: 500}[i >= 165 && i < 168] }, 1},
		"another day's jitter": {func(i int) float64 { return map[bool]float64{true: 20}[i >= 165 && i < 168] }, 0},
	} {
		wide, own := 0, 0
		for _, i := range anomaly.Detect(many(tt.more), anomaly.Options{}) {
			day := int(i.Detected.Sub(first) / (24 * time.Hour))
			switch {
			case day >= 160 && i.Scope[cost.Service] == "A" && i.Scope[cost.Region] == "a":
				own++
			case day >= 150 && day < 158 && i.Scope[cost.Service] == "":
				wide++
			default:
				t.Errorf("%s: %s of %s on day %d", name, i.Kind, i.Scope, day)
			}
		}
		if wide != 1 || own != tt.want {
			t.Errorf("%s: %d wide incidents and %d of the part, want 1 and %d", name, wide, own, tt.want)
		}
	}
}

// Leaves come in any order, with the same answer, also where nothing but their names tells them apart.
func TestTheOrderOfLeavesDoesNotMatter(t *testing.T) {
	t.Parallel()
	leaves := many(func(i int) float64 { return map[bool]float64{true: 500}[i >= 165 && i < 168] })
	for k := range leaves[:8] {
		leaves[k].Values = leaves[8].Values
	}
	want := anomaly.Detect(leaves, anomaly.Options{})
	random := rand.New(rand.NewPCG(3, 4))
	for range 10 {
		random.Shuffle(len(leaves), func(a, b int) { leaves[a], leaves[b] = leaves[b], leaves[a] })
		if got := anomaly.Detect(leaves, anomaly.Options{}); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nin another order %+v", want, got)
		}
	}
}
