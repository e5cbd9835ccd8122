package staging_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/staging"
)

// service is S3 in this process, counting requests by method and query.
type service struct {
	gets, aborts atomic.Int64
	broken       atomic.Bool // every UploadPart and GetObject fails
}

func newBucket(t *testing.T) (staging.Bucket, *service, *s3.Client) {
	t.Helper()
	counts := &service{}
	fake := gofakes3.New(s3mem.New()).Server()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet:
			counts.gets.Add(1)
		case r.Method == http.MethodDelete && r.URL.Query().Has("uploadId"):
			counts.aborts.Add(1)
		}
		if counts.broken.Load() && (r.Method == http.MethodGet || r.URL.Query().Has("partNumber")) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	client := s3.New(s3.Options{
		BaseEndpoint: &srv.URL, Region: "eu-west-1", UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""), RetryMaxAttempts: 1,
	})
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("staging")}); err != nil {
		t.Fatal(err)
	}
	return staging.Bucket{API: client, Presigner: s3.NewPresignClient(client), Name: "staging"}, counts, client
}

func content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func put(t *testing.T, b staging.Bucket, key string, data []byte) {
	t.Helper()
	w, err := b.Writer(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	// Odd pieces, so that parts do not end where writes do.
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{bytes.NewReader(data)}, make([]byte, 100_003)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	b, _, _ := newBucket(t)
	for _, size := range []int{0, 1, 4 << 20, 8 << 20, 8<<20 + 1, 21_000_007} {
		data := content(size)
		key := "t/c/bill"
		put(t, b, key, data)
		o, err := b.Reader(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
		if err != nil || sha256.Sum256(got) != sha256.Sum256(data) {
			t.Errorf("size %d: read %d bytes, %v; the content differs or the read failed", size, len(got), err)
		}
		if n, err := o.ReadAt(make([]byte, 5), int64(size)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("size %d: past the end: %d, %v; want 0, EOF", size, n, err)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAScanCostsOneRequestPerBlock(t *testing.T) {
	t.Parallel()
	b, counts, _ := newBucket(t)
	put(t, b, "t/big", content(20<<20))
	o, err := b.Reader(t.Context(), "t/big")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{io.NewSectionReader(o, 0, o.Size())}, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if n := counts.gets.Load(); n != 5 {
		t.Errorf("20 MiB took %d requests, want 5", n)
	}
}

func TestReadersMayReadAtOnce(t *testing.T) {
	t.Parallel()
	b, _, _ := newBucket(t)
	data := content(18 << 20)
	put(t, b, "t/big", data)
	o, err := b.Reader(t.Context(), "t/big")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range 50 {
				at, n := r.IntN(len(data)), r.IntN(100_000)
				want := data[at:min(at+n, len(data))]
				got := make([]byte, len(want))
				if _, err := o.ReadAt(got, int64(at)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("at %d, %d bytes: differs or %v", at, n, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestNothingExistsBeforeCloseOrAfterAbort(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"one part": 100, "several parts": 17 << 20} {
		b, counts, _ := newBucket(t)
		w, err := b.Writer(t.Context(), "t/x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content(size)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Reader(t.Context(), "t/x"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s, before Close: got %v, want NotFound", name, err)
		}
		if err := w.Abort(); err != nil {
			t.Error(err)
		}
		if _, err := b.Reader(t.Context(), "t/x"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s, after Abort: got %v, want NotFound", name, err)
		}
		if err := w.Close(); err == nil {
			t.Errorf("%s: Close after Abort published something", name)
		}
		if wanted := int64(min(size/(8<<20), 1)); counts.aborts.Load() != wanted {
			t.Errorf("%s: %d aborted uploads at S3, want %d", name, counts.aborts.Load(), wanted)
		}
	}
}

func TestABrokenUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	b, counts, _ := newBucket(t)
	w, err := b.Writer(t.Context(), "t/x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content(9 << 20)); err != nil {
		t.Fatal(err)
	}
	counts.broken.Store(true)
	if err := w.Close(); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("got %v, want Unavailable", err)
	}
	if counts.aborts.Load() != 1 {
		t.Error("the parts that were sent stay at S3")
	}
}

func TestAFailedReadMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	b, counts, _ := newBucket(t)
	put(t, b, "t/x", []byte("hello"))
	o, err := b.Reader(t.Context(), "t/x")
	if err != nil {
		t.Fatal(err)
	}
	counts.broken.Store(true)
	if _, err := o.ReadAt(make([]byte, 5), 0); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("got %v, want Unavailable", err)
	}
	counts.broken.Store(false)
	got := make([]byte, 5)
	if _, err := o.ReadAt(got, 0); err != nil || string(got) != "hello" {
		t.Errorf("second try: %q, %v", got, err)
	}
	if _, err := o.ReadAt(got, -1); err == nil {
		t.Error("a negative position was read")
	}
}

func TestUploadURLTakesAPut(t *testing.T) {
	t.Parallel()
	b, _, _ := newBucket(t)
	url, err := b.UploadURL(t.Context(), "t/uploads/a b/ü", 10*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(url, "X-Amz-Expires=600") || !strings.Contains(url, "X-Amz-Signature=") {
		t.Errorf("the URL does not carry its permission: %s", url)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader("a,b\n1,2\n"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d", resp.StatusCode)
	}
	o, err := b.Reader(t.Context(), "t/uploads/a b/ü")
	if err != nil || o.Size() != 8 {
		t.Errorf("got %v, %v", o, err)
	}
}

func TestTheEndOfTheContextEndsReading(t *testing.T) {
	t.Parallel()
	b, _, _ := newBucket(t)
	put(t, b, "t/x", []byte("hello"))
	ctx, cancel := context.WithCancel(t.Context())
	o, err := b.Reader(ctx, "t/x")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := o.ReadAt(make([]byte, 5), 0); err == nil {
		t.Error("read after the end")
	}
}

// blind is S3 for those that may not list the bucket: it does not tell them that an object is missing.
type blind struct{ staging.API }

func (blind) HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "Forbidden", Message: "Forbidden"}
}

func TestWhatMayNotBeListedIsMissing(t *testing.T) {
	t.Parallel()
	_, err := staging.Bucket{API: blind{}, Name: "b"}.Reader(t.Context(), "t/x")
	if fault.CodeOf(err) != fault.NotFound {
		t.Errorf("got %v, want NotFound", err)
	}
}
