package azure_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// elsewhere is the query with a resource in another subscription, and one in another region, besides.
func elsewhere() ingest.UsageQuery {
	q := query("vm", resource.Instance, resource.CPU, resource.DiskOps)
	for account, region := range map[string]string{erp: "westeurope", portal: "northeurope"} {
		ref := q.Refs[0]
		ref.Account, ref.Region, ref.ID = account, region, strings.Replace(ref.ID, portal, account, 1)+region
		q.Refs = append(q.Refs, ref)
	}
	return q
}

func TestMetricsThatAreRefusedAreAPartAndNoError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		code   string
		want   ingest.Status
		err    fault.Code
	}{
		"denied":     {403, "AuthorizationFailed", ingest.Denied, ""},
		"not in use": {409, "MissingSubscriptionRegistration", ingest.Disabled, ""},
		"throttled":  {429, "TooManyRequests", "", fault.Throttled},
		"down":       {503, "ServerBusy", "", fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.metrics(ptr(1.0))
			refused := 0
			w.before = func(out http.ResponseWriter, r *http.Request, operation string) bool {
				if operation != "Client.QueryResources" || !strings.Contains(r.URL.Path, erp) {
					return false
				}
				refused++
				out.Header().Set("Content-Type", "application/json")
				out.WriteHeader(c.status)
				fmt.Fprintf(out, `{"error":{"code":%q,"message":"no"}}`, c.code)
				return true
			}
			measured, err := w.open("s", nil).Usage(t.Context(), elsewhere())
			if c.err != "" {
				if fault.CodeOf(err) != c.err {
					t.Errorf("%v, want %s", err, c.err)
				}
				return
			}
			if err != nil || len(measured.Usage) != 4 || refused != 1 {
				t.Fatalf("%d series of the others, %v, after %d refusals", len(measured.Usage), err, refused)
			}
			want := map[string]ingest.Status{portal + " westeurope": ingest.OK, portal + " northeurope": ingest.OK, erp + " westeurope": c.want}
			for _, p := range measured.Parts {
				if want[p.Account+" "+p.Region] != p.Status || p.Service != "Microsoft.Insights/metrics" || (p.Reason == "") != (p.Status == ingest.OK) {
					t.Errorf("%+v", p)
				}
			}
			if len(measured.Parts) != len(want) {
				t.Errorf("%d parts, want %d", len(measured.Parts), len(want))
			}
		})
	}
}
