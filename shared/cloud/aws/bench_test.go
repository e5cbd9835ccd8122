package aws

import (
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/ingest"
)

// BenchmarkMonth reads a month of 5,000 rows from Cost Explorer, at the pace that AWS allows.
func BenchmarkMonth(b *testing.B) {
	var groups []object
	for i := range 5000 / 31 {
		groups = append(groups, charge([]string{"Service " + strconv.Itoa(i), "us-east-1"}, "1.2345678901", "1.2"))
	}
	var days []object
	for day := november; day.Before(november.AddDate(0, 1, 0)); day = day.AddDate(0, 0, 1) {
		days = append(days, span(day.Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly), false, groups...))
	}
	contents := page("", span("2026-11-01", "2026-12-01", false, charge([]string{"Usage", main}, "1", "1"), charge([]string{"Tax", main}, "1", "1"), charge([]string{"Credit", main}, "1", "1"), charge([]string{"Fee", main}, "1", "1")))
	for b.Loop() {
		f := fake{answers: []func(http.ResponseWriter, object){give(contents), give(page("")), give(page("")), give(page("")), give(page("", days...))}}
		c := collector(b, f.start(b), ingest.NewMeter(nil), nil)
		c.now = func() time.Time { return november.AddDate(0, 1, 5) }
		c.explorer.every = betweenRequests
		rows, err := rowsOf(b.Context(), c, november)
		if err != nil || len(rows) != 5000/31*30 {
			b.Fatal(len(rows), err)
		}
		b.ReportMetric(float64(len(rows)), "rows")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/1e6, "heap-MB")
	}
	b.ReportMetric(mostMemory(b), "peak-RSS-MB")
}
