package gcp

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/api/bigquery/v2"

	"github.com/cost-agent/cost-agent/shared/cloud/cloudtest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	tablePath = "POST bigquery.googleapis.com /bigquery/v2/projects/billing-prod/datasets/billing/tables/gcp_billing_export_resource_v1_012345_6789AB_CDEF01:testIamPermissions"
	billing   = "POST cloudresourcemanager.googleapis.com /v1/projects/billing-prod:testIamPermissions"
	shop      = "POST cloudresourcemanager.googleapis.com /v1/projects/shop-prod:testIamPermissions"
)

func TestConformance(t *testing.T) { //nolint:paralleltest // it looks at all goroutines
	cloudtest.Run(t, cloudtest.Subject{Cloud: resource.GCP, Month: october, New: newWorld})
}

// world is a Google Cloud that can be upset.
type world struct {
	*google

	mu      sync.Mutex
	charges []cloudtest.Charge
	empty   bool
	revoked string
	upset   func(w http.ResponseWriter, r *http.Request) // nil in good health
	times   int                                          // how often more; negative: always
}

func newWorld(t *testing.T) cloudtest.World {
	t.Helper()
	g := newGoogle(t)
	w := &world{google: g, charges: cloudtest.Charges(10)}
	g.before = w.upsets
	g.estate(t, "shop-prod")
	g.priceList(t)
	g.on(results, w.page)
	metrics := reply(`{"timeSeries":[` + timeSeries("gce_instance", "instance_id", "4477882211", at("2026-11-09T03:00:00Z", `"doubleValue":0.2`)+","+at("2026-11-09T02:00:00Z", `"doubleValue":0.1`)) + `]}`)
	g.on(series, func(a http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Query().Get("filter"), "gcs_bucket") {
			reply(file(t, "bucket-bytes.json"))(a, r)
			return
		}
		metrics(a, r)
	})
	g.committed()
	g.advises(t)
	g.on(jobs, w.query)
	for _, key := range []string{tablePath, billing, shop} {
		g.on(key, w.permissions)
	}
	q := onlyInstances(question(resource.CPU, resource.Memory))
	return cloudtest.World{
		Collector: g.collector(connection(), g.options()),
		Bill:      func(c []cloudtest.Charge) { w.set(func() { w.charges = c }) },
		EmptyPages: func() {
			w.set(func() { w.empty = true })
		},
		Throttle: func(n int) { w.set(func() { w.times, w.upset = n, problem(429, "rateLimitExceeded") }) },
		Fail:     func(n, code int) { w.set(func() { w.times, w.upset = n, problem(code, "someReason") }) },
		Half:     func() { w.set(func() { w.times, w.upset = -1, half(`{"kind":"bigquery#que`) }) },
		Revoke: func() string {
			w.set(func() { w.revoked = "compute.disks.list" })
			return "compute.disks.list on project shop-prod"
		},
		Deny: func() (string, string) {
			g.on(sqlHost+"shop-prod/instances", problem(403, "forbidden"))
			return "", "cloudsql.instances"
		},
		DenyUsage:       func() { g.on(series, problem(403, "forbidden")) },
		DenyCommitments: func() { g.on(jobs, problem(403, "accessDenied")) },
		DenyAdvice: func() {
			g.on(recommend("europe-west3-a", "google.compute.instance.MachineTypeRecommender"), problem(403, "accessNotConfigured"))
		},
		Hang:  w.hang,
		Usage: &q, Committed: &lately, Advises: true, Regions: []string{"europe-west3"},
	}
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) hang() <-chan struct{} {
	arrived := make(chan struct{}, 100)
	w.set(func() {
		w.times, w.upset = -1, func(_ http.ResponseWriter, r *http.Request) {
			arrived <- struct{}{}
			<-r.Context().Done()
		}
	})
	return arrived
}

func (w *world) upsets(a http.ResponseWriter, r *http.Request) bool {
	w.mu.Lock()
	upset := w.upset
	if w.times == 0 {
		upset = nil
	} else {
		w.times--
	}
	w.mu.Unlock()
	if upset == nil {
		return false
	}
	upset(a, r)
	return true
}

func (w *world) permissions(a http.ResponseWriter, r *http.Request) {
	var asked struct {
		Permissions []string `json:"permissions"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		w.t.Error(err)
	}
	w.set(func() {
		asked.Permissions = slices.DeleteFunc(asked.Permissions, func(p string) bool { return p == w.revoked })
	})
	if err := json.NewEncoder(a).Encode(asked); err != nil {
		w.t.Error(err)
	}
}

func (w *world) query(a http.ResponseWriter, r *http.Request) {
	var q bigquery.QueryRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		w.t.Error(err)
	}
	switch {
	case q.DryRun:
		reply(dryRun)(a, r)
		return
	case strings.Contains(q.Query, "FROM charges"):
		reply(answer(commitmentsSQL, "", fees()...))(a, r)
		return
	}
	w.write(a, 0)
}

func (w *world) page(a http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Query().Get("pageToken"))
	if err != nil {
		w.t.Errorf("page token: %v", err)
	}
	w.write(a, n)
}

// write gives the n-th page. With empty pages every other one is empty.
func (w *world) write(a http.ResponseWriter, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, skip := n, false
	if w.empty {
		at, skip = n/2, n%2 == 0
	}
	charges := slices.Collect(slices.Chunk(w.charges, cloudtest.PageSize))
	var rows []map[string]string
	if !skip && at < len(charges) {
		for _, c := range charges[at] {
			rows = append(rows, billed(c))
		}
	}
	rest := ""
	if skip && len(charges) > 0 || at+1 < len(charges) {
		rest = `,"pageToken":"` + strconv.Itoa(n+1) + `"`
	}
	a.Header().Set("Content-Type", "application/json")
	if _, err := io.WriteString(a, wire(detailed, rest, rows...)); err != nil {
		w.t.Log(err)
	}
}

// billed is a charge as Google bills it: money that it gives back is a credit on a row that costs nothing.
func billed(c cloudtest.Charge) map[string]string {
	row := charge("cost", c.Amount.String(), "resource_name", c.Resource, "resource_id", "")
	if c.Resource != "" {
		row["resource_id"] = computeNames + "shop-prod/zones/europe-west3-a/instances/" + c.Resource
	}
	if c.Credit {
		row["cost"] = "0"
		row["credits"] = `[{"id":"Gift","full_name":"A gift","type":"PROMOTION","amount":"` + c.Amount.String() + `"}]`
	}
	return row
}
