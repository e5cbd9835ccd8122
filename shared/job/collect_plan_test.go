package job_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// registry is a connection store.
type registry struct {
	connections []ingest.Connection
	covered     []ingest.Coverage
	tried       []ingest.Reading
	saved       *[]ingest.Reading
}

func (r registry) Readings(context.Context, tenant.ID) ([]ingest.Reading, error) { return r.tried, nil }

func (r registry) SaveReadings(_ context.Context, _ tenant.ID, readings []ingest.Reading) error {
	if r.saved != nil {
		*r.saved = readings
	}
	return nil
}

func (r registry) Connections(context.Context, tenant.ID) ([]ingest.Connection, error) {
	return r.connections, nil
}
func (r registry) Coverage(context.Context, tenant.ID) ([]ingest.Coverage, error) {
	return r.covered, nil
}

func planning(r registry) job.PlanCollection { return planningOn(r, newShelf()) }

func planningOn(r registry, s *shelf) job.PlanCollection {
	return job.PlanCollection{Connections: r, Staging: s, Bucket: "staging", Now: clock,
		Collectors: map[resource.Cloud]string{resource.AWS: "collect-aws", resource.GCP: "collect-gcp"}}
}

// planned gives the plan that was staged, by connection in its order.
func planned(t *testing.T, r registry, in job.PlanInput) (job.PlanOutput, []job.ConnectionPlan) {
	t.Helper()
	s := newShelf()
	out, err := planningOn(r, s).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var plans []job.ConnectionPlan
	if err := json.Unmarshal(s.objects[out.Key], &plans); err != nil || len(plans) != out.Connections || out.Bucket != "staging" {
		t.Fatalf("%+v, staged %s, %v", out, s.objects[out.Key], err)
	}
	return out, plans
}

// monthsOf lists the months whose bills are read, in their order.
func monthsOf(c job.ConnectionPlan) (months []string) {
	for _, r := range c.Readings {
		if r.What == ingest.BillReading {
			months = append(months, r.Month.Format("2006-01"))
		}
	}
	return months
}

func loaded(connection string, months ...time.Time) []ingest.Coverage {
	var out []ingest.Coverage
	for _, m := range months {
		out = append(out, ingest.Coverage{Connection: connection, Period: cost.Month(m)})
	}
	return out
}

func TestPlanReadsWhatIsMissingOrMayHaveChanged(t *testing.T) {
	t.Parallel()
	back := func(n int) time.Time { return september.AddDate(0, -n, 0) }
	r := registry{
		connections: []ingest.Connection{{ID: "new", Cloud: resource.AWS}, {ID: "old", Cloud: resource.GCP}, {ID: "focus:AWS:1"}, {ID: "az", Cloud: resource.Azure}},
		covered:     loaded("old", back(5), back(4), back(2), back(1), back(0)), // back(3) is missing
	}
	out, plans := planned(t, r, job.PlanInput{Tenant: buyer, Run: "r1"})
	months := map[string][]string{}
	for _, c := range plans {
		months[c.Connection] = monthsOf(c)
		if key := c.Readings[0].Key; key != string(buyer)+"/"+c.Connection+"/r1/bill-2026-09.parquet" {
			t.Errorf("key %s", key)
		}
		if i := c.Readings[2]; i.What != ingest.InventoryReading || i.Key != string(buyer)+"/"+c.Connection+"/r1/inventory.json" || c.AtOnce < 2 || c.Ledger != "" {
			t.Errorf("without a limit: %+v", c)
		}
	}
	if len(months["new"]) != 18 || months["new"][0] != "2026-09" || months["new"][17] != "2025-04" {
		t.Errorf("new connection: %v", months["new"])
	}
	if want := []string{"2026-09", "2026-08", "2026-06"}; !slices.Equal(months["old"], want) {
		t.Errorf("known connection: %v, want %v", months["old"], want)
	}
	if len(months) != 2 {
		t.Errorf("uploads and unknown clouds are not read: %v", months)
	}
	if len(out.Skipped) != 1 || !strings.Contains(out.Skipped[0], "COLLECTORS") {
		t.Errorf("skipped: %v", out.Skipped)
	}
}

func TestPlanSaysWhyNothingCanBeRead(t *testing.T) {
	t.Parallel()
	r := registry{connections: []ingest.Connection{{ID: "az", Cloud: resource.Azure}}}
	for want, asked := range map[string]job.PlanRequest{
		"COLLECTORS": {Cloud: resource.Azure}, "POST /api/v1/connections": {Cloud: resource.AWS},
		"No connection of the cloud aws is registered.": {Cloud: resource.AWS}, `No connection "b" is registered.`: {Connection: "b"},
		`No connection "az" of the cloud gcp is`: {Cloud: resource.GCP, Connection: "az"},
	} {
		_, err := planning(r).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: "r", Request: asked})
		if fault.CodeOf(err) != fault.Unprocessable || !strings.Contains(fault.Public(err).Message, want) {
			t.Errorf("%+v: got %v", asked, err)
		}
	}
	if out, err := planning(registry{}).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: "r"}); err != nil || out.Connections != 0 {
		t.Errorf("a tenant without connections: %+v, %v; want an empty plan", out, err)
	}
}

// Of very many connections each has its turn, those that were read longest ago first, and what is told of the others is short.
func TestConnectionsTakeTurns(t *testing.T) {
	t.Parallel()
	const n = 6000
	var r registry
	for i := range n {
		id := fmt.Sprintf("connection-%04d", i)
		r.connections = append(r.connections, ingest.Connection{ID: id, Cloud: resource.AWS})
		covered := loaded(id, september)
		covered[0].LoadedAt = september.Add(time.Duration(i*7919%n) * time.Minute)
		r.covered = append(r.covered, covered...)
	}
	out, plans := planned(t, r, job.PlanInput{Tenant: buyer, Run: "r"})
	for _, c := range plans {
		var i int
		if _, err := fmt.Sscanf(c.Connection, "connection-%d", &i); err != nil || i*7919%n >= len(plans) {
			t.Errorf("%s has its turn before others that were read longer ago", c.Connection)
		}
		if len(c.Readings) != 3 {
			t.Errorf("%s is read in part: %+v", c.Connection, c.Readings)
		}
	}
	text, err := json.Marshal(out)
	if err != nil || len(text) > 16<<10 || len(plans) != 5000 || len(out.Skipped) != 51 || !strings.Contains(out.Skipped[50], "950 more") {
		t.Errorf("%d connections, %d bytes of state, the last word: %s", len(plans), len(text), out.Skipped[len(out.Skipped)-1])
	}
}

// Where there is a limit, readings follow each other and share a ledger, which lies there before the first.
func TestReadingsOfALimitedConnectionShareALedger(t *testing.T) {
	t.Parallel()
	s := newShelf()
	r := registry{connections: []ingest.Connection{{ID: "a", Cloud: resource.AWS, Settings: map[string]string{ingest.LimitSetting: "1"}}}}
	out, err := planningOn(r, s).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	var plans []job.ConnectionPlan
	if err := json.Unmarshal(s.objects[out.Key], &plans); err != nil {
		t.Fatal(err)
	}
	c := plans[0]
	if c.AtOnce != 1 || ingest.Owned(buyer, c.Ledger) != nil || string(s.objects[c.Ledger]) != `{"spent":"0"}` {
		t.Errorf("%+v, ledger %s", c, s.objects[c.Ledger])
	}
	if c.Readings[2].What != ingest.InventoryReading || monthsOf(c)[0] != "2026-09" || monthsOf(c)[17] != "2025-04" {
		t.Errorf("what matters most is not first: %+v", c.Readings)
	}
}

// A month that could not be read is owed, even one before the first that is loaded.
func TestWhatCouldNotBeReadIsReadAgain(t *testing.T) {
	t.Parallel()
	back := func(n int) time.Time { return september.AddDate(0, -n, 0) }
	r := registry{
		connections: []ingest.Connection{{ID: "a", Cloud: resource.AWS, Settings: map[string]string{"role_arn": "r"}, Secret: "s"}},
		covered:     loaded("a", back(3), back(2), back(1), back(0)),
		tried: []ingest.Reading{
			{Connection: "a", What: ingest.BillReading, Month: back(9), Status: ingest.Limited}, {Connection: "a", What: ingest.BillReading, Month: back(8), Status: ingest.OK},
			{Connection: "a", What: ingest.BillReading, Month: back(3), Status: ingest.Failed}, {Connection: "b", What: ingest.BillReading, Month: back(7), Status: ingest.Failed},
			{Connection: "a", What: ingest.InventoryReading, Month: back(6), Status: ingest.Failed},
		},
	}
	_, plans := planned(t, r, job.PlanInput{Tenant: buyer, Run: "r1"})
	if plans[0].Settings["role_arn"] != "r" || plans[0].Secret != "s" {
		t.Errorf("the plan lacks the settings: %+v", plans[0])
	}
	months := monthsOf(plans[0])
	if want := []string{"2026-09", "2026-08", "2026-06", "2025-12"}; !slices.Equal(months, want) {
		t.Errorf("planned %v, want %v", months, want)
	}
}
