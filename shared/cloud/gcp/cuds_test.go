package gcp

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"google.golang.org/api/bigquery/v2"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

const commitmentList = engineHost + "shop-prod/aggregated/commitments"

var lately = cost.Days(time.Date(2026, 10, 10, 0, 0, 0, 0, time.UTC), 30)

// fees is a bill of commitments: cores and memory of N2 in one region, and money.
func fees() []map[string]string {
	row := func(kv ...string) map[string]string {
		out := map[string]string{"service_name": "Compute Engine", "region": "europe-west3", "currency": "EUR", "first_start": "1791586800000000", "last_end": "1794182400000000"}
		for i := 0; i < len(kv); i += 2 {
			out[kv[i]] = kv[i+1]
		}
		return out
	}
	return []map[string]string{
		row("sku_name", "Commitment v1: N2 Cpu in Frankfurt for 1 Year", "unit", "seconds", "cost", "300", "amount", "1000"),
		row("sku_name", "Commitment v1: N2 Ram in Frankfurt for 1 Year", "unit", "byte-seconds", "cost", "100", "amount", "5000000"),
		row("sku_name", "N2 Instance Core running in Frankfurt", "unit", "seconds", "cost", "500", "amount", "2000", "covered_amount", "500"),
		row("sku_name", "N2 Custom Instance Core running in Frankfurt", "unit", "seconds", "cost", "60", "amount", "250", "covered_amount", "250"),
		row("sku_name", "N2 Instance Ram running in Frankfurt", "unit", "byte-seconds", "cost", "200", "amount", "9000000", "covered_amount", "5000001"), // rounded
		row("sku_name", "N2 Instance Core running in Virginia", "unit", "seconds", "cost", "5", "amount", "20", "covered_amount", "20", "region", "us-east4"),
		row("subscription_id", "769c55ea", "sku_name", "Compute Flexible CUDs - 1 Year", "unit", "count", "cost", "721", "amount", "721", "offset_credit", "-540.75"),
		row("subscription_id", "older", "sku_name", "Commitment - dollar based v1: GCE for 1 year", "unit", "count", "cost", "72", "amount", "720"),
	}
}

func (g *google) committed(lines ...map[string]string) {
	g.on(commitmentList, paged(reply(file(g.t, "commitments-1.json")), reply(file(g.t, "commitments-2.json"))))
	g.on(jobs, reply(dryRun), reply(answer(commitmentsSQL, "", lines...)))
}

func TestCommitmentsAreThoseOfProjectsAndOfTheBill(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.committed(fees()...)
	got, err := g.collector(connection(), g.options()).Commitments(t.Context(), lately)
	if err != nil {
		t.Fatal(err)
	}
	type brief struct{ quantity, unit, size, region, state, typ, end string }
	want := map[string]brief{
		computeNames + "shop-prod/regions/europe-west3/commitments/5511/vcpu":   {"8", "vCPU", "n2", "europe-west3", "ACTIVE", ofResources, "2027-03-01"},
		computeNames + "shop-prod/regions/europe-west3/commitments/5511/memory": {"32", "GiB", "n2", "europe-west3", "ACTIVE", ofResources, "2027-03-01"},
		computeNames + "shop-prod/regions/us-central1/commitments/5513/accelerator/nvidia-l4": {
			"2", "accelerators", "nvidia-l4", "us-central1", "NOT_YET_ACTIVE", ofResources, "2029-12-01"},
		computeNames + "shop-prod/regions/us-central1/commitments/5514/license": {"4", "licences", "sles-sap-15", "us-central1", "ACTIVE", ofResources, "2029-12-01"},
		"769c55ea": {"1", "EUR/hour", "", "europe-west3", "ACTIVE", ofSpend, "0001-01-01"},
	}
	for _, h := range got.Held {
		b := brief{h.Quantity.String(), h.Unit, h.Size, h.Region, h.State, h.Type, h.End.Format(time.DateOnly)}
		if want[h.ID] != b {
			t.Errorf("%s is %+v, want %+v", h.ID, b, want[h.ID])
		}
		delete(want, h.ID)
	}
	if len(want) > 0 {
		t.Errorf("missing %v", want)
	}
	if len(got.Use) != 2 {
		t.Fatalf("use %+v", got.Use)
	}
	// Three quarters of the cores, which cost 300, and all of the memory, which costs 100, were used: 325 of 400.
	of := got.Use[0]
	if of.Type != ofResources || of.Commitment != "" || *of.Used != 0.8125 || of.Unused.String() != "75" || of.Currency != "EUR" || of.Covered != nil || of.Period != lately {
		t.Errorf("resources %+v, used %v, unused %v", of, *of.Used, of.Unused)
	}
	of = got.Use[1]
	if of.Type != ofSpend || of.Commitment != "769c55ea" || *of.Used != 0.75 || of.Unused.String() != "180.25" || of.Covered != nil {
		t.Errorf("money %+v, used %v, unused %v", of, *of.Used, of.Unused)
	}
	if p := got.Parts[len(got.Parts)-1]; p.Service != "bigquery" || p.Status != ingest.OK {
		t.Errorf("parts %+v", got.Parts)
	}
}

func TestTheUseIsAskedOfWholeDaysAndLateCharges(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.committed(fees()...)
	o := g.options()
	o.Meter = meter("1")
	if _, err := g.collector(connection(), o).Commitments(t.Context(), lately); err != nil {
		t.Fatal(err)
	}
	sent := g.of(jobs)
	var q bigquery.QueryRequest
	if len(sent) != 2 || json.Unmarshal(sent[1].body, &q) != nil {
		t.Fatalf("%d queries", len(sent))
	}
	given := map[string]string{}
	for _, p := range q.QueryParameters {
		given[p.Name] = p.ParameterValue.Value
	}
	if given["period_from"] != "2026-10-10 00:00:00+00:00" || given["period_to"] != "2026-11-09 00:00:00+00:00" || given["partitions_from"] != "2026-10-10 00:00:00+00:00" || given["partitions_to"] != "2026-11-14 00:00:00+00:00" {
		t.Errorf("asked for %v", given)
	}
	if q.MaximumBytesBilled != 734003200 || len(o.Meter.Spent()) != 1 {
		t.Errorf("held to %d bytes, metered %+v", q.MaximumBytesBilled, o.Meter.Spent())
	}
	if _, err := g.collector(connection(), o).Commitments(t.Context(), cost.Period{Start: lately.Start.Add(time.Hour), End: lately.End}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("half a day: %v", err)
	}
}

// What the bill does not say stays unknown.
func TestUseThatTheBillDoesNotTellIsUnknown(t *testing.T) {
	t.Parallel()
	other := fees()[0]
	other["currency"] = "USD"
	free := fees()[6]
	free["cost"], free["offset_credit"] = "0", "0"
	for name, lines := range map[string][]map[string]string{
		"no commitment":         {fees()[2]},
		"an older one of money": {fees()[7]},
		"two currencies":        {fees()[0], other},
		"a fee without hours":   {{"sku_name": "Commitment v1: Cpu in Americas for 1 Year", "currency": "USD", "cost": "5", "amount": "0", "first_start": "0", "last_end": "0"}},
		"a fee of nothing":      {free},
		"nothing":               nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGoogle(t)
			g.committed(lines...)
			g.on(commitmentList, reply(`{"items":{}}`))
			got, err := g.collector(connection(), g.options()).Commitments(t.Context(), lately)
			if err != nil || len(got.Use) != 0 || len(got.Held) != 0 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestABillThatCannotBeReadLeavesTheRest(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		limit  string
		want   ingest.Status
	}{
		"denied": {problem(403, "accessDenied"), "1", ingest.Denied}, "the limit": {reply(dryRun), "0.001", ingest.Limited}, "down": {problem(503, "backendError"), "1", ingest.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGoogle(t)
			g.committed()
			g.on(jobs, tt.answer)
			o := g.options()
			o.Meter = meter(tt.limit)
			got, err := g.collector(connection(), o).Commitments(t.Context(), lately)
			if err != nil || len(got.Held) != 4 {
				t.Fatalf("%d are held, %v", len(got.Held), err)
			}
			if p := got.Parts[len(got.Parts)-1]; p.Service != "bigquery" || p.Status != tt.want || p.Reason == "" {
				t.Errorf("the bill is %+v, want %s", p, tt.want)
			}
		})
	}
	g := newGoogle(t)
	g.committed()
	g.on(jobs, problem(401, "authError"))
	if _, err := g.collector(connection(), g.options()).Commitments(t.Context(), lately); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("a revoked identity: %v", err)
	}
}

func TestTheBillIsAskedOnlyWhereItCanTell(t *testing.T) {
	t.Parallel()
	for setting, value := range map[string]string{"commitment_use": "off", "billing_table": "billing-prod.x.gcp_billing_export_focus_1"} {
		g := newGoogle(t)
		g.committed()
		got, err := g.collector(connection(setting, value), g.options()).Commitments(t.Context(), lately)
		if err != nil || len(got.Held) != 4 || len(got.Use) != 0 || len(g.of(jobs)) != 0 {
			t.Errorf("%s: %d are held, %d queries, %v", setting, len(got.Held), len(g.of(jobs)), err)
		}
	}
}

func TestSeriesOfCommitments(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]string{"GENERAL_PURPOSE": "n1", "GENERAL_PURPOSE_N2D": "n2d", "COMPUTE_OPTIMIZED": "c2", "COMPUTE_OPTIMIZED_C3": "c3", "MEMORY_OPTIMIZED": "memory_optimized", "COMPUTE_OPTIMIZED_H4D_3TB": "compute_optimized_h4d_3tb"} {
		if got := seriesOf(typ); got != want {
			t.Errorf("%s is %s, want %s", typ, got, want)
		}
	}
}
