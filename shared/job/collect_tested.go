package job

import (
	"context"
	"strings"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// TestedInput is what the cloud side found out about the rights of a connection, or why it could not.
type TestedInput struct {
	Tenant     tenant.ID    `json:"tenant"`
	Connection string       `json:"connection"`
	Rights     RightsOutput `json:"rights"`
	Failure    *Caught      `json:"failure,omitempty"`
}

// Tested keeps the result with the connection's status, beside how reading went: it replaces the test before and nothing else.
func (p PlanCollection) Tested(ctx context.Context, in TestedInput) (Empty, error) {
	noted := reading(in.Connection, ingest.TestReading, in.Rights.Cost, in.Failure)
	noted.At = p.Now().UTC()
	if noted.Status == ingest.OK && len(in.Rights.Missing) > 0 {
		noted.Status, noted.Reason = ingest.Denied, "Missing: "+strings.Join(in.Rights.Missing, ", ")
	}
	return Empty{}, p.Connections.SaveReadings(ctx, in.Tenant, []ingest.Reading{noted})
}
