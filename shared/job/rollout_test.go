package job_test

import (
	"context"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/local/stepfunctions"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

var gradual = rollout.Strategy{Mode: rollout.Gradual, Watch: 15 * time.Minute}

// once is what a resize does to an instance, and twice is it and its undoing.
const (
	once  = "stop modify start"
	twice = once + " " + once
)

func TestApprovedPlanIsCarriedOutInPhases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.recommendation("resize", "storefront", "m5.xlarge")
	others := len(w.estate.Mutations(resource.Ref{}))
	e := w.run("resize", gradual)

	if e.Status != rollout.Completed || e.Reason != "" {
		t.Fatalf("%s: %s", e.Status, e.Reason)
	}
	var sizes []int
	for i, p := range e.Phases {
		sizes = append(sizes, len(p.Targets))
		if p.Verdict != rollout.Healthy || p.JudgedAt.Sub(p.AppliedAt) < gradual.Watch {
			t.Errorf("phase %d: %s after %s", p.Number, p.Verdict, p.JudgedAt.Sub(p.AppliedAt))
		}
		if i > 0 && !p.StartedAt.After(e.Phases[i-1].JudgedAt) {
			t.Errorf("phase %d began before phase %d was judged", p.Number, i)
		}
	}
	if want := []int{1, 5, 6}; !reflect.DeepEqual(sizes, want) {
		t.Errorf("phases of %v targets, want %v", sizes, want)
	}
	if got, want := w.steps(rec), map[string]int{once: 12}; !maps.Equal(got, want) {
		t.Errorf("changes %v, want %v", got, want)
	}
	if got := len(w.estate.Mutations(resource.Ref{})) - others; got != 36 {
		t.Errorf("%d changes in all: something else was changed too", got)
	}
	for name, size := range w.sizes("storefront") {
		if size != "m5.xlarge running" {
			t.Errorf("%s is %s", name, size)
		}
	}
	if got := w.known.recommendations["resize"].Status; got != recommend.Implemented {
		t.Errorf("the recommendation is %s", got)
	}
	free(w, rec)
}

// free checks that nobody holds the targets any more.
func free(w *world, rec recommend.Recommendation) {
	w.Helper()
	e := rollout.Execution{Plan: rec.Plan}
	if err := w.rollout.Locks.Lock(w.Context(), meridian, refsOf(e), "somebody else", 1<<40, time.Now()); err != nil {
		w.Errorf("the locks were not given back: %v", err)
	}
}

func refsOf(e rollout.Execution) []resource.Ref {
	var out []resource.Ref
	for _, target := range e.Plan.Targets {
		out = append(out, target.Ref)
	}
	return out
}

func TestUnhealthyFleetIsRestored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.recommendation("resize", "checkout", "m5.large")
	before := w.estate.Snapshot()
	e := w.run("resize", gradual)

	if e.Status != rollout.RolledBack || !strings.Contains(e.Reason, "error rate") || !strings.Contains(e.Reason, "Phase 1") {
		t.Fatalf("%s: %s", e.Status, e.Reason)
	}
	if after := w.estate.Snapshot(); !reflect.DeepEqual(before, after) {
		t.Error("the estate is not as it was")
	}
	if got, want := w.steps(rec), map[string]int{twice: 1, "": 5}; !maps.Equal(got, want) {
		t.Errorf("changes %v, want %v: only the first phase is touched", got, want)
	}
	if got := w.known.recommendations["resize"]; got.Status != recommend.Open || got.Approval != nil {
		t.Errorf("what did harm is still %s", got.Status)
	}
	t.Log(e.Reason)
	free(w, rec)
}

func TestHarmInALaterPhaseRestoresAllPhases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.recommendation("resize", "storefront", "m5.xlarge")
	before := w.estate.Snapshot()
	var inject sync.Once
	w.around = func(ctx context.Context, _, task string, call func(context.Context) ([]byte, error)) ([]byte, error) {
		if task == "judge" {
			defer inject.Do(func() { // from the second phase on
				if _, err := w.estate.Inject(sandbox.Fault{Kind: sandbox.Unhealthy, App: "storefront"}); err != nil {
					t.Error(err)
				}
			})
		}
		return call(ctx)
	}
	e := w.run("resize", gradual)
	if e.Status != rollout.RolledBack || !strings.Contains(e.Reason, "Phase 2") {
		t.Fatalf("%s: %s", e.Status, e.Reason)
	}
	if !reflect.DeepEqual(before, w.estate.Snapshot()) {
		t.Error("the estate is not as it was")
	}
	if got, want := w.steps(rec), map[string]int{twice: 6, "": 6}; !maps.Equal(got, want) {
		t.Errorf("changes %v, want %v", got, want)
	}
}

// Every task runs twice, or dies after its work was done and is run again: the end is the same, and every real change is
// made once.
func TestRepeatedAndDyingTasksLeaveTheSameEnd(t *testing.T) {
	t.Parallel()
	type around = func(context.Context, string, string, func(context.Context) ([]byte, error)) ([]byte, error)
	died := &stepfunctions.FunctionError{Type: "Lambda.ServiceException", Message: "it died"}
	doubled := func() around {
		return func(ctx context.Context, _, _ string, call func(context.Context) ([]byte, error)) ([]byte, error) {
			if first, err := call(ctx); err != nil {
				return first, err
			}
			return call(ctx)
		}
	}
	dying := func() around {
		var mu sync.Mutex
		calls := map[string]int{}
		return func(ctx context.Context, function, task string, call func(context.Context) ([]byte, error)) ([]byte, error) {
			out, err := call(ctx)
			mu.Lock()
			defer mu.Unlock()
			if calls[function+task]++; err == nil && calls[function+task]%2 == 1 {
				return nil, died
			}
			return out, err
		}
	}
	for name, c := range map[string]struct {
		around    around
		app, size string
		status    rollout.Status
		steps     map[string]int
	}{
		"doubled, completed":   {doubled(), "storefront", "m5.xlarge", rollout.Completed, map[string]int{once: 12}},
		"doubled, rolled back": {doubled(), "checkout", "m5.large", rollout.RolledBack, map[string]int{twice: 1, "": 5}},
		"dying, completed":     {dying(), "storefront", "m5.xlarge", rollout.Completed, map[string]int{once: 12}},
		"dying, rolled back":   {dying(), "checkout", "m5.large", rollout.RolledBack, map[string]int{twice: 1, "": 5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.around = c.around
			rec := w.recommendation("resize", c.app, c.size)
			e := w.run("resize", gradual)
			if e.Status != c.status {
				t.Fatalf("%s: %s", e.Status, e.Reason)
			}
			if got := w.steps(rec); !maps.Equal(got, c.steps) {
				t.Errorf("changes %v, want %v", got, c.steps)
			}
			type natural struct {
				phase int
				step  rollout.Step
				ref   resource.Ref
			}
			seen := map[natural]bool{}
			for _, n := range e.Journal {
				k := natural{n.Phase, n.Step, n.Ref}
				if seen[k] {
					t.Errorf("the journal says twice that %v", k)
				}
				seen[k] = true
			}
			free(w, rec)
		})
	}
}

func TestEngineKilledInAPhaseGoesOn(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"apply", "record", "judge", "usage", "verify", "complete"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rec := w.recommendation("resize", "storefront", "m5.xlarge")
			killed := make(chan struct{})
			var kill sync.Once
			w.around = func(ctx context.Context, _, task string, call func(context.Context) ([]byte, error)) ([]byte, error) {
				out, err := call(ctx)
				if task == at {
					kill.Do(func() { close(killed) })
					select {
					case <-killed:
						if w.dead(ctx) {
							return nil, ctx.Err()
						}
					default:
					}
				}
				return out, err
			}
			e, err := w.execute.Run(t.Context(), approver, job.ExecuteInput{Recommendation: "resize", PlanHash: rec.PlanHash, Strategy: gradual})
			if err != nil {
				t.Fatal(err)
			}
			<-killed
			if err := w.engine.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.boot()
			if err := w.engine.Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.finish(e.ID)
			if e = w.execution(e.ID); e.Status != rollout.Completed {
				t.Fatalf("%s: %s", e.Status, e.Reason)
			}
			if got, want := w.steps(rec), map[string]int{once: 12}; !maps.Equal(got, want) {
				t.Errorf("changes %v, want %v", got, want)
			}
		})
	}
}

// dead waits a moment for the kill to arrive.
func (w *world) dead(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-time.After(50 * time.Millisecond):
		return false
	}
}

func TestCloudsTroubles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  sandbox.Fault
		status rollout.Status
		steps  map[string]int
		reason string
	}{
		"answers lost after the change": {sandbox.Fault{Kind: sandbox.Timeout, Times: 5}, rollout.Completed, map[string]int{once: 12}, ""},
		"throttled":                     {sandbox.Fault{Kind: sandbox.Throttle, Times: 5}, rollout.Completed, map[string]int{once: 12}, ""},
		"restoring needs some tries":    {sandbox.Fault{Kind: sandbox.RevertFails, Times: 3}, rollout.Completed, map[string]int{once: 12}, ""},
		"drifted before": {sandbox.Fault{Kind: sandbox.Drift, App: "storefront", Set: map[string]string{"size": "m5.4xlarge"}}, rollout.Refused,
			map[string]int{"drift": 12}, `size is "m5.4xlarge", approved was "m5.2xlarge"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rec := w.recommendation("resize", "storefront", "m5.xlarge")
			if _, err := w.estate.Inject(c.fault); err != nil {
				t.Fatal(err)
			}
			e := w.run("resize", gradual)
			if e.Status != c.status || !strings.Contains(e.Reason, c.reason) {
				t.Fatalf("%s: %s", e.Status, e.Reason)
			}
			if got := w.steps(rec); !maps.Equal(got, c.steps) {
				t.Errorf("changes %v, want %v", got, c.steps)
			}
			free(w, rec)
		})
	}
}

// A change that never answers is undone.
func TestTimeoutIsUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.recommendation("resize", "storefront", "m5.xlarge")
	before := w.estate.Snapshot()
	applied := 0
	w.around = func(ctx context.Context, _, task string, call func(context.Context) ([]byte, error)) ([]byte, error) {
		out, err := call(ctx)
		if task == "apply" {
			if applied++; applied == 1 {
				return nil, &stepfunctions.FunctionError{Type: "States.Timeout"}
			}
		}
		return out, err
	}
	e := w.run("resize", gradual)
	if e.Status != rollout.RolledBack || !strings.Contains(e.Reason, "in time") {
		t.Fatalf("%s: %s", e.Status, e.Reason)
	}
	if !reflect.DeepEqual(before, w.estate.Snapshot()) || applied != 1 {
		t.Errorf("not restored, or applied %d times", applied)
	}
	free(w, rec)
}

func TestStuckRollbackKeepsItsLockAndIsResumed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.recommendation("resize", "checkout", "m5.large")
	before := w.sizes("checkout")
	if _, err := w.estate.Inject(sandbox.Fault{Kind: sandbox.RevertFails, Times: 1000, Code: fault.Unavailable}); err != nil {
		t.Fatal(err)
	}
	e := w.run("resize", gradual)
	if e.Status != rollout.Stuck || !strings.Contains(e.Reason, "error rate") || !strings.Contains(e.Reason, "could not restore") {
		t.Fatalf("%s: %s", e.Status, e.Reason)
	}
	w.recommendation("other", "checkout", "m5.2xlarge")
	w.estate.Clock().Advance(30 * 24 * time.Hour)
	if got := w.run("other", gradual); got.Status != rollout.Refused || !strings.Contains(got.Reason, "Another execution holds") {
		t.Errorf("the targets of a stuck execution are free: %s %s", got.Status, got.Reason)
	}
	if err := w.estate.ClearFaults(); err != nil {
		t.Fatal(err)
	}
	e = w.resume(e.ID)
	if e.Status != rollout.RolledBack || !strings.Contains(e.Reason, "error rate") {
		t.Fatalf("%s: %s", e.Status, e.Reason)
	}
	if !maps.Equal(before, w.sizes("checkout")) {
		t.Error("the instances are not as they were")
	}
	if _, err := w.execute.Resume(t.Context(), approver, e.ID); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("resuming what is over: %v", err)
	}
	free(w, rec)
}

func TestOneOfSeveralExecutionsGetsTheTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.recommendation("smaller", "storefront", "m5.xlarge")
	w.recommendation("same", "storefront", "m5.xlarge")
	var ids []string
	for _, id := range []string{"smaller", "same"} {
		e, err := w.execute.Run(t.Context(), approver, job.ExecuteInput{Recommendation: id, PlanHash: w.known.recommendations[id].PlanHash, Strategy: gradual})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	got := map[rollout.Status]int{}
	for _, id := range ids {
		w.finish(id)
		got[w.execution(id).Status]++
	}
	if got[rollout.Completed] != 1 || got[rollout.Refused] != 1 {
		t.Errorf("%v, want one completed and one refused", got)
	}
}
