package api_test

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/awslambda"
)

// BenchmarkCostsThroughLambda measures what the edge costs: event in, routing, checks, an answer that is cached, event out.
func BenchmarkCostsThroughLambda(b *testing.B) {
	log := slog.New(slog.DiscardHandler)
	h := awslambda.HTTP(log, api.New(log, costsOf(&store{})))
	event, err := json.Marshal(events.APIGatewayProxyRequest{
		HTTPMethod: "GET", Path: "/api/v1/costs", MultiValueQueryStringParameters: map[string][]string{"group_by": {"ServiceName"}, "filter": {"ServiceProviderName:AWS"}},
		RequestContext: events.APIGatewayProxyRequestContext{Authorizer: map[string]any{"tenant": string(shop), "subject": "b", "role": "viewer"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := h.Invoke(b.Context(), event); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNew measures what a cold start spends on building the API.
func BenchmarkNew(b *testing.B) {
	log := slog.New(slog.DiscardHandler)
	for b.Loop() {
		api.New(log, api.All()...)
	}
}
