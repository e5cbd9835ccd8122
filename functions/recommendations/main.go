// Command recommendations serves recommendations, decisions about them, the providers' own advice, commitments, and what was
// learned.
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
		generate := job.Recommend{Inventory: db, Costs: db, Store: db, Learned: db, Now: wire.Now}
		return awslambda.HTTP(e.Logger, api.New(e.Logger,
			api.Recommendations{Reader: db, Generate: generate, Decide: job.Decide{Store: db, Now: wire.Now}, Receipts: e.Table()},
			api.Advice{Reader: db},
			api.Commitments{Reader: db},
			api.Learning{Reader: db},
		)), nil
	}, config.Database, config.Table)
}
