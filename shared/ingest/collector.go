// Package ingest is how bills, inventory, utilisation and prices come in: what a cloud adapter must provide, where it
// stages what it found, and how a whole billing period replaces the one before.
package ingest

import (
	"context"
	"iter"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Connection is one source of bills: a cloud account, project or subscription with the rights to read it.
type Connection struct {
	Tenant tenant.ID      `json:"tenant"`
	ID     string         `json:"id"` // unique within the tenant: "aws-main", "focus:AWS:1234567890123"
	Cloud  resource.Cloud `json:"cloud,omitempty"`
	Name   string         `json:"name"`
	// Settings say where to read, under names that the cloud's adapter knows: "role_arn", "project", "subscription". They hold
	// nothing secret.
	Settings map[string]string `json:"settings,omitempty"`
	// Secret names where the credentials are kept, if the connection needs any; never the credentials themselves.
	Secret string `json:"secret,omitempty"`
}

// Collector reads one connection of one cloud. It never changes anything there. Every method may be called again
// after a failure, gives errors of package fault (Throttled and Unavailable are worth a retry), and stops when ctx ends.
type Collector interface {
	// Check says which rights are missing, by their provider's name; an empty list means that all is well.
	Check(ctx context.Context) (missing []string, err error)
	// Costs streams the FOCUS rows whose billing period is the calendar month that begins at month. It ends at the
	// first error, and a month that ended with one must not be loaded.
	Costs(ctx context.Context, month time.Time) iter.Seq2[focus.Row, error]
	// Resources lists what exists. A part that could not be read has a status that is not OK, and says nothing about
	// what exists there.
	Resources(ctx context.Context) (Inventory, error)
	// Usage reads metrics of the given resources. A resource without data for a metric has no entry. Where metrics may not be
	// read, a part says so, and nothing is said about how those resources are used.
	Usage(ctx context.Context, q UsageQuery) (Measured, error)
	// Prices lists what the sizes and kinds in the given regions cost now.
	Prices(ctx context.Context, regions []string) ([]resource.Price, error)
}

// CommitmentReader is a collector of a cloud that sells commitments, and tells how they are used.
type CommitmentReader interface {
	// Commitments lists those that are held, and how they were used in the period's whole UTC days.
	Commitments(ctx context.Context, period cost.Period) (Commitments, error)
}

// Adviser is a collector of a cloud that has recommendations of its own, to hold Cost Agent's against.
type Adviser interface {
	// Advice lists what the provider recommends now.
	Advice(ctx context.Context) (Advice, error)
}

// Differencer is a collector of a cloud that only tells what a month has come to so far. What a day cost is the difference between
// two readings, so it is told what it read before.
type Differencer interface {
	// CostsSince gives the rows of the month as Collector.Costs does, and what to tell it next time; nil when there is nothing to
	// tell. Known is what it gave the last time, nil when there was none. The rows sum to what the cloud says now, whatever is known.
	CostsSince(ctx context.Context, month time.Time, known []byte) (rows []focus.Row, read []byte, err error)
}

// UsageQuery asks for metrics.
type UsageQuery struct {
	Refs    []resource.Ref    `json:"refs"`
	Metrics []resource.Metric `json:"metrics"`
	Period  cost.Period       `json:"period"`
	Every   time.Duration     `json:"every"`
}

// Inventory is what Resources found.
type Inventory struct {
	Resources []resource.Resource `json:"resources"`
	Parts     []Part              `json:"parts"`
}

// Measured is what Usage found.
type Measured struct {
	Usage []resource.Usage `json:"usage"`
	Parts []Part           `json:"parts"`
}

// Commitments is what a CommitmentReader found.
type Commitments struct {
	Held  []resource.Commitment    `json:"held"`
	Use   []resource.CommitmentUse `json:"use"`
	Parts []Part                   `json:"parts"`
}

// Advice is what an Adviser found.
type Advice struct {
	Given []resource.Advice `json:"given"`
	Parts []Part            `json:"parts"`
}

// Part is how reading one (account, region, service) went.
type Part struct {
	Account string `json:"account,omitempty"` // FOCUS SubAccountId; empty when the connection has one only, or when it is not known
	Region  string `json:"region"`
	Service string `json:"service"` // provider's name of it: "ec2"
	Status  Status `json:"status"`
	Reason  string `json:"reason,omitempty"` // public text when the status is not OK
}

// Status of a part.
type Status string

// The statuses.
const (
	OK       Status = "ok"
	Denied   Status = "denied"
	Disabled Status = "disabled" // the region or service is switched off for this account
	Failed   Status = "error"
)
