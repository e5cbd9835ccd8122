// Command authorizer tells API Gateway whose a request's API key is.
package main

import (
	"context"

	"github.com/cost-agent/cost-agent/functions/internal/wire"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/config"
)

func main() {
	wire.Run(func(_ context.Context, e *wire.Env) (awslambda.Handler, error) {
		return awslambda.Authorizer(e.Logger, e.Table()), nil
	}, config.Table)
}
