package gcp

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// on is how Check names rights on a project.
func on(project string, rights []string) (out []string) {
	for _, r := range rights {
		out = append(out, r+" on project "+project)
	}
	return out
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	all := func(names string) http.HandlerFunc { return reply(`{"permissions":[` + names + `]}`) }
	table, job := `"bigquery.tables.get","bigquery.tables.getData"`, `"bigquery.jobs.create"`
	inventory := `"` + strings.Join(inventoryRights, `","`) + `"`
	const where = " on table billing-prod.billing.gcp_billing_export_resource_v1_012345_6789AB_CDEF01"
	tests := map[string]struct {
		table, jobs, shop, query http.HandlerFunc // nil of a query: it is not asked
		missing                  []string
		want                     fault.Code
	}{
		"nothing":           {all(table), all(job), all(inventory), reply(dryRun), nil, ""},
		"to prices":         {all(table), all(job), all(inventory), reply(dryRun), []string{"cloudbilling.googleapis.com switched on for the service account's project"}, ""},
		"to read data":      {all(`"bigquery.tables.get"`), all(job), all(inventory), nil, []string{"bigquery.tables.getData" + where}, ""},
		"to see a table":    {problem(403, "accessDenied"), all(job), all(inventory), nil, []string{"bigquery.tables.get" + where, "bigquery.tables.getData" + where}, ""},
		"to run queries":    {all(table), reply(`{}`), all(inventory), nil, []string{"bigquery.jobs.create on project billing-prod"}, ""},
		"no such table":     {problem(404, "notFound"), all(job), all(inventory), nil, nil, fault.NotFound},
		"switched off":      {all(table), all(job), problem(403, "accessNotConfigured"), reply(dryRun), nil, fault.Forbidden},
		"a changed table":   {all(table), all(job), all(inventory), problem(400, "invalidQuery"), nil, fault.Unprocessable},
		"an unseen project": {all(table), all(job), problem(403, "forbidden"), reply(dryRun), on("shop-prod", inventoryRights), ""},
		"to advice": {all(table), all(job), all(strings.ReplaceAll(inventory, `,"recommender.usageCommitmentRecommendations.list"`, "")), reply(dryRun),
			[]string{"recommender.usageCommitmentRecommendations.list on project shop-prod"}, ""},
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
