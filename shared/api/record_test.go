package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	goredis "github.com/redis/go-redis/v9"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/redis"
	"github.com/cost-agent/cost-agent/shared/staging"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const focusHeader = "BilledCost,BillingAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,EffectiveCost,ListCost,ContractedCost,ProviderName,ServiceName,ServiceCategory\n"

// day is one row of September 2026.
func day(billed, provider, service string) string {
	return strings.Join([]string{
		billed, "1234", "USD", "2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z", "2026-09-02T00:00:00Z", "2026-09-03T00:00:00Z", "Usage",
		billed, billed, billed, provider, service, "Compute",
	}, ",") + "\n"
}

// wired is the function costs and what loads staged bills, over a real PostgreSQL, with stand-ins for S3 and Redis.
func wired(t *testing.T) ([]api.Resource, job.Load) {
	t.Helper()
	db := pgtest.Open(t)
	if err := db.SaveTenant(t.Context(), shop, "Shop"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(srv.Close)
	client := s3.New(s3.Options{BaseEndpoint: &srv.URL, Region: "eu-west-1", UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider("k", "s", "")})
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("staging")}); err != nil {
		t.Fatal(err)
	}
	bucket := staging.Bucket{API: client, Presigner: s3.NewPresignClient(client), Name: "staging"}
	cache := redis.New(goredis.NewClient(&goredis.Options{Addr: miniredis.RunT(t).Addr()}))
	load := job.Load{Record: db, Staging: bucket, Versions: cache}
	return []api.Resource{
		api.Costs{Reader: db, Load: load, Answers: cache, Now: fixedNow},
		api.Uploads{Staging: bucket, NewID: func() string { return "u1" }, Now: fixedNow},
	}, load
}

func total(t *testing.T, resources []api.Resource) string {
	t.Helper()
	r := call{method: "GET", path: "/costs", role: tenant.Viewer, query: url.Values{"start": {"2026-09-01"}, "end": {"2026-10-01"}, "group_by": {"ServiceName"}, "basis": {"billed"}}}.send(t, io.Discard, resources...)
	var out struct {
		Totals []struct {
			Cost struct{ Amount, Currency string }
		}
	}
	if err := json.Unmarshal(r.body, &out); err != nil || r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if len(out.Totals) == 0 {
		return "nothing"
	}
	return out.Totals[0].Cost.Amount + " " + out.Totals[0].Cost.Currency
}

func TestABillGoesInAndComesOut(t *testing.T) {
	t.Parallel()
	resources, loader := wired(t)
	if got := total(t, resources); got != "nothing" {
		t.Errorf("before the first bill: %s", got)
	}
	load := func(kind string, body []byte) ingest.Report {
		r := call{method: "POST", path: "/focus/costs/collect", role: tenant.Operator, headers: map[string]string{"Content-Type": kind}, body: body}.send(t, io.Discard, resources...)
		var out ingest.Report
		if err := json.Unmarshal(r.body, &out); err != nil || r.status != http.StatusOK {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return out
	}
	first := []byte(focusHeader + day("1.10", "AWS", "Amazon EC2") + day("0.000001", "AWS", "Amazon S3") + day("many", "AWS", "Amazon S3"))
	if out := load("text/csv", first); out.Accepted != 2 || out.Rejected != 1 || len(out.Rejections) != 1 || out.Rejections[0].Row != 3 || out.Rejections[0].Column != "BilledCost" {
		t.Errorf("report %+v", out)
	}
	if got := total(t, resources); got != "1.100001 USD" {
		t.Errorf("after the first bill: %s", got)
	}
	kind, form := form(t, "file", first)
	if out := load(kind, form); !out.Unchanged {
		t.Errorf("the same bill again: %+v", out)
	}
	// A restated bill, too large for a request in real life, by way of an upload.
	r := call{method: "POST", path: "/uploads", role: tenant.Operator}.send(t, io.Discard, resources...)
	var up struct {
		Key string `json:"key"`
		URL string `json:"url"`
	}
	if err := json.Unmarshal(r.body, &up); err != nil || r.status != http.StatusCreated {
		t.Fatalf("%d %s", r.status, r.body)
	}
	put, err := http.NewRequestWithContext(t.Context(), http.MethodPut, up.URL, bytes.NewReader([]byte(focusHeader+day("5", "AWS", "Amazon EC2"))))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(put)
	if err != nil || answer.StatusCode != http.StatusOK || answer.Body.Close() != nil {
		t.Fatalf("%v %v", answer, err)
	}
	if out, err := loader.Run(t.Context(), job.LoadInput{Tenant: shop, Key: up.Key}); err != nil || out.Accepted != 1 || len(out.Periods) != 1 || out.Periods[0].Replaced != 2 {
		t.Errorf("restated: %+v %v", out, err)
	}
	if got := total(t, resources); got != "5 USD" {
		t.Errorf("after the restated bill: %s; want the new total, not the cached one", got)
	}
}

func TestUnusableFilesAndDimensionsAreTold(t *testing.T) {
	t.Parallel()
	resources, _ := wired(t)
	for body, status := range map[string]int{"a,b\n1,2\n": http.StatusUnprocessableEntity, "\x00\x01": http.StatusUnprocessableEntity} {
		r := call{method: "POST", path: "/focus/costs/collect", role: tenant.Operator, headers: map[string]string{"Content-Type": "text/csv"}, body: []byte(body)}.send(t, io.Discard, resources...)
		if p := r.problem(t); p.Status != status || p.Detail == "" {
			t.Errorf("%q: got %+v, want %d", body, p, status)
		}
	}
	for name, query := range map[string]url.Values{"query.group_by": {"group_by": {"Colour"}}, "query.filter": {"filter": {"Colour:red"}}} {
		r := call{method: "GET", path: "/costs", role: tenant.Viewer, query: query}.send(t, io.Discard, resources...)
		if p := r.problem(t); p.Status != http.StatusBadRequest || len(p.Errors) == 0 || p.Errors[0].Location != name {
			t.Errorf("got %+v; want 400 that names %s", p, name)
		}
	}
}
