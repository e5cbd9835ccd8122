package gcp

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"google.golang.org/api/bigquery/v2"

	"github.com/cost-agent/cost-agent/shared/focus"
)

var update = flag.Bool("update", false, "write the golden files anew")

var october = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

const (
	jobs    = "POST bigquery.googleapis.com /bigquery/v2/projects/billing-prod/queries"
	results = "GET bigquery.googleapis.com /bigquery/v2/projects/billing-prod/queries/job_1"
	dryRun  = `{"kind":"bigquery#queryResponse","totalBytesProcessed":"734003200","jobComplete":true,"schema":{"fields":[]}}`
	ref     = `"jobReference":{"projectId":"billing-prod","jobId":"job_1","location":"EU"}`
)

var selected = regexp.MustCompile(`(?m)(?:AS (\w+)|^  (\w+)),?\s*$`)

// columnsIn lists what a query selects, in order.
func columnsIn(q string) (names []string) {
	list, _, _ := strings.Cut(q[strings.LastIndex(q, "\nSELECT\n")+8:], "\nFROM ")
	for _, m := range selected.FindAllStringSubmatch(list, -1) {
		names = append(names, m[1]+m[2])
	}
	return names
}

func wire(k kind, rest string, rows ...map[string]string) string {
	return answer(billQuery(table{"billing-prod", "billing", "x"}, k, october, nil, nil).Query, rest, rows...)
}

// answer writes rows as BigQuery does: cells in the order of the schema, every value a text, null for what is absent.
func answer(q, rest string, rows ...map[string]string) string {
	names := columnsIn(q)
	var schema, out []string
	for _, n := range names {
		schema = append(schema, fmt.Sprintf(`{"name":%q,"type":"STRING","mode":"NULLABLE"}`, n))
	}
	for _, row := range rows {
		cells := make([]string, 0, len(names))
		for _, n := range names {
			v, ok := row[n]
			cell := "null"
			if ok {
				text, err := json.Marshal(v)
				if err != nil {
					panic(err)
				}
				cell = string(text)
			}
			cells = append(cells, `{"v":`+cell+`}`)
		}
		out = append(out, `{"f":[`+strings.Join(cells, ",")+`]}`)
	}
	return `{"kind":"bigquery#queryResponse","jobComplete":true,` + ref + `,"schema":{"fields":[` + strings.Join(schema, ",") + `]},"rows":[` + strings.Join(out, ",") + `]` + rest + `}`
}

func charge(kv ...string) map[string]string {
	row := map[string]string{
		"billing_account_id": "012345-6789AB-CDEF01", "invoice_month": "202610", "cost_type": "regular",
		"service_id": "6F81-5844-456A", "service_name": "Compute Engine", "sku_id": "9662-7089-1FC1", "sku_name": "N2 Instance Core running in Frankfurt",
		"usage_start": "1792134000000000", "usage_end": "1792137600000000",
		"project_id": "shop-prod", "project_number": "998877665544", "project_name": "Shop", "project_labels": `[{"key":"team","value":"shop"},{"key":"env","value":"prod"}]`,
		"labels": `[{"key":"team","value":"checkout"}]`, "system_labels": `[{"key":"compute.googleapis.com/cores","value":"4"}]`, "tags": `[]`,
		"location": "europe-west3", "region": "europe-west3", "zone": "europe-west3-a",
		"cost": "0.194176", "cost_at_list": "0.194176", "currency": "EUR", "currency_conversion_rate": "0.92",
		"usage_amount": "14400", "usage_unit": "seconds", "pricing_amount": "4", "pricing_unit": "hour", "credits": `[]`,
		"resource_name": "web-1", "resource_id": "//compute.googleapis.com/projects/998877665544/zones/europe-west3-a/instances/4477882211",
		"effective_price": "0.048544", "pricing_unit_quantity": "1", "tier_start_amount": "0",
	}
	for i := 0; i < len(kv); i += 2 {
		if kv[i+1] == "NULL" {
			delete(row, kv[i])
			continue
		}
		row[kv[i]] = kv[i+1]
	}
	return row
}

// october2026 is a small bill with everything that makes Google's bills difficult.
func october2026() []map[string]string {
	return []map[string]string{
		charge(),
		// a sustained use discount, and a promotion that pays for a part of the rest
		charge("usage_start", "1792137600000000", "usage_end", "1792141200000000", "credits",
			`[{"id":"sud","full_name":"Sustained use","type":"SUSTAINED_USAGE_DISCOUNT","amount":"-0.038835"},{"id":"Trial2026","full_name":"Free trial","type":"PROMOTION","amount":"-0.1"}]`),
		// covered by a commitment: the net is zero, as the fee stands in a row of its own
		charge("cost", "1.5", "cost_at_list", "1.75", "credits", `[{"id":"Committed Usage Discount: CPU","full_name":"","type":"COMMITTED_USAGE_DISCOUNT","amount":"-1.5"}]`, "subscription_id", "sub-42"),
		charge("sku_name", "Commitment v1: N2 Cpu in Frankfurt for 1 Year", "sku_id", "AAAA-BBBB-CCCC", "cost", "0.9125", "cost_at_list", "0.9125", "subscription_id", "sub-42",
			"resource_id", "NULL", "resource_name", "NULL"),
		// the fee of a commitment of money, of which 0.25 was not used: since 2025 the credit is on the fee
		charge("sku_name", "Compute Flexible CUDs - 1 Year", "sku_id", "DDDD-EEEE-FFFF", "cost", "1", "cost_at_list", "1", "subscription_id", "769c55ea", "resource_id", "NULL", "resource_name", "NULL",
			"credits", `[{"id":"cud-fee","full_name":"Compute Flexible CUDs","type":"FEE_UTILIZATION_OFFSET","amount":"-0.75"}]`),
		charge("sku_name", "Spot Preemptible N2 Instance Core running in Frankfurt", "cost", "0.05", "cost_at_list", "NULL"),
		// a late correction, negative, of usage in July
		charge("cost", "-12.345678901", "cost_at_list", "-12.345678901", "usage_start", "1784073600000000", "usage_end", "1784077200000000", "adjustment_id", "adj-1", "adjustment_type", "USAGE_CORRECTION"),
		// tax and rounding have no project and no resource
		charge("cost_type", "tax", "sku_name", "Tax", "cost", "3.21", "project_id", "NULL", "project_number", "NULL", "project_name", "NULL", "project_labels", "NULL", "labels", "[]",
			"system_labels", "NULL", "location", "NULL", "region", "NULL", "zone", "NULL", "resource_id", "NULL", "resource_name", "NULL", "effective_price", "NULL", "service_id", "NULL", "service_name", "Invoice",
			"usage_amount", "NULL", "usage_unit", "NULL", "pricing_amount", "NULL", "pricing_unit", "NULL", "tier_start_amount", "NULL", "cost_at_list", "NULL"),
		charge("cost_type", "rounding_error", "sku_name", "Rounding error", "cost", "0.004", "cost_at_list", "NULL", "resource_id", "NULL", "resource_name", "NULL"),
		// the last hour of October in California is in November in UTC, and in another currency
		charge("usage_start", "1793512800000000", "usage_end", "1793516400000000", "currency", "USD", "currency_conversion_rate", "1", "location", "us", "region", "NULL", "zone", "NULL",
			"service_id", "95FF-2EF5-5EA1", "service_name", "Cloud Storage", "resource_id", "//storage.googleapis.com/projects/_/buckets/shop-images", "resource_name", "shop-images",
			"tags", `[{"key":"cost-center","value":"7","inherited":true},{"key":"tier","value":"hot","inherited":false}]`),
	}
}

func collect(c *Collector, month time.Time) (rows []focus.Row, err error) {
	for row, err := range c.Costs(context.Background(), month) { //nolint:usetesting // some tests end their own context first
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func golden(t *testing.T, name string, rows []focus.Row) {
	t.Helper()
	var out bytes.Buffer
	w := focus.NewCSVWriter(&out)
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := file(t, name); out.String() != want {
		t.Errorf("%s: got\n%s\nwant\n%s", name, out.String(), want)
	}
}

func TestDetailedBillBecomesFOCUSToTheCent(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	all := october2026()
	g.on(jobs, reply(dryRun), reply(wire(detailed, `,"pageToken":"p2"`, all[:4]...)))
	g.on(results, reply(wire(detailed, `,"pageToken":"p3"`)), reply(wire(detailed, "", all[4:]...))) // an empty page in between
	m := meter("1")
	o := g.options()
	o.Meter = m
	rows, err := collect(g.collector(connection(), o), october)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "detailed.golden", rows)

	net, billed, effective := decimal.Zero, decimal.Zero, decimal.Zero
	for _, r := range all {
		net = net.Add(decimal.RequireFromString(r["cost"]))
		var credits []credit
		if err := json.Unmarshal([]byte(r["credits"]), &credits); err != nil {
			t.Fatal(err)
		}
		for _, c := range credits {
			net = net.Add(c.Amount)
		}
	}
	for _, r := range rows {
		billed, effective = billed.Add(r.BilledCost), effective.Add(r.EffectiveCost)
	}
	if !billed.Equal(net) || !effective.Equal(net) {
		t.Errorf("billed %s and effective %s, but the bill's cost and credits are %s", billed, effective, net)
	}
	if len(rows) != len(all)+1 {
		t.Errorf("%d rows of %d charges and one promotion", len(rows), len(all))
	}

	sent := g.of(jobs)
	var dry, paid bigquery.QueryRequest
	if json.Unmarshal(sent[0].body, &dry) != nil || json.Unmarshal(sent[1].body, &paid) != nil || len(sent) != 2 {
		t.Fatalf("%d queries", len(sent))
	}
	if !dry.DryRun || paid.DryRun || paid.MaximumBytesBilled != 734003200 || paid.RequestId == "" || dry.Query != paid.Query {
		t.Errorf("dry run %v %v, held to %d bytes, id %q", dry.DryRun, paid.DryRun, paid.MaximumBytesBilled, paid.RequestId)
	}
	if spent := m.Spent(); len(spent) != 1 || spent[0].Units != 734003200 || spent[0].Amount.StringFixed(6) != "0.004172" {
		t.Errorf("metered %+v; 700 MiB at 6.25 USD a TiB are 0.004172 USD", spent)
	}
	if pages := g.of(results); len(pages) != 2 || pages[0].query.Get("pageToken") != "p2" || pages[0].query.Get("location") != "EU" {
		t.Errorf("pages were asked for as %v", pages)
	}
	if got := sent[1].header.Get("Authorization"); got != "Bearer impersonated" {
		t.Errorf("queries carry %q", got)
	}
}

func TestStandardBillHasNoResources(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.on(jobs, reply(dryRun), reply(wire(standard, "", october2026()[:3]...)))
	rows, err := collect(g.collector(connection("billing_table", "billing-prod.billing.gcp_billing_export_v1_012345_6789AB_CDEF01"), g.options()), october)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "standard.golden", rows)
}

func TestGooglesOwnFOCUSIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	row := map[string]string{
		"BillingPeriodStart": "1790838000000000", "ChargePeriodStart": "1792134000000000", "ChargePeriodEnd": "1792137600000000",
		"BilledCost": "0.1", "EffectiveCost": "0.08", "ListCost": "0.12", "ContractedCost": "0.1", "BillingCurrency": "USD", "BillingAccountId": "012345-6789AB-CDEF01",
		"SubAccountId": "shop-prod", "ProviderName": "Google Cloud", "PublisherName": "Google Cloud", "InvoiceIssuerName": "Google Cloud", "ServiceName": "Compute Engine", "ServiceCategory": "Compute",
		"ChargeCategory": "Usage", "PricingQuantity": "4", "PricingUnit": "hour", "Tags": `[{"key":"team","value":"checkout","x_type":"label"}]`,
	}
	g.on(jobs, reply(dryRun), reply(wire(asFOCUS, "", row)))
	rows, err := collect(g.collector(connection("billing_table", "billing-prod.gcp_billing_immutable_eu.gcp_billing_export_focus_012345"), g.options()), october)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "focus.golden", rows)
}

func TestQueriesPruneAndNeverRepeatCosts(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{standard, detailed, asFOCUS} {
		q := billQuery(table{"p-123456", "d", "t"}, k, october, nil, nil)
		code := regexp.MustCompile(`(?m)--.*$`).ReplaceAllString(q.Query, "")
		for _, banned := range []string{"*", "JOIN", "{{", "FLOAT"} {
			if strings.Contains(strings.ToUpper(code), banned) {
				t.Errorf("%s: the query has %q", k, banned)
			}
		}
		if strings.Count(code, "FROM `p-123456.d.t`") != 1 || *q.UseLegacySql {
			t.Errorf("%s: the query reads %s", k, code)
		}
		given := map[string]string{}
		for _, p := range q.QueryParameters {
			given[p.Name] = p.ParameterValue.Value
			if !strings.Contains(code, "@"+p.Name) {
				t.Errorf("%s: the query does not use @%s", k, p.Name)
			}
		}
		for _, m := range regexp.MustCompile(`@(\w+)`).FindAllStringSubmatch(code, -1) {
			if given[m[1]] == "" {
				t.Errorf("%s: nothing is given for @%s", k, m[1])
			}
		}
		if k == asFOCUS {
			continue
		}
		// California's October begins at 07:00 UTC and ends at 07:00 UTC; partitions reach further on both sides.
		if given["partitions_from"] > "2026-10-01 07:00:00" || given["partitions_to"] < "2026-12-05" || given["invoice_month"] != "202610" {
			t.Errorf("%s: %v", k, given)
		}
		for _, where := range []string{"invoice.month = @invoice_month", "_PARTITIONTIME >= @partitions_from", "_PARTITIONTIME < @partitions_to"} {
			if !strings.Contains(code, where) {
				t.Errorf("%s: the query lacks %q", k, where)
			}
		}
		for _, column := range []string{"cost", "c.amount", "cost_at_list"} {
			if !strings.Contains(code, "CAST("+column+" AS NUMERIC)") {
				t.Errorf("%s: %s is not read exactly", k, column)
			}
		}
	}
}
