package job_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
)

func TestSumKeepsFailuresApartFromNoData(t *testing.T) {
	t.Parallel()
	failure := &job.Caught{Error: "Throttled", Cause: `{"errorType":"Throttled","errorMessage":"The cloud is busy."}`}
	in := job.CollectedInput{
		Bills: []job.BillResult{
			{Connection: "a", Month: september, Rows: 10, Rejected: 1}, {Connection: "a", Month: september, Rows: 5, Unchanged: true},
			{Connection: "b", Month: september, Failure: failure},
		},
		Inventories: []job.InventoryResult{{Connection: "a", Resources: 4, Unread: []ingest.Part{{Region: "r", Service: "ec2", Status: ingest.Denied, Reason: "No right."}}}},
	}
	var saved []ingest.Reading
	out, err := planning(registry{saved: &saved}).Sum(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if out.Bills != 2 || out.Rows != 15 || out.Rejected != 1 || out.Unchanged != 1 || out.Resources != 4 || len(out.Problems) != 2 {
		t.Errorf("got %+v", out)
	}
	if !strings.Contains(out.Problems[0], "The cloud is busy.") {
		t.Errorf("the reason is lost: %v", out.Problems)
	}
	_, err = planning(registry{}).Sum(t.Context(), job.CollectedInput{Bills: in.Bills[2:]})
	if fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("everything failed: got %v, want Unavailable", err)
	}
}

func TestSumNotesHowEachReadingWent(t *testing.T) {
	t.Parallel()
	var saved []ingest.Reading
	paid := job.Cost{Spent: []ingest.Spending{{What: "requests", Units: 3, Amount: decimal.RequireFromString("0.03")}}}
	limited := paid
	limited.Stopped = "Reading stopped."
	out, err := planning(registry{saved: &saved}).Sum(t.Context(), job.CollectedInput{Tenant: buyer,
		Bills: []job.BillResult{
			{Connection: "a", Month: september, Rows: 10, Cost: paid}, {Connection: "b", Month: september, Cost: limited},
			{Connection: "c", Month: september, Failure: &job.Caught{Error: "Forbidden", Cause: `{"errorType":"Forbidden","errorMessage":"No right."}`}},
		},
		Inventories: []job.InventoryResult{{Connection: "a", Failure: &job.Caught{Error: "Throttled"}}},
	})
	if err != nil || out.Bills != 1 || out.SpentUSD.String() != "0.06" || len(out.Problems) != 3 || !strings.Contains(strings.Join(out.Problems, " "), "b, bill of 2026-09: Reading stopped.") {
		t.Errorf("got %+v, %v", out, err)
	}
	var statuses []ingest.Status
	for _, r := range saved {
		statuses = append(statuses, r.Status)
		if !r.At.Equal(today) {
			t.Errorf("noted for %s", r.At)
		}
	}
	if want := []ingest.Status{ingest.OK, ingest.Limited, ingest.Denied, ingest.Failed}; !slices.Equal(statuses, want) || saved[2].Reason != "No right." {
		t.Errorf("noted %+v", saved)
	}
}
