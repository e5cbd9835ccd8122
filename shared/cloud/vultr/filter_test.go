package vultr_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func TestOnlyWhatIsWantedIsInTheInventory(t *testing.T) {
	t.Parallel()
	all, err := newWorld(t).open(nil).Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		settings map[string]string
		parts    int
		want     func(resource.Resource) bool
	}{
		"a region":           {map[string]string{"regions": "fra"}, 7, func(r resource.Resource) bool { return r.Region == "fra" || r.Region == "global" }},
		"a tag":              {map[string]string{"tags": "team=shop"}, 7, func(r resource.Resource) bool { return r.Tags["team"] == "shop" }},
		"one of two tags":    {map[string]string{"tags": "team = other, prod"}, 7, func(r resource.Resource) bool { _, has := r.Tags["prod"]; return has }},
		"two kinds":          {map[string]string{"services": "load-balancers, databases"}, 2, func(r resource.Resource) bool { return r.Type == resource.LoadBalancer || r.Type == resource.Database }},
		"a kind in a region": {map[string]string{"services": "instances", "regions": "ewr"}, 1, func(r resource.Resource) bool { return r.Type == resource.Instance && r.Region == "ewr" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newWorld(t).open(tt.settings).Resources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var want, ids []string
			for _, r := range all.Resources {
				if tt.want(r) {
					want = append(want, r.ID)
				}
			}
			for _, r := range got.Resources {
				ids = append(ids, r.ID)
			}
			if !slices.Equal(ids, want) || len(want) == 0 || len(got.Parts) != tt.parts {
				t.Errorf("got %v of %d parts, want %v of %d", ids, len(got.Parts), want, tt.parts)
			}
		})
	}
}

// The bill is allocated to what exists, whatever the inventory is narrowed down to.
func TestFiltersLeaveTheBillWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	whole, narrowed := rows(t, w.open(nil), august), rows(t, w.open(map[string]string{"services": "blocks", "regions": "fra", "tags": "x"}), august)
	if len(whole) != len(narrowed) || !billed(whole).Equal(billed(narrowed)) {
		t.Errorf("%d rows of %s, narrowed %d of %s", len(whole), billed(whole), len(narrowed), billed(narrowed))
	}
	for i := range whole {
		if whole[i].ResourceID != narrowed[i].ResourceID {
			t.Errorf("%q belongs to %q, narrowed to %q", whole[i].ChargeDescription, whole[i].ResourceID, narrowed[i].ResourceID)
		}
	}
}

func TestBalancersAndDatabasesAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	inv, err := w.open(nil).Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[resource.Type]resource.Resource{}
	for _, r := range inv.Resources {
		found[r.Type] = r
	}
	b, d := found[resource.LoadBalancer], found[resource.Database]
	if b.Name != "shop" || b.Attributes[resource.AttrTargets] != "1" || b.Attributes[resource.AttrState] != "active" || b.CreatedAt.IsZero() {
		t.Errorf("balancer %+v", b)
	}
	if d.Name != "orders" || d.Attributes[resource.AttrSize] != "vultr-dbaas-hobbyist-cc-1-25-1" || d.Attributes[resource.AttrMemoryGiB] != "1" || d.Attributes[resource.AttrGiB] != "25" ||
		d.Attributes[resource.AttrState] != "running" || d.Tags["team"] != "shop" {
		t.Errorf("database %+v", d)
	}
	w.set(func() { w.denied["/v2/databases"], w.denied["/v2/databases/plans"] = true, true })
	inv, err = w.open(nil).Resources(t.Context())
	if err != nil || inv.Parts[len(inv.Parts)-1] != (ingest.Part{Region: "global", Service: "databases", Status: ingest.Denied, Reason: inv.Parts[len(inv.Parts)-1].Reason}) {
		t.Errorf("without the right to databases: %+v, %v", inv.Parts, err)
	}
	if prices, err := w.open(nil).Prices(t.Context(), []string{"ewr"}); err != nil || len(prices) == 0 {
		t.Errorf("without the right to databases, nothing has a price: %v", err)
	}
	w.set(func() { w.denied["/v2/databases/plans"], w.denied["/v2/plans"] = false, true })
	if _, err := w.open(nil).Prices(t.Context(), []string{"ewr"}); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("without the right to plans: %v", err)
	}
}

func hourly(description, product string) any {
	return map[string]any{
		"description": description, "product": product, "start_date": "2026-09-10T00:00:00+00:00", "end_date": "2026-09-11T00:00:00+00:00",
		"units": json.Number("24"), "unit_type": "hours", "unit_price": json.Number("0.01"), "total": json.Number("0.24"),
	}
}

func TestDatabasesFindTheirItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func() {
		w.lists["/v2/billing/pending-charges"] = []any{hourly("Managed Database [orders]", "Managed Database"), hourly("Load Balancer (orders)", "Load Balancer")}
	})
	for _, row := range rows(t, w.open(nil), september) {
		want := map[string]string{"Managed Database [orders]": "d6ac2a3c-92ea-43ef-8185-71a23e58ad8c"}[row.ChargeDescription]
		if row.ResourceID != want {
			t.Errorf("%q belongs to %q, want %q", row.ChargeDescription, row.ResourceID, want)
		}
	}
}
