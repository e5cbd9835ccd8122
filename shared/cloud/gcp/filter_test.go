package gcp

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/bigquery/v2"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func TestOnlyWhatIsWantedIsInTheInventory(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		setting, value string
		want           func(resource.Resource) bool
	}{
		"a region":    {"regions", "europe-west3", func(r resource.Resource) bool { return r.Region == "europe-west3" }},
		"two regions": {"regions", "us-central1, eu", func(r resource.Resource) bool { return r.Region == "us-central1" || r.Region == "eu" }},
		"a label":     {"labels", "team=search", func(r resource.Resource) bool { return r.Tags["team"] == "search" }},
		"a key":       {"labels", "team", func(r resource.Resource) bool { return r.Tags["team"] != "" }},
		"labels":      {"labels", "team=search, team=orders", func(r resource.Resource) bool { return r.Tags["team"] == "search" || r.Tags["team"] == "orders" }},
		"a service":   {"services", "Cloud SQL, Cloud Storage", func(r resource.Resource) bool { return r.Type == resource.Database || r.Type == resource.Bucket }},
		"no service":  {"services", "BigQuery", func(resource.Resource) bool { return false }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGoogle(t)
			g.estate(t, "shop-prod")
			all, err := g.collector(connection(), g.options()).Resources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got, err := g.collector(connection(tt.setting, tt.value), g.options()).Resources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(all.Resources, func(r resource.Resource) bool { return !tt.want(r) })
			ids := func(list []resource.Resource) (out []string) {
				for _, r := range list {
					out = append(out, r.ID)
				}
				return out
			}
			if !slices.Equal(ids(got.Resources), ids(want)) || len(want) == 0 && name != "no service" {
				t.Errorf("got %v, want %v", ids(got.Resources), ids(want))
			}
			if tt.setting == "regions" && slices.ContainsFunc(got.Parts, func(p ingest.Part) bool { return !strings.Contains(tt.value, p.Region) }) {
				t.Errorf("something is said about places that were not looked at: %+v", got.Parts)
			}
		})
	}
}

func TestTheBillIsNarrowedByBigQuery(t *testing.T) {
	t.Parallel()
	for table, columns := range map[string][2]string{
		"gcp_billing_export_v1_1": {"service.description", "project.id"}, "gcp_billing_export_resource_v1_1": {"service.description", "project.id"}, "gcp_billing_export_focus_1": {"ServiceName", "SubAccountId"},
	} {
		g := newGoogle(t)
		g.on(jobs, problem(403, "accessDenied"))
		c := g.collector(connection("billing_table", "billing-prod.billing."+table, "services", "Cloud SQL, Compute Engine", "bill_projects", "shop-test,shop-prod"), g.options())
		if _, err := collect(c, october); fault.CodeOf(err) != fault.Forbidden {
			t.Fatal(err)
		}
		var q bigquery.QueryRequest
		if err := json.Unmarshal(g.of(jobs)[0].body, &q); err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"services", "projects"} {
			if !strings.Contains(q.Query, "\n  AND "+columns[i]+" IN UNNEST(@"+name+")") {
				t.Errorf("%s: the query does not narrow by %s:\n%s", table, name, q.Query)
			}
		}
		var values []string
		for _, p := range q.QueryParameters {
			if p.ParameterType.Type == "ARRAY" && p.ParameterType.ArrayType.Type == "STRING" {
				for _, v := range p.ParameterValue.ArrayValues {
					values = append(values, v.Value)
				}
			}
		}
		if !slices.Equal(values, []string{"Cloud SQL", "Compute Engine", "shop-prod", "shop-test"}) {
			t.Errorf("%s: asked for %v", table, values)
		}
	}
}

func TestFiltersThatCannotBeUsedAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"projects", "bill_projects"} {
		g := newGoogle(t)
		_, err := New(t.Context(), connection(name, "Shop!"), g.options())
		if public := fault.Public(err); public.Code != fault.Invalid || public.Fields[0].Name != "settings."+name {
			t.Errorf("%s: %v", name, err)
		}
	}
	usable := map[string]string{"billing_table": "my-project.billing.gcp_billing_export_v1_1", "labels": "team=search, env", "regions": "eu, europe-west3", "services": "Cloud SQL", "commitment_use": "off"}
	if err := ingest.CheckSettings(resource.GCP, usable); err != nil {
		t.Errorf("what can be used is refused: %v", err)
	}
	usable["labels"] = "team,,=x"
	if err := ingest.CheckSettings(resource.GCP, usable); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("broken labels: %v", err)
	}
}
