package gcp

import (
	"testing"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func bucketsOf(inv ingest.Inventory) (out []resource.Resource) {
	for _, r := range inv.Resources {
		if r.Type == resource.Bucket {
			out = append(out, r)
		}
	}
	return out
}

func TestBucketsWithoutMetricsHaveNoSize(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.estate(t, "shop-prod")
	limited := g.options()
	limited.Meter = meter("0")
	denied := newGoogle(t)
	denied.estate(t, "shop-prod")
	denied.on(series, problem(403, "forbidden"))
	for name, c := range map[string]*Collector{"denied": denied.collector(connection(), denied.options()), "at the limit": g.collector(connection(), limited)} {
		inv, err := c.Resources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all := bucketsOf(inv)
		if len(all) != 2 || statusOf(inv, "shop-prod", "eu", "storage.buckets") != ingest.OK {
			t.Errorf("%s: %d buckets, %+v", name, len(all), inv.Parts)
		}
		for _, b := range all {
			if size, known := b.Attributes[resource.AttrGiB]; known {
				t.Errorf("%s: %s holds %s", name, b.Name, size)
			}
		}
	}
}

func TestABucketThatIsUnreachableIsNotGone(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.estate(t, "shop-prod")
	g.on(bucketList, reply(`{"items":[{"name":"a","location":"US"}],"unreachable":["projects/_/buckets/lost"]}`))
	inv, err := g.collector(connection(), g.options()).Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{"us", "eu", "europe-west3", global} { // it may be anywhere
		if got := statusOf(inv, "shop-prod", place, "storage.buckets"); got != ingest.Failed || len(bucketsOf(inv)) != 1 {
			t.Errorf("%d buckets, those in %s are %s", len(bucketsOf(inv)), place, got)
		}
	}
	if q := g.of(bucketList)[0].query; q.Get("returnPartialSuccess") != "true" || q.Get("projection") != "noAcl" || q.Get("project") != "shop-prod" {
		t.Errorf("asked for %v", q)
	}
}
