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
	g.on(series, problem(403, "forbidden"))
	inv, err := g.collector(connection(), g.options()).Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := bucketsOf(inv)
	if len(all) != 2 || statusOf(inv, "shop-prod", "eu", "storage.buckets") != ingest.OK {
		t.Errorf("%d buckets, %+v", len(all), inv.Parts)
	}
	for _, b := range all {
		if size, known := b.Attributes[resource.AttrGiB]; known {
			t.Errorf("%s holds %s", b.Name, size)
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
