package anomaly

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// drawBill is a bill of two providers whose leaves have weekdays, fees, gaps and an event each, some with and some without the
// same cause.
func drawBill(t *rapid.T, days int) []cost.Series {
	start := time.Date(2024, 3, 5, 0, 0, 0, 0, time.UTC)
	seed := rapid.IntRange(0, 1000).Draw(t, "seed")
	noise := func(i int) float64 {
		return math.Mod(math.Abs(math.Sin(float64(i+seed)*12.9898)*43758.5453), 1)*2 - 1
	}
	spread := rapid.SampledFrom([]float64{0, 1, 8, 60}).Draw(t, "spread")
	var out []cost.Series
	for k := range rapid.IntRange(1, 6).Draw(t, "leaves") {
		from, length := rapid.IntRange(10, days).Draw(t, "from"), rapid.IntRange(1, 90).Draw(t, "length")
		factor := rapid.SampledFrom([]float64{0, 0.4, 1, 1.5, 6}).Draw(t, "factor")
		gap := rapid.IntRange(20, 400).Draw(t, "gap")
		values := make([]float64, days)
		for i := range values {
			v := 100 + spread*noise(i+1000*k) + 40*float64(i%7/5)
			if start.AddDate(0, 0, i).Day() == 1 {
				v += 70
			}
			if i >= from && i < from+length {
				v *= factor
			}
			if i%gap == gap-1 {
				v = math.NaN()
			}
			values[i] = v
		}
		out = append(out, cost.Series{Scope: cost.Scope{
			cost.Provider: []string{"AWS", "Microsoft"}[k/4], cost.Account: []string{"1", "2"}[k%2],
			cost.Service: []string{"EC2", "S3"}[k/2%2], cost.Region: []string{"us", "eu"}[k%2],
		}.With(cost.Tag("team"), "a"), Basis: cost.Effective, Currency: "USD", Start: start, Values: values, Final: days})
	}
	return out
}

// What is expected of a day, its spread and what was told of it do not change when later days come in, at no level of the bill.
func TestNoLevelLooksAhead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const days = 430
		full := drawBill(t, days)
		cut := rapid.IntRange(1, days).Draw(t, "cut")
		early := slices.Clone(full)
		for i := range early {
			early[i].Values, early[i].Final = early[i].Values[:cut], cut
		}
		o := Options{Sensitivity: rapid.SampledFrom([]Sensitivity{Coarse, Balanced, Fine}).Draw(t, "sensitivity")}
		then, now := newCube(early), newCube(full)
		then.scan(o)
		now.scan(o)
		if len(then.nodes) != len(now.nodes) {
			t.Fatalf("%d scopes, later %d", len(then.nodes), len(now.nodes))
		}
		same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
		for k, a := range then.nodes {
			b := now.nodes[k]
			if !slices.EqualFunc(a.path.expected, b.path.expected[:cut], same) || !slices.EqualFunc(a.path.sigma, b.path.sigma[:cut], same) {
				t.Fatalf("%s: what was expected of the first %d days changed later", a.scope, cut)
			}
			told := slices.DeleteFunc(slices.Clone(b.path.runs), func(r *run) bool { return r.detected >= cut })
			if !slices.EqualFunc(a.path.runs, told, func(x, y *run) bool {
				return x.start == y.start && x.detected == y.detected && x.sign == y.sign && x.score == y.score && x.tail == y.tail
			}) {
				t.Fatalf("%s: what was told on the first %d days changed later", a.scope, cut)
			}
		}
	})
}

// An incident that is over stays as severe as it was, however the bill grows afterwards.
func TestSeverityOfWhatIsOverStays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const days = 300
		full := drawBill(t, days)
		cut := rapid.IntRange(100, days-30).Draw(t, "cut")
		early := slices.Clone(full)
		for i := range full {
			early[i].Values, early[i].Final = slices.Clone(full[i].Values[:cut]), cut
			for k := cut; k < days; k++ {
				full[i].Values[k] *= 30
			}
		}
		now := map[string]Incident{}
		for _, i := range Detect(full, Options{}) {
			now[i.ID] = i
		}
		for _, i := range Detect(early, Options{}) {
			if later := now[i.ID]; !i.Open() && later.Until.Equal(i.Until) && (later.Severity != i.Severity || !later.Impact.Amount.Equal(i.Impact.Amount)) {
				t.Fatalf("%s with %s, later %s with %s", i.Severity, i.Impact, later.Severity, later.Impact)
			}
		}
	})
}
