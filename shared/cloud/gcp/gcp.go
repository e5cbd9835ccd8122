// Package gcp reads what Google Cloud bills, holds, measures and asks for, and never changes anything there.
//
// It speaks to the REST APIs through Google's own generated clients: they are small enough for a function that starts in
// a moment, which the clients made for gRPC are not.
package gcp

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"google.golang.org/api/bigquery/v2"
	"google.golang.org/api/cloudbilling/v1"
	"google.golang.org/api/cloudresourcemanager/v1"
	"google.golang.org/api/compute/v1"
	"google.golang.org/api/monitoring/v3"
	"google.golang.org/api/option"
	"google.golang.org/api/recommender/v1"
	"google.golang.org/api/sqladmin/v1"
	"google.golang.org/api/storage/v1"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// Options say how to reach Google Cloud.
type Options struct {
	// Secret reads the credentials of a connection. It is asked only for connections that have a secret; the others sign
	// in with the function's own identity.
	Secret func(ctx context.Context, name string) ([]byte, error)
	Meter  *ingest.Meter
	Now    func() time.Time
	// AWS is the function's own identity, for connections without a secret.
	AWS aws.Config
	// Transport carries every request; nil is http.DefaultTransport.
	Transport http.RoundTripper

	pause func(ctx context.Context, d time.Duration) error // between attempts; nil waits for real
}

// Collector reads one connection. It implements ingest.Collector, ingest.CommitmentReader and ingest.Adviser.
type Collector struct {
	settings settings
	sign     *signed
	meter    *ingest.Meter
	now      func() time.Time

	bigquery    *bigquery.Service
	catalog     *cloudbilling.APIService
	compute     *compute.Service
	monitoring  *monitoring.Service
	projects    *cloudresourcemanager.Service
	recommender *recommender.Service
	sql         *sqladmin.Service
	storage     *storage.Service
}

var (
	_ ingest.Collector        = (*Collector)(nil)
	_ ingest.CommitmentReader = (*Collector)(nil)
	_ ingest.Adviser          = (*Collector)(nil)
)

// New opens the connection. It reads the secret, if there is one, and asks Google nothing yet. Settings that make no sense are
// fault.Invalid.
func New(ctx context.Context, c ingest.Connection, o Options) (*Collector, error) {
	s, err := readSettings(c)
	if err != nil {
		return nil, err
	}
	sign, err := newSignIn(ctx, c, o)
	if err != nil {
		return nil, err
	}
	out := &Collector{settings: s, sign: newSigned(onward{newPatient(o)}, sign), meter: o.Meter, now: o.Now}
	client := option.WithHTTPClient(&http.Client{Transport: out.sign})
	if err := out.connect(ctx, client); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "The clients of Google Cloud could not be made.")
	}
	return out, nil
}

func (c *Collector) connect(ctx context.Context, o option.ClientOption) (err error) {
	if c.bigquery, err = bigquery.NewService(ctx, o); err != nil {
		return err
	}
	if c.catalog, err = cloudbilling.NewService(ctx, o); err != nil {
		return err
	}
	if c.compute, err = compute.NewService(ctx, o); err != nil {
		return err
	}
	if c.monitoring, err = monitoring.NewService(ctx, o); err != nil {
		return err
	}
	if c.projects, err = cloudresourcemanager.NewService(ctx, o); err != nil {
		return err
	}
	if c.recommender, err = recommender.NewService(ctx, o); err != nil {
		return err
	}
	if c.sql, err = sqladmin.NewService(ctx, o); err != nil {
		return err
	}
	c.storage, err = storage.NewService(ctx, o)
	return err
}
