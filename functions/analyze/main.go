// Command analyze holds the task that finds anomalies, forecasts and trends, and judges budgets by them.
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
		calendars := job.Calendars{Settings: db, Holidays: holidays.Book{}}
		run := job.Analyze{Series: db, Store: db, Verdicts: db, Executions: db, Calendars: calendars, Tags: e.CauseTags, Now: wire.Now}
		budgets := job.Budgets{Store: db, Series: db, Costs: db, Calendars: calendars, NewID: wire.NewID, Now: wire.Now}
		judged := job.AnalyzeAndJudge{Analysis: run, Budgets: budgets}
		return awslambda.Tasks(e.Logger, map[string]awslambda.Task{"analyze": awslambda.TaskOf(judged.Run)}), nil
	}, config.Database)
}
