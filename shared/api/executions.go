package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// ExecutionReader reads executions.
type ExecutionReader interface {
	Execution(ctx context.Context, t tenant.ID, id string) (rollout.Execution, error)
	// Executions lists them, the latest first and without journals, from the one after the given place on.
	Executions(ctx context.Context, t tenant.ID, afterTime time.Time, afterID string, limit int) ([]rollout.Execution, error)
}

// ExecutionStarter starts and resumes executions; job.Execute does.
type ExecutionStarter interface {
	Run(ctx context.Context, p tenant.Principal, in job.ExecuteInput) (rollout.Execution, error)
	Resume(ctx context.Context, p tenant.Principal, id string) (rollout.Execution, error)
}

// ExecutionFreezer keeps the switch that lets no execution begin.
type ExecutionFreezer interface {
	ExecutionFreeze(ctx context.Context, t tenant.ID) (rollout.Freeze, error)
	SetExecutionFreeze(ctx context.Context, t tenant.ID, f rollout.Freeze, by string, at time.Time) error
}

// Executions are the operations that carry out approved plans.
type Executions struct {
	Reader   ExecutionReader
	Starter  ExecutionStarter
	Freezer  ExecutionFreezer
	Receipts Receipts
	Now      func() time.Time
}

const executionsTag = "Executions"

// Register adds the operations.
func (x Executions) Register(a huma.API) {
	operation(a, huma.Operation{OperationID: "execute", Method: http.MethodPost, Path: "/execution/execute", Tags: []string{executionsTag}, DefaultStatus: http.StatusAccepted,
		Summary: "Carry out an approved recommendation",
		Description: "The targets are changed a part at a time, and after each part the health of what is watched is judged. When it drops, or anything fails, " +
			"every target gets back the state that was captured. A dry run checks everything and changes nothing."}, tenant.Approver, x.execute)
	operation(a, huma.Operation{OperationID: "get-execution-freeze", Method: http.MethodGet, Path: "/execution/freeze", Tags: []string{executionsTag},
		Summary: "Read whether executions are frozen"}, tenant.Viewer, x.freeze)
	operation(a, huma.Operation{OperationID: "set-execution-freeze", Method: http.MethodPut, Path: "/execution/freeze", Tags: []string{executionsTag},
		Summary:     "Let no execution begin, or lift that",
		Description: "An execution that has begun goes on to its end, because stopping halfway would leave a state that nobody approved."}, tenant.Admin, x.setFreeze)
	operation(a, huma.Operation{OperationID: "get-execution", Method: http.MethodGet, Path: "/execution/{id}", Tags: []string{executionsTag},
		Summary: "Read one execution with its phases and its journal"}, tenant.Viewer, x.get)
	operation(a, huma.Operation{OperationID: "resume-execution", Method: http.MethodPost, Path: "/execution/{id}/resume", Tags: []string{executionsTag}, DefaultStatus: http.StatusAccepted,
		Summary:     "Try again to restore what a stuck execution could not",
		Description: "Look first at the reason and at the targets that the journal says are not restored."}, tenant.Approver, x.resume)
	operation(a, huma.Operation{OperationID: "list-executions", Method: http.MethodGet, Path: "/executions", Tags: []string{executionsTag},
		Summary: "List executions, the latest first"}, tenant.Viewer, x.list)
}

// Execution is an execution as the API shows it.
type Execution struct {
	ID             string          `json:"id"`
	Recommendation string          `json:"recommendation_id"`
	Connection     string          `json:"connection"`
	Status         rollout.Status  `json:"status" enum:"pending,running,completed,rolled-back,refused,stuck"`
	Reason         string          `json:"reason,omitempty" doc:"Why it was rolled back, refused or got stuck."`
	Mode           rollout.Mode    `json:"mode" enum:"immediate,gradual,scheduled"`
	At             time.Time       `json:"at,omitzero" doc:"When a scheduled one begins."`
	Steps          []int           `json:"steps" doc:"Cumulative percentages of the targets."`
	WatchMinutes   int             `json:"watch_minutes"`
	DryRun         bool            `json:"dry_run"`
	PlanHash       string          `json:"plan_hash"`
	Plan           plan.Plan       `json:"plan"`
	Estimated      cost.Money      `json:"estimated_monthly_saving"`
	RequestedBy    string          `json:"requested_by"`
	ApprovedBy     string          `json:"approved_by"`
	CreatedAt      time.Time       `json:"created_at"`
	StartedAt      time.Time       `json:"started_at,omitzero"`
	EndedAt        time.Time       `json:"ended_at,omitzero"`
	Phases         []rollout.Phase `json:"phases"`
	Journal        []rollout.Entry `json:"journal,omitzero" doc:"What was intended, done and found, in order. Not in lists."`
}

func shown(e rollout.Execution) Execution {
	return Execution{
		ID: e.ID, Recommendation: e.Recommendation, Connection: e.Connection, Status: e.Status, Reason: e.Reason, Mode: e.Strategy.Mode,
		At: e.Strategy.At, Steps: e.Strategy.Steps, WatchMinutes: int(e.Strategy.Watch / time.Minute), DryRun: e.DryRun, PlanHash: e.PlanHash,
		Plan: e.Plan, Estimated: e.Estimated, RequestedBy: e.RequestedBy, ApprovedBy: e.ApprovedBy, CreatedAt: e.CreatedAt,
		StartedAt: e.StartedAt, EndedAt: e.EndedAt, Phases: e.Phases, Journal: e.Journal,
	}
}

type executeInput struct {
	Idempotency

	Body struct {
		Recommendation string       `json:"recommendation_id" minLength:"1" maxLength:"100"`
		PlanHash       string       `json:"plan_hash" minLength:"64" maxLength:"64" doc:"plan_hash of the recommendation as it was approved."`
		Mode           rollout.Mode `json:"mode,omitempty" enum:"immediate,gradual,scheduled" doc:"gradual without it."`
		At             *time.Time   `json:"at,omitempty" doc:"When to begin; for the mode scheduled. Within a year from now."`
		WatchMinutes   int          `json:"watch_minutes,omitempty" minimum:"3" maximum:"1440" doc:"How long each phase is watched; 15 without it."`
		Steps          []int        `json:"steps,omitempty" maxItems:"10" doc:"Cumulative percentages of the targets, ending with 100; [10, 50, 100] without it."`
		DryRun         bool         `json:"dry_run,omitempty"`
	}
}

// startedExecution is the answer of what starts an execution.
type startedExecution struct {
	Location string `header:"Location"`
	Body     struct {
		ID     string         `json:"id"`
		Status rollout.Status `json:"status"`
	}
}

func started(e rollout.Execution) *startedExecution {
	out := &startedExecution{Location: Base + "/execution/" + e.ID}
	out.Body.ID, out.Body.Status = e.ID, e.Status
	return out
}

func (x Executions) execute(ctx context.Context, p tenant.Principal, in *executeInput) (*startedExecution, error) {
	strategy := rollout.Strategy{Mode: in.Body.Mode, Steps: in.Body.Steps, Watch: time.Duration(in.Body.WatchMinutes) * time.Minute}
	if in.Body.At != nil {
		strategy.At = in.Body.At.UTC()
	}
	return once(ctx, x.Receipts, p, "execute", in.Idempotency, in.Body, func(ctx context.Context) (*startedExecution, error) {
		e, err := x.Starter.Run(ctx, p, job.ExecuteInput{Recommendation: in.Body.Recommendation, PlanHash: in.Body.PlanHash, Strategy: strategy, DryRun: in.Body.DryRun})
		if err != nil {
			return nil, inBody(err)
		}
		return started(e), nil
	})
}

type executionInput struct {
	ID string `path:"id" maxLength:"100"`
}

type executionOutput struct {
	Body Execution
}

func (x Executions) get(ctx context.Context, p tenant.Principal, in *executionInput) (*executionOutput, error) {
	e, err := x.Reader.Execution(ctx, p.Tenant, in.ID)
	return &executionOutput{shown(e)}, err
}

type resumeInput struct {
	Idempotency

	ID string `path:"id" maxLength:"100"`
}

func (x Executions) resume(ctx context.Context, p tenant.Principal, in *resumeInput) (*startedExecution, error) {
	return once(ctx, x.Receipts, p, "resume-execution", in.Idempotency, in.ID, func(ctx context.Context) (*startedExecution, error) {
		e, err := x.Starter.Resume(ctx, p, in.ID)
		if err != nil {
			return nil, err
		}
		return started(e), nil
	})
}

type listExecutionsInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before."`
}

type executionPage struct {
	Body struct {
		Items      []Execution `json:"items"`
		NextCursor *string     `json:"next_cursor" doc:"Null on the last page."`
	}
}

func (x Executions) list(ctx context.Context, p tenant.Principal, in *listExecutionsInput) (*executionPage, error) {
	var after time.Time
	var id string
	if in.Cursor != "" {
		text, last, ok := splitMark(in.Cursor)
		at, err := time.Parse(time.RFC3339Nano, text)
		if !ok || err != nil {
			return nil, badMark(in.Cursor)
		}
		after, id = at, last
	}
	found, err := x.Reader.Executions(ctx, p.Tenant, after, id, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &executionPage{}
	out.Body.Items = []Execution{}
	for _, e := range found[:min(in.Limit, len(found))] {
		e.Journal = nil
		out.Body.Items = append(out.Body.Items, shown(e))
	}
	if len(found) > in.Limit {
		last := out.Body.Items[in.Limit-1]
		out.Body.NextCursor = mark(last.CreatedAt.Format(time.RFC3339Nano), last.ID)
	}
	return out, nil
}

type freezeOutput struct {
	Body rollout.Freeze
}

func (x Executions) freeze(ctx context.Context, p tenant.Principal, _ *struct{}) (*freezeOutput, error) {
	f, err := x.Freezer.ExecutionFreeze(ctx, p.Tenant)
	return &freezeOutput{f}, err
}

type setFreezeInput struct {
	Body struct {
		Frozen bool   `json:"frozen"`
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"Told to whoever wants to execute meanwhile."`
	}
}

func (x Executions) setFreeze(ctx context.Context, p tenant.Principal, in *setFreezeInput) (*freezeOutput, error) {
	f := rollout.Freeze{Frozen: in.Body.Frozen, Reason: in.Body.Reason, By: p.Subject, At: x.Now().UTC()}
	return &freezeOutput{f}, x.Freezer.SetExecutionFreeze(ctx, p.Tenant, f, f.By, f.At)
}
