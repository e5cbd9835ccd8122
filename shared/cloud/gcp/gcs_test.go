package gcp

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"google.golang.org/api/option"
	"google.golang.org/api/storage/v1"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// gcs starts fake-gcs-server, and gives its address.
func gcs(t *testing.T) string {
	t.Helper()
	program, err := filepath.Abs("../../../.local/bin/fake-gcs-server")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no fake-gcs-server: run make google first")
		}
		t.Skip("no fake-gcs-server, so nothing plays Cloud Storage here; make google builds it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	process := exec.CommandContext(t.Context(), program, "-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-location", "EUROPE-WEST3", "-log-level", "error")
	process.Dir = t.TempDir()
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
	address := "127.0.0.1:" + port
	for range 300 {
		if r, err := http.Get("http://" + address + "/storage/v1/b?project=p"); err == nil {
			_ = r.Body.Close()
			return address
		}
		time.Sleep(10 * time.Millisecond) // it is another process
	}
	t.Fatal("fake-gcs-server did not come up")
	return ""
}

// to sends what is for Cloud Storage to another server, and the rest on.
type to struct {
	storage string
	rest    http.RoundTripper
}

func (x to) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "storage.googleapis.com" {
		return x.rest.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", x.storage
	return http.DefaultTransport.RoundTrip(r)
}

// The server that others made lists buckets as the collector expects it.
func TestBucketsOfAnotherServer(t *testing.T) {
	t.Parallel()
	address := gcs(t)
	client, err := storage.NewService(t.Context(), option.WithoutAuthentication(), option.WithEndpoint("http://"+address+"/storage/v1/"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for i := range 12 {
		name := fmt.Sprintf("shop-%02d", i)
		if _, err := client.Buckets.Insert("shop-prod", &storage.Bucket{Name: name}).Context(t.Context()).Do(); err != nil {
			t.Fatal(err)
		}
		want["//storage.googleapis.com/projects/_/buckets/"+name] = true
	}
	g := newGoogle(t)
	g.estate(t, "shop-prod")
	o := g.options()
	o.Transport = to{address, g}
	inv, err := g.collector(connection(), o).Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bucketsOf(inv) {
		if !want[b.ID] || b.Region != "europe-west3" || b.Attributes[resource.AttrSize] != "STANDARD" || b.CreatedAt.IsZero() {
			t.Errorf("nobody made %+v", b)
		}
		delete(want, b.ID)
	}
	if len(want) > 0 {
		t.Errorf("missing %v", want)
	}
}
