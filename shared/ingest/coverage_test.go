package ingest_test

import (
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

func TestAMissingMonthBreaksWhatIsLoaded(t *testing.T) {
	t.Parallel()
	month := func(m time.Month) time.Time { return time.Date(2026, m, 1, 0, 0, 0, 0, time.UTC) }
	bill := func(connection string, m time.Month) ingest.Coverage {
		return ingest.Coverage{Connection: connection, Period: cost.Month(month(m))}
	}
	covered := []ingest.Coverage{bill("main", 8), bill("main", 3), bill("main", 4), bill("main", 5), bill("other", 6), bill("main", 7), bill("main", 7)}
	for name, tt := range map[string]struct{ day, from, until time.Time }{
		"before the gap":       {month(4).AddDate(0, 0, 10), month(3), month(6)},
		"its last day":         {month(5).AddDate(0, 0, 30), month(3), month(6)},
		"after the gap":        {month(7), month(7), month(9)},
		"in another's month":   {month(6), month(6), month(6)},
		"after everything":     {month(10), month(10), month(10)},
		"before everything":    {month(1), month(1), month(1)},
		"the day after it all": {month(9), month(9), month(9)},
	} {
		if got := ingest.Unbroken(covered, "main", tt.day); !got.Start.Equal(tt.from) || !got.End.Equal(tt.until) {
			t.Errorf("%s: %s, want %s to %s", name, got, tt.from, tt.until)
		}
	}
	if got := ingest.Unbroken(nil, "main", month(1)); got.Len() != 0 {
		t.Errorf("without a bill: %s", got)
	}
}
