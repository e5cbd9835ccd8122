// Command migrate prepares the database from inside the network that reaches it: its schema, and its tenants.
package main

import (
	"context"

	"github.com/cost-agent/cost-agent/functions/internal/dataside"
	"github.com/cost-agent/cost-agent/functions/internal/wire"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/config"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

type nothing struct{}

type newTenant struct {
	Tenant tenant.ID `json:"tenant"`
	Name   string    `json:"name"`
}

func main() {
	wire.Run(func(_ context.Context, e *wire.Env) (awslambda.Handler, error) {
		return awslambda.Tasks(e.Logger, map[string]awslambda.Task{
			"migrate": awslambda.TaskOf(func(ctx context.Context, _ nothing) (nothing, error) {
				return nothing{}, postgres.Migrate(ctx, dataside.DatabaseOptions(e))
			}),
			"tenant": awslambda.TaskOf(func(ctx context.Context, in newTenant) (nothing, error) {
				db, err := dataside.Record(ctx, e)
				if err != nil {
					return nothing{}, err
				}
				defer db.Close()
				return nothing{}, db.SaveTenant(ctx, in.Tenant, in.Name)
			}),
		}), nil
	}, config.Database)
}
