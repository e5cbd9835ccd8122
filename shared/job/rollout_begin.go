package job

import (
	"context"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// BeginOutput is what the machine needs of an execution, and whose state it has to capture.
type BeginOutput struct {
	Actor      string         `json:"actor"`
	Collector  string         `json:"collector"`
	Connection string         `json:"connection"`
	Cloud      resource.Cloud `json:"cloud"`
	Action     plan.Action    `json:"action"`
	Capture    []resource.Ref `json:"capture"`
}

// Begin checks everything that can be known before the cloud is asked, takes the locks and marks the execution running. It
// refuses with fault.Conflict what is frozen, no longer approved, not in the inventory or locked by another execution, with fault.Forbidden what
// is protected, with fault.TooLarge what is too much, and with fault.Unprocessable a cloud that nobody acts on.
func (r Rollout) Begin(ctx context.Context, in ExecutionInput) (BeginOutput, error) {
	e, err := r.Store.Execution(ctx, in.Tenant, in.Execution)
	if err != nil {
		return BeginOutput{}, err
	}
	actor, collector, err := r.functions(e.Plan.Cloud)
	if err != nil {
		return BeginOutput{}, err
	}
	if e.Status == rollout.Pending {
		if e, err = r.start(ctx, in, e); err != nil {
			return BeginOutput{}, err
		}
	}
	if e.Status != rollout.Running {
		return BeginOutput{}, fault.New(fault.Conflict, "Execution %s is %s, so it cannot begin.", e.ID, e.Status)
	}
	return BeginOutput{
		Actor: actor, Collector: collector, Connection: e.Connection, Cloud: e.Plan.Cloud, Action: e.Plan.Action, Capture: targetsOf(e),
	}, nil
}

// start makes a pending execution a running one that holds its locks.
func (r Rollout) start(ctx context.Context, in ExecutionInput, e rollout.Execution) (rollout.Execution, error) {
	if err := r.admit(ctx, in.Tenant, e); err != nil {
		return e, err
	}
	fence, err := r.Store.NextFence(ctx)
	if err != nil {
		return e, err
	}
	e.Fence, e.Status, e.StartedAt = fence, rollout.Running, r.Now()
	if err := r.lock(ctx, in.Tenant, e, lease); err != nil {
		return e, err
	}
	if _, err := r.Store.TransitionExecution(ctx, in.Tenant, e, rollout.Pending); err != nil {
		return e, err
	}
	return r.Store.Execution(ctx, in.Tenant, in.Execution) // a twin may have been faster: its fence counts
}

// admit applies the guard rails.
func (r Rollout) admit(ctx context.Context, t tenant.ID, e rollout.Execution) error {
	freeze, err := r.Store.ExecutionFreeze(ctx, t)
	if err != nil {
		return err
	}
	if err := freeze.Check(); err != nil {
		return err
	}
	rec, err := r.Recommendations.Recommendation(ctx, t, e.Recommendation)
	if err != nil {
		return err
	}
	if err := approved(e, rec); err != nil {
		return err
	}
	if err := r.Rails.Size(e.Plan); err != nil {
		return err
	}
	known, err := r.Inventory.Inventory(ctx, t, e.Connection)
	if err != nil {
		return err
	}
	tags := map[resource.Ref]map[string]string{}
	for _, o := range known {
		tags[o.Ref] = o.Tags
	}
	return r.Rails.Tags(e.Plan, tags)
}

// approved refuses an execution of anything but the plan that somebody agreed to.
func approved(e rollout.Execution, rec recommend.Recommendation) error {
	if rec.Status != recommend.Approved || rec.Approval == nil {
		return fault.New(fault.Conflict, "The recommendation %s is %s. Only an approved one can be executed.", rec.ID, rec.Status)
	}
	return rollout.Approved(e, rec.Approval.PlanHash)
}

// CheckInput is the state of the targets as the actor found it.
type CheckInput struct {
	Tenant    tenant.ID          `json:"tenant"`
	Execution string             `json:"execution"`
	Captured  []rollout.Captured `json:"captured"`
}

// CheckOutput tells whether that is all.
type CheckOutput struct {
	Done bool `json:"done"` // a dry run ends here
}

// Check refuses, with fault.Drifted, targets that are not as they were approved. It completes a dry run.
func (r Rollout) Check(ctx context.Context, in CheckInput) (CheckOutput, error) {
	e, err := r.Store.Execution(ctx, in.Tenant, in.Execution)
	if err != nil {
		return CheckOutput{}, err
	}
	if e.DryRun && e.Status == rollout.Completed {
		return CheckOutput{Done: true}, r.unlock(ctx, in.Tenant, e)
	}
	if e.Status != rollout.Running {
		return CheckOutput{}, fault.New(fault.Conflict, "Execution %s is %s, so it cannot go on.", e.ID, e.Status)
	}
	if err := rollout.Drifted(rollout.Drift(e.Plan, in.Captured)); err != nil {
		return CheckOutput{}, err
	}
	if !e.DryRun {
		return CheckOutput{}, nil
	}
	e.Status, e.EndedAt = rollout.Completed, r.Now()
	if _, err := r.Store.TransitionExecution(ctx, in.Tenant, e, rollout.Running); err != nil {
		return CheckOutput{}, err
	}
	return CheckOutput{Done: true}, r.unlock(ctx, in.Tenant, e)
}
