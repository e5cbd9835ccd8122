package job_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// record notes what is loaded.
type record struct {
	bill    ingest.Bill
	content string
	report  ingest.Report
	err     error
	saved   *ingest.Snapshot
	bumps   int
}

func (r *record) Load(_ context.Context, _ tenant.ID, b ingest.Bill) (ingest.Report, error) {
	text, err := io.ReadAll(io.NewSectionReader(b.File, 0, b.File.Size()))
	if err != nil {
		return ingest.Report{}, err
	}
	r.bill, r.content = b, string(text)
	return r.report, r.err
}

func (r *record) RemoveBills(context.Context, tenant.ID, string) (ingest.Removed, error) {
	return ingest.Removed{Bills: 1}, r.err
}

func (r *record) SaveInventory(_ context.Context, _ tenant.ID, _ string, s ingest.Snapshot) error {
	r.saved = &s
	return r.err
}

func (r *record) Bump(context.Context, tenant.ID) { r.bumps++ }

func load(r *record, s *shelf) job.Load {
	return job.Load{Record: r, Inventory: r, Staging: s, Versions: r}
}

func TestLoadReadsWhatIsStagedAndShortensTheReport(t *testing.T) {
	t.Parallel()
	s, r := newShelf(), &record{report: ingest.Report{Accepted: 5, Rejected: 5000, Rejections: make([]ingest.Rejection, 1600)}}
	key := ingest.Key(buyer, "c", "r", "bill")
	s.objects[key] = []byte("content")
	out, err := load(r, s).Run(t.Context(), job.LoadInput{Tenant: buyer, Connection: "c", Key: key})
	if err != nil || r.content != "content" || r.bill.Connection != "c" {
		t.Fatalf("got %+v, %v; loaded %q", out, err, r.content)
	}
	if text, err := json.Marshal(out); err != nil || len(text) > 128<<10 || out.Rejected != 5000 || len(out.Rejections) != 1600 {
		t.Errorf("%d rejections of %d shown in %d bytes, want all that fit, 1600 of 5000 (%v)", len(out.Rejections), out.Rejected, len(text), err)
	}
	if r.bumps != 1 {
		t.Errorf("cached answers were outdated %d times, want once", r.bumps)
	}
}

func TestLoadThatChangesNothingLeavesCachedAnswers(t *testing.T) {
	t.Parallel()
	s := newShelf()
	key := ingest.Key(buyer, "c", "bill")
	s.objects[key] = nil
	for name, r := range map[string]*record{
		"unchanged": {report: ingest.Report{Unchanged: true}},
		"refused":   {err: fault.New(fault.Unprocessable, "Not FOCUS.")},
	} {
		_, err := load(r, s).Run(t.Context(), job.LoadInput{Tenant: buyer, Key: key})
		if (err == nil) != (r.err == nil) || r.bumps != 0 {
			t.Errorf("%s: %v, %d bumps", name, err, r.bumps)
		}
	}
}

func TestKeysOfOthersAreNotFound(t *testing.T) {
	t.Parallel()
	s, r := newShelf(), &record{}
	foreign := ingest.Key("6f1f9f5e-0000-4000-8000-000000000002", "c", "x")
	s.objects[foreign] = []byte("{}")
	for _, key := range []string{foreign, ingest.Key(buyer, "missing"), string(buyer) + "/../" + foreign} {
		if _, err := load(r, s).Run(t.Context(), job.LoadInput{Tenant: buyer, Key: key}); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("load %s: got %v, want NotFound", key, err)
		}
		if _, err := load(r, s).LoadInventory(t.Context(), job.LoadInventoryInput{Tenant: buyer, Key: key}); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("load-inventory %s: got %v, want NotFound", key, err)
		}
	}
}

func TestLoadInventoryStoresTheSnapshot(t *testing.T) {
	t.Parallel()
	s, r := newShelf(), &record{}
	key := ingest.Key(buyer, "c", "inventory.json")
	s.objects[key] = []byte(`{"resources":[{"id":"i-1"}],"prices":[],"at":"2026-09-10T00:00:00Z"}`)
	out, err := load(r, s).LoadInventory(t.Context(), job.LoadInventoryInput{Tenant: buyer, Connection: "c", Key: key})
	if err != nil || out.Resources != 1 || r.saved == nil || r.saved.Resources[0].ID != "i-1" || r.bumps != 1 {
		t.Errorf("got %+v, %v", out, err)
	}
	s.objects[key] = []byte(`{"resources":[`)
	if _, err := load(r, s).LoadInventory(t.Context(), job.LoadInventoryInput{Tenant: buyer, Connection: "c", Key: key}); fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("half a document: got %v, want Unprocessable", err)
	}
}

// notes is a cache that lives as long as the test, or never.
type notes struct {
	kept map[string][]byte
	dead bool
}

func (n *notes) Get(_ context.Context, _ tenant.ID, key string, into any) bool {
	b, ok := n.kept[key]
	return ok && json.Unmarshal(b, into) == nil
}

func (n *notes) Set(_ context.Context, _ tenant.ID, key string, value any, _ time.Duration) {
	if b, err := json.Marshal(value); err == nil && !n.dead {
		n.kept[key] = b
	}
}

type sums struct{ asked cost.Query }

func (s *sums) Costs(_ context.Context, _ tenant.ID, q cost.Query) ([]cost.Group, error) {
	s.asked = q
	return []cost.Group{{Scope: cost.Scope{cost.Provider: "AWS"}, Amount: decimal.RequireFromString("12.34"), Currency: "USD"}}, nil
}

func TestSummaryRemembersTheRunAndItsFailures(t *testing.T) {
	t.Parallel()
	query := &sums{}
	n := &notes{kept: map[string][]byte{}}
	s := job.Summary{Costs: query, Notes: n, Now: clock}
	_, err := s.Run(t.Context(), job.SummaryInput{
		Tenant: buyer, Run: "r1",
		Collect: job.StepResult{Result: json.RawMessage(`{"rows":7}`)},
		Analyze: job.StepResult{Failure: &job.Caught{Error: "Unavailable", Cause: `{"errorMessage":"The database is down."}`}},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Last(t.Context(), buyer)
	if err != nil || out.Run != "r1" || string(out.Collect) != `{"rows":7}` || out.Analyze != nil || len(out.Problems) != 1 || !strings.Contains(out.Problems[0], "The database is down.") {
		t.Errorf("got %+v, %v", out, err)
	}
	if !query.asked.Period.End.Equal(ingest.FinalBefore(today)) || query.asked.Period.Len() != 30 {
		t.Errorf("asked for %s; want 30 days that are complete", query.asked.Period)
	}
	n.kept = map[string][]byte{}
	if out, err = s.Last(t.Context(), buyer); err != nil || out.Run != "" || len(out.Costs) != 1 || out.Costs[0].Cost.String() != "12.34 USD" {
		t.Errorf("without a cache: got %+v, %v; want the costs alone", out, err)
	}
}
