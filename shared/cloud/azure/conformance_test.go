package azure_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cost-agent/cost-agent/shared/cloud/cloudtest"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func TestConformance(t *testing.T) { //nolint:paralleltest // the suite looks at all goroutines
	cloudtest.Run(t, cloudtest.Subject{Cloud: resource.Azure, Month: september.AddDate(0, -1, 0), New: conforming})
}

// refusals is how the conforming world misbehaves.
type refusals struct {
	left    atomic.Int64 // calls to refuse; negative: all
	status  atomic.Int64
	half    atomic.Bool
	denied  atomic.Pointer[string]
	hanging atomic.Pointer[chan struct{}]
}

func conforming(t *testing.T) cloudtest.World {
	t.Helper()
	w, bad := newWorld(t), &refusals{}
	w.subscriptions(portal)
	w.estate()
	w.metrics(ptr(1.0), nil, ptr(2.0))
	w.prices(func(next string) string { return next })
	bill := augustBill(cloudtest.Charges(3))
	serve := func() { w.bills(cloudtest.PageSize, bill, bill) }
	serve()
	w.before = bad.answer
	q := query("vm", resource.Instance, resource.CPU)
	refuse := func(n, status int) {
		bad.status.Store(int64(status))
		bad.left.Store(int64(n))
	}
	return cloudtest.World{
		Collector:  ingest.Collector(w.open("s", map[string]string{"regions": "westeurope"})),
		Bill:       func(charges []cloudtest.Charge) { bill = augustBill(charges); serve() },
		EmptyPages: func() { w.emptyPages(bill) },
		Throttle:   func(n int) { refuse(n, http.StatusTooManyRequests) },
		Fail:       refuse,
		Half:       func() { bad.half.Store(true) },
		Deny: func() (string, string) {
			bad.denied.Store(ptr("DisksClient"))
			return "westeurope", "Microsoft.Compute/disks"
		},
		Revoke: func() string {
			bad.denied.Store(ptr("QueryClient"))
			return "Microsoft.CostManagement/query/action on /subscriptions/" + portal + " (Cost Management Reader)"
		},
		Hang: func() <-chan struct{} {
			c := make(chan struct{}, 100)
			bad.hanging.Store(&c)
			return c
		},
		Usage: &q, Regions: []string{"westeurope"},
	}
}

// answer misbehaves as it was told to, on calls that are not those of signing in.
func (b *refusals) answer(out http.ResponseWriter, r *http.Request, operation string) bool {
	if strings.Contains(r.URL.Path, "/oauth2/") || strings.Contains(r.URL.Path, ".well-known") {
		return false
	}
	if c := b.hanging.Load(); c != nil {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client is gone
		*c <- struct{}{}
		<-r.Context().Done()
		return true
	}
	out.Header().Set("Content-Type", "application/json")
	if prefix := b.denied.Load(); prefix != nil && strings.HasPrefix(operation, *prefix) {
		out.WriteHeader(http.StatusForbidden)
		fmt.Fprint(out, `{"error":{"code":"AuthorizationFailed","message":"no"}}`)
		return true
	}
	if b.half.Load() {
		fmt.Fprint(out, `{"value":[{"subscriptionId":"`)
		return true
	}
	n := b.left.Load()
	if n == 0 {
		return false
	}
	if n > 0 {
		b.left.Add(-1)
	}
	out.WriteHeader(int(b.status.Load()))
	fmt.Fprint(out, `{"error":{"code":"Refused","message":"no"}}`)
	return true
}

// augustBill is the charges as Cost Management bills them.
func augustBill(charges []cloudtest.Charge) [][]any {
	var rows [][]any
	for i, c := range charges {
		kind, id := "Usage", ""
		if c.Credit {
			kind = "Credit"
		}
		if c.Resource != "" {
			id = "/subscriptions/" + portal + "/resourceGroups/rg/providers/Microsoft.Compute/disks/" + c.Resource
		}
		rows = append(rows, line(c.Amount.InexactFloat64(), 20260801+i%31, id, "", "EU West", kind, "Storage", "meter", "OnDemand", "", "", nil, "USD"))
	}
	return rows
}
