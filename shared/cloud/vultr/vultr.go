// Package vultr reads what Vultr bills, what exists there and what it would cost, and never changes anything there.
package vultr

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/vultr/govultr/v3"
	"golang.org/x/time/rate"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// Options say how to reach Vultr.
type Options struct {
	// Secret reads the connection's API key, kept as {"api_key": "..."}.
	Secret func(ctx context.Context, name string) ([]byte, error)
	// Meter is not asked: Vultr's API costs nothing.
	Meter *ingest.Meter
	Now   func() time.Time
	// HTTPClient replaces the way to Vultr, and Endpoint its address.
	HTTPClient *http.Client
	Endpoint   string
	// RetryWait is how long to wait before a call that failed is made again, unless Vultr says how long; default a second.
	RetryWait time.Duration
	// Limiter replaces the one that all collectors of this process share.
	Limiter *rate.Limiter
}

// Collector reads one account. It implements ingest.Collector and ingest.Differencer.
type Collector struct {
	client  *govultr.Client
	account string // from the settings; empty to ask Vultr
	only    filter
	now     func() time.Time
}

var (
	_ ingest.Collector   = (*Collector)(nil)
	_ ingest.Differencer = (*Collector)(nil)
)

const (
	retries     = 5
	retryWait   = time.Second
	callTimeout = time.Minute
)

// perAddress keeps below the 30 requests a second after which Vultr refuses an IP address, whichever account asks.
var perAddress = rate.NewLimiter(25, 5)

// New opens the connection. It reads the API key and asks Vultr nothing yet.
func New(ctx context.Context, c ingest.Connection, o Options) (*Collector, error) {
	if o.Now == nil {
		return nil, fault.New(fault.Internal, "A collector needs a clock.")
	}
	key, err := apiKey(ctx, c, o)
	if err != nil {
		return nil, err
	}
	outside := o.HTTPClient
	if outside == nil {
		outside = http.DefaultClient
	}
	transport := outside.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	limiter := o.Limiter
	if limiter == nil {
		limiter = perAddress
	}
	client := govultr.NewClient(&http.Client{
		Transport:     &gate{next: transport, key: key, limiter: limiter},
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the key goes nowhere else
	})
	client.SetRetryLimit(retries)
	client.SetRateLimit(retryWait) // which is govultr's word for the wait between tries
	if o.RetryWait > 0 {
		client.SetRateLimit(o.RetryWait)
	}
	if o.Endpoint != "" {
		if err := client.SetBaseURL(o.Endpoint); err != nil {
			return nil, fault.Wrap(err, fault.Internal, "The address of Vultr is not one.")
		}
	}
	return &Collector{client: client, account: c.Settings["account"], only: readFilter(c.Settings), now: o.Now}, nil
}

func apiKey(ctx context.Context, c ingest.Connection, o Options) (string, error) {
	if c.Secret == "" || o.Secret == nil {
		return "", fault.New(fault.Unauthenticated, "This connection has no API key. Store one with the connection.")
	}
	stored, err := o.Secret(ctx, c.Secret)
	if err != nil {
		return "", err
	}
	var s struct {
		APIKey string `json:"api_key"`
	}
	// The cause is left out: it may quote the key.
	if json.Unmarshal(stored, &s) != nil || s.APIKey == "" {
		return "", fault.New(fault.Invalid, `The stored secret of this connection is not {"api_key": "..."}. Store it again.`)
	}
	return s.APIKey, nil
}

// rights are what reading needs, by Vultr's name of the permission, with a list that only its holder may see.
var rights = []struct{ name, path string }{{"billing", invoicesPath}, {"subscriptions_view", instancesPath}}

// Check implements ingest.Collector.
func (c *Collector) Check(ctx context.Context) (missing []string, err error) {
	for _, r := range rights {
		_, err := c.get(ctx, r.path, map[string]string{"per_page": "1"})
		switch {
		case fault.CodeOf(err) == fault.Forbidden:
			missing = append(missing, r.name)
		case err != nil:
			return nil, err
		}
	}
	return missing, nil
}
