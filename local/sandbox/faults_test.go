package sandbox

import (
	"context"
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

func inject(t testing.TB, e *Estate, f Fault) {
	t.Helper()
	if _, err := e.Inject(f); err != nil {
		t.Fatal(err)
	}
}

// recent is the mean of a metric over the last minutes.
func recent(t testing.TB, e *Estate, ref resource.Ref, metric resource.Metric, minutes int) float64 {
	t.Helper()
	now := e.clock.Now()
	measured, err := e.Collector(ref.Cloud).Usage(t.Context(), ingest.UsageQuery{Refs: []resource.Ref{ref}, Metrics: []resource.Metric{metric},
		Period: cost.Period{Start: now.Add(-time.Duration(minutes) * time.Minute), End: now}, Every: time.Minute})
	usage := measured.Usage
	if err != nil {
		t.Fatal(err)
	}
	if len(usage) != 1 {
		t.Fatalf("%s of %s: %d series", metric, ref.ID, len(usage))
	}
	sum := 0.0
	for _, s := range usage[0].Samples {
		sum += s.Value
	}
	return sum / float64(len(usage[0].Samples))
}

func TestUnhealthyFaultShowsOnChangedTargetsOnly(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	c := e.command(t, plan.ResizeInstance, "storefront-01", resized("m5.xlarge"))
	other := e.named(t, "storefront-02").Ref
	inject(t, e, Fault{Kind: Unhealthy, App: "storefront", Action: plan.ResizeInstance, Rate: 0.3})
	e.clock.Advance(10 * time.Minute)
	if got := recent(t, e, c.Target.Ref, resource.ErrorRate, 5); got > 0.01 {
		t.Errorf("errors before anything was changed: %g", got)
	}
	usual := recent(t, e, c.Target.Ref, resource.LatencyP95, 5)
	apply(t, e, c)
	e.clock.Advance(15 * time.Minute)
	if got := recent(t, e, c.Target.Ref, resource.ErrorRate, 5); got < 0.25 || got > 0.35 {
		t.Errorf("errors after the change: %g, want about 0.3", got)
	}
	if got := recent(t, e, c.Target.Ref, resource.LatencyP95, 5); got < 1.8*usual {
		t.Errorf("latency after the change %g, before %g", got, usual)
	}
	if got := recent(t, e, other, resource.ErrorRate, 5); got > 0.01 {
		t.Errorf("errors of the unchanged neighbour: %g", got)
	}
	revert(t, e, c)
	e.clock.Advance(15 * time.Minute)
	if got := recent(t, e, c.Target.Ref, resource.ErrorRate, 5); got > 0.01 {
		t.Errorf("errors after the way back: %g", got)
	}
	if err := e.ClearFaults(); err != nil {
		t.Fatal(err)
	}
	apply(t, e, c)
	e.clock.Advance(15 * time.Minute)
	if got := recent(t, e, c.Target.Ref, resource.ErrorRate, 5); got > 0.01 {
		t.Errorf("errors after the fault was cleared: %g", got)
	}
}

func TestUnhealthyFaultSparesWhatWasChangedBefore(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	c := e.command(t, plan.ResizeInstance, "storefront-01", resized("m5.xlarge"))
	apply(t, e, c)
	e.clock.Advance(time.Hour)
	inject(t, e, Fault{Kind: Unhealthy})
	e.clock.Advance(10 * time.Minute)
	if got := recent(t, e, c.Target.Ref, resource.ErrorRate, 5); got > 0.01 {
		t.Errorf("errors of a change made long ago: %g", got)
	}
}

func TestUnhealthyVolumeHurtsItsInstance(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	c := e.command(t, plan.ChangeVolumeType, "events-01-log1", retyped("gp3", 3000, 125))
	inject(t, e, Fault{Kind: Unhealthy, RefID: c.Target.Ref.ID})
	apply(t, e, c)
	e.clock.Advance(10 * time.Minute)
	if got := recent(t, e, e.named(t, "events-01").Ref, resource.ErrorRate, 4); got < 0.15 {
		t.Errorf("errors of the instance: %g", got)
	}
	if got := recent(t, e, e.named(t, "events-02").Ref, resource.ErrorRate, 4); got > 0.01 {
		t.Errorf("errors of another instance: %g", got)
	}
}

func TestThrottlingEnds(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	c := e.command(t, plan.ResizeInstance, "storefront-01", resized("m5.xlarge"))
	inject(t, e, Fault{Kind: Throttle, Cloud: resource.AWS, Times: 3})
	if _, err := e.Collector(resource.AWS).Resources(t.Context()); err != nil {
		t.Errorf("a throttling of actions hit the collector: %v", err)
	}
	actor := e.Actor(resource.AWS)
	for n, call := range []func() error{
		func() error { _, err := actor.Capture(t.Context(), c.Action, c.Target.Ref); return err },
		func() error { _, err := actor.Apply(t.Context(), c); return err },
		func() error { _, err := actor.Verify(t.Context(), c); return err },
	} {
		if err := call(); fault.CodeOf(err) != fault.Throttled {
			t.Errorf("call %d: %v, want Throttled", n, err)
		}
	}
	if len(steps(e)) != 0 {
		t.Error("a throttled call changed something")
	}
	apply(t, e, c)

	inject(t, e, Fault{Kind: Throttle, Cloud: resource.GCP, Reads: true, Times: 2})
	if _, err := e.Collector(resource.AWS).Prices(t.Context(), nil); err != nil {
		t.Errorf("throttling of Google Cloud hit AWS: %v", err)
	}
	for _, err := range e.Collector(resource.GCP).Costs(t.Context(), september) {
		if fault.CodeOf(err) != fault.Throttled {
			t.Errorf("Costs: %v, want Throttled", err)
		}
	}
	if _, err := e.Collector(resource.GCP).Resources(t.Context()); fault.CodeOf(err) != fault.Throttled {
		t.Errorf("Resources: %v, want Throttled", err)
	}
	if _, err := e.Collector(resource.GCP).Resources(t.Context()); err != nil {
		t.Errorf("the throttling did not end: %v", err)
	}
}

func TestTimeoutComesAfterTheChange(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	c := e.command(t, plan.ResizeInstance, "storefront-01", resized("m5.xlarge"))
	inject(t, e, Fault{Kind: Timeout, Times: 2})
	if _, err := e.Actor(resource.AWS).Apply(t.Context(), c); fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("got %v, want Unavailable", err)
	}
	if !verify(t, e, c) {
		t.Error("the change was not made")
	}
	if r := apply(t, e, c); r.Changed || len(steps(e)) != 3 {
		t.Errorf("the retry changed something: %v", steps(e))
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	for name, onApply := range map[string]bool{"at once": false, "when the action begins": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := open(t, Options{})
			c := e.command(t, plan.ResizeInstance, "storefront-03", resized("m5.xlarge"))
			inject(t, e, Fault{Kind: Drift, RefID: c.Target.Ref.ID, OnApply: onApply, Set: map[string]string{"size": "m5.4xlarge"}})
			if got := e.named(t, "storefront-03").Attributes["size"] == "m5.4xlarge"; got == onApply {
				t.Errorf("before Apply drifted is %t", got)
			}
			if _, err := e.Actor(resource.AWS).Apply(t.Context(), c); fault.CodeOf(err) != fault.Drifted {
				t.Errorf("got %v, want Drifted", err)
			}
			if _, err := e.Actor(resource.AWS).Revert(t.Context(), c); fault.CodeOf(err) != fault.Drifted {
				t.Errorf("Revert of a state that is not ours: %v, want Drifted", err)
			}
			if got := steps(e); !slices.Equal(got, []string{"drift"}) {
				t.Errorf("changes %v", got)
			}
			c = e.command(t, plan.ResizeInstance, "storefront-03", resized("m5.xlarge"))
			apply(t, e, c) // drift happens once
		})
	}
}

// TestStoppedBySomebodyIsNotOnTheWay: only what this execution stopped is a state of its own.
func TestStoppedBySomebodyIsNotOnTheWay(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	c := e.command(t, plan.ResizeInstance, "storefront-03", resized("m5.xlarge"))
	inject(t, e, Fault{Kind: Drift, RefID: c.Target.Ref.ID, Set: map[string]string{"state": "stopped"}})
	if _, err := e.Actor(resource.AWS).Apply(t.Context(), c); fault.CodeOf(err) != fault.Drifted {
		t.Errorf("Apply: %v, want Drifted", err)
	}
	if _, err := e.Actor(resource.AWS).Revert(t.Context(), c); fault.CodeOf(err) != fault.Drifted {
		t.Errorf("Revert: %v, want Drifted", err)
	}
	if got := steps(e); !slices.Equal(got, []string{"drift"}) {
		t.Errorf("changes %v", got)
	}
}

func TestRevertFailsSoManyTimes(t *testing.T) {
	t.Parallel()
	for want, f := range map[fault.Code]Fault{
		fault.Internal:    {Kind: RevertFails, Times: 2},
		fault.Unavailable: {Kind: RevertFails, Times: 2, Code: fault.Unavailable, App: "storefront"},
	} {
		e := open(t, Options{})
		before := e.Snapshot()
		c := e.command(t, plan.ResizeInstance, "storefront-01", resized("m5.xlarge"))
		apply(t, e, c)
		inject(t, e, f)
		for range 2 {
			if _, err := e.Actor(resource.AWS).Revert(t.Context(), c); fault.CodeOf(err) != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		if !verify(t, e, c) {
			t.Error("a failed Revert changed something")
		}
		revert(t, e, c)
		if !reflect.DeepEqual(e.Snapshot(), before) {
			t.Error("not as before")
		}
	}
}

func TestFaultsAreChecked(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	id := e.named(t, "storefront-01").ID
	for name, c := range map[string]struct {
		fault Fault
		want  fault.Code
	}{
		"no kind":                   {Fault{}, fault.Invalid},
		"rate above 1":              {Fault{Kind: Unhealthy, Rate: 2}, fault.Invalid},
		"negative times":            {Fault{Kind: Throttle, Times: -1}, fault.Invalid},
		"drift to nothing":          {Fault{Kind: Drift, RefID: id}, fault.Invalid},
		"drift of everything":       {Fault{Kind: Drift, Set: map[string]string{"size": "m5.large"}}, fault.Invalid},
		"drift of a strange name":   {Fault{Kind: Drift, RefID: id, Set: map[string]string{"colour": "red"}}, fault.Invalid},
		"drift to text for numbers": {Fault{Kind: Drift, RefID: id, Set: map[string]string{"iops": "many"}}, fault.Invalid},
		"drift of nobody":           {Fault{Kind: Drift, RefID: "i-none", Set: map[string]string{"size": "m5.large"}}, fault.NotFound},
		"drift to an unknown size":  {Fault{Kind: Drift, RefID: id, Set: map[string]string{"size": "m9.huge"}}, fault.NotFound},
		"drift to another's type":   {Fault{Kind: Drift, RefID: id, Set: map[string]string{"volume_type": "gp2"}}, fault.NotFound},
	} {
		if _, err := e.Inject(c.fault); err == nil || fault.CodeOf(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if len(e.faults) != 0 {
		t.Errorf("%d refused faults were kept", len(e.faults))
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	e := open(t, Options{Pace: time.Hour})
	c := e.command(t, plan.ResizeInstance, "storefront-01", resized("m5.xlarge"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Actor(resource.AWS).Apply(ended, c); fault.CodeOf(err) != fault.Unavailable || len(steps(e)) != 0 {
		t.Errorf("got %v after the steps %v", err, steps(e))
	}
	for _, err := range e.Collector(resource.AWS).Costs(ended, september) {
		if fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("Costs gave %v", err)
		}
	}
	waiting, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := e.Actor(resource.AWS).Apply(waiting, c); fault.CodeOf(err) != fault.Unavailable || !slices.Equal(steps(e), []string{"stop"}) {
		t.Errorf("given up while stopping: %v after the steps %v", err, steps(e))
	}
}
