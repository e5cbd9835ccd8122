package gcp

import (
	"net/http"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// stuck is a page of a list that names itself as the next one. After some requests it stops, so that a reader that follows it
// comes to an end too.
func stuck(items string) http.HandlerFunc {
	times := 0
	return func(w http.ResponseWriter, r *http.Request) {
		next := `,"nextPageToken":"again"`
		if times++; times > 5 {
			next = ""
		}
		reply(`{`+items+next+`}`)(w, r)
	}
}

func TestAListThatRepeatsItsPageIsNotRead(t *testing.T) {
	t.Parallel()
	for service, key := range map[string]string{
		"compute.disks": engineHost + "shop-prod/aggregated/disks", "compute.snapshots": engineHost + "shop-prod/global/snapshots",
		"cloudsql.instances": sqlHost + "shop-prod/instances", "storage.buckets": bucketList,
	} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			g := newGoogle(t)
			g.estate(t, "shop-prod")
			g.on(key, stuck(`"kind":"list"`))
			inv, err := g.collector(connection(), g.options()).Resources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := statusOf(inv, "shop-prod", "europe-west3", service); got != ingest.Failed {
				t.Errorf("the list counts as %s", got)
			}
			if asked := len(g.of(key)); asked != 2 {
				t.Errorf("it was asked for %d times", asked)
			}
		})
	}
}

func TestProjectsPricesAndMetricsThatRepeatTheirPageFail(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.on(skus, stuck(`"skus":[]`))
	g.on(series, stuck(`"timeSeries":[]`))
	g.on(projectList, stuck(`"projects":[]`))
	c := g.collector(connection(), g.options())
	_, ofPrices := c.Prices(t.Context(), []string{"europe-west3"})
	_, ofUse := c.Usage(t.Context(), onlyInstances(question(resource.CPU)))
	_, ofProjects := g.collector(connection("projects", "all"), g.options()).Resources(t.Context())
	for what, err := range map[string]error{"prices": ofPrices, "metrics": ofUse, "projects": ofProjects} {
		if fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", what, err)
		}
	}
}
