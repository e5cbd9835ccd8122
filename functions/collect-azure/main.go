// Command collect-azure reads Azure: bills, inventory, use and rights. It changes nothing there.
package main

import (
	"context"

	"github.com/cost-agent/cost-agent/functions/internal/wire"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/cloud/azure"
	"github.com/cost-agent/cost-agent/shared/config"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
)

func main() {
	wire.Run(func(_ context.Context, e *wire.Env) (awslambda.Handler, error) {
		collect := job.Collect{Staging: e.Staging(), Now: wire.Now,
			Collectors: func(ctx context.Context, c ingest.Connection, m *ingest.Meter) (ingest.Collector, error) {
				return azure.New(ctx, c, azure.Options{Secret: e.Secrets().Get, AWS: e.AWS, Meter: m, Now: wire.Now})
			}}
		return awslambda.Tasks(e.Logger, map[string]awslambda.Task{
			"bill": awslambda.TaskOf(collect.Bill), "inventory": awslambda.TaskOf(collect.Inventory),
			"usage": awslambda.TaskOf(collect.Usage), "check": awslambda.TaskOf(collect.Check),
		}), nil
	}, config.Staging, config.Secrets)
}
