// Command rollout holds the data side's tasks of an execution.
package main

import (
	"context"

	"github.com/cost-agent/cost-agent/functions/internal/dataside"
	"github.com/cost-agent/cost-agent/functions/internal/wire"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/config"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

func main() {
	wire.Run(func(ctx context.Context, e *wire.Env) (awslambda.Handler, error) {
		db, err := dataside.Record(ctx, e)
		if err != nil {
			return nil, err
		}
		r := job.Rollout{Store: db, Locks: e.Locks(), Recommendations: db, Inventory: db, Connections: db, Staging: e.Staging(),
			Actors: e.Actors, Collectors: e.Collectors, Thresholds: rollout.DefaultThresholds, Now: wire.Now}
		return awslambda.Tasks(e.Logger, map[string]awslambda.Task{
			"begin": awslambda.TaskOf(r.Begin), "check": awslambda.TaskOf(r.Check), "phase": awslambda.TaskOf(r.Phase),
			"record": awslambda.TaskOf(r.Record), "watch": awslambda.TaskOf(r.Watch), "judge": awslambda.TaskOf(r.Judge),
			"rollback": awslambda.TaskOf(r.Rollback), "restored": awslambda.TaskOf(r.Restored),
			"complete": awslambda.TaskOf(r.Complete), "stuck": awslambda.TaskOf(r.Stuck), "ended": awslambda.TaskOf(wire.Detail(r.Ended)),
		}), nil
	}, config.Database, config.Table, config.Staging, config.Actors, config.Collectors)
}
