package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Summarizer tells what the last run found.
type Summarizer interface {
	Last(ctx context.Context, t tenant.ID) (job.SummaryOutput, error)
}

// Workflows are the operations that start long work, and tell how it goes.
type Workflows struct {
	Runs

	Summary Summarizer
}

// The state machines that are started here.
const (
	collectMachine  = "collect"
	optimizeMachine = "cost-optimization"
	importMachine   = "import"
)

const workflowsTag = "Workflows"

// Register adds the operations.
func (x Workflows) Register(a huma.API) {
	starter(a, huma.Operation{OperationID: "collect-costs", Method: http.MethodPost, Path: "/{provider}/costs/collect", Tags: []string{workflowsTag},
		Summary:     "Start collecting bills and inventory of one cloud",
		Description: "Reads every registered connection of the cloud: of a new one 18 months, of a known one what is missing or may have changed."},
		tenant.Operator, x.collect)
	starter(a, huma.Operation{OperationID: "optimize-costs", Method: http.MethodPost, Path: "/workflows/cost-optimization", Tags: []string{workflowsTag},
		Summary: "Start the whole round: collect, analyse, learn, recommend"}, tenant.Operator, x.optimize)
	starter(a, huma.Operation{OperationID: "import-bill", Method: http.MethodPost, Path: "/imports", Tags: []string{workflowsTag},
		Summary: "Start loading a staged FOCUS bill",
		Description: "Takes what was staged with POST /uploads: FOCUS 1.0 to 1.4 as CSV, gzipped CSV or Parquet, told by its content. It replaces every billing period that the file holds, and analyses what that changed; " +
			"the same file again changes nothing. The run's result has the report, which accounts for every row."},
		tenant.Operator, x.load)
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
	Starting

	Provider resource.Cloud     `path:"provider" enum:"aws,gcp,azure,vultr"`
	Body     *collectionRequest `required:"false"`
}

type optimizeInput struct {
	Starting

	Body *collectionRequest `required:"false"`
}

// machineInput is what both machines are started with.
type machineInput struct {
	Tenant     tenant.ID      `json:"tenant"`
	Cloud      resource.Cloud `json:"cloud"`
	Connection string         `json:"connection"`
	Months     int            `json:"months"`
}

func (x Workflows) collect(ctx context.Context, p tenant.Principal, in *collectInput) (*runAnswer, error) {
	return x.start(ctx, p, collectMachine, in.Starting, machineInput{Tenant: p.Tenant, Cloud: in.Provider}.of(in.Body))
}

func (x Workflows) optimize(ctx context.Context, p tenant.Principal, in *optimizeInput) (*runAnswer, error) {
	return x.start(ctx, p, optimizeMachine, in.Starting, machineInput{Tenant: p.Tenant}.of(in.Body))
}

func (m machineInput) of(asked *collectionRequest) machineInput {
	if asked != nil {
		m.Connection, m.Months = asked.Connection, asked.Months
	}
	return m
}

type runOutput struct {
	Body runBody
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
	return &runOutput{bodyOf(run)}, nil
}

type summaryOutput struct {
	Body job.SummaryOutput
}

func (x Workflows) summary(ctx context.Context, p tenant.Principal, _ *struct{}) (*summaryOutput, error) {
	out, err := x.Summary.Last(ctx, p.Tenant)
	return &summaryOutput{out}, err
}
