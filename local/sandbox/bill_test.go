package sandbox

import (
	"testing"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// open raises the default estate with a clock that stands still.
func open(t testing.TB, o Options) *Estate {
	t.Helper()
	o.Still = true
	e, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// BenchmarkStreamEverything writes all bills of all clouds.
func BenchmarkStreamEverything(b *testing.B) {
	e := open(b, Options{})
	for b.Loop() {
		rows := 0
		for _, cloud := range resource.Clouds {
			for _, month := range (cost.Period{Start: e.base.Start, End: e.base.Today}).Months() {
				for _, err := range e.Collector(cloud).Costs(b.Context(), month.Start) {
					if err != nil {
						b.Fatal(err)
					}
					rows++
				}
			}
		}
		b.ReportMetric(float64(rows), "rows")
	}
}

