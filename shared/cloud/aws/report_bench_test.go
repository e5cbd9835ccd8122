package aws

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/cost-agent/cost-agent/shared/focus"
)

// manyItems gives the line items of a month by the hour: of 2,000 machines with tags, each costing something else every hour.
func manyItems(n int, emit func(record)) {
	template := aMonth()
	for i := range n {
		r := template[i%3] // on demand, spot, covered
		at := november.Add(time.Duration(i/2000%720) * time.Hour)
		r.UsageStart, r.UsageEnd, r.Resource = at, at.Add(time.Hour), "i-"+strconv.Itoa(i%2000)
		r.Unblended = float64(i%9973) / 1e4
		r.Net, r.Public = discounted(r.Unblended), usd(r.Unblended)
		if i%3 == 2 {
			r.PlanCost, r.NetPlanCost = usd(r.Unblended*0.6), discounted(r.Unblended*0.6)
		}
		r.Tags = map[string]string{"user_name": "web-" + strconv.Itoa(i%2000), "user_team": "team-" + strconv.Itoa(i%40)}
		emit(r)
	}
}

// writeReport writes a report of so many rows in either format, row by row.
func writeReport(b *testing.B, file string, n int) {
	b.Helper()
	out, err := os.Create(file)
	if err != nil {
		b.Fatal(err)
	}
	if strings.HasSuffix(file, ".parquet") {
		w := parquet.NewGenericWriter[record](out, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(100_000))
		manyItems(n, func(r record) {
			if _, err := w.Write([]record{r}); err != nil {
				b.Fatal(err)
			}
		})
		err = w.Close()
	} else {
		z, _ := gzip.NewWriterLevel(out, gzip.BestSpeed)
		w := csv.NewWriter(z)
		form := reflect.TypeFor[record]()
		var header []string
		for i := range form.NumField() {
			name, _, _ := strings.Cut(form.Field(i).Tag.Get("parquet"), ",")
			header = append(header, name)
		}
		_ = w.Write(header)
		manyItems(n, func(r record) {
			line := make([]string, 0, len(header))
			for i := range form.NumField() {
				line = append(line, cellOf(reflect.ValueOf(r).Field(i).Interface()))
			}
			_ = w.Write(line)
		})
		w.Flush()
		err = z.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
}

// bucketOf serves one delivery of one file as S3 does.
func bucketOf(b *testing.B, file string) string {
	b.Helper()
	key := "daily/metadata/BILLING_PERIOD=2026-11/daily-Manifest.json"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.Header.Get("Authorization"), "/sts/"):
			(&wire{}).ServeHTTP(w, r)
		case r.URL.Query().Has("list-type") && strings.HasPrefix(key, r.URL.Query().Get("prefix")):
			fmt.Fprintf(w, `<ListBucketResult><Contents><Key>%s</Key><LastModified>2026-11-10T00:00:00.000Z</LastModified></Contents></ListBucketResult>`, key)
		case r.URL.Query().Has("list-type"):
			fmt.Fprint(w, `<ListBucketResult/>`)
		case strings.HasSuffix(r.URL.Path, key):
			fmt.Fprint(w, `{"dataFiles":["s3://bills/data"]}`)
		default:
			http.ServeFile(w, r, file)
		}
	}))
	b.Cleanup(s.Close)
	return s.URL
}

// mostMemory is the largest resident size of the process since it was last forgotten, in MB.
func mostMemory(b *testing.B) float64 {
	b.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		b.Skip("only Linux tells")
	}
	defer f.Close()
	text, _ := io.ReadAll(bufio.NewReader(f))
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	kb, _ := strconv.ParseFloat(string(found[1]), 64)
	return kb / 1000
}

// BenchmarkReport reads a month of a million line items from a bucket and writes it as staged FOCUS.
func BenchmarkReport(b *testing.B) {
	const rows = 1_000_000
	for _, name := range []string{"report.csv.gz", "report.parquet"} {
		b.Run(name, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), name)
			writeReport(b, file, rows)
			c := collector(b, bucketOf(b, file), nil, map[string]string{"export_bucket": "bills", "export_name": "daily"})
			debug.FreeOSMemory()
			_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600) // forgets the largest size
			heap := uint64(0)
			b.ResetTimer()
			for b.Loop() {
				n := 0
				out := focus.NewParquetWriter(io.Discard)
				for row, err := range c.Costs(b.Context(), november) {
					if err == nil {
						err = out.Write(&row)
					}
					if err != nil {
						b.Fatal(err)
					}
					if n++; n%50_000 == 0 {
						var m runtime.MemStats
						runtime.ReadMemStats(&m)
						heap = max(heap, m.HeapAlloc)
					}
				}
				if err := out.Close(); err != nil || n < rows {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(heap)/1e6, "heap-MB")
			b.ReportMetric(mostMemory(b), "peak-RSS-MB")
		})
	}
}
