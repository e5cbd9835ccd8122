package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// CommitmentReader reads the commitments that were collected.
type CommitmentReader interface {
	Commitments(ctx context.Context, t tenant.ID, f job.CommitmentFilter) ([]job.HeldCommitment, error)
	CommitmentTypes(ctx context.Context, t tenant.ID, connection string) ([]job.CommitmentTypeUse, error)
}

// Commitments are the operations on what was promised to providers for a discount.
type Commitments struct {
	Reader CommitmentReader
}

// Register adds the operations.
func (x Commitments) Register(a huma.API) {
	operation(a, huma.Operation{OperationID: "list-commitments", Method: http.MethodGet, Path: "/commitments", Tags: []string{"Commitments"},
		Summary: "List the commitments that are held, and how they are used",
		Description: "Reservations, savings plans and committed use as the providers tell of them at each collection, with their use in the 30 days before. " +
			"used is the share of what was promised that was used, covered the share of what could have been covered that was, unused what the rest cost. What a provider does not tell is null."},
		tenant.Viewer, x.list)
}

type listCommitmentsInput struct {
	Connection string `query:"connection" maxLength:"300" doc:"One connection."`
	Limit      int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor     string `query:"cursor" doc:"next_cursor of the page before."`
}

type commitmentPage struct {
	Body struct {
		Items      []job.HeldCommitment    `json:"items"`
		Types      []job.CommitmentTypeUse `json:"types" doc:"How all of a type together were used, as far as providers tell."`
		NextCursor *string                 `json:"next_cursor" doc:"Null on the last page."`
	}
}

func (x Commitments) list(ctx context.Context, p tenant.Principal, in *listCommitmentsInput) (*commitmentPage, error) {
	f := job.CommitmentFilter{Connection: in.Connection, Limit: in.Limit + 1}
	if in.Cursor != "" {
		var ok bool
		if f.AfterConnection, f.AfterID, ok = splitMark(in.Cursor); !ok {
			return nil, badMark(in.Cursor)
		}
	}
	found, err := x.Reader.Commitments(ctx, p.Tenant, f)
	if err != nil {
		return nil, err
	}
	types, err := x.Reader.CommitmentTypes(ctx, p.Tenant, in.Connection)
	if err != nil {
		return nil, err
	}
	out := &commitmentPage{}
	out.Body.Types = append([]job.CommitmentTypeUse{}, types...)
	out.Body.Items = append([]job.HeldCommitment{}, found[:min(in.Limit, len(found))]...)
	if len(found) > in.Limit {
		last := out.Body.Items[in.Limit-1]
		out.Body.NextCursor = mark(last.Connection, last.ID)
	}
	return out, nil
}
