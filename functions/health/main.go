// Command health tells whether the agent works, and what its API is.
package main

import (
	"context"
	"os"

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
		cache, err := dataside.Cache(e)
		if err != nil {
			return nil, err
		}
		return awslambda.HTTP(e.Logger, api.New(e.Logger, api.Health{Database: db.Ping, Cache: cache.Ping, Build: os.Getenv("BUILD")})), nil
	}, config.Database, config.Cache)
}
