package ingest_test

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

func TestMeterStopsBeforeItsLimitIsExceeded(t *testing.T) {
	t.Parallel()
	limit, cent := decimal.RequireFromString("0.03"), decimal.RequireFromString("0.01")
	m := ingest.NewMeter(&limit)
	for range 3 {
		if err := m.Spend("requests", 1, cent); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Spend("requests", 1, cent); fault.CodeOf(err) != fault.LimitReached {
		t.Errorf("the fourth of three: %v", err)
	}
	if err := m.Spend("free", 1000, decimal.Zero); err != nil {
		t.Errorf("what is free may go on: %v", err)
	}
	got := m.Spent()
	if len(got) != 2 || got[1].What != "requests" || got[1].Units != 3 || !got[1].Amount.Equal(limit) {
		t.Errorf("spent %+v", got)
	}
}

func TestWhatWasSpentBeforeCountsTowardsTheLimit(t *testing.T) {
	t.Parallel()
	limit, cent := decimal.RequireFromString("0.03"), decimal.RequireFromString("0.01")
	m := ingest.NewMeter(&limit)
	m.Carry(decimal.RequireFromString("0.02"))
	if err := m.Spend("requests", 1, cent); err != nil {
		t.Fatal(err)
	}
	if err := m.Spend("requests", 1, cent); fault.CodeOf(err) != fault.LimitReached {
		t.Errorf("above the limit: %v", err)
	}
	if got := m.Spent(); !m.Total().Equal(limit) || len(got) != 1 || got[0].Units != 1 {
		t.Errorf("spent %+v, %s together", got, m.Total())
	}
}

func TestNoMeterCountsNothing(t *testing.T) {
	t.Parallel()
	var m *ingest.Meter
	if err := m.Spend("requests", 1<<40, decimal.NewFromInt(1)); err != nil || m.Spent() != nil {
		t.Errorf("%v %v", err, m.Spent())
	}
}
