package gcp

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/ingest"
)

// needs are the rights that requests take, by what their keys look like, as the reference of each method names them; what is
// empty takes none. The first that fits counts.
var needs = []struct {
	request *regexp.Regexp
	rights  []string
}{
	{regexp.MustCompile(`^POST (sts|iamcredentials)\.`), nil}, // the sign-in
	{regexp.MustCompile(`:testIamPermissions$`), nil},
	{regexp.MustCompile(`^GET cloudbilling\.googleapis\.com /v1/services/[^/]+/skus$`), nil},
	{regexp.MustCompile(`^POST bigquery\.googleapis\.com \S+/queries$`), []string{"bigquery.jobs.create", "bigquery.tables.get", "bigquery.tables.getData"}},
	{regexp.MustCompile(`^GET bigquery\.googleapis\.com \S+/queries/[^/]+$`), nil}, // of one's own job
	{regexp.MustCompile(`^GET compute\.\S+ \S+/aggregated/addresses$`), []string{"compute.addresses.list"}},
	{regexp.MustCompile(`^GET compute\.\S+ \S+/aggregated/commitments$`), []string{"compute.commitments.list"}},
	{regexp.MustCompile(`^GET compute\.\S+ \S+/aggregated/disks$`), []string{"compute.disks.list"}},
	{regexp.MustCompile(`^GET compute\.\S+ \S+/aggregated/instances$`), []string{"compute.instances.list"}},
	{regexp.MustCompile(`^GET compute\.\S+ \S+/(aggregated|zones/[^/]+)/machineTypes$`), []string{"compute.machineTypes.list"}},
	{regexp.MustCompile(`^GET compute\.\S+ \S+/regions/[^/]+$`), []string{"compute.regions.get"}},
	{regexp.MustCompile(`^GET compute\.\S+ \S+/global/snapshots$`), []string{"compute.snapshots.list"}},
	{regexp.MustCompile(`^GET sqladmin\.\S+ \S+/instances$`), []string{"cloudsql.instances.list"}},
	{regexp.MustCompile(`^GET storage\.\S+ /storage/v1/b$`), []string{"storage.buckets.list"}},
	{regexp.MustCompile(`^GET monitoring\.\S+ \S+/timeSeries$`), []string{"monitoring.timeSeries.list"}},
	{regexp.MustCompile(`/google\.cloudsql\.instance\.IdleRecommender/`), []string{"recommender.cloudsqlIdleInstanceRecommendations.list"}},
	{regexp.MustCompile(`/google\.cloudsql\.instance\.OverprovisionedRecommender/`), []string{"recommender.cloudsqlOverprovisionedInstanceRecommendations.list"}},
	{regexp.MustCompile(`/google\.compute\.address\.IdleResourceRecommender/`), []string{"recommender.computeAddressIdleResourceRecommendations.list"}},
	{regexp.MustCompile(`/google\.compute\.disk\.IdleResourceRecommender/`), []string{"recommender.computeDiskIdleResourceRecommendations.list"}},
	{regexp.MustCompile(`/google\.compute\.image\.IdleResourceRecommender/`), []string{"recommender.computeImageIdleResourceRecommendations.list"}},
	{regexp.MustCompile(`/google\.compute\.instance\.IdleResourceRecommender/`), []string{"recommender.computeInstanceIdleResourceRecommendations.list"}},
	{regexp.MustCompile(`/google\.compute\.instance\.MachineTypeRecommender/`), []string{"recommender.computeInstanceMachineTypeRecommendations.list"}},
	{regexp.MustCompile(`/google\.compute\.commitment\.UsageCommitmentRecommender/`), []string{"recommender.usageCommitmentRecommendations.list"}},
}

// needed are the rights that all requests made so far take.
func (g *google) needed() (out []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.requests {
		at := slices.IndexFunc(needs, func(n struct {
			request *regexp.Regexp
			rights  []string
		}) bool {
			return n.request.MatchString(r.key)
		})
		if at < 0 {
			g.t.Errorf("which right does %s take?", r.key)
			continue
		}
		out = append(out, needs[at].rights...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestTheRightsAreWhatIsCalled: reading everything takes every right that is asked for and documented, and no other.
func TestTheRightsAreWhatIsCalled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, ok := w.Collector.(*Collector)
	if !ok {
		t.Fatalf("%T", w.Collector)
	}
	g, ok := c.sign.base.(onward).base.(*patient).base.(*google)
	if !ok {
		t.Fatalf("%T", c.sign.base)
	}
	ctx := t.Context()
	found, err := c.Resources(ctx)
	if err != nil || !ingest.Whole(found.Parts) {
		t.Fatalf("%v %+v", err, found.Parts)
	}
	for _, err := range c.Costs(ctx, october) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if read, err := c.Usage(ctx, *w.Usage); err != nil || len(read.Usage) == 0 {
		t.Errorf("%v %+v", err, read)
	}
	if prices, err := c.Prices(ctx, w.Regions); err != nil || len(prices) == 0 {
		t.Errorf("%d prices, %v", len(prices), err)
	}
	if held, err := c.Commitments(ctx, lately); err != nil || len(held.Held) == 0 || !ingest.Whole(held.Parts) {
		t.Errorf("%v %+v", err, held)
	}
	if advice, err := c.Advice(ctx); err != nil || len(advice.Given) == 0 {
		t.Errorf("%v %+v", err, advice)
	}
	if checked := slices.Sorted(slices.Values(slices.Concat(jobRights, tableRights, inventoryRights))); !slices.Equal(checked, g.needed()) {
		t.Errorf("Check asks for\n%s\nneeded are\n%s", strings.Join(checked, "\n"), strings.Join(g.needed(), "\n"))
	}
	if role := documentedRole(t); !slices.Equal(role, inventoryRights) {
		t.Errorf("the documented role has\n%s\nCheck asks for\n%s", strings.Join(role, "\n"), strings.Join(inventoryRights, "\n"))
	}
}

// documentedRole are the permissions of the role that docs/clouds/gcp.md gives to paste.
func documentedRole(t *testing.T) (out []string) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/clouds/gcp.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "includedPermissions:\n")
	list, _, _ := strings.Cut(after, "```")
	for one := range strings.Lines(list) {
		out = append(out, strings.TrimSpace(strings.TrimPrefix(one, "- ")))
	}
	return out
}
