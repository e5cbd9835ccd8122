package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// endless is a record that loads for longer than anybody waits.
type endless struct{}

func (endless) RemoveBills(context.Context, tenant.ID, string) (ingest.Removed, error) {
	return ingest.Removed{}, nil
}

func (endless) Load(ctx context.Context, _ tenant.ID, _ ingest.Bill) (ingest.Report, error) {
	<-ctx.Done()
	return ingest.Report{}, fault.Wrap(ctx.Err(), fault.Unavailable, "The database does not answer; try again in a moment.")
}

// Sending a bill again that takes too long would take too long again.
func TestABillThatTakesTooLongIsToBeStaged(t *testing.T) {
	t.Parallel()
	event, err := json.Marshal(events.APIGatewayProxyRequest{
		HTTPMethod: http.MethodPost, Path: "/api/v1/focus/costs/collect", Headers: map[string]string{"Content-Type": "text/csv"}, Body: "BilledCost\n1\n",
		RequestContext: events.APIGatewayProxyRequestContext{Authorizer: map[string]any{"tenant": string(shop), "subject": "test", "role": string(tenant.Operator)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	answer, err := awslambda.HTTP(log, api.New(log, api.Costs{Load: job.Load{Record: endless{}}})).Invoke(ctx, event)
	if err != nil {
		t.Fatal(err)
	}
	var r events.APIGatewayProxyResponse
	if err := json.Unmarshal(answer, &r); err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(r.Body, "/api/v1/imports") {
		t.Errorf("got %d %s", r.StatusCode, r.Body)
	}
}
