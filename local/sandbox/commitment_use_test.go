package sandbox

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// What is told of the plan is what its bill says.
func TestThePlanIsHeldAndUsedAsBilled(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	reader, ok := e.Collector(resource.AWS).(ingest.CommitmentReader)
	if !ok {
		t.Fatal("the cloud of the plan does not tell of it")
	}
	if _, other := e.Collector(resource.GCP).(ingest.CommitmentReader); other {
		t.Error("a cloud without a plan tells of one")
	}
	got, err := reader.Commitments(t.Context(), cost.Month(september))
	if err != nil || len(got.Held) != 1 || len(got.Use) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	held, use := got.Held[0], got.Use[0]
	if now := e.Clock().Now(); held.ID != planID || held.Start.After(now) || !held.End.After(now) || !held.Hourly.Equal(planHourly) {
		t.Errorf("held: %+v", held)
	}
	bought := planHourly.Mul(decimal.NewFromInt(30 * 24))
	if want := decimal.NewFromInt(1).Sub(use.Unused.Div(bought)).InexactFloat64(); *use.Used < want-1e-9 || *use.Used > want+1e-9 || *use.Used <= 0.5 || *use.Used >= 1 {
		t.Errorf("used %v, of %s bought %s are unused", *use.Used, bought, use.Unused)
	}
	if *use.Covered <= 0 || *use.Covered >= 1 || use.Commitment != held.ID {
		t.Errorf("use: %+v", use)
	}
}
