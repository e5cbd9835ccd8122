package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/focus/focustest"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
)

// benchmarkRows is how many rows BenchmarkLoad loads; COST_AGENT_BENCH_ROWS and -short make it fewer.
func benchmarkRows(b *testing.B) int {
	b.Helper()
	if text := os.Getenv("COST_AGENT_BENCH_ROWS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return 100_000
	}
	return 1_000_000
}

// diskFile is a bill on disk.
type diskFile struct {
	*os.File
	size int64
}

func (f diskFile) Size() int64 { return f.size }

// BenchmarkLoad loads a gzipped CSV of a million rows, and compares with plain COPY of the rows that came out of it into a
// table of the same columns and index, in the same database and the same run.
func BenchmarkLoad(b *testing.B) {
	n := benchmarkRows(b)
	path := filepath.Join(b.TempDir(), "bill.csv.gz")
	write(b, path, n)
	url := pgtest.URL(b)
	db, err := postgres.Open(b.Context(), postgres.Options{URL: url})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	if err := db.SaveTenant(b.Context(), acme, "Acme"); err != nil {
		b.Fatal(err)
	}
	var loading, copying, text time.Duration
	var peak uint64
	for i := range b.N {
		runtime.GC()
		stop := watchMemory(&peak)
		begin := time.Now()
		report := load(b, db, acme, ingest.Bill{Connection: fmt.Sprint("run ", i), File: onDisk(b, path)})
		loading += time.Since(begin)
		stop()
		if report.Accepted != int64(n) {
			b.Fatalf("%d rows were accepted, want %d", report.Accepted, n)
		}
		copying += plainCopy(b, url, "binary")
		text += plainCopy(b, url, "text")
	}
	rows := float64(n) * float64(b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rows/loading.Seconds(), "rows/s")
	b.ReportMetric(rows/text.Seconds(), "copy-rows/s")
	b.ReportMetric(text.Seconds()/loading.Seconds(), "ratio")
	b.ReportMetric(rows/copying.Seconds(), "binary-copy-rows/s")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
}

func write(b *testing.B, path string, n int) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := focustest.WriteCSVGzip(f, n, 1); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

func onDisk(b *testing.B, path string) ingest.Object {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	return diskFile{f, info.Size()}
}

// plainCopy measures COPY alone: the newest bill, made ready beforehand, goes into a like table in one statement.
func plainCopy(b *testing.B, url, format string) time.Duration {
	b.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	run := func(sql string) {
		b.Helper()
		if _, err := conn.Exec(ctx, sql); err != nil {
			b.Fatal(err)
		}
	}
	run(`select set_config('app.tenant_id', '` + string(acme) + `', false)`)
	run(`create table plain (like cost_rows); create index on plain (bill_id)`)
	defer run(`drop table plain`)
	var data bytes.Buffer
	out := `copy (select * from cost_rows where bill_id = (select max(id) from bills)) to stdout (format ` + format + `)`
	if _, err := conn.PgConn().CopyTo(ctx, &data, out); err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	if _, err := conn.PgConn().CopyFrom(ctx, io.Reader(&data), `copy plain from stdin (format `+format+`)`); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}

// watchMemory notes the most memory that the process holds from the operating system.
func watchMemory(peak *uint64) (stop func()) {
	var done atomic.Bool
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var m runtime.MemStats
		for !done.Load() {
			runtime.ReadMemStats(&m)
			*peak = max(*peak, m.Sys-m.HeapReleased)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return func() {
		done.Store(true)
		<-ended
	}
}
