package focustest_test

import (
	"bytes"
	"testing"

	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/focus/focustest"
)

func TestTheSameSeedGivesTheSameBill(t *testing.T) {
	t.Parallel()
	files := map[uint64]*bytes.Buffer{1: {}, 2: {}}
	var again bytes.Buffer
	for seed, file := range files {
		if err := focustest.WriteCSVGzip(file, 2000, seed); err != nil {
			t.Fatal(err)
		}
	}
	if err := focustest.WriteCSVGzip(&again, 2000, 1); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(files[1].Bytes(), again.Bytes()) || bytes.Equal(files[1].Bytes(), files[2].Bytes()) {
		t.Error("the seed decides the content, and nothing else does")
	}
}

func TestRowsAreLifelike(t *testing.T) {
	t.Parallel()
	providers, services, resources, credits, committed := map[string]bool{}, map[string]bool{}, map[string]bool{}, 0, 0
	for row := range focustest.Rows(50_000, 1) {
		providers[row.ServiceProviderName], services[row.ServiceName], resources[row.ResourceID] = true, true, true
		if row.BilledCost.IsNegative() {
			credits++
		}
		if row.CommitmentDiscountID != "" {
			committed++
		}
		if row.BillingPeriod != focustest.Month || !focustest.Month.Contains(row.ChargePeriod.Start) {
			t.Fatalf("%+v is outside the month", row)
		}
	}
	if len(providers) != 4 || len(services) != 20 || len(resources) < 4900 || credits < 100 || committed < 1000 {
		t.Errorf("%d providers, %d services, %d resources, %d credits, %d committed charges", len(providers), len(services), len(resources), credits, committed)
	}
	if next := func() focus.Row {
		for row := range focustest.Rows(1, 1) {
			return row
		}
		return focus.Row{}
	}(); next.ServiceName == "" {
		t.Error("a single row must be given")
	}
}
