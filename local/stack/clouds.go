package stack

import (
	"context"
	"fmt"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/cost-agent/cost-agent/shared/cloud/aws"
	"github.com/cost-agent/cost-agent/shared/cloud/azure"
	"github.com/cost-agent/cost-agent/shared/cloud/gcp"
	"github.com/cost-agent/cost-agent/shared/cloud/vultr"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// collector reads the sandbox estate for its connections, and the real clouds for all others. The identity that AWS sees is that
// of the person who started this process, from the environment as the AWS tools read it; AWS_ENDPOINT_URL leads to a stand-in.
func (p *parts) collector(ctx context.Context, c ingest.Connection, meter *ingest.Meter) (ingest.Collector, error) {
	if p.ofEstate(c) {
		return p.estate.Collector(c.Cloud), nil
	}
	own, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS identity of this process: %w", err)
	}
	now := p.now
	switch c.Cloud {
	case resource.AWS:
		return aws.New(ctx, c, aws.Options{AWS: own, Meter: meter, Now: now})
	case resource.Azure:
		return azure.New(ctx, c, azure.Options{Secret: p.secrets.Get, Meter: meter, Now: now, AWS: own})
	case resource.GCP:
		return gcp.New(ctx, c, gcp.Options{Secret: p.secrets.Get, Meter: meter, Now: now, AWS: own})
	case resource.Vultr:
		return vultr.New(ctx, c, vultr.Options{Secret: p.secrets.Get, Meter: meter, Now: now})
	}
	return nil, fault.New(fault.Unprocessable, "Nobody here can read %s.", c.Cloud)
}
