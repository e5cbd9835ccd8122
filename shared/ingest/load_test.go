package ingest_test

import (
	"encoding/json"
	"testing"

	"github.com/cost-agent/cost-agent/shared/ingest"
)

func TestAReportIsCutToSizeAndCountsWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	full := ingest.Report{Rejected: 900, Rejections: make([]ingest.Rejection, 900), Periods: make([]ingest.Loaded, 2000)}
	got := full.Within(50 << 10)
	text, err := json.Marshal(got)
	if err != nil || len(text) > 50<<10 || len(got.Periods)+got.MorePeriods != 2000 || got.Rejected != 900 {
		t.Errorf("%d bytes, %d periods and %d more, %d rejected: %v", len(text), len(got.Periods), got.MorePeriods, got.Rejected, err)
	}
	if len(got.Rejections) == 0 || len(got.Periods) == 0 {
		t.Errorf("%d rejections and %d periods are left", len(got.Rejections), len(got.Periods))
	}
	if small := full.Within(1 << 20); len(small.Rejections) != 900 || small.MorePeriods != 0 {
		t.Error("what fits was cut")
	}
	if len(full.Rejections) != 900 {
		t.Error("the full report was changed")
	}
}
