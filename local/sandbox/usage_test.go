package sandbox

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// use reads one metric of one resource.
func use(t testing.TB, e *Estate, name string, metric resource.Metric, period cost.Period, every time.Duration) []resource.Sample {
	t.Helper()
	ref := e.named(t, name).Ref
	measured, err := e.Collector(ref.Cloud).Usage(t.Context(), ingest.UsageQuery{Refs: []resource.Ref{ref}, Metrics: []resource.Metric{metric}, Period: period, Every: every})
	usage := measured.Usage
	if err != nil {
		t.Fatal(err)
	}
	if len(usage) == 0 {
		return nil
	}
	return usage[0].Samples
}

func values(samples []resource.Sample) []float64 {
	var out []float64
	for _, s := range samples {
		out = append(out, s.Value)
	}
	return out
}

func p99(samples []resource.Sample) float64 {
	v := values(samples)
	slices.Sort(v)
	return v[len(v)*99/100]
}

func mean(samples []resource.Sample) float64 {
	sum := 0.0
	for _, s := range samples {
		sum += s.Value
	}
	return sum / float64(len(samples))
}

func TestUsageIsAsTheLoadSays(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	fortnight := cost.Period{Start: e.base.Today.AddDate(0, 0, -14), End: e.base.Today}
	for _, c := range []struct {
		name   string
		metric resource.Metric
		high   float64
		mean   float64
	}{
		{"storefront-01", resource.CPU, 17, 8}, {"checkout-03", resource.CPU, 13, 6}, {"api-02", resource.CPU, 84, 52},
		{"storefront-01", resource.Memory, 27, 26.7}, {"search-02", resource.Memory, 85, 84},
		{"events-05-log2", resource.DiskOps, 700, 420}, {hotVolume, resource.DiskOps, 5500, 3300}, {"events-05-log2", resource.DiskBytes, 44, 26},
		{"orders", resource.CPU, 64, 40}, {"gateway-01", resource.CPU, 78, 47}, {"erp-02", resource.Memory, 66, 65}, {"mirror-01", resource.CPU, 9, 4},
	} {
		got := use(t, e, c.name, c.metric, fortnight, 5*time.Minute)
		if len(got) != 14*288 {
			t.Errorf("%s of %s: %d samples", c.metric, c.name, len(got))
			continue
		}
		if high := p99(got); math.Abs(high-c.high) > 0.02*c.high {
			t.Errorf("%s of %s: 99th percentile %g, want %g", c.metric, c.name, high, c.high)
		}
		if m := mean(got); math.Abs(m-c.mean) > 0.1*c.mean {
			t.Errorf("%s of %s: mean %g, want about %g", c.metric, c.name, m, c.mean)
		}
	}
}

func TestUsageHasADayAndAWeek(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	day := func(d int) cost.Period { return cost.Days(time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC), 1) }
	weekday := use(t, e, "gateway-01", resource.CPU, day(18), time.Hour)
	sunday := use(t, e, "gateway-01", resource.CPU, day(15), time.Hour)
	if len(weekday) != 24 || weekday[15].Value < 2*weekday[3].Value {
		t.Errorf("the afternoon is not busier than the night: %v", values(weekday))
	}
	if mean(sunday) > 0.9*mean(weekday) {
		t.Errorf("Sunday %g is as busy as Wednesday %g", mean(sunday), mean(weekday))
	}
}

func TestSameQuestionSameAnswer(t *testing.T) {
	t.Parallel()
	e, twin, other := open(t, Options{Seed: 3}), open(t, Options{Seed: 3}), open(t, Options{Seed: 4})
	period := cost.Period{Start: e.base.Today.Add(-6 * time.Hour), End: e.base.Today}
	fine := use(t, e, "storefront-01", resource.LatencyP95, period, time.Minute)
	if !reflect.DeepEqual(fine, use(t, twin, "storefront-01", resource.LatencyP95, period, time.Minute)) {
		t.Error("two estates of one seed measure differently")
	}
	if reflect.DeepEqual(values(fine), values(use(t, other, "storefront-01", resource.LatencyP95, period, time.Minute))) {
		t.Error("estates of two seeds measure the same")
	}
	for _, coarse := range use(t, e, "storefront-01", resource.LatencyP95, period, 15*time.Minute) {
		if !slices.Contains(fine, coarse) {
			t.Errorf("asked more coarsely, %s is another value", coarse.At)
		}
	}
}

func TestSamplesAreEvenAndNeverFromTheFuture(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	now := e.clock.Now()
	got := use(t, e, "storefront-01", resource.CPU, cost.Period{Start: now.Add(-time.Hour).Add(time.Second), End: now.Add(time.Hour)}, 5*time.Minute)
	if len(got) != 11 {
		t.Fatalf("%d samples, want those of the 11 intervals that are over", len(got))
	}
	for i, s := range got {
		if want := now.Add(-55 * time.Minute).Add(time.Duration(i) * 5 * time.Minute); !s.At.Equal(want) {
			t.Errorf("sample %d is at %s, want %s", i, s.At, want)
		}
	}
}

func TestNothingIsMeasuredWhereNothingIs(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	sunday := cost.Days(time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC), 1)
	for name, metric := range map[string]resource.Metric{
		"checkout-data-old": resource.DiskOps,   // attached to nothing
		"images-01":         resource.CPU,       // switched off on Sundays
		"storefront-01":     resource.DiskOps,   // no volume
		"warehouse-01":      resource.ErrorRate, // serves no requests
		"orders":            resource.ErrorRate,
	} {
		if got := use(t, e, name, metric, sunday, time.Hour); got != nil {
			t.Errorf("%s of %s has %d samples", metric, name, len(got))
		}
	}
	if _, err := e.Collector(resource.AWS).Usage(t.Context(), ingest.UsageQuery{Every: time.Second}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a second is accepted: %v", err)
	}
}

// TestHalfTheSizeIsTwiceAsBusyAndHealthy is a change that was worth making.
func TestHalfTheSizeIsTwiceAsBusyAndHealthy(t *testing.T) {
	t.Parallel()
	e, untouched := open(t, Options{}), open(t, Options{})
	for _, c := range []struct{ name, size string }{{"storefront-01", "m5.xlarge"}, {"suggestions-01", "n2-standard-4"}, {"portal-02", "Standard_D4s_v5"}} {
		apply(t, e, e.command(t, plan.ResizeInstance, c.name, resized(c.size)))
	}
	e.clock.Advance(24*time.Hour + 10*time.Minute)
	untouched.clock.Advance(25 * time.Hour)
	end := e.clock.Now().Truncate(time.Hour)
	period := cost.Period{Start: end.Add(-20 * time.Hour), End: end}
	for _, name := range []string{"storefront-01", "suggestions-01", "portal-02"} {
		for metric, factor := range map[resource.Metric]float64{resource.CPU: 2, resource.Memory: 2, resource.ErrorRate: 1, resource.LatencyP95: 1} {
			got, usual := use(t, e, name, metric, period, 5*time.Minute), use(t, untouched, name, metric, period, 5*time.Minute)
			for i := range usual {
				if math.Abs(got[i].Value-factor*usual[i].Value) > 1e-9 {
					t.Fatalf("%s of %s at %s: %g, want %g times %g", metric, name, got[i].At, got[i].Value, factor, usual[i].Value)
				}
			}
		}
	}
}

// TestFragileFleetBreaksWhenItIsMadeSmaller is the story of a rollback.
func TestFragileFleetBreaksWhenItIsMadeSmaller(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	c := e.command(t, plan.ResizeInstance, "checkout-02", resized("m5.large"))
	usual := recent(t, e, c.Target.Ref, resource.LatencyP95, 30)
	apply(t, e, c)
	e.clock.Advance(8 * time.Minute)
	if got := recent(t, e, c.Target.Ref, resource.ErrorRate, 5); got < 0.14 || got > 0.21 {
		t.Errorf("error rate %g, want 15 to 20 %%", got)
	}
	if got := recent(t, e, c.Target.Ref, resource.LatencyP95, 5); got < 1.8*usual || got > 2.4*usual {
		t.Errorf("latency %g, usual %g, want twice that", got, usual)
	}
	if got := recent(t, e, c.Target.Ref, resource.CPU, 5); got > 30 {
		t.Errorf("CPU %g: it would be no surprise", got)
	}
	revert(t, e, c)
	e.clock.Advance(6 * time.Minute)
	if got := recent(t, e, c.Target.Ref, resource.ErrorRate, 5); got > 0.01 {
		t.Errorf("error rate %g after the way back", got)
	}
}

func TestTrapsBreakHealth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action  plan.Action
		target  string
		to      plan.State
		watched string
	}{
		"no memory left":        {plan.ResizeInstance, "search-01", resized("r5.large"), "search-01"},
		"no processor left":     {plan.ResizeInstance, "api-01", resized("c5.large"), "api-01"},
		"a disk that is slower": {plan.ChangeVolumeType, busyDisk, retyped("StandardSSD_LRS", 500, 100), "portal-01"},
	} {
		e := open(t, Options{})
		apply(t, e, e.command(t, c.action, c.target, c.to))
		e.clock.Advance(10 * time.Minute)
		if got := recent(t, e, e.named(t, c.watched).Ref, resource.ErrorRate, 4); got < 0.05 {
			t.Errorf("%s: error rate %g", name, got)
		}
	}
}

func TestStoppedInstanceHasAGap(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	began := e.clock.Now()
	apply(t, e, e.command(t, plan.ResizeInstance, "storefront-01", resized("m5.xlarge")))
	e.clock.Advance(10 * time.Minute)
	got := use(t, e, "storefront-01", resource.ErrorRate, cost.Period{Start: began.Add(-5 * time.Minute), End: began.Add(10 * time.Minute)}, time.Minute)
	for _, s := range got {
		if !s.At.Before(began) && s.At.Before(began.Add(45*time.Second)) {
			t.Errorf("a sample at %s, while it was stopped", s.At)
		}
	}
	if len(got) != 14 {
		t.Errorf("%d samples in 15 minutes, want 14: it was off when one of them began", len(got))
	}
}

func BenchmarkHealthOfADay(b *testing.B) {
	e := open(b, Options{})
	var refs []resource.Ref
	for _, r := range e.Snapshot() {
		if r.Tags["application"] == "storefront" && r.Type == resource.Instance {
			refs = append(refs, r.Ref)
		}
	}
	q := ingest.UsageQuery{Refs: refs, Metrics: []resource.Metric{resource.ErrorRate, resource.LatencyP95},
		Period: cost.Period{Start: e.base.Today.AddDate(0, 0, -1), End: e.base.Today}, Every: 5 * time.Minute}
	for b.Loop() {
		measured, err := e.Collector(resource.AWS).Usage(b.Context(), q)
		got := measured.Usage
		if err != nil || len(got) != 24 {
			b.Fatal(len(got), err)
		}
	}
}
