package ingest_test

import (
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/ingest"
)

func TestAConnectionStandsAsItsWorstReading(t *testing.T) {
	t.Parallel()
	at := func(what string, s ingest.Status, hour int) ingest.Reading {
		return ingest.Reading{What: what, Status: s, At: time.Date(2026, 11, 1, hour, 0, 0, 0, time.UTC)}
	}
	for name, c := range map[string]struct {
		readings []ingest.Reading
		want     ingest.Status
	}{
		"never read":                    {nil, ""},
		"all well":                      {[]ingest.Reading{at("bill", ingest.OK, 1), at("inventory", ingest.OK, 1)}, ingest.OK},
		"one month denied":              {[]ingest.Reading{at("bill", ingest.OK, 2), at("bill", ingest.Denied, 1), at("inventory", ingest.Failed, 2)}, ingest.Denied},
		"at its limit":                  {[]ingest.Reading{at("bill", ingest.OK, 1), at("inventory", ingest.Limited, 1)}, ingest.Limited},
		"tested only":                   {[]ingest.Reading{at("test", ingest.Denied, 1)}, ingest.Denied},
		"tested after it was read":      {[]ingest.Reading{at("bill", ingest.OK, 1), at("test", ingest.Failed, 2)}, ingest.Failed},
		"read after a test that failed": {[]ingest.Reading{at("test", ingest.Denied, 1), at("bill", ingest.OK, 2)}, ingest.OK},
	} {
		if got := ingest.StatusOf(c.readings); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
