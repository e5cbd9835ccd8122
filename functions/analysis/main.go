// Command analysis serves anomalies, forecasts with their scenarios, trends, budgets, and the settings they heed.
package main

import (
	"context"

	"github.com/cost-agent/cost-agent/functions/internal/dataside"
	"github.com/cost-agent/cost-agent/functions/internal/wire"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/chart"
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
		imagine := job.Scenario{Series: db, Forecasts: db, Savings: db, Calendars: calendars, Now: wire.Now}
		return awslambda.HTTP(e.Logger, api.New(e.Logger,
			api.Analysis{Run: job.AnalyzeAndJudge{Analysis: run, Budgets: budgets}, Reader: db, Assess: job.Assess{Store: db, Now: wire.Now}, Receipts: e.Table()},
			api.Scenarios{Imagine: imagine},
			api.Charts{Gather: job.Picture{Series: db, Reader: db, Now: wire.Now}, Draw: chart.Draw},
			api.Budgets{Keep: budgets, Record: db, Receipts: e.Table(), Draw: chart.Draw, Now: wire.Now},
			api.Settings{Store: db, Holidays: holidays.Book{}, Now: wire.Now},
		)), nil
	}, config.Database, config.Table)
}
