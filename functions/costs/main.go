// Command costs takes bills and answers questions about them.
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
		cache, err := dataside.Cache(e)
		if err != nil {
			return nil, err
		}
		return awslambda.HTTP(e.Logger, api.New(e.Logger,
			api.Costs{Reader: db, Load: dataside.Loader(e, db, cache), Answers: cache, Now: wire.Now},
			api.Uploads{Staging: e.Staging(), NewID: wire.NewID, Now: wire.Now},
		)), nil
	}, config.Database, config.Cache, config.Staging)
}
