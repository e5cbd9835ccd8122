package job_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/local/stepfunctions"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// What speaks against an execution after it was asked for, and before it begins, still stops it.
func TestBeginRefusesWhatHasChangedSince(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*world)
		reason string
	}{
		"frozen": {func(w *world) {
			if err := w.db.SetExecutionFreeze(w.Context(), meridian, rollout.Freeze{Frozen: true, Reason: "sales week"}, "x", time.Now()); err != nil {
				w.Fatal(err)
			}
		}, "frozen (sales week)"},
		"approval withdrawn": {func(w *world) {
			r := w.known.recommendations["resize"]
			r.Status, r.Approval = recommend.Open, nil
			w.known.put(r)
		}, "Only an approved one"},
		"approved anew with another plan": {func(w *world) {
			r := w.known.recommendations["resize"]
			r.Approval = &recommend.Approval{By: "bert", PlanHash: "another"}
			w.known.put(r)
		}, "not the one that was approved"},
		"protected":           {func(w *world) { w.known.tags = map[string]string{"cost-agent:protected": "true"} }, "protected by its tag"},
		"no actor":            {func(w *world) { delete(w.rollout.Actors, resource.AWS) }, "No actor for aws is configured"},
		"larger than allowed": {func(w *world) { w.rollout.Rails.Targets = 3; w.wire() }, "at most 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rec := w.recommendation("resize", "storefront", "m5.xlarge")
			var once sync.Once
			w.around = func(ctx context.Context, _, task string, call func(context.Context) ([]byte, error)) ([]byte, error) {
				if task == "begin" {
					first := false
					once.Do(func() { c.change(w); first = true })
					if first {
						return nil, errAgain // and the second try meets what has changed
					}
				}
				return call(ctx)
			}
			e := w.run("resize", gradual)
			if e.Status != rollout.Refused || !strings.Contains(e.Reason, c.reason) || len(e.Journal) != 0 {
				t.Fatalf("%s: %s", e.Status, e.Reason)
			}
			if got := w.steps(rec); !maps.Equal(got, map[string]int{"": 12}) {
				t.Errorf("changes %v", got)
			}
			free(w, rec)
		})
	}
}

// errAgain makes a state machine try again.
var errAgain = &stepfunctions.FunctionError{Type: "Lambda.ServiceException"}

// A change that was given up comes late, after the rollback: the newer fencing token of that keeps it out.
func TestChangeThatComesLateIsFenced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.recommendation("resize", "storefront", "m5.xlarge")
	var late func() error
	w.around = func(ctx context.Context, _, task string, call func(context.Context) ([]byte, error)) ([]byte, error) {
		if task != "apply" {
			return call(ctx)
		}
		late = func() error {
			_, err := call(context.WithoutCancel(ctx))
			return err
		}
		return nil, &stepfunctions.FunctionError{Type: "States.Timeout"}
	}
	e := w.run("resize", gradual)
	if e.Status != rollout.RolledBack {
		t.Fatalf("%s: %s", e.Status, e.Reason)
	}
	if err := late(); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("the late change: %v, want Conflict", err)
	}
	if got := w.steps(rec); !maps.Equal(got, map[string]int{"": 12}) {
		t.Errorf("changes %v", got)
	}
}

func TestAbortedMachineLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at     string
		status rollout.Status
	}{
		"before anything was changed": {"check", rollout.Refused}, "in a phase": {"judge", rollout.Stuck},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rec := w.recommendation("resize", "storefront", "m5.xlarge")
			before := w.sizes("storefront")
			reached := make(chan struct{})
			var once sync.Once
			w.around = func(ctx context.Context, _, task string, call func(context.Context) ([]byte, error)) ([]byte, error) {
				if task == c.at {
					once.Do(func() { close(reached) })
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return call(ctx)
			}
			e, err := w.execute.Run(t.Context(), approver, job.ExecuteInput{Recommendation: "resize", PlanHash: rec.PlanHash, Strategy: gradual})
			if err != nil {
				t.Fatal(err)
			}
			<-reached
			if err := w.engine.Stop(t.Context(), "arn:aws:states:local:000000000000:execution:execution:"+e.ID, "", ""); err != nil {
				t.Fatal(err)
			}
			x := w.finish(e.ID)
			w.around = nil
			for range 2 {
				if _, err := w.rollout.Ended(t.Context(), job.EndedInput{Status: string(x.Status), Input: string(x.Input)}); err != nil {
					t.Fatal(err)
				}
			}
			if e = w.execution(e.ID); e.Status != c.status || !strings.Contains(e.Reason, "ABORTED") {
				t.Fatalf("%s: %s", e.Status, e.Reason)
			}
			if c.status == rollout.Stuck {
				w.around = func(ctx context.Context, _, task string, call func(context.Context) ([]byte, error)) ([]byte, error) {
					if task == "revert" { // events may come twice, and late
						if _, err := w.rollout.Ended(ctx, job.EndedInput{Status: string(x.Status), Input: string(x.Input)}); err != nil {
							return nil, err
						}
					}
					return call(ctx)
				}
				if e = w.resume(e.ID); e.Status != rollout.RolledBack || !strings.Contains(e.Reason, "ABORTED") || !maps.Equal(before, w.sizes("storefront")) {
					t.Fatalf("%s: %s", e.Status, e.Reason)
				}
			}
			free(w, rec)
		})
	}
}

// rack is an actor of any number of resources, whose changes take no time.
type rack struct {
	mu         sync.Mutex
	states     map[resource.Ref]plan.State
	changes    int
	unverified resource.Ref // is changed, but never found so
}

func (s *rack) Capture(_ context.Context, _ plan.Action, ref resource.Ref) (plan.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[ref], nil
}

func (s *rack) set(ref resource.Ref, state plan.State) (rollout.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := !s.states[ref].Equal(state)
	if s.states[ref] = state; changed {
		s.changes++
	}
	return rollout.Receipt{Ref: ref, Changed: changed, State: state, Handles: map[string]string{"snapshot": strings.Repeat("s", 200)}}, nil
}

func (s *rack) Apply(_ context.Context, c rollout.Command) (rollout.Receipt, error) {
	return s.set(c.Target.Ref, c.Target.After)
}

func (s *rack) Verify(_ context.Context, c rollout.Command) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.Target.Ref != s.unverified && s.states[c.Target.Ref].Equal(c.Target.After), nil
}

func (s *rack) Revert(_ context.Context, c rollout.Command) (rollout.Receipt, error) {
	return s.set(c.Target.Ref, c.Target.Before)
}

// The largest plan that is allowed, of the longest names there are, passes through the 256 KiB of a state machine's state:
// forward to the verification, which fails, and all the way back.
func TestLargestPlanFitsTheStateMachine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := plan.Plan{Cloud: resource.Azure, Action: plan.ChangeVolumeType}
	s := &rack{states: map[resource.Ref]plan.State{}}
	for i := range rollout.DefaultTargets {
		ref := resource.Ref{Cloud: resource.Azure, Account: strings.Repeat("a", 36), Region: "germanywestcentral", Type: resource.Volume,
			ID: fmt.Sprintf("/subscriptions/%036d/resourcegroups/%s/providers/microsoft.compute/disks/%s", i, strings.Repeat("g", 60), strings.Repeat("d", 60))}
		before := plan.State{resource.AttrVolumeType: "Premium_LRS", resource.AttrIOPS: "5000", resource.AttrThroughput: "200"}
		after := plan.State{resource.AttrVolumeType: "PremiumV2_LRS", resource.AttrIOPS: "5000", resource.AttrThroughput: "200"}
		p.Targets = append(p.Targets, plan.Target{Ref: ref, Before: before, After: after})
		s.states[ref], s.unverified = before, ref
		w.known.others = append(w.known.others, ref)
	}
	act := job.Act{Actors: func(ingest.Connection) (rollout.Actor, error) { return s, nil }}
	w.tasks["act"] = map[string]awslambda.Task{"capture": awslambda.TaskOf(act.Capture), "apply": awslambda.TaskOf(act.Apply),
		"verify": awslambda.TaskOf(act.Verify), "revert": awslambda.TaskOf(act.Revert)}
	w.known.put(recommend.Recommendation{ID: "big", Connection: "azure-main", Plan: p, PlanHash: p.Hash(), Status: recommend.Approved,
		Approval: &recommend.Approval{By: "bert", PlanHash: p.Hash()}})
	e := w.run("big", rollout.Strategy{Mode: rollout.Immediate})
	if e.Status != rollout.RolledBack || !strings.Contains(e.Reason, "not as planned") || s.changes != 2*len(p.Targets) {
		t.Fatalf("%s with %d changes: %s", e.Status, s.changes, e.Reason)
	}
	for _, target := range p.Targets {
		if !s.states[target.Ref].Equal(target.Before) {
			t.Fatalf("%s was not restored", target.Ref.ID)
		}
	}
}
