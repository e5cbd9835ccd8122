package gcp

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const skus = "GET cloudbilling.googleapis.com /v1/services/6F81-5844-456A/skus"

func (g *google) priceList(t testing.TB) {
	t.Helper()
	g.on(skus, paged(reply(file(t, "skus-1.json")), reply(file(t, "skus-2.json"))))
	g.on("GET cloudbilling.googleapis.com /v1/services/9662-B51E-5089/skus", reply(file(t, "skus-sql.json")))
	g.on(sqlHost+"shop-prod/instances", reply(strings.ReplaceAll(file(t, "databases.json"), "PROJECT", "shop-prod")))
	g.on(engineHost+"shop-prod/regions/europe-west3", reply(`{"name":"europe-west3","zones":["https://www.googleapis.com/compute/v1/projects/shop-prod/zones/europe-west3-a"]}`))
	g.on(engineHost+"shop-prod/zones/europe-west3-a/machineTypes", reply(file(t, "zone-types.json")))
}

func TestAMachineCostsItsCoresAndItsMemory(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.priceList(t)
	got, err := g.collector(connection(), g.options()).Prices(t.Context(), []string{"europe-west3", "eu"})
	if err != nil {
		t.Fatal(err)
	}
	prices := map[string]resource.Price{}
	for _, p := range got {
		name := strings.TrimSpace(p.Region + " " + string(p.Type) + " " + p.Size + " " + p.Variant)
		if _, twice := prices[name]; twice {
			t.Errorf("%s has two prices", name)
		}
		prices[name] = p
	}
	want := map[string]string{
		// 4 x 0.040725 + 16 x 0.005458
		"europe-west3 instance n2-standard-4": "0.250228",
		"europe-west3 instance n2-highmem-4":  "0.337556",
		// 4 x 0.009 + 16 x 0.001
		"europe-west3 instance n2-standard-4 spot": "0.052",
		"europe-west3 instance n2-highmem-4 spot":  "0.068",
		// and 4 x 0.046
		"europe-west3 instance n2-standard-4 windows": "0.434228",
		"europe-west3 instance n2-highmem-4 windows":  "0.521556",
		"europe-west3 address available":              "0.013",
		"europe-west3 address in-use":                 "0.005",
		"europe-west3 database pd_ssd postgres":       "0.204",
		"europe-west3 database pd_hdd mysql":          "0.108",
		"europe-west3 volume pd-ssd":                  "0.204",
		"europe-west3 volume regional-pd-ssd":         "0.408", // in two zones
		"europe-west3 snapshot standard":              "0.026",
		"eu snapshot standard":                        "0.03",
	}
	// Databases of 1 to 96 cores with 3.75 GiB each: 0.0496 + 3.75 x 0.0084 a core.
	maps.Copy(want, map[string]string{
		"europe-west3 database db-custom-1-3840 postgres": "0.0811", "europe-west3 database db-custom-2-7680 postgres": "0.1622", "europe-west3 database db-custom-4-15360 postgres": "0.3244",
		"europe-west3 database db-custom-8-30720 postgres": "0.6488", "europe-west3 database db-custom-16-61440 postgres": "1.2976", "europe-west3 database db-custom-32-122880 postgres": "2.5952",
		"europe-west3 database db-custom-64-245760 postgres": "5.1904", "europe-west3 database db-custom-96-368640 postgres": "7.7856",
		"europe-west3 database db-custom-2-13312 postgres": "0.2084", // that a database has
	})
	for name, amount := range want {
		p, ok := prices[name]
		if !ok || p.Amount.String() != amount || p.Currency != "USD" {
			t.Errorf("%s: %+v, want %s USD", name, p, amount)
		}
		delete(prices, name)
	}
	// No price: a family with two prices for a core, one without its memory, shared cores, GPUs, local disks; two zones, engines with
	// a licence.
	for name, p := range prices {
		t.Errorf("%s has the price %s, which cannot be derived", name, p.Amount)
	}
	if pages := g.of(skus); len(pages) != 2 || pages[1].query.Get("pageToken") != "more" {
		t.Errorf("the catalogue was read as %v", pages)
	}
}

// A price list that was not read is none that is empty.
func TestWithoutTheCatalogueThereAreNoPrices(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]fault.Code{"accessNotConfigured": fault.Forbidden, "backendError": fault.Unavailable} {
		g := newGoogle(t)
		g.on(skus, problem(map[fault.Code]int{fault.Forbidden: 403, fault.Unavailable: 500}[want], reason))
		if got, err := g.collector(connection(), g.options()).Prices(t.Context(), []string{"europe-west3"}); err == nil || fault.CodeOf(err) != want || len(got) != 0 {
			t.Errorf("got %v %v", got, err)
		}
	}
}

// The first project by name often is one without machines, in which the API is off, or one that was deleted since.
func TestAProjectThatCannotBeAskedTakesNoPricesAway(t *testing.T) {
	t.Parallel()
	for code, reason := range map[int]string{403: "accessNotConfigured", 404: "notFound"} {
		g := newGoogle(t)
		g.priceList(t)
		g.on(engineHost+"archive/regions/europe-west3", problem(code, reason))
		g.on(sqlHost+"archive/instances", problem(code, reason))
		got, err := g.collector(connection("projects", "archive, shop-prod"), g.options()).Prices(t.Context(), []string{"europe-west3"})
		if err != nil || !slices.ContainsFunc(got, func(p resource.Price) bool { return p.Size == "n2-standard-4" }) {
			t.Errorf("%s: %d prices, %v", reason, len(got), err)
		}
	}
}
