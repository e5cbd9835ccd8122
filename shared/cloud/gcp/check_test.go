package gcp

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
)

func TestCheckNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	all := func(names string) http.HandlerFunc { return reply(`{"permissions":[` + names + `]}`) }
	table, job := `"bigquery.tables.get","bigquery.tables.getData"`, `"bigquery.jobs.create"`
	inventory := `"cloudsql.instances.list","compute.addresses.list","compute.disks.list","compute.instances.list","compute.machineTypes.list","compute.regions.get","compute.snapshots.list","monitoring.timeSeries.list"`
	const where = " on table billing-prod.billing.gcp_billing_export_resource_v1_012345_6789AB_CDEF01"
	tests := map[string]struct {
		table, jobs, shop, query http.HandlerFunc // nil of a query: it is not asked
		missing                  []string
		want                     fault.Code
	}{
		"nothing":         {all(table), all(job), all(inventory), reply(dryRun), nil, ""},
		"to prices":       {all(table), all(job), all(inventory), reply(dryRun), []string{"cloudbilling.googleapis.com switched on for the service account's project"}, ""},
		"to read data":    {all(`"bigquery.tables.get"`), all(job), all(inventory), nil, []string{"bigquery.tables.getData" + where}, ""},
		"to see a table":  {problem(403, "accessDenied"), all(job), all(inventory), nil, []string{"bigquery.tables.get" + where, "bigquery.tables.getData" + where}, ""},
		"to run queries":  {all(table), reply(`{}`), all(inventory), nil, []string{"bigquery.jobs.create on project billing-prod"}, ""},
		"no such table":   {problem(404, "notFound"), all(job), all(inventory), nil, nil, fault.NotFound},
		"switched off":    {all(table), all(job), problem(403, "accessNotConfigured"), reply(dryRun), nil, fault.Forbidden},
		"a changed table": {all(table), all(job), all(inventory), problem(400, "invalidQuery"), nil, fault.Unprocessable},
		"an unseen project": {all(table), all(job), problem(403, "forbidden"), reply(dryRun), []string{
			"cloudsql.instances.list on project shop-prod", "compute.addresses.list on project shop-prod", "compute.disks.list on project shop-prod",
			"compute.instances.list on project shop-prod", "compute.machineTypes.list on project shop-prod", "compute.regions.get on project shop-prod",
			"compute.snapshots.list on project shop-prod", "monitoring.timeSeries.list on project shop-prod",
		}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGoogle(t)
			g.on(tablePath, tt.table)
			g.on(billing, tt.jobs)
			g.on(shop, tt.shop)
			g.on(skus, reply(`{"skus":[{"skuId":"X"}]}`))
			if name == "to prices" {
				g.on(skus, problem(403, "accessNotConfigured"))
			}
			if tt.query != nil {
				g.on(jobs, tt.query)
			}
			missing, err := g.collector(connection(), g.options()).Check(t.Context())
			if !slices.Equal(missing, tt.missing) || err == nil && tt.want != "" || err != nil && fault.CodeOf(err) != tt.want {
				t.Errorf("missing %v, %v; want %v %s", missing, err, tt.missing, tt.want)
			}
			for _, q := range g.of(jobs) {
				if !bytes.Contains(q.body, []byte(`"dryRun":true`)) {
					t.Error("checking ran a query that costs")
				}
			}
		})
	}
}
