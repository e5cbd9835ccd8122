package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Machines starts and watches state machines by name.
type Machines interface {
	// Start gives the ARN; the same name and input again gives the same run, another input fault.Conflict.
	Start(ctx context.Context, machine, name string, input any) (arn string, err error)
	// Describe fails with fault.NotFound when there is no such run.
	Describe(ctx context.Context, machine, name string) (job.Run, error)
}

// Summarizer tells what the last run found.
type Summarizer interface {
	Last(ctx context.Context, t tenant.ID) (job.SummaryOutput, error)
}

// Workflows are the operations that start long work, and tell how it goes.
type Workflows struct {
	Machines Machines
	Summary  Summarizer
	Receipts Receipts
	NewID    func() string // of runs: letters, digits, hyphens
}

// The state machines that are started here.
const (
	collectMachine  = "collect"
	optimizeMachine = "cost-optimization"
)

const workflowsTag = "Workflows"

// Register adds the operations.
func (x Workflows) Register(a huma.API) {
	operation(a, huma.Operation{OperationID: "collect-costs", Method: http.MethodPost, Path: "/{provider}/costs/collect", DefaultStatus: http.StatusAccepted, Tags: []string{workflowsTag},
		Summary:     "Start collecting bills and inventory of one cloud",
		Description: "Reads every registered connection of the cloud: of a new one 18 months, of a known one what is missing or may have changed."},
		tenant.Operator, x.collect)
	operation(a, huma.Operation{OperationID: "optimize-costs", Method: http.MethodPost, Path: "/workflows/cost-optimization", DefaultStatus: http.StatusAccepted, Tags: []string{workflowsTag},
		Summary: "Start the whole round: collect, analyse, learn, recommend"}, tenant.Operator, x.optimize)
	operation(a, huma.Operation{OperationID: "get-run", Method: http.MethodGet, Path: "/runs/{id}", Tags: []string{workflowsTag},
		Summary: "Tell how a started run stands"}, tenant.Viewer, x.run)
	operation(a, huma.Operation{OperationID: "get-summary", Method: http.MethodGet, Path: "/summary", Tags: []string{workflowsTag},
		Summary: "Tell what the last round found"}, tenant.Viewer, x.summary)
}

// collectionRequest is what a collection may be asked for.
type collectionRequest struct {
	Connection string `json:"connection,omitempty" maxLength:"100" doc:"One connection; all without it."`
	Months     int    `json:"months,omitempty" minimum:"0" maximum:"36" doc:"So many months back, the running one included; what is needed without it."`
}

type collectInput struct {
	Idempotency

	Provider resource.Cloud     `path:"provider" enum:"aws,gcp,azure,vultr"`
	Body     *collectionRequest `required:"false"`
}

type optimizeInput struct {
	Idempotency

	Body *collectionRequest `required:"false"`
}

type startedOutput struct {
	Location string `header:"Location"`
	Body     struct {
		ID  string `json:"id" doc:"For GET /runs/{id}."`
		ARN string `json:"arn"`
	}
}

// machineInput is what both machines are started with.
type machineInput struct {
	Tenant     tenant.ID      `json:"tenant"`
	Cloud      resource.Cloud `json:"cloud"`
	Connection string         `json:"connection"`
	Months     int            `json:"months"`
}

func (x Workflows) collect(ctx context.Context, p tenant.Principal, in *collectInput) (*startedOutput, error) {
	return x.start(ctx, p, collectMachine, in.Idempotency, machineInput{Tenant: p.Tenant, Cloud: in.Provider}, in.Body)
}

func (x Workflows) optimize(ctx context.Context, p tenant.Principal, in *optimizeInput) (*startedOutput, error) {
	return x.start(ctx, p, optimizeMachine, in.Idempotency, machineInput{Tenant: p.Tenant}, in.Body)
}

func (x Workflows) start(ctx context.Context, p tenant.Principal, machine string, id Idempotency, input machineInput, asked *collectionRequest) (*startedOutput, error) {
	if asked != nil {
		input.Connection, input.Months = asked.Connection, asked.Months
	}
	return once(ctx, x.Receipts, p, machine, id, input, func(ctx context.Context) (*startedOutput, error) {
		name := runName(p.Tenant, machine, id.Key, x.NewID)
		arn, err := x.Machines.Start(ctx, machine, name, input)
		if err != nil {
			return nil, err
		}
		return startedRun(machine, name, arn), nil
	})
}

func startedRun(machine, name, arn string) *startedOutput {
	out := &startedOutput{}
	out.Body.ID, out.Body.ARN = machine+"."+name, arn
	out.Location = Base + "/runs/" + out.Body.ID
	return out
}

// runName follows from the idempotency key, so that even a repetition that the receipts do not know of, because the first
// request died before its answer was kept, finds the run instead of starting a second.
func runName(t tenant.ID, machine, key string, newID func() string) string {
	if key == "" {
		return newID()
	}
	sum := sha256.Sum256([]byte(string(t) + "\x00" + machine + "\x00" + key))
	return "k-" + hex.EncodeToString(sum[:16])
}

type runOutput struct {
	Body struct {
		ID        string          `json:"id"`
		Machine   string          `json:"machine"`
		Status    string          `json:"status" enum:"running,succeeded,failed,timed_out,aborted"`
		Reason    string          `json:"reason,omitempty" doc:"Why it failed."`
		StartedAt time.Time       `json:"started_at"`
		EndedAt   *time.Time      `json:"ended_at,omitempty"`
		Result    json.RawMessage `json:"result,omitempty" doc:"What a run that succeeded gave."`
	}
}

func (x Workflows) run(ctx context.Context, p tenant.Principal, in *struct {
	ID string `path:"id" maxLength:"200"`
}) (*runOutput, error) {
	unknown := fault.New(fault.NotFound, "There is no run with this id.")
	machine, name, ok := strings.Cut(in.ID, ".")
	if !ok {
		return nil, unknown
	}
	run, err := x.Machines.Describe(ctx, machine, name)
	if err != nil {
		return nil, err
	}
	var of struct {
		Tenant tenant.ID `json:"tenant"`
	}
	if json.Unmarshal(run.Input, &of) != nil || of.Tenant != p.Tenant {
		return nil, unknown
	}
	out := &runOutput{}
	b := &out.Body
	b.ID, b.Machine, b.Status, b.StartedAt, b.Result = in.ID, machine, strings.ToLower(run.Status), run.StartedAt, run.Output
	if !run.EndedAt.IsZero() {
		b.EndedAt = &run.EndedAt
	}
	if run.Error != "" || run.Cause != "" {
		b.Reason = job.Caught{Error: run.Error, Cause: run.Cause}.Text()
	}
	return out, nil
}

type summaryOutput struct {
	Body job.SummaryOutput
}

func (x Workflows) summary(ctx context.Context, p tenant.Principal, _ *struct{}) (*summaryOutput, error) {
	out, err := x.Summary.Last(ctx, p.Tenant)
	return &summaryOutput{out}, err
}
