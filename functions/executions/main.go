// Command executions has approved plans carried out, and shows how that goes.
package main

import (
	"context"

	"github.com/cost-agent/cost-agent/functions/internal/dataside"
	"github.com/cost-agent/cost-agent/functions/internal/wire"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/config"
	"github.com/cost-agent/cost-agent/shared/job"
)

func main() {
	wire.Run(func(ctx context.Context, e *wire.Env) (awslambda.Handler, error) {
		db, err := dataside.Record(ctx, e)
		if err != nil {
			return nil, err
		}
		starter := job.Execute{Store: db, Recommendations: db, Starter: e.Runs(), Actors: e.Actors, Collectors: e.Collectors, Now: wire.Now}
		return awslambda.HTTP(e.Logger, api.New(e.Logger,
			api.Executions{Reader: db, Starter: starter, Freezer: db, Receipts: e.Table(), Now: wire.Now})), nil
	}, config.Database, config.Table, config.Machines, config.Actors, config.Collectors)
}
