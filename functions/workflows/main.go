// Command workflows starts the state machines and tells how they stand.
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
		cache, err := dataside.Cache(e)
		if err != nil {
			return nil, err
		}
		summary := job.Summary{Costs: db, Notes: cache, Now: wire.Now}
		runs := api.Runs{Machines: e.Runs(), Receipts: e.Table(), NewID: wire.NewID, Pause: wire.Pause}
		return awslambda.HTTP(e.Logger, api.New(e.Logger, api.Workflows{Runs: runs, Summary: summary})), nil
	}, config.Database, config.Cache, config.Table, config.Machines)
}
