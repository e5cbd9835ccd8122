package job

import (
	"context"
	"reflect"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Starter starts executions of state machines. A second start with the same name and input, while the first one runs, is
// the first.
type Starter interface {
	Start(ctx context.Context, machine, name string, input any) (arn string, err error)
}

// ExecutionMachine is the name of the state machine that carries out plans.
const ExecutionMachine = "execution"

// Execute asks for the execution of an approved recommendation.
type Execute struct {
	Store           ExecutionStore
	Recommendations Recommendations
	Starter         Starter
	Actors          map[resource.Cloud]string
	Collectors      map[resource.Cloud]string
	Rails           rollout.Rails
	Now             Clock
}

// ExecuteInput says what is to be executed, and how.
type ExecuteInput struct {
	Recommendation string
	PlanHash       string // of the plan that the caller has seen
	Strategy       rollout.Strategy
	DryRun         bool
}

// machineInput is what the state machine begins with.
type machineInput struct {
	Tenant    tenant.ID `json:"tenant"`
	Execution string    `json:"execution"`
	At        string    `json:"at,omitempty"`
	Resume    bool      `json:"resume,omitempty"`
}

// Run creates the execution and starts the state machine. Asked again for what has been created but not begun, it gives
// that. What can be refused at once is: fault.Conflict for a recommendation that is not approved with this hash or has an
// open execution, or while executions are frozen; fault.Invalid, fault.TooLarge, fault.Unprocessable as Begin says.
func (x Execute) Run(ctx context.Context, p tenant.Principal, in ExecuteInput) (rollout.Execution, error) {
	e, err := x.prepare(ctx, p, in)
	if err != nil {
		return e, err
	}
	created, err := x.create(ctx, p.Tenant, e)
	if err != nil {
		return e, err
	}
	input := machineInput{Tenant: p.Tenant, Execution: created.ID}
	if !created.Strategy.At.IsZero() {
		input.At = created.Strategy.At.UTC().Format(time.RFC3339)
	}
	if _, err := x.Starter.Start(ctx, ExecutionMachine, created.ID, input); err != nil {
		return x.abandon(ctx, p.Tenant, created, err)
	}
	return created, nil
}

// create stores the execution, or finds the one that the same request has stored before.
func (x Execute) create(ctx context.Context, t tenant.ID, e rollout.Execution) (rollout.Execution, error) {
	created, err := x.Store.CreateExecution(ctx, t, e)
	if err == nil || fault.CodeOf(err) != fault.Conflict {
		return created, err
	}
	open, findErr := x.Store.OpenExecution(ctx, t, e.Recommendation)
	switch {
	case findErr != nil:
		return e, err
	case x.orphaned(open):
		open.Status, open.Reason, open.EndedAt = rollout.Refused, "It was never begun.", x.Now()
		if _, err := x.Store.TransitionExecution(ctx, t, open, rollout.Pending); err != nil {
			return e, err
		}
		return x.Store.CreateExecution(ctx, t, e)
	case sameRequest(open, e):
		return open, nil
	}
	return e, err
}

// beginsWithin is how long a state machine may take to its first step, all its retries included.
const beginsWithin = 15 * time.Minute

// orphaned reports whether an execution should have begun long ago: the request that stored it died before it started the
// state machine. Should that begin all the same, it finds the execution refused and changes nothing.
func (x Execute) orphaned(e rollout.Execution) bool {
	due := e.CreatedAt
	if e.Strategy.At.After(due) {
		due = e.Strategy.At
	}
	return e.Status == rollout.Pending && x.Now().Sub(due) > beginsWithin
}

// prepare checks the request and plans the execution.
func (x Execute) prepare(ctx context.Context, p tenant.Principal, in ExecuteInput) (rollout.Execution, error) {
	strategy, err := rollout.NewStrategy(in.Strategy)
	if err != nil {
		return rollout.Execution{}, err
	}
	if err := startable(strategy, x.Now()); err != nil {
		return rollout.Execution{}, err
	}
	freeze, err := x.Store.ExecutionFreeze(ctx, p.Tenant)
	if err != nil {
		return rollout.Execution{}, err
	}
	if err := freeze.Check(); err != nil {
		return rollout.Execution{}, err
	}
	rec, err := x.Recommendations.Recommendation(ctx, p.Tenant, in.Recommendation)
	if err != nil {
		return rollout.Execution{}, err
	}
	e := rollout.Execution{
		Recommendation: rec.ID, Connection: rec.Connection, Plan: rec.Plan, PlanHash: in.PlanHash, Strategy: strategy, DryRun: in.DryRun,
		Estimated: rec.Saving.Monthly, Uncalibrated: rec.Saving.Uncalibrated, RequestedBy: p.Subject, Status: rollout.Pending, CreatedAt: x.Now().Truncate(time.Microsecond),
		Phases: rollout.Divide(rec.Plan, strategy), Journal: []rollout.Entry{},
	}
	if err := approved(e, rec); err != nil {
		return e, err
	}
	e.ApprovedBy = rec.Approval.By
	if _, _, err := functionsOf(e.Plan.Cloud, x.Actors, x.Collectors); err != nil {
		return e, err
	}
	return e, x.Rails.Size(e.Plan)
}

// mostAhead is how far ahead a beginning may lie: a state machine runs for a year at most, and the execution itself takes time.
const mostAhead = 360 * 24 * time.Hour

// startable refuses beginnings in the past, which would begin at once and outside the window that was meant, and those that no
// state machine can wait for.
func startable(s rollout.Strategy, now time.Time) error {
	switch at := s.At.Format(time.RFC3339); {
	case s.At.IsZero():
		return nil
	case !s.At.After(now):
		return fault.Input("at", at, "is not after now, which is %s; leave out mode and at to begin at once", now.UTC().Format(time.RFC3339))
	case s.At.After(now.Add(mostAhead)):
		return fault.Input("at", at, "is more than 360 days ahead")
	}
	return nil
}

// sameRequest reports whether an open execution is one that was asked for in the same words and has not begun.
func sameRequest(open, asked rollout.Execution) bool {
	return open.Status == rollout.Pending && open.PlanHash == asked.PlanHash && open.DryRun == asked.DryRun &&
		open.RequestedBy == asked.RequestedBy && open.Strategy.At.Equal(asked.Strategy.At) &&
		open.Strategy.Mode == asked.Strategy.Mode && open.Strategy.Watch == asked.Strategy.Watch && reflect.DeepEqual(open.Strategy.Steps, asked.Strategy.Steps)
}

// abandon ends an execution that could not be started. Should it have been started all the same, its first task finds it
// refused and changes nothing; or has been faster, and then it runs.
func (x Execute) abandon(ctx context.Context, t tenant.ID, e rollout.Execution, cause error) (rollout.Execution, error) {
	ctx = context.WithoutCancel(ctx)
	refused := e
	refused.Status, refused.Reason, refused.EndedAt = rollout.Refused, "It could not be started.", x.Now()
	switch done, err := x.Store.TransitionExecution(ctx, t, refused, rollout.Pending); {
	case err != nil:
		return e, err
	case !done:
		return x.Store.Execution(ctx, t, e.ID)
	}
	return refused, fault.Wrap(cause, fault.Unavailable, "The execution could not be started, and nothing was changed. Send the request again.")
}

// Resume starts the rollback of a stuck execution again; fault.Conflict when it is not stuck. Asked twice within a minute
// it starts once.
func (x Execute) Resume(ctx context.Context, p tenant.Principal, id string) (rollout.Execution, error) {
	e, err := x.Store.Execution(ctx, p.Tenant, id)
	if err != nil {
		return e, err
	}
	if e.Status != rollout.Stuck {
		return e, fault.New(fault.Conflict, "Execution %s is %s. Only a stuck one can be resumed.", e.ID, e.Status)
	}
	name := e.ID + "-resume-" + x.Now().UTC().Format("200601021504")
	_, err = x.Starter.Start(ctx, ExecutionMachine, name, machineInput{Tenant: p.Tenant, Execution: e.ID, Resume: true})
	return e, err
}
