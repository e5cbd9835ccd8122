package gcp

import (
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const skus = "GET cloudbilling.googleapis.com /v1/services/6F81-5844-456A/skus"

func (g *google) priceList(t *testing.T) {
	t.Helper()
	g.on(skus, paged(reply(file(t, "skus-1.json")), reply(file(t, "skus-2.json"))))
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
		prices[p.Region+" "+string(p.Type)+" "+p.Size] = p
	}
	want := map[string]string{
		// 4 x 0.040725 + 16 x 0.005458
		"europe-west3 instance n2-standard-4": "0.250228",
		"europe-west3 instance n2-highmem-4":  "0.337556",
		"europe-west3 volume pd-ssd":          "0.204",
		"europe-west3 snapshot standard":      "0.026",
		"eu snapshot standard":                "0.03",
	}
	for name, amount := range want {
		p, ok := prices[name]
		if !ok || p.Amount.String() != amount || p.Currency != "USD" {
			t.Errorf("%s: %+v, want %s USD", name, p, amount)
		}
		delete(prices, name)
	}
	// No price: a family with two prices for a core, one without its memory, shared cores, GPUs, local disks, Spot.
	for name, p := range prices {
		t.Errorf("%s has the price %s, which cannot be derived", name, p.Amount)
	}
	if pages := g.of(skus); len(pages) != 2 || pages[1].query.Get("pageToken") != "more" {
		t.Errorf("the catalogue was read as %v", pages)
	}
}

func TestWithoutTheCatalogueThereAreNoPrices(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.on(skus, problem(403, "accessNotConfigured"))
	if got, err := g.collector(connection(), g.options()).Prices(t.Context(), []string{"europe-west3"}); err != nil || len(got) != 0 {
		t.Errorf("got %v %v", got, err)
	}
	g.on(skus, problem(500, "backendError"))
	if _, err := g.collector(connection(), g.options()).Prices(t.Context(), []string{"europe-west3"}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}
