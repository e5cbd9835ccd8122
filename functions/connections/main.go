// Command connections keeps the sources of bills. It may write their credentials, but not read them.
package main

import (
	"context"

	"github.com/cost-agent/cost-agent/functions/internal/dataside"
	"github.com/cost-agent/cost-agent/functions/internal/wire"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/config"
)

func main() {
	wire.Run(func(ctx context.Context, e *wire.Env) (awslambda.Handler, error) {
		db, err := dataside.Record(ctx, e)
		if err != nil {
			return nil, err
		}
		runs := api.Runs{Machines: e.Runs(), Receipts: e.Table(), NewID: wire.NewID, Pause: wire.Pause}
		return awslambda.HTTP(e.Logger, api.New(e.Logger,
			api.Connections{Runs: runs, Store: db, Secrets: e.Secrets(), Collectors: e.Collectors})), nil
	}, config.Database, config.Table, config.Secrets, config.Machines, config.Collectors)
}
