package job_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// carriedOut plans a month of each connection, and notes what became of those that are given.
func carriedOut(t *testing.T, results map[string][]job.ReadingResult, connections ...string) (job.PlanCollection, job.SumInput, *[]ingest.Reading) {
	t.Helper()
	saved := &[]ingest.Reading{}
	r := registry{saved: saved}
	for _, id := range connections {
		r.connections = append(r.connections, ingest.Connection{ID: id, Cloud: resource.AWS})
	}
	s := newShelf()
	p := planningOn(r, s)
	out, err := p.Run(t.Context(), job.PlanInput{Tenant: buyer, Run: "r1", Request: job.PlanRequest{Months: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var plans []job.ConnectionPlan
	if err := json.Unmarshal(s.objects[out.Key], &plans); err != nil {
		t.Fatal(err)
	}
	for _, c := range plans {
		if readings, ok := results[c.Connection]; ok {
			if _, err := p.Note(t.Context(), job.NoteInput{Tenant: buyer, Connection: c.Connection, Result: c.Result, Readings: readings}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return p, job.SumInput{Tenant: buyer, Key: out.Key, Skipped: out.Skipped}, saved
}

func billResult(rows int64, failure *job.Caught) job.ReadingResult {
	return job.ReadingResult{What: ingest.BillReading, Month: september, Rows: rows, Failure: failure}
}

func TestSumKeepsFailuresApartFromNoData(t *testing.T) {
	t.Parallel()
	failure := &job.Caught{Error: "Throttled", Cause: `{"errorType":"Throttled","errorMessage":"The cloud is busy."}`}
	first, second := billResult(10, nil), billResult(5, nil)
	first.Rejected, second.Unchanged = 1, true
	inventory := job.ReadingResult{What: ingest.InventoryReading, Resources: 4, Unread: []ingest.Part{{Region: "r", Service: "ec2", Status: ingest.Denied, Reason: "No right."}, {Service: "commitments", Status: ingest.Failed, Reason: "Busy."}}}
	p, in, _ := carriedOut(t, map[string][]job.ReadingResult{"a": {first, second, inventory}, "b": {billResult(0, failure)}}, "a", "b")
	out, err := p.Sum(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if out.Bills != 2 || out.Rows != 15 || out.Rejected != 1 || out.Unchanged != 1 || out.Changed != 1 || out.Resources != 4 || len(out.Problems) != 3 {
		t.Errorf("got %+v", out)
	}
	all := strings.Join(out.Problems, "\n")
	for _, want := range []string{"b, bill of 2026-09: The cloud is busy.", "a, ec2 in r: denied No right.", "a, commitments: error Busy."} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is lost: %s", want, all)
		}
	}
	p, in, _ = carriedOut(t, map[string][]job.ReadingResult{"b": {billResult(0, failure)}}, "b")
	if _, err = p.Sum(t.Context(), in); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("everything failed: got %v, want Unavailable", err)
	}
	in.Tenant = "b7c1d2e3-0000-4000-8000-00000000beef"
	if _, err = p.Sum(t.Context(), in); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("the plan of another tenant: %v", err)
	}
}

// A connection whose execution broke off left no result: it failed, and its months are owed.
func TestAConnectionWithoutAResultFailed(t *testing.T) {
	t.Parallel()
	p, in, saved := carriedOut(t, map[string][]job.ReadingResult{"a": {billResult(10, nil)}}, "a", "b")
	out, err := p.Sum(t.Context(), in)
	if err != nil || out.Bills != 1 || len(out.Problems) != 2 || !strings.Contains(out.Problems[0], "b, bill of 2026-09: The reading ended without a result.") {
		t.Errorf("got %+v, %v", out, err)
	}
	if len(*saved) != 2 || (*saved)[0].Connection != "b" || (*saved)[0].Status != ingest.Failed || !(*saved)[0].Month.Equal(september) {
		t.Errorf("noted %+v", *saved)
	}
}

func TestEachReadingIsNotedAsItWent(t *testing.T) {
	t.Parallel()
	paid := job.Cost{Spent: []ingest.Spending{{What: "requests", Units: 3, Amount: decimal.RequireFromString("0.03")}}}
	limited := paid
	limited.Stopped = "Reading stopped."
	read, stopped := billResult(10, nil), billResult(0, nil)
	read.Cost, stopped.Cost = paid, limited
	p, in, saved := carriedOut(t, map[string][]job.ReadingResult{"a": {
		read, stopped, billResult(0, &job.Caught{Error: "Forbidden", Cause: `{"errorType":"Forbidden","errorMessage":"No right."}`}),
		{What: ingest.InventoryReading, Failure: &job.Caught{Error: "Throttled"}},
	}}, "a")
	var statuses []ingest.Status
	for _, r := range *saved {
		statuses = append(statuses, r.Status)
		if !r.At.Equal(today) || r.Connection != "a" {
			t.Errorf("noted %+v", r)
		}
	}
	if want := []ingest.Status{ingest.OK, ingest.Limited, ingest.Denied, ingest.Failed}; !slices.Equal(statuses, want) || (*saved)[2].Reason != "No right." {
		t.Errorf("noted %+v", *saved)
	}
	out, err := p.Sum(t.Context(), in)
	if err != nil || out.Bills != 1 || out.SpentUSD.String() != "0.06" || len(out.Problems) != 3 || !strings.Contains(strings.Join(out.Problems, " "), "a, bill of 2026-09: Reading stopped.") {
		t.Errorf("got %+v, %v", out, err)
	}
}
