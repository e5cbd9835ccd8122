// Package azure reads what Microsoft Azure bills, holds, measures and asks for, and never changes anything there.
package azure

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// Options say how to reach Azure.
type Options struct {
	// Secret reads the credentials of a connection. It is asked only for connections that have a secret; the others sign
	// in with the function's own identity.
	Secret func(ctx context.Context, name string) ([]byte, error)
	Meter  *ingest.Meter
	Now    func() time.Time
	// AWS is the function's own identity, for connections without a secret.
	AWS aws.Config
	// Client holds the SDK's own options: cloud, transport, retries. Its zero value is Azure's public cloud.
	Client policy.ClientOptions
	// Polling is how often Azure is asked whether a report is written, where it does not say; zero is every ten seconds.
	Polling time.Duration
	// Prices and Metrics replace the addresses of the price list and of the metrics of all regions.
	Prices, Metrics string
}

// Collector reads one connection. It implements ingest.Collector.
type Collector struct {
	settings   map[string]string
	options    Options
	credential azcore.TokenCredential
	client     *arm.ClientOptions
	endpoint   string // of the resource manager
	sizes      sizeBook
}

// The module that the SDK tells Azure about in its telemetry.
const (
	module  = "cost-agent"
	version = "v1.0.0"
)

// New opens the connection. It reads the secret, if there is one, and asks Azure nothing yet. Settings that make no sense
// are fault.Invalid.
func New(ctx context.Context, c ingest.Connection, o Options) (*Collector, error) {
	client := o.Client
	if len(client.Cloud.Services) == 0 {
		client.Cloud = clouds[c.Settings["environment"]]
	}
	if len(client.Cloud.Services) == 0 {
		return nil, fault.Input("settings.environment", c.Settings["environment"], "is none of public, china, government")
	}
	if named := c.Settings["source"]; named != "" && sourcesOfBills[named].read == nil {
		return nil, fault.Input("settings.source", named, "is none of query, details, usage, export")
	}
	credential, err := newCredential(ctx, c, o, client)
	if err != nil {
		return nil, err
	}
	client.PerRetryPolicies = append([]policy.Policy{longestWait{}}, client.PerRetryPolicies...)
	return &Collector{
		settings: c.Settings, options: o, credential: credential,
		client:   &arm.ClientOptions{ClientOptions: client, DisableRPRegistration: true},
		endpoint: strings.TrimSuffix(client.Cloud.Services[cloud.ResourceManager].Endpoint, "/"),
	}, nil
}

// clouds are Azure's separate worlds, by what the setting "environment" calls them.
var clouds = map[string]cloud.Configuration{
	"": cloud.AzurePublic, "public": cloud.AzurePublic, "china": cloud.AzureChina, "government": cloud.AzureGovernment,
}

// list reads a setting that is a list with commas. An empty list means everything.
func (c *Collector) list(name string) map[string]bool {
	out := map[string]bool{}
	for part := range strings.SplitSeq(c.settings[name], ",") {
		if part = strings.ToLower(strings.TrimSpace(part)); part != "" {
			out[part] = true
		}
	}
	return out
}

// wanted reports whether a list, of which nothing means everything, has the value.
func wanted(list map[string]bool, value string) bool {
	return len(list) == 0 || list[strings.ToLower(value)]
}

// sameHost reports whether the link leads to the host that we asked: a token is never sent elsewhere. Azure writes links to further
// pages with the port that https has anyway, as https://prices.azure.com:443/...
func sameHost(link, asked string) bool {
	a, errA := url.Parse(link)
	b, errB := url.Parse(asked)
	return errA == nil && errB == nil && a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) &&
		cmp.Or(a.Port(), standardPort) == cmp.Or(b.Port(), standardPort)
}

const standardPort = "443"
