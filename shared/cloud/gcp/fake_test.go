package gcp

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	tenantID = "0190f3c2-7d4e-7a11-9b52-3f6f1c2d4e5f"
	provider = "projects/123456789012/locations/global/workloadIdentityPools/cost-agent/providers/0190f3c27d4e7a119b523f6f1c2d4e5f"
	account  = "cost-agent@billing-prod.iam.gserviceaccount.com"
)

var now = time.Date(2026, 11, 10, 9, 30, 0, 0, time.UTC)

// google plays Google Cloud over HTTP: the clients keep Google's own addresses, and the host of a request says which API it
// is for. Answers are given by "METHOD host path"; the last answer of a list repeats.
type google struct {
	t      testing.TB
	server *httptest.Server

	// before may answer a request, whatever it is for; it reports whether it did.
	before func(w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	answers  map[string][]http.HandlerFunc
	requests []seen
	pauses   []time.Duration
}

type seen struct {
	key    string
	query  url.Values
	header http.Header
	body   []byte
}

func newGoogle(t testing.TB) *google {
	t.Helper()
	g := &google{t: t, answers: map[string][]http.HandlerFunc{}}
	g.server = httptest.NewServer(g)
	t.Cleanup(g.server.Close)
	g.on("POST sts.googleapis.com /v1/token", reply(`{"access_token":"federated","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600}`))
	g.on("POST iamcredentials.googleapis.com /v1/projects/-/serviceAccounts/"+account+":generateAccessToken", reply(`{"accessToken":"impersonated","expireTime":"2099-01-01T00:00:00Z"}`))
	return g
}

func (g *google) on(key string, answers ...http.HandlerFunc) { g.answers[key] = answers }

func (g *google) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		g.t.Error(err)
	}
	key := r.Method + " " + r.Host + " " + r.URL.Path
	g.mu.Lock()
	g.requests = append(g.requests, seen{key, r.URL.Query(), r.Header, body})
	list := g.answers[key]
	if len(list) > 1 {
		g.answers[key] = list[1:]
	}
	g.mu.Unlock()
	if g.before != nil && g.before(w, r) {
		return
	}
	if len(list) == 0 {
		g.t.Errorf("nobody expects %s", key)
		http.Error(w, `{"error":{"code":404,"message":"nothing here"}}`, http.StatusNotFound)
		return
	}
	if strings.Contains(r.Host, "bigquery") && r.Header.Get("Authorization") == "" {
		g.t.Errorf("%s came without a token", key)
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	list[0](w, r)
}

// RoundTrip sends everything to the fake, with the host that it was meant for.
func (g *google) RoundTrip(r *http.Request) (*http.Response, error) {
	host := r.URL.Host
	r = r.Clone(r.Context())
	r.Host, r.URL.Scheme, r.URL.Host = host, "http", strings.TrimPrefix(g.server.URL, "http://")
	return g.server.Client().Transport.RoundTrip(r)
}

func (g *google) of(key string) (out []seen) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.requests {
		if r.key == key {
			out = append(out, r)
		}
	}
	return out
}

func reply(body string) http.HandlerFunc { return status(http.StatusOK, body) }

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// paged answers with one page, and what has a page token with the next.
func paged(first, second http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("pageToken") == "" {
			first(w, r)
			return
		}
		second(w, r)
	}
}

// half begins an answer and breaks the connection off in its middle.
func half(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000000")
		_, _ = io.WriteString(w, body)
		panic(http.ErrAbortHandler)
	}
}

func problem(code int, reason string) http.HandlerFunc {
	text, err := json.Marshal(map[string]any{"error": map[string]any{"code": code, "message": "it is so", "errors": []map[string]string{{"reason": reason, "message": "it is so", "domain": "global"}}}})
	if err != nil {
		panic(err)
	}
	return status(code, string(text))
}

func file(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (g *google) options() Options {
	return Options{
		Now: func() time.Time { return now }, Transport: g,
		AWS: aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "session")},
		pause: func(ctx context.Context, d time.Duration) error {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.pauses = append(g.pauses, d)
			return ctx.Err()
		},
	}
}

func connection(kv ...string) ingest.Connection {
	s := map[string]string{
		"billing_table": "billing-prod.billing.gcp_billing_export_resource_v1_012345_6789AB_CDEF01", "projects": "shop-prod",
		"workload_identity_provider": provider, "service_account": account,
	}
	for i := 0; i < len(kv); i += 2 {
		s[kv[i]] = kv[i+1]
	}
	return ingest.Connection{Tenant: tenantID, ID: "gcp-main", Cloud: resource.GCP, Settings: s}
}

func (g *google) collector(c ingest.Connection, o Options) *Collector {
	g.t.Helper()
	out, err := New(g.t.Context(), c, o)
	if err != nil {
		g.t.Fatal(err)
	}
	return out
}

func meter(limit string) *ingest.Meter {
	l := decimal.RequireFromString(limit)
	return ingest.NewMeter(&l)
}
