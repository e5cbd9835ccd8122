// Command migrate brings the database to the schema of this version, from inside the network that reaches it.
package main

import (
	"context"

	"github.com/cost-agent/cost-agent/functions/internal/dataside"
	"github.com/cost-agent/cost-agent/functions/internal/wire"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/config"
	"github.com/cost-agent/cost-agent/shared/postgres"
)

type nothing struct{}

func main() {
	wire.Run(func(_ context.Context, e *wire.Env) (awslambda.Handler, error) {
		return awslambda.Tasks(e.Logger, map[string]awslambda.Task{
			"migrate": awslambda.TaskOf(func(ctx context.Context, _ nothing) (nothing, error) {
				return nothing{}, postgres.Migrate(ctx, dataside.DatabaseOptions(e))
			}),
		}), nil
	}, config.Database)
}
