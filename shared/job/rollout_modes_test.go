package job_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.recommendation("resize", "storefront", "m5.xlarge")
	e, err := w.execute.Run(t.Context(), approver, job.ExecuteInput{Recommendation: "resize", PlanHash: rec.PlanHash, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	w.finish(e.ID)
	if e = w.execution(e.ID); e.Status != rollout.Completed || len(e.Journal) != 0 {
		t.Errorf("%s with %d journal entries", e.Status, len(e.Journal))
	}
	if got := w.steps(rec); !maps.Equal(got, map[string]int{"": 12}) {
		t.Errorf("changes %v", got)
	}
	if got := w.known.recommendations["resize"].Status; got != recommend.Approved {
		t.Errorf("the recommendation is %s", got)
	}
	done, err := w.db.CompletedExecutions(t.Context(), meridian)
	if err != nil || len(done) != 0 {
		t.Errorf("a dry run counts as completed: %v %v", done, err)
	}
	free(w, rec)
}

func TestScheduledExecutionWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.recommendation("resize", "storefront", "m5.xlarge")
	at := w.estate.Clock().Now().Add(13 * time.Hour).Truncate(time.Second)
	e := w.run("resize", rollout.Strategy{Mode: rollout.Scheduled, At: at})
	if e.Status != rollout.Completed || e.StartedAt.Before(at) {
		t.Errorf("%s, started %s before %s", e.Status, e.StartedAt, at)
	}
}

func TestArchivedVolumesComeBackUnderNewNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	count := 0
	rec := w.approve("archive", plan.ArchiveVolume, func(r resource.Resource) (plan.State, []resource.Ref) {
		if r.Type != resource.Volume || r.Cloud != resource.AWS || r.Attributes[resource.AttrState] != "available" || r.Tags["cost-agent:protected"] != "" || count == 4 {
			return nil, nil
		}
		count++
		return plan.State{resource.AttrState: plan.Archived}, nil
	})
	verified := 0
	w.around = func(ctx context.Context, _, task string, call func(context.Context) ([]byte, error)) ([]byte, error) {
		if task == "verify" {
			if verified++; verified == 1 {
				return nil, fault.New(fault.Drifted, "Somebody has restored it.")
			}
		}
		return call(ctx)
	}
	e := w.run("archive", rollout.Strategy{Mode: rollout.Immediate})
	if e.Status != rollout.RolledBack {
		t.Fatalf("%s: %s", e.Status, e.Reason)
	}
	replaced := 0
	for _, n := range e.Journal {
		if n.Step == rollout.Reverted && n.Result.Handles[rollout.Replacement] != "" && n.After.Equal(rec.Plan.Targets[0].Before) {
			replaced++
		}
	}
	if replaced == 0 {
		t.Errorf("no volume was replaced: %v", e.Journal)
	}
}

// What serves no requests is watched by its pulse, and a volume by the machine it is attached to.
func TestVolumesOfMachinesWithoutRequestsAreChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.approve("retype", plan.ChangeVolumeType, func(r resource.Resource) (plan.State, []resource.Ref) {
		if r.Type != resource.Volume || r.Tags["application"] != "warehouse" || r.Attributes[resource.AttrVolumeType] != "gp2" || r.Attributes[resource.AttrAttachedTo] == "" {
			return nil, nil
		}
		machine := r.Ref
		machine.Type, machine.ID = resource.Instance, r.Attributes[resource.AttrAttachedTo]
		return plan.State{resource.AttrVolumeType: "gp3", resource.AttrIOPS: "16000", resource.AttrThroughput: "1000"}, []resource.Ref{machine}
	})
	e := w.run("retype", gradual)
	if e.Status != rollout.Completed {
		t.Fatalf("%s: %s", e.Status, e.Reason)
	}
	if got, want := w.steps(rec), map[string]int{"modify": len(rec.Plan.Targets)}; !maps.Equal(got, want) {
		t.Errorf("changes %v, want %v", got, want)
	}
	for _, p := range e.Phases {
		if p.JudgedAt.Sub(p.AppliedAt) < gradual.Watch {
			t.Errorf("phase %d was not watched", p.Number)
		}
	}
}

// The daily round no longer finds what an execution has changed already, and lets the recommendation expire before the execution
// is over. It was carried out all the same; another plan of the same recommendation was not.
func TestWhatExpiredMeanwhileIsImplemented(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hash string
		want recommend.Status
	}{"the same plan": {"", recommend.Implemented}, "another plan": {"another", recommend.Expired}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.recommendation("resize", "storefront", "m5.xlarge")
			w.around = func(ctx context.Context, _, task string, call func(context.Context) ([]byte, error)) ([]byte, error) {
				if task == "complete" {
					r := w.known.recommendations["resize"]
					r.Status, r.Approval, r.PlanHash = recommend.Expired, nil, cmp.Or(c.hash, r.PlanHash)
					w.known.put(r)
				}
				return call(ctx)
			}
			e := w.run("resize", rollout.Strategy{Mode: rollout.Immediate})
			if got := w.known.recommendations["resize"].Status; e.Status != rollout.Completed || got != c.want {
				t.Errorf("the execution is %s and the recommendation %s, want %s", e.Status, got, c.want)
			}
		})
	}
}

// lost starts a state machine, or not, and never says so.
type lost struct {
	job.Starter
	begin bool
	done  func(name string)
}

func (l lost) Start(ctx context.Context, machine, name string, input any) (string, error) {
	if l.begin {
		if _, err := l.Starter.Start(ctx, machine, name, input); err != nil {
			return "", err
		}
		l.done(name)
	}
	return "", errors.New("the connection broke off")
}

// When the answer to a start is lost, nobody is told that nothing was changed while the execution is on its way.
func TestAStartWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		begin bool
		code  fault.Code
		want  rollout.Status
	}{"it began": {true, "", rollout.Completed}, "it did not": {false, fault.Unavailable, rollout.Refused}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rec := w.recommendation("resize", "storefront", "m5.xlarge")
			w.execute.Starter = lost{w, c.begin, func(name string) { w.finish(name) }}
			e, err := w.execute.Run(t.Context(), approver, job.ExecuteInput{Recommendation: "resize", PlanHash: rec.PlanHash, Strategy: rollout.Strategy{Mode: rollout.Immediate}})
			if (c.code == "" && err != nil) || (c.code != "" && fault.CodeOf(err) != c.code) {
				t.Errorf("got %v, want %q", err, c.code)
			}
			if e.Status != c.want || w.execution(e.ID).Status != c.want {
				t.Errorf("told %s, and it is %s; want %s", e.Status, w.execution(e.ID).Status, c.want)
			}
		})
	}
}

// A request that died between the record and the state machine does not keep others from executing for good.
func TestAnExecutionThatNeverBeganIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.recommendation("resize", "storefront", "m5.xlarge")
	orphan, err := w.db.CreateExecution(t.Context(), meridian, rollout.Execution{
		Recommendation: "resize", Connection: rec.Connection, Plan: rec.Plan, PlanHash: rec.PlanHash, RequestedBy: "carl",
		CreatedAt: w.estate.Clock().Now(), Strategy: gradual,
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := job.ExecuteInput{Recommendation: "resize", PlanHash: rec.PlanHash, Strategy: rollout.Strategy{Mode: rollout.Immediate}}
	if _, err := w.execute.Run(t.Context(), approver, ask); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("beside one that may still begin: %v, want Conflict", err)
	}
	w.estate.Clock().Advance(time.Hour)
	if e := w.run("resize", ask.Strategy); e.Status != rollout.Completed || e.ID == orphan.ID {
		t.Errorf("%s: %s", e.Status, e.Reason)
	}
	if got := w.execution(orphan.ID); got.Status != rollout.Refused {
		t.Errorf("the one that never began is %s", got.Status)
	}
}
