package gcp

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	engineHost = "GET compute.googleapis.com /compute/v1/projects/"
	sqlHost    = "GET sqladmin.googleapis.com /v1/projects/"
	bucketList = "GET storage.googleapis.com /storage/v1/b"
)

// estate gives a project the resources of the tests.
func (g *google) estate(t testing.TB, project string) {
	t.Helper()
	text := func(name string) http.HandlerFunc {
		return reply(strings.ReplaceAll(file(t, name), "PROJECT", project))
	}
	g.on(engineHost+project+"/aggregated/instances", paged(text("instances-1.json"), text("instances-2.json")))
	g.on(engineHost+project+"/aggregated/machineTypes", text("machine-types.json"))
	g.on(engineHost+project+"/aggregated/disks", text("disks.json"))
	g.on(engineHost+project+"/aggregated/addresses", text("addresses.json"))
	g.on(engineHost+project+"/global/snapshots", text("snapshots.json"))
	g.on(sqlHost+project+"/instances", text("databases.json"))
	g.on(bucketList, func(w http.ResponseWriter, r *http.Request) {
		reply(strings.ReplaceAll(file(t, "buckets.json"), "PROJECT", r.URL.Query().Get("project")))(w, r)
	})
	g.on("GET monitoring.googleapis.com /v3/projects/"+project+"/timeSeries", text("bucket-bytes.json"))
}

func TestInventoryIsWhatTheProjectHas(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.estate(t, "shop-prod")
	inv, err := g.collector(connection(), g.options()).Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(inv.Resources, func(a, b resource.Resource) int { return strings.Compare(a.ID, b.ID) })
	got, err := json.MarshalIndent(inv, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/inventory.golden", append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := file(t, "inventory.golden"); string(got)+"\n" != want {
		t.Errorf("got %s", got)
	}
	asked := g.of(engineHost + "shop-prod/aggregated/machineTypes")
	if len(asked) != 1 || asked[0].query.Get("filter") != "(name = n2-standard-4) OR (name = e2-medium)" && asked[0].query.Get("filter") != "(name = e2-medium) OR (name = n2-standard-4)" {
		t.Errorf("sizes were asked for with %v", asked)
	}
	if pages := g.of(engineHost + "shop-prod/aggregated/instances"); len(pages) != 2 || pages[1].query.Get("pageToken") != "next" {
		t.Errorf("instances were read as %v", pages)
	}
}

func statusOf(inv ingest.Inventory, account, region, service string) ingest.Status {
	for _, p := range inv.Parts {
		if p.Account == account && p.Region == region && p.Service == service {
			return p.Status
		}
	}
	return "absent"
}

// A zone that did not answer may hold anything, so its whole region counts as unread.
func TestAZoneThatIsUnreachableIsNotEmpty(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.estate(t, "shop-prod")
	g.on(engineHost+"shop-prod/aggregated/disks", reply(`{"items":{
		"zones/europe-west3-a":{"warning":{"code":"NO_RESULTS_ON_PAGE","message":"none"}},
		"zones/europe-west3-b":{"warning":{"code":"UNREACHABLE","message":"Zone europe-west3-b did not answer."}},
		"zones/us-central1-a":{"warning":{"code":"NO_RESULTS_ON_PAGE"}}},"unreachables":["zones/asia-east1-a"]}`))
	g.on(sqlHost+"shop-prod/instances", reply(`{"warnings":[{"code":"REGION_UNREACHABLE","region":"us-central1","message":"us-central1 did not answer."}]}`))
	inv, err := g.collector(connection(), g.options()).Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		region, service string
		want            ingest.Status
	}{
		{"europe-west3", "compute.disks", ingest.Failed}, {"us-central1", "compute.disks", ingest.OK}, {"asia-east1", "compute.disks", ingest.Failed},
		{"europe-west3", "compute.instances", ingest.OK}, {"us-central1", "cloudsql.instances", ingest.Failed},
	} {
		if got := statusOf(inv, "shop-prod", tt.region, tt.service); got != tt.want {
			t.Errorf("%s of %s: %s, want %s", tt.service, tt.region, got, tt.want)
		}
	}
}

func TestAListThatIsRefusedLeavesNoRegionRead(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer http.HandlerFunc
		want   ingest.Status
	}{
		"denied":       {problem(403, "forbidden"), ingest.Denied},
		"switched off": {problem(403, "accessNotConfigured"), ingest.Disabled},
		"busy for now": {problem(429, "rateLimitExceeded"), ingest.Failed},
		"down":         {problem(503, "backendError"), ingest.Failed},
		"half a page":  {half(`{"items":{"zones/eur`), ingest.Failed},
		"gone":         {problem(404, "notFound"), ingest.Failed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGoogle(t)
			g.estate(t, "shop-prod")
			g.estate(t, "shop-test")
			g.on(engineHost+"shop-test/aggregated/disks", tt.answer)
			inv, err := g.collector(connection("projects", "shop-test, shop-prod"), g.options()).Resources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, region := range []string{"europe-west3", "us-central1", global} {
				if got := statusOf(inv, "shop-test", region, "compute.disks"); got != tt.want {
					t.Errorf("disks of shop-test in %s: %s, want %s", region, got, tt.want)
				}
			}
			if got := statusOf(inv, "shop-prod", "europe-west3", "compute.disks"); got != ingest.OK {
				t.Errorf("disks of shop-prod: %s", got)
			}
			for _, r := range inv.Resources {
				if r.Account == "shop-test" && r.Type == resource.Volume {
					t.Errorf("%s came from a list that was refused", r.ID)
				}
			}
			for _, p := range inv.Parts {
				if p.Status != ingest.OK && (p.Reason == "" || strings.Contains(p.Reason, "it is so")) {
					t.Errorf("%s of %s gives the reason %q", p.Service, p.Region, p.Reason)
				}
			}
		})
	}
}

func TestARevokedIdentityEndsTheInventory(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.estate(t, "shop-prod")
	g.on(engineHost+"shop-prod/aggregated/disks", problem(401, "authError"))
	if _, err := g.collector(connection(), g.options()).Resources(t.Context()); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("got %v", err)
	}
}

func TestRegionsOfScopes(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string]string{
		"zones/us-central1-a": "us-central1", "regions/europe-west3": "europe-west3", "global": global, "https://www.googleapis.com/compute/v1/projects/p/zones/northamerica-northeast1-c": "northamerica-northeast1",
		"": global, "us": "us",
	} {
		if got := regionOf(scope); got != want {
			t.Errorf("%q lies in %q, want %q", scope, got, want)
		}
	}
}

func TestCustomSizesSayWhatTheyHold(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]size{"n2-custom-4-8192": {4, 8192}, "custom-2-4096-ext": {2, 4096}, "e2-custom-medium-4096": {}, "n2-standard-4": {}} {
		if got, ok := ofCustom(name); got != want || ok != (want != size{}) {
			t.Errorf("%s holds %+v", name, got)
		}
	}
}
