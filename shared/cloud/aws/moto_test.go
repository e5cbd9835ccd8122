package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const (
	aTenant = tenant.ID("0b5a7c1e-6f7d-4c35-9d53-1f0a3b7c2d11")
	main    = "123456789012"
	role    = "arn:aws:iam::" + main + ":role/CostAgent"
)

var noon = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// server is a moto server, behind a front, that all tests of the package share; each forgets what was there before.
type server struct {
	url     string
	process *exec.Cmd
	front   *httptest.Server
}

var (
	started sync.Once
	shared  server
	turns   sync.Mutex
)

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.front != nil {
		shared.front.Close()
	}
	if shared.process != nil {
		_ = shared.process.Process.Kill()
		_ = shared.process.Wait()
	}
	os.Exit(code)
}

// moto gives the test the server for itself, empty. Tests that use it do not run at the same time.
func moto(t *testing.T) server {
	t.Helper()
	started.Do(func() { start(t) })
	if shared.url == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("no moto server: run make python first")
		}
		t.Skip("no moto server, so nothing plays AWS here; make python installs it")
	}
	turns.Lock()
	t.Cleanup(turns.Unlock)
	post(t, shared.url+"/moto-api/reset", nil)
	return shared
}

func start(t *testing.T) {
	t.Helper()
	program, err := filepath.Abs("../../../.local/python/bin/moto_server")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		if program, err = exec.LookPath("moto_server"); err != nil {
			return
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	shared.process = exec.Command(program, "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	shared.process.Env = append(os.Environ(), "MOTO_EC2_LOAD_DEFAULT_AMIS=false") // thousands of them, again for every account and region
	shared.process.Dir = t.TempDir()
	if err := shared.process.Start(); err != nil {
		t.Fatal(err)
	}
	address := "http://127.0.0.1:" + strconv.Itoa(port)
	for range 600 {
		if r, err := seeder.Get(address + "/moto-api/data.json"); err == nil {
			r.Body.Close()
			shared.front = httptest.NewServer(quick(t, address))
			shared.url = shared.front.URL
			return
		}
		time.Sleep(50 * time.Millisecond) // it is another process
	}
	t.Fatal("the moto server did not come up")
}

// sizes are the instance types that the tests have.
const sizes = `<DescribeInstanceTypesResponse><instanceTypeSet>` +
	`<item><instanceType>m5.large</instanceType><vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>8192</sizeInMiB></memoryInfo></item>` +
	`<item><instanceType>m5.xlarge</instanceType><vCpuInfo><defaultVCpus>4</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>16384</sizeInMiB></memoryInfo></item>` +
	`</instanceTypeSet></DescribeInstanceTypesResponse>`

// quick stands before moto and answers what that takes seconds for: instance types, spot prices, and the tags of everything.
func quick(t *testing.T, to string) http.Handler {
	t.Helper()
	proxy := proxyTo(t, to)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := peek(r)
		machines := strings.Contains(text, "Action=DescribeInstanceTypes&")
		switch {
		case text == `{"ResourcesPerPage":1}`:
			fmt.Fprint(w, `{"ResourceTagMappingList":[]}`)
		case !machines && !strings.Contains(text, "Action=DescribeSpotPriceHistory&"):
			proxy.ServeHTTP(w, r)
		case strings.Contains(text, "DryRun=true"):
			w.WriteHeader(http.StatusPreconditionFailed)
			fmt.Fprint(w, ec2Error("DryRunOperation"))
		case machines:
			fmt.Fprint(w, sizes)
		default:
			fmt.Fprint(w, `<DescribeSpotPriceHistoryResponse><spotPriceHistorySet>`+spotItem("m5.large", "us-east-1a", "0.04", time.Hour)+`</spotPriceHistorySet></DescribeSpotPriceHistoryResponse>`)
		}
	})
}

// proxyTo hands requests on.
func proxyTo(t *testing.T, to string) *httputil.ReverseProxy {
	t.Helper()
	address, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	return httputil.NewSingleHostReverseProxy(address)
}

// seeder never takes up a connection that the server may just be closing: what makes something must not be sent twice.
var seeder = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func post(t *testing.T, url string, body any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := seeder.Post(url, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode >= 300 {
		t.Fatalf("%s: %s", url, r.Status)
	}
}

// identity is an identity for an endpoint, loaded as a function's is: from the standard environment.
func identity(t testing.TB, endpoint string) aws.Config {
	t.Helper()
	environment.Lock()
	defer environment.Unlock()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		if err := os.Setenv(name, value); err != nil {
			t.Fatal(err)
		}
	}
	config, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	config.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = attempts
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	return config
}

var environment sync.Mutex

// collector reads with the settings from the endpoint, without waiting between requests.
func collector(t testing.TB, endpoint string, meter *ingest.Meter, settings map[string]string) *Collector {
	t.Helper()
	all := map[string]string{"role_arn": role}
	for k, v := range settings {
		all[k] = v
	}
	c, err := New(context.Background(), ingest.Connection{Tenant: aTenant, ID: "aws-main", Cloud: "aws", Settings: all}, Options{AWS: identity(t, endpoint), Meter: meter, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	c.explorer.every = 0
	return c
}

// peek reads a request's body and puts it back.
func peek(r *http.Request) string {
	var text bytes.Buffer
	_, _ = text.ReadFrom(r.Body)
	r.Body = io.NopCloser(&text)
	return text.String()
}
