package azure_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cloud/azure"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// refuse lets the world refuse what begins with the prefix.
func (w *world) refuse(prefix string, status int, code string) {
	w.before = func(out http.ResponseWriter, _ *http.Request, operation string) bool {
		if !strings.HasPrefix(operation, prefix) {
			return false
		}
		out.Header().Set("Content-Type", "application/json")
		out.WriteHeader(status)
		fmt.Fprintf(out, `{"error":{"code":%q,"message":"no"}}`, code)
		return true
	}
}

func TestInventoryHasAllThatExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.estate()
	inventory, err := w.open("s", nil).Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]resource.Resource{}
	for _, r := range inventory.Resources {
		got[r.ID[strings.LastIndex(r.ID, "/providers/")+len("/providers/"):]] = r
		if r.ID != strings.ToLower(r.ID) || r.Account != portal || r.Region != "westeurope" || !r.SeenAt.Equal(now) {
			t.Errorf("%+v", r)
		}
	}
	machine := map[string]string{"size": "Standard_D2s_v5", "vcpu": "2", "memory_gib": "8", "os": "linux"}
	with := func(state string) map[string]string {
		m := maps.Clone(machine)
		m["state"] = state
		return m
	}
	prefix := "/subscriptions/" + portal + "/resourcegroups/rg-portal/providers/"
	want := map[string]map[string]string{
		"microsoft.compute/virtualmachines/portal-01":  with("running"),
		"microsoft.compute/virtualmachines/portal-02":  with("stopped"),
		"microsoft.compute/virtualmachines/portal-03":  with("stopped-allocated"),
		"microsoft.compute/disks/portal-01-data":       {"state": "in-use", "volume_type": "Premium_LRS", "gib": "512", "iops": "2300", "throughput_mibps": "150", "attached_to": prefix + "microsoft.compute/virtualmachines/portal-01"},
		"microsoft.compute/disks/left-over":            {"state": "available", "volume_type": "StandardSSD_LRS", "gib": "64", "attached_to": "", "detached_at": "2025-03-01T06:00:00Z"},
		"microsoft.compute/snapshots/before-upgrade":   {"gib": "512", "volume_type": "Standard_LRS"},
		"microsoft.network/publicipaddresses/used":     {"state": "in-use", "size": "Standard", "attached_to": prefix + "microsoft.network/networkinterfaces/nic/ipconfigurations/one"},
		"microsoft.network/publicipaddresses/unused":   {"state": "available", "size": "Standard", "attached_to": ""},
		"microsoft.sql/servers/ledger/databases/books": {"state": "running", "size": "GP_Gen5_4", "vcpu": "4", "gib": "500"},
		"microsoft.storage/storageaccounts/portal":     {"size": "Standard_LRS"},

		"microsoft.compute/virtualmachinescalesets/workers": {"size": "Standard_D2s_v5", "vcpu": "2", "memory_gib": "8", "desired_size": "3"},
		"microsoft.compute/virtualmachinescalesets/mixed":   {"mixed_instances": "true", "desired_size": "0"},
		"microsoft.network/loadbalancers/front":             {"size": "Standard", "scheme": "internet-facing", "targets": "3"},
		"microsoft.network/loadbalancers/idle":              {"size": "Basic", "scheme": "internal", "targets": "0"},
		"microsoft.network/applicationgateways/web":         {"size": "WAF_v2", "scheme": "internet-facing", "targets": "1", "state": "running"},
		"microsoft.web/sites/mailer":                        {"state": "running", "runtime": "python3.11", "modified_at": "2026-05-01T10:00:00Z"},
		"microsoft.web/sites/flex":                          {"state": "stopped", "runtime": "node22"},
	}
	if len(got) != len(want) {
		t.Errorf("%d resources, want %d", len(got), len(want))
	}
	for id, attributes := range want {
		if !maps.Equal(got[id].Attributes, attributes) {
			t.Errorf("%s: got %v, want %v", id, got[id].Attributes, attributes)
		}
	}
	if vm := got["microsoft.compute/virtualmachines/portal-01"]; vm.Tags["team"] != "partners" || !vm.CreatedAt.Equal(born) || vm.CreatedAt.Location() != time.UTC {
		t.Errorf("%+v", vm)
	}
	if len(inventory.Parts) != 2*10 {
		t.Errorf("%d parts, want 10 services in two regions: %+v", len(inventory.Parts), inventory.Parts)
	}
	if n := w.count("ResourceSKUsClient.NewListPager"); n != 1 {
		t.Errorf("the sizes of the region were read %d times", n)
	}
}

func TestPartsThatCannotBeReadSaySo(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		status int
		code   string
		want   ingest.Status
	}{
		"denied":   {403, "AuthorizationFailed", ingest.Denied},
		"disabled": {409, "MissingSubscriptionRegistration", ingest.Disabled},
		"broken":   {500, "InternalServerError", ingest.Failed},
		"busy":     {429, "TooManyRequests", ingest.Failed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.subscriptions(portal, erp)
			w.estate()
			w.refuse("DisksClient", c.status, c.code)
			inventory, err := w.open("s", nil).Resources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			bad := 0
			for i, p := range inventory.Parts {
				if p.Service != "Microsoft.Compute/disks" {
					if p.Status != ingest.OK {
						t.Errorf("%+v", p)
					}
					continue
				}
				bad++
				if p.Status != c.want || p.Reason == "" || p.Account == "" || i >= 4 {
					t.Errorf("part %d: %+v, want %s, before those that went well", i, p, c.want)
				}
			}
			if bad != 4 {
				t.Errorf("%d parts were not read, want one in each of two regions and subscriptions", bad)
			}
			if slices.ContainsFunc(inventory.Resources, func(r resource.Resource) bool { return r.Type == resource.Volume }) {
				t.Error("there are disks in a list that could not be read")
			}
		})
	}
}

func TestFiltersOfResources(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings map[string]string
		want     int
	}{
		"a tag":                  {map[string]string{"tags": "team=partners"}, 6},
		"another tag":            {map[string]string{"tags": "team=erp, owner"}, 0},
		"a region without any":   {map[string]string{"regions": "northeurope"}, 0},
		"the resource group":     {map[string]string{"resource_groups": "rg-portal"}, 17},
		"another resource group": {map[string]string{"resource_groups": "rg-erp"}, 0},
	} {
		w := newWorld(t)
		w.subscriptions(portal)
		w.estate()
		inventory, err := w.open("s", c.settings).Resources(t.Context())
		if err != nil || len(inventory.Resources) != c.want {
			t.Errorf("%s: %d resources, %v; want %d", name, len(inventory.Resources), err, c.want)
		}
	}
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	scope := "/subscriptions/" + portal
	cases := map[string]struct {
		change   func(w *world)
		settings map[string]string
		want     []string
		code     fault.Code
	}{
		"nothing":              {},
		"a service":            {change: func(w *world) { w.refuse("PublicIPAddressesClient", 403, "AuthorizationFailed") }, want: []string{"Microsoft.Network/publicIPAddresses/read on " + scope + " (Reader)"}},
		"costs":                {change: func(w *world) { w.refuse("QueryClient", 403, "AuthorizationFailed") }, want: []string{"Microsoft.CostManagement/query/action on " + scope + " (Cost Management Reader)"}},
		"Advisor":              {change: func(w *world) { w.refuse("RecommendationsClient", 403, "AuthorizationFailed") }, want: []string{"Microsoft.Advisor/recommendations/read on " + scope + " (Reader)"}},
		"a service not in use": {change: func(w *world) { w.refuse("ServersClient", 409, "MissingSubscriptionRegistration") }},
		"no subscription":      {change: func(w *world) { w.subscriptions() }, want: []string{"Microsoft.Resources/subscriptions/read on at least one subscription (Reader)"}},
		"a subscription":       {settings: map[string]string{"subscriptions": portal + "," + erp}, want: []string{"Microsoft.Resources/subscriptions/read on /subscriptions/" + erp + " (Reader)"}},
		"Azure is down":        {change: func(w *world) { w.refuse("DisksClient", 503, "ServerBusy") }, code: fault.Unavailable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.subscriptions(portal)
			w.estate()
			w.bills(100, actual(), amortized())
			if c.change != nil {
				c.change(w)
			}
			missing, err := w.open("s", c.settings).Check(t.Context())
			if err != nil && fault.CodeOf(err) != c.code || err == nil && c.code != "" || !slices.Equal(missing, c.want) {
				t.Errorf("%v, %v; want %v, %q", missing, err, c.want, c.code)
			}
		})
	}
}

func query(id string, typ resource.Type, metrics ...resource.Metric) ingest.UsageQuery {
	ref := resource.Ref{Cloud: resource.Azure, Account: portal, Region: "westeurope", Type: typ, ID: strings.ToLower(*ptr("/subscriptions/" + portal + "/x/" + id))}
	start := now.Truncate(time.Hour).Add(-4 * time.Hour)
	return ingest.UsageQuery{Refs: []resource.Ref{ref}, Metrics: metrics, Period: cost.Period{Start: start, End: start.Add(4 * time.Hour)}, Every: time.Hour}
}

func TestUsageIsInTheUnitsOfTheMetric(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.metrics(ptr(30.0), nil, ptr(3600.0*(1<<20)))
	for name, c := range map[string]struct {
		q           ingest.UsageQuery
		first, last float64
	}{
		"a share stays as it is":            {query("vm", resource.Instance, resource.CPU), 30, 3600 * (1 << 20)},
		"reads and writes are added up":     {query("vm", resource.Instance, resource.DiskOps), 60, 2 * 3600 * (1 << 20)},
		"totals become a rate":              {query("vm", resource.Instance, resource.NetBytes), 60.0 / 3600 / (1 << 20), 2},
		"bytes of disks are averages":       {query("disk", resource.Volume, resource.DiskBytes), 60.0 / (1 << 20), 2 * 3600},
		"databases say how busy they are":   {query("db", resource.Database, resource.CPU), 30, 3600 * (1 << 20)},
		"memory that is free is not in use": {query("free", resource.Instance, resource.Memory), 70, -3600*(1<<20) + 100},
		"what has no metric has no entries": {query("disk", resource.Volume, resource.Memory), 0, 0},
	} {
		measured, err := w.open("s", nil).Usage(t.Context(), c.q)
		got := measured.Usage
		if err != nil {
			t.Fatal(err)
		}
		if c.first == 0 {
			if len(got) != 0 {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if len(got) != 1 || len(got[0].Samples) != 2 || got[0].Ref != c.q.Refs[0] {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		s := got[0].Samples
		if s[0].Value != c.first || s[1].Value != c.last || !s[0].At.Equal(c.q.Period.Start) || s[1].At.Sub(s[0].At) != 2*time.Hour {
			t.Errorf("%s: %+v, want %v and %v two hours apart", name, s, c.first, c.last)
		}
	}
}

func TestUsageIsAskedForInFullBatchesAndMetered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.metrics(ptr(1.0))
	q := query("vm", resource.Instance, resource.CPU)
	for i := range 120 {
		ref := q.Refs[0]
		ref.ID += strconv.Itoa(i)
		q.Refs = append(q.Refs, ref)
	}
	limit := decimal.RequireFromString("0.00005")
	meter := ingest.NewMeter(&limit)
	o := w.options()
	o.Meter = meter
	c, err := azure.New(t.Context(), ingest.Connection{Settings: map[string]string{"tenant_id": directory, "client_id": app}, Secret: "s"}, o)
	if err != nil {
		t.Fatal(err)
	}
	measured, err := c.Usage(t.Context(), q)
	got := measured.Usage
	if err != nil || len(got) != 121 || w.count("Client.QueryResources") != 3 {
		t.Errorf("%d answers in %d calls, %v", len(got), w.count("Client.QueryResources"), err)
	}
	if _, err := c.Usage(t.Context(), q); fault.CodeOf(err) != fault.LimitReached || w.count("Client.QueryResources") != 5 {
		t.Errorf("beyond the limit: %v after %d calls", err, w.count("Client.QueryResources"))
	}
	q.Every = 7 * time.Minute
	if _, err := c.Usage(t.Context(), q); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("an interval that there is not: %v", err)
	}
}
