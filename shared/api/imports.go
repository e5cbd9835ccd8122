package api

import (
	"context"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

type importInput struct {
	Starting

	Body struct {
		Staged     string `json:"staged" minLength:"1" maxLength:"500" doc:"A key from POST /uploads."`
		Connection string `json:"connection,omitempty" maxLength:"200" doc:"The connection that owns the rows. Without it, one per provider and billing account is derived."`
	}
}

// importRequest is what the machine is started with.
type importRequest struct {
	Tenant     tenant.ID `json:"tenant"`
	Connection string    `json:"connection"`
	Key        string    `json:"key"`
}

func (x Workflows) load(ctx context.Context, p tenant.Principal, in *importInput) (*runAnswer, error) {
	if err := ingest.Owned(p.Tenant, in.Body.Staged); err != nil {
		return nil, err
	}
	request := importRequest{Tenant: p.Tenant, Connection: in.Body.Connection, Key: in.Body.Staged}
	return x.start(ctx, p, importMachine, in.Starting, request)
}
