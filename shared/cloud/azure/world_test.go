package azure_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/monitor/query/azmetrics"
	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/cost-agent/cost-agent/shared/cloud/azure"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	directory = "11111111-1111-1111-1111-111111111111"
	app       = "22222222-2222-2222-2222-222222222222"
	portal    = "5f0c2f4e-8a41-4d7e-9c55-2f1a6b7c8d90"
	erp       = "b2d9a1c6-03ef-4b18-a7a4-61c0d9e8f7a5"
)

// world is Azure on loopback: Microsoft Entra, AWS STS, and the SDK's own fake servers behind real HTTP.
type world struct {
	*httptest.Server
	t testing.TB

	// servers are the SDK's fakes by the client they stand in for. They find out what is asked from the context, which
	// HTTP does not carry; a header does.
	servers map[string]transporter
	// before may answer a request itself, and says so.
	before func(w http.ResponseWriter, r *http.Request, operation string) bool
	// paths are what has no fake in the SDK.
	paths map[string]http.HandlerFunc

	mu    sync.Mutex
	asked []string // operations, in order
	forms []string // what Entra was asked for
}

type transporter interface {
	Do(req *http.Request) (*http.Response, error)
}

const operationHeader = "X-Operation"

type linkKey struct{}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, servers: map[string]transporter{}, paths: map[string]http.HandlerFunc{}}
	w.Server = httptest.NewTLSServer(http.HandlerFunc(w.serve))
	w.URL = "https://azure.example.com" // where the server's own client finds it, too
	t.Cleanup(w.Close)
	return w
}

// link is an address within the world as Azure writes it in its answers: with the port that https has anyway.
func (w *world) link(path string) string { return w.URL + ":443" + path }

func (w *world) serve(out http.ResponseWriter, r *http.Request) {
	operation := r.Header.Get(operationHeader)
	w.mu.Lock()
	if operation != "" {
		w.asked = append(w.asked, operation)
	}
	w.mu.Unlock()
	if w.before != nil && w.before(out, r, operation) {
		return
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		fmt.Fprintf(out, `{"token_endpoint":"%[1]s/%[2]s/oauth2/v2.0/token","authorization_endpoint":"%[1]s/%[2]s/oauth2/v2.0/authorize","issuer":"%[1]s/%[2]s/v2.0"}`, w.URL, directory)
	case strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token"):
		w.token(out, r)
	case r.URL.Path == "/" && r.Method == http.MethodPost:
		fmt.Fprint(out, `<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetWebIdentityTokenResult><WebIdentityToken>signed-by-aws</WebIdentityToken></GetWebIdentityTokenResult></GetWebIdentityTokenResponse>`)
	default:
		w.service(out, r, operation)
	}
}

func (w *world) token(out http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	w.forms = append(w.forms, r.Form.Encode())
	w.mu.Unlock()
	out.Header().Set("Content-Type", "application/json")
	if r.Form.Get("client_secret") == "wrong" {
		out.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(out, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}`)
		return
	}
	fmt.Fprint(out, `{"token_type":"Bearer","expires_in":3600,"access_token":"azure-token"}`)
}

func (w *world) service(out http.ResponseWriter, r *http.Request, operation string) {
	longest := ""
	for prefix := range w.paths {
		if strings.HasPrefix(r.URL.Path, prefix) && len(prefix) > len(longest) {
			longest = prefix
		}
	}
	if handle := w.paths[longest]; handle != nil {
		handle(out, r)
		return
	}
	w.fakes(out, r, operation)
}

// fakes answers with the SDK's own fakes.
func (w *world) fakes(out http.ResponseWriter, r *http.Request, operation string) {
	if got := r.Header.Get("Authorization"); got != "Bearer azure-token" {
		w.t.Errorf("%s was asked with the authorization %q", r.URL.Path, got)
	}
	client, _, _ := strings.Cut(operation, ".")
	server, ok := w.servers[operation] // two modules have a client that is called Client
	if !ok {
		server, ok = w.servers[client]
	}
	if !ok {
		w.t.Errorf("nothing stands in for %s (%s %s)", operation, r.Method, r.URL)
		out.WriteHeader(http.StatusNotImplemented)
		return
	}
	r.URL.Scheme, r.URL.Host = "https", r.Host
	ctx := context.WithValue(r.Context(), runtime.CtxAPINameKey{}, operation)
	ctx = context.WithValue(ctx, linkKey{}, r.URL.Query().Get("$skiptoken"))
	resp, err := server.Do(r.WithContext(ctx))
	if err != nil {
		w.t.Errorf("%s: %v", operation, err)
		out.WriteHeader(http.StatusNotImplemented)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	for name, values := range resp.Header {
		out.Header()[name] = values
	}
	out.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(out, resp.Body)
}

// tell is the policy that puts the operation into the header.
type tell struct{}

func (tell) Do(req *policy.Request) (*http.Response, error) {
	if operation, ok := req.Raw().Context().Value(runtime.CtxAPINameKey{}).(string); ok {
		req.Raw().Header.Set(operationHeader, operation)
	}
	return req.Next()
}

var now = time.Date(2026, 9, 20, 15, 0, 0, 0, time.UTC)

func (w *world) options() azure.Options {
	return azure.Options{
		Secret: func(_ context.Context, name string) ([]byte, error) {
			return json.Marshal(map[string]string{"client_secret": name})
		},
		Now: func() time.Time { return now },
		AWS: aws.Config{
			Region: "eu-central-1", BaseEndpoint: aws.String(w.URL), HTTPClient: w.Client(),
			Credentials: awscredentials.NewStaticCredentialsProvider("id", "key", ""),
		},
		Client: policy.ClientOptions{
			Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: w.URL, Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Endpoint: w.URL, Audience: w.URL}, azmetrics.ServiceName: {Audience: w.URL},
			}},
			Transport:       w.Client(),
			PerCallPolicies: []policy.Policy{tell{}},
			Retry:           policy.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: 5 * time.Millisecond},
		},
		Prices: w.URL + "/prices", Metrics: w.URL, Polling: time.Millisecond,
	}
}

// open opens a connection whose secret is its own name, or none.
func (w *world) open(secret string, settings map[string]string) *azure.Collector {
	w.t.Helper()
	all := map[string]string{"tenant_id": directory, "client_id": app}
	for k, v := range settings {
		all[k] = v
	}
	c, err := azure.New(w.t.Context(), ingest.Connection{ID: "azure-main", Cloud: resource.Azure, Settings: all, Secret: secret}, w.options())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) count(operation string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, o := range w.asked {
		if o == operation {
			n++
		}
	}
	return n
}
