package sandbox

import (
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cloud/cloudtest"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// The estate keeps to what every collector has to do, so that what works on it works on real clouds.
func TestCollectorsConform(t *testing.T) {
	today := time.Date(2026, 9, 20, 0, 0, 0, 0, time.UTC)
	for _, cloud := range resource.Clouds {
		t.Run(string(cloud), func(t *testing.T) {
			cloudtest.Run(t, cloudtest.Subject{
				Cloud: cloud, Month: time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC),
				New: func(t *testing.T) cloudtest.World { return conforming(t, cloud, today) },
			})
		})
	}
}

func conforming(t *testing.T, cloud resource.Cloud, today time.Time) cloudtest.World {
	t.Helper()
	e := open(t, Options{Seed: 7, Today: today})
	w := cloudtest.World{Collector: e.Collector(cloud), Impatient: true}
	w.Throttle = func(int) {
		if _, err := e.Inject(Fault{Kind: Throttle, Reads: true, Cloud: cloud, Times: 1000}); err != nil {
			t.Error(err)
		}
	}
	w.Usage = &ingest.UsageQuery{
		Metrics: []resource.Metric{resource.CPU, resource.DiskOps}, Every: time.Hour,
		Period: cost.Period{Start: today.AddDate(0, 0, -2), End: today},
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, it := range e.items {
		if it.ref.Cloud == cloud {
			w.Usage.Refs = append(w.Usage.Refs, it.ref)
			w.Regions = append(w.Regions, it.ref.Region)
		}
	}
	return w
}
