// Command load holds the data side's tasks of collection: planning, loading, summing up.
package main

import (
	"context"

	"github.com/cost-agent/cost-agent/functions/internal/dataside"
	"github.com/cost-agent/cost-agent/functions/internal/wire"
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
		load := dataside.Loader(e, db, cache)
		plan := job.PlanCollection{Connections: db, Collectors: e.Collectors, Staging: e.Staging(), Bucket: e.Bucket, Now: wire.Now}
		summary := job.Summary{Costs: db, Notes: cache, Now: wire.Now}
		return awslambda.Tasks(e.Logger, map[string]awslambda.Task{
			"plan": awslambda.TaskOf(plan.Run), "note": awslambda.TaskOf(plan.Note), "sum": awslambda.TaskOf(plan.Sum), "tested": awslambda.TaskOf(plan.Tested),
			"load": awslambda.TaskOf(load.Run), "load-inventory": awslambda.TaskOf(load.LoadInventory), "summary": awslambda.TaskOf(summary.Run),
		}), nil
	}, config.Database, config.Cache, config.Staging, config.Collectors)
}
