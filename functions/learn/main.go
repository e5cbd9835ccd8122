// Command learn holds the task that measures on the bill what executions saved.
package main

import (
	"context"

	"github.com/cost-agent/cost-agent/functions/internal/dataside"
	"github.com/cost-agent/cost-agent/functions/internal/wire"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/config"
	"github.com/cost-agent/cost-agent/shared/holidays"
	"github.com/cost-agent/cost-agent/shared/job"
)

func main() {
	wire.Run(func(ctx context.Context, e *wire.Env) (awslambda.Handler, error) {
		db, err := dataside.Record(ctx, e)
		if err != nil {
			return nil, err
		}
		run := job.Learn{Executions: db, Costs: db, Bills: db, Outcomes: db,
			Calendars: job.Calendars{Settings: db, Holidays: holidays.Book{}}, Now: wire.Now}
		return awslambda.Tasks(e.Logger, map[string]awslambda.Task{"learn": awslambda.TaskOf(run.Run)}), nil
	}, config.Database)
}
