package recommend_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/recommend"
)

func TestQuantilesOfMergedDaysAreRight(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1e5), 1, 300).Draw(t, "values")
		parts := make([]recommend.Sketch, 4)
		for i, v := range values {
			parts[i%4].Add(v, 3600)
		}
		var all recommend.Sketch
		for _, p := range parts { // each by way of its written form
			text, _ := p.AppendBinary(nil)
			var read recommend.Sketch
			if err := read.UnmarshalBinary(text); err != nil {
				t.Fatal(err)
			}
			all.Merge(read)
		}
		slices.Sort(values)
		for _, q := range []float64{0.5, 0.95, 0.99, 1} {
			want := values[int(math.Ceil(q*float64(len(values))))-1]
			got, ok := all.Quantile(q)
			if !ok || math.Abs(got-want) > 0.0101*want+1e-6 {
				t.Fatalf("quantile %.2f is %g, want %g to one percent", q, got, want)
			}
		}
		if all.Samples() != int64(len(values)) || all.Seconds != 3600*int64(len(values)) {
			t.Fatalf("%d samples, %d seconds of %d", all.Samples(), all.Seconds, len(values))
		}
	})
}

func TestWhatIsNoNumberIsNoSample(t *testing.T) {
	t.Parallel()
	var s recommend.Sketch
	s.Add(math.NaN(), 60)
	s.Add(math.Inf(1), 60)
	if _, ok := s.Quantile(0.5); ok || s.Seconds != 0 {
		t.Errorf("an empty sketch has a median or %d seconds", s.Seconds)
	}
}

func TestWhatIsNoSketchIsRefused(t *testing.T) {
	t.Parallel()
	var s recommend.Sketch
	s.Add(12, 60)
	text, _ := s.AppendBinary(nil)
	for _, bad := range [][]byte{nil, {1}, append([]byte{2}, text[1:]...), text[:len(text)-1], append(slices.Clone(text), 0x80)} {
		if err := s.UnmarshalBinary(bad); err == nil {
			t.Errorf("%x was read as a sketch", bad)
		}
	}
}

func TestRateIsTheBilledMonth(t *testing.T) {
	t.Parallel()
	charge := func(day int, unit, quantity, usd string, c cost.Currency) recommend.Charge {
		return recommend.Charge{Day: now.AddDate(0, 0, day).Truncate(24 * time.Hour), Unit: unit, Quantity: decimal.NewNullDecimal(amount(quantity)), Effective: amount(usd), Currency: c}
	}
	covered := charge(4, "Hours", "12", "2.40", "USD")
	covered.Committed = amount("1.62")
	rate, ok := recommend.NewRate([]recommend.Charge{
		charge(1, "Hours", "24", "4.80", "USD"), charge(1, "GB", "100", "9.00", "USD"), covered})
	if !ok {
		t.Fatal("no rate")
	}
	// 16.20 in 4 days of 24 hours, 7.20 of it for 36 of 96 hours.
	if got := rate.Monthly.Round(4).Amount.String(); got != "123.1875" {
		t.Errorf("a month is %s, want 123.1875", got)
	}
	if got := rate.Hourly.Round(4).Amount.String(); got != "54.75" || *rate.Uptime != 0.375 || rate.Days != 4 || rate.Committed != 0.1 {
		t.Errorf("by the hour %s, uptime %v, days %d, committed %v", got, *rate.Uptime, rate.Days, rate.Committed)
	}
	untold := charge(2, "Hours", "0", "4.80", "USD")
	untold.Quantity = decimal.NullDecimal{}
	if rate, ok := recommend.NewRate([]recommend.Charge{charge(1, "Hours", "24", "4.80", "USD"), untold}); !ok || rate.Uptime != nil || rate.Hourly == nil {
		t.Errorf("hours that the bill does not tell count as none: %+v", rate)
	}
	if _, ok := recommend.NewRate(nil); ok {
		t.Error("nothing billed has a rate")
	}
	if _, ok := recommend.NewRate([]recommend.Charge{charge(1, "Hours", "24", "1", "USD"), charge(2, "Hours", "24", "1", "EUR")}); ok {
		t.Error("two currencies were added up")
	}
}
