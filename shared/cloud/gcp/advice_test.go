package gcp

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func recommend(place, id string) string {
	return "GET recommender.googleapis.com /v1/projects/shop-prod/locations/" + place + "/recommenders/" + id + "/recommendations"
}

// advises gives every recommender something to say about every place of the estate: nothing, but for those in the files.
func (g *google) advises(t testing.TB) {
	t.Helper()
	for _, place := range []string{"europe-west3-a", "us-central1-a", "europe-west3", "us-central1", global} {
		for _, a := range advisers {
			g.on(recommend(place, a.id), reply(`{}`))
		}
	}
	g.on(recommend("europe-west3-a", "google.compute.instance.MachineTypeRecommender"),
		paged(reply(file(t, "advice-sizes.json")), reply(`{"recommendations":[]}`)))
	g.on(recommend("europe-west3-a", "google.compute.disk.IdleResourceRecommender"), reply(file(t, "advice-disks.json")))
	g.on(recommend("europe-west3", "google.cloudsql.instance.OverprovisionedRecommender"), reply(file(t, "advice-databases.json")))
	g.on(recommend("us-central1", "google.compute.commitment.UsageCommitmentRecommender"), reply(file(t, "advice-commitments.json")))
}

func TestAdviceIsGooglesWithTheMoneyTurnedRound(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.estate(t, "shop-prod")
	g.advises(t)
	got, err := g.collector(connection(), g.options()).Advice(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type brief struct {
		id, kind, current, advised, saving, currency string
		typ                                          resource.Type
	}
	zone := computeNames + "shop-prod/zones/europe-west3-a/"
	want := map[string]brief{
		// 24.333... in 30 days of 24 hours are 730 hours' worth of it; in the currency of the bill.
		"vm":   {zone + "instances/4477882211", "CHANGE_MACHINE_TYPE", "n2-standard-4", "custom-2-5120", "24.6713", "EUR", resource.Instance},
		"disk": {zone + "disks/7002", "SNAPSHOT_AND_DELETE_DISK", "", "", "20.28", "USD", resource.Volume},
		"gone": {zone + "disks/deleted-since", "DELETE_DISK", "", "", "", "", ""},
		"sql":  {"//cloudsql.googleapis.com/projects/shop-prod/instances/orders", "CHANGE_INSTANCE_TIER", "db-custom-4-15360", "db-custom-2-7680", "-1.0139", "USD", resource.Database},
		"cud":  {"", "CREATE_COMMITMENT", "", "", "100", "USD", ""},
	}
	for _, a := range got.Given {
		saving := ""
		if a.Saving != nil {
			saving = a.Saving.String()
		}
		name := a.Advice[strings.LastIndexByte(a.Advice, '/')+1:]
		if b := (brief{a.ID, a.Kind, a.Current, a.Advised, saving, string(a.Currency), a.Type}); want[name] != b {
			t.Errorf("%s is\n%+v, want\n%+v", name, b, want[name])
		}
		if a.Source != "Recommender" || a.Account != "shop-prod" || a.Region == "" || a.Text == "" || a.At.IsZero() {
			t.Errorf("%s lacks something: %+v", name, a)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("missing %v of %+v", want, got.Given)
	}
	asked := g.of(recommend("europe-west3-a", "google.compute.instance.MachineTypeRecommender"))
	if len(asked) != 2 || asked[0].query.Get("filter") != "stateInfo.state = ACTIVE" || asked[1].query.Get("pageToken") != "next" {
		t.Errorf("asked for %v", asked)
	}
}

func TestAdviceThatMayNotBeReadIsTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   ingest.Status
	}{
		"switched off": {problem(403, "accessNotConfigured"), ingest.Disabled}, "denied": {problem(403, "forbidden"), ingest.Denied}, "down": {problem(503, "backendError"), ingest.Failed},
	} {
		g := newGoogle(t)
		g.estate(t, "shop-prod")
		g.advises(t)
		g.on(recommend("europe-west3", "google.cloudsql.instance.OverprovisionedRecommender"), tt.answer)
		got, err := g.collector(connection(), g.options()).Advice(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		parts := ingest.Inventory{Parts: got.Parts}
		if here, there := statusOf(parts, "shop-prod", "europe-west3", "recommender"), statusOf(parts, "shop-prod", "us-central1", "recommender"); here != tt.want || there != ingest.OK {
			t.Errorf("%s: %s, and %s elsewhere", name, here, there)
		}
	}
	g := newGoogle(t)
	g.estate(t, "shop-prod")
	g.advises(t)
	g.on(engineHost+"shop-prod/aggregated/instances", problem(403, "forbidden"))
	got, err := g.collector(connection(), g.options()).Advice(t.Context())
	if err != nil || statusOf(ingest.Inventory{Parts: got.Parts}, "shop-prod", global, "recommender") != ingest.Denied {
		t.Errorf("without the list of machines: %+v, %v", got.Parts, err)
	}
	g.on(engineHost+"shop-prod/aggregated/disks", problem(401, "authError"))
	if _, err := g.collector(connection(), g.options()).Advice(t.Context()); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("a revoked identity: %v", err)
	}
}
