package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// ConnectionStore keeps connections.
type ConnectionStore interface {
	Connections(ctx context.Context, t tenant.ID) ([]ingest.Connection, error)
	SaveConnection(ctx context.Context, c ingest.Connection) error
}

// Connections are the sources of bills.
type Connections struct {
	Store ConnectionStore
}

// Register adds the operations.
func (x Connections) Register(a huma.API) {
	operation(a, huma.Operation{OperationID: "list-connections", Method: http.MethodGet, Path: "/connections", Tags: []string{"Connections"},
		Summary: "List the sources of bills, those derived from uploads included"}, tenant.Viewer, x.list)
	operation(a, huma.Operation{OperationID: "save-connection", Method: http.MethodPost, Path: "/connections", Tags: []string{"Connections"},
		Summary: "Register a source of bills, or change its cloud and name"}, tenant.Admin, x.save)
}

type connectionView struct {
	ID    string         `json:"id"`
	Cloud resource.Cloud `json:"cloud,omitempty" doc:"Empty: fed by uploads only."`
	Name  string         `json:"name"`
}

type connectionsOutput struct {
	Body struct {
		Items []connectionView `json:"items"`
	}
}

func (x Connections) list(ctx context.Context, p tenant.Principal, _ *struct{}) (*connectionsOutput, error) {
	all, err := x.Store.Connections(ctx, p.Tenant)
	out := &connectionsOutput{}
	out.Body.Items = make([]connectionView, 0, len(all))
	for _, c := range all {
		out.Body.Items = append(out.Body.Items, connectionView{c.ID, c.Cloud, c.Name})
	}
	return out, err
}

type connectionInput struct {
	Body struct {
		ID    string         `json:"id" minLength:"1" maxLength:"100" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" example:"aws-main"`
		Cloud resource.Cloud `json:"cloud" enum:"aws,gcp,azure,vultr"`
		Name  string         `json:"name" minLength:"1" maxLength:"200" example:"Production"`
	}
}

type connectionOutput struct {
	Body connectionView
}

func (x Connections) save(ctx context.Context, p tenant.Principal, in *connectionInput) (*connectionOutput, error) {
	c := ingest.Connection{Tenant: p.Tenant, ID: in.Body.ID, Cloud: in.Body.Cloud, Name: in.Body.Name}
	return &connectionOutput{connectionView{c.ID, c.Cloud, c.Name}}, x.Store.SaveConnection(ctx, c)
}
