package anomaly_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
)

var first = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func leaf(service, region string, values []float64) cost.Series {
	return cost.Series{Scope: cost.Scope{cost.Provider: "AWS", cost.Account: "1", cost.Service: service, cost.Region: region},
		Basis: cost.Effective, Currency: "USD", Start: first, Values: values, Final: len(values)}
}

func build(n int, f func(day int) float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = f(i)
	}
	return v
}

// noise is a fixed sequence in -1..1 that looks random.
func noise(i int) float64 {
	return math.Mod(math.Abs(math.Sin(float64(i)*12.9898)*43758.5453), 1)*2 - 1
}

func usual(i int) float64 { return 100 + 4*noise(i) }

func TestKinds(t *testing.T) {
	t.Parallel()
	at := func(i, from, to int) bool { return i >= from && i < to }
	tests := map[string]struct {
		day        func(i int) float64
		want       anomaly.Kind
		start, end int // end 0: still going on
	}{
		"spike":  {func(i int) float64 { return usual(i) + map[bool]float64{true: 80}[at(i, 150, 152)] }, anomaly.Spike, 150, 152},
		"level":  {func(i int) float64 { return usual(i) + map[bool]float64{true: 60}[i >= 150] }, anomaly.Level, 150, 0},
		"ramp":   {func(i int) float64 { return usual(i) + 8*float64(max(0, i-149)) }, anomaly.Ramp, 150, 0},
		"drop":   {func(i int) float64 { return usual(i) - map[bool]float64{true: 70}[at(i, 150, 155)] }, anomaly.Drop, 150, 155},
		"new":    {func(i int) float64 { return map[bool]float64{true: 50 + noise(i)}[i >= 150] }, anomaly.NewSpend, 150, 0},
		"gone":   {func(i int) float64 { return map[bool]float64{true: usual(i)}[i < 150] }, anomaly.Vanished, 150, 0},
		"credit": {func(i int) float64 { return usual(i) - map[bool]float64{true: 900}[i == 150] }, anomaly.Drop, 150, 151},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := anomaly.Detect([]cost.Series{leaf("EC2", "us", build(170, tt.day)), leaf("S3", "us", build(170, func(i int) float64 { return usual(i + 500) }))}, anomaly.Options{})
			if len(got) != 1 {
				t.Fatalf("%d incidents, want one: %+v", len(got), got)
			}
			i := got[0]
			if i.Kind != tt.want || i.Scope[cost.Service] != "EC2" {
				t.Errorf("%s of %s, want %s of EC2", i.Kind, i.Scope, tt.want)
			}
			if d := i.Start.Sub(first.AddDate(0, 0, tt.start)).Hours() / 24; d < -1 || d > 3 {
				t.Errorf("started %s, want day %d", i.Start.Format(time.DateOnly), tt.start)
			}
			if i.Open() != (tt.end == 0) || tt.end > 0 && !i.End.Equal(first.AddDate(0, 0, tt.end)) {
				t.Errorf("ended %s, want day %d", i.End, tt.end)
			}
			sum, err := i.Actual.Sub(i.Expected)
			if err != nil || !sum.Amount.Equal(i.Impact.Amount) {
				t.Errorf("impact %s is not %s less %s", i.Impact, i.Actual, i.Expected)
			}
		})
	}
}

func TestCalendarIsNoAnomaly(t *testing.T) {
	t.Parallel()
	tests := map[string]func(day time.Time, i int) float64{
		"weekends": func(day time.Time, i int) float64 {
			if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
				return 20 + noise(i)
			}
			return usual(i)
		},
		"off at weekends from March on": func(day time.Time, i int) float64 {
			if i >= 40 && (day.Weekday() == time.Saturday || day.Weekday() == time.Sunday) {
				return 20 + noise(i)
			}
			return usual(i)
		},
		"fee on the first": func(day time.Time, i int) float64 { return map[bool]float64{true: 900 + 20*noise(i)}[day.Day() == 1] },
		"batch on the first two days": func(day time.Time, i int) float64 {
			return usual(i) + map[bool]float64{true: 150}[day.Day() <= 2]
		},
		"batch on the last day": func(day time.Time, i int) float64 {
			return usual(i) + map[bool]float64{true: 150}[day.AddDate(0, 0, 1).Day() == 1]
		},
		"slow growth": func(_ time.Time, i int) float64 { return usual(i) * (1 + 0.001*float64(i)) },
	}
	for name, day := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, i := range anomaly.Detect([]cost.Series{leaf("EC2", "us", build(300, func(i int) float64 { return day(first.AddDate(0, 0, i), i) }))}, anomaly.Options{}) {
				if i.Detected.After(first.AddDate(0, 0, 70)) {
					t.Errorf("%s on %s", i.Kind, i.Start.Format(time.DateOnly))
				}
			}
		})
	}
}

func TestOneIncidentPerCauseAndItsScope(t *testing.T) {
	t.Parallel()
	moved := func(k int, up bool) []float64 {
		return build(160, func(i int) float64 {
			v := (usual(i+1000*k) + float64(20*k))
			if up && i >= 150 {
				v *= 2
			}
			return v
		})
	}
	leaves := []cost.Series{leaf("EC2", "us", moved(1, true)), leaf("EC2", "eu", moved(2, true)), leaf("S3", "us", moved(3, false)), leaf("S3", "eu", moved(4, false))}
	got := anomaly.Detect(leaves, anomaly.Options{})
	if len(got) != 1 {
		t.Fatalf("%d incidents, want one", len(got))
	}
	want := cost.Scope{cost.Provider: "AWS", cost.Account: "1", cost.Service: "EC2"}
	if got[0].Scope.String() != want.String() || len(got[0].Causes) != 2 {
		t.Errorf("scope %s with causes %+v, want all of EC2", got[0].Scope, got[0].Causes)
	}
}

func TestProvisionalDaysAreNotJudged(t *testing.T) {
	t.Parallel()
	s := leaf("EC2", "us", build(150, func(i int) float64 { return map[bool]float64{true: usual(i), false: 0}[i < 147] }))
	s.Final = 147
	if got := anomaly.Detect([]cost.Series{s}, anomaly.Options{}); len(got) != 0 {
		t.Errorf("days that are still being written were judged: %+v", got)
	}
}

// A provider that was connected later, and one that reports late, look like neither new spend nor a drop.
func TestProvidersReportAtTheirOwnPace(t *testing.T) {
	t.Parallel()
	late, young := leaf("VM", "eu", build(150, usual)), leaf("GCE", "us", build(60, usual))
	late.Scope, young.Scope = late.Scope.With(cost.Provider, "Microsoft"), young.Scope.With(cost.Provider, "Google Cloud")
	young.Start = first.AddDate(0, 0, 90)
	late.Final = 140
	if got := anomaly.Detect([]cost.Series{leaf("EC2", "us", build(150, usual)), late, young}, anomaly.Options{}); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	spiked := leaf("EC2", "us", build(150, func(i int) float64 { return usual(i) + map[bool]float64{true: 90}[i == 148] }))
	if got := anomaly.Detect([]cost.Series{spiked, late, young}, anomaly.Options{}); len(got) != 1 {
		t.Errorf("one provider is late, and a spike of another is not told: %+v", got)
	}
}

func TestSensitivityAndFloor(t *testing.T) {
	t.Parallel()
	s := []cost.Series{leaf("EC2", "us", build(160, func(i int) float64 { return 100 + 2*noise(i) + map[bool]float64{true: 22}[i >= 150] }))}
	counts := map[anomaly.Sensitivity]int{}
	for _, sensitivity := range []anomaly.Sensitivity{anomaly.Coarse, anomaly.Balanced, anomaly.Fine} {
		counts[sensitivity] = len(anomaly.Detect(s, anomaly.Options{Sensitivity: sensitivity}))
	}
	if counts[anomaly.Coarse] != 0 || counts[anomaly.Balanced] != 0 || counts[anomaly.Fine] != 1 {
		t.Errorf("a rise by a fifth: %v, want it for high sensitivity only", counts)
	}
	if got := anomaly.Detect(s, anomaly.Options{Sensitivity: anomaly.Fine, MinDaily: 50}); len(got) != 0 {
		t.Error("22 a day is below a floor of 50")
	}
}

func TestCurrenciesAreJudgedApart(t *testing.T) {
	t.Parallel()
	euros := leaf("EC2", "eu", build(160, func(i int) float64 { return usual(i) + map[bool]float64{true: 90}[i >= 150] }))
	euros.Currency = "EUR"
	got := anomaly.Detect([]cost.Series{leaf("EC2", "us", build(160, usual)), euros}, anomaly.Options{})
	if len(got) != 1 || got[0].Impact.Currency != "EUR" {
		t.Errorf("incidents %+v, want one in EUR", got)
	}
}

func TestDrillFindsTheResource(t *testing.T) {
	t.Parallel()
	all := build(160, func(i int) float64 { return usual(i) + map[bool]float64{true: 70}[i >= 150] })
	in := anomaly.Detect([]cost.Series{leaf("EC2", "us", all)}, anomaly.Options{})[0]
	parts := []cost.Series{leaf("EC2", "us", build(160, usual)), leaf("EC2", "us", build(160, func(i int) float64 { return map[bool]float64{true: 70}[i >= 150] }))}
	for k := range parts {
		parts[k].Scope = parts[k].Scope.With(cost.Resource, fmt.Sprintf("i-%d", k))
	}
	got, ok := anomaly.Drill(in, cost.Resource, parts)
	if !ok || got.Scope[cost.Resource] != "i-1" || got.Kind != anomaly.NewSpend || got.ID != in.ID || got.Impact.String() != "700.00 USD" {
		t.Errorf("drilled to %s, %s, impact %s", got.Scope, got.Kind, got.Impact)
	}
	if _, ok := anomaly.Drill(in, cost.Resource, nil); ok {
		t.Error("no parts explain nothing")
	}
}

func TestNothingToJudge(t *testing.T) {
	t.Parallel()
	for name, s := range map[string][]cost.Series{
		"no leaves": nil, "no days": {leaf("EC2", "us", nil)}, "a week": {leaf("EC2", "us", build(7, usual))},
		"unknown": {leaf("EC2", "us", build(100, func(int) float64 { return math.NaN() }))},
	} {
		if got := anomaly.Detect(s, anomaly.Options{}); len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func randomLeaves(t *rapid.T, n int) []cost.Series {
	var out []cost.Series
	for k := range rapid.IntRange(1, 4).Draw(t, "leaves") {
		from, length := rapid.IntRange(30, n).Draw(t, "from"), rapid.IntRange(1, 60).Draw(t, "length")
		factor := rapid.SampledFrom([]float64{0, 0.3, 1, 2, 4}).Draw(t, "factor")
		spread := rapid.Float64Range(0, 40).Draw(t, "spread")
		out = append(out, leaf([]string{"EC2", "S3"}[k%2], []string{"us", "eu"}[k/2], build(n, func(i int) float64 {
			v := 100 + spread*noise(i+1000*k) + 30*float64(i%7/5)
			if i >= from && i < from+length {
				v *= factor
			}
			return v
		})))
	}
	return out
}

type verdict struct {
	scope           string
	start, detected time.Time
	confidence      float64
}

func verdicts(found []anomaly.Incident, before time.Time) map[string]verdict {
	out := map[string]verdict{}
	for _, i := range found {
		if i.Detected.Before(before) {
			out[i.ID] = verdict{i.Scope.String(), i.Start, i.Detected, i.Confidence}
		}
	}
	return out
}

// What was said of a day must not change when later days come in.
func TestNoLookAhead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const n = 200
		leaves := randomLeaves(t, n)
		cut := rapid.IntRange(40, n-1).Draw(t, "cut")
		early := make([]cost.Series, len(leaves))
		for i, s := range leaves {
			early[i] = s
			early[i].Values, early[i].Final = s.Values[:cut], cut
		}
		then := verdicts(anomaly.Detect(early, anomaly.Options{}), first.AddDate(0, 0, cut))
		now := verdicts(anomaly.Detect(leaves, anomaly.Options{}), first.AddDate(0, 0, cut))
		if len(then) != len(now) {
			t.Fatalf("on day %d: %v, later: %v", cut, then, now)
		}
		for id, v := range then {
			if now[id] != v {
				t.Fatalf("on day %d: %v, later: %v", cut, v, now[id])
			}
		}
	})
}

func TestScaleEquivarianceAndFiniteAnswers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		leaves := randomLeaves(t, 200)
		scaled := make([]cost.Series, len(leaves))
		for i, s := range leaves {
			scaled[i] = s
			scaled[i].Values = build(len(s.Values), func(k int) float64 { return 8 * s.Values[k] })
		}
		a, b := anomaly.Detect(leaves, anomaly.Options{MinDaily: 1}), anomaly.Detect(scaled, anomaly.Options{MinDaily: 8})
		if len(a) != len(b) {
			t.Fatalf("%d incidents, eight times the cost has %d", len(a), len(b))
		}
		ids := map[string]bool{}
		for i := range a {
			if a[i].ID != b[i].ID || a[i].Kind != b[i].Kind || a[i].Severity != b[i].Severity {
				t.Fatalf("%+v became %+v", a[i], b[i])
			}
			if a[i].Confidence < 0 || a[i].Confidence > 1 || ids[a[i].ID] {
				t.Fatalf("confidence %f, or the ID twice", a[i].Confidence)
			}
			ids[a[i].ID] = true
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	var leaves []cost.Series
	for k := range 150 {
		s := leaf(fmt.Sprint("service-", k%15), fmt.Sprint("region-", k%3), build(548, func(i int) float64 { return usual(i+1000*k) * float64(k+1) }))
		s.Scope = s.Scope.With(cost.Account, strconv.Itoa(k%10))
		leaves = append(leaves, s)
	}
	for b.Loop() {
		anomaly.Detect(leaves, anomaly.Options{})
	}
}
