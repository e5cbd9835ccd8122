package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/learn"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// LearningReader reads what executions saved and what was learned from it.
type LearningReader interface {
	Outcomes(ctx context.Context, t tenant.ID) ([]learn.Outcome, error)
	Outcome(ctx context.Context, t tenant.ID, execution string) (learn.Outcome, error)
	CalibrationVersions(ctx context.Context, t tenant.ID) ([]learn.Calibration, error)
}

// Learning are the operations on outcomes and calibrations.
type Learning struct {
	Reader LearningReader
}

const learningTag = "Learning"

// Register adds the operations.
func (x Learning) Register(a huma.API) {
	operation(a, huma.Operation{OperationID: "list-outcomes", Method: http.MethodGet, Path: "/outcomes", Tags: []string{learningTag},
		Summary:     "List what executions really saved",
		Description: "The saving is what the targets would have cost without the change, less what they and all that replaced them were billed."}, tenant.Viewer, x.outcomes)
	operation(a, huma.Operation{OperationID: "get-outcome", Method: http.MethodGet, Path: "/outcomes/{execution}", Tags: []string{learningTag},
		Summary: "Read what one execution really saved"}, tenant.Viewer, x.outcome)
	operation(a, huma.Operation{OperationID: "list-calibrations", Method: http.MethodGet, Path: "/calibrations", Tags: []string{learningTag},
		Summary:     "List what was learned from outcomes, every version with its reasons",
		Description: "The highest version of an action on a cloud corrects the estimates of the next recommendations."}, tenant.Viewer, x.calibrations)
}

type listOutcomesInput struct {
	State learn.State `query:"state" enum:"too-early,preliminary,final" doc:"One state; without it, all."`
}

type outcomeList struct {
	Body struct {
		Items      []learn.Outcome `json:"items"`
		NextCursor *string         `json:"next_cursor" doc:"Always null: outcomes come on one page."`
	}
}

func (x Learning) outcomes(ctx context.Context, p tenant.Principal, in *listOutcomesInput) (*outcomeList, error) {
	found, err := x.Reader.Outcomes(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	out := &outcomeList{}
	out.Body.Items = []learn.Outcome{}
	for _, o := range found {
		if in.State == "" || o.State == in.State {
			out.Body.Items = append(out.Body.Items, o)
		}
	}
	return out, nil
}

type outcomeInput struct {
	Execution string `path:"execution" maxLength:"100"`
}

type outcomeOutput struct {
	Body learn.Outcome
}

func (x Learning) outcome(ctx context.Context, p tenant.Principal, in *outcomeInput) (*outcomeOutput, error) {
	o, err := x.Reader.Outcome(ctx, p.Tenant, in.Execution)
	return &outcomeOutput{o}, err
}

type calibrationList struct {
	Body struct {
		Items      []learn.Calibration `json:"items"`
		NextCursor *string             `json:"next_cursor" doc:"Always null: calibrations come on one page."`
	}
}

func (x Learning) calibrations(ctx context.Context, p tenant.Principal, _ *struct{}) (*calibrationList, error) {
	found, err := x.Reader.CalibrationVersions(ctx, p.Tenant)
	out := &calibrationList{}
	out.Body.Items = append([]learn.Calibration{}, found...)
	return out, err
}
