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

func planning(r registry) job.PlanCollection {
	return job.PlanCollection{Connections: r, Now: clock, Collectors: map[resource.Cloud]string{resource.AWS: "collect-aws", resource.GCP: "collect-gcp"}}
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
	out, err := planning(r).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	months := map[string][]string{}
	for _, b := range out.Bills {
		months[b.Connection] = append(months[b.Connection], b.Month.Format("2006-01"))
		if want := string(buyer) + "/" + b.Connection + "/r1/bill-" + b.Month.Format("2006-01") + ".parquet"; b.Key != want {
			t.Errorf("key %s, want %s", b.Key, want)
		}
	}
	if len(months["new"]) != 18 || months["new"][0] != "2026-09" || months["new"][17] != "2025-04" {
		t.Errorf("new connection: %v", months["new"])
	}
	if want := []string{"2026-09", "2026-08", "2026-06"}; !slices.Equal(months["old"], want) {
		t.Errorf("known connection: %v, want %v", months["old"], want)
	}
	if len(months) != 2 || len(out.Inventories) != 2 {
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
	if out, err := planning(registry{}).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: "r"}); err != nil || len(out.Bills) != 0 {
		t.Errorf("a tenant without connections: %+v, %v; want an empty plan", out, err)
	}
}

func TestPlanFitsIntoAState(t *testing.T) {
	t.Parallel()
	var r registry
	for i := range 60 {
		r.connections = append(r.connections, ingest.Connection{ID: strings.Repeat("x", 40) + string(rune('A'+i)), Cloud: resource.AWS})
	}
	out, err := planning(r).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: strings.Repeat("r", 80)})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil || len(text) > 170*1024 { // of 256 KiB, for the results come on top
		t.Errorf("the plan has %d bytes, %v", len(text), err)
	}
	perConnection := map[string]int{}
	for _, b := range out.Bills {
		perConnection[b.Connection]++
	}
	for c, n := range perConnection {
		if n != 18 {
			t.Errorf("%s is read in part: %d months", c, n)
		}
	}
	if len(out.Skipped) != 60-len(perConnection) || len(perConnection) != 15 {
		t.Errorf("%d connections are planned, %d are told to be left out", len(perConnection), len(out.Skipped))
	}
}

// Of many known connections each has its turn, and neither their inventories nor those left out burst the state.
func TestConnectionsTakeTurns(t *testing.T) {
	t.Parallel()
	var r registry
	for i := range 1000 {
		id := fmt.Sprintf("connection-%03d", i)
		r.connections = append(r.connections, ingest.Connection{ID: id, Cloud: resource.AWS})
		covered := loaded(id, september)
		covered[0].LoadedAt = september.Add(time.Duration(i*7919%1000) * time.Minute)
		r.covered = append(r.covered, covered...)
	}
	out, err := planning(r).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: strings.Repeat("r", 80)})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil || len(text) > 170*1024 {
		t.Errorf("the plan has %d bytes, %v", len(text), err)
	}
	for _, inventory := range out.Inventories {
		var i int
		if _, err := fmt.Sscanf(inventory.Connection, "connection-%d", &i); err != nil || i*7919%1000 >= len(out.Inventories) {
			t.Errorf("%s has its turn before others that were read longer ago", inventory.Connection)
		}
	}
	if len(out.Inventories) != 100 || len(out.Bills) != 200 || len(out.Skipped) != 51 || !strings.Contains(out.Skipped[50], "850 more") {
		t.Errorf("%d inventories, %d bills, %d skipped, the last one: %s", len(out.Inventories), len(out.Bills), len(out.Skipped), out.Skipped[len(out.Skipped)-1])
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
	out, err := planning(r).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	var months []string
	for _, b := range out.Bills {
		months = append(months, b.Month.Format("2006-01"))
		if b.Settings["role_arn"] != "r" || b.Secret != "s" {
			t.Errorf("the plan lacks the settings: %+v", b)
		}
	}
	if want := []string{"2026-09", "2026-08", "2026-06", "2025-12"}; !slices.Equal(months, want) {
		t.Errorf("planned %v, want %v", months, want)
	}
}
