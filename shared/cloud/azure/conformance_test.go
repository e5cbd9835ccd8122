package azure_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cost-agent/cost-agent/shared/cloud/cloudtest"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func TestConformance(t *testing.T) { //nolint:paralleltest // the suite looks at all goroutines
	for _, name := range slices.Sorted(maps.Keys(billers)) {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // see above
			cloudtest.Run(t, cloudtest.Subject{Cloud: resource.Azure, Month: august, New: func(t *testing.T) cloudtest.World {
				t.Helper()
				return conforming(t, name, billers[name])
			}})
		})
	}
}

// refusals is how the conforming world misbehaves.
type refusals struct {
	billing func(r *http.Request, operation string) bool // the calls that the bill is read with

	left    atomic.Int64 // of these calls to refuse; negative: all
	status  atomic.Int64
	half    atomic.Bool
	denied  atomic.Pointer[func(r *http.Request, operation string) bool]
	hanging atomic.Pointer[chan struct{}]
}

func conforming(t *testing.T, name string, b biller) cloudtest.World {
	t.Helper()
	w, bad := newWorld(t), &refusals{billing: b.calls}
	w.subscriptions(portal)
	w.estate()
	w.metrics(ptr(1.0), nil, ptr(2.0))
	w.prices(func(next string) string { return next })
	w.commitments(t)
	w.advises()
	bill := cloudtest.Charges(3)
	b.serve(w, bill, false)
	w.before = bad.answer
	q := elsewhere()
	settings := map[string]string{"regions": "westeurope", "source": name, "export_account": w.URL, "export_container": "bills"}
	refuse := func(n, status int) {
		bad.status.Store(int64(status))
		bad.left.Store(int64(n))
	}
	deny := func(calls func(r *http.Request, operation string) bool) { bad.denied.Store(&calls) }
	return cloudtest.World{
		Collector:  ingest.Collector(w.open("s", settings)),
		Bill:       func(charges []cloudtest.Charge) { bill = charges; b.serve(w, bill, false) },
		EmptyPages: func() { b.serve(w, bill, true) },
		Throttle:   func(n int) { refuse(n, http.StatusTooManyRequests) },
		Fail:       refuse,
		Half:       func() { bad.half.Store(true) },
		Deny: func() (string, string) {
			deny(calling("DisksClient", ""))
			return "westeurope", "Microsoft.Compute/disks"
		},
		Revoke: func() string { deny(b.calls); return b.right },
		Hang: func() <-chan struct{} {
			c := make(chan struct{}, 100)
			bad.hanging.Store(&c)
			return c
		},
		Usage: &q, DenyUsage: func() { deny(calling("Client.QueryResources", erp)) },
		Committed: &month, DenyCommitments: func() { deny(calling("ReservationClient.NewListAllPager", "")) },
		Advises: true, DenyAdvice: func() { deny(calling("RecommendationsClient", "")) },
		Regions: []string{"westeurope"},
	}
}

// calling tells the calls of an operation to paths with a text.
func calling(prefix, path string) func(r *http.Request, operation string) bool {
	return func(r *http.Request, operation string) bool {
		return strings.HasPrefix(operation, prefix) && strings.Contains(r.URL.Path, path)
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
	if calls := b.denied.Load(); calls != nil && (*calls)(r, operation) {
		out.WriteHeader(http.StatusForbidden)
		fmt.Fprint(out, `{"error":{"code":"AuthorizationFailed","message":"no"}}`)
		return true
	}
	if !b.billing(r, operation) {
		return false
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
