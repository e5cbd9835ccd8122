package vultr_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/cost-agent/cost-agent/shared/cloud/vultr"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/staging"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const owner tenant.ID = "6f1f9f5e-0000-4000-8000-000000000001"

func bucket(t *testing.T) staging.Bucket {
	t.Helper()
	srv := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(srv.Close)
	client := s3.New(s3.Options{BaseEndpoint: &srv.URL, Region: "eu-west-1", UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider("k", "s", "")})
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("staging")}); err != nil {
		t.Fatal(err)
	}
	return staging.Bucket{API: client, Name: "staging"}
}

// collected is a run of collection in a process of its own: nothing outlives it but what is staged.
func (w *world) collected(to ingest.Staging, run string) ([]focus.Row, error) {
	o := w.options()
	collect := job.Collect{Staging: to, Now: o.Now, Collectors: func(ctx context.Context, c ingest.Connection, _ *ingest.Meter) (ingest.Collector, error) {
		return vultr.New(ctx, c, o)
	}}
	key := ingest.Key(owner, "vultr-main", run, "bill-2026-09.parquet")
	out, err := collect.Bill(w.t.Context(), job.BillInput{Tenant: owner, Connection: "vultr-main", Cloud: "vultr", Month: september, Key: key, Secret: ingest.SecretName(owner, "vultr-main")})
	if err != nil {
		return nil, err
	}
	file, err := to.Reader(w.t.Context(), out.Key)
	if err != nil {
		return nil, err
	}
	read, err := focus.Open(file, file.Size(), focus.Parquet)
	if err != nil {
		return nil, err
	}
	var rows []focus.Row
	for {
		var row focus.Row
		rejected, err := read.Next(&row)
		switch {
		case errors.Is(err, io.EOF):
			return rows, errors.Join(read.Close(), file.Close())
		case err != nil || rejected != nil:
			return nil, errors.Join(err, errors.New("a row was rejected"))
		}
		rows = append(rows, row)
	}
}

// The way of a month through S3, in processes that know nothing of each other, the last two of them at once.
func TestCollectionKeepsWhatItReadBetweenRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func() { w.lists[historyPath] = nil })
	to := bucket(t)
	expect := func(run string, want map[string]string) {
		t.Helper()
		rows, err := w.collected(to, run)
		if got := daily(rows); err != nil || !maps.Equal(got, want) {
			t.Errorf("run %s: %v, %v; want %v", run, got, err, want)
		}
	}
	w.at(first.now, first.pending...)
	expect("1", first.want)
	expect("2", first.want)
	w.at("2026-09-13 12:00", pending{"shop", tenth, "4.90", ""})
	w.set(func() { w.half = true })
	if _, err := w.collected(to, "3"); err == nil {
		t.Error("half an answer was taken for a whole one")
	}
	w.set(func() { w.half = false })
	expect("4", map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "1.70", "09-13": "1.20"})
	w.at("2026-09-14 12:00", pending{"shop", tenth, "5.90", ""})
	want := map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "1.70", "09-13": "1.70", "09-14": "0.50"}
	var both sync.WaitGroup
	for _, run := range []string{"5", "6"} {
		both.Go(func() { expect(run, want) })
	}
	both.Wait()
	expect("7", want)
}
