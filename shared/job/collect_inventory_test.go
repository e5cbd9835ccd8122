package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func TestInventoryStagesASnapshot(t *testing.T) {
	t.Parallel()
	s := newShelf()
	ref := func(kind resource.Type, region, id string) resource.Resource {
		return resource.Resource{Ref: resource.Ref{Cloud: resource.AWS, Type: kind, Region: region, ID: id}}
	}
	c := &cloud{inv: ingest.Inventory{
		Resources: []resource.Resource{ref(resource.Instance, "b", "i-1"), ref(resource.Snapshot, "a", "s-1"), ref(resource.Volume, "b", "v-1")},
		Parts:     []ingest.Part{{Region: "a", Status: ingest.OK}, {Region: "c", Service: "ec2", Status: ingest.Denied, Reason: "No right."}},
	}}
	key := ingest.Key(buyer, "aws-main", "run", "inventory.json")
	out, err := collect(c, s).Inventory(t.Context(), job.InventoryInput{Tenant: buyer, Connection: "aws-main", Cloud: resource.AWS, Key: key})
	if err != nil || out.Resources != 3 || len(out.Unread) != 1 || out.Unread[0].Region != "c" {
		t.Fatalf("got %+v, %v", out, err)
	}
	if len(c.asked.Refs) != 2 || c.asked.Every != time.Hour || c.asked.Period.Len() != 30 || !c.asked.Period.End.Equal(today.Truncate(time.Hour)) {
		t.Errorf("asked for usage %+v", c.asked)
	}
	var snapshot ingest.Snapshot
	if err := json.Unmarshal(s.objects[key], &snapshot); err != nil {
		t.Fatal(err)
	}
	if !snapshot.At.Equal(today) || len(snapshot.Resources) != 3 || len(snapshot.Parts) != 2 || len(snapshot.Usage) != 1 || len(snapshot.Prices) != 2 {
		t.Errorf("staged %+v", snapshot)
	}
}

func TestUsageStagesWhatWasMeasured(t *testing.T) {
	t.Parallel()
	s := newShelf()
	key := ingest.Key(buyer, "c", "execution-1", "usage-1-0.json")
	in := job.UsageRequest{Tenant: buyer, Refs: []resource.Ref{{ID: "i-1"}}, Metrics: []resource.Metric{resource.ErrorRate}, From: today.Add(-time.Hour), To: today, EverySeconds: 60, Key: key}
	if out, err := collect(&cloud{}, s).Usage(t.Context(), in); err != nil || out.Key != key {
		t.Fatalf("got %+v, %v", out, err)
	}
	var measured ingest.Measured
	if err := json.Unmarshal(s.objects[key], &measured); err != nil || len(measured.Usage) != 1 || measured.Usage[0].Every != time.Minute {
		t.Errorf("staged %s, %v", s.objects[key], err)
	}
	in.To = in.From
	if _, err := collect(&cloud{}, s).Usage(t.Context(), in); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("empty period: got %v, want Invalid", err)
	}
}

// seller is a cloud that sells commitments and gives advice.
type seller struct {
	cloud

	period                            cost.Period
	usageErr, pricesErr, readErr, err error
}

func (s *seller) Usage(ctx context.Context, q ingest.UsageQuery) (ingest.Measured, error) {
	m, err := s.cloud.Usage(ctx, q)
	return m, errors.Join(err, s.usageErr)
}

func (s *seller) Prices(ctx context.Context, regions []string) ([]resource.Price, error) {
	if s.pricesErr != nil {
		return nil, s.pricesErr
	}
	return s.cloud.Prices(ctx, regions)
}

func (s *seller) Commitments(_ context.Context, period cost.Period) (ingest.Commitments, error) {
	s.period = period
	if s.readErr != nil {
		return ingest.Commitments{}, s.readErr
	}
	return ingest.Commitments{
		Held:  []resource.Commitment{{ID: "sp-1"}},
		Parts: []ingest.Part{{Service: "savings-plans", Status: ingest.OK}, {Region: "b", Service: "ec2-reservations", Status: ingest.Denied, Reason: "No right."}},
	}, nil
}

func (s *seller) Advice(context.Context) (ingest.Advice, error) {
	if s.err != nil {
		return ingest.Advice{}, s.err
	}
	return ingest.Advice{Given: []resource.Advice{{Advice: "a-1"}}, Parts: []ingest.Part{{Service: "recommender", Status: ingest.OK}}}, nil
}

func snapshotOf(t *testing.T, from ingest.Collector) (job.InventoryOutput, ingest.Snapshot) {
	t.Helper()
	s := newShelf()
	key := ingest.Key(buyer, "aws-main", "run", "inventory.json")
	c := job.Collect{Staging: s, Now: clock, Collectors: func(context.Context, ingest.Connection, *ingest.Meter) (ingest.Collector, error) { return from, nil }}
	out, err := c.Inventory(t.Context(), job.InventoryInput{Tenant: buyer, Connection: "aws-main", Cloud: resource.AWS, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	var snapshot ingest.Snapshot
	if err := json.Unmarshal(s.objects[key], &snapshot); err != nil {
		t.Fatal(err)
	}
	return out, snapshot
}

func TestInventoryReadsCommitmentsAndAdviceWhereThereAreSome(t *testing.T) {
	t.Parallel()
	from := &seller{cloud: cloud{inv: ingest.Inventory{Parts: []ingest.Part{{Region: "b", Service: "ec2", Status: ingest.OK}}}}}
	out, got := snapshotOf(t, from)
	if got.Commitments == nil || got.Commitments.Held[0].ID != "sp-1" || got.Advice == nil || got.Advice.Given[0].Advice != "a-1" {
		t.Errorf("staged %+v", got)
	}
	if want := cost.Days(cost.Day(today).AddDate(0, 0, -30), 30); from.period != want {
		t.Errorf("asked for the use in %s, want %s", from.period, want)
	}
	if len(got.Parts) != 1 || len(got.Beside) != 3 {
		t.Errorf("%d parts of the inventory, %d beside it", len(got.Parts), len(got.Beside))
	}
	if len(out.Unread) != 1 || out.Unread[0].Service != "ec2-reservations" || out.Stopped != "" {
		t.Errorf("told %+v", out)
	}
	if _, got := snapshotOf(t, &cloud{}); got.Commitments != nil || got.Advice != nil {
		t.Errorf("of a cloud without any: %+v", got)
	}
}

// What exists is worth having without the rest, whatever kept that from being read.
func TestWhatCannotBeReadBesideCostsNoInventory(t *testing.T) {
	t.Parallel()
	machine := resource.Resource{Ref: resource.Ref{Type: resource.Instance, Region: "b", ID: "i-1"}}
	for code, want := range map[fault.Code]ingest.Status{
		fault.Forbidden: ingest.Denied, fault.Throttled: ingest.Failed, fault.Internal: ingest.Failed, fault.LimitReached: ingest.Limited,
	} {
		failure := fault.New(code, "It is so.")
		out, got := snapshotOf(t, &seller{cloud: cloud{inv: ingest.Inventory{Resources: []resource.Resource{machine}}}, usageErr: failure, pricesErr: failure, readErr: failure, err: failure})
		if len(got.Resources) != 1 || got.Commitments != nil || got.Advice != nil || got.Prices != nil || len(got.Beside) != 4 {
			t.Fatalf("%s: staged %+v", code, got)
		}
		for i, service := range []string{"metrics", "prices", "commitments", "advice"} {
			if p := got.Beside[i]; p.Service != service || p.Status != want || p.Reason == "" {
				t.Errorf("%s: part %+v", code, p)
			}
		}
		if len(got.Usage) != 1 { // what came before it ended
			t.Errorf("%s: used %+v", code, got.Usage)
		}
		if (out.Stopped != "") != (want == ingest.Limited) || len(out.Unread) != 4 {
			t.Errorf("%s: told %+v", code, out)
		}
	}
}
